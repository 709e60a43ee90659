/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The self-check of an image: plans which files are read for what, has them hashed in one pass, and compares.
 *
 * A file is opened once. What the image's opening has read already (metadata, material) is checked from those bytes;
 * firmware and kernel are measured from the bytes that were hashed. Where the cache knows all digests that a
 * measurement was made of, its result comes from there too and nothing is read at all.
 */

#include "config.h"

#include "measure/check.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/limits.h"
#include "image/digest-cache.h"
#include "measure/check-material.h"
#include "measure/check-report.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"
#include "measure/measured-cache.h"
#include "tdx/rtmr2.h"

typedef struct {
	const DstackImage *image;
	const DstackCheckOptions *options;
	DstackDigestCache *cache;
	DstackCheckReport *report;
	GPtrArray *jobs;     /* (element-type DstackHashJob): owned */
	GHashTable *skipped; /* (element-type utf8): names left out, borrowed */
	DstackHashJob *bios; /* borrowed from jobs; NULL where not needed or not there */
	DstackHashJob *bios_sev;
	DstackHashJob *kernel;
	DstackHashJob *initrd;
	DstackTdxMeasured *tdx; /* (nullable): from the cache or computed */
	DstackSnpMaterial *snp;
} Check;

static void
check_clear(Check *self)
{
	dstack_digest_cache_free(self->cache);
	dstack_check_report_free(self->report);
	g_ptr_array_unref(self->jobs);
	g_hash_table_unref(self->skipped);
	dstack_tdx_measured_free(self->tdx);
	dstack_snp_material_free(self->snp);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static DstackHashJob *
find_job(const Check *self, const gchar *name)
{
	for (guint i = 0; i < self->jobs->len; i++) {
		DstackHashJob *job = g_ptr_array_index(self->jobs, i);

		if (g_str_equal(job->name, name))
			return job;
	}
	return NULL;
}

/* NULL where the file cannot be opened or is left out, which the report then says */
static DstackHashJob *
add_job(Check *self, const gchar *name)
{
	g_autoptr(GError) error = NULL;
	struct stat st = {0};
	int fd = dstack_image_open_file(self->image, name, &st, &error);
	DstackHashJob *job = NULL;

	if (fd < 0) {
		dstack_check_report_add_failure(self->report, "file", name, error->message);
		return NULL;
	}
	job = dstack_hash_job_new(name, fd, DSTACK_DIGEST_SHA256);
	job->st = st;
	g_ptr_array_add(self->jobs, job);
	return job;
}

/* bytes of a file that the image's opening has read, NULL for any other */
static GBytes *
peek_loaded(const Check *self, const gchar *name)
{
	if (g_str_equal(name, "metadata.json"))
		return self->image->metadata_bytes;
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		if (g_str_equal(name, dstack_material_kind_to_file_name((DstackMaterialKind)i)))
			return self->image->material[i];
	}
	return NULL;
}

static void
add_manifest_jobs(Check *self)
{
	const GPtrArray *entries = self->image->manifest->entries;

	for (guint i = 0; i < entries->len; i++) {
		const DstackManifestEntry *entry = g_ptr_array_index(entries, i);

		if (peek_loaded(self, entry->name) == NULL)
			(void)add_job(self, entry->name);
	}
}

/* the file that metadata.json names, also where the manifest does not list it */
static DstackHashJob *
ensure_job(Check *self, const gchar *name)
{
	DstackHashJob *job = NULL;

	if (name == NULL)
		return NULL;
	job = find_job(self, name);
	/* one that is listed and has no job could not be opened, and the report says so */
	if (job != NULL || dstack_manifest_find(self->image->manifest, name) != NULL)
		return job;
	return add_job(self, name);
}

static void
add_measured_jobs(Check *self)
{
	const DstackMetadata *metadata = self->image->metadata;

	if (self->image->tdx == NULL && self->image->snp == NULL)
		return;
	self->kernel = ensure_job(self, metadata->kernel);
	self->initrd = ensure_job(self, metadata->initrd);
	if (self->image->tdx != NULL)
		self->bios = ensure_job(self, metadata->bios);
	if (self->image->snp != NULL)
		self->bios_sev = ensure_job(self, dstack_metadata_get_bios_sev(metadata));
	if (self->image->tdx != NULL && self->initrd != NULL)
		self->initrd->wanted |= DSTACK_DIGEST_SHA384;
}

