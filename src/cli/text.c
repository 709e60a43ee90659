/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text on its way to a terminal.
 */

#include "config.h"

#include "cli/text.h"

#include <string.h>

static gboolean
character_is_plain(gunichar c, const gchar *keep)
{
	if (c < 0x80 && strchr(keep, (int)c) != NULL)
		return TRUE;
	/* format characters turn text around or hide it */
	return !g_unichar_iscntrl(c) && g_unichar_type(c) != G_UNICODE_FORMAT && c != 0x2028 && c != 0x2029;
}

gchar *
dstack_text_printable(const gchar *text, const gchar *keep)
{
	GString *out = g_string_new(NULL);

	while (*text != '\0') {
		gunichar c = g_utf8_get_char_validated(text, -1);
		gboolean valid = c != (gunichar)-1 && c != (gunichar)-2;
		gsize size = valid ? (gsize)(g_utf8_find_next_char(text, NULL) - text) : 1;

		if (valid && character_is_plain(c, keep)) {
			g_string_append_len(out, text, (gssize)size);
		} else {
			for (gsize i = 0; i < size; i++)
				g_string_append_printf(out, "\\x%02x", (guint)(guint8)text[i]);
		}
		text += size;
	}
	return g_string_free(out, FALSE);
}

guint
dstack_text_width(const gchar *text)
{
	guint width = 0;

	for (; *text != '\0'; text = g_utf8_find_next_char(text, NULL)) {
		gunichar c = g_utf8_get_char(text);

		if (!g_unichar_iszerowidth(c))
			width += g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

gchar *
dstack_text_join(const gchar *const *words, const gchar *separator)
{
	GString *out = g_string_new(NULL);

	for (; *words != NULL; words++) {
		if (out->len > 0)
			g_string_append(out, separator);
		g_string_append(out, *words);
	}
	return g_string_free(out, FALSE);
}
