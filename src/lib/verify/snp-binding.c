/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The binding of an SEV-SNP report: image by launch digest, application by HOST_DATA
 * (snp-measurement.md, section 3; formats.md, sections 3, 6 and 9).
 */

#include "config.h"

#include "verify/snp-binding.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "config/mr-config.h"
#include "config/vm-config.h"
#include "image/manifest.h"
#include "image/material.h"
#include "verify/expected-snp.h"

/* what the steps hand on to each other */
typedef struct {
	DstackVmConfig *config;
	DstackSnpDocument *document;
	DstackSnpMaterial *material;
} BindingState;

static void
binding_state_clear(BindingState *self)
{
	g_clear_pointer(&self->config, dstack_vm_config_free);
	g_clear_pointer(&self->document, dstack_snp_document_free);
	g_clear_pointer(&self->material, dstack_snp_material_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BindingState, binding_state_clear)

static gboolean
read_config(const DstackSnpBinding *self, BindingState *state, GError **error)
{
	if (self->config == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "the evidence carries no vm_config");
	state->config = dstack_vm_config_parse(self->config, strlen(self->config), error);
	if (state->config == NULL)
		return FALSE;
	if (state->config->sev_snp_measurement == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "vm_config: sev_snp_measurement is required");
	state->document = dstack_snp_document_parse(state->config->sev_snp_measurement, error);
	return state->document != NULL;
}

/* the image's identity is the hash of its checksum file */
static gboolean
check_os_image_hash(const BindingState *state, GError **error)
{
	DstackSha256 found = dstack_sha256_bytes(state->document->checksum_file);
	g_autofree gchar *found_hex = dstack_sha256_to_hex(&found);
	g_autofree gchar *claimed_hex = NULL;

	if (!state->config->has_os_image_hash)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "vm_config: os_image_hash is required");
	claimed_hex = dstack_sha256_to_hex(&state->config->os_image_hash);
	if (!dstack_sha256_equal(&found, &state->config->os_image_hash)) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "os_image_hash is %s, but the checksum file given for it hashes to %s", claimed_hex,
				    found_hex);
	}
	return TRUE;
}

static gboolean
read_material(BindingState *state, GError **error)
{
	g_autoptr(DstackManifest) manifest = dstack_manifest_parse(state->document->checksum_file, error);

	if (manifest == NULL ||
	    !dstack_manifest_ensure_file(manifest, dstack_material_kind_to_file_name(DSTACK_MATERIAL_SNP),
					 state->document->measurement, error))
		return FALSE;
	state->material = dstack_snp_material_parse(state->document->measurement, error);
	return state->material != NULL && dstack_snp_material_validate(state->material, error);
}

static gboolean
throw_mismatch(const BindingState *state, const DstackSnpGuest *guest, const DstackSha384 *expected,
	       const DstackSha384 *found, GError **error)
{
	g_autofree gchar *expected_hex = dstack_sha384_to_hex(expected);
	g_autofree gchar *found_hex = dstack_sha384_to_hex(found);
	g_autofree gchar *fit = dstack_expected_snp_explain(state->material, guest, found);

	return dstack_throw(
	    error, DSTACK_ERROR_UNSOUND,
	    "expected MEASUREMENT %s for %u vCPUs of type %s with guest features 0x%" G_GINT64_MODIFIER
	    "x, found %s; %s",
	    expected_hex, guest->vcpus, guest->vcpu_type, guest->guest_features, found_hex,
	    fit != NULL ? fit
			: "no other number or type of vCPUs fits, so firmware, kernel, initrd or command line are "
			  "others");
}

static gboolean
check_measurement(const DstackSnpBinding *self, const BindingState *state, DstackVerdict *verdict, GError **error)
{
	DstackSnpGuest guest = {
	    .vcpus = state->document->vcpus,
	    .vcpu_type = state->document->vcpu_type,
	    .guest_features = state->document->guest_features,
	};
	DstackSha384 expected;

	if (!dstack_expected_snp_compute(state->material, &guest, &expected, error))
		return FALSE;
	if (dstack_sha384_equal(&expected, &self->measurement))
		return TRUE;
	dstack_verdict_add_register(verdict, "measurement", &expected, &self->measurement);
	return throw_mismatch(state, &guest, &expected, &self->measurement, error);
}

/* in the evidence, else in the vm_config beside it, else in the vm_config inside; (transfer full) */
static gchar *
find_mr_config(const DstackSnpBinding *self, const BindingState *state, GError **error)
{
	if (self->mr_config != NULL && self->mr_config[0] != '\0')
		return g_strdup(self->mr_config);
	if (self->external_config != NULL) {
		g_autoptr(DstackVmConfig) external =
		    dstack_vm_config_parse(self->external_config, strlen(self->external_config), error);

		if (external == NULL)
			return NULL;
		if (external->mr_config != NULL)
			return g_strdup(external->mr_config);
	}
	if (state->config->mr_config == NULL)
		dstack_throw(error, DSTACK_ERROR_UNSOUND, "mr_config is required: nothing says which application runs");
	return g_strdup(state->config->mr_config);
}

