/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * JSON text in the three forms that dstack's own programs write, byte for byte: serde_json's compact and pretty
 * ones, and the canonical one of RFC 8785.
 */

#include "config.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

static void write_node(GString *out, JsonNode *node, DstackJsonStyle style, guint depth);

static void
write_string(GString *out, const gchar *text)
{
	static const gchar special[] = "\"\\\b\f\n\r\t";
	static const gchar letters[] = "\"\\bfnrt";

	g_string_append_c(out, '"');
	for (const gchar *p = text; *p != '\0'; p++) {
		const gchar *at = strchr(special, *p);

		if (at != NULL) {
			g_string_append_c(out, '\\');
			g_string_append_c(out, letters[at - special]);
		} else if ((guchar)*p < 0x20) {
			g_string_append_printf(out, "\\u%04x", (guint)(guchar)*p);
		} else {
			g_string_append_c(out, *p);
		}
	}
	g_string_append_c(out, '"');
}

/* the fewest significant digits that read back as the same double, and the power of ten of the first one */
static void
shortest_digits(gdouble value, GString *out_digits, gint *out_exponent)
{
	gchar format[8];
	gchar text[G_ASCII_DTOSTR_BUF_SIZE];
	const gchar *mark = NULL;

	for (guint precision = 0; precision <= 16; precision++) {
		(void)g_snprintf(format, sizeof(format), "%%.%ue", precision);
		(void)g_ascii_formatd(text, sizeof(text), format, value);
		/* bitwise the same, which == would not ask of the zeros */
		if (!(g_ascii_strtod(text, NULL) < value) && !(g_ascii_strtod(text, NULL) > value))
			break;
	}
	mark = strchr(text, 'e');
	for (const gchar *p = text; p < mark; p++) {
		if (g_ascii_isdigit(*p))
			g_string_append_c(out_digits, *p);
	}
	*out_exponent = (gint)g_ascii_strtoll(mark + 1, NULL, 10);
}

static void
append_zeros(GString *out, gint n)
{
	for (gint i = 0; i < n; i++)
		g_string_append_c(out, '0');
}

/* between which powers of ten a number is written without an exponent, and how the exponent looks */
typedef struct {
	gint lowest;
	gint highest;
	const gchar *integer_end;
	const gchar *plus;
} NumberStyle;

static const NumberStyle serde_numbers = {-5, 15, ".0", ""};	 /* the ryu crate's pretty printer */
static const NumberStyle ecmascript_numbers = {-6, 20, "", "+"}; /* RFC 8785, section 3.2.2.3 */

static void
write_double(GString *out, gdouble value, const NumberStyle *style)
{
	g_autoptr(GString) digits = g_string_new(NULL);
	gint exponent = 0;
	gint n = 0;

	/* only the canonical form drops the sign of a zero */
	if (value < 0 || (signbit(value) && style == &serde_numbers))
		g_string_append_c(out, '-');
	shortest_digits(value < 0 ? -value : value, digits, &exponent);
	n = (gint)digits->len;
	if (exponent < style->lowest || exponent > style->highest) {
		g_string_append_c(out, digits->str[0]);
		if (n > 1)
			g_string_append_printf(out, ".%s", digits->str + 1);
		g_string_append_printf(out, "e%s%d", exponent > 0 ? style->plus : "", exponent);
	} else if (exponent < 0) {
		g_string_append(out, "0.");
		append_zeros(out, -exponent - 1);
		g_string_append(out, digits->str);
	} else if (n <= exponent + 1) {
		g_string_append(out, digits->str);
		append_zeros(out, exponent + 1 - n);
		g_string_append(out, style->integer_end);
	} else {
		g_string_append_len(out, digits->str, exponent + 1);
		g_string_append_printf(out, ".%s", digits->str + exponent + 1);
	}
}

static void
write_value(GString *out, JsonNode *node, DstackJsonStyle style)
{
	GType type = json_node_get_value_type(node);

	if (type == G_TYPE_STRING)
		write_string(out, json_node_get_string(node));
	else if (type == G_TYPE_BOOLEAN)
		g_string_append(out, json_node_get_boolean(node) ? "true" : "false");
	else if (type == G_TYPE_DOUBLE)
		write_double(out, json_node_get_double(node),
			     style == DSTACK_JSON_JCS ? &ecmascript_numbers : &serde_numbers);
	else
		g_string_append_printf(out, "%" G_GINT64_FORMAT, json_node_get_int(node));
}

