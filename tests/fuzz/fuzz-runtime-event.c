/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Runtime events: name, NUL, payload. Whatever they are, the preimage of version 2 is JSON that says the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "eventlog/event-log.h"

static void
check_preimage(DstackEvent *event)
{
	g_autofree gchar *preimage = dstack_runtime_event_preimage_v2(event->name, event->payload);
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(preimage, strlen(preimage), DSTACK_LIMIT_EVIDENCE, "preimage", NULL);
	DstackSha384 digest = {{0}};

	g_assert_nonnull(object);
	g_assert_cmpstr(json_object_get_string_member(object, "name"), ==, event->name);
	event->version = 2;
	event->preimage = g_bytes_new(preimage, strlen(preimage));
	g_assert_true(dstack_event_get_digest(event, &digest, NULL));
	event->has_digest = TRUE;
	event->digest = digest;
	g_assert_true(dstack_event_get_digest(event, &digest, NULL));
	event->digest.bytes[0] ^= 1;
	g_assert_false(dstack_event_get_digest(event, &digest, NULL));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	const guint8 *end = size == 0 ? NULL : memchr(data, 0, size);
	gsize name_size = end == NULL ? size : (gsize)(end - data);
	g_autofree gchar *name = g_strndup((const gchar *)data, name_size);
	g_autoptr(GBytes) payload = end == NULL ? g_bytes_new(NULL, 0) : g_bytes_new(end + 1, size - name_size - 1);
	g_autoptr(DstackEvent) event = NULL;

	if (!g_utf8_validate(name, -1, NULL))
		return 0;
	event = dstack_event_new(DSTACK_RUNTIME_REGISTER, DSTACK_EVENT_RUNTIME, name, payload);
	check_preimage(event);
	return 0;
}
