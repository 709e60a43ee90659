/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * vm_config in both directions. formats.md, section 3: the order of keys and which of them are left out at their
 * default are part of the format.
 */

#include "config.h"

#include "config/vm-config.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "config/measurement-document.h"

#define WHAT	    "vm_config"
#define OVMF_LAYOUT "pre202505"

/**
 * dstack_tdx_variant_to_string:
 * @variant: a variant
 *
 * Returns: (transfer none): "legacy" or "lite"
 */
const gchar *
dstack_tdx_variant_to_string(DstackTdxVariant variant)
{
	switch (variant) {
	case DSTACK_TDX_VARIANT_LEGACY:
		return "legacy";
	case DSTACK_TDX_VARIANT_LITE:
		return "lite";
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_vm_config_new:
 *
 * Returns: (transfer full): a vm_config in which every key has its default
 */
DstackVmConfig *
dstack_vm_config_new(void)
{
	DstackVmConfig *self = g_new0(DstackVmConfig, 1);

	self->num_nics = 1;
	self->spec_version = 1;
	self->host_share_mode = g_strdup("");
	return self;
}

/**
 * dstack_vm_config_free:
 * @self: (nullable): the vm_config
 */
void
dstack_vm_config_free(DstackVmConfig *self)
{
	if (self == NULL)
		return;
	g_free(self->qemu_version);
	g_free(self->image);
	g_free(self->host_share_mode);
	dstack_measurement_free(self->tdx_measurement);
	dstack_measurement_free(self->gcp_measurement);
	dstack_measurement_free(self->aws_measurement);
	g_free(self->mr_config);
	g_free(self->sev_snp_measurement);
	g_free(self);
}

static gboolean
read_string(JsonObject *object, const gchar *member, gchar **out, GError **error)
{
	const gchar *text = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, member, &text, error))
		return FALSE;
	if (text != NULL) {
		g_free(*out);
		*out = g_strdup(text);
	}
	return TRUE;
}

static gboolean
read_uint32(JsonObject *object, const gchar *member, guint32 *out, GError **error)
{
	guint64 number = *out;

	if (!dstack_json_get_uint_optional(object, WHAT, member, G_MAXUINT32, &number, NULL, error))
		return FALSE;
	*out = (guint32)number;
	return TRUE;
}

static gboolean
read_uint64(JsonObject *object, const gchar *member, guint64 *out, GError **error)
{
	return dstack_json_get_uint_optional(object, WHAT, member, G_MAXUINT64, out, NULL, error);
}

static gboolean
read_bool(JsonObject *object, const gchar *member, gboolean *out, GError **error)
{
	return dstack_json_get_bool_optional(object, WHAT, member, out, NULL, error);
}

static gboolean
read_tristate(JsonObject *object, const gchar *member, DstackTristate *out, GError **error)
{
	gboolean value = FALSE;
	gboolean present = FALSE;

	if (!dstack_json_get_bool_optional(object, WHAT, member, &value, &present, error))
		return FALSE;
	if (present)
		*out = value ? DSTACK_TRISTATE_TRUE : DSTACK_TRISTATE_FALSE;
	return TRUE;
}

static gboolean
read_image_hash(JsonObject *object, DstackVmConfig *self, GError **error)
{
	const gchar *hex = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, "os_image_hash", &hex, error))
		return FALSE;
	/* an empty hash is how a host without an image says so */
	if (hex == NULL || hex[0] == '\0')
		return TRUE;
	if (!dstack_sha256_from_hex(hex, WHAT ": 'os_image_hash'", &self->os_image_hash, error))
		return FALSE;
	self->has_os_image_hash = TRUE;
	return TRUE;
}

static gboolean
read_variants(JsonObject *object, DstackVmConfig *self, GError **error)
{
	const gchar *ovmf = NULL;
	const gchar *tdx = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, "ovmf_variant", &ovmf, error) ||
	    !dstack_json_get_string_optional(object, WHAT, "tdx_attestation_variant", &tdx, error))
		return FALSE;
	if (ovmf != NULL && !g_str_equal(ovmf, OVMF_LAYOUT)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'ovmf_variant': expected '" OVMF_LAYOUT "', found '%s'", ovmf);
	}
	if (tdx != NULL && !g_str_equal(tdx, "legacy") && !g_str_equal(tdx, "lite")) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'tdx_attestation_variant': expected 'legacy' or 'lite', found '%s'", tdx);
	}
	self->ovmf_variant = ovmf == NULL ? DSTACK_OVMF_VARIANT_UNSET : DSTACK_OVMF_VARIANT_PRE202505;
	self->tdx_attestation_variant =
	    tdx != NULL && g_str_equal(tdx, "lite") ? DSTACK_TDX_VARIANT_LITE : DSTACK_TDX_VARIANT_LEGACY;
	return TRUE;
}