static DstackMrConfig *
read_mr_config(const DstackSnpBinding *self, const BindingState *state, GError **error)
{
	g_autofree gchar *document = find_mr_config(self, state, error);
	g_autoptr(DstackMrConfig) config = NULL;
	DstackSha256 expected;

	if (document == NULL)
		return NULL;
	expected = dstack_mr_config_hash(document, strlen(document));
	if (!dstack_sha256_equal(&expected, &self->host_data)) {
		g_autofree gchar *expected_hex = dstack_sha256_to_hex(&expected);
		g_autofree gchar *found_hex = dstack_sha256_to_hex(&self->host_data);

		dstack_throw(error, DSTACK_ERROR_UNSOUND,
			     "expected HOST_DATA %s, the hash of the MrConfigV3 document, found %s", expected_hex,
			     found_hex);
		return NULL;
	}
	config = dstack_mr_config_parse(document, strlen(document), error);
	return g_steal_pointer(&config);
}

static gchar *
hex_or_empty(GBytes *bytes)
{
	return bytes == NULL ? g_strdup("") : dstack_hex_encode_bytes(bytes);
}

static gchar *
sha256_hex(const guint8 *data, gsize size)
{
	DstackSha256 digest = dstack_sha256(data, size);

	return dstack_sha256_to_hex(&digest);
}

/* names and hex digits: nothing that JSON would have to escape */
static gchar *
build_key_provider_info(const gchar *name, const gchar *id)
{
	g_autofree gchar *json = g_strdup_printf("{\"name\":\"%s\",\"id\":\"%s\"}", name, id);

	return dstack_hex_encode((const guint8 *)json, strlen(json));
}

static void
fill_identity(const DstackSnpBinding *self, const BindingState *state, const DstackMrConfig *config,
	      DstackVerdict *verdict)
{
	DstackAppInfo *info = &verdict->app_info;
	guint8 aggregated[sizeof(self->measurement.bytes) + sizeof(self->host_data.bytes)];

	memcpy(aggregated, self->measurement.bytes, sizeof(self->measurement.bytes));
	memcpy(aggregated + sizeof(self->measurement.bytes), self->host_data.bytes, sizeof(self->host_data.bytes));
	info->app_id = hex_or_empty(config->app_id);
	info->compose_hash = dstack_sha256_to_hex(&config->compose_hash);
	info->instance_id = hex_or_empty(config->instance_id);
	info->device_id = dstack_sha256_to_hex(&self->device_id);
	info->mr_system = sha256_hex(self->measurement.bytes, sizeof(self->measurement.bytes));
	info->mr_aggregated = sha256_hex(aggregated, sizeof(aggregated));
	info->os_image_hash = dstack_sha256_to_hex(&state->config->os_image_hash);
	verdict->key_provider_name = g_strdup(dstack_key_provider_to_display(config->key_provider));
	verdict->key_provider_id = hex_or_empty(config->key_provider_id);
	info->key_provider_info = build_key_provider_info(verdict->key_provider_name, verdict->key_provider_id);
	verdict->has_app_info = TRUE;
}

/**
 * dstack_snp_binding_verify:
 * @self: what is bound, and to what
 * @verdict: (inout): takes the steps of %DSTACK_SNP_BINDING_STEPS
 *
 * Image, launch digest, application, in this order. Only when all hold is any of it trusted: the identity is filled in
 * last.
 *
 * Returns: %TRUE when every step holds
 */
gboolean
dstack_snp_binding_verify(const DstackSnpBinding *self, DstackVerdict *verdict)
{
	g_auto(BindingState) state = {NULL, NULL, NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackMrConfig) config = NULL;

	if (!read_config(self, &state, &error))
		return dstack_verdict_fail(verdict, DSTACK_SNP_STEP_VM_CONFIG, error);
	dstack_verdict_pass(verdict, DSTACK_SNP_STEP_VM_CONFIG,
			    "%u vCPUs of type %s, guest features 0x%" G_GINT64_MODIFIER "x", state.document->vcpus,
			    state.document->vcpu_type == NULL ? "(none)" : state.document->vcpu_type,
			    state.document->guest_features);
	if (!check_os_image_hash(&state, &error))
		return dstack_verdict_fail(verdict, DSTACK_SNP_STEP_OS_IMAGE_HASH, error);
	dstack_verdict_pass(verdict, DSTACK_SNP_STEP_OS_IMAGE_HASH, "it is the hash of the checksum file");
	if (!read_material(&state, &error))
		return dstack_verdict_fail(verdict, DSTACK_SNP_STEP_MATERIAL, error);
	dstack_verdict_pass(verdict, DSTACK_SNP_STEP_MATERIAL, "the checksum file promises it");
	if (!check_measurement(self, &state, verdict, &error))
		return dstack_verdict_fail(verdict, DSTACK_SNP_STEP_MEASUREMENT, error);
	dstack_verdict_pass(verdict, DSTACK_SNP_STEP_MEASUREMENT, "the launch digest recomputed from the material");
	verdict->os_image_hash_verified = TRUE;
	config = read_mr_config(self, &state, &error);
	if (config == NULL)
		return dstack_verdict_fail(verdict, DSTACK_SNP_STEP_HOST_DATA, error);
	dstack_verdict_pass(verdict, DSTACK_SNP_STEP_HOST_DATA, "it is the hash of the MrConfigV3 document");
	fill_identity(self, &state, config, verdict);
	return TRUE;
}
