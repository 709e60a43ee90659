/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "image/material.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "dstack/error.h"
#include "support/vectors.h"

static DstackTdxMaterial *
tdx_sample(guint version)
{
	DstackTdxMaterial *self = dstack_tdx_material_new();

	self->version = version;
	memset(self->kernel_authenticode.bytes, 0x22, 48);
	memset(self->initrd_sha384.bytes, 0x33, 48);
	memset(self->mrtd_single_pass.bytes, 0x44, 48);
	memset(self->mrtd_two_pass.bytes, 0x55, 48);
	g_bytes_unref(self->td_hob);
	self->td_hob = g_bytes_new_static("\x80\x10\x09", 3);
	if (version == 4) {
		self->cmdline = g_strdup("console=hvc0");
		self->kernel_header_normalized = TRUE;
	} else {
		memset(self->cmdline_sha384.bytes, 0x11, 48);
	}
	return self;
}

static DstackSnpMaterial *
snp_sample(void)
{
	DstackSnpMaterial *self = dstack_snp_material_new();

	g_free(self->cmdline);
	self->cmdline = g_strdup("console=ttyS0");
	memset(self->ovmf_hash.bytes, 0x66, 48);
	memset(self->kernel_hash.bytes, 0x77, 32);
	memset(self->initrd_hash.bytes, 0x88, 32);
	self->hashes_table_gpa = 0x801000;
	self->reset_eip = 0x80b004;
	self->n_sections = 2;
	self->sections[0] = (DstackSnpSection){0x800000, 0x9000, 1};
	self->sections[1] = (DstackSnpSection){G_GUINT64_CONSTANT(0x100000000), 0x1000, 0x10};
	return self;
}

static GBytes *
build(DstackMaterialKind kind, guint version)
{
	g_autoptr(DstackTdxMaterial) tdx = tdx_sample(version);
	g_autoptr(DstackSnpMaterial) snp = snp_sample();
	DstackGcpMaterial gcp = {{{1, 2, 3}}};
	DstackAwsMaterial aws = {{{4, 5, 6}}};

	switch (kind) {
	case DSTACK_MATERIAL_TDX:
		return dstack_tdx_material_build(tdx);
	case DSTACK_MATERIAL_SNP:
		return dstack_snp_material_build(snp);
	case DSTACK_MATERIAL_GCP:
		return dstack_gcp_material_build(&gcp);
	case DSTACK_MATERIAL_AWS:
		return dstack_aws_material_build(&aws);
	case DSTACK_N_MATERIALS:
		break;
	}
	g_assert_not_reached();
}

/* kinds with their versions: material of every shape */
static const struct {
	DstackMaterialKind kind;
	guint version;
} shapes[] = {
    {DSTACK_MATERIAL_TDX, 3}, {DSTACK_MATERIAL_TDX, 4}, {DSTACK_MATERIAL_SNP, 3},
    {DSTACK_MATERIAL_GCP, 1}, {DSTACK_MATERIAL_AWS, 0},
};

static gboolean
parses(DstackMaterialKind kind, const guint8 *data, gsize size, GError **error)
{
	g_autoptr(GBytes) cbor = g_bytes_new(data, size);
	g_autoptr(JsonNode) node = dstack_material_inspect(kind, cbor, error);

	return node != NULL;
}

static void
refuses_every_truncation_and_a_trailing_byte(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
		g_autoptr(GBytes) cbor = build(shapes[i].kind, shapes[i].version);
		gsize size = g_bytes_get_size(cbor);
		g_autofree guint8 *longer = g_malloc0(size + 1);

		memcpy(longer, g_bytes_get_data(cbor, NULL), size);
		g_assert_true(parses(shapes[i].kind, longer, size, NULL));
		for (gsize cut = 0; cut < size; cut++) {
			g_autoptr(GError) error = NULL;

			g_assert_false(parses(shapes[i].kind, longer, cut, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		}
		g_assert_false(parses(shapes[i].kind, longer, size + 1, NULL));
	}
}

static void
survives_every_bit_flip(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
		g_autoptr(GBytes) cbor = build(shapes[i].kind, shapes[i].version);
		gsize size = g_bytes_get_size(cbor);
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(cbor, NULL), size);
		guint n_refused = 0;

		for (gsize bit = 0; bit < size * 8; bit++) {
			copy[bit / 8] ^= (guint8)(1 << bit % 8);
			n_refused += parses(shapes[i].kind, copy, size, NULL) ? 0 : 1;
			copy[bit / 8] ^= (guint8)(1 << bit % 8);
		}
		/* flips inside digests pass, flips in keys, heads and versions do not */
		g_assert_cmpuint(n_refused, >, 50);
	}
}

