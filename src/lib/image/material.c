/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The kinds of measurement material, and the two that are a single digest: GCP's and AWS's. formats.md, section 2.
 */

#include "config.h"

#include "image/material.h"

#include "base/error.h"
#include "image/material-cbor.h"

#define WHAT_GCP "measurement.gcp.cbor"
#define WHAT_AWS "measurement.aws.cbor"

enum { GCP_VERSION, GCP_UKI_AUTH };
enum { AWS_BOOT_PCR_DIGEST };

static const gchar *const gcp_keys[] = {"version", "uki_auth", NULL};
static const gchar *const aws_keys[] = {"boot_pcr_digest", NULL};

/**
 * dstack_material_kind_to_string:
 * @kind: a kind
 *
 * Returns: (transfer none): "tdx", "snp", "gcp" or "aws"
 */
const gchar *
dstack_material_kind_to_string(DstackMaterialKind kind)
{
	switch (kind) {
	case DSTACK_MATERIAL_TDX:
		return "tdx";
	case DSTACK_MATERIAL_SNP:
		return "snp";
	case DSTACK_MATERIAL_GCP:
		return "gcp";
	case DSTACK_MATERIAL_AWS:
		return "aws";
	case DSTACK_N_MATERIALS:
		break;
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_material_kind_to_file_name:
 * @kind: a kind
 *
 * Returns: (transfer none): the file's name in an image directory and in its manifest
 */
const gchar *
dstack_material_kind_to_file_name(DstackMaterialKind kind)
{
	switch (kind) {
	case DSTACK_MATERIAL_TDX:
		return "measurement.tdx.cbor";
	case DSTACK_MATERIAL_SNP:
		return "measurement.snp.cbor";
	case DSTACK_MATERIAL_GCP:
		return WHAT_GCP;
	case DSTACK_MATERIAL_AWS:
		return WHAT_AWS;
	case DSTACK_N_MATERIALS:
		break;
	}
	g_return_val_if_reached(NULL);
}

static gboolean
gcp_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackGcpMaterial *self = map->target;
	guint64 version = 0;

	switch (dstack_material_map_see(map, key)) {
	case GCP_VERSION:
		if (!dstack_cbor_read_uint(reader, key, G_MAXUINT64, &version, error))
			return FALSE;
		if (version == 1)
			return TRUE;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT_GCP ": version: expected 1, found %" G_GUINT64_FORMAT, version);
	case GCP_UKI_AUTH:
		return dstack_cbor_read_fixed(reader, key, self->uki_auth.bytes, sizeof(self->uki_auth.bytes), error);
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

/**
 * dstack_gcp_material_parse:
 * @cbor: the file's bytes
 * @out: (out): the material
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when @cbor is sound material of GCP
 */
gboolean
dstack_gcp_material_parse(GBytes *cbor, DstackGcpMaterial *out, GError **error)
{
	DstackGcpMaterial material = {0};
	DstackMaterialMap map = {WHAT_GCP, gcp_keys, 0, &material};
	DstackCborReader reader;

	dstack_cbor_reader_init(&reader, g_bytes_get_data(cbor, NULL), g_bytes_get_size(cbor), WHAT_GCP);
	if (!dstack_cbor_read_members(&reader, "material", gcp_member, &map, error) ||
	    !dstack_cbor_finish(&reader, error) ||
	    !dstack_material_map_ensure(&map, 1u << GCP_VERSION | 1u << GCP_UKI_AUTH, error))
		return FALSE;
	*out = material;
	return TRUE;
}

/**
 * dstack_gcp_material_build:
 * @self: the material
 *
 * Returns: (transfer full): its CBOR
 */
GBytes *
dstack_gcp_material_build(const DstackGcpMaterial *self)
{
	g_autoptr(GByteArray) out = g_byte_array_new();

	dstack_cbor_append_map(out, 2);
	dstack_cbor_append_text(out, "version");
	dstack_cbor_append_uint(out, 1);
	dstack_cbor_append_text(out, "uki_auth");
	dstack_cbor_append_bytes(out, self->uki_auth.bytes, sizeof(self->uki_auth.bytes));
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/**
 * dstack_gcp_material_to_json:
 * @self: the material
 *
 * Returns: (transfer full): the same keys as in the file, byte strings in lower-case hex
 */
JsonNode *
dstack_gcp_material_to_json(const DstackGcpMaterial *self)
{
	g_autoptr(JsonObject) top = json_object_new();
	g_autofree gchar *hex = dstack_sha256_to_hex(&self->uki_auth);

	json_object_set_int_member(top, "version", 1);
	json_object_set_string_member(top, "uki_auth", hex);
	return json_node_init_object(json_node_alloc(), top);
}

static gboolean
aws_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackAwsMaterial *self = map->target;

	if (dstack_material_map_see(map, key) != AWS_BOOT_PCR_DIGEST)
		return dstack_cbor_skip(reader, key, error);
	return dstack_cbor_read_fixed(reader, key, self->boot_pcr_digest.bytes, sizeof(self->boot_pcr_digest.bytes),
				      error);
}

/**
 * dstack_aws_material_parse:
 * @cbor: the file's bytes
 * @out: (out): the material
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when @cbor is sound material of AWS
 */
gboolean
dstack_aws_material_parse(GBytes *cbor, DstackAwsMaterial *out, GError **error)
{
	DstackAwsMaterial material = {0};
	DstackMaterialMap map = {WHAT_AWS, aws_keys, 0, &material};
	DstackCborReader reader;

	dstack_cbor_reader_init(&reader, g_bytes_get_data(cbor, NULL), g_bytes_get_size(cbor), WHAT_AWS);
	if (!dstack_cbor_read_members(&reader, "material", aws_member, &map, error) ||
	    !dstack_cbor_finish(&reader, error) || !dstack_material_map_ensure(&map, 1u << AWS_BOOT_PCR_DIGEST, error))
		return FALSE;
	*out = material;
	return TRUE;
}

/**
 * dstack_aws_material_build:
 * @self: the material
 *
 * Returns: (transfer full): its CBOR
 */
GBytes *
dstack_aws_material_build(const DstackAwsMaterial *self)
{
	g_autoptr(GByteArray) out = g_byte_array_new();

	dstack_cbor_append_map(out, 1);
	dstack_cbor_append_text(out, "boot_pcr_digest");
	dstack_cbor_append_bytes(out, self->boot_pcr_digest.bytes, sizeof(self->boot_pcr_digest.bytes));
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/**
 * dstack_aws_material_to_json:
 * @self: the material
 *
 * Returns: (transfer full): the same keys as in the file, byte strings in lower-case hex
 */
JsonNode *
dstack_aws_material_to_json(const DstackAwsMaterial *self)
{
	g_autoptr(JsonObject) top = json_object_new();
	g_autofree gchar *hex = dstack_sha256_to_hex(&self->boot_pcr_digest);

	json_object_set_string_member(top, "boot_pcr_digest", hex);
	return json_node_init_object(json_node_alloc(), top);
}

/**
 * dstack_material_inspect:
 * @kind: the kind of material
 * @cbor: the file's bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: (transfer full): the material as JSON for people, or %NULL
 */
JsonNode *
dstack_material_inspect(DstackMaterialKind kind, GBytes *cbor, GError **error)
{
	g_autoptr(DstackTdxMaterial) tdx = NULL;
	g_autoptr(DstackSnpMaterial) snp = NULL;
	DstackGcpMaterial gcp = {0};
	DstackAwsMaterial aws = {0};

	switch (kind) {
	case DSTACK_MATERIAL_TDX:
		tdx = dstack_tdx_material_parse(cbor, error);
		return tdx == NULL ? NULL : dstack_tdx_material_to_json(tdx);
	case DSTACK_MATERIAL_SNP:
		snp = dstack_snp_material_parse(cbor, error);
		return snp == NULL ? NULL : dstack_snp_material_to_json(snp);
	case DSTACK_MATERIAL_GCP:
		return dstack_gcp_material_parse(cbor, &gcp, error) ? dstack_gcp_material_to_json(&gcp) : NULL;
	case DSTACK_MATERIAL_AWS:
		return dstack_aws_material_parse(cbor, &aws, error) ? dstack_aws_material_to_json(&aws) : NULL;
	case DSTACK_N_MATERIALS:
		break;
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_material_guess_kind:
 * @file_name: the file's name without directories
 * @cbor: the file's bytes
 * @out: (out): the kind
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when neither says what it is
 *
 * A name as image directories have it decides, also with something before or after it ("old.measurement.tdx.cbor");
 * otherwise the one kind as which the bytes are sound.
 *
 * Returns: %TRUE when the kind is known
 */
gboolean
dstack_material_guess_kind(const gchar *file_name, GBytes *cbor, DstackMaterialKind *out, GError **error)
{
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		if (g_strstr_len(file_name, -1, dstack_material_kind_to_file_name((DstackMaterialKind)i)) != NULL) {
			*out = (DstackMaterialKind)i;
			return TRUE;
		}
	}
	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		g_autoptr(JsonNode) node = dstack_material_inspect((DstackMaterialKind)i, cbor, NULL);

		if (node != NULL) {
			*out = (DstackMaterialKind)i;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s' is no measurement material of any kind known",
			    file_name);
}
