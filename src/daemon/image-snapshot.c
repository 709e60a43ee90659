/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an image directory looks like at one moment. The fingerprint changes whenever a file does, so
 * that a verdict about an image can be tied to the files it was found on.
 */

#include "config.h"

#include "daemon/image-snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "image/directory.h"
#include "image/image.h"

void
dstack_image_snapshot_free(DstackImageSnapshot *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_free(self->path);
	g_free(self->version);
	g_free(self->os_image_hash);
	g_strfreev(self->tees);
	g_free(self->problem);
	g_free(self);
}

static gint
compare_lines(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const gchar *const *)a, *(const gchar *const *)b);
}

/* a line a directory entry, in name order whatever order the file system has them in */
static gchar *
fingerprint_line(int dirfd_, const gchar *name, gint64 *last_change)
{
	struct stat st;

	if (fstatat(dirfd_, name, &st, 0) != 0)
		return g_strdup_printf("%s gone", name);
	*last_change = MAX(*last_change, (gint64)st.st_ctim.tv_sec);
	return g_strdup_printf("%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
			       ".%09ld %" G_GINT64_FORMAT ".%09ld",
			       name, (guint64)st.st_dev, (guint64)st.st_ino, (guint64)st.st_size,
			       (gint64)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (gint64)st.st_ctim.tv_sec,
			       st.st_ctim.tv_nsec);
}

static DstackSha256
fingerprint_directory(const gchar *path, gint64 *last_change)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	DIR *dir = opendir(path);
	const struct dirent *entry = NULL;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!g_str_equal(entry->d_name, ".."))
			g_ptr_array_add(lines, fingerprint_line(dirfd(dir), entry->d_name, last_change));
	}
	if (dir != NULL)
		(void)closedir(dir);
	g_ptr_array_sort(lines, compare_lines);
	for (guint i = 0; i < lines->len; i++) {
		const gchar *line = g_ptr_array_index(lines, i);

		dstack_hasher_update(hasher, (const guint8 *)line, strlen(line) + 1);
	}
	return dstack_hasher_finish_sha256(hasher);
}

static gboolean
snapshot_ensure_file(const DstackImage *image, const gchar *name, GError **error)
{
	DSTACK_AUTO_FD int fd = -1;

	if (name == NULL)
		return TRUE;
	fd = dstack_image_open_file(image, name, NULL, error);
	return fd >= 0;
}

/* everything that metadata and manifest name can be opened */
static gboolean
snapshot_ensure_complete(const DstackImage *image, GError **error)
{
	const DstackMetadata *metadata = image->metadata;

	if (!snapshot_ensure_file(image, metadata->kernel, error) ||
	    !snapshot_ensure_file(image, metadata->initrd, error) ||
	    !snapshot_ensure_file(image, metadata->bios, error) ||
	    !snapshot_ensure_file(image, metadata->bios_sev, error) ||
	    !snapshot_ensure_file(image, metadata->rootfs, error))
		return FALSE;
	for (guint i = 0; i < image->manifest->entries->len; i++) {
		const DstackManifestEntry *entry = g_ptr_array_index(image->manifest->entries, i);

		if (!snapshot_ensure_file(image, entry->name, error))
			return FALSE;
	}
	return TRUE;
}

static void
snapshot_fill(DstackImageSnapshot *self, const DstackImage *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GStrvBuilder) tees = g_strv_builder_new();

	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		if (image->material[i] != NULL)
			g_strv_builder_add(tees, dstack_material_kind_to_string((DstackMaterialKind)i));
	}
	self->tees = g_strv_builder_end(tees);
	self->version = g_strdup(image->version == NULL ? "" : image->version);
	self->os_image_hash = dstack_sha256_to_hex(dstack_image_get_os_image_hash(image));
	self->is_dev = image->metadata->is_dev;
	self->complete = snapshot_ensure_complete(image, &error);
	self->problem = error == NULL ? NULL : g_strdup(error->message);
}

static DstackImageSnapshot *
snapshot_take(const DstackImageEntry *entry)
{
	DstackImageSnapshot *self = g_new0(DstackImageSnapshot, 1);

	self->name = g_strdup(entry->name);
	self->path = g_strdup(entry->path);
	self->fingerprint = fingerprint_directory(entry->path, &self->last_change);
	if (entry->image != NULL) {
		snapshot_fill(self, entry->image);
		return self;
	}
	self->tees = g_new0(gchar *, 1);
	self->version = g_strdup("");
	self->os_image_hash = g_strdup("");
	self->problem = g_strdup(entry->error->message);
	self->broken = g_error_matches(entry->error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED) ||
		       g_error_matches(entry->error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	return self;
}

/**
 * dstack_image_snapshots_take:
 * @roots: (array zero-terminated=1): directories of images
 * @error: (out) (optional): when a root cannot be read
 *
 * Returns: (transfer full) (nullable) (element-type DstackImageSnapshot): every image that a name can mean
 */
GPtrArray *
dstack_image_snapshots_take(const gchar *const *roots, GError **error)
{
	g_autoptr(GPtrArray) entries = dstack_images_scan(roots, error);
	GPtrArray *out = NULL;

	if (entries == NULL)
		return NULL;
	out = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_image_snapshot_free);
	for (guint i = 0; i < entries->len; i++) {
		const DstackImageEntry *entry = g_ptr_array_index(entries, i);

		if (!entry->shadowed)
			g_ptr_array_add(out, snapshot_take(entry));
	}
	return out;
}