/* {"version":3} and so on by hand: a map with one key replaced, added or twice */
static GBytes *
edited(GBytes *cbor, const gchar *from_hex, const gchar *to_hex)
{
	g_autofree gchar *hex = dstack_hex_encode_bytes(cbor);
	g_auto(GStrv) parts = g_strsplit(hex, from_hex, 2);
	g_autofree gchar *changed = NULL;
	g_autoptr(GError) error = NULL;
	GBytes *bytes = NULL;

	g_assert_cmpuint(g_strv_length(parts), ==, 2);
	changed = g_strconcat(parts[0], to_hex, parts[1], NULL);
	bytes = dstack_hex_decode_bytes(changed, "test", 65536, &error);
	g_assert_no_error(error);
	return bytes;
}

#define KEY_VERSION "6776657273696f6e" /* text "version" */

static const struct {
	DstackMaterialKind kind;
	guint version;
	const gchar *from;
	const gchar *to;
	gboolean accepted;
} edits[] = {
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "02", FALSE},
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "05", FALSE},
    /* version 4 needs the command line, and a digest of it is an unknown key there */
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "04", FALSE},
    {DSTACK_MATERIAL_TDX, 4, KEY_VERSION "04", KEY_VERSION "03", FALSE},
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "1803", FALSE},
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "23", FALSE},
    {DSTACK_MATERIAL_TDX, 3, KEY_VERSION "03", KEY_VERSION "6133", FALSE},
    {DSTACK_MATERIAL_TDX, 3, "a3" KEY_VERSION "03", "a2", FALSE},
    {DSTACK_MATERIAL_TDX, 3, "a3" KEY_VERSION "03", "a4" KEY_VERSION "03" KEY_VERSION "03", FALSE},
    {DSTACK_MATERIAL_TDX, 3, "a3" KEY_VERSION "03", "a4" KEY_VERSION "036178f6", TRUE},
    {DSTACK_MATERIAL_TDX, 3, "a3" KEY_VERSION "03", "bf" KEY_VERSION "03", FALSE},
    {DSTACK_MATERIAL_TDX, 3,
     "5830"
     "2222",
     "5831"
     "222222",
     FALSE},
    {DSTACK_MATERIAL_TDX, 3, "69707265323032353035", "69707265323032353036", FALSE},
    {DSTACK_MATERIAL_TDX, 4, "f5", "f4", TRUE},
    {DSTACK_MATERIAL_TDX, 4, "f5", "01", FALSE},
    {DSTACK_MATERIAL_SNP, 3, KEY_VERSION "03", KEY_VERSION "04", FALSE},
    {DSTACK_MATERIAL_SNP, 3, "a8" KEY_VERSION "03", "a7", FALSE},
    {DSTACK_MATERIAL_SNP, 3, "a8" KEY_VERSION "03", "a9" KEY_VERSION "036178818180", TRUE},
    {DSTACK_MATERIAL_SNP, 3, "1a0080b004", "1b000000010080b004", FALSE},
    {DSTACK_MATERIAL_SNP, 3, "82a363677061", "83a363677061", FALSE},
    {DSTACK_MATERIAL_SNP, 3, "1b0000000100000000", "20", FALSE},
    {DSTACK_MATERIAL_GCP, 1, KEY_VERSION "01", KEY_VERSION "02", FALSE},
    {DSTACK_MATERIAL_GCP, 1, "a2" KEY_VERSION "01", "a1", FALSE},
    {DSTACK_MATERIAL_AWS, 0, "a1", "a2" KEY_VERSION "01", TRUE},
    {DSTACK_MATERIAL_AWS, 0, "a1", "a0", FALSE},
};

static void
is_liberal_in_keys_only(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(edits); i++) {
		g_autoptr(GBytes) cbor = build(edits[i].kind, edits[i].version);
		g_autoptr(GBytes) changed = edited(cbor, edits[i].from, edits[i].to);
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) node = dstack_material_inspect(edits[i].kind, changed, &error);

		g_test_message("edit %u", i);
		if (edits[i].accepted)
			g_assert_no_error(error);
		else
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_cmpint(node != NULL, ==, edits[i].accepted);
	}
}

