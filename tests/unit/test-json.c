/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/json.h"

#include <string.h>

#include "base/limits.h"
#include "dstack/error.h"

static JsonNode *
parse(const gchar *text, gsize size, GError **error)
{
	return dstack_json_parse(text, size, DSTACK_KIB(64), "test", error);
}

static void
assert_refused(const gchar *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = parse(text, size, &error);

	g_assert_null(node);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_true(g_str_has_prefix(error->message, "test: "));
}

static void
assert_compact(const gchar *text, const gchar *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = parse(text, strlen(text), &error);
	g_autofree gchar *written = NULL;

	g_assert_no_error(error);
	written = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(written, ==, expected);
}

/* what goes in, and what serde_json would print for it */
static const struct {
	const gchar *text;
	const gchar *compact;
} accepted[] = {
    {"null", "null"},
    {" \t\r\n true ", "true"},
    {"false", "false"},
    {"0", "0"},
    {"-1", "-1"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9007199254740993", "9007199254740993"},
    {"1.0", "1.0"},
    {"-0.0", "-0.0"},
    {"1.5e3", "1500.0"},
    {"1E+2", "100.0"},
    {"1e16", "1e16"},
    {"1e15", "1000000000000000.0"},
    {"1.5e300", "1.5e300"},
    {"0.00001", "0.00001"},
    {"0.000001", "1e-6"},
    {"0.1", "0.1"},
    {"1e-999", "0.0"},
    {"\"\"", "\"\""},
    {"\"\\u0041\\u00e9\\ud83d\\ude00\"", "\"A\u00e9\U0001F600\""},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\u007f\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f\""},
    {"[]", "[]"},
    {" [ 1 , [ ] , { } ] ", "[1,[],{}]"},
    {"{\"b\" : 1, \"a\" : {\"\": null}}", "{\"b\":1,\"a\":{\"\":null}}"},
};

static void
writes_what_it_read(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(accepted); i++) {
		assert_compact(accepted[i].text, accepted[i].compact);
		/* and its own output again */
		assert_compact(accepted[i].compact, accepted[i].compact);
	}
}

static const gchar *const refused[] = {
    "",
    " ",
    "nul",
    "nullx",
    "true false",
    "True",
    "NaN",
    "Infinity",
    "-Infinity",
    "+1",
    "-",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1_000",
    "1e999",
    "-1e999",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "100000000000000000000000000",
    "\"",
    "\"a",
    "'a'",
    "\"\\x41\"",
    "\"\\u12g4\"",
    "\"\\u123\"",
    "\"\\U00000041\"",
    "\"\\u0000\"",
    "\"\\u0000b\"",
    "\"\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\n\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"\\ud83d\\ud83d\"",
    "\"line\nbreak\"",
    "\"tab\there\"",
    "\"\x1f\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\xef\xbb\xbf{}",
    "\xc2\xa0 1",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "{\"a\":1]",
    "{\"a\":1 \"b\":2}",
    "var x = 1",
    "// comment\n1",
    "/* comment */1",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"\\/\":1,\"/\":2}",
    "{\"x\":[{\"k\":1,\"k\":1}]}",
};

static void
refuses_everything_beside_the_grammar(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
		assert_refused(refused[i], strlen(refused[i]));
	assert_refused("\"a\0b\"", 5);
	assert_refused("1\0", 2);
}

static const gchar golden[] =
    "{\"name\":\"d\\u00e9j\\u00e0\",\"list\":[1,-2.5e3,true,false,null],\"deep\":{\"a\":{\"b\":[[]]}}}";

static void
refuses_every_truncation(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) whole = parse(golden, strlen(golden), &error);

	g_assert_no_error(error);
	g_assert_nonnull(whole);
	for (gsize size = 0; size < strlen(golden); size++) {
		/* a copy of exactly that size, so that a read beyond it is seen */
		g_autofree gchar *cut = g_memdup2(golden, MAX(size, 1));

		assert_refused(cut, size);
	}
}

static void
survives_every_bit_flip(void)
{
	for (gsize i = 0; i < strlen(golden) * 8; i++) {
		g_autofree gchar *flipped = g_memdup2(golden, strlen(golden));
		g_autoptr(JsonNode) node = NULL;
		g_autofree gchar *text = NULL;

		flipped[i / 8] = (gchar)(flipped[i / 8] ^ (1 << (i % 8)));
		node = parse(flipped, strlen(golden), NULL);
		if (node != NULL)
			text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
		g_assert_cmpint(node == NULL, ==, text == NULL);
	}
}

static gchar *
nested(gchar open, gchar close, guint depth)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < depth; i++)
		g_string_append_printf(text, open == '{' && i + 1 < depth ? "{\"a\":" : "%c", open);
	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, close);
	return g_string_free(text, FALSE);
}

