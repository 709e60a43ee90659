/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Attestation quotes of Intel's DCAP: SGX versions 3 to 5, TDX versions 4 and 5.
 * Layouts: evidence.md part A, sections 1 to 6 (Intel's public quote structures).
 *
 * Parsing decides nothing about trust: it reads what stands there, and refuses what cannot be read as a quote.
 */
#pragma once

#include <glib.h>

#include "base/reader.h"

G_BEGIN_DECLS

/* bytes of somebody else: valid as long as the quote's input is */
typedef struct {
	const guint8 *data;
	gsize size;
} DstackSlice;

/* the layouts, as (field, bytes); every field is a byte array, numbers are little-endian */
#define DSTACK_QUOTE_HEADER_FIELDS(F)                                                                                  \
	F(version, 2)                                                                                                  \
	F(att_key_type, 2) F(tee_type, 4) F(qe_svn, 2) F(pce_svn, 2) F(qe_vendor_id, 16) F(user_data, 20)

#define DSTACK_SGX_BODY_FIELDS(F)                                                                                      \
	F(cpusvn, 16)                                                                                                  \
	F(miscselect, 4) F(reserved1, 28) F(attributes, 16) F(mrenclave, 32) F(reserved2, 32) F(mrsigner, 32)          \
	    F(reserved3, 96) F(isvprodid, 2) F(isvsvn, 2) F(reserved4, 60) F(report_data, 64)

#define DSTACK_TD10_FIELDS(F)                                                                                          \
	F(tee_tcb_svn, 16)                                                                                             \
	F(mrseam, 48) F(mrsignerseam, 48) F(seamattributes, 8) F(tdattributes, 8) F(xfam, 8) F(mrtd, 48)               \
	    F(mrconfigid, 48) F(mrowner, 48) F(mrownerconfig, 48) F(rtmr0, 48) F(rtmr1, 48) F(rtmr2, 48) F(rtmr3, 48)  \
		F(report_data, 64)

/* what TD 1.5 adds */
#define DSTACK_TD15_FIELDS(F) F(tee_tcb_svn2, 16) F(mrservicetd, 48)

/* what TD 1.5 Ex adds to that */
#define DSTACK_TD15EX_FIELDS(F)                                                                                        \
	F(vm_id, 1)                                                                                                    \
	F(td_id, 32) F(device_info, 48) F(initial_servtd_hash, 48) F(initial_servtd_attributes, 8)                     \
	    F(initial_cpusvn, 16) F(initial_tee_tcb_svn, 16) F(initial_tee_fmspc, 12) F(current_servtd_hash, 48)       \
		F(current_servtd_attributes, 8)

#define DSTACK_FIELD_MEMBER(name, len) guint8 name[len];

typedef struct {
	DSTACK_QUOTE_HEADER_FIELDS(DSTACK_FIELD_MEMBER)
} DstackQuoteHeader;

typedef struct {
	DSTACK_SGX_BODY_FIELDS(DSTACK_FIELD_MEMBER)
} DstackSgxBody;

/* a TD report of any kind: members that its kind does not have are zero */
typedef struct {
	DSTACK_TD10_FIELDS(DSTACK_FIELD_MEMBER)
	DSTACK_TD15_FIELDS(DSTACK_FIELD_MEMBER)
	DSTACK_TD15EX_FIELDS(DSTACK_FIELD_MEMBER)
} DstackTdBody;

#define DSTACK_TD10_SIZE   584
#define DSTACK_TD15_SIZE   648
#define DSTACK_TD15EX_SIZE 885

G_STATIC_ASSERT(sizeof(DstackQuoteHeader) == 48);
G_STATIC_ASSERT(sizeof(DstackSgxBody) == 384);
G_STATIC_ASSERT(sizeof(DstackTdBody) == DSTACK_TD15EX_SIZE);

typedef enum {
	DSTACK_QUOTE_SGX = 1,	  /* 384 bytes */
	DSTACK_QUOTE_TD10 = 2,	  /* 584 */
	DSTACK_QUOTE_TD15 = 3,	  /* 648 */
	DSTACK_QUOTE_TD15_EX = 4, /* 885 */
} DstackQuoteBodyType;		  /* the numbers of a version 5 quote */

typedef enum {
	DSTACK_CERTIFICATION_PPID_CLEAR = 1,
	DSTACK_CERTIFICATION_PPID_RSA2048 = 2,
	DSTACK_CERTIFICATION_PPID_RSA3072 = 3,
	DSTACK_CERTIFICATION_PCK_LEAF = 4,
	DSTACK_CERTIFICATION_PCK_CHAIN = 5,
	DSTACK_CERTIFICATION_QE_REPORT = 6,
	DSTACK_CERTIFICATION_PLATFORM_MANIFEST = 7,
} DstackCertificationType;

/* certification data, told apart by its type */
typedef struct {
	DstackCertificationType type;
	DstackSlice data;  /* all of it: the PEM chain of type 5 (often with a NUL behind it), the leaf of type 4 */
	DstackSlice ppid;  /* types 1 to 3: the PPID, clear or encrypted; else empty */
	guint8 cpusvn[16]; /* types 1 to 3, as are the next two; else zero */
	guint16 pcesvn;
	guint16 pceid;
} DstackCertification;

/* a quote: a value type that borrows the bytes it was parsed from */
typedef struct {
	guint16 version; /* 3, 4, 5 */
	DstackQuoteBodyType body_type;
	DstackQuoteHeader header;
	DstackSgxBody sgx;	  /* of DSTACK_QUOTE_SGX; else zero */
	DstackTdBody td;	  /* of the other three; else zero */
	DstackSlice body;	  /* the body's own bytes */
	DstackSlice signed_bytes; /* what the quote signature covers: header, version 5's type and size, body */

	guint8 signature[64];	    /* r and s, big-endian, by the attestation key */
	guint8 attestation_key[64]; /* x and y */
	DstackSgxBody qe_report;
	DstackSlice qe_report_bytes;	/* what the next signature covers: the 384 bytes of qe_report */
	guint8 qe_report_signature[64]; /* by the PCK certificate's key */
	DstackSlice qe_auth_data;	/* with the attestation key, what qe_report's report_data commits to */
	DstackCertification certification;
	gsize n_padding; /* zero bytes after the quote */
} DstackQuote;

gboolean dstack_quote_parse(DstackQuote *self, const guint8 *data, gsize size,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_quote_is_tdx(const DstackQuote *self);
gboolean dstack_quote_looks_like(const guint8 *data, gsize size);
const gchar *dstack_quote_body_type_to_string(DstackQuoteBodyType type);

/* one field of a layout table, for printing everything there is */
typedef struct {
	const gchar *name;
	gsize offset; /* in the struct, which is also its offset on the wire */
	gsize size;
} DstackField;

/* the tables; n_out counts the entries */
const DstackField *dstack_quote_header_fields(gsize *n_out);
const DstackField *dstack_sgx_body_fields(gsize *n_out);
/* only those the kind has */
const DstackField *dstack_td_body_fields(DstackQuoteBodyType type, gsize *n_out);

G_END_DECLS
