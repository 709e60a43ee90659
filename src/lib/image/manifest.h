/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The checksum manifest, sha256sum.txt: its exact bytes are the image's identity. formats.md, section 1.
 */
#pragma once

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct {
	gchar *name;
	DstackSha256 sha256;
	gboolean extra; /* the line had a third token */
} DstackManifestEntry;

typedef struct {
	GBytes *bytes;		    /* as read */
	DstackSha256 os_image_hash; /* of bytes */
	GPtrArray *entries;	    /* (element-type DstackManifestEntry): in file order, no name twice */
} DstackManifest;

DstackManifest *dstack_manifest_parse(GBytes *bytes, GError **error);
void dstack_manifest_free(DstackManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackManifest, dstack_manifest_free)

/* (nullable): NULL when the manifest does not name it */
const DstackManifestEntry *dstack_manifest_find(const DstackManifest *self, const gchar *name);
/* a file's bytes are those that the manifest promises */
gboolean dstack_manifest_ensure_file(const DstackManifest *self, const gchar *name, GBytes *content,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* what a check of the whole directory asks beyond parsing: flat names, no third token, not itself */
gboolean dstack_manifest_ensure_flat(const DstackManifest *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
