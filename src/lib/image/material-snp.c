/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * measurement.snp.cbor, version 3. formats.md, section 2.
 */

#include "config.h"

#include "image/material.h"

#include "base/error.h"
#include "image/material-cbor.h"

#define WHAT "measurement.snp.cbor"

enum { TOP_VERSION, TOP_CMDLINE, TOP_OVMF, TOP_KERNEL, TOP_INITRD, TOP_TABLE, TOP_EIP, TOP_SECTIONS, N_TOP };
enum { SECTION_GPA, SECTION_SIZE, SECTION_TYPE, N_SECTION };

static const gchar *const top_keys[] = {"version",	    "cmdline",	 "ovmf_hash",	  "kernel_hash", "initrd_hash",
					"hashes_table_gpa", "reset_eip", "ovmf_sections", NULL};
static const gchar *const section_keys[] = {"gpa", "size", "type", NULL};

/**
 * dstack_snp_material_new:
 *
 * Returns: (transfer full): material without sections, with an empty command line and every number zero
 */
DstackSnpMaterial *
dstack_snp_material_new(void)
{
	DstackSnpMaterial *self = g_new0(DstackSnpMaterial, 1);

	self->cmdline = g_strdup("");
	return self;
}

/**
 * dstack_snp_material_free:
 * @self: (nullable): the material
 */
void
dstack_snp_material_free(DstackSnpMaterial *self)
{
	if (self == NULL)
		return;
	g_free(self->cmdline);
	g_free(self);
}

static gboolean
section_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackSnpSection *section = map->target;
	guint64 number = 0;

	switch (dstack_material_map_see(map, key)) {
	case SECTION_GPA:
		return dstack_cbor_read_uint(reader, key, G_MAXUINT64, &section->gpa, error);
	case SECTION_SIZE:
		return dstack_cbor_read_uint(reader, key, G_MAXUINT64, &section->size, error);
	case SECTION_TYPE:
		if (!dstack_cbor_read_uint(reader, key, G_MAXUINT32, &number, error))
			return FALSE;
		section->type = (guint32)number;
		return TRUE;
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

static gboolean
read_sections(DstackCborReader *reader, DstackSnpMaterial *self, GError **error)
{
	guint n = 0;

	if (!dstack_cbor_read_array(reader, "ovmf_sections", &n, error))
		return FALSE;
	if (n > DSTACK_SNP_MAX_SECTIONS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": ovmf_sections: expected at most %d sections, found %u",
				    DSTACK_SNP_MAX_SECTIONS, n);
	}
	for (guint i = 0; i < n; i++) {
		DstackMaterialMap map = {WHAT ": section", section_keys, 0, &self->sections[i]};

		if (!dstack_cbor_read_members(reader, "section", section_member, &map, error) ||
		    !dstack_material_map_ensure(&map, (1u << N_SECTION) - 1, error))
			return FALSE;
	}
	self->n_sections = n;
	return TRUE;
}

static gboolean
read_version(DstackCborReader *reader, GError **error)
{
	guint64 version = 0;

	if (!dstack_cbor_read_uint(reader, "version", G_MAXUINT64, &version, error))
		return FALSE;
	if (version == 3)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": version: expected 3, found %" G_GUINT64_FORMAT,
			    version);
}

static gboolean
read_cmdline(DstackCborReader *reader, DstackSnpMaterial *self, GError **error)
{
	gchar *cmdline = NULL;

	if (!dstack_cbor_read_text(reader, "cmdline", &cmdline, error))
		return FALSE;
	g_free(self->cmdline);
	self->cmdline = cmdline;
	return TRUE;
}

static gboolean
read_eip(DstackCborReader *reader, DstackSnpMaterial *self, GError **error)
{
	guint64 number = 0;

	if (!dstack_cbor_read_uint(reader, "reset_eip", G_MAXUINT32, &number, error))
		return FALSE;
	self->reset_eip = (guint32)number;
	return TRUE;
}

static gboolean
top_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	DstackMaterialMap *map = user_data;
	DstackSnpMaterial *self = map->target;

	switch (dstack_material_map_see(map, key)) {
	case TOP_VERSION:
		return read_version(reader, error);
	case TOP_CMDLINE:
		return read_cmdline(reader, self, error);
	case TOP_OVMF:
		return dstack_cbor_read_fixed(reader, key, self->ovmf_hash.bytes, 48, error);
	case TOP_KERNEL:
		return dstack_cbor_read_fixed(reader, key, self->kernel_hash.bytes, 32, error);
	case TOP_INITRD:
		return dstack_cbor_read_fixed(reader, key, self->initrd_hash.bytes, 32, error);
	case TOP_TABLE:
		return dstack_cbor_read_uint(reader, key, G_MAXUINT64, &self->hashes_table_gpa, error);
	case TOP_EIP:
		return read_eip(reader, self, error);
	case TOP_SECTIONS:
		return read_sections(reader, self, error);
	default:
		return dstack_cbor_skip(reader, key, error);
	}
}

