/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal for people: groups of eight digits, eight groups a line.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* lines after the first are indented by so many columns */
gchar *dstack_hex_group(const gchar *hex, guint indent);
/* all of it in one line, for a renderer that breaks lines itself */
gchar *dstack_hex_group_line(const gchar *hex);

G_END_DECLS
