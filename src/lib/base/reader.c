/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The byte cursor. A length is compared with what is left, never added to a position first,
 * so no sum can wrap.
 */

#include "config.h"

#include "base/reader.h"

#include <string.h>

#include "base/error.h"

/**
 * dstack_reader_init:
 * @self: the reader
 * @base: (array length=size) (nullable): the bytes, borrowed
 * @size: number of bytes
 * @what: name of the input for errors, borrowed
 *
 * Starts reading at the first byte of @base.
 */
void
dstack_reader_init(DstackReader *self, const guint8 *base, gsize size, const gchar *what)
{
	*self = (DstackReader){.base = base, .size = size, .what = what};
}

/**
 * dstack_reader_init_bytes:
 * @self: the reader
 * @bytes: the bytes, borrowed: no reference is taken
 * @what: name of the input for errors, borrowed
 *
 * As dstack_reader_init(), over a #GBytes.
 */
void
dstack_reader_init_bytes(DstackReader *self, GBytes *bytes, const gchar *what)
{
	gsize size = 0;
	const guint8 *base = g_bytes_get_data(bytes, &size);

	dstack_reader_init(self, base, size, what);
}

/**
 * dstack_reader_left:
 * @self: the reader
 *
 * Returns: how many bytes have not been read yet
 */
gsize
dstack_reader_left(const DstackReader *self)
{
	return self->size - self->pos;
}

/**
 * dstack_reader_peek:
 * @self: the reader
 *
 * Returns: (transfer none): where the next byte stands; dstack_reader_left() bytes may be read there
 */
const guint8 *
dstack_reader_peek(const DstackReader *self)
{
	return self->base == NULL ? NULL : self->base + self->pos;
}

/**
 * dstack_reader_take:
 * @self: the reader
 * @n: number of bytes
 * @field: name of the field for errors
 * @out: (out) (transfer none): the bytes, valid as long as the reader's input
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when fewer than @n bytes are left
 *
 * Returns: %TRUE and steps over @n bytes, or %FALSE and changes nothing
 */
gboolean
dstack_reader_take(DstackReader *self, gsize n, const gchar *field, const guint8 **out, GError **error)
{
	gsize left = dstack_reader_left(self);

	if (n > left) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s needs %" G_GSIZE_FORMAT " bytes at offset 0x%" G_GSIZE_MODIFIER
				    "x, only %" G_GSIZE_FORMAT " left",
				    self->what, field, n, self->pos, left);
	}
	*out = dstack_reader_peek(self);
	self->pos += n;
	return TRUE;
}

/**
 * dstack_reader_copy:
 * @self: the reader
 * @n: number of bytes
 * @field: name of the field for errors
 * @out: (out caller-allocates): room for @n bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when fewer than @n bytes are left
 *
 * Returns: %TRUE and steps over @n bytes, or %FALSE and changes nothing
 */
gboolean
dstack_reader_copy(DstackReader *self, gsize n, const gchar *field, void *out, GError **error)
{
	const guint8 *bytes = NULL;

	if (!dstack_reader_take(self, n, field, &bytes, error))
		return FALSE;
	if (n > 0)
		memcpy(out, bytes, n);
	return TRUE;
}

/**
 * dstack_reader_take_bytes:
 * @self: the reader
 * @n: number of bytes
 * @field: name of the field for errors
 * @out: (out) (transfer full): a copy of the bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when fewer than @n bytes are left
 *
 * The copy is made after the length is known to be there, so memory taken is bounded by the input.
 *
 * Returns: %TRUE and steps over @n bytes, or %FALSE and changes nothing
 */
gboolean
dstack_reader_take_bytes(DstackReader *self, gsize n, const gchar *field, GBytes **out, GError **error)
{
	const guint8 *bytes = NULL;

	if (!dstack_reader_take(self, n, field, &bytes, error))
		return FALSE;
	*out = g_bytes_new(bytes, n);
	return TRUE;
}

/**
 * dstack_reader_skip:
 * @self: the reader
 * @n: number of bytes
 * @field: name of the field for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when fewer than @n bytes are left
 *
 * Returns: %TRUE and steps over @n bytes of any value
 */
gboolean
dstack_reader_skip(DstackReader *self, gsize n, const gchar *field, GError **error)
{
	const guint8 *ignored = NULL;

	return dstack_reader_take(self, n, field, &ignored, error);
}

/**
 * dstack_reader_skip_zero:
 * @self: the reader
 * @n: number of bytes
 * @field: name of the field for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when a byte is missing or not zero
 *
 * For reserved fields that a specification wants zero.
 *
 * Returns: %TRUE and steps over @n zero bytes, or %FALSE and changes nothing
 */
gboolean
dstack_reader_skip_zero(DstackReader *self, gsize n, const gchar *field, GError **error)
{
	const guint8 *bytes = NULL;
	gsize start = self->pos;

	if (!dstack_reader_take(self, n, field, &bytes, error))
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		if (bytes[i] != 0) {
			self->pos = start;
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "%s: %s must be zero, found 0x%02x at offset 0x%" G_GSIZE_MODIFIER "x",
					    self->what, field, bytes[i], start + i);
		}
	}
	return TRUE;
}

/**
 * dstack_reader_sub:
 * @self: the reader
 * @n: number of bytes
 * @what: name of the part for errors, borrowed
 * @out: (out caller-allocates): a reader over just these bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when fewer than @n bytes are left
 *
 * Returns: %TRUE and steps over @n bytes, or %FALSE and changes nothing
 */
