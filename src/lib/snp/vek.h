/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificate that signs reports, VCEK or VLEK: what its extensions say of chip and TCB,
 * held against a report.
 */
#pragma once

#include <openssl/x509.h>

#include "snp/report.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_SNP_VCEK, /* a chip's own key */
	DSTACK_SNP_VLEK, /* a cloud provider's key, loaded into its chips */
} DstackSnpVekKind;

/* "SEV-VCEK": the subject's common name */
const gchar *dstack_snp_vek_kind_to_string(DstackSnpVekKind kind);
/* FALSE where the subject is neither */
gboolean dstack_snp_vek_get_kind(X509 *vek, DstackSnpVekKind *out);
/* whether any of AMD's extensions is there: a simulator's certificate has none */
gboolean dstack_snp_vek_has_amd_extensions(X509 *vek);

/* SIGNING_KEY of the report names this kind, and the caller takes it */
gboolean dstack_snp_vek_ensure_kind(DstackSnpVekKind kind, const DstackSnpReport *report, gboolean allow_vlek,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* report, certificate and chain are of one product line */
gboolean dstack_snp_vek_ensure_product(X509 *vek, DstackSnpProduct chain_product, const DstackSnpReport *report,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* every SPL equals its part of REPORTED_TCB */
gboolean dstack_snp_vek_ensure_tcb(X509 *vek, DstackSnpProduct product, const DstackSnpReport *report,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* HWID equals CHIP_ID; a VLEK has none */
gboolean dstack_snp_vek_ensure_chip(X509 *vek, DstackSnpVekKind kind, DstackSnpProduct product,
				    const DstackSnpReport *report, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* ECDSA P-384 with SHA-384 over the report's signed bytes, as received */
gboolean dstack_snp_vek_ensure_signature(X509 *vek, const DstackSnpReport *report,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
