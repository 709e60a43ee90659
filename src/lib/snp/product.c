/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AMD's product lines and how each of their names is read (evidence.md, part B, sections 2 and 3).
 */

#include "config.h"

#include "snp/product.h"

#include <string.h>

const gchar *
dstack_snp_product_to_string(DstackSnpProduct product)
{
	switch (product) {
	case DSTACK_SNP_MILAN:
		return "Milan";
	case DSTACK_SNP_GENOA:
		return "Genoa";
	case DSTACK_SNP_TURIN:
		return "Turin";
	case DSTACK_SNP_N_PRODUCTS:
		break;
	}
	g_return_val_if_reached("unknown");
}

/**
 * dstack_snp_product_from_string:
 * @name: a product line's name
 * @out: (out): the product line
 *
 * Returns: whether @name is one of them, in any case
 */
gboolean
dstack_snp_product_from_string(const gchar *name, DstackSnpProduct *out)
{
	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		if (g_ascii_strcasecmp(dstack_snp_product_to_string((DstackSnpProduct)i), name) == 0) {
			*out = (DstackSnpProduct)i;
			return TRUE;
		}
	}
	return FALSE;
}

/**
 * dstack_snp_product_from_cpuid:
 * @family: CPUID family of a report, extended family included
 * @model: CPUID model, extended model included
 * @out: (out): the product line
 *
 * Returns: whether such a processor is known
 */
gboolean
dstack_snp_product_from_cpuid(guint8 family, guint8 model, DstackSnpProduct *out)
{
	static const struct {
		guint8 family;
		guint8 first;
		guint8 last;
		DstackSnpProduct product;
	} ranges[] = {
	    {0x19, 0x00, 0x0f, DSTACK_SNP_MILAN},
	    {0x19, 0x10, 0x1f, DSTACK_SNP_GENOA},
	    {0x19, 0xa0, 0xaf, DSTACK_SNP_GENOA},
	    {0x1a, 0x00, 0x11, DSTACK_SNP_TURIN},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
		if (family == ranges[i].family && model >= ranges[i].first && model <= ranges[i].last) {
			*out = ranges[i].product;
			return TRUE;
		}
	}
	return FALSE;
}

/**
 * dstack_snp_product_from_extension:
 * @name: productName of a VCEK or VLEK: a product line, or one with a stepping ("Milan-B0")
 * @out: (out): the product line
 *
 * Returns: whether @name belongs to a known product line
 */
gboolean
dstack_snp_product_from_extension(const gchar *name, DstackSnpProduct *out)
{
	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		const gchar *known = dstack_snp_product_to_string((DstackSnpProduct)i);
		gsize length = strlen(known);

		if (strncmp(name, known, length) == 0 && (name[length] == '\0' || name[length] == '-')) {
			*out = (DstackSnpProduct)i;
			return TRUE;
		}
	}
	return FALSE;
}
