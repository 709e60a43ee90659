/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading members of a vector's case in tests.
 */

#include "config.h"

#include "support/vector-case.h"

#include "support/vectors.h"

void
dstack_case_foreach(const gchar *file, guint n, DstackCaseFunc func)
{
	g_autoptr(JsonNode) root = dstack_test_vector_read_json(file);
	JsonArray *cases = json_object_get_array_member(json_node_get_object(root), "cases");

	g_assert_cmpuint(json_array_get_length(cases), ==, n);
	for (guint i = 0; i < n; i++) {
		JsonObject *test_case = json_array_get_object_element(cases, i);

		func(json_object_get_string_member(test_case, "id"), test_case);
	}
}

const gchar *
dstack_case_string(JsonObject *object, const gchar *member)
{
	if (!json_object_has_member(object, member) || json_object_get_null_member(object, member))
		return NULL;
	return json_object_get_string_member(object, member);
}

gboolean
dstack_case_bool(JsonObject *object, const gchar *member)
{
	return json_object_get_boolean_member_with_default(object, member, FALSE);
}

guint64
dstack_case_uint(JsonObject *object, const gchar *member)
{
	JsonNode *node = json_object_get_member(object, member);
	guint64 value = 0;

	g_assert_nonnull(node);
	if (json_node_get_value_type(node) == G_TYPE_STRING) {
		const gchar *text = json_node_get_string(node);

		g_assert_true(g_str_has_prefix(text, "0x"));
		g_assert_true(g_ascii_string_to_unsigned(text + 2, 16, 0, G_MAXUINT64, &value, NULL));
		return value;
	}
	g_assert_cmpint(json_node_get_int(node), >=, 0);
	return (guint64)json_node_get_int(node);
}

DstackSha256
dstack_case_sha256(JsonObject *object, const gchar *member)
{
	g_autoptr(GError) error = NULL;
	DstackSha256 digest = {{0}};

	g_assert_true(dstack_sha256_from_hex(dstack_case_string(object, member), member, &digest, &error));
	g_assert_no_error(error);
	return digest;
}

DstackSha384
dstack_case_sha384(JsonObject *object, const gchar *member)
{
	g_autoptr(GError) error = NULL;
	DstackSha384 digest = {{0}};

	g_assert_true(dstack_sha384_from_hex(dstack_case_string(object, member), member, &digest, &error));
	g_assert_no_error(error);
	return digest;
}

JsonObject *
dstack_case_expect(JsonObject *object)
{
	return json_object_get_object_member(object, "expect");
}

gint64
dstack_case_time(JsonObject *object, const gchar *member)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(dstack_case_string(object, member), NULL);

	g_assert_nonnull(date);
	return g_date_time_to_unix(date);
}
