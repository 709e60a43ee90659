/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Measuring an image for TDX. Rules: tdx-measurement.md, sections 2 to 5; form: formats.md, section 2.
 */

#include "config.h"

#include "measure/material-tdx.h"

#include "base/error.h"
#include "base/limits.h"
#include "measure/hash-file.h"
#include "tdx/authenticode.h"
#include "tdx/mrtd.h"
#include "tdx/rtmr0.h"
#include "tdx/rtmr2.h"
#include "tdx/td-hob.h"

static DstackKernelLoad
inputs_load(const DstackTdxInputs *inputs, guint64 memory_size)
{
	return (DstackKernelLoad){
	    .memory_size = memory_size,
	    .has_initrd = TRUE,
	    .initrd_size = inputs->initrd_size,
	    .cmdline = inputs->cmdline,
	};
}

/**
 * dstack_tdx_inputs_kernel_patched:
 * @inputs: an image
 * @memory_size: of the VM, bytes
 * @out: (out): the digest
 * @error: (out) (optional): as dstack_kernel_digest_patched()
 *
 * What the firmware measures where QEMU has filled the kernel's setup header: QEMU up to 10.1.
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_tdx_inputs_kernel_patched(const DstackTdxInputs *inputs, guint64 memory_size, DstackSha384 *out, GError **error)
{
	DstackKernelLoad load = inputs_load(inputs, memory_size);
	gsize size = 0;
	const guint8 *kernel = g_bytes_get_data(inputs->kernel, &size);

	return dstack_kernel_digest_patched(kernel, size, &load, DSTACK_KERNEL_RULES_QEMU, out, error);
}

/**
 * dstack_tdx_inputs_kernel_plain:
 * @inputs: an image
 * @out: (out): the digest
 * @error: (out) (optional): as dstack_authenticode_sha384()
 *
 * What the firmware measures where the kernel reaches it as it is: QEMU from 10.2 on.
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_tdx_inputs_kernel_plain(const DstackTdxInputs *inputs, DstackSha384 *out, GError **error)
{
	gsize size = 0;
	const guint8 *kernel = g_bytes_get_data(inputs->kernel, &size);

	return dstack_authenticode_sha384(kernel, size, out, error);
}

static gboolean
measure_firmware(const DstackTdxInputs *inputs, DstackTdxMeasured *measured, GError **error)
{
	DstackTdvf tdvf;
	DstackTdHobWitness witness;
	gsize size = 0;
	const guint8 *firmware = g_bytes_get_data(inputs->firmware, &size);

	if (!dstack_tdvf_parse(&tdvf, firmware, size, error) || !dstack_tdvf_cfv_digest(&tdvf, &measured->cfv, error) ||
	    !dstack_td_hob_witness_from_tdvf(&witness, &tdvf, error))
		return FALSE;
	measured->material->mrtd_single_pass = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_SINGLE_PASS);
	measured->material->mrtd_two_pass = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_TWO_PASS);
	measured->material->td_hob = dstack_td_hob_witness_build(&witness);
	return TRUE;
}

/* a kernel that the reference tool refuses has no reference digest, which is no error of the image */
static void
measure_reference_kernel(const DstackTdxInputs *inputs, DstackTdxMeasured *measured)
{
	DstackKernelLoad load = inputs_load(inputs, DSTACK_KERNEL_LITE_MEMORY);
	DstackSha384 digest;
	gsize size = 0;
	const guint8 *kernel = g_bytes_get_data(inputs->kernel, &size);

	if (!dstack_kernel_digest_patched(kernel, size, &load, DSTACK_KERNEL_RULES_REFERENCE, &digest, NULL) ||
	    dstack_sha384_equal(&digest, &measured->material->kernel_authenticode))
		return;
	measured->has_reference_kernel = TRUE;
	measured->reference_kernel = digest;
}

