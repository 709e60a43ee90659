/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Computing MRTD from TDVF sections, and which of QEMU's two page orders a launch uses.
 * Rules: tdx-measurement.md, section 2; records: Intel TDX module ABI, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND.
 */

#include "config.h"

#include "tdx/mrtd.h"

#include <string.h>

#include "base/error.h"
#include "base/writer.h"

#define PAGE_SIZE   4096
#define CHUNK_SIZE  256
#define RECORD_SIZE 128

static void
mrtd_record(DstackHasher *hasher, const gchar *operation, guint64 gpa)
{
	guint8 record[RECORD_SIZE] = {0};

	memcpy(record, operation, strlen(operation));
	dstack_store_u64le(record + 16, gpa);
	dstack_hasher_update(hasher, record, sizeof(record));
}

static void
mrtd_add_page(DstackHasher *hasher, const DstackTdvfSection *section, guint64 offset)
{
	if (!section->aug)
		mrtd_record(hasher, "MEM.PAGE.ADD", section->address + offset);
}

/* the section's data is as long as its memory where it is measured: dstack_tdvf_parse() sees to it */
static void
mrtd_extend_page(DstackHasher *hasher, const DstackTdvfSection *section, guint64 offset)
{
	for (guint64 chunk = offset; section->extend && chunk < offset + PAGE_SIZE; chunk += CHUNK_SIZE) {
		mrtd_record(hasher, "MR.EXTEND", section->address + chunk);
		dstack_hasher_update(hasher, section->data + chunk, CHUNK_SIZE);
	}
}

static void
mrtd_section_single_pass(DstackHasher *hasher, const DstackTdvfSection *section)
{
	for (guint64 offset = 0; offset < section->memory_size; offset += PAGE_SIZE) {
		mrtd_add_page(hasher, section, offset);
		mrtd_extend_page(hasher, section, offset);
	}
}

static void
mrtd_section_two_pass(DstackHasher *hasher, const DstackTdvfSection *section)
{
	for (guint64 offset = 0; offset < section->memory_size; offset += PAGE_SIZE)
		mrtd_add_page(hasher, section, offset);
	for (guint64 offset = 0; offset < section->memory_size; offset += PAGE_SIZE)
		mrtd_extend_page(hasher, section, offset);
}

/**
 * dstack_mrtd_compute:
 * @tdvf: a parsed firmware, whose bytes are still there
 * @order: the order QEMU uses
 *
 * Returns: the measurement of the TD as built
 */
DstackSha384
dstack_mrtd_compute(const DstackTdvf *tdvf, DstackPageOrder order)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha384();

	for (guint i = 0; i < tdvf->n_sections; i++) {
		switch (order) {
		case DSTACK_PAGE_ORDER_SINGLE_PASS:
			mrtd_section_single_pass(hasher, &tdvf->sections[i]);
			break;
		case DSTACK_PAGE_ORDER_TWO_PASS:
			mrtd_section_two_pass(hasher, &tdvf->sections[i]);
			break;
		}
	}
	return dstack_hasher_finish_sha384(hasher);
}

/**
 * dstack_page_order_to_string:
 * @order: an order
 *
 * Returns: its name, as material's keys have it
 */
const gchar *
dstack_page_order_to_string(DstackPageOrder order)
{
	switch (order) {
	case DSTACK_PAGE_ORDER_SINGLE_PASS:
		return "single_pass";
	case DSTACK_PAGE_ORDER_TWO_PASS:
		return "two_pass";
	}
	g_return_val_if_reached(NULL);
}

/* "X.Y.Z", decimal and nothing else: the major number is what the order depends on */
static gboolean
version_parse_major(const gchar *text, guint64 *out_major, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 4);
	guint64 number[3] = {0};

	for (guint i = 0; i < G_N_ELEMENTS(number); i++) {
		if (parts[i] == NULL || !g_ascii_string_to_unsigned(parts[i], 10, 0, G_MAXUINT16, &number[i], NULL))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "qemu_version: expected X.Y.Z, found '%s'",
					    text);
	}
	if (parts[3] != NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "qemu_version: expected X.Y.Z, found '%s'", text);
	*out_major = number[0];
	return TRUE;
}

/**
 * dstack_page_order_for_launch:
 * @qemu_version: (nullable): "X.Y.Z"; %NULL counts as 9.1.0
 * @qemu_single_pass_add_pages: (nullable): the override of that name in vm_config
 * @out: (out): the order
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the version is none, %DSTACK_ERROR_UNSOUND when it is
 *   below 8.0.0, which cannot start a TD whose measurement is known
 *
 * QEMU 9 and later is single pass, 8 is two pass, and the override goes before both. Beware of its name: the
 * reference implementation feeds its value to a switch that means *two pass*, so that true selects two_pass and
 * false single_pass. Guests, key servers and verifiers in the field agree on that, so it is part of the format.
 *
 * Returns: %TRUE and the order
 */
gboolean
dstack_page_order_for_launch(const gchar *qemu_version, const gboolean *qemu_single_pass_add_pages,
			     DstackPageOrder *out, GError **error)
{
	guint64 major = 9;
	gboolean two_pass = FALSE;

	if (qemu_version != NULL && !version_parse_major(qemu_version, &major, error))
		return FALSE;
	if (major < 8) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "qemu_version: expected 8.0.0 or later for TDX, found %s", qemu_version);
	}
	two_pass = major < 9;
	if (qemu_single_pass_add_pages != NULL)
		two_pass = *qemu_single_pass_add_pages;
	*out = two_pass ? DSTACK_PAGE_ORDER_TWO_PASS : DSTACK_PAGE_ORDER_SINGLE_PASS;
	return TRUE;
}
