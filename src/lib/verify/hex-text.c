/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal for people.
 */

#include "config.h"

#include "verify/hex-text.h"

#define GROUP	  8
#define LINE_SIZE 64

/**
 * dstack_hex_group:
 * @hex: hexadecimal digits
 * @indent: columns before each line but the first
 *
 * Returns: (transfer full): the digits in groups, without a newline at the end
 */
gchar *
dstack_hex_group(const gchar *hex, guint indent)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize i = 0; hex[i] != '\0'; i++) {
		if (i > 0 && i % LINE_SIZE == 0)
			g_string_append_printf(out, "\n%*s", (int)indent, "");
		else if (i > 0 && i % GROUP == 0)
			g_string_append_c(out, ' ');
		g_string_append_c(out, hex[i]);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/**
 * dstack_hex_group_line:
 * @hex: hexadecimal digits
 *
 * Returns: (transfer full): the digits in groups with a space between
 */
gchar *
dstack_hex_group_line(const gchar *hex)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize i = 0; hex[i] != '\0'; i++) {
		if (i > 0 && i % GROUP == 0)
			g_string_append_c(out, ' ');
		g_string_append_c(out, hex[i]);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}
