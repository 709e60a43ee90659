/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "cli/table.h"

#include <string.h>

#include "base/json.h"
#include "cli/text.h"
#include "cli/wrap.h"

static const DstackLayout plain = {80, FALSE};

static gchar *
json_of(DstackRecord *record)
{
	g_autoptr(JsonNode) node = dstack_record_to_json(record);

	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}

static DstackRecord *
sample(void)
{
	DstackRecord *record = dstack_record_new();
	const guint8 digest[] = {0xde, 0xad, 0xbe, 0xef, 0x01};
	const gchar *const words[] = {"tdx", "snp", NULL};
	DstackRecord *part = NULL;

	dstack_record_add_text(record, "name", "Name", "dstack-0.6.0");
	dstack_record_add_text(record, "version", "Version", NULL);
	dstack_record_add_hex(record, "hash", "Hash", digest, sizeof(digest));
	dstack_record_add_size(record, "memory", "Memory", 2147483648);
	dstack_record_add_size(record, "odd", "Odd", 2147483649);
	dstack_record_add_address(record, "gpa", "Address", 0xffc84000);
	dstack_record_add_uint(record, "big", "Big", G_MAXUINT64);
	dstack_record_add_bool(record, "dev", "Development", FALSE);
	dstack_record_add_strv(record, "tees", "Launches", words);
	dstack_record_add_strv(record, "none", "None", NULL);
	dstack_record_add_text(record, "secret", NULL, "for scripts");
	part = dstack_record_add_record(record, "part", "Part");
	dstack_record_add_uint(part, "n", "N", 7);
	dstack_record_add_note(part, DSTACK_TONE_WARN, "mind the gap");
	return record;
}

static void
one_record_two_forms(void)
{
	g_autoptr(DstackRecord) record = sample();
	g_autofree gchar *json = json_of(record);
	g_autofree gchar *text = dstack_record_to_text(record, &plain);

	g_assert_cmpstr(json, ==,
			"{\"name\":\"dstack-0.6.0\",\"version\":null,\"hash\":\"deadbeef01\",\"memory\":2147483648,"
			"\"odd\":2147483649,\"gpa\":4291313664,\"big\":\"18446744073709551615\",\"dev\":false,"
			"\"tees\":[\"tdx\",\"snp\"],\"none\":[],\"secret\":\"for scripts\",\"part\":{\"n\":7}}");
	g_assert_cmpstr(text, ==,
			"Name         dstack-0.6.0\n"
			"Version      -\n"
			"Hash         deadbeef 01\n"
			"Memory       2 GiB\n"
			"Odd          2147483649 bytes\n"
			"Address      0xffc84000\n"
			"Big          18446744073709551615\n"
			"Development  no\n"
			"Launches     tdx, snp\n"
			"None         -\n"
			"\n"
			"Part\n"
			"  N  7\n"
			"  mind the gap\n");
}

static void
tables_align_their_columns(void)
{
	g_autoptr(DstackTable) table = dstack_table_new();
	DstackRecord *row = dstack_table_add_row(table);
	g_autofree gchar *text = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autofree gchar *json = NULL;

	dstack_record_add_text(row, "name", "NAME", "a");
	dstack_record_add_text(row, "state", "STATE", "sound");
	row = dstack_table_add_row(table);
	dstack_record_add_text(row, "name", "NAME", "längér");
	dstack_record_add_note(row, DSTACK_TONE_PLAIN, "why not");
	dstack_record_add_text(row, "extra", "EXTRA", "x");
	text = dstack_table_to_text(table, &plain);
	g_assert_cmpstr(text, ==,
			"NAME    STATE  EXTRA\n"
			"a       sound\n"
			"längér         x\n"
			"  why not\n");
	node = dstack_table_to_json(table);
	json = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(json, ==, "[{\"name\":\"a\",\"state\":\"sound\"},{\"name\":\"längér\",\"extra\":\"x\"}]");
}