static void
bounds_nesting(void)
{
	g_autofree gchar *most = nested('[', ']', DSTACK_LIMIT_JSON_DEPTH);
	g_autofree gchar *too_many = nested('[', ']', DSTACK_LIMIT_JSON_DEPTH + 1);
	g_autofree gchar *objects = nested('{', '}', DSTACK_LIMIT_JSON_DEPTH);
	g_autofree gchar *too_many_objects = nested('{', '}', DSTACK_LIMIT_JSON_DEPTH + 1);
	g_autofree gchar *hostile = g_strnfill(60000, '[');

	assert_compact(most, most);
	assert_compact(objects, objects);
	assert_refused(too_many, strlen(too_many));
	assert_refused(too_many_objects, strlen(too_many_objects));
	assert_refused(hostile, strlen(hostile));
}

static void
bounds_size_members_and_values(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) members = g_string_new("{");
	g_autoptr(GString) values = g_string_new("[");
	g_autoptr(JsonNode) node = NULL;

	node = dstack_json_parse("[1]", 3, 2, "test", &error);
	g_assert_null(node);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	for (guint i = 0; i <= DSTACK_LIMIT_JSON_MEMBERS; i++)
		g_string_append_printf(members, "%s\"%u\":1", i == 0 ? "" : ",", i);
	g_string_append_c(members, '}');
	assert_refused(members->str, members->len);
	for (guint i = 0; i <= DSTACK_LIMIT_JSON_VALUES; i++)
		g_string_append(values, i == 0 ? "1" : ",1");
	g_string_append_c(values, ']');
	g_clear_error(&error);
	node = dstack_json_parse(values->str, values->len, values->len, "test", &error);
	g_assert_null(node);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
assert_bytes(const gchar *bytes, gsize size, const gchar *expected)
{
	g_autofree gchar *found = g_strndup(bytes, size);

	g_assert_cmpstr(found, ==, expected);
}

