/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDX measurement against firmware, TD HOB lists and RTMR0 event lists of others.
 */

#include "config.h"

#include <glib.h>
#include <string.h>

#include "base/hex.h"
#include "base/register.h"
#include "dstack/error.h"
#include "support/vector-case.h"
#include "support/vectors.h"
#include "tdx/layout.h"
#include "tdx/mrtd.h"
#include "tdx/rtmr0.h"
#include "tdx/td-hob.h"
#include "tdx/tdvf.h"

static void
assert_sha384(const DstackSha384 *found, const gchar *expected)
{
	g_autofree gchar *hex = dstack_sha384_to_hex(found);

	g_assert_cmpstr(hex, ==, expected);
}

static gboolean
parse_firmware(const gchar *name, GBytes **out_bytes, DstackTdvf *out, GError **error)
{
	gsize size = 0;
	const guint8 *data = NULL;

	*out_bytes = dstack_test_vector_read(name);
	data = g_bytes_get_data(*out_bytes, &size);
	return dstack_tdvf_parse(out, data, size, error);
}

static void
measures_firmware(void)
{
	static const struct {
		const gchar *name;
		const gchar *single_pass;
		const gchar *two_pass;
	} cases[] = {
	    {"tdx/tdvf/synthetic-ok.bin.gz",
	     "4b64fc581d0a6728c86feda4fbc87b278db69b83d5d50056aaea7f1ee1f26b20105f50296f7d229dbc4b2bb7a5cbb5e4",
	     "2f62e404694e4bd91dd21bf13b70a1a8c5ed5977c40c319b4cbee10a423df0dabdaaf8832019f618f9c67a0d84fae514"},
	    {"tdx/tdvf/virtee-tdx-OVMF.inteltdx.fd.gz",
	     "88c63708f207ab01a46b4d9424ea92ab11f8826be30d208afbb58f174f2a19cdcfafb2b12a6a2c98be0740b808894d55",
	     "307c9a6831bdd6e6f56d9305f9598d238d42e864a9144f11c0a46ee42e62ed81eb9845511a80fa77b200743d85d977e3"},
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = NULL;
		g_autoptr(GError) error = NULL;
		DstackTdvf tdvf;
		DstackSha384 digest;

		g_assert_true(parse_firmware(cases[i].name, &bytes, &tdvf, &error));
		digest = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_SINGLE_PASS);
		assert_sha384(&digest, cases[i].single_pass);
		digest = dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_TWO_PASS);
		assert_sha384(&digest, cases[i].two_pass);
	}
}

static void
reads_sections_of_real_firmware(void)
{
	g_autoptr(JsonNode) root = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	DstackTdvf tdvf;
	DstackSha384 cfv;
	JsonObject *expected = NULL;
	JsonArray *sections = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	root = dstack_test_vector_read_json("tdx/tdvf/virtee-tdx-OVMF.inteltdx.expected.json");
	expected = json_node_get_object(root);
	sections = json_object_get_array_member(expected, "sections");
	g_assert_true(parse_firmware("tdx/tdvf/virtee-tdx-OVMF.inteltdx.fd.gz", &bytes, &tdvf, &error));
	g_assert_cmpuint(tdvf.n_sections, ==, json_array_get_length(sections));
	for (guint i = 0; i < tdvf.n_sections; i++) {
		JsonObject *section = json_array_get_object_element(sections, i);

		g_assert_cmpuint(tdvf.sections[i].type, ==, dstack_case_uint(section, "type"));
		g_assert_cmpuint(tdvf.sections[i].address, ==, dstack_case_uint(section, "address"));
		g_assert_cmpuint(tdvf.sections[i].memory_size, ==, dstack_case_uint(section, "mem_size"));
		g_assert_cmpuint(tdvf.sections[i].data_size, ==, dstack_case_uint(section, "raw_size"));
		g_assert_cmpuint(tdvf.sections[i].extend, ==, dstack_case_uint(section, "attributes") & 1);
	}
	g_assert_true(dstack_tdvf_cfv_digest(&tdvf, &cfv, &error));
	assert_sha384(&cfv, dstack_case_string(expected, "cfv_sha384"));
}

