/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Directory entries of a FAT volume: long names and the short ones behind them. Private to launch/fat-*.c.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_FAT_ENTRY_SIZE 32

/* what the name may not be on a FAT volume is %DSTACK_ERROR_REFUSED */
gboolean dstack_fat_name_ensure(const gchar *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_fat_append_label(GByteArray *out, const gchar *label);
/* long-name entries and the short entry of the index-th file; cluster 0 for an empty file */
void dstack_fat_append_file(GByteArray *out, const gchar *name, guint index, guint32 cluster, guint32 size);

G_END_DECLS
