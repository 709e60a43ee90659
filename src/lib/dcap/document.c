/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What TCB info and QE identity have in common (evidence.md part A, section 8).
 */

#include "config.h"

#include "dcap/document.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"

/* digits where "dddd-dd-ddTdd:dd:ddZ" has d, and the rest as it stands */
static gboolean
matches_date_pattern(const gchar *text)
{
	static const gchar pattern[] = "dddd-dd-ddTdd:dd:ddZ";

	if (strlen(text) != strlen(pattern))
		return FALSE;
	for (gsize i = 0; pattern[i] != '\0'; i++) {
		if (pattern[i] == 'd' ? !g_ascii_isdigit(text[i]) : text[i] != pattern[i])
			return FALSE;
	}
	return TRUE;
}

static gboolean
parse_date(const gchar *text, gint64 *out)
{
	g_autoptr(GDateTime) date = matches_date_pattern(text) ? g_date_time_new_from_iso8601(text, NULL) : NULL;

	if (date == NULL)
		return FALSE;
	*out = g_date_time_to_unix(date);
	return TRUE;
}

/**
 * dstack_document_get_date:
 * @object: a document or level
 * @what: its name for errors
 * @member: the member
 * @out: (out): seconds since 1970
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, in another form, or no day of the calendar
 *
 * Returns: %TRUE when the date could be read
 */
gboolean
dstack_document_get_date(JsonObject *object, const gchar *what, const gchar *member, gint64 *out, GError **error)
{
	const gchar *text = NULL;

	if (!dstack_json_get_string(object, what, member, &text, error))
		return FALSE;
	if (!parse_date(text, out))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected a date like 2025-05-27T19:25:06Z, found '%s'", what, member,
				    text);
	return TRUE;
}

/**
 * dstack_document_get_hex:
 * @object: a document
 * @what: its name for errors
 * @member: the member
 * @out: (out caller-allocates): room for @size bytes
 * @size: number of bytes expected
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent or not 2 · @size hex digits of either case
 *
 * Returns: %TRUE when the bytes could be read
 */
gboolean
dstack_document_get_hex(JsonObject *object, const gchar *what, const gchar *member, guint8 *out, gsize size,
			GError **error)
{
	g_autofree gchar *name = g_strdup_printf("%s: %s", what, member);
	const gchar *text = NULL;

	return dstack_json_get_string(object, what, member, &text, error) &&
	       dstack_hex_decode(text, name, out, size, error);
}

/**
 * dstack_document_get_element:
 * @array: an array
 * @i: index below its length
 * @what: its name for errors
 * @out: (out) (transfer none): the element
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is no object
 *
 * Returns: %TRUE when the element is an object
 */
gboolean
dstack_document_get_element(JsonArray *array, guint i, const gchar *what, JsonObject **out, GError **error)
{
	JsonNode *node = json_array_get_element(array, i);

	if (!JSON_NODE_HOLDS_OBJECT(node))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: element %u: expected an object", what, i);
	*out = json_node_get_object(node);
	return TRUE;
}

/**
 * dstack_document_get_levels:
 * @object: a document
 * @what: its name for errors
 * @member: the member
 * @out: (out) (transfer none): the array
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when absent, no array, empty, or longer than
 *   %DSTACK_LIMIT_TCB_LEVELS
 *
 * Returns: %TRUE when the array has something in it
 */
gboolean
dstack_document_get_levels(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out, GError **error)
{
	guint length = 0;

	if (!dstack_json_get_array(object, what, member, out, error))
		return FALSE;
	length = json_array_get_length(*out);
	if (length == 0 || length > DSTACK_LIMIT_TCB_LEVELS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: expected 1 to %d elements, found %u", what,
				    member, DSTACK_LIMIT_TCB_LEVELS, length);
	return TRUE;
}

static GPtrArray *
get_advisories(JsonObject *level, const gchar *what, GError **error)
{
	g_autoptr(GPtrArray) advisories = g_ptr_array_new_with_free_func(g_free);
	JsonArray *array = NULL;
	guint length = 0;

	if (!dstack_json_get_array_optional(level, what, "advisoryIDs", &array, error))
		return NULL;
	length = array != NULL ? json_array_get_length(array) : 0;
	if (length > DSTACK_LIMIT_ADVISORIES) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: advisoryIDs: %u elements, at most %d accepted", what,
			     length, DSTACK_LIMIT_ADVISORIES);
		return NULL;
	}
	for (guint i = 0; i < length; i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: advisoryIDs: element %u: expected a string",
				     what, i);
			return NULL;
		}
		g_ptr_array_add(advisories, g_strdup(json_node_get_string(node)));
	}
	return g_steal_pointer(&advisories);
}

/**
 * dstack_document_get_grade:
 * @level: an element of "tcbLevels"
 * @what: its name for errors
 * @out: (out): status, date and advisories; untouched on failure; dstack_tcb_grade_clear() it
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when one of them is not as it should be
 *
 * Returns: %TRUE when the level says how good it is
 */
gboolean
dstack_document_get_grade(JsonObject *level, const gchar *what, DstackTcbGrade *out, GError **error)
{
	DstackTcbGrade grade = {0};
	const gchar *status = NULL;

	if (!dstack_json_get_string(level, what, "tcbStatus", &status, error) ||
	    !dstack_tcb_status_parse(status, &grade.status, error) ||
	    !dstack_document_get_date(level, what, "tcbDate", &grade.date, error))
		return FALSE;
	grade.advisories = get_advisories(level, what, error);
	if (grade.advisories == NULL)
		return FALSE;
	*out = grade;
	return TRUE;
}

static DstackIsvLevel *
parse_isv_level(JsonObject *object, const gchar *what, GError **error)
{
	g_autoptr(DstackIsvLevel) level = g_new0(DstackIsvLevel, 1);
	JsonObject *tcb = NULL;
	guint64 isvsvn = 0;

	if (!dstack_json_get_object(object, what, "tcb", &tcb, error) ||
	    !dstack_json_get_uint(tcb, what, "isvsvn", G_MAXUINT16, &isvsvn, error) ||
	    !dstack_document_get_grade(object, what, &level->grade, error))
		return NULL;
	level->isvsvn = (guint16)isvsvn;
	return g_steal_pointer(&level);
}

/**
 * dstack_document_get_isv_levels:
 * @object: a QE identity or a TDX module identity
 * @what: its name for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there are none or one is not as it should be
 *
 * Returns: (transfer full) (nullable) (element-type DstackIsvLevel): its levels, best first
 */
GPtrArray *
dstack_document_get_isv_levels(JsonObject *object, const gchar *what, GError **error)
{
	g_autoptr(GPtrArray) levels = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_isv_level_free);
	g_autofree gchar *name = g_strdup_printf("%s: tcbLevels", what);
	JsonArray *array = NULL;

	if (!dstack_document_get_levels(object, what, "tcbLevels", &array, error))
		return NULL;
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *element = NULL;
		DstackIsvLevel *level = NULL;

		if (dstack_document_get_element(array, i, name, &element, error))
			level = parse_isv_level(element, name, error);
		if (level == NULL)
			return NULL;
		g_ptr_array_add(levels, level);
	}
	if (!dstack_isv_levels_sort(levels, error))
		return NULL;
	return g_steal_pointer(&levels);
}
