/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as text: hexadecimal and base64, both read strictly.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gchar *dstack_hex_encode(const guint8 *data, gsize size);
gchar *dstack_hex_encode_bytes(GBytes *bytes);
gboolean dstack_hex_decode(const gchar *text, const gchar *what, guint8 *out, gsize size,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *dstack_hex_decode_bytes(const gchar *text, const gchar *what, gsize max, GError **error);

gchar *dstack_base64_encode(GBytes *bytes);
GBytes *dstack_base64_decode(const gchar *text, const gchar *what, gsize max, GError **error);

G_END_DECLS
