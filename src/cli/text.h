/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text on its way to a terminal: names of files and domains are other people's, and may try to steer it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * The text with everything that could steer a terminal written as \xNN: control characters but the ones in keep,
 * and bytes that are no UTF-8.
 */
gchar *dstack_text_printable(const gchar *text, const gchar *keep);
/* columns a text takes; it has no control characters */
guint dstack_text_width(const gchar *text);
gchar *dstack_text_join(const gchar *const *words, const gchar *separator);

G_END_DECLS
