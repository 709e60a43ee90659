/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The JSON reader: what it accepts, it writes, and reads again to the same value.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

static void
assert_round_trip(JsonNode *node, DstackJsonStyle style)
{
	g_autofree gchar *text = dstack_json_to_text(node, style);
	g_autoptr(JsonNode) again = dstack_json_parse(text, strlen(text), strlen(text), "again", NULL);
	g_autofree gchar *text_again = NULL;

	g_assert_nonnull(again);
	text_again = dstack_json_to_text(again, style);
	g_assert_cmpstr(text, ==, text_again);
	if (style != DSTACK_JSON_JCS)
		g_assert_true(json_node_equal(node, again));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(JsonNode) node = dstack_json_parse((const gchar *)data, size, DSTACK_KIB(64), "fuzz", NULL);
	gsize start = 0;
	gsize length = 0;

	if (node == NULL)
		return 0;
	assert_round_trip(node, DSTACK_JSON_COMPACT);
	assert_round_trip(node, DSTACK_JSON_PRETTY);
	assert_round_trip(node, DSTACK_JSON_JCS);
	if (dstack_json_find_member((const gchar *)data, size, "a", "fuzz", &start, &length, NULL))
		g_assert_cmpuint(length, <=, size - start);
	return 0;
}