static gboolean
read_measurement(JsonObject *object, const gchar *member, DstackMeasurement **out, GError **error)
{
	g_autofree gchar *what = g_strdup_printf(WHAT ": %s", member);
	JsonObject *inner = NULL;

	if (!dstack_json_get_object_optional(object, WHAT, member, &inner, error))
		return FALSE;
	if (inner == NULL)
		return TRUE;
	*out = dstack_measurement_read(inner, what, error);
	return *out != NULL;
}

static gboolean
read_machine(JsonObject *object, DstackVmConfig *self, GError **error)
{
	return read_uint32(object, "cpu_count", &self->cpu_count, error) &&
	       read_uint64(object, "memory_size", &self->memory_size, error) &&
	       read_tristate(object, "qemu_single_pass_add_pages", &self->qemu_single_pass_add_pages, error) &&
	       read_tristate(object, "pic", &self->pic, error) &&
	       read_string(object, "qemu_version", &self->qemu_version, error) &&
	       read_uint64(object, "pci_hole64_size", &self->pci_hole64_size, error) &&
	       read_bool(object, "hugepages", &self->hugepages, error) &&
	       read_uint32(object, "num_gpus", &self->num_gpus, error) &&
	       read_uint32(object, "num_nvswitches", &self->num_nvswitches, error) &&
	       read_uint32(object, "num_nics", &self->num_nics, error) &&
	       read_uint32(object, "num_verity_volumes", &self->num_verity_volumes, error) &&
	       read_bool(object, "swtpm", &self->swtpm, error) &&
	       read_bool(object, "hotplug_off", &self->hotplug_off, error);
}

static gboolean
read_snp(JsonObject *object, DstackVmConfig *self, GError **error)
{
	return read_image_hash(object, self, error) && read_string(object, "mr_config", &self->mr_config, error) &&
	       read_string(object, "sev_snp_measurement", &self->sev_snp_measurement, error);
}

static gboolean
read_object(JsonObject *object, DstackVmConfig *self, GError **error)
{
	return read_machine(object, self, error) && read_variants(object, self, error) &&
	       read_string(object, "image", &self->image, error) &&
	       read_string(object, "host_share_mode", &self->host_share_mode, error) &&
	       read_measurement(object, "tdx_measurement", &self->tdx_measurement, error) &&
	       read_measurement(object, "gcp_measurement", &self->gcp_measurement, error) &&
	       read_measurement(object, "aws_measurement", &self->aws_measurement, error) &&
	       read_uint32(object, "spec_version", &self->spec_version, error) && read_snp(object, self, error);
}

static gboolean
take_over(gchar **to, gchar **from, const gchar *member, GError **error)
{
	if (*to != NULL && *from != NULL && !g_str_equal(*to, *from))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": '%s' differs from that of the inner vm_config", member);
	if (*to == NULL)
		*to = g_steal_pointer(from);
	return TRUE;
}

/* SEV-SNP evidence may hold these three one level deeper; two that disagree leave open which one is meant */
static gboolean
merge_inner(DstackVmConfig *self, DstackVmConfig *inner, GError **error)
{
	if (self->has_os_image_hash && inner->has_os_image_hash &&
	    !dstack_sha256_equal(&self->os_image_hash, &inner->os_image_hash)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'os_image_hash' differs from that of the inner vm_config");
	}
	if (!self->has_os_image_hash) {
		self->has_os_image_hash = inner->has_os_image_hash;
		self->os_image_hash = inner->os_image_hash;
	}
	return take_over(&self->mr_config, &inner->mr_config, "mr_config", error) &&
	       take_over(&self->sev_snp_measurement, &inner->sev_snp_measurement, "sev_snp_measurement", error);
}

static gboolean
read_inner(JsonObject *object, DstackVmConfig *self, GError **error)
{
	g_autoptr(DstackVmConfig) inner = dstack_vm_config_new();
	g_autoptr(JsonObject) inner_object = NULL;
	const gchar *text = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, "vm_config", &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	inner_object =
	    dstack_json_parse_object(text, strlen(text), DSTACK_LIMIT_VM_CONFIG, WHAT ": inner vm_config", error);
	return inner_object != NULL && read_snp(inner_object, inner, error) && merge_inner(self, inner, error);
}

