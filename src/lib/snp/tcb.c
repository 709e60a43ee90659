/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCB versions part by part. As one integer they would compare by microcode first, and a
 * platform with an old boot loader would pass. Layouts: evidence.md, part B, section 2.
 */

#include "config.h"

#include "snp/tcb.h"

#include <string.h>

#include "base/error.h"

#define NO_PART (-1)

/* byte of each part, by product line */
static const gint8 part_bytes[DSTACK_SNP_N_PRODUCTS][DSTACK_SNP_N_PARTS] = {
    [DSTACK_SNP_MILAN] = {NO_PART, 0, 1, 6, 7},
    [DSTACK_SNP_GENOA] = {NO_PART, 0, 1, 6, 7},
    [DSTACK_SNP_TURIN] = {0, 1, 2, 3, 7},
};

const gchar *
dstack_snp_part_to_string(DstackSnpPart part)
{
	switch (part) {
	case DSTACK_SNP_PART_FMC:
		return "fmc";
	case DSTACK_SNP_PART_BL:
		return "bl";
	case DSTACK_SNP_PART_TEE:
		return "tee";
	case DSTACK_SNP_PART_SNP:
		return "snp";
	case DSTACK_SNP_PART_UCODE:
		return "ucode";
	case DSTACK_SNP_N_PARTS:
		break;
	}
	g_return_val_if_reached("unknown");
}

gboolean
dstack_snp_product_has_part(DstackSnpProduct product, DstackSnpPart part)
{
	return part_bytes[product][part] != NO_PART;
}

guint8
dstack_snp_tcb_get(const DstackSnpTcb *self, DstackSnpProduct product, DstackSnpPart part)
{
	return dstack_snp_product_has_part(product, part) ? self->bytes[part_bytes[product][part]] : 0;
}

/**
 * dstack_snp_tcb_equal:
 * @a: a TCB version
 * @b: another
 *
 * Returns: whether all parts agree, reserved bytes included
 */
gboolean
dstack_snp_tcb_equal(const DstackSnpTcb *a, const DstackSnpTcb *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/**
 * dstack_snp_tcb_ensure_at_least:
 * @self: the TCB version that should not be behind
 * @self_name: its name for errors
 * @low: the TCB version it is compared with
 * @low_name: its name for errors
 * @product: the product line of both
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the first part that is behind
 *
 * Returns: %TRUE when no part of @self is below that of @low
 */
gboolean
dstack_snp_tcb_ensure_at_least(const DstackSnpTcb *self, const gchar *self_name, const DstackSnpTcb *low,
			       const gchar *low_name, DstackSnpProduct product, GError **error)
{
	for (guint i = 0; i < DSTACK_SNP_N_PARTS; i++) {
		DstackSnpPart part = (DstackSnpPart)i;
		guint8 have = dstack_snp_tcb_get(self, product, part);
		guint8 need = dstack_snp_tcb_get(low, product, part);

		if (have < need) {
			return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: %s is %u, below the %u of %s", self_name,
					    dstack_snp_part_to_string(part), have, need, low_name);
		}
	}
	return TRUE;
}

/**
 * dstack_snp_tcb_to_string:
 * @self: the TCB version
 * @product: its product line
 *
 * Returns: (transfer full): its parts for people
 */
gchar *
dstack_snp_tcb_to_string(const DstackSnpTcb *self, DstackSnpProduct product)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < DSTACK_SNP_N_PARTS; i++) {
		DstackSnpPart part = (DstackSnpPart)i;

		if (!dstack_snp_product_has_part(product, part))
			continue;
		g_string_append_printf(text, "%s%s %u", text->len > 0 ? ", " : "", dstack_snp_part_to_string(part),
				       dstack_snp_tcb_get(self, product, part));
	}
	return g_string_free(text, FALSE);
}

static gboolean
part_from_string(const gchar *name, DstackSnpPart *out)
{
	for (guint i = 0; i < DSTACK_SNP_N_PARTS; i++) {
		if (g_str_equal(dstack_snp_part_to_string((DstackSnpPart)i), name)) {
			*out = (DstackSnpPart)i;
			return TRUE;
		}
	}
	return FALSE;
}

