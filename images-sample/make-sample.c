/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Makes the sample image from nothing: make-sample PARENT-DIRECTORY. The same source gives the same bytes.
 * Layout of an image directory: formats.md, section 1.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "base/digest.h"
#include "base/file.h"
#include "image/image.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"
#include "sample-firmware.h"
#include "sample-kernel.h"

#define IMAGE_NAME     "dstack-sample-" SAMPLE_VERSION
#define SAMPLE_VERSION "0.1.0"

/* no root filesystem comes with the image; a digest that stands for one */
#define ROOTFS_NOTE "The sample image has no root filesystem."

static const gchar *const listed[] = {
    "bzImage", "initramfs.cpio", "metadata.json", "measurement.snp.cbor", "measurement.tdx.cbor", "ovmf.fd"};

static gboolean
write_file(int dirfd, const gchar *name, const guint8 *data, gsize size, GError **error)
{
	return dstack_file_replace_at(dirfd, name, data, size, 0644, (gid_t)-1, error);
}

static gboolean
write_array(int dirfd, const gchar *name, GByteArray *array, GError **error)
{
	g_autoptr(GByteArray) data = array;

	return write_file(dirfd, name, data->data, data->len, error);
}

static gboolean
write_text(int dirfd, const gchar *name, const gchar *text, GError **error)
{
	return write_file(dirfd, name, (const guint8 *)text, strlen(text), error);
}

static gboolean
write_metadata(int dirfd, GError **error)
{
	DstackSha256 rootfs = dstack_sha256((const guint8 *)ROOTFS_NOTE, strlen(ROOTFS_NOTE));
	g_autofree gchar *rootfs_hash = dstack_sha256_to_hex(&rootfs);
	g_autofree gchar *text = g_strdup_printf("{\n"
						 "  \"bios\": \"ovmf.fd\",\n"
						 "  \"kernel\": \"bzImage\",\n"
						 "  \"initrd\": \"initramfs.cpio\",\n"
						 "  \"cmdline\": \"console=ttyS0 dstack.rootfs_hash=%s\",\n"
						 "  \"rootfs_hash\": \"%s\",\n"
						 "  \"version\": \"" SAMPLE_VERSION "\",\n"
						 "  \"ovmf_variant\": \"pre202505\",\n"
						 "  \"is_dev\": true\n"
						 "}\n",
						 rootfs_hash, rootfs_hash);

	return write_text(dirfd, "metadata.json", text, error);
}

static gboolean
write_material(const gchar *path, GError **error)
{
	g_autoptr(DstackImage) image = dstack_image_open_unfinished(path, error);
	g_autoptr(DstackTdxMeasured) tdx = NULL;
	g_autoptr(DstackSnpMaterial) snp = NULL;
	g_autoptr(GBytes) tdx_cbor = NULL;
	g_autoptr(GBytes) snp_cbor = NULL;

	if (image == NULL)
		return FALSE;
	tdx = dstack_measure_tdx_material(image, 0, NULL, error);
	if (tdx == NULL || !dstack_tdx_measured_ensure_default_cfv(tdx, error))
		return FALSE;
	snp = dstack_measure_snp_material(image, NULL, error);
	if (snp == NULL)
		return FALSE;
	tdx_cbor = dstack_tdx_material_build(tdx->material);
	snp_cbor = dstack_snp_material_build(snp);
	return write_file(image->dirfd, "measurement.tdx.cbor", g_bytes_get_data(tdx_cbor, NULL),
			  g_bytes_get_size(tdx_cbor), error) &&
	       write_file(image->dirfd, "measurement.snp.cbor", g_bytes_get_data(snp_cbor, NULL),
			  g_bytes_get_size(snp_cbor), error);
}

/* what everything else is known by, so it comes last */
static gboolean
write_manifest(int dirfd, GError **error)
{
	g_autoptr(GString) manifest = g_string_new(NULL);
	g_autofree gchar *hex = NULL;
	g_autofree gchar *line = NULL;
	DstackSha256 digest;

	for (guint i = 0; i < G_N_ELEMENTS(listed); i++) {
		g_autoptr(GBytes) bytes = dstack_file_read_beneath(dirfd, listed[i], 16 * 1024 * 1024, error);
		g_autofree gchar *file_hex = NULL;

		if (bytes == NULL)
			return FALSE;
		digest = dstack_sha256_bytes(bytes);
		file_hex = dstack_sha256_to_hex(&digest);
		g_string_append_printf(manifest, "%s  %s\n", file_hex, listed[i]);
	}
	digest = dstack_sha256((const guint8 *)manifest->str, manifest->len);
	hex = dstack_sha256_to_hex(&digest);
	line = g_strconcat(hex, "\n", NULL);
	return write_text(dirfd, "sha256sum.txt", manifest->str, error) && write_text(dirfd, "digest.txt", line, error);
}

static gboolean
make_image(const gchar *path, GError **error)
{
	int dirfd = dstack_dir_open(path, error);
	gboolean made = FALSE;

	if (dirfd < 0)
		return FALSE;
	made = write_array(dirfd, "ovmf.fd", dstack_sample_firmware_default(), error) &&
	       write_array(dirfd, "bzImage", dstack_sample_kernel_build(), error) &&
	       write_array(dirfd, "initramfs.cpio", dstack_sample_initrd_build(), error) &&
	       write_metadata(dirfd, error) && write_material(path, error) && write_manifest(dirfd, error);
	(void)g_close(dirfd, NULL);
	return made;
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *path = NULL;

	if (argc != 2) {
		g_printerr("Usage: make-sample PARENT-DIRECTORY\n");
		return 2;
	}
	path = g_build_filename(argv[1], IMAGE_NAME, NULL);
	if (g_mkdir_with_parents(path, 0755) != 0) {
		g_printerr("make-sample: cannot make '%s': %s\n", path, g_strerror(errno));
		return EXIT_FAILURE;
	}
	if (!make_image(path, &error)) {
		g_printerr("make-sample: %s\n", error->message);
		return EXIT_FAILURE;
	}
	g_print("%s\n", path);
	return EXIT_SUCCESS;
}
