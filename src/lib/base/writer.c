/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Appending numbers to a GByteArray in a stated byte order.
 */

#include "config.h"

#include "base/writer.h"

#include <string.h>

/**
 * dstack_store_u16le:
 * @at: room for two bytes
 * @value: the number
 *
 * Stores @value at @at, lowest byte first. Likewise the 32- and 64-bit forms.
 */
void
dstack_store_u16le(guint8 *at, guint16 value)
{
	guint16 le = GUINT16_TO_LE(value);

	memcpy(at, &le, sizeof(le));
}

void
dstack_store_u32le(guint8 *at, guint32 value)
{
	guint32 le = GUINT32_TO_LE(value);

	memcpy(at, &le, sizeof(le));
}

void
dstack_store_u64le(guint8 *at, guint64 value)
{
	guint64 le = GUINT64_TO_LE(value);

	memcpy(at, &le, sizeof(le));
}

/**
 * dstack_append_u8:
 * @out: the array
 * @value: the byte
 *
 * Appends one byte; the wider forms append theirs lowest byte first.
 */
void
dstack_append_u8(GByteArray *out, guint8 value)
{
	g_byte_array_append(out, &value, 1);
}

void
dstack_append_u16le(GByteArray *out, guint16 value)
{
	guint8 bytes[2];

	dstack_store_u16le(bytes, value);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

void
dstack_append_u32le(GByteArray *out, guint32 value)
{
	guint8 bytes[4];

	dstack_store_u32le(bytes, value);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

void
dstack_append_u64le(GByteArray *out, guint64 value)
{
	guint8 bytes[8];

	dstack_store_u64le(bytes, value);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

/**
 * dstack_append_zero:
 * @out: the array
 * @n: number of zero bytes; the array must stay below 4 GiB, as every #GByteArray
 */
void
dstack_append_zero(GByteArray *out, gsize n)
{
	guint old = out->len;

	g_byte_array_set_size(out, old + (guint)n);
	if (n > 0)
		memset(out->data + old, 0, n);
}

/**
 * dstack_append_utf16le:
 * @out: the array
 * @ascii: a string of ASCII characters
 *
 * Appends each character as a two-byte unit, without a terminator. For constants such as
 * UEFI variable names; text from outside goes through g_utf8_to_utf16().
 */
void
dstack_append_utf16le(GByteArray *out, const gchar *ascii)
{
	for (const gchar *p = ascii; *p != '\0'; p++)
		dstack_append_u16le(out, (guint8)*p);
}

/**
 * dstack_append_uleb128:
 * @out: the array
 * @value: the number
 *
 * Appends @value as unsigned LEB128, shortest form.
 */
void
dstack_append_uleb128(GByteArray *out, guint64 value)
{
	while (value >= 0x80) {
		dstack_append_u8(out, (guint8)(value | 0x80));
		value >>= 7;
	}
	dstack_append_u8(out, (guint8)value);
}
