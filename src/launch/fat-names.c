/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * FAT directory entries. Source: Microsoft, "FAT: General Overview of On-Disk Format", version 1.03,
 * sections "FAT Directory Structure" and "FAT Long Directory Entries".
 */
#include "config.h"

#include "launch/fat-names.h"

#include <string.h>

#include "base/error.h"
#include "base/writer.h"

#define ATTRIBUTE_LABEL	  0x08
#define ATTRIBUTE_ARCHIVE 0x20
#define ATTRIBUTE_LONG	  0x0f
#define LAST_LONG	  0x40
#define UNITS_PER_ENTRY	  13
#define NAME_UNITS_MAX	  255
#define DATE_1980_01_01	  0x0021 /* the same image for the same files, whenever it is made */

gboolean
dstack_fat_name_ensure(const gchar *name, GError **error)
{
	gsize len = strlen(name);

	if (len == 0 || !g_utf8_validate(name, (gssize)len, NULL))
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "share disk: a file's name is empty or no UTF-8");
	if (g_utf8_strlen(name, -1) > NAME_UNITS_MAX / 2 || name[len - 1] == '.' || name[len - 1] == ' ')
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "share disk: FAT cannot hold the name '%s': too long, or a dot or blank at its end",
				    name);
	for (gsize i = 0; i < len; i++) {
		if ((guchar)name[i] < 0x20 || strchr("\"*/:<>?\\|", name[i]) != NULL)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "share disk: FAT cannot hold the name '%s': character 0x%02x", name,
					    (guint)(guchar)name[i]);
	}
	return TRUE;
}

/* one of eleven characters that no other file has; readers that matter use the long name */
static void
fill_short_name(gchar short_name[11], guint index)
{
	g_autofree gchar *text = g_strdup_printf("F%07u   ", index % 10000000);

	memcpy(short_name, text, 11);
}

static guint8
checksum_short_name(const gchar short_name[11])
{
	guint8 sum = 0;

	for (guint i = 0; i < 11; i++)
		sum = (guint8)(((sum & 1) << 7) + (sum >> 1) + (guint8)short_name[i]);
	return sum;
}

static void
append_short_entry(GByteArray *out, const gchar name[11], guint8 attribute, guint32 cluster, guint32 size)
{
	g_byte_array_append(out, (const guint8 *)name, 11);
	dstack_append_u8(out, attribute);
	dstack_append_zero(out, 4); /* reserved, creation time */
	dstack_append_u16le(out, attribute == ATTRIBUTE_LABEL ? 0 : DATE_1980_01_01);
	dstack_append_u16le(out, attribute == ATTRIBUTE_LABEL ? 0 : DATE_1980_01_01);
	dstack_append_u16le(out, (guint16)(cluster >> 16));
	dstack_append_u16le(out, 0);
	dstack_append_u16le(out, DATE_1980_01_01);
	dstack_append_u16le(out, (guint16)(cluster & 0xffff));
	dstack_append_u32le(out, size);
}

/* units of the name, then one zero, then all ones to the end of the last entry */
static guint16
get_unit(const gunichar2 *units, glong n, glong at)
{
	if (at < n)
		return units[at];
	return at == n ? 0 : 0xffff;
}

static void
append_units(GByteArray *out, const gunichar2 *units, glong n, glong from, guint count)
{
	for (guint i = 0; i < count; i++)
		dstack_append_u16le(out, get_unit(units, n, from + (glong)i));
}

static void
append_long_entry(GByteArray *out, const gunichar2 *units, glong n, guint ordinal, gboolean is_last, guint8 checksum)
{
	glong from = (glong)(ordinal - 1) * UNITS_PER_ENTRY;

	dstack_append_u8(out, (guint8)(ordinal | (is_last ? LAST_LONG : 0)));
	append_units(out, units, n, from, 5);
	dstack_append_u8(out, ATTRIBUTE_LONG);
	dstack_append_u8(out, 0);
	dstack_append_u8(out, checksum);
	append_units(out, units, n, from + 5, 6);
	dstack_append_u16le(out, 0);
	append_units(out, units, n, from + 11, 2);
}

void
dstack_fat_append_label(GByteArray *out, const gchar *label)
{
	g_autofree gchar *padded = g_strdup_printf("%-11.11s", label);

	append_short_entry(out, padded, ATTRIBUTE_LABEL, 0, 0);
}

void
dstack_fat_append_file(GByteArray *out, const gchar *name, guint index, guint32 cluster, guint32 size)
{
	glong n = 0;
	g_autofree gunichar2 *units = g_utf8_to_utf16(name, -1, NULL, &n, NULL);
	guint n_entries = (guint)((n + UNITS_PER_ENTRY - 1) / UNITS_PER_ENTRY);
	gchar short_name[11];

	fill_short_name(short_name, index);
	for (guint ordinal = n_entries; ordinal > 0; ordinal--)
		append_long_entry(out, units, n, ordinal, ordinal == n_entries, checksum_short_name(short_name));
	append_short_entry(out, short_name, ATTRIBUTE_ARCHIVE, cluster, size);
}
