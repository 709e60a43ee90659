/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP material of an image: computed from its files.
 */
#pragma once

#include <gio/gio.h>

#include "image/image.h"

G_BEGIN_DECLS

/* what of an image is measured; everything is borrowed */
typedef struct {
	GBytes *firmware;
	DstackSha256 kernel; /* of the file as it is: under SEV, QEMU does not patch the header */
	DstackSha256 initrd;
	const gchar *cmdline; /* as metadata.json has it */
} DstackSnpInputs;

/* what the image's material has to be */
DstackSnpMaterial *dstack_snp_measure(const DstackSnpInputs *inputs, GError **error);
/* both steps: reads the image's files and measures them */
DstackSnpMaterial *dstack_measure_snp_material(const DstackImage *image, GCancellable *cancellable, GError **error);

G_END_DECLS
