/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Event logs as JSON, both ways (formats.md section 7).
 */

#include "config.h"

#include "eventlog/event-log.h"

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"

#define MAX_IMR 3

static gboolean
read_hex(JsonObject *object, const gchar *what, const gchar *member, GBytes **out, GError **error)
{
	const gchar *text = NULL;

	if (!dstack_json_get_string(object, what, member, &text, error))
		return FALSE;
	*out = dstack_hex_decode_bytes(text, member, DSTACK_LIMIT_EVENT_LOG, error);
	if (*out == NULL)
		g_prefix_error(error, "%s: ", what);
	return *out != NULL;
}

/* only a runtime event may have an empty one; whether it must agree with the payload is the replay's question */
static gboolean
read_digest(JsonObject *object, const gchar *what, DstackEvent *event, GError **error)
{
	const gchar *text = NULL;

	if (!dstack_json_get_string(object, what, "digest", &text, error))
		return FALSE;
	if (text[0] == '\0') {
		if (dstack_event_is_runtime(event))
			return TRUE;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: digest: expected 96 hex digits, found none in an event of type 0x%x", what,
				    event->type);
	}
	if (!dstack_sha384_from_hex(text, "digest", &event->digest, error)) {
		g_prefix_error(error, "%s: ", what);
		return FALSE;
	}
	event->has_digest = TRUE;
	return TRUE;
}

static gboolean
read_version(JsonObject *object, const gchar *what, DstackEvent *event, GError **error)
{
	const gchar *preimage = NULL;
	guint64 version = 1;

	if (!dstack_json_get_uint_optional(object, what, "version", 2, &version, NULL, error) ||
	    !dstack_json_get_string_optional(object, what, "preimage", &preimage, error))
		return FALSE;
	if (version == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: version: expected 1 or 2, found 0", what);
	event->version = (guint)version;
	if (preimage == NULL || preimage[0] == '\0')
		return TRUE;
	if (version != 2)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: preimage: expected in an event of version 2 only", what);
	event->preimage = dstack_hex_decode_bytes(preimage, "preimage", DSTACK_LIMIT_EVENT_LOG, error);
	if (event->preimage == NULL)
		g_prefix_error(error, "%s: ", what);
	return event->preimage != NULL;
}

static DstackEvent *
read_event(JsonNode *node, guint index, GError **error)
{
	g_autofree gchar *what = g_strdup_printf("event log, entry %u", index);
	g_autoptr(DstackEvent) event = NULL;
	g_autoptr(GBytes) payload = NULL;
	JsonObject *object = NULL;
	const gchar *name = NULL;
	guint64 imr = 0;
	guint64 type = 0;

	if (!JSON_NODE_HOLDS_OBJECT(node)) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected an object", what);
		return NULL;
	}
	object = json_node_get_object(node);
	if (!dstack_json_get_uint(object, what, "imr", MAX_IMR, &imr, error) ||
	    !dstack_json_get_uint(object, what, "event_type", G_MAXUINT32, &type, error) ||
	    !dstack_json_get_string(object, what, "event", &name, error) ||
	    !read_hex(object, what, "event_payload", &payload, error))
		return NULL;
	event = dstack_event_new((guint)imr, (guint32)type, name, payload);
	if (!read_digest(object, what, event, error) || !read_version(object, what, event, error))
		return NULL;
	return g_steal_pointer(&event);
}

/**
 * dstack_event_log_parse_json:
 * @text: (array length=size): a JSON array of entries
 * @size: number of bytes, at most %DSTACK_LIMIT_EVENT_LOG
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the entry and member
 *
 * Returns: (transfer full) (nullable): the log
 */
DstackEventLog *
dstack_event_log_parse_json(const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonNode) node = dstack_json_parse(text, size, DSTACK_LIMIT_EVENT_LOG, "event log", error);
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	JsonArray *array = NULL;
	guint n = 0;

	if (node == NULL)
		return NULL;
	if (!JSON_NODE_HOLDS_ARRAY(node)) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "event log: expected an array");
		return NULL;
	}
	array = json_node_get_array(node);
	n = json_array_get_length(array);
	if (n > DSTACK_LIMIT_EVENTS) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "event log: expected at most %u events, found %u",
				   (guint)DSTACK_LIMIT_EVENTS, n);
		return NULL;
	}
	for (guint i = 0; i < n; i++) {
		DstackEvent *event = read_event(json_array_get_element(array, i), i, error);

		if (event == NULL)
			return NULL;
		g_ptr_array_add(log->events, event);
	}
	return g_steal_pointer(&log);
}

static JsonObject *
event_to_json(const DstackEvent *event)
{
	JsonObject *object = json_object_new();
	g_autofree gchar *digest = event->has_digest ? dstack_sha384_to_hex(&event->digest) : g_strdup("");
	g_autofree gchar *payload = dstack_hex_encode_bytes(event->payload);
	g_autofree gchar *preimage = event->preimage == NULL ? NULL : dstack_hex_encode_bytes(event->preimage);

	json_object_set_int_member(object, "imr", event->imr);
	json_object_set_int_member(object, "event_type", event->type);
	json_object_set_string_member(object, "digest", digest);
	json_object_set_string_member(object, "event", event->name);
	json_object_set_string_member(object, "event_payload", payload);
	if (event->version != 1)
		json_object_set_int_member(object, "version", event->version);
	if (preimage != NULL)
		json_object_set_string_member(object, "preimage", preimage);
	return object;
}

/**
 * dstack_event_log_to_json:
 * @self: a log
 *
 * Returns: (transfer full): the array that dstack_event_log_parse_json() reads
 */
JsonNode *
dstack_event_log_to_json(const DstackEventLog *self)
{
	g_autoptr(JsonArray) array = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	for (guint i = 0; i < dstack_event_log_size(self); i++)
		json_array_add_object_element(array, event_to_json(dstack_event_log_get(self, i)));
	json_node_set_array(node, array);
	return node;
}