static void
an_empty_table_says_so(void)
{
	g_autoptr(DstackTable) table = dstack_table_new();
	g_autofree gchar *text = dstack_table_to_text(table, &plain);

	g_assert_cmpstr(text, ==, "(none)\n");
}

static void
long_hex_wraps_under_its_column(void)
{
	g_autoptr(DstackRecord) record = dstack_record_new();
	const DstackLayout narrow = {42, FALSE};
	const guint8 digest[20] = {0};
	g_autofree gchar *text = NULL;

	dstack_record_add_hex(record, "mrtd", "MRTD", digest, sizeof(digest));
	text = dstack_record_to_text(record, &narrow);
	g_assert_cmpstr(text, ==,
			"MRTD  00000000 00000000 00000000 00000000\n"
			"      00000000\n");
}

static void
color_is_only_around_the_value(void)
{
	g_autoptr(DstackRecord) record = dstack_record_new();
	const DstackLayout colored = {80, TRUE};
	g_autofree gchar *text = NULL;

	dstack_record_add_toned(record, "state", "State", DSTACK_TONE_GOOD, "sound");
	text = dstack_record_to_text(record, &colored);
	g_assert_cmpstr(text, ==, "State  \033[32msound\033[0m\n");
}

static void
hostile_names_cannot_steer_the_terminal(void)
{
	static const struct {
		const gchar *text;
		const gchar *shown;
	} cases[] = {
	    {"plain ä 漢", "plain ä 漢"},
	    {"\033[2Jx", "\\x1b[2Jx"},
	    {"a\nb\tc\rd\x7f", "a\\x0ab\\x09c\\x0dd\\x7f"},
	    {"\xc2\x9b"
	     "31m",
	     "\\xc2\\x9b31m"},
	    {"bad \xff\xc3", "bad \\xff\\xc3"},
	    {"\xe2\x80\xae"
	     "gpj",
	     "\\xe2\\x80\\xaegpj"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree gchar *shown = dstack_text_printable(cases[i].text, "");
		g_autoptr(DstackRecord) record = dstack_record_new();
		g_autofree gchar *text = NULL;
		g_autofree gchar *expected = g_strdup_printf("Name  %s\n", cases[i].shown);
		g_autofree gchar *json = NULL;

		g_assert_cmpstr(shown, ==, cases[i].shown);
		dstack_record_add_text(record, "name", "Name", cases[i].text);
		text = dstack_record_to_text(record, &plain);
		g_assert_cmpstr(text, ==, expected);
		json = json_of(record);
		g_assert_true(g_utf8_validate(json, -1, NULL));
	}
}

static void
wrapping_keeps_long_words_whole(void)
{
	g_autoptr(GString) out = g_string_new(NULL);

	dstack_wrap_append(out, "one two a-word-that-is-longer-than-a-line three", 0, 2, 12);
	g_assert_cmpstr(out->str, ==, "one two\n  a-word-that-is-longer-than-a-line\n  three");
	g_string_truncate(out, 0);
	dstack_wrap_append(out, "never breaks at all", 0, 2, 0);
	g_assert_cmpstr(out->str, ==, "never breaks at all");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/table/one-record-two-forms", one_record_two_forms);
	g_test_add_func("/table/tables-align-their-columns", tables_align_their_columns);
	g_test_add_func("/table/an-empty-table-says-so", an_empty_table_says_so);
	g_test_add_func("/table/long-hex-wraps-under-its-column", long_hex_wraps_under_its_column);
	g_test_add_func("/table/color-is-only-around-the-value", color_is_only_around_the_value);
	g_test_add_func("/table/hostile-names-cannot-steer-the-terminal", hostile_names_cannot_steer_the_terminal);
	g_test_add_func("/table/wrapping-keeps-long-words-whole", wrapping_keeps_long_words_whole);
	return g_test_run();
}