static gboolean
is_known(const Check *self, const DstackHashJob *job)
{
	DstackFileDigests digests = {0};

	return dstack_digest_cache_lookup(self->cache, &job->st, job->wanted, &digests);
}

static gboolean
key_from_jobs(const Check *self, const DstackHashJob *firmware, DstackMeasuredKey *out)
{
	const gchar *cmdline = self->image->metadata->cmdline;

	if (firmware == NULL || self->kernel == NULL || self->initrd == NULL || cmdline == NULL)
		return FALSE;
	*out = (DstackMeasuredKey){.firmware = firmware->digests.sha256,
				   .kernel = self->kernel->digests.sha256,
				   .initrd = self->initrd->digests.sha256,
				   .initrd_size = (guint64)self->initrd->st.st_size,
				   .cmdline = cmdline};
	return TRUE;
}

static gboolean
tdx_key(const Check *self, DstackMeasuredKey *out)
{
	if (!key_from_jobs(self, self->bios, out))
		return FALSE;
	out->kernel_header_normalized = self->image->metadata->kernel_header_normalized;
	out->version = self->image->tdx->version;
	return TRUE;
}

/* fills in what the cache knows of a job, so that a key can be made before anything is read */
static gboolean
preview(const Check *self, DstackHashJob *job)
{
	return job != NULL && dstack_digest_cache_lookup(self->cache, &job->st, job->wanted, &job->digests);
}

static void
lookup_results(Check *self)
{
	DstackMeasuredKey key = {0};

	if (!preview(self, self->kernel) || !preview(self, self->initrd))
		return;
	if (self->image->tdx != NULL && preview(self, self->bios) && tdx_key(self, &key))
		self->tdx = dstack_measured_cache_lookup_tdx(self->cache, &key);
	if (self->image->snp != NULL && preview(self, self->bios_sev) && key_from_jobs(self, self->bios_sev, &key))
		self->snp = dstack_measured_cache_lookup_snp(self->cache, &key);
}

static void
keep_bytes(DstackHashJob *job, gsize max)
{
	if (job == NULL)
		return;
	job->keep = TRUE;
	job->max_kept = max;
}

/* what has to be computed is computed from the bytes that are hashed */
static void
plan_measurements(Check *self)
{
	lookup_results(self);
	if (self->image->tdx != NULL && self->tdx == NULL) {
		keep_bytes(self->bios, DSTACK_LIMIT_FIRMWARE);
		keep_bytes(self->kernel, DSTACK_LIMIT_KERNEL);
	}
	if (self->image->snp != NULL && self->snp == NULL)
		keep_bytes(self->bios_sev, DSTACK_LIMIT_FIRMWARE);
}

static void
forget_job(Check *self, DstackHashJob *job)
{
	DstackHashJob **const roles[] = {&self->bios, &self->bios_sev, &self->kernel, &self->initrd};

	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		if (*roles[i] == job)
			*roles[i] = NULL;
	}
}

/* files too large to be hashed now, unless the cache knows them */
static void
leave_out_large(Check *self)
{
	guint64 limit = self->options->skip_above;

	for (guint i = self->jobs->len; limit > 0 && i > 0; i--) {
		DstackHashJob *job = g_ptr_array_index(self->jobs, i - 1);

		if ((guint64)job->st.st_size <= limit || is_known(self, job))
			continue;
		dstack_check_report_add_skipped(self->report, "file", job->name, (guint64)job->st.st_size);
		dstack_check_report_add_note(
		    self->report, "'%s' was not read: it is large and not known from an earlier check", job->name);
		(void)g_hash_table_add(self->skipped, (gpointer)(guintptr)job->name);
		forget_job(self, job);
		g_ptr_array_remove_index(self->jobs, i - 1);
	}
}

static void
plan_jobs(Check *self)
{
	add_manifest_jobs(self);
	add_measured_jobs(self);
	leave_out_large(self);
	plan_measurements(self);
}

static void
report_file(Check *self, const gchar *name, const DstackSha256 *expected, const DstackSha256 *found, guint64 size)
{
	g_autofree gchar *expected_hex = dstack_sha256_to_hex(expected);
	g_autofree gchar *found_hex = dstack_sha256_to_hex(found);

	dstack_check_report_add_comparison(self->report, "file", name, expected_hex, found_hex, size, NULL);
}

