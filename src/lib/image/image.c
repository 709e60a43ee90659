/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Opening an image directory. formats.md, sections 1 and 2.
 */

#include "config.h"

#include "image/image.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"

#define METADATA_NAME "metadata.json"
#define MANIFEST_NAME "sha256sum.txt"
#define DIGEST_NAME   "digest.txt"

/* 64 digits and some white space */
#define MAX_DIGEST_FILE 1024

/**
 * dstack_image_free:
 * @self: (nullable): the image
 */
void
dstack_image_free(DstackImage *self)
{
	if (self == NULL)
		return;
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		g_clear_pointer(&self->material[i], g_bytes_unref);
		g_clear_error(&self->material_errors[i]);
	}
	dstack_tdx_material_free(self->tdx);
	dstack_snp_material_free(self->snp);
	g_free(self->gcp);
	g_free(self->aws);
	dstack_metadata_free(self->metadata);
	g_clear_pointer(&self->metadata_bytes, g_bytes_unref);
	dstack_manifest_free(self->manifest);
	dstack_fd_clear(&self->dirfd);
	g_free(self->version);
	g_free(self->name);
	g_free(self->path);
	g_free(self);
}

static gboolean
load_metadata(DstackImage *self, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_file_read_beneath(self->dirfd, METADATA_NAME, DSTACK_LIMIT_METADATA, error);
	gsize size = 0;
	const gchar *text = NULL;

	if (bytes == NULL)
		return FALSE;
	text = g_bytes_get_data(bytes, &size);
	self->metadata_bytes = g_bytes_ref(bytes);
	self->metadata = dstack_metadata_parse(text, size, error);
	if (self->metadata == NULL)
		return FALSE;
	self->version =
	    self->metadata->version != NULL ? g_strdup(self->metadata->version) : dstack_version_from_name(self->name);
	return TRUE;
}

