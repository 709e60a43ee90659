/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Expected registers of a TDX launch, against what real TDs signed.
 */

#include "config.h"

#include "verify/expected-tdx.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "config/vm-config.h"
#include "dstack/error.h"
#include "support/vectors.h"
#include "tdx/quote.h"

static void
assert_hex(const DstackSha384 *found, const gchar *expected)
{
	g_autofree gchar *hex = dstack_sha384_to_hex(found);

	g_assert_cmpstr(hex, ==, expected);
}

static DstackSha384
from_hex(const gchar *hex)
{
	DstackSha384 digest = {{0}};
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_sha384_from_hex(hex, "digest", &digest, &error));
	return digest;
}

/* the n-th digest that the evidence's own log has for ACPI data */
static DstackSha384
acpi_digest(JsonArray *log, guint n)
{
	for (guint i = 0; i < json_array_get_length(log); i++) {
		JsonObject *entry = json_array_get_object_element(log, i);

		if (json_object_get_int_member(entry, "imr") != 0 ||
		    json_object_get_int_member(entry, "event_type") != 10)
			continue;
		if (n-- == 0)
			return from_hex(json_object_get_string_member(entry, "digest"));
	}
	g_assert_not_reached();
}

static JsonArray *
parse_log(const gchar *text, JsonNode **out_root)
{
	g_autoptr(GError) error = NULL;

	*out_root = json_from_string(text, &error);
	g_assert_no_error(error);
	return json_node_get_array(*out_root);
}

/* everything a quote says of the boot follows from its vm_config and the three ACPI digests of its log */
static void
equals_what_a_real_td_signed(void)
{
	g_autoptr(JsonNode) root = NULL;
	g_autoptr(JsonNode) log_root = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) quote_bytes = NULL;
	g_autoptr(DstackVmConfig) vm_config = NULL;
	g_autoptr(DstackTdxMaterial) material = NULL;
	DstackTdxExpected expected;
	DstackQuote quote;
	JsonArray *log = NULL;
	const gchar *text = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	root = dstack_test_vector_read_json("tdx/dstack/tdx-lite-getquote.json");
	text = json_object_get_string_member(json_node_get_object(root), "vm_config");
	vm_config = dstack_vm_config_parse(text, strlen(text), &error);
	g_assert_no_error(error);
	material = dstack_tdx_material_parse(vm_config->tdx_measurement->measurement, &error);
	g_assert_no_error(error);
	text = json_object_get_string_member(json_node_get_object(root), "quote");
	quote_bytes = dstack_hex_decode_bytes(text, "quote", DSTACK_LIMIT_QUOTE, &error);
	g_assert_no_error(error);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(quote_bytes, NULL), g_bytes_get_size(quote_bytes), &error));
	log = parse_log(json_object_get_string_member(json_node_get_object(root), "event_log"), &log_root);
	{
		const DstackSha384 acpi[] = {acpi_digest(log, 0), acpi_digest(log, 1), acpi_digest(log, 2)};
		const DstackTdxLaunch launch = {
		    .memory_size = vm_config->memory_size,
		    .qemu_version = vm_config->qemu_version,
		    .qemu_single_pass_add_pages = vm_config->qemu_single_pass_add_pages,
		    .acpi_loader = &acpi[0],
		    .acpi_rsdp = &acpi[1],
		    .acpi_tables = &acpi[2],
		};

		g_assert_true(dstack_tdx_expected_compute(&expected, material, &launch, &error));
	}
	g_assert_cmpmem(expected.mrtd.bytes, 48, quote.td.mrtd, 48);
	g_assert_true(expected.has_rtmr0);
	g_assert_cmpmem(expected.rtmr[0].bytes, 48, quote.td.rtmr0, 48);
	g_assert_cmpmem(expected.rtmr[1].bytes, 48, quote.td.rtmr1, 48);
	g_assert_cmpmem(expected.rtmr[2].bytes, 48, quote.td.rtmr2, 48);
}

static DstackTdxMaterial *
read_material(const gchar *name)
{
	g_autoptr(GBytes) cbor = dstack_test_vector_read(name);
	g_autoptr(GError) error = NULL;
	DstackTdxMaterial *material = dstack_tdx_material_parse(cbor, &error);

	g_assert_no_error(error);
	return material;
}

/* one image, booted on two QEMUs */
static void
equals_boots_of_a_normalized_image(void)
{
	static const struct {
		const gchar *qemu_version;
		const gchar *mrtd_prefix;
	} boots[] = {{"8.2.2", "78cb3ad7"}, {"10.2.1", "8ed3f63f"}};
	g_autoptr(DstackTdxMaterial) material = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	material = read_material("tdx/material/dstack-0.6.0-v4.measurement.tdx.cbor");
	for (guint i = 0; i < G_N_ELEMENTS(boots); i++) {
		const DstackTdxLaunch launch = {.memory_size = 0x80000000, .qemu_version = boots[i].qemu_version};
		g_autoptr(GError) error = NULL;
		g_autofree gchar *mrtd = NULL;
		DstackTdxExpected expected;

		g_assert_true(dstack_tdx_expected_compute(&expected, material, &launch, &error));
		mrtd = dstack_sha384_to_hex(&expected.mrtd);
		g_assert_true(g_str_has_prefix(mrtd, boots[i].mrtd_prefix));
		g_assert_false(expected.has_rtmr0);
		assert_hex(
		    &expected.rtmr[1],
		    "60db95c7f164464e5bb3cc38610c23ade2c81b651256f9712ae55aa4c51ca092d0b550999407de966f35cb878f79d200");
		assert_hex(
		    &expected.rtmr[2],
		    "f873ce9b6d655985280d538d1da3113b7a5b6335a4d63ba534a21a644dbd89528ea7df4f7b174f2bde1d38bb05793535");
	}
	g_assert_true(dstack_tdx_material_holds_at(material, 0x40000000));
}

