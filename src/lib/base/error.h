/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Filling a GError of the library's domain in one statement.
 */
#pragma once

#include "dstack/error.h"

G_BEGIN_DECLS

gboolean dstack_throw(GError **error, DstackError code, const gchar *format, ...) G_GNUC_PRINTF(3, 4);
gboolean dstack_throw_errno(GError **error, const gchar *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
