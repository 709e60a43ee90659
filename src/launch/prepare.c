/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one way from a request to a vm_config. formats.md, sections 3 to 6; cli.md, "prepare options".
 */
#include "config.h"

#include "launch/prepare.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/app-compose.h"
#include "config/mr-config.h"
#include "config/vm-config.h"
#include "launch/injection.h"
#include "launch/policy.h"
#include "launch/qemu-version.h"
#include "measure/check.h"
#include "snp/vcpu-type.h"

#define DEFAULT_VCPU_TYPE      "EPYC-v4"
#define DEFAULT_GUEST_FEATURES 1
#define APP_COMPOSE_NAME       "app-compose.json"
#define SNP_VCPUS_MAX	       512 /* snp-measurement.md, section 2 */
#define VCPUS_MAX	       4096
#define ADDRESS_SPACE	       (G_GUINT64_CONSTANT(1) << 52) /* of an x86 processor, physical */

/* one launch being prepared; everything but result is borrowed */
typedef struct {
	const DstackLaunchRequest *request;
	const DstackSettings *settings;
	const DstackContext *context;
	int share_fd;
	GCancellable *cancellable;
	guint qemu_major, qemu_minor, qemu_micro;
	DstackLaunchResult *result;
} Preparation;

void
dstack_launch_result_free(DstackLaunchResult *self)
{
	if (self == NULL)
		return;
	g_free(self->vm_config);
	g_free(self->mr_config);
	g_free(self->variant);
	g_free(self->reason);
	g_strfreev(self->warnings);
	g_free(self->image);
	g_free(self->image_path);
	g_free(self->image_version);
	g_free(self->qemu_version);
	dstack_image_free(self->opened);
	g_free(self);
}

void
dstack_launch_result_warn(DstackLaunchResult *self, gchar *message)
{
	guint n = g_strv_length(self->warnings);

	self->warnings = g_renew(gchar *, self->warnings, n + 2);
	self->warnings[n] = message;
	self->warnings[n + 1] = NULL;
}

static gboolean
ensure_request(const DstackLaunchRequest *request, GError **error)
{
	static const gchar *const modes[] = {"9p", "vvfat", "vhd", NULL};

	if (request->image == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "image: expected a name, found none");
	if (!request->allow_path && !dstack_launch_image_name_is_valid(request->image))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "image: expected a name like dstack-0.6.0, found '%s'", request->image);
	if (request->memory_size == 0)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "memory: expected more than 0 bytes");
	if (request->memory_size > ADDRESS_SPACE || request->pci_hole64_size > ADDRESS_SPACE)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected at most 4096 TiB, which is all that a processor addresses",
				    request->memory_size > ADDRESS_SPACE ? "memory" : "PCI hole");
	if (request->cpu_count == 0 || request->cpu_count > VCPUS_MAX)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "vcpus: expected 1 to %d, found %u",
				    VCPUS_MAX, request->cpu_count);
	if (request->host_share_mode != NULL && !g_strv_contains(modes, request->host_share_mode))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "host share: expected 9p, vvfat or vhd, found '%s'", request->host_share_mode);
	return TRUE;
}

/* what was said, else what the named program answers, else what the settings say of theirs */
static gboolean
find_qemu_version(Preparation *self, GError **error)
{
	const DstackLaunchRequest *request = self->request;
	const gchar *said = request->qemu_version;
	const gchar *path = request->qemu_path;
	g_autofree gchar *version = NULL;

	if (said == NULL && path == NULL) {
		said = self->settings->qemu_version;
		path = self->settings->qemu_path;
	}
	if (said == NULL && path == NULL)
		return TRUE;
	version = said != NULL
		      ? g_strdup(said)
		      : dstack_qemu_version_ask(path, self->context->no_cache ? NULL : self->context->cache_dir,
						self->cancellable, error);
	if (version == NULL ||
	    !dstack_qemu_version_parse(version, &self->qemu_major, &self->qemu_minor, &self->qemu_micro, error))
		return FALSE;
	self->result->qemu_version = g_steal_pointer(&version);
	return TRUE;
}

static gboolean
open_image(Preparation *self, GError **error)
{
	DstackLaunchResult *result = self->result;
	const gchar *const *dirs = self->request->image_dirs != NULL ? self->request->image_dirs
								     : (const gchar *const *)self->settings->image_dirs;
	DstackImage *image = dstack_image_find(dirs, self->request->image, error);

	if (image == NULL)
		return FALSE;
	result->opened = image;
	result->image = g_strdup(image->name);
	result->image_path = g_strdup(image->path);
	result->image_version = g_strdup(image->version);
	result->os_image_hash = *dstack_image_get_os_image_hash(image);
	if (image->metadata->is_dev)
		dstack_launch_result_warn(result, g_strdup_printf("image %s is a development image", image->name));
	return TRUE;
}