static DstackTdxMaterial *
build_material(void)
{
	static const guint8 witness[] = {0x80, 0x10, 0x09, 0x04, 0x00, 0x06, 0x09, 0x02, 0x0b, 0x02, 0x10, 0x10};
	DstackTdxMaterial *material = dstack_tdx_material_new();

	material->version = 3;
	material->td_hob = g_bytes_new(witness, sizeof(witness));
	memset(material->mrtd_single_pass.bytes, 1, 48);
	memset(material->mrtd_two_pass.bytes, 2, 48);
	return material;
}

static void
chooses_the_page_order(void)
{
	static const struct {
		const gchar *qemu_version;
		DstackTristate override;
		gint mrtd; /* 0: an error */
	} cases[] = {
	    {NULL, DSTACK_TRISTATE_UNSET, 1},	   {"9.0.0", DSTACK_TRISTATE_UNSET, 1},
	    {"8.2.2", DSTACK_TRISTATE_UNSET, 2},   {"10.2.1", DSTACK_TRISTATE_UNSET, 1},
	    {"8.2.2", DSTACK_TRISTATE_FALSE, 1},   {"9.1.0", DSTACK_TRISTATE_TRUE, 2}, /* its name says otherwise */
	    {NULL, DSTACK_TRISTATE_TRUE, 2},	   {"7.2.0", DSTACK_TRISTATE_UNSET, 0},
	    {"7.2.0", DSTACK_TRISTATE_TRUE, 0},	   {"9.1", DSTACK_TRISTATE_UNSET, 0},
	    {"9.1.0.1", DSTACK_TRISTATE_UNSET, 0}, {"9.1.0-rc1", DSTACK_TRISTATE_UNSET, 0},
	    {"", DSTACK_TRISTATE_UNSET, 0},	   {"-9.1.0", DSTACK_TRISTATE_UNSET, 0},
	};
	g_autoptr(DstackTdxMaterial) material = build_material();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const DstackTdxLaunch launch = {
		    .memory_size = 0x80000000,
		    .qemu_version = cases[i].qemu_version,
		    .qemu_single_pass_add_pages = cases[i].override,
		};
		DstackTdxExpected expected = {0};

		g_assert_cmpint(dstack_tdx_expected_compute(&expected, material, &launch, NULL), ==,
				cases[i].mrtd != 0);
		g_assert_cmpint(expected.mrtd.bytes[0], ==, cases[i].mrtd);
	}
}

static void
asks_for_all_acpi_digests_or_none(void)
{
	const DstackSha384 digest = {{0}};
	g_autoptr(DstackTdxMaterial) material = build_material();
	g_autoptr(GError) error = NULL;
	DstackTdxLaunch launch = {.memory_size = 0x80000000, .acpi_loader = &digest, .acpi_tables = &digest};
	DstackTdxExpected expected;

	g_assert_false(dstack_tdx_expected_compute(&expected, material, &launch, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	launch.acpi_rsdp = &digest;
	g_assert_true(dstack_tdx_expected_compute(&expected, material, &launch, &error));
	g_assert_true(expected.has_rtmr0);
}

static void
refuses_a_broken_witness(void)
{
	const DstackTdxLaunch launch = {.memory_size = 0x80000000};
	g_autoptr(DstackTdxMaterial) material = build_material();
	g_autoptr(GError) error = NULL;
	DstackTdxExpected expected;

	g_bytes_unref(material->td_hob);
	material->td_hob = g_bytes_new_static("\x80", 1);
	g_assert_false(dstack_tdx_expected_compute(&expected, material, &launch, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
knows_where_material_holds(void)
{
	static const struct {
		guint64 memory_size;
		gboolean holds;
	} cases[] = {
	    {0, FALSE},		 {0x7fffffff, FALSE}, {0x80000000, TRUE},  {0x80000001, FALSE},
	    {0xa0000000, FALSE}, {0xafffffff, FALSE}, {0xb0000000, TRUE},  {0xb0000001, TRUE},
	    {0xc0000000, TRUE},	 {0x100000000, TRUE}, {G_MAXUINT64, TRUE},
	};
	g_autoptr(DstackTdxMaterial) material = build_material();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		material->kernel_header_normalized = FALSE;
		g_assert_cmpint(dstack_tdx_material_holds_at(material, cases[i].memory_size), ==, cases[i].holds);
		material->kernel_header_normalized = TRUE;
		g_assert_true(dstack_tdx_material_holds_at(material, cases[i].memory_size));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verify/expected-tdx/equals-what-a-real-td-signed", equals_what_a_real_td_signed);
	g_test_add_func("/verify/expected-tdx/equals-boots-of-a-normalized-image", equals_boots_of_a_normalized_image);
	g_test_add_func("/verify/expected-tdx/chooses-the-page-order", chooses_the_page_order);
	g_test_add_func("/verify/expected-tdx/asks-for-all-acpi-digests-or-none", asks_for_all_acpi_digests_or_none);
	g_test_add_func("/verify/expected-tdx/refuses-a-broken-witness", refuses_a_broken_witness);
	g_test_add_func("/verify/expected-tdx/knows-where-material-holds", knows_where_material_holds);
	return g_test_run();
}
