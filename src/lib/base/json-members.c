/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Members of a JSON object, each of the one type its reader expects. An optional member may also be null, which
 * is how serde writes an absent Option.
 */

#include "config.h"

#include "base/json.h"

#include "base/error.h"

static const gchar *
describe(JsonNode *node)
{
	switch (json_node_get_node_type(node)) {
	case JSON_NODE_OBJECT:
		return "an object";
	case JSON_NODE_ARRAY:
		return "an array";
	case JSON_NODE_NULL:
		return "null";
	case JSON_NODE_VALUE:
		break;
	}
	if (json_node_get_value_type(node) == G_TYPE_STRING)
		return "a string";
	if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		return "a boolean";
	return json_node_get_value_type(node) == G_TYPE_INT64 ? "an integer" : "a fraction";
}

static gboolean
throw_type(JsonNode *node, const gchar *what, const gchar *member, const gchar *expected, GError **error)
{
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: '%s': expected %s, found %s", what, member, expected,
			    describe(node));
}

static gboolean
ensure_present(JsonObject *object, const gchar *what, const gchar *member, GError **error)
{
	if (json_object_has_member(object, member))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: member '%s' is missing", what, member);
}

/* (nullable): %NULL for an absent member and for null */
static JsonNode *
peek_optional(JsonObject *object, const gchar *member)
{
	JsonNode *node = json_object_get_member(object, member);

	return node == NULL || JSON_NODE_HOLDS_NULL(node) ? NULL : node;
}

static gboolean
holds(JsonNode *node, GType type)
{
	return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

static gboolean
node_get_string(JsonNode *node, const gchar *what, const gchar *member, const gchar **out, GError **error)
{
	if (!holds(node, G_TYPE_STRING))
		return throw_type(node, what, member, "a string", error);
	*out = json_node_get_string(node);
	return TRUE;
}

static gboolean
node_get_uint(JsonNode *node, const gchar *what, const gchar *member, guint64 max, guint64 *out, GError **error)
{
	gint64 value = 0;

	if (!holds(node, G_TYPE_INT64))
		return throw_type(node, what, member, "an integer", error);
	value = json_node_get_int(node);
	if (value < 0 || (guint64)value > max) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: '%s': expected 0 to %" G_GUINT64_FORMAT ", found %" G_GINT64_FORMAT, what,
				    member, max, value);
	}
	*out = (guint64)value;
	return TRUE;
}

static gboolean
node_get_object(JsonNode *node, const gchar *what, const gchar *member, JsonObject **out, GError **error)
{
	if (!JSON_NODE_HOLDS_OBJECT(node))
		return throw_type(node, what, member, "an object", error);
	*out = json_node_get_object(node);
	return TRUE;
}

static gboolean
node_get_array(JsonNode *node, const gchar *what, const gchar *member, JsonArray **out, GError **error)
{
	if (!JSON_NODE_HOLDS_ARRAY(node))
		return throw_type(node, what, member, "an array", error);
	*out = json_node_get_array(node);
	return TRUE;
}

/**
 * dstack_json_get_string:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (out) (transfer none): the text, valid as long as @object
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, null or not a string
 *
 * Returns: %TRUE when the member is a string
 */
gboolean
dstack_json_get_string(JsonObject *object, const gchar *what, const gchar *member, const gchar **out, GError **error)
{
	return ensure_present(object, what, member, error) &&
	       node_get_string(json_object_get_member(object, member), what, member, out, error);
}

/**
 * dstack_json_get_string_optional:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (inout) (transfer none): the text; left alone when the member is absent or null
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there and not a string
 *
 * Returns: %TRUE unless the member has another type
 */
gboolean
dstack_json_get_string_optional(JsonObject *object, const gchar *what, const gchar *member, const gchar **out,
				GError **error)
{
	JsonNode *node = peek_optional(object, member);

	return node == NULL || node_get_string(node, what, member, out, error);
}

/**
 * dstack_json_get_uint:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @max: largest value accepted
 * @out: (out): the number
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, null, not an integer, negative or above @max
 *
 * A number written with a fraction or an exponent is not an integer here, whatever its value.
 *
 * Returns: %TRUE when the member is such a number
 */
