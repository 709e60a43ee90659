/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * DER values off the byte cursor. Encoding rules: ITU-T X.690, sections 8 and 10.
 */

#include "config.h"

#include "dcap/der.h"

#include <string.h>

#include "base/error.h"

/* up to three length bytes: everything we read lies within a certificate */
static gboolean
take_length(DstackReader *self, const gchar *field, gsize *out, GError **error)
{
	guint8 first = 0;
	gsize length = 0;

	if (!dstack_reader_u8(self, field, &first, error))
		return FALSE;
	if (first < 0x80) {
		*out = first;
		return TRUE;
	}
	if (first == 0x80 || first > 0x83)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: length byte 0x%02x is not DER or too long",
				    self->what, field, first);
	for (guint i = 0; i < (guint)(first & 0x7f); i++) {
		guint8 byte = 0;

		if (!dstack_reader_u8(self, field, &byte, error))
			return FALSE;
		length = length << 8 | byte;
	}
	if (length < 0x80 || length >> (8 * ((first & 0x7f) - 1)) == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: length is not in its shortest form",
				    self->what, field);
	*out = length;
	return TRUE;
}

/**
 * dstack_der_take:
 * @self: a reader at a value
 * @tag: the tag expected
 * @field: name of the value for errors
 * @out: (out): reads the value's content
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on another tag or a length that is not DER
 *
 * Returns: %TRUE when the value was there; on failure @self stays where it was
 */
gboolean
dstack_der_take(DstackReader *self, guint8 tag, const gchar *field, DstackReader *out, GError **error)
{
	DstackReader copy = *self;
	guint8 found = 0;
	gsize length = 0;

	if (!dstack_reader_u8(&copy, field, &found, error))
		return FALSE;
	if (found != tag)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected tag 0x%02x, found 0x%02x at offset 0x%" G_GSIZE_MODIFIER "x",
				    self->what, field, tag, found, self->pos);
	if (!take_length(&copy, field, &length, error) || !dstack_reader_sub(&copy, length, field, out, error))
		return FALSE;
	*self = copy;
	return TRUE;
}

/**
 * dstack_der_uint:
 * @self: a reader at a value
 * @tag: %DSTACK_DER_INTEGER or %DSTACK_DER_ENUMERATED
 * @field: name of the value for errors
 * @max: largest value accepted, at most 2^24 - 1
 * @out: (out): the value
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is negative, too large or not in its shortest form
 *
 * Returns: %TRUE when the value could be read
 */
gboolean
dstack_der_uint(DstackReader *self, guint8 tag, const gchar *field, guint32 max, guint32 *out, GError **error)
{
	DstackReader copy = *self;
	DstackReader content;
	const guint8 *bytes = NULL;
	guint32 value = 0;

	if (!dstack_der_take(&copy, tag, field, &content, error))
		return FALSE;
	if (content.size == 0 || content.size > 4)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected 1 to 4 bytes, found %" G_GSIZE_FORMAT, self->what, field,
				    content.size);
	if (!dstack_reader_take(&content, content.size, field, &bytes, error))
		return FALSE;
	if ((bytes[0] & 0x80) != 0 || (content.size > 1 && bytes[0] == 0 && (bytes[1] & 0x80) == 0))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: negative, or not in its shortest form",
				    self->what, field);
	for (gsize i = 0; i < content.size; i++)
		value = value << 8 | bytes[i];
	if (value > max)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: expected at most %u, found %u", self->what,
				    field, max, value);
	*self = copy;
	*out = value;
	return TRUE;
}

/**
 * dstack_der_boolean:
 * @self: a reader at a value
 * @field: name of the value for errors
 * @out: (out): the value
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on anything but 0x00 and 0xff
 *
 * Returns: %TRUE when the value could be read
 */
gboolean
dstack_der_boolean(DstackReader *self, const gchar *field, gboolean *out, GError **error)
{
	DstackReader copy = *self;
	DstackReader content;
	guint8 byte = 0;

	if (!dstack_der_take(&copy, DSTACK_DER_BOOLEAN, field, &content, error) ||
	    !dstack_reader_u8(&content, field, &byte, error) || !dstack_reader_finish(&content, error))
		return FALSE;
	if (byte != 0 && byte != 0xff)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: expected 0x00 or 0xff, found 0x%02x",
				    self->what, field, byte);
	*self = copy;
	*out = byte != 0;
	return TRUE;
}

/**
 * dstack_der_octets:
 * @self: a reader at a value
 * @field: name of the value for errors
 * @out: (out caller-allocates): room for @size bytes
 * @size: number of bytes expected
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on another length
 *
 * Returns: %TRUE when the value is an OCTET STRING of @size bytes
 */
gboolean
dstack_der_octets(DstackReader *self, const gchar *field, guint8 *out, gsize size, GError **error)
{
	DstackReader copy = *self;
	DstackReader content;
	const guint8 *bytes = NULL;

	if (!dstack_der_take(&copy, DSTACK_DER_OCTET_STRING, field, &content, error) ||
	    !dstack_reader_take(&content, size, field, &bytes, error) || !dstack_reader_finish(&content, error))
		return FALSE;
	memcpy(out, bytes, size);
	*self = copy;
	return TRUE;
}
