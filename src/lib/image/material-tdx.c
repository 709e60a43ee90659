/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * measurement.tdx.cbor, versions 3 and 4. formats.md, section 2.
 */

#include "config.h"

#include "image/material.h"

#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"
#include "image/material-cbor.h"

#define WHAT   "measurement.tdx.cbor"
#define LAYOUT "pre202505"

/* a witness of the range count's worst case is far smaller */
#define MAX_TD_HOB 4096

enum { TOP_VERSION, TOP_IMAGE, TOP_TDVF };
enum { IMAGE_CMDLINE_SHA384, IMAGE_CMDLINE, IMAGE_KERNEL, IMAGE_NORMALIZED, IMAGE_INITRD };
enum { TDVF_OVMF, TDVF_MRTD, TDVF_TD_HOB };
enum { MRTD_SINGLE_PASS, MRTD_TWO_PASS };

static const gchar *const top_keys[] = {"version", "image", "tdvf", NULL};
static const gchar *const image_keys[] = {"cmdline_sha384",	      "cmdline",       "kernel_authenticode",
					  "kernel_header_normalized", "initrd_sha384", NULL};
static const gchar *const tdvf_keys[] = {"ovmf", "mrtd", "td_hob", NULL};
static const gchar *const mrtd_keys[] = {"single_pass", "two_pass", NULL};

typedef struct {
	DstackTdxMaterial *material;
	gboolean has_cmdline_sha384;
	gboolean has_cmdline;
} TdxReading;

/**
 * dstack_tdx_material_new:
 *
 * Returns: (transfer full): material of version 3 with every digest zero and an empty witness
 */
DstackTdxMaterial *
dstack_tdx_material_new(void)
{
	DstackTdxMaterial *self = g_new0(DstackTdxMaterial, 1);

	self->version = 3;
	self->td_hob = g_bytes_new_static("", 0);
	return self;
}

/**
 * dstack_tdx_material_free:
 * @self: (nullable): the material
 */
void
dstack_tdx_material_free(DstackTdxMaterial *self)
{
	if (self == NULL)
		return;
	g_free(self->cmdline);
	g_bytes_unref(self->td_hob);
	g_free(self);
}

static gboolean
read_text(DstackCborReader *reader, const gchar *key, gchar **out, GError **error)
{
	gchar *text = NULL;

	if (!dstack_cbor_read_text(reader, key, &text, error))
		return FALSE;
	g_free(*out);
	*out = text;
	return TRUE;
}

