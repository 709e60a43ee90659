/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A MessagePack reader over the byte cursor: what attestations use of it, and stepping over the rest.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * Nothing is allocated by a number from the input; a list grows as its items are read. Errors are
 * %DSTACK_ERROR_MALFORMED and name the field.
 */
#pragma once

#include "base/reader.h"

G_BEGIN_DECLS

gboolean dstack_msgpack_read_map(DstackReader *self, const gchar *field, guint32 *out_n_pairs,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_msgpack_read_array(DstackReader *self, const gchar *field, guint32 *out_n_items,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_msgpack_read_uint(DstackReader *self, const gchar *field, guint64 max, guint64 *out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* UTF-8 without NUL */
gboolean dstack_msgpack_read_text(DstackReader *self, const gchar *field, gchar **out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "bin", or an array of integers up to 255 */
gboolean dstack_msgpack_read_bytes(DstackReader *self, const gchar *field, GBytes **out,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* nil: steps over it and returns TRUE; anything else: stays */
gboolean dstack_msgpack_take_nil(DstackReader *self);
/* that a text comes next */
gboolean dstack_msgpack_is_text(const DstackReader *self);
/* one value of any kind, to a bounded depth */
gboolean dstack_msgpack_skip(DstackReader *self, const gchar *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* called for each pair with the reader at the value: reads exactly that value, or says that it does not know the key */
typedef gboolean (*DstackMsgpackMember)(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known,
					GError **error);

/* reads a map with text keys; unknown ones are skipped, a key that comes twice is refused */
gboolean dstack_msgpack_read_members(DstackReader *self, const gchar *field, DstackMsgpackMember member,
				     gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
