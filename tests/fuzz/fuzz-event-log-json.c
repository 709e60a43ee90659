/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Event logs as JSON: written again they read the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "eventlog/event-log.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_parse_json((const gchar *)data, size, NULL);
	g_autoptr(DstackEventLog) again = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autoptr(JsonNode) node_again = NULL;
	g_autofree gchar *text = NULL;
	g_autofree gchar *text_again = NULL;

	if (log == NULL)
		return 0;
	node = dstack_event_log_to_json(log);
	text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	if (strlen(text) > DSTACK_LIMIT_EVENT_LOG)
		return 0;
	again = dstack_event_log_parse_json(text, strlen(text), NULL);
	g_assert_nonnull(again);
	node_again = dstack_event_log_to_json(again);
	text_again = dstack_json_to_text(node_again, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(text, ==, text_again);
	return 0;
}
