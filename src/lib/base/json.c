/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON strictly: RFC 8259 grammar and nothing beside it, UTF-8 without NUL, every limit of base/limits.h,
 * no member twice, no number that would lose its value.
 *
 * json-glib holds the result, but its parser is not asked: it overflows the stack on deep nesting, lets the last
 * duplicate win, wraps integers at 2^63 and accepts comments. A screen that catches all of this has read the text
 * completely, so it builds the nodes itself and no second reader can disagree with it.
 */

#include "config.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

typedef struct {
	const gchar *text;
	gsize size;
	gsize pos;
	const gchar *what;
	guint depth;
	guint n_values;
	const gchar *wanted; /* (nullable): the top-level member whose place is asked for */
	gboolean found;
	gsize start;
	gsize length;
} JsonReading;

static gboolean read_value(JsonReading *self, JsonNode **out, GError **error);

/* the text holds no NUL, so a zero says that it ends here */
static gchar
peek(const JsonReading *self)
{
	return self->pos < self->size ? self->text[self->pos] : '\0';
}

static gchar
peek_past_space(JsonReading *self)
{
	while (self->pos < self->size && strchr(" \t\n\r", self->text[self->pos]) != NULL)
		self->pos++;
	return peek(self);
}

static gboolean
take(JsonReading *self, gchar expected)
{
	if (peek(self) != expected)
		return FALSE;
	self->pos++;
	return TRUE;
}

static gboolean
take_past_space(JsonReading *self, gchar expected)
{
	(void)peek_past_space(self);
	return take(self, expected);
}

static gboolean
throw_expected(const JsonReading *self, const gchar *expected, GError **error)
{
	gchar found = peek(self);

	if (found == '\0') {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: expected %s at offset %" G_GSIZE_FORMAT ", found the end", self->what,
				    expected, self->pos);
	}
	if (g_ascii_isgraph(found)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: expected %s at offset %" G_GSIZE_FORMAT ", found '%c'", self->what, expected,
				    self->pos, found);
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "%s: expected %s at offset %" G_GSIZE_FORMAT ", found byte 0x%02x", self->what, expected,
			    self->pos, (guint)(guint8)found);
}

static gboolean
read_hex4(JsonReading *self, gunichar *out, GError **error)
{
	gunichar value = 0;

	for (guint i = 0; i < 4; i++) {
		gint digit = g_ascii_xdigit_value(peek(self));

		if (digit < 0)
			return throw_expected(self, "four hex digits", error);
		value = value << 4 | (gunichar)digit;
		self->pos++;
	}
	*out = value;
	return TRUE;
}

/* after "\u"; a character beyond the basic plane is written as two of these */
static gboolean
read_unicode_escape(JsonReading *self, GString *out, GError **error)
{
	gunichar high = 0;
	gunichar low = 0;

	if (!read_hex4(self, &high, error))
		return FALSE;
	if (high == 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: \\u0000 before offset %" G_GSIZE_FORMAT " is not accepted", self->what,
				    self->pos);
	}
	if (high < 0xd800 || high > 0xdfff) {
		g_string_append_unichar(out, high);
		return TRUE;
	}
	if (high > 0xdbff || !take(self, '\\') || !take(self, 'u'))
		return throw_expected(self, "a low surrogate after a high one", error);
	if (!read_hex4(self, &low, error))
		return FALSE;
	if (low < 0xdc00 || low > 0xdfff)
		return throw_expected(self, "a low surrogate before this", error);
	g_string_append_unichar(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
	return TRUE;
}

static gboolean
read_escape(JsonReading *self, GString *out, GError **error)
{
	static const gchar letters[] = "\"\\/bfnrt";
	static const gchar meanings[] = "\"\\/\b\f\n\r\t";
	gchar letter = peek(self);
	const gchar *at = letter == '\0' ? NULL : strchr(letters, letter);

	if (take(self, 'u'))
		return read_unicode_escape(self, out, error);
	if (at == NULL)
		return throw_expected(self, "an escape", error);
	g_string_append_c(out, meanings[at - letters]);
	self->pos++;
	return TRUE;
}

static gboolean
read_string(JsonReading *self, gchar **out, GError **error)
{
	g_autoptr(GString) string = g_string_new(NULL);

	if (!take(self, '"'))
		return throw_expected(self, "a string", error);
	while (!take(self, '"')) {
		gsize start = self->pos;

		while ((guchar)peek(self) >= 0x20 && peek(self) != '"' && peek(self) != '\\')
			self->pos++;
		g_string_append_len(string, self->text + start, (gssize)(self->pos - start));
		if (take(self, '\\')) {
			if (!read_escape(self, string, error))
				return FALSE;
		} else if (peek(self) != '"') {
			return throw_expected(self, "a character or the end of a string", error);
		}
	}
	*out = g_string_free(g_steal_pointer(&string), FALSE);
	return TRUE;
}

static gboolean
skip_digits(JsonReading *self, GError **error)
{
	if (!g_ascii_isdigit(peek(self)))
		return throw_expected(self, "a digit", error);
	while (g_ascii_isdigit(peek(self)))
		self->pos++;
	return TRUE;
}

