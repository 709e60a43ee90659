/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCB_VERSION: the security versions of a platform's parts, always compared part by part.
 */
#pragma once

#include "snp/product.h"

G_BEGIN_DECLS

/* as in a report: which byte is which part depends on the product line */
typedef struct {
	guint8 bytes[8];
} DstackSnpTcb;

typedef enum {
	DSTACK_SNP_PART_FMC, /* Turin only */
	DSTACK_SNP_PART_BL,
	DSTACK_SNP_PART_TEE,
	DSTACK_SNP_PART_SNP,
	DSTACK_SNP_PART_UCODE,
	DSTACK_SNP_N_PARTS /*< skip >*/
} DstackSnpPart;

/* "bl": as in KDS parameters and in --min-tcb */
const gchar *dstack_snp_part_to_string(DstackSnpPart part);
gboolean dstack_snp_product_has_part(DstackSnpProduct product, DstackSnpPart part);
/* 0 for a part that the product line does not have */
guint8 dstack_snp_tcb_get(const DstackSnpTcb *self, DstackSnpProduct product, DstackSnpPart part);
gboolean dstack_snp_tcb_equal(const DstackSnpTcb *a, const DstackSnpTcb *b);
/* every part of self is at least that of low; the first that is not is named in the error */
gboolean dstack_snp_tcb_ensure_at_least(const DstackSnpTcb *self, const gchar *self_name, const DstackSnpTcb *low,
					const gchar *low_name, DstackSnpProduct product,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "bl 4, tee 0, snp 23, ucode 213" */
gchar *dstack_snp_tcb_to_string(const DstackSnpTcb *self, DstackSnpProduct product);

/* a caller's minimum for each product line; a product without one has no minimum */
typedef struct {
	gboolean present[DSTACK_SNP_N_PRODUCTS];
	guint8 parts[DSTACK_SNP_N_PRODUCTS][DSTACK_SNP_N_PARTS];
} DstackSnpMinTcb;

/* "milan:snp=23,ucode=213;genoa:bl=10": parts not named have no minimum */
gboolean dstack_snp_min_tcb_parse(DstackSnpMinTcb *self, const gchar *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_snp_min_tcb_ensure(const DstackSnpMinTcb *self, const DstackSnpTcb *tcb, DstackSnpProduct product,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