/**
 * dstack_vm_config_parse:
 * @text: (array length=size): the JSON text
 * @size: bytes of @text
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Accepts every key's absence, null for an absent one, and unknown keys. The three keys of SEV-SNP are also taken
 * from a JSON text one level deeper, under the key `vm_config`.
 *
 * Returns: (transfer full): the vm_config, or %NULL
 */
DstackVmConfig *
dstack_vm_config_parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(DstackVmConfig) self = dstack_vm_config_new();
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_VM_CONFIG, WHAT, error);

	if (object == NULL || !read_object(object, self, error) || !read_inner(object, self, error))
		return NULL;
	return g_steal_pointer(&self);
}

static void
write_string(JsonObject *object, const gchar *member, const gchar *text)
{
	if (text != NULL)
		json_object_set_string_member(object, member, text);
}

static void
write_tristate(JsonObject *object, const gchar *member, DstackTristate value)
{
	if (value != DSTACK_TRISTATE_UNSET)
		json_object_set_boolean_member(object, member, value == DSTACK_TRISTATE_TRUE);
}

static void
write_measurement(JsonObject *object, const gchar *member, const DstackMeasurement *measurement)
{
	if (measurement != NULL)
		json_object_set_object_member(object, member, dstack_measurement_write(measurement));
}

static void
write_machine(JsonObject *object, const DstackVmConfig *self)
{
	json_object_set_int_member(object, "cpu_count", self->cpu_count);
	json_object_set_int_member(object, "memory_size", (gint64)self->memory_size);
	write_tristate(object, "qemu_single_pass_add_pages", self->qemu_single_pass_add_pages);
	write_tristate(object, "pic", self->pic);
	write_string(object, "qemu_version", self->qemu_version);
	json_object_set_int_member(object, "pci_hole64_size", (gint64)self->pci_hole64_size);
	json_object_set_boolean_member(object, "hugepages", self->hugepages);
	json_object_set_int_member(object, "num_gpus", self->num_gpus);
	json_object_set_int_member(object, "num_nvswitches", self->num_nvswitches);
	if (self->num_nics != 1)
		json_object_set_int_member(object, "num_nics", self->num_nics);
	if (self->num_verity_volumes != 0)
		json_object_set_int_member(object, "num_verity_volumes", self->num_verity_volumes);
	if (self->swtpm)
		json_object_set_boolean_member(object, "swtpm", TRUE);
	json_object_set_boolean_member(object, "hotplug_off", self->hotplug_off);
}

/**
 * dstack_vm_config_build:
 * @self: the vm_config; sizes below 2^63
 *
 * Returns: (transfer full): an object with its keys in the order of formats.md, section 3, and without those that it
 *   leaves out at their default
 */
JsonNode *
dstack_vm_config_build(const DstackVmConfig *self)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autofree gchar *hash = self->has_os_image_hash ? dstack_sha256_to_hex(&self->os_image_hash) : g_strdup("");

	json_object_set_string_member(object, "os_image_hash", hash);
	write_machine(object, self);
	write_string(object, "image", self->image);
	json_object_set_string_member(object, "host_share_mode", self->host_share_mode);
	if (self->ovmf_variant == DSTACK_OVMF_VARIANT_PRE202505)
		json_object_set_string_member(object, "ovmf_variant", OVMF_LAYOUT);
	if (self->tdx_attestation_variant != DSTACK_TDX_VARIANT_LEGACY)
		json_object_set_string_member(object, "tdx_attestation_variant",
					      dstack_tdx_variant_to_string(self->tdx_attestation_variant));
	write_measurement(object, "tdx_measurement", self->tdx_measurement);
	write_measurement(object, "gcp_measurement", self->gcp_measurement);
	write_measurement(object, "aws_measurement", self->aws_measurement);
	json_object_set_int_member(object, "spec_version", self->spec_version);
	write_string(object, "mr_config", self->mr_config);
	write_string(object, "sev_snp_measurement", self->sev_snp_measurement);
	return json_node_init_object(json_node_alloc(), object);
}

/**
 * dstack_vm_config_to_text:
 * @self: the vm_config
 *
 * Returns: (transfer full): dstack_vm_config_build() as compact text
 */
gchar *
dstack_vm_config_to_text(const DstackVmConfig *self)
{
	g_autoptr(JsonNode) node = dstack_vm_config_build(self);

	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}
