/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Listing the images below the image roots.
 */

#include "config.h"

#include "image/directory.h"

#include <fcntl.h>
#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"

static void
image_entry_free(DstackImageEntry *self)
{
	g_free(self->name);
	g_free(self->path);
	dstack_image_free(self->image);
	g_clear_error(&self->error);
	g_free(self);
}

/* a directory claims to be an image by having metadata.json; anything else in a root is none of our business */
static gboolean
claims_to_be_image(int dirfd)
{
	struct stat st = {0};

	return fstatat(dirfd, "metadata.json", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
scan_entry(GPtrArray *entries, const gchar *root, const gchar *name)
{
	g_autofree gchar *path = g_build_filename(root, name, NULL);
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(path, NULL);
	DstackImageEntry *entry = NULL;

	if (dirfd < 0 || !claims_to_be_image(dirfd))
		return;
	entry = g_new0(DstackImageEntry, 1);
	entry->name = g_strdup(name);
	entry->image = dstack_image_open_fd(dstack_fd_steal(&dirfd), path, &entry->error);
	entry->path = g_steal_pointer(&path);
	g_ptr_array_add(entries, entry);
}

static gboolean
scan_root(GPtrArray *entries, const gchar *root, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GDir) dir = g_dir_open(root, 0, &local);
	const gchar *name = NULL;

	if (dir == NULL && g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return TRUE;
	if (dir == NULL)
		return dstack_throw(error, DSTACK_ERROR_FAILED, "cannot list images in '%s': %s", root, local->message);
	while ((name = g_dir_read_name(dir)) != NULL) {
		if (name[0] != '.')
			scan_entry(entries, root, name);
	}
	return TRUE;
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
	const DstackImageEntry *const *left = a;
	const DstackImageEntry *const *right = b;

	gint order = strcmp((*left)->name, (*right)->name);

	return order != 0 ? order : (gint)(*left)->shadowed - (gint)(*right)->shadowed;
}

/* in scanning order, so that the first root keeps the name */
static void
mark_shadowed(GPtrArray *entries)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < entries->len; i++) {
		DstackImageEntry *entry = g_ptr_array_index(entries, i);

		entry->shadowed = !g_hash_table_add(names, entry->name);
	}
}

/**
 * dstack_images_scan:
 * @roots: (array zero-terminated=1): directories of images, the first first
 * @error: (out) (optional): %DSTACK_ERROR_FAILED when a root is there and cannot be listed
 *
 * Opens every image below @roots. An entry whose image cannot be opened bears the error instead.
 *
 * Returns: (transfer container) (element-type DstackImageEntry): sorted by name; of one name, the first root's first
 */
GPtrArray *
dstack_images_scan(const gchar *const *roots, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)image_entry_free);

	for (guint i = 0; roots[i] != NULL; i++) {
		if (!scan_root(entries, roots[i], error))
			return NULL;
	}
	mark_shadowed(entries);
	g_ptr_array_sort(entries, compare_entries);
	return g_steal_pointer(&entries);
}
