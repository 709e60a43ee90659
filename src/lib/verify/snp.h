/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP evidence to a verdict, offline.
 */
#pragma once

#include "verify/verifier.h"

G_BEGIN_DECLS

/* an error only for options that make no sense: whatever is wrong with the evidence stands in the verdict */
DstackVerdict *dstack_verify_snp(const DstackAttestation *attestation, const DstackVerifyOptions *options,
				 GError **error);
/* a report without vm_config: signature, chain, policy and TCB only; certificates come from the options */
DstackVerdict *dstack_verify_snp_report(const guint8 *data, gsize size, const DstackVerifyOptions *options,
					GError **error);
/* tells a bare report from a bare quote, whose first four bytes hold an attestation key type as well */
gboolean dstack_snp_report_is_likely(const guint8 *data, gsize size);

G_END_DECLS