/* steps over a number as RFC 8259, section 6 has it */
static gboolean
skip_number(JsonReading *self, gboolean *out_integer, GError **error)
{
	gboolean integer = TRUE;

	(void)take(self, '-');
	if (!take(self, '0') && !skip_digits(self, error))
		return FALSE;
	if (take(self, '.')) {
		integer = FALSE;
		if (!skip_digits(self, error))
			return FALSE;
	}
	if (take(self, 'e') || take(self, 'E')) {
		integer = FALSE;
		if (!take(self, '-'))
			(void)take(self, '+');
		if (!skip_digits(self, error))
			return FALSE;
	}
	*out_integer = integer;
	return TRUE;
}

static gboolean
parse_int64(const gchar *digits, gint64 *out)
{
	gboolean negative = digits[0] == '-';
	guint64 limit = negative ? (guint64)G_MAXINT64 + 1 : (guint64)G_MAXINT64;
	guint64 value = 0;

	for (const gchar *p = digits + (negative ? 1 : 0); *p != '\0'; p++) {
		guint64 digit = (guint64)(*p - '0');

		if (value > (limit - digit) / 10)
			return FALSE;
		value = value * 10 + digit;
	}
	/* 0 - value wraps to the same bits for 2^63 */
	*out = negative ? (gint64)(0 - value) : (gint64)value;
	return TRUE;
}

static gboolean
read_number(JsonReading *self, JsonNode **out, GError **error)
{
	g_autofree gchar *digits = NULL;
	gsize start = self->pos;
	gboolean integer = FALSE;
	gint64 number = 0;
	gdouble real = 0;

	if (!skip_number(self, &integer, error))
		return FALSE;
	if (self->pos - start > DSTACK_LIMIT_JSON_NUMBER) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: number at offset %" G_GSIZE_FORMAT " has more than %d characters", self->what,
				    start, DSTACK_LIMIT_JSON_NUMBER);
	}
	digits = g_strndup(self->text + start, self->pos - start);
	if (integer && parse_int64(digits, &number)) {
		*out = json_node_init_int(json_node_alloc(), number);
		return TRUE;
	}
	real = integer ? (gdouble)INFINITY : g_ascii_strtod(digits, NULL);
	if (!isfinite(real)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: number %s at offset %" G_GSIZE_FORMAT " is out of range", self->what, digits,
				    start);
	}
	*out = json_node_init_double(json_node_alloc(), real);
	return TRUE;
}

static gboolean
read_literal(JsonReading *self, JsonNode **out, GError **error)
{
	static const struct {
		const gchar *name;
		gsize length;
	} literals[] = {{"true", 4}, {"false", 5}, {"null", 4}};

	for (guint i = 0; i < G_N_ELEMENTS(literals); i++) {
		if (self->size - self->pos < literals[i].length ||
		    memcmp(self->text + self->pos, literals[i].name, literals[i].length) != 0)
			continue;
		self->pos += literals[i].length;
		*out =
		    i == 2 ? json_node_init_null(json_node_alloc()) : json_node_init_boolean(json_node_alloc(), i == 0);
		return TRUE;
	}
	return throw_expected(self, "a value", error);
}

static gboolean
read_member(JsonReading *self, JsonObject *object, GError **error)
{
	g_autofree gchar *name = NULL;
	JsonNode *value = NULL;
	gsize start = 0;
	gboolean wanted = FALSE;

	(void)peek_past_space(self);
	if (!read_string(self, &name, error))
		return FALSE;
	if (json_object_has_member(object, name)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: member '%s' comes twice, again before offset %" G_GSIZE_FORMAT, self->what,
				    name, self->pos);
	}
	if (json_object_get_size(object) >= DSTACK_LIMIT_JSON_MEMBERS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: object with more than %d members at offset %" G_GSIZE_FORMAT, self->what,
				    DSTACK_LIMIT_JSON_MEMBERS, self->pos);
	}
	if (!take_past_space(self, ':'))
		return throw_expected(self, "':'", error);
	(void)peek_past_space(self);
	start = self->pos;
	wanted = self->depth == 1 && self->wanted != NULL && g_str_equal(name, self->wanted);
	if (!read_value(self, &value, error))
		return FALSE;
	json_object_set_member(object, name, value);
	if (wanted) {
		self->found = TRUE;
		self->start = start;
		self->length = self->pos - start;
	}
	return TRUE;
}

static gboolean
read_object(JsonReading *self, JsonNode **out, GError **error)
{
	g_autoptr(JsonObject) object = json_object_new();

	self->pos++;
	if (!take_past_space(self, '}')) {
		do {
			if (!read_member(self, object, error))
				return FALSE;
		} while (take_past_space(self, ','));
		if (!take(self, '}'))
			return throw_expected(self, "',' or '}'", error);
	}
	*out = json_node_init_object(json_node_alloc(), object);
	return TRUE;
}