/* "snp=23" */
static gboolean
min_tcb_parse_part(DstackSnpMinTcb *self, DstackSnpProduct product, const gchar *text, GError **error)
{
	g_auto(GStrv) pair = g_strsplit(text, "=", 2);
	DstackSnpPart part = DSTACK_SNP_N_PARTS;
	guint64 value = 0;

	if (g_strv_length(pair) != 2 || !part_from_string(pair[0], &part) ||
	    !g_ascii_string_to_unsigned(pair[1], 10, 0, G_MAXUINT8, &value, NULL)) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "minimum TCB: '%s': expected fmc=N, bl=N, tee=N, snp=N or ucode=N with N up to 255",
				    text);
	}
	if (!dstack_snp_product_has_part(product, part)) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "minimum TCB: %s has no part '%s'",
				    dstack_snp_product_to_string(product), pair[0]);
	}
	self->parts[product][part] = (guint8)value;
	return TRUE;
}

/* "milan:snp=23,ucode=213" */
static gboolean
min_tcb_parse_product(DstackSnpMinTcb *self, const gchar *text, GError **error)
{
	g_auto(GStrv) halves = g_strsplit(text, ":", 2);
	g_auto(GStrv) parts = NULL;
	DstackSnpProduct product = DSTACK_SNP_N_PRODUCTS;

	if (g_strv_length(halves) != 2 || !dstack_snp_product_from_string(halves[0], &product)) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "minimum TCB: '%s': expected milan:, genoa: or turin: and parts such as snp=23",
				    text);
	}
	if (self->present[product]) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "minimum TCB: %s is there twice",
				    dstack_snp_product_to_string(product));
	}
	self->present[product] = TRUE;
	parts = g_strsplit(halves[1], ",", -1);
	if (parts[0] == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "minimum TCB: '%s' names no part", text);
	for (gsize i = 0; parts[i] != NULL; i++) {
		if (!min_tcb_parse_part(self, product, parts[i], error))
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_snp_min_tcb_parse:
 * @self: (out caller-allocates): the minimum
 * @text: "PRODUCT:PART=N,PART=N;PRODUCT:…"
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT names what is not understood
 *
 * Returns: %TRUE when all of @text was understood
 */
gboolean
dstack_snp_min_tcb_parse(DstackSnpMinTcb *self, const gchar *text, GError **error)
{
	DstackSnpMinTcb min = {{FALSE}};
	g_auto(GStrv) products = g_strsplit(text, ";", -1);

	if (products[0] == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "minimum TCB: expected PRODUCT:PART=N, found nothing");
	for (gsize i = 0; products[i] != NULL; i++) {
		if (!min_tcb_parse_product(&min, products[i], error))
			return FALSE;
	}
	*self = min;
	return TRUE;
}

/**
 * dstack_snp_min_tcb_ensure:
 * @self: a caller's minimum
 * @tcb: a TCB version
 * @product: its product line
 * @error: (out) (optional): %DSTACK_ERROR_REFUSED names the part that is below its minimum
 *
 * A caller who states minima and none for @product has not said what is good enough there: that refuses too.
 *
 * Returns: %TRUE when every part reaches its minimum
 */
gboolean
dstack_snp_min_tcb_ensure(const DstackSnpMinTcb *self, const DstackSnpTcb *tcb, DstackSnpProduct product,
			  GError **error)
{
	if (!self->present[product]) {
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "minimum TCB: none is given for %s",
				    dstack_snp_product_to_string(product));
	}
	for (guint i = 0; i < DSTACK_SNP_N_PARTS; i++) {
		DstackSnpPart part = (DstackSnpPart)i;
		guint8 have = dstack_snp_tcb_get(tcb, product, part);

		if (have < self->parts[product][part]) {
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "reported TCB: %s is %u, below the caller's minimum %u",
					    dstack_snp_part_to_string(part), have, self->parts[product][part]);
		}
	}
	return TRUE;
}