static gboolean
measure_kernel(const DstackTdxInputs *inputs, DstackTdxMeasured *measured, GError **error)
{
	DstackSha384 *out = &measured->material->kernel_authenticode;
	DstackKernelLoad load = inputs_load(inputs, DSTACK_KERNEL_LITE_MEMORY);
	gsize size = 0;
	const guint8 *kernel = g_bytes_get_data(inputs->kernel, &size);

	if (inputs->kernel_header_normalized) {
		return dstack_kernel_ensure_normalized(kernel, size, &load, &measured->normalized, error) &&
		       dstack_tdx_inputs_kernel_plain(inputs, out, error);
	}
	if (!dstack_tdx_inputs_kernel_patched(inputs, DSTACK_KERNEL_LITE_MEMORY, out, error))
		return FALSE;
	measure_reference_kernel(inputs, measured);
	return TRUE;
}

static gboolean
measure_cmdline(const DstackTdxInputs *inputs, DstackTdxMaterial *material, GError **error)
{
	if (!dstack_rtmr2_ensure_cmdline(inputs->cmdline, error))
		return FALSE;
	if (material->version == 4) {
		material->cmdline = g_strdup(inputs->cmdline);
		return TRUE;
	}
	return dstack_rtmr2_cmdline_digest(inputs->cmdline, &material->cmdline_sha384, error);
}

static gboolean
choose_version(const DstackTdxInputs *inputs, guint wanted, guint *out, GError **error)
{
	guint version = wanted;

	if (version == 0)
		version = inputs->kernel_header_normalized ? 4 : 3;
	if (version != 3 && version != 4)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "material version: expected 3 or 4, found %u",
				    version);
	if (version == 3 && inputs->kernel_header_normalized)
		return dstack_throw(
		    error, DSTACK_ERROR_INVALID_ARGUMENT,
		    "material version: the image declares kernel_header_normalized, which version 3 cannot say");
	*out = version;
	return TRUE;
}

/**
 * dstack_tdx_measure:
 * @inputs: what is measured
 * @version: 3 or 4; 0 for the one that `measure tdx` writes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when a file cannot be read as what it should be,
 *   %DSTACK_ERROR_UNSOUND when no launch of it could be verified, %DSTACK_ERROR_INVALID_ARGUMENT for @version
 *
 * Returns: (transfer full): the material and what a check needs besides
 */
DstackTdxMeasured *
dstack_tdx_measure(const DstackTdxInputs *inputs, guint version, GError **error)
{
	g_autoptr(DstackTdxMeasured) measured = g_new0(DstackTdxMeasured, 1);
	DstackTdxMaterial *material = dstack_tdx_material_new();

	measured->material = material;
	if (!choose_version(inputs, version, &material->version, error) || !measure_cmdline(inputs, material, error) ||
	    !measure_firmware(inputs, measured, error) || !measure_kernel(inputs, measured, error))
		return NULL;
	material->kernel_header_normalized = inputs->kernel_header_normalized;
	material->initrd_sha384 = inputs->initrd_sha384;
	return g_steal_pointer(&measured);
}

void
dstack_tdx_measured_free(DstackTdxMeasured *self)
{
	if (self == NULL)
		return;
	dstack_tdx_material_free(self->material);
	g_free(self);
}

/**
 * dstack_tdx_measured_ensure_default_cfv:
 * @self: a measured image
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the firmware carries another variable store
 *
 * Material has no room for this digest; verifiers take the empty store of OVMF's 4 MiB builds for granted.
 *
 * Returns: %TRUE when that is what the firmware has
 */
gboolean
dstack_tdx_measured_ensure_default_cfv(const DstackTdxMeasured *self, GError **error)
{
	DstackSha384 expected = dstack_rtmr0_default_cfv();
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (dstack_sha384_equal(&self->cfv, &expected))
		return TRUE;
	expected_hex = dstack_sha384_to_hex(&expected);
	found_hex = dstack_sha384_to_hex(&self->cfv);
	return dstack_throw(
	    error, DSTACK_ERROR_UNSOUND,
	    "firmware: expected the empty 0x84000-byte variable store of OVMF's 4 MiB builds (SHA-384 %s), "
	    "found %s: no verifier could expect this firmware's RTMR0",
	    expected_hex, found_hex);
}