/**
 * dstack_snp_material_parse:
 * @cbor: the file's bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads measurement.snp.cbor: key order and unknown keys liberally, all else strictly. Section types, sizes and
 * addresses may have any value here.
 *
 * Returns: (transfer full): the material, or %NULL
 */
DstackSnpMaterial *
dstack_snp_material_parse(GBytes *cbor, GError **error)
{
	g_autoptr(DstackSnpMaterial) self = dstack_snp_material_new();
	DstackMaterialMap map = {WHAT, top_keys, 0, self};
	DstackCborReader reader;

	dstack_cbor_reader_init(&reader, g_bytes_get_data(cbor, NULL), g_bytes_get_size(cbor), WHAT);
	if (!dstack_cbor_read_members(&reader, "material", top_member, &map, error) ||
	    !dstack_cbor_finish(&reader, error) || !dstack_material_map_ensure(&map, (1u << N_TOP) - 1, error))
		return NULL;
	return g_steal_pointer(&self);
}

static void
append_number(GByteArray *out, const gchar *key, guint64 value)
{
	dstack_cbor_append_text(out, key);
	dstack_cbor_append_uint(out, value);
}

static void
append_digest(GByteArray *out, const gchar *key, const guint8 *bytes, gsize size)
{
	dstack_cbor_append_text(out, key);
	dstack_cbor_append_bytes(out, bytes, size);
}

/**
 * dstack_snp_material_build:
 * @self: the material
 *
 * Returns: (transfer full): the bytes that the reference tool writes for it
 */
GBytes *
dstack_snp_material_build(const DstackSnpMaterial *self)
{
	g_autoptr(GByteArray) out = g_byte_array_new();

	dstack_cbor_append_map(out, N_TOP);
	append_number(out, "version", 3);
	dstack_cbor_append_text(out, "cmdline");
	dstack_cbor_append_text(out, self->cmdline);
	append_digest(out, "ovmf_hash", self->ovmf_hash.bytes, 48);
	append_digest(out, "kernel_hash", self->kernel_hash.bytes, 32);
	append_digest(out, "initrd_hash", self->initrd_hash.bytes, 32);
	append_number(out, "hashes_table_gpa", self->hashes_table_gpa);
	append_number(out, "reset_eip", self->reset_eip);
	dstack_cbor_append_text(out, "ovmf_sections");
	dstack_cbor_append_array(out, self->n_sections);
	for (guint i = 0; i < self->n_sections; i++) {
		dstack_cbor_append_map(out, N_SECTION);
		append_number(out, "gpa", self->sections[i].gpa);
		append_number(out, "size", self->sections[i].size);
		append_number(out, "type", self->sections[i].type);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/* JSON's integers end at 2^63 - 1 with json-glib; a number beyond is printed as a string, which nothing reads back */
static void
set_number(JsonObject *object, const gchar *key, guint64 value)
{
	g_autofree gchar *text = NULL;

	if (value <= G_MAXINT64) {
		json_object_set_int_member(object, key, (gint64)value);
		return;
	}
	text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
	json_object_set_string_member(object, key, text);
}

static JsonArray *
sections_to_json(const DstackSnpMaterial *self)
{
	JsonArray *sections = json_array_new();

	for (guint i = 0; i < self->n_sections; i++) {
		JsonObject *section = json_object_new();

		set_number(section, "gpa", self->sections[i].gpa);
		set_number(section, "size", self->sections[i].size);
		set_number(section, "type", self->sections[i].type);
		json_array_add_object_element(sections, section);
	}
	return sections;
}

/**
 * dstack_snp_material_to_json:
 * @self: the material
 *
 * Returns: (transfer full): the same keys as in the file, byte strings in lower-case hex
 */
JsonNode *
dstack_snp_material_to_json(const DstackSnpMaterial *self)
{
	g_autoptr(JsonObject) top = json_object_new();
	g_autofree gchar *ovmf = dstack_sha384_to_hex(&self->ovmf_hash);
	g_autofree gchar *kernel = dstack_sha256_to_hex(&self->kernel_hash);
	g_autofree gchar *initrd = dstack_sha256_to_hex(&self->initrd_hash);

	json_object_set_int_member(top, "version", 3);
	json_object_set_string_member(top, "cmdline", self->cmdline);
	json_object_set_string_member(top, "ovmf_hash", ovmf);
	json_object_set_string_member(top, "kernel_hash", kernel);
	json_object_set_string_member(top, "initrd_hash", initrd);
	set_number(top, "hashes_table_gpa", self->hashes_table_gpa);
	set_number(top, "reset_eip", self->reset_eip);
	json_object_set_array_member(top, "ovmf_sections", sections_to_json(self));
	return json_node_init_object(json_node_alloc(), top);
}
