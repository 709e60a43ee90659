/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDVF metadata and MRTD: firmware built here, then cut and bent.
 */

#include "config.h"

#include "tdx/tdvf.h"

#include <string.h>

#include "dstack/error.h"
#include "sample-firmware.h"
#include "tdx/mrtd.h"
#include "tdx/rtmr0.h"

#define FIRMWARE_SIZE 0x3000

/* 12 KiB: code, a store, the TD HOB, some memory */
static const DstackSampleTdvfSection good[] = {
    {0x1000, 0x2000, 0xffffe000, 0x2000, DSTACK_TDVF_BFV, 1},
    {0, 0x1000, 0xffffd000, 0x1000, DSTACK_TDVF_CFV, 0},
    {0, 0, 0x809000, 0x2000, DSTACK_TDVF_TD_HOB, 0},
    {0, 0, 0x810000, 0x10000, DSTACK_TDVF_TEMP_MEM, 2},
};

static GByteArray *
build(const DstackSampleTdvfSection *sections, guint n)
{
	const DstackSampleFirmware spec = {.size = FIRMWARE_SIZE, .tdvf = sections, .n_tdvf = n};

	return dstack_sample_firmware_build(&spec);
}

static void
reads_every_field(void)
{
	g_autoptr(GByteArray) firmware = build(good, G_N_ELEMENTS(good));
	g_autoptr(GError) error = NULL;
	DstackTdvf tdvf;
	DstackSha384 cfv;
	DstackSha384 expected;

	g_assert_true(dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(tdvf.n_sections, ==, G_N_ELEMENTS(good));
	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_cmpuint(tdvf.sections[i].type, ==, good[i].type);
		g_assert_cmpuint(tdvf.sections[i].address, ==, good[i].address);
		g_assert_cmpuint(tdvf.sections[i].memory_size, ==, good[i].memory_size);
		g_assert_cmpuint(tdvf.sections[i].data_size, ==, good[i].raw_size);
		g_assert_cmpint(tdvf.sections[i].extend, ==, (good[i].attributes & 1) != 0);
		g_assert_cmpint(tdvf.sections[i].aug, ==, (good[i].attributes & 2) != 0);
	}
	g_assert_true(tdvf.sections[0].data == firmware->data + 0x1000);
	g_assert_true(dstack_tdvf_cfv_digest(&tdvf, &cfv, &error));
	expected = dstack_sha384(firmware->data, 0x1000);
	g_assert_true(dstack_sha384_equal(&cfv, &expected));
}

typedef struct {
	const gchar *what;
	guint index;
	DstackSampleTdvfSection section;
} HostileCase;

static const HostileCase hostile_cases[] = {
    {"unknown type", 3, {0, 0, 0x810000, 0x10000, 4, 0}},
    {"huge type", 3, {0, 0, 0x810000, 0x10000, G_MAXUINT32, 0}},
    {"unknown attribute", 3, {0, 0, 0x810000, 0x10000, 3, 4}},
    {"address not aligned", 3, {0, 0, 0x810800, 0x10000, 3, 0}},
    {"size not aligned", 3, {0, 0, 0x810000, 0x10001, 3, 0}},
    {"no memory", 3, {0, 0, 0x810000, 0, 3, 0}},
    {"memory smaller than data", 1, {0, 0x1001, 0xffffd000, 0x1000, 1, 0}},
    {"wraps", 3, {0, 0, G_MAXUINT64 - 0xfff, 0x2000, 3, 0}},
    {"as large as the address space", 3, {0, 0, 0, G_MAXUINT64 - 0xfff, 3, 0}},
    {"two to the sixty", 3, {0, 0, G_GUINT64_CONSTANT(1) << 61, G_GUINT64_CONSTANT(1) << 60, 3, 0}},
    {"one page too many", 3, {0, 0, 0x100000000, G_GUINT64_CONSTANT(0x40000000), 3, 0}},
    {"data past the file", 1, {0x2001, 0x1000, 0xffffd000, 0x1000, 1, 0}},
    {"data at 2^32", 1, {G_MAXUINT32, 0x1000, 0xffffd000, 0x1000, 1, 0}},
    {"data of 2^32", 1, {0, G_MAXUINT32, 0x100000000, 0x100000000, 1, 0}},
    {"measured past the file", 0, {0x1000, 0x2000, 0xffffe000, 0x3000, 0, 1}},
    {"measures more than there is", 1, {0, 0x2000, 0x10000000, 0x2000, 1, 1}},
    {"measures what has no contents", 3, {0, 0, 0x810000, 0x1000, 3, 1}},
    {"overlaps the one before", 3, {0, 0, 0x80a000, 0x1000, 3, 0}},
    {"holds another", 3, {0, 0, 0x800000, 0x100000, 3, 0}},
    {"the same twice", 3, {0, 0, 0x809000, 0x2000, 3, 0}},
    {"two TD HOBs", 3, {0, 0, 0x810000, 0x1000, 2, 0}},
    {"no TD HOB", 2, {0, 0, 0x809000, 0x2000, 3, 0}},
};

static void
refuses_hostile_sections(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(hostile_cases); i++) {
		DstackSampleTdvfSection sections[G_N_ELEMENTS(good)];
		g_autoptr(GByteArray) firmware = NULL;
		g_autoptr(GError) error = NULL;
		DstackTdvf tdvf;

		memcpy(sections, good, sizeof(good));
		sections[hostile_cases[i].index] = hostile_cases[i].section;
		firmware = build(sections, G_N_ELEMENTS(sections));
		if (dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, &error))
			g_error("accepted: %s", hostile_cases[i].what);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
