/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AMD's product lines: each has its own root key, and its own layout of TCB versions and chip ids.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	DSTACK_SNP_MILAN,
	DSTACK_SNP_GENOA, /* Bergamo and Siena belong to it */
	DSTACK_SNP_TURIN,
	DSTACK_SNP_N_PRODUCTS /*< skip >*/
} DstackSnpProduct;

/* "Milan": as in certificate names */
const gchar *dstack_snp_product_to_string(DstackSnpProduct product);
/* exact match, but for case where the name comes from a person */
gboolean dstack_snp_product_from_string(const gchar *name, DstackSnpProduct *out);
gboolean dstack_snp_product_from_cpuid(guint8 family, guint8 model, DstackSnpProduct *out);
/* "Milan-B0" of a certificate's extension names Milan */
gboolean dstack_snp_product_from_extension(const gchar *name, DstackSnpProduct *out);

G_END_DECLS
