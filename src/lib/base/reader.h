/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The byte cursor: the only place that compares lengths and adds offsets.
 *
 * Every function leaves the cursor and its out-parameters untouched on failure, and names
 * the field, the offset and what is left in its error (%DSTACK_ERROR_MALFORMED).
 * A reader borrows its bytes: they must outlive it and every reader made from it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const guint8 *base;
	gsize size;
	gsize pos;
	const gchar *what; /* names the input in errors: "TDVF descriptor" */
} DstackReader;

void dstack_reader_init(DstackReader *self, const guint8 *base, gsize size, const gchar *what);
void dstack_reader_init_bytes(DstackReader *self, GBytes *bytes, const gchar *what);
gsize dstack_reader_left(const DstackReader *self);
const guint8 *dstack_reader_peek(const DstackReader *self);

gboolean dstack_reader_take(DstackReader *self, gsize n, const gchar *field, const guint8 **out,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_copy(DstackReader *self, gsize n, const gchar *field, void *out,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_take_bytes(DstackReader *self, gsize n, const gchar *field, GBytes **out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_skip(DstackReader *self, gsize n, const gchar *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_skip_zero(DstackReader *self, gsize n, const gchar *field,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_sub(DstackReader *self, gsize n, const gchar *what, DstackReader *out,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_slice(const DstackReader *self, guint64 offset, guint64 n, const gchar *what, DstackReader *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_seek(DstackReader *self, guint64 offset, const gchar *field,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean dstack_reader_u8(DstackReader *self, const gchar *field, guint8 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u16le(DstackReader *self, const gchar *field, guint16 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u32le(DstackReader *self, const gchar *field, guint32 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u64le(DstackReader *self, const gchar *field, guint64 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u16be(DstackReader *self, const gchar *field, guint16 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u32be(DstackReader *self, const gchar *field, guint32 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_u64be(DstackReader *self, const gchar *field, guint64 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_reader_uleb128(DstackReader *self, const gchar *field, guint64 *out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean dstack_reader_finish(const DstackReader *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