static void
finds_the_exact_bytes_of_a_member(void)
{
	static const gchar text[] = " {\"x\":{\"b\":0}, \"\\u0062\" : {\"z\" : 1 } , \"c\":\"s\"}";
	g_autoptr(GError) error = NULL;
	gsize start = 0;
	gsize size = 0;

	g_assert_true(dstack_json_find_member(text, strlen(text), "b", "test", &start, &size, &error));
	g_assert_no_error(error);
	assert_bytes(text + start, size, "{\"z\" : 1 }");
	g_assert_true(dstack_json_find_member(text, strlen(text), "c", "test", &start, &size, &error));
	assert_bytes(text + start, size, "\"s\"");
	g_assert_false(dstack_json_find_member(text, strlen(text), "z", "test", &start, &size, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_clear_error(&error);
	g_assert_false(dstack_json_find_member(text, strlen(text) - 1, "b", "test", &start, &size, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_clear_error(&error);
	g_assert_false(dstack_json_find_member("[1]", 3, "b", "test", &start, &size, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
prints_prettily_as_serde_does(void)
{
	static const gchar text[] = "{\"a\":[1,{\"b\":2}],\"e\":[],\"o\":{}}";
	g_autoptr(JsonNode) node = parse(text, strlen(text), NULL);
	g_autofree gchar *pretty = dstack_json_to_text(node, DSTACK_JSON_PRETTY);

	g_assert_cmpstr(pretty, ==,
			"{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}");
}

/* the inputs and outputs of RFC 8785, sections 3.2.2 and 3.2.3, and numbers of its appendix B */
static const struct {
	const gchar *text;
	const gchar *canonical;
} canonical[] = {
    {"{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
     "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}",
     "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
     "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
    {"{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
     "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
     "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
     "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
     "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
     "\"\U0001F600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
    {"{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2,\"ab\":3,\"a\":4}",
     "{\"a\":4,\"ab\":3,\"\U0001F600\":2,\"\U0001F601\":1}"},
    {"[5e-324,1.7976931348623157e308,9007199254740992.0,295147905179352830000.0,-0.0,0.000001,1e-7,1e21,1e20]",
     "[5e-324,1.7976931348623157e+308,9007199254740992,295147905179352830000,0,0.000001,1e-7,1e+21,"
     "100000000000000000000]"},
};

static void
writes_the_canonical_form_of_rfc_8785(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(canonical); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) node = parse(canonical[i].text, strlen(canonical[i].text), &error);
		g_autofree gchar *text = NULL;

		g_assert_no_error(error);
		text = dstack_json_to_text(node, DSTACK_JSON_JCS);
		g_assert_cmpstr(text, ==, canonical[i].canonical);
	}
}

static JsonObject *
parse_object(const gchar *text)
{
	g_autoptr(GError) error = NULL;
	JsonObject *object = dstack_json_parse_object(text, strlen(text), DSTACK_KIB(1), "test", &error);

	g_assert_no_error(error);
	return object;
}

static void
gets_members_of_the_right_type_only(void)
{
	g_autoptr(JsonObject) object =
	    parse_object("{\"s\":\"x\",\"n\":7,\"f\":7.0,\"neg\":-1,\"t\":true,\"z\":null,\"o\":{},\"a\":[]}");
	const gchar *string = NULL;
	JsonObject *inner = NULL;
	JsonArray *array = NULL;
	guint64 number = 3;
	gboolean flag = FALSE;
	gboolean present = TRUE;

	g_assert_true(dstack_json_get_string(object, "test", "s", &string, NULL));
	g_assert_cmpstr(string, ==, "x");
	g_assert_true(dstack_json_get_uint(object, "test", "n", 7, &number, NULL));
	g_assert_cmpuint(number, ==, 7);
	g_assert_false(dstack_json_get_uint(object, "test", "n", 6, &number, NULL));
	g_assert_false(dstack_json_get_uint(object, "test", "neg", 6, &number, NULL));
	g_assert_false(dstack_json_get_uint(object, "test", "f", 9, &number, NULL));
	g_assert_false(dstack_json_get_uint(object, "test", "z", 9, &number, NULL));
	g_assert_false(dstack_json_get_uint(object, "test", "absent", 9, &number, NULL));
	g_assert_true(dstack_json_get_uint_optional(object, "test", "absent", 9, &number, &present, NULL));
	g_assert_false(present);
	g_assert_true(dstack_json_get_uint_optional(object, "test", "z", 9, &number, NULL, NULL));
	g_assert_cmpuint(number, ==, 7);
	g_assert_true(dstack_json_get_bool_optional(object, "test", "t", &flag, &present, NULL));
	g_assert_true(flag && present);
	g_assert_false(dstack_json_get_bool_optional(object, "test", "n", &flag, &present, NULL));
	g_assert_true(dstack_json_get_object(object, "test", "o", &inner, NULL));
	g_assert_nonnull(inner);
	g_assert_false(dstack_json_get_object(object, "test", "a", &inner, NULL));
	g_assert_false(dstack_json_get_object(object, "test", "z", &inner, NULL));
	g_assert_true(dstack_json_get_object_optional(object, "test", "z", &inner, NULL));
	g_assert_true(dstack_json_get_array(object, "test", "a", &array, NULL));
	g_assert_nonnull(array);
	g_assert_false(dstack_json_get_array_optional(object, "test", "o", &array, NULL));
	g_assert_true(dstack_json_get_array_optional(object, "test", "absent", &array, NULL));
	g_assert_false(dstack_json_get_string_optional(object, "test", "n", &string, NULL));
	g_assert_true(dstack_json_get_string_optional(object, "test", "z", &string, NULL));
	g_assert_cmpstr(string, ==, "x");
}

static void
names_an_unknown_member(void)
{
	static const gchar *const known[] = {"a", "b", NULL};
	g_autoptr(JsonObject) good = parse_object("{\"b\":1}");
	g_autoptr(JsonObject) bad = parse_object("{\"a\":1,\"c\":1}");
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_json_ensure_known(good, "test", known, &error));
	g_assert_false(dstack_json_ensure_known(bad, "test", known, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_cmpstr(error->message, ==, "test: unknown member 'c'");
}

static void
wants_an_object_where_one_is_due(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(dstack_json_parse_object("[]", 2, 2, "test", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/writes-what-it-read", writes_what_it_read);
	g_test_add_func("/json/refuses-everything-beside-the-grammar", refuses_everything_beside_the_grammar);
	g_test_add_func("/json/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/json/survives-every-bit-flip", survives_every_bit_flip);
	g_test_add_func("/json/bounds-nesting", bounds_nesting);
	g_test_add_func("/json/bounds-size-members-and-values", bounds_size_members_and_values);
	g_test_add_func("/json/finds-the-exact-bytes-of-a-member", finds_the_exact_bytes_of_a_member);
	g_test_add_func("/json/prints-prettily-as-serde-does", prints_prettily_as_serde_does);
	g_test_add_func("/json/writes-the-canonical-form-of-rfc-8785", writes_the_canonical_form_of_rfc_8785);
	g_test_add_func("/json/gets-members-of-the-right-type-only", gets_members_of_the_right_type_only);
	g_test_add_func("/json/names-an-unknown-member", names_an_unknown_member);
	g_test_add_func("/json/wants-an-object-where-one-is-due", wants_an_object_where_one_is_due);
	return g_test_run();
}