static void
bounds_sections(void)
{
	g_autoptr(DstackSnpMaterial) material = snp_sample();
	g_autoptr(GBytes) most = NULL;
	g_autoptr(GBytes) more = NULL;
	g_autoptr(DstackSnpMaterial) again = NULL;

	material->n_sections = DSTACK_SNP_MAX_SECTIONS;
	most = dstack_snp_material_build(material);
	again = dstack_snp_material_parse(most, NULL);
	g_assert_nonnull(again);
	g_assert_cmpuint(again->n_sections, ==, DSTACK_SNP_MAX_SECTIONS);
	/* 64 items is 98 40, 65 is 98 41, with one more empty section before the others */
	more = edited(most, "9840",
		      "9841a3636770610064"
		      "73697a65"
		      "0164"
		      "74797065"
		      "01");
	g_assert_null(dstack_snp_material_parse(more, NULL));
}

static void
knows_material_by_name_or_content(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
		g_autoptr(GBytes) cbor = build(shapes[i].kind, shapes[i].version);
		g_autoptr(GBytes) junk = g_bytes_new_static("\x01", 1);
		const gchar *name = dstack_material_kind_to_file_name(shapes[i].kind);
		DstackMaterialKind kind = DSTACK_N_MATERIALS;

		g_assert_true(dstack_material_guess_kind("some.cbor", cbor, &kind, NULL));
		g_assert_cmpint(kind, ==, shapes[i].kind);
		g_assert_true(dstack_material_guess_kind(name, junk, &kind, NULL));
		g_assert_cmpint(kind, ==, shapes[i].kind);
		g_assert_false(dstack_material_guess_kind("some.cbor", junk, &kind, NULL));
	}
}

static void
assert_same_bytes(const gchar *vector)
{
	g_autoptr(GBytes) cbor = dstack_test_vector_read(vector);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackTdxMaterial) material = dstack_tdx_material_parse(cbor, &error);
	g_autoptr(GBytes) again = NULL;

	g_assert_no_error(error);
	again = dstack_tdx_material_build(material);
	g_assert_true(g_bytes_equal(cbor, again));
}

static void
writes_real_material_byte_for_byte(void)
{
	g_autoptr(GBytes) cbor = NULL;
	g_autoptr(DstackTdxMaterial) material = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	assert_same_bytes("tdx/material/dstack-0.6.0-v3.measurement.tdx.cbor");
	assert_same_bytes("tdx/material/dstack-0.6.0-v4.measurement.tdx.cbor");
	cbor = dstack_test_vector_read("tdx/material/dstack-0.6.0-v4.measurement.tdx.cbor");
	material = dstack_tdx_material_parse(cbor, NULL);
	g_assert_true(material->kernel_header_normalized);
	g_assert_nonnull(strstr(material->cmdline, "dstack.rootfs_hash="));
}

static void
refuses_the_old_schema(void)
{
	g_autoptr(GBytes) cbor = NULL;
	g_autoptr(GError) error = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cbor = dstack_test_vector_read("tdx/material/schema-v2-07a2388c.measurement.tdx.cbor");
	g_assert_null(dstack_tdx_material_parse(cbor, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
shows_real_material_as_it_is(void)
{
	g_autoptr(GBytes) cbor = NULL;
	g_autoptr(JsonNode) expected = NULL;
	g_autoptr(JsonNode) found = NULL;
	g_autofree gchar *expected_text = NULL;
	g_autofree gchar *found_text = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cbor = dstack_test_vector_read("tdx/material/dstack-0.6.0-v3.measurement.tdx.cbor");
	expected = dstack_test_vector_read_json("tdx/material/dstack-0.6.0-v3.measurement.tdx.json");
	found = dstack_material_inspect(DSTACK_MATERIAL_TDX, cbor, NULL);
	expected_text = dstack_json_to_text(expected, DSTACK_JSON_COMPACT);
	found_text = dstack_json_to_text(found, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(found_text, ==, expected_text);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/material/refuses-every-truncation-and-a-trailing-byte",
			refuses_every_truncation_and_a_trailing_byte);
	g_test_add_func("/material/survives-every-bit-flip", survives_every_bit_flip);
	g_test_add_func("/material/is-liberal-in-keys-only", is_liberal_in_keys_only);
	g_test_add_func("/material/bounds-sections", bounds_sections);
	g_test_add_func("/material/knows-material-by-name-or-content", knows_material_by_name_or_content);
	g_test_add_func("/material/writes-real-material-byte-for-byte", writes_real_material_byte_for_byte);
	g_test_add_func("/material/refuses-the-old-schema", refuses_the_old_schema);
	g_test_add_func("/material/shows-real-material-as-it-is", shows_real_material_as_it_is);
	return g_test_run();
}