gboolean
dstack_reader_sub(DstackReader *self, gsize n, const gchar *what, DstackReader *out, GError **error)
{
	const guint8 *bytes = NULL;

	if (!dstack_reader_take(self, n, what, &bytes, error))
		return FALSE;
	dstack_reader_init(out, bytes, n, what);
	return TRUE;
}

/**
 * dstack_reader_slice:
 * @self: the reader
 * @offset: from the start of the input, whatever has been read
 * @n: number of bytes
 * @what: name of the part for errors, borrowed
 * @out: (out caller-allocates): a reader over just these bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the range leaves the input
 *
 * For formats that point into themselves. 64-bit arguments, so that a caller never narrows
 * a hostile number before it is checked.
 *
 * Returns: %TRUE when [@offset, @offset + @n) lies inside the input
 */
gboolean
dstack_reader_slice(const DstackReader *self, guint64 offset, guint64 n, const gchar *what, DstackReader *out,
		    GError **error)
{
	if (offset > self->size || n > self->size - offset) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s of 0x%" G_GINT64_MODIFIER "x bytes at offset 0x%" G_GINT64_MODIFIER
				    "x leaves the input of 0x%" G_GSIZE_MODIFIER "x bytes",
				    self->what, what, n, offset, self->size);
	}
	dstack_reader_init(out, self->base == NULL ? NULL : self->base + offset, (gsize)n, what);
	return TRUE;
}

/**
 * dstack_reader_seek:
 * @self: the reader
 * @offset: from the start of the input
 * @field: what should stand there, for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when @offset lies beyond the end
 *
 * Returns: %TRUE and reads on at @offset, which may be the end
 */
gboolean
dstack_reader_seek(DstackReader *self, guint64 offset, const gchar *field, GError **error)
{
	if (offset > self->size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s at offset 0x%" G_GINT64_MODIFIER "x lies beyond the input of 0x%"
				    G_GSIZE_MODIFIER "x bytes",
				    self->what, field, offset, self->size);
	}
	self->pos = (gsize)offset;
	return TRUE;
}

static gboolean
reader_le(DstackReader *self, gsize width, const gchar *field, guint64 *out, GError **error)
{
	const guint8 *p = NULL;
	guint64 value = 0;

	if (!dstack_reader_take(self, width, field, &p, error))
		return FALSE;
	for (gsize i = width; i > 0; i--)
		value = value << 8 | p[i - 1];
	*out = value;
	return TRUE;
}

static gboolean
reader_be(DstackReader *self, gsize width, const gchar *field, guint64 *out, GError **error)
{
	const guint8 *p = NULL;
	guint64 value = 0;

	if (!dstack_reader_take(self, width, field, &p, error))
		return FALSE;
	for (gsize i = 0; i < width; i++)
		value = value << 8 | p[i];
	*out = value;
	return TRUE;
}

/* the typed reads differ in width and byte order only */
#define DEFINE_READ(suffix, type, order)                                                                               \
	gboolean dstack_reader_##suffix(DstackReader *self, const gchar *field, type *out, GError **error)             \
	{                                                                                                              \
		guint64 value = 0;                                                                                     \
                                                                                                                       \
		if (!reader_##order(self, sizeof(type), field, &value, error))                                         \
			return FALSE;                                                                                  \
		*out = (type)value;                                                                                    \
		return TRUE;                                                                                           \
	}

DEFINE_READ(u8, guint8, le)
DEFINE_READ(u16le, guint16, le)
DEFINE_READ(u32le, guint32, le)
DEFINE_READ(u64le, guint64, le)
DEFINE_READ(u16be, guint16, be)
DEFINE_READ(u32be, guint32, be)
DEFINE_READ(u64be, guint64, be)

/**
 * dstack_reader_uleb128:
 * @self: the reader
 * @field: name of the field for errors
 * @out: (out): the number
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when truncated or wider than 64 bits
 *
 * Reads an unsigned LEB128 number: seven bits a byte, lowest first, bit 7 set on all but the last.
 *
 * Returns: %TRUE and steps over it, or %FALSE and changes nothing
 */
gboolean
dstack_reader_uleb128(DstackReader *self, const gchar *field, guint64 *out, GError **error)
{
	gsize start = self->pos;
	guint64 value = 0;

	for (guint shift = 0;; shift += 7) {
		guint8 byte = 0;

		if (!dstack_reader_u8(self, field, &byte, error)) {
			self->pos = start;
			return FALSE;
		}
		if (shift > 63 || (shift == 63 && (byte & 0x7e) != 0)) {
			self->pos = start;
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "%s: %s at offset 0x%" G_GSIZE_MODIFIER "x is wider than 64 bits", self->what,
					    field, start);
		}
		value |= (guint64)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			break;
	}
	*out = value;
	return TRUE;
}

/**
 * dstack_reader_finish:
 * @self: the reader
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when bytes are left
 *
 * Returns: %TRUE when everything has been read
 */
gboolean
dstack_reader_finish(const DstackReader *self, GError **error)
{
	gsize left = dstack_reader_left(self);

	if (left == 0)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "%s: %" G_GSIZE_FORMAT " trailing bytes at offset 0x%" G_GSIZE_MODIFIER "x", self->what, left,
			    self->pos);
}
