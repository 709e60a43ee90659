/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * metadata.json of an image directory. formats.md, section 1.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	gchar *kernel; /* file names below the image directory */
	gchar *initrd;
	gchar *cmdline; /* (nullable), as all below */
	gchar *bios;
	gchar *bios_sev;
	gchar *hda;
	gchar *rootfs;
	gchar *rootfs_hash;
	gchar *version;
	gchar *ovmf_variant; /* "pre202505", the one there is */
	gboolean shared_ro;
	gboolean is_dev;
	gboolean kernel_header_normalized;
} DstackMetadata;

DstackMetadata *dstack_metadata_parse(const gchar *text, gsize size, GError **error);
void dstack_metadata_free(DstackMetadata *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackMetadata, dstack_metadata_free)

/* the firmware of an SEV-SNP launch: bios-sev, or bios where there is only one */
const gchar *dstack_metadata_get_bios_sev(const DstackMetadata *self);

/* "X.Y.Z" or "X.Y.Z.anything" */
gboolean dstack_version_is_valid(const gchar *text);
/* (nullable): the version at the end of a directory's name */
gchar *dstack_version_from_name(const gchar *name);

G_END_DECLS
