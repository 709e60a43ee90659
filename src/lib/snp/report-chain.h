/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The chain from a report's signing key to AMD's root, with the checks that a plain chain validation leaves out.
 */
#pragma once

#include "snp/certificates.h"
#include "snp/vek.h"

G_BEGIN_DECLS

/* zero trusts the pinned roots and nothing else */
typedef struct {
	X509 *root;		  /* (nullable): trust this root's key, and none of the pinned ones */
	gboolean allow_simulator; /* an ECDSA chain without AMD's extensions may stand under the given root */
} DstackSnpTrust;

/* what a good chain says */
typedef struct {
	DstackSnpProduct product; /* of no meaning for a simulator, as is the next */
	DstackSnpVekKind kind;
	gboolean simulator;
} DstackSnpChain;

/* names, pinned root, CA flags, key kinds, signature parameters, signatures: everything but dates and revocation */
gboolean dstack_snp_chain_verify(const DstackSnpCertificates *certs, const DstackSnpTrust *trust, DstackSnpChain *out,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_snp_chain_ensure_in_date(const DstackSnpCertificates *certs, gint64 now,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* after dstack_snp_chain_verify(). (element-type X509_CRL); out_n: how many lists were of this root's */
gboolean dstack_snp_chain_ensure_not_revoked(const DstackSnpCertificates *certs, const DstackSnpTrust *trust,
					     const DstackSnpChain *chain, GPtrArray *crls, gint64 now, guint *out_n,
					     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