/* TDX unless the image has SEV-SNP's material alone */
static DstackLaunchTee
choose_tee(const Preparation *self)
{
	const DstackImage *image = self->result->opened;
	gboolean has_tdx = image->tdx != NULL || image->material_errors[DSTACK_MATERIAL_TDX] != NULL;

	if (self->request->tee != DSTACK_LAUNCH_TEE_UNSET)
		return self->request->tee;
	return has_tdx || image->snp == NULL ? DSTACK_LAUNCH_TEE_TDX : DSTACK_LAUNCH_TEE_SNP;
}

/* what stands in the share directory; no directory or no file asks for nothing */
static gboolean
load_app_requirement(const Preparation *self, DstackTristate *out, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) text = NULL;
	DstackAppRequirements found = {DSTACK_TRISTATE_UNSET};
	gsize size;
	const gchar *data;

	*out = DSTACK_TRISTATE_UNSET;
	if (self->share_fd < 0)
		return TRUE;
	text = dstack_file_read_beneath(self->share_fd, APP_COMPOSE_NAME, DSTACK_LIMIT_APP_COMPOSE, &local);
	if (text == NULL && g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND))
		return TRUE;
	if (text == NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	data = g_bytes_get_data(text, &size);
	if (!dstack_app_requirements_parse(data != NULL ? data : "", size, &found, error))
		return FALSE;
	*out = found.tdx_measure_acpi_tables;
	return TRUE;
}

static gboolean
find_requirement(const Preparation *self, DstackRequirement *out, GError **error)
{
	DstackTristate tables;

	switch (self->request->measure_acpi_tables) {
	case DSTACK_SWITCH_ON:
		*out = DSTACK_REQUIREMENT_LEGACY;
		return TRUE;
	case DSTACK_SWITCH_OFF:
		*out = DSTACK_REQUIREMENT_LITE;
		return TRUE;
	case DSTACK_SWITCH_UNSET:
		break;
	}
	if (!load_app_requirement(self, &tables, error))
		return FALSE;
	*out = DSTACK_REQUIREMENT_NONE;
	if (tables != DSTACK_TRISTATE_UNSET)
		*out = tables == DSTACK_TRISTATE_TRUE ? DSTACK_REQUIREMENT_LEGACY : DSTACK_REQUIREMENT_LITE;
	return TRUE;
}

/* given by the caller, or put into the share directory by whoever prepared it */
static gboolean
find_mr_config(Preparation *self, GError **error)
{
	g_autoptr(GBytes) sys_config = NULL;
	g_autoptr(DstackMrConfig) parsed = NULL;
	gchar **document = &self->result->mr_config;

	*document = g_strdup(self->request->mr_config);
	if (*document == NULL && self->share_fd >= 0) {
		if (!dstack_sys_config_load(self->share_fd, &sys_config, error))
			return FALSE;
		if (sys_config != NULL && !dstack_sys_config_get_mr_config(sys_config, document, error))
			return FALSE;
	}
	if (*document == NULL)
		return TRUE;
	parsed = dstack_mr_config_parse(*document, strlen(*document), error);
	return parsed != NULL;
}

static gboolean
decide_variant(Preparation *self, DstackVmConfig *config, GError **error)
{
	const DstackImage *image = self->result->opened;
	const GError *problem = image->material_errors[DSTACK_MATERIAL_TDX];
	DstackPolicyQuestion question = {0};
	g_auto(DstackPolicyAnswer) answer = {0};

	question.policy = self->request->policy != DSTACK_POLICY_UNSET ? self->request->policy : self->settings->policy;
	question.memory_size = self->request->memory_size;
	question.material = image->tdx != NULL ? DSTACK_MATERIAL_SOUND
			    : problem != NULL  ? DSTACK_MATERIAL_UNSOUND
					       : DSTACK_MATERIAL_ABSENT;
	question.material_problem = problem != NULL ? problem->message : NULL;
	question.kernel_normalized = image->tdx != NULL && image->tdx->kernel_header_normalized;
	question.qemu_major = self->qemu_major;
	question.qemu_minor = self->qemu_minor;
	if (!find_requirement(self, &question.requirement, error) || !dstack_policy_decide(&question, &answer, error)) {
		g_prefix_error(error, "image %s: ", image->name);
		return FALSE;
	}
	config->tdx_attestation_variant = answer.lite ? DSTACK_TDX_VARIANT_LITE : DSTACK_TDX_VARIANT_LEGACY;
	self->result->variant = g_strdup(dstack_tdx_variant_to_string(config->tdx_attestation_variant));
	self->result->reason = g_steal_pointer(&answer.reason);
	if (answer.warning != NULL)
		dstack_launch_result_warn(self->result, g_steal_pointer(&answer.warning));
	return TRUE;
}