/* opened now, read by dstack_hash_files() */
static DstackHashJob *
add_job(GPtrArray *jobs, const DstackImage *image, const gchar *name, guint wanted, gsize max_kept, GError **error)
{
	int fd = dstack_image_open_file(image, name, NULL, error);
	DstackHashJob *job = NULL;

	if (fd < 0)
		return NULL;
	job = dstack_hash_job_new(name, fd, wanted);
	job->keep = max_kept > 0;
	job->max_kept = max_kept;
	g_ptr_array_add(jobs, job);
	return job;
}

static gboolean
ensure_jobs_done(const GPtrArray *jobs, GError **error)
{
	for (guint i = 0; i < jobs->len; i++) {
		DstackHashJob *job = g_ptr_array_index(jobs, i);

		if (job->error != NULL) {
			g_propagate_error(error, g_steal_pointer(&job->error));
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean
ensure_metadata(const DstackMetadata *metadata, GError **error)
{
	if (metadata->bios == NULL)
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND,
				    "metadata.json: expected 'bios', the firmware's file name, found none");
	if (metadata->cmdline == NULL)
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND,
				    "metadata.json: expected 'cmdline', the kernel's command line, found none");
	return TRUE;
}

/**
 * dstack_tdx_files_read:
 * @image: an open image, which outlives what is returned
 * @cancellable: (nullable): stops the reading
 * @error: (out) (optional): as opening and reading, %DSTACK_ERROR_NOT_FOUND where metadata.json names no firmware
 *   or has no command line
 *
 * Returns: (transfer full): what is measured of the image
 */
DstackTdxFiles *
dstack_tdx_files_read(const DstackImage *image, GCancellable *cancellable, GError **error)
{
	const DstackContext no_cache = {.no_cache = TRUE};
	const DstackMetadata *metadata = image->metadata;
	g_autoptr(DstackTdxFiles) files = g_new0(DstackTdxFiles, 1);
	g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&no_cache);
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_hash_job_free);
	DstackHashJob *firmware = NULL;
	DstackHashJob *kernel = NULL;
	DstackHashJob *initrd = NULL;

	if (!ensure_metadata(metadata, error))
		return NULL;
	firmware = add_job(jobs, image, metadata->bios, 0, DSTACK_LIMIT_FIRMWARE, error);
	if (firmware == NULL)
		return NULL;
	kernel = add_job(jobs, image, metadata->kernel, 0, DSTACK_LIMIT_KERNEL, error);
	if (kernel == NULL)
		return NULL;
	initrd = add_job(jobs, image, metadata->initrd, DSTACK_DIGEST_SHA384, 0, error);
	if (initrd == NULL || !dstack_hash_files(jobs, cache, NULL, NULL, cancellable, error) ||
	    !ensure_jobs_done(jobs, error))
		return NULL;
	files->firmware = g_steal_pointer(&firmware->bytes);
	files->kernel = g_steal_pointer(&kernel->bytes);
	files->inputs = (DstackTdxInputs){
	    .firmware = files->firmware,
	    .kernel = files->kernel,
	    .initrd_size = (guint64)initrd->st.st_size,
	    .initrd_sha384 = initrd->digests.sha384,
	    .cmdline = metadata->cmdline,
	    .kernel_header_normalized = metadata->kernel_header_normalized,
	};
	return g_steal_pointer(&files);
}

void
dstack_tdx_files_free(DstackTdxFiles *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->firmware, g_bytes_unref);
	g_clear_pointer(&self->kernel, g_bytes_unref);
	g_free(self);
}

/**
 * dstack_measure_tdx_material:
 * @image: an open image
 * @version: 3 or 4; 0 for the one that `measure tdx` writes
 * @cancellable: (nullable): stops the reading
 * @error: (out) (optional): as dstack_tdx_files_read() and dstack_tdx_measure()
 *
 * Returns: (transfer full): the image's material as its files say
 */
DstackTdxMeasured *
dstack_measure_tdx_material(const DstackImage *image, guint version, GCancellable *cancellable, GError **error)
{
	g_autoptr(DstackTdxFiles) files = dstack_tdx_files_read(image, cancellable, error);

	return files == NULL ? NULL : dstack_tdx_measure(&files->inputs, version, error);
}
