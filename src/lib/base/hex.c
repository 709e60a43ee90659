/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as text. Hex may have upper case on the way in and has lower case on the way out;
 * base64 is the standard alphabet with padding and no line breaks (RFC 4648, section 4),
 * and only its canonical form is read: GLib's own decoder skips what it does not know.
 */

#include "config.h"

#include "base/hex.h"

#include <string.h>

#include "base/error.h"

/**
 * dstack_hex_encode:
 * @data: (array length=size) (nullable): the bytes
 * @size: number of bytes
 *
 * Returns: (transfer full): 2 · @size lower-case digits
 */
gchar *
dstack_hex_encode(const guint8 *data, gsize size)
{
	static const gchar digits[] = "0123456789abcdef";
	gchar *text = g_malloc(2 * size + 1);

	for (gsize i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 0xf];
	}
	text[2 * size] = '\0';
	return text;
}

/**
 * dstack_hex_encode_bytes:
 * @bytes: the bytes
 *
 * Returns: (transfer full): the bytes as lower-case digits
 */
gchar *
dstack_hex_encode_bytes(GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	return dstack_hex_encode(data, size);
}

static gboolean
hex_decode_digits(const gchar *text, const gchar *what, guint8 *out, gsize size, GError **error)
{
	for (gsize i = 0; i < 2 * size; i++) {
		gint digit = g_ascii_xdigit_value(text[i]);

		if (digit < 0) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "%s: character %" G_GSIZE_FORMAT " (0x%02x) is no hex digit", what, i,
					    (guint)(guint8)text[i]);
		}
		if (i % 2 == 0)
			out[i / 2] = (guint8)(digit << 4);
		else
			out[i / 2] |= (guint8)digit;
	}
	return TRUE;
}

/**
 * dstack_hex_decode:
 * @text: hex digits of either case
 * @what: name of the value for errors
 * @out: (out caller-allocates): room for @size bytes; undefined on failure
 * @size: number of bytes expected
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on another length or another character
 *
 * Returns: %TRUE when @text is exactly 2 · @size digits
 */
gboolean
dstack_hex_decode(const gchar *text, const gchar *what, guint8 *out, gsize size, GError **error)
{
	gsize length = strlen(text);

	if (length != 2 * size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: expected %" G_GSIZE_FORMAT " hex digits, found %" G_GSIZE_FORMAT " characters", what,
				    2 * size, length);
	}
	return hex_decode_digits(text, what, out, size, error);
}

/**
 * dstack_hex_decode_bytes:
 * @text: hex digits of either case
 * @what: name of the value for errors
 * @max: most bytes accepted
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on an odd count, another character, or more than @max bytes
 *
 * Returns: (transfer full) (nullable): the bytes
 */
GBytes *
dstack_hex_decode_bytes(const gchar *text, const gchar *what, gsize max, GError **error)
{
	g_autofree guint8 *out = NULL;
	gsize length = strlen(text);

	if (length % 2 != 0) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: odd number of hex digits (%" G_GSIZE_FORMAT ")", what,
			     length);
		return NULL;
	}
	if (length / 2 > max) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED,
			     "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " accepted", what, length / 2, max);
		return NULL;
	}
	out = g_malloc(length / 2 + 1);
	if (!hex_decode_digits(text, what, out, length / 2, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&out), length / 2);
}

/**
 * dstack_base64_encode:
 * @bytes: the bytes
 *
 * Returns: (transfer full): base64 with padding, no line breaks
 */
gchar *
dstack_base64_encode(GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	return size == 0 ? g_strdup("") : g_base64_encode(data, size);
}

/**
 * dstack_base64_decode:
 * @text: base64
 * @what: name of the value for errors
 * @max: most bytes accepted
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on anything but the canonical form of at most @max bytes
 *
 * Returns: (transfer full) (nullable): the bytes
 */
GBytes *
dstack_base64_decode(const gchar *text, const gchar *what, gsize max, GError **error)
{
	g_autofree guint8 *data = NULL;
	g_autofree gchar *again = NULL;
	gsize size = 0;

	if (strlen(text) / 4 > max / 3 + 1) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: more than %" G_GSIZE_FORMAT " bytes of base64", what, max);
		return NULL;
	}
	data = g_base64_decode(text, &size);
	again = size == 0 ? g_strdup("") : g_base64_encode(data, size);
	if (size > max || strcmp(text, again) != 0) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED,
			     "%s: not base64 in its standard form (padding, no line breaks, at most %" G_GSIZE_FORMAT
			     " bytes)",
			     what, max);
		return NULL;
	}
	return g_bytes_new_take(g_steal_pointer(&data), size);
}