/* every name leads to a regular file below the directory, whether or not a launch would use it */
static gboolean
ensure_names(const DstackImage *self, GError **error)
{
	const DstackMetadata *metadata = self->metadata;
	const struct {
		const gchar *member;
		const gchar *name;
	} names[] = {
	    {"kernel", metadata->kernel},     {"initrd", metadata->initrd}, {"bios", metadata->bios},
	    {"bios-sev", metadata->bios_sev}, {"hda", metadata->hda},	    {"rootfs", metadata->rootfs},
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		DSTACK_AUTO_FD int fd = -1;

		if (names[i].name == NULL)
			continue;
		fd = dstack_file_open_beneath(self->dirfd, names[i].name, NULL, error);
		if (fd < 0) {
			g_prefix_error(error, METADATA_NAME ": '%s': ", names[i].member);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean
load_manifest(DstackImage *self, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_file_read_beneath(self->dirfd, MANIFEST_NAME, DSTACK_LIMIT_MANIFEST, error);

	if (bytes == NULL)
		return FALSE;
	self->manifest = dstack_manifest_parse(bytes, error);
	return self->manifest != NULL;
}

static gboolean
ensure_digest_agrees(const DstackImage *self, const gchar *text, GError **error)
{
	DstackSha256 stated = {{0}};
	g_autofree gchar *stated_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (!dstack_sha256_from_hex(text, DIGEST_NAME, &stated, error))
		return FALSE;
	if (dstack_sha256_equal(&stated, &self->manifest->os_image_hash))
		return TRUE;
	stated_hex = dstack_sha256_to_hex(&stated);
	found_hex = dstack_sha256_to_hex(&self->manifest->os_image_hash);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    DIGEST_NAME ": states %s, but the SHA-256 of " MANIFEST_NAME " is %s", stated_hex,
			    found_hex);
}

static gboolean
check_digest(const DstackImage *self, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = dstack_file_read_beneath(self->dirfd, DIGEST_NAME, MAX_DIGEST_FILE, &local);
	g_autofree gchar *text = NULL;

	if (g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND))
		return TRUE;
	if (bytes == NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	text = g_strndup(g_bytes_get_size(bytes) == 0 ? "" : g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	return ensure_digest_agrees(self, g_strstrip(text), error);
}

static gboolean
decode_material(DstackImage *self, DstackMaterialKind kind, GBytes *bytes, GError **error)
{
	DstackGcpMaterial gcp = {0};
	DstackAwsMaterial aws = {0};

	switch (kind) {
	case DSTACK_MATERIAL_TDX:
		self->tdx = dstack_tdx_material_parse(bytes, error);
		return self->tdx != NULL;
	case DSTACK_MATERIAL_SNP:
		self->snp = dstack_snp_material_parse(bytes, error);
		return self->snp != NULL;
	case DSTACK_MATERIAL_GCP:
		if (!dstack_gcp_material_parse(bytes, &gcp, error))
			return FALSE;
		self->gcp = g_memdup2(&gcp, sizeof(gcp));
		return TRUE;
	case DSTACK_MATERIAL_AWS:
		if (!dstack_aws_material_parse(bytes, &aws, error))
			return FALSE;
		self->aws = g_memdup2(&aws, sizeof(aws));
		return TRUE;
	case DSTACK_N_MATERIALS:
		break;
	}
	g_return_val_if_reached(FALSE);
}

/* no file and no line in the manifest is an image without that material; one of them alone is a broken image */
static gboolean
load_material(DstackImage *self, DstackMaterialKind kind, GError **error)
{
	const gchar *name = dstack_material_kind_to_file_name(kind);
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) bytes = dstack_file_read_beneath(self->dirfd, name, DSTACK_LIMIT_MATERIAL, &local);

	if (g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
		if (dstack_manifest_find(self->manifest, name) == NULL)
			return TRUE;
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "'%s' is listed in " MANIFEST_NAME " but missing",
				    name);
	}
	if (bytes == NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!dstack_manifest_ensure_file(self->manifest, name, bytes, error) ||
	    !decode_material(self, kind, bytes, error))
		return FALSE;
	self->material[kind] = g_steal_pointer(&bytes);
	return TRUE;
}

/* a directory's own name, also for "." and for a path that ends in a slash */
static gchar *
directory_name(const gchar *path)
{
	g_autofree gchar *canonical = g_canonicalize_filename(path, NULL);

	return g_path_get_basename(canonical);
}

/**
 * dstack_image_open_fd:
 * @dirfd: a descriptor of the directory, taken over also on failure
 * @path: where it is, for its name and for messages
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when a file that an image must have is not there,
 *   %DSTACK_ERROR_MALFORMED when one cannot be read as what it should be or a name leads out of the directory,
 *   %DSTACK_ERROR_UNSOUND when digest.txt disagrees
 *
 * Reads metadata, manifest, digest.txt and material below @dirfd. Material that is there and unsound does not fail
 * the whole: its error is kept for whoever asks for that kind.
 *
 * Returns: (transfer full): the image, or %NULL
 */
DstackImage *
dstack_image_open_fd(int dirfd, const gchar *path, GError **error)
{
	g_autoptr(DstackImage) self = g_new0(DstackImage, 1);

	self->dirfd = dirfd;
	self->path = g_strdup(path);
	self->name = directory_name(path);
	if (!load_metadata(self, error) || !load_manifest(self, error) || !check_digest(self, error) ||
	    !ensure_names(self, error)) {
		g_prefix_error(error, "image '%s': ", self->name);
		return NULL;
	}
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++)
		(void)!load_material(self, (DstackMaterialKind)i, &self->material_errors[i]);
	return g_steal_pointer(&self);
}

/**
 * dstack_image_open:
 * @path: path of the directory
 * @error: (out) (optional): as dstack_image_open_fd(), and %DSTACK_ERROR_NOT_FOUND without the directory
 *
 * Returns: (transfer full): the image, or %NULL
 */
DstackImage *
dstack_image_open(const gchar *path, GError **error)
{
	int dirfd = dstack_dir_open(path, error);

	if (dirfd < 0)
		return NULL;
	return dstack_image_open_fd(dirfd, path, error);
}

/**
 * dstack_image_open_unfinished:
 * @path: a directory
 * @error: (out) (optional): as dstack_image_open(), as far as metadata.json goes
 *
 * Opens what is to become an image: its files can be opened, but there is no manifest (%NULL), no identity and no
 * material. For measuring, which comes before the manifest that lists what was measured.
 *
 * Returns: (transfer full): the directory
 */
