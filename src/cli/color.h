/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * When output is coloured, and how wide it may be.
 */
#pragma once

#include "cli/table.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_COLOR_AUTO,
	DSTACK_COLOR_ALWAYS,
	DSTACK_COLOR_NEVER,
} DstackColorMode;

gboolean dstack_color_mode_parse(const gchar *text, DstackColorMode *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_color_wanted(DstackColorMode mode, int fd);
/* the sequence that turns a tone on ("" for plain), and the one that ends it */
const gchar *dstack_color_begin(DstackTone tone);
const gchar *dstack_color_end(DstackTone tone);

/* columns of a terminal; for anything else 80, or what COLUMNS says */
guint dstack_terminal_width(int fd);

G_END_DECLS
