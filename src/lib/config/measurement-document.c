/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The documents that carry split material inside vm_config. formats.md, section 3.
 */

#include "config.h"

#include "config/measurement-document.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "config/vm-config.h"

#define SNP_WHAT "sev_snp_measurement"

/**
 * dstack_measurement_new:
 * @checksum_file: bytes of sha256sum.txt
 * @measurement: bytes of the material
 *
 * Returns: (transfer full): both, with a reference each
 */
DstackMeasurement *
dstack_measurement_new(GBytes *checksum_file, GBytes *measurement)
{
	DstackMeasurement *self = g_new0(DstackMeasurement, 1);

	self->checksum_file = g_bytes_ref(checksum_file);
	self->measurement = g_bytes_ref(measurement);
	return self;
}

/**
 * dstack_measurement_free:
 * @self: (nullable): the document
 */
void
dstack_measurement_free(DstackMeasurement *self)
{
	if (self == NULL)
		return;
	g_bytes_unref(self->checksum_file);
	g_bytes_unref(self->measurement);
	g_free(self);
}

static GBytes *
get_base64(JsonObject *object, const gchar *what, const gchar *member, gsize max, GError **error)
{
	g_autofree gchar *where = g_strdup_printf("%s: '%s'", what, member);
	const gchar *text = NULL;

	if (!dstack_json_get_string(object, what, member, &text, error))
		return NULL;
	return dstack_base64_decode(text, where, max, error);
}

/**
 * dstack_measurement_read:
 * @object: the object `{"checksum_file": …, "measurement": …}`
 * @what: its name for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Unknown members are ignored; that the bytes are a manifest and material is not asked here.
 *
 * Returns: (transfer full): the document, or %NULL
 */
DstackMeasurement *
dstack_measurement_read(JsonObject *object, const gchar *what, GError **error)
{
	g_autoptr(GBytes) checksum_file = get_base64(object, what, "checksum_file", DSTACK_LIMIT_MANIFEST, error);
	g_autoptr(GBytes) measurement = NULL;

	if (checksum_file == NULL)
		return NULL;
	measurement = get_base64(object, what, "measurement", DSTACK_LIMIT_MATERIAL, error);
	if (measurement == NULL)
		return NULL;
	return dstack_measurement_new(checksum_file, measurement);
}

static void
set_base64(JsonObject *object, const gchar *member, GBytes *bytes)
{
	g_autofree gchar *text = dstack_base64_encode(bytes);

	json_object_set_string_member(object, member, text);
}

/**
 * dstack_measurement_write:
 * @self: the document
 *
 * Returns: (transfer full): the object that dstack_measurement_read() reads
 */
JsonObject *
dstack_measurement_write(const DstackMeasurement *self)
{
	JsonObject *object = json_object_new();

	set_base64(object, "checksum_file", self->checksum_file);
	set_base64(object, "measurement", self->measurement);
	return object;
}

/**
 * dstack_snp_document_free:
 * @self: (nullable): the document
 */
void
dstack_snp_document_free(DstackSnpDocument *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->checksum_file, g_bytes_unref);
	g_clear_pointer(&self->measurement, g_bytes_unref);
	g_free(self->vcpu_type);
	g_free(self);
}

/**
 * dstack_snp_document_parse:
 * @text: the text of vm_config's `sev_snp_measurement`
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, also for an unknown member
 *
 * Whether the values make a launch (bounds, a known vCPU type) is for snp/ to say.
 *
 * Returns: (transfer full): the document, or %NULL
 */
DstackSnpDocument *
dstack_snp_document_parse(const gchar *text, GError **error)
{
	static const gchar *const known[] = {"checksum_file", "measurement",	"vcpus",
					     "vcpu_type",     "guest_features", NULL};
	g_autoptr(DstackSnpDocument) self = g_new0(DstackSnpDocument, 1);
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(text, strlen(text), DSTACK_LIMIT_VM_CONFIG, SNP_WHAT, error);
	const gchar *vcpu_type = NULL;
	guint64 vcpus = 0;

	if (object == NULL || !dstack_json_ensure_known(object, SNP_WHAT, known, error) ||
	    !dstack_json_get_uint(object, SNP_WHAT, "vcpus", G_MAXUINT32, &vcpus, error) ||
	    !dstack_json_get_string_optional(object, SNP_WHAT, "vcpu_type", &vcpu_type, error) ||
	    !dstack_json_get_uint(object, SNP_WHAT, "guest_features", G_MAXUINT64, &self->guest_features, error))
		return NULL;
	self->vcpus = (guint32)vcpus;
	self->vcpu_type = g_strdup(vcpu_type);
	self->checksum_file = get_base64(object, SNP_WHAT, "checksum_file", DSTACK_LIMIT_MANIFEST, error);
	if (self->checksum_file == NULL)
		return NULL;
	self->measurement = get_base64(object, SNP_WHAT, "measurement", DSTACK_LIMIT_MATERIAL, error);
	if (self->measurement == NULL)
		return NULL;
	return g_steal_pointer(&self);
}

/**
 * dstack_snp_document_build:
 * @self: the document; guest_features below 2^63
 *
 * Returns: (transfer full): its text, compact, in the key order of formats.md
 */
gchar *
dstack_snp_document_build(const DstackSnpDocument *self)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

	set_base64(object, "checksum_file", self->checksum_file);
	set_base64(object, "measurement", self->measurement);
	json_object_set_int_member(object, "vcpus", self->vcpus);
	if (self->vcpu_type != NULL)
		json_object_set_string_member(object, "vcpu_type", self->vcpu_type);
	else
		json_object_set_null_member(object, "vcpu_type");
	json_object_set_int_member(object, "guest_features", (gint64)self->guest_features);
	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}