static gboolean
image_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackTdxMaterial *self = map->target;

	switch (dstack_material_map_see(map, key)) {
	case IMAGE_CMDLINE_SHA384:
		return dstack_cbor_read_fixed(reader, key, self->cmdline_sha384.bytes, 48, error);
	case IMAGE_CMDLINE:
		return read_text(reader, key, &self->cmdline, error);
	case IMAGE_KERNEL:
		return dstack_cbor_read_fixed(reader, key, self->kernel_authenticode.bytes, 48, error);
	case IMAGE_NORMALIZED:
		return dstack_cbor_read_bool(reader, key, &self->kernel_header_normalized, error);
	case IMAGE_INITRD:
		return dstack_cbor_read_fixed(reader, key, self->initrd_sha384.bytes, 48, error);
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

static gboolean
read_image(DstackCborReader *reader, TdxReading *reading, GError **error)
{
	DstackMaterialMap map = {WHAT ": image", image_keys, 0, reading->material};

	if (!dstack_cbor_read_members(reader, "image", image_member, &map, error) ||
	    !dstack_material_map_ensure(&map, 1u << IMAGE_KERNEL | 1u << IMAGE_INITRD, error))
		return FALSE;
	reading->has_cmdline_sha384 = dstack_material_map_has(&map, IMAGE_CMDLINE_SHA384);
	reading->has_cmdline = dstack_material_map_has(&map, IMAGE_CMDLINE);
	return TRUE;
}

static gboolean
mrtd_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackTdxMaterial *self = map->target;

	switch (dstack_material_map_see(map, key)) {
	case MRTD_SINGLE_PASS:
		return dstack_cbor_read_fixed(reader, key, self->mrtd_single_pass.bytes, 48, error);
	case MRTD_TWO_PASS:
		return dstack_cbor_read_fixed(reader, key, self->mrtd_two_pass.bytes, 48, error);
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

static gboolean
read_mrtd(DstackCborReader *reader, DstackTdxMaterial *self, GError **error)
{
	DstackMaterialMap map = {WHAT ": mrtd", mrtd_keys, 0, self};

	return dstack_cbor_read_members(reader, "mrtd", mrtd_member, &map, error) &&
	       dstack_material_map_ensure(&map, 1u << MRTD_SINGLE_PASS | 1u << MRTD_TWO_PASS, error);
}

static gboolean
read_layout(DstackCborReader *reader, GError **error)
{
	g_autofree gchar *layout = NULL;

	if (!dstack_cbor_read_text(reader, "ovmf", &layout, error))
		return FALSE;
	if (g_str_equal(layout, LAYOUT))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": ovmf: expected '" LAYOUT "', found '%s'", layout);
}

static gboolean
tdvf_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackTdxMaterial *self = map->target;
	GBytes *witness = NULL;

	switch (dstack_material_map_see(map, key)) {
	case TDVF_OVMF:
		return read_layout(reader, error);
	case TDVF_MRTD:
		return read_mrtd(reader, self, error);
	case TDVF_TD_HOB:
		if (!dstack_cbor_read_bytes(reader, key, MAX_TD_HOB, &witness, error))
			return FALSE;
		g_bytes_unref(self->td_hob);
		self->td_hob = witness;
		return TRUE;
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

static gboolean
read_tdvf(DstackCborReader *reader, DstackTdxMaterial *self, GError **error)
{
	DstackMaterialMap map = {WHAT ": tdvf", tdvf_keys, 0, self};

	return dstack_cbor_read_members(reader, "tdvf", tdvf_member, &map, error) &&
	       dstack_material_map_ensure(&map, 1u << TDVF_OVMF | 1u << TDVF_MRTD | 1u << TDVF_TD_HOB, error);
}

static gboolean
read_version(DstackCborReader *reader, DstackTdxMaterial *self, GError **error)
{
	guint64 version = 0;

	if (!dstack_cbor_read_uint(reader, "version", G_MAXUINT64, &version, error))
		return FALSE;
	if (version != 3 && version != 4) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": version: expected 3 or 4, found %" G_GUINT64_FORMAT, version);
	}
	self->version = (guint)version;
	return TRUE;
}

static gboolean
top_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	TdxReading *reading = map->target;

	switch (dstack_material_map_see(map, key)) {
	case TOP_VERSION:
		return read_version(reader, reading->material, error);
	case TOP_IMAGE:
		return read_image(reader, reading, error);
	case TOP_TDVF:
		return read_tdvf(reader, reading->material, error);
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

/* the version may come after what depends on it; to a version, the other's keys are unknown ones */
static gboolean
settle_version(TdxReading *reading, GError **error)
{
	DstackTdxMaterial *self = reading->material;

	if (self->version == 3 && !reading->has_cmdline_sha384)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": image: 'cmdline_sha384' is missing");
	if (self->version == 4 && !reading->has_cmdline)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": image: 'cmdline' is missing");
	if (self->version == 4) {
		self->cmdline_sha384 = (DstackSha384){{0}};
		return TRUE;
	}
	g_clear_pointer(&self->cmdline, g_free);
	self->kernel_header_normalized = FALSE;
	return TRUE;
}

/**
 * dstack_tdx_material_parse:
 * @cbor: the file's bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads measurement.tdx.cbor of version 3 or 4: key order and unknown keys liberally, all else strictly.
 *
 * Returns: (transfer full): the material, or %NULL
 */
DstackTdxMaterial *
dstack_tdx_material_parse(GBytes *cbor, GError **error)
{
	g_autoptr(DstackTdxMaterial) self = dstack_tdx_material_new();
	TdxReading reading = {.material = self};
	DstackMaterialMap map = {WHAT, top_keys, 0, &reading};
	DstackCborReader reader;

	dstack_cbor_reader_init(&reader, g_bytes_get_data(cbor, NULL), g_bytes_get_size(cbor), WHAT);
	if (!dstack_cbor_read_members(&reader, "material", top_member, &map, error) ||
	    !dstack_cbor_finish(&reader, error) ||
	    !dstack_material_map_ensure(&map, 1u << TOP_VERSION | 1u << TOP_IMAGE | 1u << TOP_TDVF, error) ||
	    !settle_version(&reading, error))
		return NULL;
	return g_steal_pointer(&self);
}

