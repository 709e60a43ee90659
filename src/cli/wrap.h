/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Words into lines. A word longer than a line stands alone and sticks out: it may be a path somebody copies.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Appends text broken at spaces, with indent columns before each line but the first, which begins at column start;
 * width 0 breaks nowhere. No line feed at the end.
 */
void dstack_wrap_append(GString *out, const gchar *text, guint start, guint indent, guint width);
/* A paragraph with its line feed. */
void dstack_wrap_paragraph(GString *out, const gchar *text, guint indent, guint width);
/* left, then right from column on; on a line of its own where left is too long */
void dstack_wrap_two_columns(GString *out, const gchar *left, const gchar *right, guint column, guint width);
void dstack_wrap_pad(GString *out, guint columns);

G_END_DECLS
