/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lite fixture and its collateral.
 */

#include "config.h"

#include "support/tdx-evidence.h"

#include <string.h>

#include "support/vectors.h"

static JsonObject *
find_case(JsonNode *document)
{
	JsonNode *root = document;
	JsonArray *cases = NULL;

	if (JSON_NODE_HOLDS_OBJECT(root))
		cases = json_object_get_array_member(json_node_get_object(root), "cases");
	else
		cases = json_node_get_array(root);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *entry = json_array_get_object_element(cases, i);

		if (g_strcmp0(json_object_get_string_member(entry, "id"), DSTACK_TEST_LITE_CASE) == 0)
			return entry;
	}
	g_error("no case %s", DSTACK_TEST_LITE_CASE);
}

void
dstack_test_lite_init(DstackTestLite *self)
{
	g_autoptr(JsonNode) document = dstack_test_vector_read_json("dcap/cases.json");
	JsonObject *entry = find_case(document);
	JsonArray *interval = json_object_get_array_member(entry, "valid_interval");
	g_autofree gchar *name = g_strconcat("dcap/", json_object_get_string_member(entry, "collateral"), NULL);
	g_autofree gchar *text = dstack_test_vector_read_text(name);
	g_autoptr(GError) error = NULL;

	*self = (DstackTestLite){0};
	self->context.now = json_object_get_int_member(entry, "time");
	self->from = json_array_get_int_element(interval, 0);
	self->to = json_array_get_int_element(interval, 1);
	self->collateral = dstack_collateral_parse(text, strlen(text), &self->context, &error);
	g_assert_no_error(error);
	self->options.context = &self->context;
	self->options.collateral = self->collateral;
}

void
dstack_test_lite_clear(DstackTestLite *self)
{
	g_clear_pointer(&self->collateral, dstack_collateral_unref);
}

DstackVerdict *
dstack_test_lite_verify(const DstackTestLite *self, const gchar *text, gsize size, GError **error)
{
	return dstack_verify_evidence((const guint8 *)text, size, &self->options, error);
}
