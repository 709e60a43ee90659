/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Words into lines.
 */

#include "config.h"

#include "cli/wrap.h"

#include <string.h>

#include "cli/text.h"

void
dstack_wrap_pad(GString *out, guint columns)
{
	for (guint i = 0; i < columns; i++)
		g_string_append_c(out, ' ');
}

void
dstack_wrap_append(GString *out, const gchar *text, guint start, guint indent, guint width)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint column = start;
	gboolean first = TRUE;

	for (gchar **word = words; *word != NULL; word++) {
		guint needed = dstack_text_width(*word);

		if (needed == 0)
			continue;
		if (!first && width != 0 && column + 1 + needed > width) {
			g_string_append_c(out, '\n');
			dstack_wrap_pad(out, indent);
			column = indent;
		} else if (!first) {
			g_string_append_c(out, ' ');
			column++;
		}
		g_string_append(out, *word);
		column += needed;
		first = FALSE;
	}
}

void
dstack_wrap_paragraph(GString *out, const gchar *text, guint indent, guint width)
{
	dstack_wrap_pad(out, indent);
	dstack_wrap_append(out, text, indent, indent, width);
	g_string_append_c(out, '\n');
}

void
dstack_wrap_two_columns(GString *out, const gchar *left, const gchar *right, guint column, guint width)
{
	guint used = dstack_text_width(left);

	g_string_append(out, left);
	if (used + 2 > column) {
		g_string_append_c(out, '\n');
		used = 0;
	}
	dstack_wrap_pad(out, column - used);
	dstack_wrap_append(out, right, column, column, width);
	g_string_append_c(out, '\n');
}