DstackImage *
dstack_image_open_unfinished(const gchar *path, GError **error)
{
	g_autoptr(DstackImage) self = g_new0(DstackImage, 1);

	self->path = g_strdup(path);
	self->name = directory_name(path);
	self->dirfd = dstack_dir_open(path, error);
	if (self->dirfd < 0)
		return NULL;
	if (!load_metadata(self, error) || !ensure_names(self, error)) {
		g_prefix_error(error, "image '%s': ", self->name);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
ensure_plain_name(const gchar *name, GError **error)
{
	if (name[0] != '\0' && strchr(name, '/') == NULL && !g_str_equal(name, ".") && !g_str_equal(name, ".."))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "expected an image's name, found '%s'", name);
}

/**
 * dstack_image_find_by_name:
 * @roots: (array zero-terminated=1): directories of images
 * @name: the name of a directory in one of them
 * @error: (out) (optional): as dstack_image_open(), %DSTACK_ERROR_INVALID_ARGUMENT for a name that is none,
 *   %DSTACK_ERROR_NOT_FOUND when no root has it
 *
 * The first root that has a directory of this name decides, sound or not.
 *
 * Returns: (transfer full): the image, or %NULL
 */
DstackImage *
dstack_image_find_by_name(const gchar *const *roots, const gchar *name, GError **error)
{
	g_autofree gchar *searched = NULL;

	if (!ensure_plain_name(name, error))
		return NULL;
	for (guint i = 0; roots[i] != NULL; i++) {
		g_autofree gchar *path = g_build_filename(roots[i], name, NULL);
		g_autoptr(GError) local = NULL;
		int dirfd = dstack_dir_open(path, &local);

		if (dirfd >= 0)
			return dstack_image_open_fd(dirfd, path, error);
		if (!g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local));
			return NULL;
		}
	}
	searched = g_strjoinv("', '", (gchar **)(guintptr)roots);
	dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "image '%s' is not in '%s'", name, searched);
	return NULL;
}

/**
 * dstack_image_find:
 * @roots: (array zero-terminated=1): directories of images
 * @name_or_path: a name, or a path, which has a slash in it or is "." or ".."
 * @error: (out) (optional): as dstack_image_find_by_name()
 *
 * For what an operator typed.
 *
 * Returns: (transfer full): the image, or %NULL
 */
DstackImage *
dstack_image_find(const gchar *const *roots, const gchar *name_or_path, GError **error)
{
	if (name_or_path[0] == '\0' || ensure_plain_name(name_or_path, NULL))
		return dstack_image_find_by_name(roots, name_or_path, error);
	return dstack_image_open(name_or_path, error);
}

/**
 * dstack_image_get_os_image_hash:
 * @self: the image
 *
 * Returns: (transfer none): the image's identity, SHA-256 of its manifest
 */
const DstackSha256 *
dstack_image_get_os_image_hash(const DstackImage *self)
{
	return &self->manifest->os_image_hash;
}

/**
 * dstack_image_ensure_material:
 * @self: the image
 * @kind: a kind of material
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when the image has none, %DSTACK_ERROR_UNSOUND or
 *   %DSTACK_ERROR_MALFORMED when it is there and no good
 *
 * Returns: %TRUE when the image has sound material of this kind
 */
gboolean
dstack_image_ensure_material(const DstackImage *self, DstackMaterialKind kind, GError **error)
{
	if (self->material[kind] != NULL)
		return TRUE;
	if (self->material_errors[kind] != NULL) {
		g_propagate_error(error, g_error_copy(self->material_errors[kind]));
		g_prefix_error(error, "image '%s': ", self->name);
		return FALSE;
	}
	return dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "image '%s' has no %s", self->name,
			    dstack_material_kind_to_file_name(kind));
}

/**
 * dstack_image_open_file:
 * @self: the image
 * @name: a file's name, as metadata.json or the manifest has it
 * @out_stat: (out) (optional): fstat() of the descriptor returned
 * @error: (out) (optional): as dstack_file_open_beneath()
 *
 * Returns: a descriptor open for reading, or -1
 */
int
dstack_image_open_file(const DstackImage *self, const gchar *name, struct stat *out_stat, GError **error)
{
	int fd = dstack_file_open_beneath(self->dirfd, name, out_stat, error);

	if (fd < 0)
		g_prefix_error(error, "image '%s': ", self->name);
	return fd;
}

/**
 * dstack_image_materials_to_json:
 * @self: the image
 *
 * The combined document of an image: its manifest and each material it has, in base64.
 *
 * Returns: (transfer full): `{"version":3,"tdx":{"checksum_file":…,"measurement":…},…}`
 */
JsonNode *
dstack_image_materials_to_json(const DstackImage *self)
{
	g_autoptr(JsonObject) top = json_object_new();
	g_autofree gchar *checksum_file = dstack_base64_encode(self->manifest->bytes);

	json_object_set_int_member(top, "version", 3);
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		g_autofree gchar *measurement = NULL;
		JsonObject *one = NULL;

		if (self->material[i] == NULL)
			continue;
		measurement = dstack_base64_encode(self->material[i]);
		one = json_object_new();
		json_object_set_string_member(one, "checksum_file", checksum_file);
		json_object_set_string_member(one, "measurement", measurement);
		json_object_set_object_member(top, dstack_material_kind_to_string((DstackMaterialKind)i), one);
	}
	return json_node_init_object(json_node_alloc(), top);
}
