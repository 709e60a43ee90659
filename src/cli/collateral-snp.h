/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * collateral fetch for SEV-SNP: what a report's signature is checked with, from a KDS-compatible service.
 */
#pragma once

#include "cli/command.h"
#include "snp/report.h"

G_BEGIN_DECLS

typedef struct {
	const gchar *kds;    /* (nullable): the service to ask */
	const gchar *root;   /* (nullable): a file: trust this root instead of AMD's */
	const gchar *output; /* (nullable): a directory to write to as well */
	gboolean refresh;    /* ask also where what is kept is good */
} DstackCollateralSnp;

/* FALSE where the file holds no SEV-SNP evidence: neither a bare report, in bytes or hex, nor an attestation */
gboolean dstack_collateral_find_report(GBytes *input, DstackSnpReport *out);
gboolean dstack_collateral_fetch_snp(DstackCli *cli, const DstackSnpReport *report, const DstackCollateralSnp *options,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