/* a test under emulation may well use one that is too old for the real thing */
static void
warn_old_qemu(const Preparation *self)
{
	if (self->result->qemu_version != NULL && self->qemu_major < 8)
		dstack_launch_result_warn(self->result,
					  g_strdup_printf("qemu %s cannot start a TDX guest, 8.0.0 or later can",
							  self->result->qemu_version));
}

static gboolean
fill_tdx(Preparation *self, DstackVmConfig *config, GError **error)
{
	const DstackImage *image = self->result->opened;
	GBytes *material = image->material[DSTACK_MATERIAL_TDX];

	if (!decide_variant(self, config, error))
		return FALSE;
	warn_old_qemu(self);
	if (material != NULL) {
		config->tdx_measurement = dstack_measurement_new(image->manifest->bytes, material);
		config->ovmf_variant = DSTACK_OVMF_VARIANT_PRE202505;
	}
	return TRUE;
}

static gboolean
ensure_snp_bounds(const DstackLaunchRequest *request, const gchar *vcpu_type, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (request->cpu_count > SNP_VCPUS_MAX)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "vcpus: an SEV-SNP launch has at most %d, found %u",
				    SNP_VCPUS_MAX, request->cpu_count);
	if (request->guest_features > G_MAXINT64)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "guest features: expected at most 63 bits, found 0x%" G_GINT64_MODIFIER "x",
				    request->guest_features);
	if (dstack_snp_vcpu_type_find(vcpu_type, &local) == NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "%s", local->message);
	return TRUE;
}

static gboolean
fill_snp(Preparation *self, DstackVmConfig *config, GError **error)
{
	const DstackLaunchRequest *request = self->request;
	const DstackImage *image = self->result->opened;
	g_autoptr(GError) local = NULL;
	DstackSnpDocument document = {0};
	gchar fallback[] = DEFAULT_VCPU_TYPE;

	document.vcpu_type = request->vcpu_type != NULL ? request->vcpu_type : fallback;
	if (!ensure_snp_bounds(request, document.vcpu_type, error))
		return FALSE;
	if (!dstack_image_ensure_material(image, DSTACK_MATERIAL_SNP, &local)) {
		gboolean absent = g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);

		return dstack_throw(error, absent ? DSTACK_ERROR_REFUSED : DSTACK_ERROR_UNSOUND, "image %s: %s",
				    image->name, local->message);
	}
	document.checksum_file = image->manifest->bytes;
	document.measurement = image->material[DSTACK_MATERIAL_SNP];
	document.vcpus = request->cpu_count;
	document.guest_features = request->guest_features != 0 ? request->guest_features : DEFAULT_GUEST_FEATURES;
	config->sev_snp_measurement = dstack_snp_document_build(&document);
	config->mr_config = g_strdup(self->result->mr_config);
	self->result->reason = g_strdup("the image's material is sound and holds at every memory size");
	if (config->mr_config == NULL)
		dstack_launch_result_warn(self->result,
					  g_strdup("no MrConfigV3 document: HOST_DATA binds no application, and "
						   "a verifier will not accept the guest"));
	return TRUE;
}

static DstackTristate
tristate_from(DstackSwitch value)
{
	switch (value) {
	case DSTACK_SWITCH_UNSET:
		return DSTACK_TRISTATE_UNSET;
	case DSTACK_SWITCH_OFF:
		return DSTACK_TRISTATE_FALSE;
	case DSTACK_SWITCH_ON:
		return DSTACK_TRISTATE_TRUE;
	}
	g_return_val_if_reached(DSTACK_TRISTATE_UNSET);
}

static DstackVmConfig *
fill_common(const Preparation *self)
{
	const DstackLaunchRequest *request = self->request;
	DstackVmConfig *config = dstack_vm_config_new();

	config->has_os_image_hash = TRUE;
	config->os_image_hash = self->result->os_image_hash;
	config->cpu_count = request->cpu_count;
	config->memory_size = request->memory_size;
	config->qemu_single_pass_add_pages = tristate_from(request->single_pass_add_pages);
	config->pic = tristate_from(request->pic);
	config->qemu_version = g_strdup(self->result->qemu_version);
	config->pci_hole64_size = request->pci_hole64_size;
	config->hugepages = request->hugepages;
	config->num_gpus = request->num_gpus;
	config->num_nvswitches = request->num_nvswitches;
	config->num_nics = request->num_nics;
	config->num_verity_volumes = request->num_verity_volumes;
	config->swtpm = request->swtpm;
	config->hotplug_off = request->hotplug_off;
	config->image = g_strdup(self->result->image);
	g_free(config->host_share_mode);
	config->host_share_mode = g_strdup(request->host_share_mode != NULL ? request->host_share_mode : "");
	if (self->result->opened->metadata->ovmf_variant != NULL)
		config->ovmf_variant = DSTACK_OVMF_VARIANT_PRE202505;
	return config;
}