gboolean
dstack_json_get_uint(JsonObject *object, const gchar *what, const gchar *member, guint64 max, guint64 *out,
		     GError **error)
{
	return ensure_present(object, what, member, error) &&
	       node_get_uint(json_object_get_member(object, member), what, member, max, out, error);
}

/**
 * dstack_json_get_uint_optional:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @max: largest value accepted
 * @out: (inout): the number; left alone when the member is absent or null
 * @out_present: (out) (optional): whether the member was there
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there and not such a number
 *
 * Returns: %TRUE unless the member is something else
 */
gboolean
dstack_json_get_uint_optional(JsonObject *object, const gchar *what, const gchar *member, guint64 max, guint64 *out,
			      gboolean *out_present, GError **error)
{
	JsonNode *node = peek_optional(object, member);

	if (node != NULL && !node_get_uint(node, what, member, max, out, error))
		return FALSE;
	if (out_present != NULL)
		*out_present = node != NULL;
	return TRUE;
}

/**
 * dstack_json_get_bool_optional:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (inout): the value; left alone when the member is absent or null
 * @out_present: (out) (optional): whether the member was there
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there and not a boolean
 *
 * Returns: %TRUE unless the member is something else
 */
gboolean
dstack_json_get_bool_optional(JsonObject *object, const gchar *what, const gchar *member, gboolean *out,
			      gboolean *out_present, GError **error)
{
	JsonNode *node = peek_optional(object, member);

	if (node != NULL && !holds(node, G_TYPE_BOOLEAN))
		return throw_type(node, what, member, "a boolean", error);
	if (node != NULL)
		*out = json_node_get_boolean(node);
	if (out_present != NULL)
		*out_present = node != NULL;
	return TRUE;
}

/**
 * dstack_json_get_object:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (out) (transfer none): the inner object
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, null or not an object
 *
 * Returns: %TRUE when the member is an object
 */
gboolean
dstack_json_get_object(JsonObject *object, const gchar *what, const gchar *member, JsonObject **out, GError **error)
{
	return ensure_present(object, what, member, error) &&
	       node_get_object(json_object_get_member(object, member), what, member, out, error);
}

/**
 * dstack_json_get_object_optional:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (inout) (transfer none): the inner object; left alone when the member is absent or null
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there and not an object
 *
 * Returns: %TRUE unless the member is something else
 */
gboolean
dstack_json_get_object_optional(JsonObject *object, const gchar *what, const gchar *member, JsonObject **out,
				GError **error)
{
	JsonNode *node = peek_optional(object, member);

	return node == NULL || node_get_object(node, what, member, out, error);
}

/**
 * dstack_json_get_array:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (out) (transfer none): the array
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, null or not an array
 *
 * Returns: %TRUE when the member is an array
 */
gboolean
dstack_json_get_array(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out, GError **error)
{
	return ensure_present(object, what, member, error) &&
	       node_get_array(json_object_get_member(object, member), what, member, out, error);
}

/**
 * dstack_json_get_array_optional:
 * @object: the object
 * @what: name of the object for errors
 * @member: name of the member
 * @out: (inout) (transfer none): the array; left alone when the member is absent or null
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there and not an array
 *
 * Returns: %TRUE unless the member is something else
 */
gboolean
dstack_json_get_array_optional(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out,
			       GError **error)
{
	JsonNode *node = peek_optional(object, member);

	return node == NULL || node_get_array(node, what, member, out, error);
}

/**
 * dstack_json_ensure_known:
 * @object: the object
 * @what: name of the object for errors
 * @known: (array zero-terminated=1): every member it may have
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, naming the first unknown member
 *
 * For documents in which an unknown member could mean something that we would not enforce.
 *
 * Returns: %TRUE when @object has no other member
 */
gboolean
dstack_json_ensure_known(JsonObject *object, const gchar *what, const gchar *const *known, GError **error)
{
	const gchar *name = NULL;
	JsonObjectIter iter;

	json_object_iter_init_ordered(&iter, object);
	while (json_object_iter_next_ordered(&iter, &name, NULL)) {
		if (!g_strv_contains(known, name))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: unknown member '%s'", what, name);
	}
	return TRUE;
}
