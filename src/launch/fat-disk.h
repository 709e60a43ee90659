/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A FAT32 disk image with the files of a directory: how a host without 9p shares one with its guest.
 * libvirt.md, "For hosts without 9p"; layout: Microsoft "FAT: General Overview of On-Disk Format", 1.03.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_FAT_DISK_LABEL "DSTACKSHR"

/* a file of the root directory */
typedef struct {
	gchar *name;
	GBytes *content;
} DstackFatFile;

void dstack_fat_file_free(DstackFatFile *self);

/* the regular files of a directory, one level, in name order; (element-type DstackFatFile) */
GPtrArray *dstack_fat_files_load(int dirfd, GError **error);
/* the image, the same bytes for the same files */
GBytes *dstack_fat_disk_build(const GPtrArray *files, GError **error);
/* do these first bytes of a file say FAT32 and our label? */
gboolean dstack_fat_disk_is_ours(const guint8 *data, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackFatFile, dstack_fat_file_free)

G_END_DECLS
