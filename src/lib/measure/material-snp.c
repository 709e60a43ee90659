/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP material from firmware, kernel, initrd and command line (formats.md, section 2; snp-measurement.md).
 */

#include "config.h"

#include "measure/material-snp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "snp/launch.h"
#include "snp/ovmf-footer.h"

#define READ_SIZE DSTACK_KIB(256)

/**
 * dstack_snp_measure:
 * @inputs: what of an image is measured
 * @error: (out) (optional): why the image cannot be launched and measured under SEV-SNP
 *
 * Returns: (transfer full) (nullable): its material
 */
DstackSnpMaterial *
dstack_snp_measure(const DstackSnpInputs *inputs, GError **error)
{
	g_autoptr(DstackSnpMaterial) material = dstack_snp_material_new();
	DstackOvmfFooter footer = {0};
	gsize size = 0;
	const guint8 *firmware = g_bytes_get_data(inputs->firmware, &size);

	if (!dstack_ovmf_footer_parse(&footer, firmware, size, error) ||
	    !dstack_ovmf_footer_ensure_kernel_hashes(&footer, error) ||
	    !dstack_snp_ovmf_hash_compute(firmware, size, &material->ovmf_hash, error))
		return NULL;
	g_free(material->cmdline);
	material->cmdline = g_strstrip(g_strdup(inputs->cmdline));
	material->kernel_hash = inputs->kernel;
	material->initrd_hash = inputs->initrd;
	material->hashes_table_gpa = footer.hashes_table_gpa;
	material->reset_eip = footer.reset_eip;
	material->n_sections = (guint)footer.n_sections;
	memcpy(material->sections, footer.sections, sizeof(material->sections));
	return g_steal_pointer(&material);
}

/* reads what was opened, once, in pieces: an initrd need not fit in memory */
static gboolean
hash_fd(int fd, const gchar *name, GCancellable *cancellable, DstackSha256 *out, GError **error)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	g_autofree guint8 *buffer = g_malloc(READ_SIZE);

	for (;;) {
		gssize n = 0;

		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return FALSE;
		n = read(fd, buffer, READ_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dstack_throw_errno(error, "cannot read '%s'", name);
		if (n == 0)
			break;
		dstack_hasher_update(hasher, buffer, (gsize)n);
	}
	*out = dstack_hasher_finish_sha256(hasher);
	return TRUE;
}

static gboolean
hash_file(const DstackImage *image, const gchar *name, GCancellable *cancellable, DstackSha256 *out, GError **error)
{
	DSTACK_AUTO_FD int fd = dstack_image_open_file(image, name, NULL, error);

	return fd >= 0 && hash_fd(fd, name, cancellable, out, error);
}

static GBytes *
read_firmware(const DstackImage *image, GError **error)
{
	const gchar *name = dstack_metadata_get_bios_sev(image->metadata);
	DSTACK_AUTO_FD int fd = -1;

	if (name == NULL) {
		dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "'%s': metadata.json names no firmware (bios-sev or bios)",
			     image->path);
		return NULL;
	}
	fd = dstack_image_open_file(image, name, NULL, error);
	return fd < 0 ? NULL : dstack_file_read_fd(fd, name, DSTACK_LIMIT_FIRMWARE, error);
}

/**
 * dstack_measure_snp_material:
 * @image: an opened image
 * @cancellable: (nullable): to stop between pieces of a file
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when a file is missing, else why the image cannot be measured
 *
 * Returns: (transfer full) (nullable): the material that the image has to have
 */
DstackSnpMaterial *
dstack_measure_snp_material(const DstackImage *image, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) firmware = read_firmware(image, error);
	DstackSnpInputs inputs = {.firmware = firmware, .cmdline = image->metadata->cmdline};

	if (firmware == NULL)
		return NULL;
	if (inputs.cmdline == NULL)
		inputs.cmdline = "";
	if (!hash_file(image, image->metadata->kernel, cancellable, &inputs.kernel, error) ||
	    !hash_file(image, image->metadata->initrd, cancellable, &inputs.initrd, error))
		return NULL;
	return dstack_snp_measure(&inputs, error);
}
