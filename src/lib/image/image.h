/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An image directory, opened once: metadata, manifest and material, all read below one descriptor and checked
 * against each other. What was checked is what is kept; nothing is opened by name a second time.
 */
#pragma once

#include <sys/stat.h>

#include <json-glib/json-glib.h>

#include "image/manifest.h"
#include "image/material.h"
#include "image/metadata.h"

G_BEGIN_DECLS

typedef struct {
	gchar *name; /* the directory's own name */
	gchar *path; /* as the operator gave it, for messages */
	int dirfd;
	DstackMetadata *metadata;
	GBytes *metadata_bytes; /* that it was read from */
	DstackManifest *manifest;
	gchar *version; /* (nullable): of metadata.json, else of the name */
	/* exact bytes; NULL: none there, or not sound and then material_errors says why */
	GBytes *material[DSTACK_N_MATERIALS];
	GError *material_errors[DSTACK_N_MATERIALS];
	DstackTdxMaterial *tdx; /* (nullable): decoded, exactly where material[] has it */
	DstackSnpMaterial *snp;
	DstackGcpMaterial *gcp;
	DstackAwsMaterial *aws;
} DstackImage;

/*
 * Fails when the directory is no image or does not hold together: metadata or manifest missing or malformed, a name
 * that leads out of it, a digest.txt that disagrees. Unsound material is kept as an error of its kind instead.
 */
DstackImage *dstack_image_open(const gchar *path, GError **error);
/* takes dirfd over, also on failure */
DstackImage *dstack_image_open_fd(int dirfd, const gchar *path, GError **error);
/* without manifest, identity and material: a directory that is to become an image */
DstackImage *dstack_image_open_unfinished(const gchar *path, GError **error);
/* a name that is a plain directory name in one of the roots, or a path with a slash; roots is NULL-terminated */
DstackImage *dstack_image_find(const gchar *const *roots, const gchar *name_or_path, GError **error);
/* the same, by name only: for names that the operator did not type */
DstackImage *dstack_image_find_by_name(const gchar *const *roots, const gchar *name, GError **error);
void dstack_image_free(DstackImage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackImage, dstack_image_free)

const DstackSha256 *dstack_image_get_os_image_hash(const DstackImage *self);
/* material is there and sound: otherwise NOT_FOUND, or the error it was found to have */
gboolean dstack_image_ensure_material(const DstackImage *self, DstackMaterialKind kind,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* opens a file of the image for reading: a descriptor, or -1 */
int dstack_image_open_file(const DstackImage *self, const gchar *name, struct stat *out_stat, GError **error);
/* {"version":3,"tdx":{"checksum_file":…,"measurement":…},…} */
JsonNode *dstack_image_materials_to_json(const DstackImage *self);

G_END_DECLS