static void
report_entry(Check *self, const DstackManifestEntry *entry)
{
	GBytes *loaded = peek_loaded(self, entry->name);
	const DstackHashJob *job = find_job(self, entry->name);
	DstackSha256 digest = {{0}};

	if (loaded != NULL) {
		digest = dstack_sha256_bytes(loaded);
		report_file(self, entry->name, &entry->sha256, &digest, g_bytes_get_size(loaded));
	} else if (job != NULL && job->error != NULL) {
		dstack_check_report_add_failure(self->report, "file", entry->name, job->error->message);
	} else if (job != NULL) {
		report_file(self, entry->name, &entry->sha256, &job->digests.sha256, (guint64)job->st.st_size);
	}
}

static void
report_files(Check *self)
{
	const GPtrArray *entries = self->image->manifest->entries;

	for (guint i = 0; i < entries->len; i++)
		report_entry(self, g_ptr_array_index(entries, i));
}

/* a measured file that the manifest does not list is bound by the material alone */
static void
report_unlisted(Check *self, const gchar *role, const gchar *name)
{
	gboolean committed = self->image->tdx != NULL || self->image->snp != NULL;

	if (name == NULL || dstack_manifest_find(self->image->manifest, name) != NULL)
		return;
	if (committed) {
		dstack_check_report_add_note(
		    self->report, "'%s' (%s) is not listed in sha256sum.txt; the material commits to it", name, role);
	} else {
		dstack_check_report_add_problem(
		    self->report, "'%s' (%s) is not listed in sha256sum.txt, and no material commits to it", name,
		    role);
	}
}

static void
report_metadata(Check *self)
{
	const DstackMetadata *metadata = self->image->metadata;
	g_autoptr(GError) error = NULL;

	report_unlisted(self, "kernel", metadata->kernel);
	report_unlisted(self, "initrd", metadata->initrd);
	report_unlisted(self, "firmware", metadata->bios);
	if (metadata->rootfs != NULL && dstack_manifest_find(self->image->manifest, metadata->rootfs) == NULL) {
		dstack_check_report_add_note(self->report,
					     "'%s' (rootfs) is not listed in sha256sum.txt: dstack.rootfs_hash on the "
					     "command line commits to it, "
					     "and the guest checks it as it reads",
					     metadata->rootfs);
	}
	if (metadata->cmdline != NULL && !dstack_rtmr2_ensure_cmdline(metadata->cmdline, &error))
		dstack_check_report_add_problem(self->report, "metadata.json: %s", error->message);
}

/* all files that a measurement needs are there; what is missing has been reported already */
static gboolean
can_measure(Check *self, const gchar *kind, const DstackHashJob *firmware)
{
	const DstackHashJob *const needed[] = {firmware, self->kernel, self->initrd};

	if (self->image->metadata->cmdline == NULL) {
		dstack_check_report_add_failure(self->report, kind, "cmdline",
						"metadata.json has no command line to measure");
		return FALSE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
		if (needed[i] != NULL && needed[i]->error == NULL)
			continue;
		if (g_hash_table_size(self->skipped) > 0) {
			dstack_check_report_add_skipped(self->report, kind, "material", 0);
			return FALSE;
		}
		dstack_check_report_add_failure(self->report, kind, "material",
						"a file that is measured is missing or could not be read");
		return FALSE;
	}
	return TRUE;
}

static void
measure_tdx(Check *self, DstackTdxInputs *inputs)
{
	g_autoptr(GError) error = NULL;

	self->tdx = dstack_tdx_measure(inputs, self->image->tdx->version, &error);
	if (self->tdx == NULL) {
		g_prefix_error(&error, "the measurement of TDX cannot be computed: ");
		dstack_check_report_add_failure(self->report, "tdx", "material", error->message);
	}
}

