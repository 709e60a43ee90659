/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the sample image that the build made.
 */

#include "config.h"

#include "support/image-copy.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/digest.h"

#define IMAGE_NAME "dstack-sample-0.1.0"

static const gchar *const listed[] = {"bzImage",
				      "initramfs.cpio",
				      "metadata.json",
				      "measurement.gcp.cbor",
				      "measurement.snp.cbor",
				      "measurement.tdx.cbor",
				      "ovmf.fd"};

static void
copy_file(const gchar *from, const gchar *to, const gchar *name)
{
	g_autofree gchar *source = g_build_filename(from, name, NULL);
	g_autofree gchar *target = g_build_filename(to, name, NULL);
	g_autofree gchar *data = NULL;
	g_autoptr(GError) error = NULL;
	gsize size = 0;

	(void)g_file_get_contents(source, &data, &size, &error);
	g_assert_no_error(error);
	(void)g_file_set_contents(target, data, (gssize)size, &error);
	g_assert_no_error(error);
}

/**
 * dstack_image_copy_init:
 * @self: the copy
 *
 * Copies the sample image below a new temporary directory.
 */
void
dstack_image_copy_init(DstackImageCopy *self)
{
	g_autofree gchar *from = g_test_build_filename(G_TEST_BUILT, "images-sample", IMAGE_NAME, NULL);
	g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
	const gchar *name = NULL;

	g_assert_nonnull(dir);
	self->top = g_dir_make_tmp("dstack-image-XXXXXX", NULL);
	self->path = g_build_filename(self->top, IMAGE_NAME, NULL);
	g_assert_cmpint(g_mkdir(self->path, 0700), ==, 0);
	while ((name = g_dir_read_name(dir)) != NULL)
		copy_file(from, self->path, name);
}

/**
 * dstack_remove_tree:
 * @path: a file or directory
 *
 * Removes it with all below; symlinks are not followed.
 */
void
dstack_remove_tree(const gchar *path)
{
	g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
	const gchar *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *child = g_build_filename(path, name, NULL);

		dstack_remove_tree(child);
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

/**
 * dstack_image_copy_clear:
 * @self: the copy
 *
 * Removes it from the disk.
 */
void
dstack_image_copy_clear(DstackImageCopy *self)
{
	dstack_remove_tree(self->top);
	g_clear_pointer(&self->top, g_free);
	g_clear_pointer(&self->path, g_free);
}

/**
 * dstack_image_copy_write:
 * @self: the copy
 * @name: a file in it
 * @data: (array length=size): its new contents
 * @size: bytes of @data
 *
 * Replaces or creates a file.
 */
void
dstack_image_copy_write(const DstackImageCopy *self, const gchar *name, const gchar *data, gsize size)
{
	g_autofree gchar *path = g_build_filename(self->path, name, NULL);
	g_autoptr(GError) error = NULL;

	(void)g_file_set_contents(path, data, (gssize)size, &error);
	g_assert_no_error(error);
}

/**
 * dstack_image_copy_read:
 * @self: the copy
 * @name: a file in it
 *
 * Returns: (transfer full): its contents
 */
GBytes *
dstack_image_copy_read(const DstackImageCopy *self, const gchar *name)
{
	g_autofree gchar *path = g_build_filename(self->path, name, NULL);
	g_autoptr(GError) error = NULL;
	gchar *data = NULL;
	gsize size = 0;

	(void)g_file_get_contents(path, &data, &size, &error);
	g_assert_no_error(error);
	return g_bytes_new_take(data, size);
}

/**
 * dstack_image_copy_remove:
 * @self: the copy
 * @name: a file in it
 */
void
dstack_image_copy_remove(const DstackImageCopy *self, const gchar *name)
{
	g_autofree gchar *path = g_build_filename(self->path, name, NULL);

	g_assert_cmpint(g_remove(path), ==, 0);
}

/**
 * dstack_image_copy_flip:
 * @self: the copy
 * @name: a file in it
 * @offset: of the byte whose lowest bit is flipped
 */
void
dstack_image_copy_flip(const DstackImageCopy *self, const gchar *name, gsize offset)
{
	g_autoptr(GBytes) bytes = dstack_image_copy_read(self, name);
	gsize size = g_bytes_get_size(bytes);
	g_autofree gchar *data = g_memdup2(g_bytes_get_data(bytes, NULL), size);

	g_assert_cmpuint(offset, <, size);
	data[offset] = (gchar)(data[offset] ^ 1);
	dstack_image_copy_write(self, name, data, size);
}

/**
 * dstack_image_copy_sum:
 * @self: the copy
 *
 * Writes a manifest over the files an image may have, and its digest: a broken image that agrees with itself.
 */
void
dstack_image_copy_sum(const DstackImageCopy *self)
{
	g_autoptr(GString) manifest = g_string_new(NULL);
	g_autofree gchar *digest = NULL;
	DstackSha256 hash = {{0}};

	for (guint i = 0; i < G_N_ELEMENTS(listed); i++) {
		g_autofree gchar *path = g_build_filename(self->path, listed[i], NULL);
		g_autoptr(GBytes) bytes = NULL;
		g_autofree gchar *hex = NULL;

		if (!g_file_test(path, G_FILE_TEST_EXISTS))
			continue;
		bytes = dstack_image_copy_read(self, listed[i]);
		hash = dstack_sha256_bytes(bytes);
		hex = dstack_sha256_to_hex(&hash);
		g_string_append_printf(manifest, "%s  %s\n", hex, listed[i]);
	}
	hash = dstack_sha256((const guint8 *)manifest->str, manifest->len);
	digest = dstack_sha256_to_hex(&hash);
	dstack_image_copy_write(self, "sha256sum.txt", manifest->str, manifest->len);
	dstack_image_copy_write(self, "digest.txt", digest, strlen(digest));
}
