/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Appending numbers to a GByteArray in a stated byte order.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void dstack_append_u8(GByteArray *out, guint8 value);
void dstack_append_u16le(GByteArray *out, guint16 value);
void dstack_append_u32le(GByteArray *out, guint32 value);
void dstack_append_u64le(GByteArray *out, guint64 value);
void dstack_append_zero(GByteArray *out, gsize n);
void dstack_append_utf16le(GByteArray *out, const gchar *ascii);
void dstack_append_uleb128(GByteArray *out, guint64 value);

void dstack_store_u16le(guint8 *at, guint16 value);
void dstack_store_u32le(guint8 *at, guint32 value);
void dstack_store_u64le(guint8 *at, guint64 value);

G_END_DECLS
