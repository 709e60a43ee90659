/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the four material codecs share: required keys on reading, libcbor's encoder on writing.
 */
#pragma once

#include <glib.h>

#include "base/cbor.h"

G_BEGIN_DECLS

/* one map being read: which of its keys have come, by position in keys */
typedef struct {
	const gchar *what; /* "measurement.tdx.cbor: image" */
	const gchar *const *keys;
	guint seen;
	gpointer target;
} DstackMaterialMap;

/* position of a key among those known, having noted that it came; -1 for an unknown one */
gint dstack_material_map_see(DstackMaterialMap *self, const gchar *key);
gboolean dstack_material_map_has(const DstackMaterialMap *self, guint position);
/* all keys of the bit mask have come */
gboolean dstack_material_map_ensure(const DstackMaterialMap *self, guint required,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

void dstack_cbor_append_map(GByteArray *out, guint64 n_pairs);
void dstack_cbor_append_array(GByteArray *out, guint64 n_items);
void dstack_cbor_append_uint(GByteArray *out, guint64 value);
void dstack_cbor_append_bool(GByteArray *out, gboolean value);
void dstack_cbor_append_text(GByteArray *out, const gchar *text);
void dstack_cbor_append_bytes(GByteArray *out, const guint8 *data, gsize size);

G_END_DECLS