bounds_the_number_of_sections(void)
{
	DstackSampleTdvfSection sections[DSTACK_TDVF_MAX_SECTIONS + 1];

	for (guint i = 0; i < G_N_ELEMENTS(sections); i++)
		sections[i] = (DstackSampleTdvfSection){0, 0, 0x1000 * (guint64)i, 0x1000, i == 0 ? 2 : 3, 0};
	for (guint n = DSTACK_TDVF_MAX_SECTIONS; n <= G_N_ELEMENTS(sections); n++) {
		g_autoptr(GByteArray) firmware = build(sections, n);
		DstackTdvf tdvf;

		g_assert_cmpint(dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, NULL), ==,
				n == DSTACK_TDVF_MAX_SECTIONS);
	}
}

/* cut at the front the offsets no longer fit, cut at the end the table is gone */
static void
refuses_every_truncation(void)
{
	g_autoptr(GByteArray) firmware = build(good, G_N_ELEMENTS(good));

	for (guint cut = 1; cut <= firmware->len; cut++) {
		/* a copy of the exact size, so that a read outside it is noticed */
		g_autofree guint8 *front = g_memdup2(firmware->data + cut, firmware->len - cut);
		g_autofree guint8 *end = g_memdup2(firmware->data, firmware->len - cut);
		DstackTdvf tdvf;

		g_assert_false(dstack_tdvf_parse(&tdvf, front, firmware->len - cut, NULL));
		g_assert_false(dstack_tdvf_parse(&tdvf, end, firmware->len - cut, NULL));
	}
}

/* whatever a flipped bit of the metadata says, what is accepted can be measured within bounds */
static void
measures_whatever_it_accepts(void)
{
	g_autoptr(GByteArray) firmware = build(good, G_N_ELEMENTS(good));
	guint accepted = 0;

	for (guint at = firmware->len - 240; at < firmware->len - 32; at++) {
		for (guint bit = 0; bit < 8; bit++) {
			DstackTdvf tdvf;

			firmware->data[at] ^= (guint8)(1u << bit);
			if (dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, NULL) &&
			    tdvf.sections[3].memory_size < 0x1000000) {
				(void)dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_TWO_PASS);
				accepted++;
			}
			firmware->data[at] ^= (guint8)(1u << bit);
		}
	}
	g_assert_cmpuint(accepted, >, 0);
}

/* the records by hand for one measured page and one that is added later */
static void
hashes_the_records_of_a_page(void)
{
	static const DstackSampleTdvfSection sections[] = {
	    {0, 0x1000, 0x1000, 0x1000, DSTACK_TDVF_BFV, 1},
	    {0, 0, 0x2000, 0x1000, DSTACK_TDVF_TD_HOB, 2},
	};
	g_autoptr(GByteArray) firmware = build(sections, G_N_ELEMENTS(sections));
	g_autoptr(GByteArray) stream = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	DstackTdvf tdvf;
	DstackSha384 found;
	DstackSha384 expected;
	guint8 record[128] = {0};

	memcpy(record, "MEM.PAGE.ADD", 12);
	record[17] = 0x10;
	g_byte_array_append(stream, record, sizeof(record));
	for (guint chunk = 0; chunk < 16; chunk++) {
		memset(record, 0, sizeof(record));
		memcpy(record, "MR.EXTEND", 9);
		record[17] = (guint8)(0x10 + chunk);
		g_byte_array_append(stream, record, sizeof(record));
		g_byte_array_append(stream, firmware->data + chunk * 256, 256);
	}
	expected = dstack_sha384(stream->data, stream->len);
	g_assert_true(dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, &error));
	for (guint order = 0; order < 2; order++) {
		found = dstack_mrtd_compute(&tdvf, (DstackPageOrder)order);
		g_assert_true(dstack_sha384_equal(&found, &expected));
	}
}

static void
orders_differ_from_the_second_page_on(void)
{
	g_autoptr(GByteArray) firmware = build(good, G_N_ELEMENTS(good));
	g_autoptr(GError) error = NULL;
	DstackTdvf tdvf;
	DstackSha384 single;
	DstackSha384 two;

	g_assert_true(dstack_tdvf_parse(&tdvf, firmware->data, firmware->len, &error));
	single = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_SINGLE_PASS);
	two = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_TWO_PASS);
	g_assert_false(dstack_sha384_equal(&single, &two));
}

/* proves both the constant and the store that the sample image is made with */
static void
knows_the_empty_store(void)
{
	g_autoptr(GByteArray) store = dstack_sample_variable_store();
	DstackSha384 expected = dstack_rtmr0_default_cfv();
	DstackSha384 found = dstack_sha384(store->data, store->len);

	g_assert_true(dstack_sha384_equal(&found, &expected));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx/tdvf/reads-every-field", reads_every_field);
	g_test_add_func("/tdx/tdvf/refuses-hostile-sections", refuses_hostile_sections);
	g_test_add_func("/tdx/tdvf/bounds-the-number-of-sections", bounds_the_number_of_sections);
	g_test_add_func("/tdx/tdvf/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/tdx/tdvf/measures-whatever-it-accepts", measures_whatever_it_accepts);
	g_test_add_func("/tdx/mrtd/hashes-the-records-of-a-page", hashes_the_records_of_a_page);
	g_test_add_func("/tdx/mrtd/orders-differ-from-the-second-page-on", orders_differ_from_the_second_page_on);
	g_test_add_func("/tdx/tdvf/knows-the-empty-store", knows_the_empty_store);
	return g_test_run();
}
