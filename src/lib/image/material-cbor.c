/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a CBOR map, and CBOR written as formats.md, section 2 wants it: definite lengths, shortest integers, keys
 * in the order in which the caller appends them.
 */

#include "config.h"

#include "image/material-cbor.h"

#include <string.h>

#include <cbor.h>

#include "base/error.h"

/* the longest head: one byte and a 64-bit number */
#define HEAD_SIZE 9

/**
 * dstack_material_map_see:
 * @self: the map
 * @key: a key that came
 *
 * Returns: its position in the list of known keys, or -1
 */
gint
dstack_material_map_see(DstackMaterialMap *self, const gchar *key)
{
	for (guint i = 0; self->keys[i] != NULL; i++) {
		if (g_str_equal(self->keys[i], key)) {
			self->seen |= 1u << i;
			return (gint)i;
		}
	}
	return -1;
}

/**
 * dstack_material_map_has:
 * @self: the map
 * @position: of a key in the list of known keys
 *
 * Returns: whether the key came
 */
gboolean
dstack_material_map_has(const DstackMaterialMap *self, guint position)
{
	return (self->seen & 1u << position) != 0;
}

/**
 * dstack_material_map_ensure:
 * @self: the map, read to its end
 * @required: bit i is set when the key at position i must be there
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, naming the first that is missing
 *
 * Returns: %TRUE when all have come
 */
gboolean
dstack_material_map_ensure(const DstackMaterialMap *self, guint required, GError **error)
{
	for (guint i = 0; self->keys[i] != NULL; i++) {
		if ((required & 1u << i) != 0 && !dstack_material_map_has(self, i)) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: '%s' is missing", self->what,
					    self->keys[i]);
		}
	}
	return TRUE;
}

typedef size_t (*EncodeHead)(size_t value, unsigned char *buffer, size_t size);

static void
append_head(GByteArray *out, EncodeHead encode, gsize value)
{
	guint8 head[HEAD_SIZE];
	gsize size = encode(value, head, sizeof(head));

	g_byte_array_append(out, head, (guint)size);
}

/**
 * dstack_cbor_append_map:
 * @out: where to append
 * @n_pairs: how many pairs the caller appends next
 *
 * Starts a map.
 */
void
dstack_cbor_append_map(GByteArray *out, guint64 n_pairs)
{
	append_head(out, cbor_encode_map_start, n_pairs);
}

/**
 * dstack_cbor_append_array:
 * @out: where to append
 * @n_items: how many items the caller appends next
 *
 * Starts an array.
 */
void
dstack_cbor_append_array(GByteArray *out, guint64 n_items)
{
	append_head(out, cbor_encode_array_start, n_items);
}

/**
 * dstack_cbor_append_uint:
 * @out: where to append
 * @value: the number
 *
 * Appends an unsigned integer in its shortest form.
 */
void
dstack_cbor_append_uint(GByteArray *out, guint64 value)
{
	append_head(out, cbor_encode_uint, value);
}

/**
 * dstack_cbor_append_bool:
 * @out: where to append
 * @value: the value
 *
 * Appends a boolean.
 */
void
dstack_cbor_append_bool(GByteArray *out, gboolean value)
{
	guint8 byte = 0;

	(void)cbor_encode_bool(value, &byte, 1);
	g_byte_array_append(out, &byte, 1);
}

/**
 * dstack_cbor_append_text:
 * @out: where to append
 * @text: valid UTF-8
 *
 * Appends a text.
 */
void
dstack_cbor_append_text(GByteArray *out, const gchar *text)
{
	gsize size = strlen(text);

	append_head(out, cbor_encode_string_start, size);
	g_byte_array_append(out, (const guint8 *)text, (guint)size);
}

/**
 * dstack_cbor_append_bytes:
 * @out: where to append
 * @data: (array length=size): the bytes
 * @size: how many
 *
 * Appends a byte string.
 */
void
dstack_cbor_append_bytes(GByteArray *out, const guint8 *data, gsize size)
{
	append_head(out, cbor_encode_bytestring_start, size);
	g_byte_array_append(out, data, (guint)size);
}