static gboolean
read_array(JsonReading *self, JsonNode **out, GError **error)
{
	g_autoptr(JsonArray) array = json_array_new();

	self->pos++;
	if (!take_past_space(self, ']')) {
		do {
			JsonNode *element = NULL;

			if (!read_value(self, &element, error))
				return FALSE;
			json_array_add_element(array, element);
		} while (take_past_space(self, ','));
		if (!take(self, ']'))
			return throw_expected(self, "',' or ']'", error);
	}
	*out = json_node_init_array(json_node_alloc(), array);
	return TRUE;
}

static gboolean
read_container(JsonReading *self, JsonNode **out, GError **error)
{
	gboolean ok = FALSE;

	if (self->depth >= DSTACK_LIMIT_JSON_DEPTH) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: nested more than %d deep at offset %" G_GSIZE_FORMAT, self->what,
				    DSTACK_LIMIT_JSON_DEPTH, self->pos);
	}
	self->depth++;
	ok = peek(self) == '{' ? read_object(self, out, error) : read_array(self, out, error);
	self->depth--;
	return ok;
}

/* recursion ends at DSTACK_LIMIT_JSON_DEPTH */
static gboolean
read_value(JsonReading *self, JsonNode **out, GError **error)
{
	g_autofree gchar *string = NULL;
	gchar first = peek_past_space(self);

	if (++self->n_values > DSTACK_LIMIT_JSON_VALUES) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: more than %d values", self->what,
				    DSTACK_LIMIT_JSON_VALUES);
	}
	if (first == '{' || first == '[')
		return read_container(self, out, error);
	if (first == '-' || g_ascii_isdigit(first))
		return read_number(self, out, error);
	if (first != '"')
		return read_literal(self, out, error);
	if (!read_string(self, &string, error))
		return FALSE;
	*out = json_node_init_string(json_node_alloc(), string);
	return TRUE;
}

static JsonNode *
read_document(JsonReading *self, GError **error)
{
	g_autoptr(JsonNode) node = NULL;
	const gchar *bad = NULL;

	if (!g_utf8_validate_len(self->text, self->size, &bad)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: not UTF-8 without NUL at offset %" G_GSIZE_FORMAT,
			     self->what, (gsize)(bad - self->text));
		return NULL;
	}
	if (!read_value(self, &node, error))
		return NULL;
	if (peek_past_space(self) != '\0') {
		throw_expected(self, "nothing after the value", error);
		return NULL;
	}
	return g_steal_pointer(&node);
}

/**
 * dstack_json_parse:
 * @text: (array length=size): the text, not NUL-terminated
 * @size: bytes of @text
 * @max: the largest size accepted, see base/limits.h
 * @what: name of the document for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the offset
 *
 * Reads one JSON value that fills @text but for white space. Integers keep their exact value; one outside the
 * range of a signed 64-bit integer is refused, because json-glib has no unsigned one and would wrap it. Numbers
 * with a fraction or an exponent become doubles and must be finite.
 *
 * Returns: (transfer full): the value, or %NULL
 */
JsonNode *
dstack_json_parse(const gchar *text, gsize size, gsize max, const gchar *what, GError **error)
{
	JsonReading reading = {.text = text == NULL ? "" : text, .size = size, .what = what};

	if (size > max) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED,
			     "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " are accepted", what, size,
			     max);
		return NULL;
	}
	return read_document(&reading, error);
}

/**
 * dstack_json_parse_object:
 * @text: (array length=size): the text
 * @size: bytes of @text
 * @max: the largest size accepted
 * @what: name of the document for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * As dstack_json_parse(), for a document that must be an object.
 *
 * Returns: (transfer full): the object, or %NULL
 */
JsonObject *
dstack_json_parse_object(const gchar *text, gsize size, gsize max, const gchar *what, GError **error)
{
	g_autoptr(JsonNode) node = dstack_json_parse(text, size, max, what, error);

	if (node == NULL)
		return NULL;
	if (!JSON_NODE_HOLDS_OBJECT(node)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a JSON object, found another value", what);
		return NULL;
	}
	return json_node_dup_object(node);
}

/**
 * dstack_json_find_member:
 * @text: (array length=size): the text of an object
 * @size: bytes of @text
 * @member: name of a member at the top level
 * @what: name of the document for errors
 * @out_start: (out): offset of the value's first byte
 * @out_size: (out): bytes of the value, white space around it excluded
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when @text is not sound JSON or lacks the member
 *
 * For signatures over a value as it was received, and for replacing one value and nothing else. Reads the whole
 * text as strictly as dstack_json_parse() does.
 *
 * Returns: %TRUE when the member is there
 */
gboolean
dstack_json_find_member(const gchar *text, gsize size, const gchar *member, const gchar *what, gsize *out_start,
			gsize *out_size, GError **error)
{
	JsonReading reading = {.text = text == NULL ? "" : text, .size = size, .what = what, .wanted = member};
	g_autoptr(JsonNode) node = read_document(&reading, error);

	if (node == NULL)
		return FALSE;
	if (!reading.found)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: member '%s' is missing", what, member);
	*out_start = reading.start;
	*out_size = reading.length;
	return TRUE;
}
