/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * JSON from outside, and JSON to the wire.
 *
 * Reading: a screen checks size, UTF-8, RFC 8259 grammar, depth, NUL, duplicate members and
 * number range before json-glib sees a byte. Writing: compact, as serde_json prints; or JCS.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The whole text is one JSON value; errors name @what and the byte offset. */
JsonNode *dstack_json_parse(const gchar *text, gsize size, gsize max, const gchar *what, GError **error);
/* As above, and the value is an object. Free with json_object_unref(). */
JsonObject *dstack_json_parse_object(const gchar *text, gsize size, gsize max, const gchar *what, GError **error);

/* Finds the exact bytes of a member's value at the top level of screened text: for signatures over them. */
gboolean dstack_json_find_member(const gchar *text, gsize size, const gchar *member, const gchar *what, gsize *out_start,
				 gsize *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Members of an object. `what` names the object in errors. An absent member (or null, for the _optional forms)
 * leaves *out as it is and returns TRUE in the _optional forms, and is an error in the others.
 */
gboolean dstack_json_get_string(JsonObject *object, const gchar *what, const gchar *member, const gchar **out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_string_optional(JsonObject *object, const gchar *what, const gchar *member, const gchar **out,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_uint(JsonObject *object, const gchar *what, const gchar *member, guint64 max, guint64 *out,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_uint_optional(JsonObject *object, const gchar *what, const gchar *member, guint64 max,
				       guint64 *out, gboolean *out_present, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_bool_optional(JsonObject *object, const gchar *what, const gchar *member, gboolean *out,
				       gboolean *out_present, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_object(JsonObject *object, const gchar *what, const gchar *member, JsonObject **out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_object_optional(JsonObject *object, const gchar *what, const gchar *member, JsonObject **out,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_array(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_json_get_array_optional(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An object's members must all be in the NULL-terminated list. */
gboolean dstack_json_ensure_known(JsonObject *object, const gchar *what, const gchar *const *known,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
	DSTACK_JSON_COMPACT, /* as serde_json's to_string: no white space, members in order */
	DSTACK_JSON_PRETTY,  /* as serde_json's to_string_pretty: two spaces */
	DSTACK_JSON_JCS,     /* RFC 8785: members sorted by UTF-16 code units; integers only */
} DstackJsonStyle;

gchar *dstack_json_to_text(JsonNode *node, DstackJsonStyle style);

G_END_DECLS
