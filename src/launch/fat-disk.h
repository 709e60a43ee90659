/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A FAT32 disk image with the files of a directory: how a host without 9p shares one with its guest.
 * libvirt.md, "For hosts without 9p".
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_FAT_DISK_LABEL "DSTACKSHR"
#define DSTACK_FAT_DISK_HEAD  512 /* bytes that dstack_fat_disk_is_ours() wants */

/* a file of the root directory */
typedef struct {
	gchar *name;
	GBytes *content;
} DstackFatFile;

DstackFatFile *dstack_fat_file_new(const gchar *name, GBytes *content);
void dstack_fat_file_free(DstackFatFile *self);

/* the regular files of a directory, one level, in name order; (element-type DstackFatFile) */
GPtrArray *dstack_fat_files_load(int dirfd, GError **error);
/* replaces the content of that name, or adds it */
void dstack_fat_files_set(GPtrArray *files, const gchar *name, GBytes *content);

/*
 * The image, the same bytes for the same files: its beginning, up to the last byte in use, and the size of
 * the whole. The rest is zero, and a hole in the file.
 */
GBytes *dstack_fat_disk_build(const GPtrArray *files, guint64 *out_size, GError **error);

/* do these first bytes of a file say FAT32 and our label? */
gboolean dstack_fat_disk_is_ours(const guint8 *data, gsize size);

/* a disk image of somebody else's is never replaced, whatever the domain calls it: refused, and nothing is touched */
gboolean dstack_fat_disk_ensure_replaceable(int dirfd, const gchar *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* replaces name in dirfd, but only what is absent, empty, or ours */
gboolean dstack_fat_disk_store(int dirfd, const gchar *name, const GPtrArray *files,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* removes name from dirfd if it is ours */
gboolean dstack_fat_disk_remove(int dirfd, const gchar *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackFatFile, dstack_fat_file_free)

G_END_DECLS
