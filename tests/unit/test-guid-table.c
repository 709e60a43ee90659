/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The GUID table of a firmware: built here, then cut and bent.
 */

#include "config.h"

#include "base/guid-table.h"

#include <string.h>

#include "base/writer.h"
#include "dstack/error.h"

#define FOOTER "96b582de-1fb2-45f7-baea-a366c55a082d"
#define FIRST  "e47a6535-984a-4798-865e-4685a7bf8ec2"
#define SECOND "7255371f-3a3b-4b04-927b-1da6efa8d454"
#define ABSENT "00f771de-1a7e-4fcb-890e-68c77e2fb44e"

static void
append_entry(GByteArray *out, const gchar *guid, const gchar *data, guint16 length)
{
	DstackGuid bytes = dstack_guid_from_constant(guid, DSTACK_GUID_EFI);

	g_byte_array_append(out, (const guint8 *)data, (guint)strlen(data));
	dstack_append_u16le(out, length);
	g_byte_array_append(out, bytes.bytes, sizeof(bytes.bytes));
}

/* 64 bytes of code, SECOND "abcd", FIRST "12345678", footer, reset vector */
static GByteArray *
build_firmware(guint16 first_length, guint16 total)
{
	GByteArray *out = g_byte_array_new();

	dstack_append_zero(out, 64);
	append_entry(out, SECOND, "abcd", 22);
	append_entry(out, FIRST, "12345678", first_length);
	append_entry(out, FOOTER, "", total);
	dstack_append_zero(out, 32);
	return out;
}

#define GOOD_FIRST 26
#define GOOD_TOTAL (22 + 26 + 18)

static void
finds_each_entry(void)
{
	g_autoptr(GByteArray) firmware = build_firmware(GOOD_FIRST, GOOD_TOTAL);
	g_autoptr(GError) error = NULL;
	DstackGuid first = dstack_guid_from_constant(FIRST, DSTACK_GUID_EFI);
	DstackGuid second = dstack_guid_from_constant(SECOND, DSTACK_GUID_EFI);
	DstackGuid absent = dstack_guid_from_constant(ABSENT, DSTACK_GUID_EFI);
	DstackGuidTable table = {0};
	DstackReader data = {0};

	g_assert_true(dstack_guid_table_parse(&table, firmware->data, firmware->len, &error));
	g_assert_no_error(error);
	g_assert_true(dstack_guid_table_find(&table, &first, "first", &data, &error));
	g_assert_cmpmem(dstack_reader_peek(&data), (int)dstack_reader_left(&data), "12345678", 8);
	g_assert_true(dstack_guid_table_find(&table, &second, "second", &data, &error));
	g_assert_cmpmem(dstack_reader_peek(&data), (int)dstack_reader_left(&data), "abcd", 4);
	g_assert_false(dstack_guid_table_find(&table, &absent, "absent", &data, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

static void
rejects_bad_lengths(void)
{
	static const struct {
		guint16 first;
		guint16 total;
	} cases[] = {
	    {0, GOOD_TOTAL},  /* a naive reader loops for ever */
	    {17, GOOD_TOTAL}, /* shorter than its own head */
	    {27, GOOD_TOTAL}, /* the next entry is misread or bytes are left over */
	    {49, GOOD_TOTAL}, /* leaves the table */
	    {0xffff, GOOD_TOTAL},
	    {GOOD_FIRST, 0},
	    {GOOD_FIRST, 17},
	    {GOOD_FIRST, GOOD_TOTAL - 1}, /* cuts into the last entry */
	    {GOOD_FIRST, GOOD_TOTAL + 5}, /* bytes left over */
	    {GOOD_FIRST, 0xffff},	  /* larger than the file */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) firmware = build_firmware(cases[i].first, cases[i].total);
		g_autoptr(GError) error = NULL;
		DstackGuidTable table = {0};

		g_assert_false(dstack_guid_table_parse(&table, firmware->data, firmware->len, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
accepts_a_table_without_entries(void)
{
	g_autoptr(GByteArray) firmware = build_firmware(GOOD_FIRST, 18);
	g_autoptr(GError) error = NULL;
	DstackGuid first = dstack_guid_from_constant(FIRST, DSTACK_GUID_EFI);
	DstackGuidTable table = {0};
	DstackReader data = {0};

	g_assert_true(dstack_guid_table_parse(&table, firmware->data, firmware->len, &error));
	g_assert_false(dstack_guid_table_find(&table, &first, "first", &data, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

static void
rejects_an_entry_that_is_there_twice(void)
{
	g_autoptr(GByteArray) firmware = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	DstackGuid first = dstack_guid_from_constant(FIRST, DSTACK_GUID_EFI);
	DstackGuidTable table = {0};
	DstackReader data = {0};

	append_entry(firmware, FIRST, "abcd", 22);
	append_entry(firmware, FIRST, "abcd", 22);
	append_entry(firmware, FOOTER, "", 62);
	dstack_append_zero(firmware, 32);
	g_assert_true(dstack_guid_table_parse(&table, firmware->data, firmware->len, &error));
	g_assert_false(dstack_guid_table_find(&table, &first, "first", &data, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

/* the table is read from the end, so cutting the front is what truncates it */
static void
rejects_every_cut_of_the_front(void)
{
	g_autoptr(GByteArray) firmware = build_firmware(GOOD_FIRST, GOOD_TOTAL);
	gsize table_size = GOOD_TOTAL + 32;

	for (gsize keep = 0; keep < table_size; keep++) {
		g_autofree guint8 *cut = g_memdup2(firmware->data + firmware->len - keep, keep);
		g_autoptr(GError) error = NULL;
		DstackGuidTable table = {0};

		g_assert_false(dstack_guid_table_parse(&table, cut, keep, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guid-table/finds-each-entry", finds_each_entry);
	g_test_add_func("/guid-table/rejects-bad-lengths", rejects_bad_lengths);
	g_test_add_func("/guid-table/accepts-a-table-without-entries", accepts_a_table_without_entries);
	g_test_add_func("/guid-table/rejects-an-entry-that-is-there-twice", rejects_an_entry_that_is_there_twice);
	g_test_add_func("/guid-table/rejects-every-cut-of-the-front", rejects_every_cut_of_the_front);
	return g_test_run();
}
