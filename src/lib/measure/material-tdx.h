/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDX material of an image: computed from its files, and judged.
 */
#pragma once

#include <gio/gio.h>

#include "image/image.h"
#include "tdx/kernel-setup.h"

G_BEGIN_DECLS

/* what of an image is measured; everything is borrowed */
typedef struct {
	GBytes *firmware;
	GBytes *kernel;
	guint64 initrd_size; /* bytes */
	DstackSha384 initrd_sha384;
	const gchar *cmdline; /* as metadata.json has it */
	gboolean kernel_header_normalized;
} DstackTdxInputs;

typedef struct {
	DstackTdxMaterial *material; /* what the image's material has to be */
	DstackSha384 cfv;	     /* of the firmware's variable store: material takes dstack_rtmr0_default_cfv() */
	DstackKernelNormalized normalized; /* where material->kernel_header_normalized */
	/* the kernel digest by the reference tool's rules, where that is another one: such material never verifies */
	gboolean has_reference_kernel;
	DstackSha384 reference_kernel;
} DstackTdxMeasured;

/* version 3 or 4 of material; 0: 4 for an image that declares kernel_header_normalized, else 3 */
DstackTdxMeasured *dstack_tdx_measure(const DstackTdxInputs *inputs, guint version, GError **error);
void dstack_tdx_measured_free(DstackTdxMeasured *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTdxMeasured, dstack_tdx_measured_free)

/* a launch of these inputs can be verified from the material: the variable store is the one it takes for granted */
gboolean dstack_tdx_measured_ensure_default_cfv(const DstackTdxMeasured *self,
						GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the digest of the kernel event where the header is patched for this memory size; plain: where it is not */
gboolean dstack_tdx_inputs_kernel_patched(const DstackTdxInputs *inputs, guint64 memory_size, DstackSha384 *out,
					  GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_inputs_kernel_plain(const DstackTdxInputs *inputs, DstackSha384 *out,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the inputs of an image directory: firmware and kernel in memory, the initrd hashed as it is read */
typedef struct {
	DstackTdxInputs inputs; /* borrows from the rest and from the image */
	GBytes *firmware;
	GBytes *kernel;
} DstackTdxFiles;

DstackTdxFiles *dstack_tdx_files_read(const DstackImage *image, GCancellable *cancellable, GError **error);
void dstack_tdx_files_free(DstackTdxFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTdxFiles, dstack_tdx_files_free)

/* both steps: reads the image's files and measures them */
DstackTdxMeasured *dstack_measure_tdx_material(const DstackImage *image, guint version, GCancellable *cancellable,
					       GError **error);

G_END_DECLS
