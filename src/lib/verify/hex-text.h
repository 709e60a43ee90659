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

G_END_DECLS