static void
check_tdx(Check *self)
{
	DstackTdxInputs inputs = {0};
	gboolean cached = self->tdx != NULL;
	DstackMeasuredKey key = {0};

	if (!can_measure(self, "tdx", self->bios) || !tdx_key(self, &key))
		return;
	inputs = (DstackTdxInputs){.firmware = self->bios->bytes,
				   .kernel = self->kernel->bytes,
				   .initrd_size = key.initrd_size,
				   .initrd_sha384 = self->initrd->digests.sha384,
				   .cmdline = key.cmdline,
				   .kernel_header_normalized = key.kernel_header_normalized};
	if (!cached)
		measure_tdx(self, &inputs);
	if (self->tdx == NULL)
		return;
	dstack_check_tdx_material(self->report, self->image->tdx, self->tdx, cached ? NULL : &inputs);
	if (!cached && self->report->sound)
		dstack_measured_cache_store_tdx(self->cache, &key, self->tdx);
}

static void
measure_snp(Check *self, const DstackMeasuredKey *key)
{
	DstackSnpInputs inputs = {
	    .firmware = self->bios_sev->bytes, .kernel = key->kernel, .initrd = key->initrd, .cmdline = key->cmdline};
	g_autoptr(GError) error = NULL;

	self->snp = dstack_snp_measure(&inputs, &error);
	if (self->snp == NULL) {
		g_prefix_error(&error, "the measurement of SEV-SNP cannot be computed: ");
		dstack_check_report_add_failure(self->report, "snp", "material", error->message);
	}
}

static void
check_snp(Check *self)
{
	gboolean cached = self->snp != NULL;
	DstackMeasuredKey key = {0};

	if (!can_measure(self, "snp", self->bios_sev) || !key_from_jobs(self, self->bios_sev, &key))
		return;
	if (!cached)
		measure_snp(self, &key);
	if (self->snp == NULL)
		return;
	dstack_check_snp_material(self->report, self->image->snp, self->snp);
	if (!cached && self->report->sound)
		dstack_measured_cache_store_snp(self->cache, &key, self->snp);
}

static void
report_material_errors(Check *self)
{
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		const GError *error = self->image->material_errors[i];
		const gchar *kind = dstack_material_kind_to_string((DstackMaterialKind)i);

		if (error != NULL)
			dstack_check_report_add_failure(self->report, kind, "material", error->message);
	}
}

static void
check_materials(Check *self)
{
	if (self->image->tdx != NULL)
		check_tdx(self);
	if (self->image->snp != NULL)
		check_snp(self);
	if (self->image->gcp != NULL || self->image->aws != NULL) {
		dstack_check_report_add_note(
		    self->report, "material of GCP and AWS is well formed and listed; what it measures is not part of "
				  "an image directory, so it was not computed again");
	}
}

static void
save_cache(Check *self)
{
	g_autoptr(GError) error = NULL;

	if (!dstack_digest_cache_save(self->cache, &error))
		dstack_check_report_add_note(self->report, "digests could not be remembered: %s", error->message);
}

static void
check_init(Check *self, const DstackImage *image, const DstackContext *context, const DstackCheckOptions *options)
{
	*self = (Check){.image = image,
			.options = options,
			.cache = dstack_digest_cache_open(context),
			.report = dstack_check_report_new(image),
			.jobs = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_hash_job_free),
			.skipped = g_hash_table_new(g_str_hash, g_str_equal)};
}

/**
 * dstack_check_image:
 * @image: an opened image
 * @context: the time, and where the digest cache lives
 * @options: what to leave out and whom to tell
 * @error: (out) (optional): the cancellable's error
 *
 * Hashes every file of the manifest, and recomputes TDX and SEV-SNP material from firmware, kernel, initrd and command
 * line, reading each file once at most. Every problem found is in the report, not only the first.
 *
 * Returns: (transfer full): the report, or %NULL when cancelled
 */
DstackCheckReport *
dstack_check_image(const DstackImage *image, const DstackContext *context, const DstackCheckOptions *options,
		   GError **error)
{
	g_auto(Check) check = {0};
	g_autoptr(GError) flat = NULL;

	check_init(&check, image, context, options);
	if (!dstack_manifest_ensure_flat(image->manifest, &flat))
		dstack_check_report_add_problem(check.report, "%s", flat->message);
	if (!options->material_only)
		plan_jobs(&check);
	if (!dstack_hash_files(check.jobs, check.cache, options->progress, options->user_data, options->cancellable,
			       error))
		return NULL;
	report_files(&check);
	report_metadata(&check);
	report_material_errors(&check);
	if (!options->material_only)
		check_materials(&check);
	save_cache(&check);
	return g_steal_pointer(&check.report);
}
