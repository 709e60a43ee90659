/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * GUIDs in the byte order they have on the wire (UEFI 2.10, appendix A; RFC 4122, section 4.1.2).
 */

#include "config.h"

#include "base/guid.h"

#include <string.h>

#include "base/error.h"

/* where each byte of the text form goes in EFI order */
static const guint8 efi_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static gboolean
guid_position_is_dash(gsize i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/**
 * dstack_guid_parse:
 * @text: 8-4-4-4-12 hex digits of either case
 * @order: the byte order wanted
 * @out: (out): the GUID
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when @text is something else
 *
 * Returns: %TRUE when @text is a GUID
 */
gboolean
dstack_guid_parse(const gchar *text, DstackGuidOrder order, DstackGuid *out, GError **error)
{
	DstackGuid guid = {{0}};
	gsize n_digits = 0;

	if (strlen(text) != 36)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s' is no GUID: expected 36 characters", text);
	for (gsize i = 0; i < 36; i++) {
		gint digit = g_ascii_xdigit_value(text[i]);
		guint8 *byte = NULL;

		if (guid_position_is_dash(i) ? text[i] != '-' : digit < 0) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s' is no GUID: character %" G_GSIZE_FORMAT, text,
					    i);
		}
		if (guid_position_is_dash(i))
			continue;
		byte = &guid.bytes[order == DSTACK_GUID_EFI ? efi_order[n_digits / 2] : n_digits / 2];
		*byte = (guint8)(*byte << 4 | digit);
		n_digits++;
	}
	*out = guid;
	return TRUE;
}

/**
 * dstack_guid_from_constant:
 * @text: a GUID written in the source
 * @order: the byte order wanted
 *
 * Returns: the GUID; all zero, with a critical warning, when the constant is mistyped
 */
DstackGuid
dstack_guid_from_constant(const gchar *text, DstackGuidOrder order)
{
	DstackGuid guid = {{0}};

	if (!dstack_guid_parse(text, order, &guid, NULL))
		g_critical("'%s' is no GUID", text);
	return guid;
}

/**
 * dstack_guid_equal:
 * @a: a GUID
 * @b: another, in the same order
 *
 * Returns: whether they are the same
 */
gboolean
dstack_guid_equal(const DstackGuid *a, const DstackGuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/**
 * dstack_guid_to_string:
 * @self: the GUID
 * @order: the byte order it is in
 *
 * Returns: (transfer full): its text form in lower case
 */
gchar *
dstack_guid_to_string(const DstackGuid *self, DstackGuidOrder order)
{
	GString *text = g_string_sized_new(37);

	for (gsize i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			g_string_append_c(text, '-');
		g_string_append_printf(text, "%02x", self->bytes[order == DSTACK_GUID_EFI ? efi_order[i] : i]);
	}
	return g_string_free(text, FALSE);
}