static void
write_line_break(GString *out, DstackJsonStyle style, guint depth)
{
	if (style != DSTACK_JSON_PRETTY)
		return;
	g_string_append_c(out, '\n');
	for (guint i = 0; i < depth; i++)
		g_string_append(out, "  ");
}

/* a UTF-16 code unit's rank: characters beyond the basic plane start with a surrogate, so come before U+E000 */
static guint
utf16_rank(gunichar character)
{
	if (character >= 0x10000)
		return 0xd800 + (guint)((character - 0x10000) >> 10);
	return (guint)character;
}

static gint
compare_utf16(gconstpointer a, gconstpointer b)
{
	const gchar *left = a;
	const gchar *right = b;
	guint ranks[2];

	while (*left != '\0' && *left == *right) {
		left++;
		right++;
	}
	/* back to where the characters start that differ */
	while (left > (const gchar *)a && ((guchar)*left & 0xc0) == 0x80) {
		left--;
		right--;
	}
	ranks[0] = utf16_rank(g_utf8_get_char(left));
	ranks[1] = utf16_rank(g_utf8_get_char(right));
	if (ranks[0] != ranks[1])
		return ranks[0] < ranks[1] ? -1 : 1;
	/* the same high surrogate: the low one decides, and grows with the character, whose bytes do too */
	return strcmp(left, right);
}

static void
write_object(GString *out, JsonObject *object, DstackJsonStyle style, guint depth)
{
	g_autoptr(GList) names = json_object_get_members(object);

	if (style == DSTACK_JSON_JCS)
		names = g_list_sort(names, compare_utf16);
	g_string_append_c(out, '{');
	for (GList *link = names; link != NULL; link = link->next) {
		if (link != names)
			g_string_append_c(out, ',');
		write_line_break(out, style, depth + 1);
		write_string(out, link->data);
		g_string_append(out, style == DSTACK_JSON_PRETTY ? ": " : ":");
		write_node(out, json_object_get_member(object, link->data), style, depth + 1);
	}
	if (names != NULL)
		write_line_break(out, style, depth);
	g_string_append_c(out, '}');
}

static void
write_array(GString *out, JsonArray *array, DstackJsonStyle style, guint depth)
{
	guint n = json_array_get_length(array);

	g_string_append_c(out, '[');
	for (guint i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(out, ',');
		write_line_break(out, style, depth + 1);
		write_node(out, json_array_get_element(array, i), style, depth + 1);
	}
	if (n > 0)
		write_line_break(out, style, depth);
	g_string_append_c(out, ']');
}

/* as deep as the node tree is, which the reader bounds and our own builders keep shallow */
static void
write_node(GString *out, JsonNode *node, DstackJsonStyle style, guint depth)
{
	switch (json_node_get_node_type(node)) {
	case JSON_NODE_OBJECT:
		write_object(out, json_node_get_object(node), style, depth);
		break;
	case JSON_NODE_ARRAY:
		write_array(out, json_node_get_array(node), style, depth);
		break;
	case JSON_NODE_VALUE:
		write_value(out, node, style);
		break;
	case JSON_NODE_NULL:
		g_string_append(out, "null");
		break;
	}
}

/**
 * dstack_json_to_text:
 * @node: the value
 * @style: compact, pretty or canonical
 *
 * Writes @node as serde_json does (escapes for quote, backslash and control characters only, the rest raw UTF-8,
 * members in their order), or in the canonical form of RFC 8785 (members sorted by UTF-16 code units, numbers with
 * a fraction as ECMAScript prints them). Integers are written exactly in every style, also above 2^53.
 *
 * Returns: (transfer full): the text, without a final line break
 */
gchar *
dstack_json_to_text(JsonNode *node, DstackJsonStyle style)
{
	g_autoptr(GString) out = g_string_new(NULL);

	write_node(out, node, style, 0);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
