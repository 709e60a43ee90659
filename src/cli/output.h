/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Standard output, written once and checked.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A reader that has gone away (EPIPE) is no error; a full disk is. */
gboolean dstack_output_write(int fd, const gchar *text, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