static void
refuses_bad_firmware(void)
{
	g_autoptr(GPtrArray) names = NULL;
	guint refused = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	names = dstack_test_vector_list("tdx/tdvf");
	for (guint i = 0; i < names->len; i++) {
		const gchar *name = g_ptr_array_index(names, i);
		g_autoptr(GBytes) bytes = NULL;
		g_autoptr(GError) error = NULL;
		DstackTdvf tdvf;

		if (strstr(name, "/negative-") == NULL)
			continue;
		g_assert_false(parse_firmware(name, &bytes, &tdvf, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_test_message("%s: %s", name, error->message);
		refused++;
	}
	g_assert_cmpuint(refused, ==, 8);
}

/* a case lists sections as a firmware would; only their places matter */
static void
case_to_tdvf(JsonObject *test_case, DstackTdvf *out)
{
	JsonArray *sections = json_object_get_array_member(test_case, "sections");

	memset(out, 0, sizeof(*out));
	for (guint i = 0; i < json_array_get_length(sections); i++) {
		JsonObject *section = json_array_get_object_element(sections, i);

		out->sections[out->n_sections++] = (DstackTdvfSection){
		    .type = (DstackTdvfType)dstack_case_uint(section, "type"),
		    .address = dstack_case_uint(section, "addr"),
		    .memory_size = dstack_case_uint(section, "size"),
		};
	}
}

static void
check_td_hob(JsonObject *test_case)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) list = NULL;
	g_autoptr(GBytes) packed = NULL;
	g_autofree gchar *list_hex = NULL;
	DstackTdHobWitness witness;
	DstackTdHobWitness again;
	DstackTdvf tdvf;
	DstackSha384 digest;
	guint64 memory_size = dstack_case_uint(test_case, "memory");

	case_to_tdvf(test_case, &tdvf);
	g_assert_true(dstack_td_hob_witness_from_tdvf(&witness, &tdvf, &error));
	list = dstack_td_hob_build(&witness, memory_size);
	list_hex = dstack_hex_encode_bytes(list);
	g_assert_cmpstr(list_hex, ==, dstack_case_string(test_case, "hob"));
	packed = dstack_td_hob_witness_build(&witness);
	g_assert_true(
	    dstack_td_hob_witness_parse(&again, g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), &error));
	digest = dstack_td_hob_digest(&again, memory_size);
	assert_sha384(&digest, dstack_case_string(test_case, "sha384"));
}

static void
builds_td_hob_lists(void)
{
	g_autoptr(JsonNode) root = NULL;
	JsonArray *cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	root = dstack_test_vector_read_json("tdx/td-hob/cases.json");
	cases = json_object_get_array_member(json_node_get_object(root), "cases");
	g_assert_cmpuint(json_array_get_length(cases), ==, 5);
	for (guint i = 0; i < json_array_get_length(cases); i++)
		check_td_hob(json_array_get_object_element(cases, i));
}