/* material of platforms that we launch nothing on: only where somebody asks, and then it must be there and sound */
static gboolean
attach_material(const Preparation *self, const gchar *name, DstackVmConfig *config, GError **error)
{
	const DstackImage *image = self->result->opened;
	gboolean is_gcp = g_str_equal(name, "gcp");
	DstackMaterialKind kind = is_gcp ? DSTACK_MATERIAL_GCP : DSTACK_MATERIAL_AWS;
	DstackMeasurement **at = is_gcp ? &config->gcp_measurement : &config->aws_measurement;

	if (!is_gcp && !g_str_equal(name, "aws"))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "attach: expected gcp or aws, found '%s'",
				    name);
	if (!dstack_image_ensure_material(image, kind, error)) {
		g_prefix_error(error, "image %s: ", image->name);
		return FALSE;
	}
	if (*at == NULL)
		*at = dstack_measurement_new(image->manifest->bytes, image->material[kind]);
	return TRUE;
}

static gboolean
attach_requested(const Preparation *self, DstackVmConfig *config, GError **error)
{
	for (guint i = 0; self->request->attach != NULL && self->request->attach[i] != NULL; i++) {
		if (!attach_material(self, self->request->attach[i], config, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
fill_by_tee(Preparation *self, DstackVmConfig *config, GError **error)
{
	self->result->tee = choose_tee(self);
	switch (self->result->tee) {
	case DSTACK_LAUNCH_TEE_TDX:
		return fill_tdx(self, config, error);
	case DSTACK_LAUNCH_TEE_SNP:
		return fill_snp(self, config, error);
	case DSTACK_LAUNCH_TEE_UNSET:
		break;
	}
	g_return_val_if_reached(FALSE);
}

static void
warn_skipped(DstackLaunchResult *result, const DstackCheckReport *report)
{
	for (guint i = 0; i < report->items->len; i++) {
		const DstackCheckItem *item = g_ptr_array_index(report->items, i);

		if (item->outcome != DSTACK_CHECK_SKIPPED)
			continue;
		dstack_launch_result_warn(
		    result,
		    g_strdup_printf("image %s: %s '%s' was not checked: it is large and no earlier check knows it; "
				    "run 'dstack-vmm-prep check %s' once",
				    result->image, item->kind, item->name, result->image));
	}
}

/* opening the image has compared manifest and material; a full check reads everything behind them */
static gboolean
check_image(Preparation *self, GError **error)
{
	const DstackLaunchRequest *request = self->request;
	const DstackCheckOptions options = {.skip_above = request->check_skip_above,
					    .progress = request->check_progress,
					    .user_data = request->check_progress_data,
					    .cancellable = self->cancellable};
	DstackLaunchResult *result = self->result;
	g_autoptr(DstackCheckReport) report = NULL;

	result->checked = request->check != DSTACK_CHECK_UNSET ? request->check : self->settings->check;
	if (result->checked != DSTACK_CHECK_FULL)
		return TRUE;
	report = dstack_check_image(result->opened, self->context, &options, error);
	if (report == NULL)
		return FALSE;
	warn_skipped(result, report);
	if (dstack_check_report_ensure_sound(report, error))
		return TRUE;
	g_prefix_error(error, "image %s: ", result->image);
	return FALSE;
}

DstackLaunchResult *
dstack_launch_prepare(const DstackLaunchRequest *request, const DstackSettings *settings, const DstackContext *context,
		      int share_fd, GCancellable *cancellable, GError **error)
{
	g_autoptr(DstackLaunchResult) result = g_new0(DstackLaunchResult, 1);
	g_autoptr(DstackVmConfig) config = NULL;
	Preparation self = {request, settings, context, share_fd, cancellable, 0, 0, 0, result};

	result->warnings = g_new0(gchar *, 1);
	if (!ensure_request(request, error) || !open_image(&self, error) || !find_qemu_version(&self, error) ||
	    !find_mr_config(&self, error))
		return NULL;
	config = fill_common(&self);
	if (!fill_by_tee(&self, config, error) || !attach_requested(&self, config, error) || !check_image(&self, error))
		return NULL;
	result->vm_config = dstack_vm_config_to_text(config);
	return g_steal_pointer(&result);
}
