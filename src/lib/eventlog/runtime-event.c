/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Events that dstack measures itself, into RTMR3, after the firmware has handed over.
 * Digests: formats.md section 7.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"

#define READY_EVENT "system-ready"

/**
 * dstack_runtime_event_digest_v1:
 * @name: the event's name
 * @payload: its payload
 *
 * Returns: sha384(le32(type) || ":" || name || ":" || payload)
 */
DstackSha384
dstack_runtime_event_digest_v1(const gchar *name, GBytes *payload)
{
	g_autoptr(GByteArray) preimage = g_byte_array_new();
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(payload, &size);

	dstack_append_u32le(preimage, DSTACK_EVENT_RUNTIME);
	dstack_append_u8(preimage, ':');
	g_byte_array_append(preimage, (const guint8 *)name, (guint)strlen(name));
	dstack_append_u8(preimage, ':');
	if (size > 0)
		g_byte_array_append(preimage, data, (guint)size);
	return dstack_sha384(preimage->data, preimage->len);
}

/**
 * dstack_runtime_event_preimage_v2:
 * @name: the event's name
 * @payload: its payload
 *
 * Returns: (transfer full): the canonical text (RFC 8785) whose SHA-384 is the digest of version 2
 */
gchar *
dstack_runtime_event_preimage_v2(const gchar *name, GBytes *payload)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree gchar *hex = dstack_hex_encode_bytes(payload);

	json_object_set_string_member(object, "name", name);
	json_object_set_string_member(object, "payload", hex);
	json_object_set_int_member(object, "type", DSTACK_EVENT_RUNTIME);
	json_node_set_object(node, object);
	return dstack_json_to_text(node, DSTACK_JSON_JCS);
}

/* the entry carries the text it was hashed from, which must be the one that follows from its name and payload */
static gboolean
compute_v2(const DstackEvent *self, DstackSha384 *out, GError **error)
{
	g_autofree gchar *canonical = dstack_runtime_event_preimage_v2(self->name, self->payload);
	gsize size = 0;
	const guint8 *given = NULL;

	if (self->preimage == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "runtime event '%s': an event of version 2 needs a preimage", self->name);
	given = g_bytes_get_data(self->preimage, &size);
	if (size != strlen(canonical) || memcmp(given, canonical, size) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "runtime event '%s': expected the preimage %s, found another of %" G_GSIZE_FORMAT
				    " bytes",
				    self->name, canonical, size);
	*out = dstack_sha384((const guint8 *)canonical, size);
	return TRUE;
}

static gboolean
compute_runtime_digest(const DstackEvent *self, DstackSha384 *out, GError **error)
{
	if (self->version == 2)
		return compute_v2(self, out, error);
	*out = dstack_runtime_event_digest_v1(self->name, self->payload);
	return TRUE;
}

/**
 * dstack_event_get_digest:
 * @self: an event
 * @out: (out): what its register was extended with
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when a runtime event contradicts itself or stands outside RTMR3,
 *   or any other event has no digest
 *
 * A runtime event's digest is always computed anew; a digest that the entry carries must be the same.
 * For every other event the data does not determine the digest, so the entry's own is taken.
 *
 * Returns: %TRUE when there is one
 */
gboolean
dstack_event_get_digest(const DstackEvent *self, DstackSha384 *out, GError **error)
{
	g_autofree gchar *expected = NULL;
	g_autofree gchar *found = NULL;
	DstackSha384 digest = {0};

	if (!dstack_event_is_runtime(self)) {
		if (!self->has_digest)
			return dstack_throw(
			    error, DSTACK_ERROR_UNSOUND,
			    "event of type 0x%x in RTMR%u: only runtime events may come without a digest", self->type,
			    self->imr);
		*out = self->digest;
		return TRUE;
	}
	if (self->imr != DSTACK_RUNTIME_REGISTER)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "runtime event '%s': expected in RTMR3, found in RTMR%u", self->name, self->imr);
	if (!compute_runtime_digest(self, &digest, error))
		return FALSE;
	if (self->has_digest && !dstack_sha384_equal(&digest, &self->digest)) {
		expected = dstack_sha384_to_hex(&digest);
		found = dstack_sha384_to_hex(&self->digest);
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "runtime event '%s': expected digest %s from its payload, found %s", self->name,
				    expected, found);
	}
	*out = digest;
	return TRUE;
}

/**
 * dstack_event_log_find_runtime:
 * @self: a log
 * @name: name of a runtime event
 *
 * What comes after "system-ready" is the application's own and identifies nothing.
 *
 * Returns: (transfer none) (nullable): the first runtime event of that name before "system-ready"
 */
const DstackEvent *
dstack_event_log_find_runtime(const DstackEventLog *self, const gchar *name)
{
	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		const DstackEvent *event = dstack_event_log_get(self, i);

		if (!dstack_event_is_runtime(event))
			continue;
		if (g_str_equal(event->name, READY_EVENT))
			return NULL;
		if (g_str_equal(event->name, name))
			return event;
	}
	return NULL;
}
