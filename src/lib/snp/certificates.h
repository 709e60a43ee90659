/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificates that come with a report, each in its place: leaf, the CA above it, and perhaps the root.
 */
#pragma once

#include <openssl/x509.h>

#include "snp/report.h"

G_BEGIN_DECLS

typedef struct {
	X509 *vek;  /* (nullable): VCEK or VLEK */
	X509 *ca;   /* (nullable): ASK or ASVK */
	X509 *root; /* (nullable): ARK; its key is pinned, so it need not be sent */
} DstackSnpCertificates;

void dstack_snp_certificates_clear(DstackSnpCertificates *self);
/*
 * What evidence carries (element-type GBytes): certificates in PEM or DER, or one kernel certificate table. Each
 * place is filled at most once, and nothing is left over. Which certificate goes where follows from the subjects'
 * names: whether they may stand there is for dstack_snp_chain_verify() to say.
 */
gboolean dstack_snp_certificates_parse(DstackSnpCertificates *self, GPtrArray *chain,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* fills empty places out of many (element-type GBytes): the leaf by the report's chip and TCB, or the only one there is
 */
gboolean dstack_snp_certificates_complete(DstackSnpCertificates *self, GPtrArray *pool, const DstackSnpReport *report,
					  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the kernel's table (SNP_GET_EXT_REPORT, configfs auxblob): certificates in DER, borrowed from the blob */
typedef struct {
	const guint8 *data;
	gsize size;
} DstackSnpSlice;

typedef struct {
	DstackSnpSlice vcek; /* always there, as is the next */
	DstackSnpSlice ask;
	DstackSnpSlice ark; /* size 0: not there */
} DstackSnpCertTable;

gboolean dstack_snp_cert_table_parse(DstackSnpCertTable *self, const guint8 *data, gsize size,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackSnpCertificates, dstack_snp_certificates_clear)

G_END_DECLS
