/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A forge of complete DCAP evidence under a root of its own: PCK chain, QE report, attestation key, TCB info,
 * QE identity, revocation lists, and quotes of version 3 to 5 for any registers and report data.
 *
 *     g_auto(DstackForge) forge = {0};
 *     g_auto(DstackForged) forged = {0};
 *
 *     dstack_forge_init(&forge);               // everything good, UpToDate, TD 1.0, version 4
 *     forge.pck.pcesvn = 3;                     // make something wrong
 *     dstack_forge_build(&forge, &forged);      // quote, collateral and root, signed accordingly
 *
 * or, for those who need evidence and not its faults, dstack_forge_evidence().
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

#include "base/context.h"
#include "base/register.h"
#include "dcap/pck.h"
#include "tdx/quote.h"

G_BEGIN_DECLS

#define DSTACK_FORGE_NOW       G_GINT64_CONSTANT(1767225600) /* 2026-01-01T00:00:00Z */
#define DSTACK_FORGE_LEVELS    3
#define DSTACK_FORGE_MODULES   3
#define DSTACK_FORGE_MAX_CERTS 4

/* what has dates, a signature, or both */
typedef enum {
	DSTACK_FORGE_ROOT,
	DSTACK_FORGE_PCK_CA,
	DSTACK_FORGE_PCK,
	DSTACK_FORGE_SIGNER, /* TCB signing certificate */
	DSTACK_FORGE_ROOT_CRL,
	DSTACK_FORGE_PCK_CRL,
	DSTACK_FORGE_TCB_INFO,
	DSTACK_FORGE_QE_IDENTITY,
	DSTACK_FORGE_N_DATED,
	DSTACK_FORGE_QE_REPORT = DSTACK_FORGE_N_DATED,
	DSTACK_FORGE_QUOTE,
	DSTACK_FORGE_N_SIGNED
} DstackForgeItem;

/* a platform's level; status NULL: no such level */
typedef struct {
	guint8 sgx[16];
	guint pcesvn;
	guint8 tdx[16];
	const gchar *status;
	const gchar *date;
	const gchar *advisories; /* JSON array; NULL: no member */
} DstackForgeLevel;

typedef struct {
	guint isvsvn;
	const gchar *status;
	const gchar *date;
	const gchar *advisories;
} DstackForgeIsvLevel;

typedef struct {
	const gchar *id; /* NULL: no such identity */
	guint8 mrsigner[48];
	guint8 attributes[8];
	DstackForgeIsvLevel levels[DSTACK_FORGE_LEVELS];
} DstackForgeModule;

/* everything that goes into the evidence; set what you like between init and build */
typedef struct {
	EVP_PKEY *keys[DSTACK_FORGE_SIGNER + 1]; /* of root, PCK CA, PCK, signer */
	EVP_PKEY *attestation_key;
	EVP_PKEY *evil_key; /* nobody's */

	const gchar *names[DSTACK_FORGE_SIGNER + 1]; /* common names */
	const gchar *crl_ca_name; /* (nullable): the PCK list's CA, where it is another than the chain's */
	struct {
		gint64 from;
		gint64 to;
	} dates[DSTACK_FORGE_N_DATED];
	guint32 evil;	 /* bit per DstackForgeItem: signed by evil_key */
	guint32 revoked; /* bit per certificate: PCK in the PCK CA's list, PCK_CA, SIGNER and ROOT in the root's */
	gboolean no_crl_number;
	gboolean leaf_is_ca;

	DstackPck pck;
	GBytes *pck_extension; /* (nullable): instead of what pck says */

	const gchar *tcb_info_id; /* "TDX", "SGX"; NULL: version 2 */
	const gchar *fmspc;	  /* (nullable): hex, instead of pck's */
	const gchar *pceid;	  /* (nullable) */
	guint tcb_evaluation_number;
	DstackForgeLevel levels[DSTACK_FORGE_LEVELS];
	DstackForgeIsvLevel qe_levels[DSTACK_FORGE_LEVELS];
	DstackForgeModule modules[DSTACK_FORGE_MODULES];
	guint8 module_mrsigner[48]; /* tdxModule */
	const gchar *tcb_info_text; /* (nullable): instead of all that, signed as it stands */

	const gchar *qe_id; /* "TD_QE", "QE" */
	guint qe_evaluation_number;
	guint8 qe_mrsigner[32];
	guint qe_prodid;
	const gchar *qe_identity_text; /* (nullable) */

	guint16 version;
	DstackQuoteBodyType body_type;
	DstackTdBody td;
	DstackSgxBody sgx;
	DstackSgxBody qe_report;      /* report_data is filled in */
	gboolean keep_qe_report_data; /* … unless told not to */
	GBytes *qe_auth_data;
	guint16 certification_type;
	GBytes *certification_data; /* (nullable): instead of the PEM chain */
	gsize n_padding;
	const gchar *padding; /* (nullable): instead of zeros */
} DstackForge;

/* what comes out */
typedef struct {
	GBytes *quote;
	gchar *collateral; /* QuoteCollateralV3 */
	GBytes *root_der;
	DstackContext context; /* that root, at DSTACK_FORGE_NOW */
} DstackForged;

void dstack_forge_init(DstackForge *self);
void dstack_forge_clear(DstackForge *self);
/* an SGX quote of version 3, 4 or 5 instead of a TD's */
void dstack_forge_make_sgx(DstackForge *self, guint16 version);
void dstack_forge_build(DstackForge *self, DstackForged *out);
void dstack_forged_clear(DstackForged *self);

/* good evidence for these registers; report_data 64 bytes, mrconfigid 48 bytes or NULL for zeros */
void dstack_forge_evidence(const DstackTdxRegisters *registers, const guint8 *report_data, const guint8 *mrconfigid,
			   DstackForged *out);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackForge, dstack_forge_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackForged, dstack_forged_clear)

G_END_DECLS