static void
refuses_bad_witnesses(void)
{
	g_autoptr(JsonNode) root = NULL;
	JsonArray *cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	root = dstack_test_vector_read_json("tdx/td-hob/negative-witness.json");
	cases = json_node_get_array(root);
	g_assert_cmpuint(json_array_get_length(cases), ==, 5);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		const gchar *hex = dstack_case_string(json_array_get_object_element(cases, i), "hex");
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(hex, "witness", 64, &error);
		DstackTdHobWitness witness;

		g_assert_no_error(error);
		g_assert_false(dstack_td_hob_witness_parse(&witness, g_bytes_get_data(bytes, NULL),
							   g_bytes_get_size(bytes), &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* ours where we compute a digest, the case's for the three ACPI blobs */
static void
fill_events(JsonObject *test_case, DstackTdxEventSet *events, const DstackTdxEventList *list)
{
	static const guint8 packed[] = {0x80, 0x10, 0x09, 0x04, 0x00, 0x06, 0x09, 0x02, 0x0b, 0x02, 0x10, 0x10};
	g_autoptr(GError) error = NULL;
	JsonArray *expected = json_object_get_array_member(test_case, "events");
	DstackTdHobWitness witness;
	DstackSha384 digest;

	dstack_rtmr0_add_constants(events);
	g_assert_true(dstack_td_hob_witness_parse(&witness, packed, sizeof(packed), &error));
	digest = dstack_td_hob_digest(&witness, dstack_case_uint(test_case, "memory"));
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_TD_HOB, &digest);
	g_assert_cmpuint(json_array_get_length(expected), ==, list->n_events);
	for (guint i = 0; i < list->n_events; i++) {
		const gchar *hex = json_array_get_string_element(expected, i);
		DstackTdxEvent event = list->events[i];

		if (event == DSTACK_TDX_EVENT_ACPI_LOADER || event == DSTACK_TDX_EVENT_ACPI_RSDP ||
		    event == DSTACK_TDX_EVENT_ACPI_TABLES) {
			g_assert_true(dstack_sha384_from_hex(hex, "event", &digest, &error));
			dstack_tdx_event_set_add(events, event, &digest);
		}
		assert_sha384(&events->digest[event], hex);
	}
}

static void
replays_rtmr0(void)
{
	g_autoptr(JsonNode) root = NULL;
	g_autoptr(GError) error = NULL;
	JsonArray *cases = NULL;
	const DstackTdxLayout *layout = dstack_tdx_layout_find("pre202505", &error);

	g_assert_no_error(error);
	if (dstack_test_vectors_dir() == NULL)
		return;
	root = dstack_test_vector_read_json("tdx/rtmr0/cases.json");
	cases = json_object_get_array_member(json_node_get_object(root), "computed");
	g_assert_cmpuint(json_array_get_length(cases), ==, 6);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *test_case = json_array_get_object_element(cases, i);
		DstackTdxEventSet events = {0};
		DstackSha384 value;

		fill_events(test_case, &events, &layout->rtmr[0]);
		g_assert_true(dstack_tdx_event_set_replay(&events, &layout->rtmr[0], &value, &error));
		assert_sha384(&value, dstack_case_string(test_case, "rtmr0"));
	}
}

/* the right events in a wrong order or number give the values that a verifier has to refuse */
static void
tells_wrong_rtmr0_apart(void)
{
	g_autoptr(JsonNode) wrong_root = NULL;
	g_autoptr(JsonNode) root = NULL;
	g_autoptr(GError) error = NULL;
	const DstackTdxLayout *layout = dstack_tdx_layout_find("pre202505", &error);
	DstackTdxEvent swapped[13];
	DstackTdxEvent longer[14];
	const DstackTdxEventList lists[] = {{G_N_ELEMENTS(swapped), swapped}, {G_N_ELEMENTS(longer), longer}};
	DstackTdxEventSet events = {0};

	g_assert_no_error(error);
	if (dstack_test_vectors_dir() == NULL)
		return;
	memcpy(swapped, layout->rtmr[0].events, sizeof(swapped));
	memcpy(longer, layout->rtmr[0].events, sizeof(swapped));
	swapped[8] = DSTACK_TDX_EVENT_ACPI_RSDP;
	swapped[9] = DSTACK_TDX_EVENT_ACPI_LOADER;
	longer[13] = DSTACK_TDX_EVENT_SEPARATOR;
	root = dstack_test_vector_read_json("tdx/rtmr0/cases.json");
	fill_events(
	    json_array_get_object_element(json_object_get_array_member(json_node_get_object(root), "computed"), 1),
	    &events, &layout->rtmr[0]);
	wrong_root = dstack_test_vector_read_json("tdx/rtmr0/negative.json");
	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		JsonObject *bad = json_array_get_object_element(json_node_get_array(wrong_root), i);
		DstackSha384 value;

		g_assert_true(dstack_tdx_event_set_replay(&events, &lists[i], &value, &error));
		assert_sha384(&value, dstack_case_string(bad, "rtmr0"));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx/vectors/measures-firmware", measures_firmware);
	g_test_add_func("/tdx/vectors/reads-sections-of-real-firmware", reads_sections_of_real_firmware);
	g_test_add_func("/tdx/vectors/refuses-bad-firmware", refuses_bad_firmware);
	g_test_add_func("/tdx/vectors/builds-td-hob-lists", builds_td_hob_lists);
	g_test_add_func("/tdx/vectors/refuses-bad-witnesses", refuses_bad_witnesses);
	g_test_add_func("/tdx/vectors/replays-rtmr0", replays_rtmr0);
	g_test_add_func("/tdx/vectors/tells-wrong-rtmr0-apart", tells_wrong_rtmr0_apart);
	return g_test_run();
}
