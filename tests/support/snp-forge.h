/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A forge for SEV-SNP evidence: our own ARK, ASK, ASVK, VCEK and VLEK, and reports with any fields, with whatever a
 * test needs wrong in them. Nothing it makes leads to one of AMD's roots. Failure of OpenSSL ends the test.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "attestation/attestation.h"
#include "snp/certificates.h"
#include "snp/report.h"
#include "snp/vek.h"

G_BEGIN_DECLS

#define DSTACK_SNP_FORGE_NOW 1780000000 /* 2026-05-28: every forged item is good on that day */

/* keys are costly, so a test program makes them once */
typedef struct {
	EVP_PKEY *ark; /* RSA-4096, as are the next two */
	EVP_PKEY *ca;
	EVP_PKEY *rogue;
	EVP_PKEY *small; /* RSA-2048 */
	EVP_PKEY *vek;	 /* P-384 */
	EVP_PKEY *p256;
} DstackSnpForge;

typedef enum {
	DSTACK_SNP_FORGE_PSS, /* as AMD signs */
	DSTACK_SNP_FORGE_PSS_SHA256,
	DSTACK_SNP_FORGE_PSS_MGF1_SHA256,
	DSTACK_SNP_FORGE_PSS_SALT_32,
	DSTACK_SNP_FORGE_PKCS1,
} DstackSnpForgeSignature;

/* one certificate */
typedef struct {
	gchar *cn;
	EVP_PKEY *key; /* borrowed */
	gint64 not_before;
	gint64 not_after;
	guint64 serial;
	gboolean is_ca;
	gboolean critical_extension; /* one that nobody knows */
	DstackSnpForgeSignature signature;
	EVP_PKEY *signer; /* borrowed */
} DstackSnpForgeCert;

/* what the leaf's extensions say; -1 or NULL leaves one out */
typedef struct {
	gint struct_version;
	gchar *product_name;
	gint spl[10];	      /* by the last number of the extension, 1 to 9 */
	const gchar *raw_spl; /* (nullable): these bytes, in hex, instead of the microcode's INTEGER */
	GBytes *hwid;
	gchar *csp_id;
} DstackSnpForgeVek;

/* all that a test may change before it is made */
typedef struct {
	DstackSnpForgeCert root;
	DstackSnpForgeCert ca;
	DstackSnpForgeCert leaf;
	DstackSnpForgeVek vek;
	gboolean send_root;
	DstackSnpReportBytes report;
	EVP_PKEY *report_signer;    /* borrowed */
	const gchar *report_digest; /* "SHA384" */
} DstackSnpForgePlan;

DstackSnpForge *dstack_snp_forge_new(void);
void dstack_snp_forge_free(DstackSnpForge *self);

/* a plan for good evidence */
DstackSnpForgePlan *dstack_snp_forge_plan_new(const DstackSnpForge *self, DstackSnpProduct product,
					      DstackSnpVekKind kind);
void dstack_snp_forge_plan_free(DstackSnpForgePlan *plan);

/* made from a plan; free the pieces with g_bytes_unref() and dstack_attestation_free() */
typedef struct {
	GBytes *root; /* DER */
	DstackAttestation *attestation;
} DstackSnpForged;

DstackSnpForged dstack_snp_forge_make(const DstackSnpForgePlan *plan);
/* the same with an image and an application of its own, both bound by the report: valid under its root */
DstackSnpForged dstack_snp_forge_make_whole(DstackSnpForgePlan *plan);
void dstack_snp_forged_clear(DstackSnpForged *self);

/* a revocation list of the plan's root */
typedef struct {
	gint64 this_update;
	gint64 next_update;
	const guint64 *revoked;
	gsize n_revoked;
	DstackSnpForgeSignature signature;
	EVP_PKEY *signer; /* borrowed */
} DstackSnpForgeCrl;

GBytes *dstack_snp_forge_crl(const DstackSnpForgePlan *plan, const DstackSnpForgeCrl *crl);
/* 16 bytes of GUID in RFC 4122 order, offset, length, …; certificates (element-type GBytes): [ASK, VCEK] */
GBytes *dstack_snp_forge_cert_table(GPtrArray *certificates);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackSnpForge, dstack_snp_forge_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackSnpForgePlan, dstack_snp_forge_plan_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackSnpForged, dstack_snp_forged_clear)

G_END_DECLS