static void
append_sha384(GByteArray *out, const gchar *key, const DstackSha384 *digest)
{
	dstack_cbor_append_text(out, key);
	dstack_cbor_append_bytes(out, digest->bytes, sizeof(digest->bytes));
}

static void
append_image(GByteArray *out, const DstackTdxMaterial *self)
{
	gboolean flag = self->version == 4 && self->kernel_header_normalized;

	dstack_cbor_append_text(out, "image");
	dstack_cbor_append_map(out, flag ? 4 : 3);
	if (self->version == 4) {
		dstack_cbor_append_text(out, "cmdline");
		dstack_cbor_append_text(out, self->cmdline == NULL ? "" : self->cmdline);
	} else {
		append_sha384(out, "cmdline_sha384", &self->cmdline_sha384);
	}
	append_sha384(out, "kernel_authenticode", &self->kernel_authenticode);
	if (flag) {
		dstack_cbor_append_text(out, "kernel_header_normalized");
		dstack_cbor_append_bool(out, TRUE);
	}
	append_sha384(out, "initrd_sha384", &self->initrd_sha384);
}

/**
 * dstack_tdx_material_build:
 * @self: the material
 *
 * Returns: (transfer full): the bytes that the reference tool writes for it
 */
GBytes *
dstack_tdx_material_build(const DstackTdxMaterial *self)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	gsize size = 0;
	const guint8 *witness = g_bytes_get_data(self->td_hob, &size);

	dstack_cbor_append_map(out, 3);
	dstack_cbor_append_text(out, "version");
	dstack_cbor_append_uint(out, self->version);
	append_image(out, self);
	dstack_cbor_append_text(out, "tdvf");
	dstack_cbor_append_map(out, 3);
	dstack_cbor_append_text(out, "ovmf");
	dstack_cbor_append_text(out, LAYOUT);
	dstack_cbor_append_text(out, "mrtd");
	dstack_cbor_append_map(out, 2);
	append_sha384(out, "single_pass", &self->mrtd_single_pass);
	append_sha384(out, "two_pass", &self->mrtd_two_pass);
	dstack_cbor_append_text(out, "td_hob");
	dstack_cbor_append_bytes(out, witness, size);
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static void
set_sha384(JsonObject *object, const gchar *key, const DstackSha384 *digest)
{
	g_autofree gchar *hex = dstack_sha384_to_hex(digest);

	json_object_set_string_member(object, key, hex);
}

static JsonObject *
image_to_json(const DstackTdxMaterial *self)
{
	JsonObject *image = json_object_new();

	if (self->version == 4)
		json_object_set_string_member(image, "cmdline", self->cmdline == NULL ? "" : self->cmdline);
	else
		set_sha384(image, "cmdline_sha384", &self->cmdline_sha384);
	set_sha384(image, "kernel_authenticode", &self->kernel_authenticode);
	if (self->version == 4 && self->kernel_header_normalized)
		json_object_set_boolean_member(image, "kernel_header_normalized", TRUE);
	set_sha384(image, "initrd_sha384", &self->initrd_sha384);
	return image;
}

static JsonObject *
tdvf_to_json(const DstackTdxMaterial *self)
{
	JsonObject *tdvf = json_object_new();
	JsonObject *mrtd = json_object_new();
	g_autofree gchar *witness = dstack_hex_encode_bytes(self->td_hob);

	set_sha384(mrtd, "single_pass", &self->mrtd_single_pass);
	set_sha384(mrtd, "two_pass", &self->mrtd_two_pass);
	json_object_set_string_member(tdvf, "ovmf", LAYOUT);
	json_object_set_object_member(tdvf, "mrtd", mrtd);
	json_object_set_string_member(tdvf, "td_hob", witness);
	return tdvf;
}

/**
 * dstack_tdx_material_to_json:
 * @self: the material
 *
 * Returns: (transfer full): the same keys as in the file, byte strings in lower-case hex
 */
JsonNode *
dstack_tdx_material_to_json(const DstackTdxMaterial *self)
{
	g_autoptr(JsonObject) top = json_object_new();

	json_object_set_int_member(top, "version", self->version);
	json_object_set_object_member(top, "image", image_to_json(self));
	json_object_set_object_member(top, "tdvf", tdvf_to_json(self));
	return json_node_init_object(json_node_alloc(), top);
}
