/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Binary event logs: what is read can be written as JSON and read again, and replays the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "eventlog/event-log.h"

static void
check_round_trip(const DstackEventLog *log)
{
	g_autoptr(JsonNode) node = dstack_event_log_to_json(log);
	g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	g_autoptr(DstackEventLog) again = NULL;

	if (strlen(text) > DSTACK_LIMIT_EVENT_LOG)
		return;
	again = dstack_event_log_parse_json(text, strlen(text), NULL);
	g_assert_nonnull(again);
	for (guint imr = 0; imr < DSTACK_N_RTMRS; imr++) {
		DstackSha384 a = {{0}};
		DstackSha384 b = {{0}};

		g_assert_cmpint(dstack_event_log_replay(log, imr, &a, NULL), ==,
				dstack_event_log_replay(again, imr, &b, NULL));
		g_assert_true(dstack_sha384_equal(&a, &b));
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_parse_ccel(data, size, NULL);

	if (log == NULL)
		return 0;
	g_assert_cmpuint(dstack_event_log_size(log), <=, DSTACK_LIMIT_EVENTS);
	check_round_trip(log);
	if (dstack_event_log_label(log, NULL))
		g_assert_nonnull(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_RSDP, NULL));
	return 0;
}
