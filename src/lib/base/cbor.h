/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A strict CBOR reader over libcbor's streaming decoder, which allocates nothing.
 *
 * Accepts definite lengths and shortest integers only (RFC 8949, section 4.2.1) but for key order.
 * Every function leaves its out-parameters untouched on failure and names the field and offset
 * (%DSTACK_ERROR_MALFORMED). Writing is libcbor's own encoder: see image/material.c.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const guint8 *base;
	gsize size;
	gsize pos;
	const gchar *what;
} DstackCborReader;

void dstack_cbor_reader_init(DstackCborReader *self, const guint8 *base, gsize size, const gchar *what);

gboolean dstack_cbor_read_map(DstackCborReader *self, const gchar *field, guint *out_n_pairs,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_cbor_read_array(DstackCborReader *self, const gchar *field, guint *out_n_items,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* valid UTF-8 without NUL */
gboolean dstack_cbor_read_text(DstackCborReader *self, const gchar *field, gchar **out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_cbor_read_bytes(DstackCborReader *self, const gchar *field, gsize max, GBytes **out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* a byte string of exactly size bytes */
gboolean dstack_cbor_read_fixed(DstackCborReader *self, const gchar *field, void *out, gsize size,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_cbor_read_uint(DstackCborReader *self, const gchar *field, guint64 max, guint64 *out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_cbor_read_bool(DstackCborReader *self, const gchar *field, gboolean *out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* steps over one item of any kind, checked as strictly, to DSTACK_LIMIT_CBOR_DEPTH */
gboolean dstack_cbor_skip(DstackCborReader *self, const gchar *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_cbor_finish(const DstackCborReader *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* called for each pair of a map with the reader at the value: reads or skips exactly that value */
typedef gboolean (*DstackCborMember)(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error);

/* reads a map with text keys, refusing a key that comes twice */
gboolean dstack_cbor_read_members(DstackCborReader *self, const gchar *field, DstackCborMember member,
				  gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
