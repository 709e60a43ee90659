/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "config/vm-config.h"

#include <string.h>

#include "base/json.h"
#include "config/app-compose.h"
#include "dstack/error.h"
#include "support/vectors.h"

static DstackVmConfig *
parse(const gchar *text, GError **error)
{
	return dstack_vm_config_parse(text, strlen(text), error);
}

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* every key away from its default, in the order of formats.md, section 3 */
static const gchar full[] =
    "{\"os_image_hash\":\"" HASH "\",\"cpu_count\":2,\"memory_size\":2147483648,"
    "\"qemu_single_pass_add_pages\":false,\"pic\":true,\"qemu_version\":\"9.1.0\",\"pci_hole64_size\":1024,"
    "\"hugepages\":true,\"num_gpus\":1,\"num_nvswitches\":2,\"num_nics\":0,\"num_verity_volumes\":3,"
    "\"swtpm\":true,\"hotplug_off\":true,\"image\":\"dstack-0.6.0\",\"host_share_mode\":\"9p\","
    "\"ovmf_variant\":\"pre202505\",\"tdx_attestation_variant\":\"lite\","
    "\"tdx_measurement\":{\"checksum_file\":\"YQ==\",\"measurement\":\"Yg==\"},"
    "\"gcp_measurement\":{\"checksum_file\":\"YQ==\",\"measurement\":\"Yw==\"},"
    "\"aws_measurement\":{\"checksum_file\":\"YQ==\",\"measurement\":\"ZA==\"},"
    "\"spec_version\":1,\"mr_config\":\"{}\",\"sev_snp_measurement\":\"{}\"}";

static void
writes_every_key_in_order(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVmConfig) config = parse(full, &error);
	g_autofree gchar *text = NULL;

	g_assert_no_error(error);
	text = dstack_vm_config_to_text(config);
	g_assert_cmpstr(text, ==, full);
}

static void
leaves_out_what_holds_its_default(void)
{
	g_autoptr(DstackVmConfig) config = parse("{}", NULL);
	g_autofree gchar *text = dstack_vm_config_to_text(config);

	g_assert_cmpstr(text, ==,
			"{\"os_image_hash\":\"\",\"cpu_count\":0,\"memory_size\":0,\"pci_hole64_size\":0,"
			"\"hugepages\":false,\"num_gpus\":0,\"num_nvswitches\":0,\"hotplug_off\":false,"
			"\"host_share_mode\":\"\",\"spec_version\":1}");
}

static const gchar *const refused[] = {
    "",
    "[]",
    "{\"os_image_hash\":\"00\"}",
    "{\"os_image_hash\":1}",
    "{\"cpu_count\":-1}",
    "{\"cpu_count\":4294967296}",
    "{\"cpu_count\":\"2\"}",
    "{\"cpu_count\":2.0}",
    "{\"memory_size\":9223372036854775808}",
    "{\"memory_size\":1,\"memory_size\":2}",
    "{\"memory_size\":1,\"memory\\u005fsize\":2}",
    "{\"pic\":1}",
    "{\"swtpm\":\"yes\"}",
    "{\"ovmf_variant\":\"pre202506\"}",
    "{\"tdx_attestation_variant\":\"measurement\"}",
    "{\"tdx_attestation_variant\":\"auto\"}",
    "{\"tdx_measurement\":\"x\"}",
    "{\"tdx_measurement\":{\"measurement\":\"Yg==\"}}",
    "{\"tdx_measurement\":{\"checksum_file\":\"YQ==\"}}",
    "{\"tdx_measurement\":{\"checksum_file\":\"YQ\",\"measurement\":\"Yg==\"}}",
    "{\"tdx_measurement\":{\"checksum_file\":\"YQ==\\n\",\"measurement\":\"Yg==\"}}",
    "{\"mr_config\":{}}",
    "{\"sev_snp_measurement\":{}}",
    "{\"vm_config\":\"[]\"}",
    "{\"vm_config\":\"{\"}",
    "{\"mr_config\":\"a\",\"vm_config\":\"{\\\"mr_config\\\":\\\"b\\\"}\"}",
};

static void
refuses_wrong_types_and_values(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%s", refused[i]);
		g_assert_null(parse(refused[i], &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_every_truncation(void)
{
	for (gsize size = 0; size < strlen(full); size++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_vm_config_parse(full, size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
accepts_null_and_unknown_keys(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVmConfig) config = parse(
	    "{\"pic\":null,\"image\":null,\"num_nics\":null,\"new_key\":{\"a\":[1]},\"tdx_measurement\":null}", &error);

	g_assert_no_error(error);
	g_assert_cmpint(config->pic, ==, DSTACK_TRISTATE_UNSET);
	g_assert_cmpuint(config->num_nics, ==, 1);
	g_assert_null(config->tdx_measurement);
}

static void
finds_the_keys_of_snp_one_level_deeper(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVmConfig) config =
	    parse("{\"cpu_count\":3,\"vm_config\":\"{\\\"os_image_hash\\\":\\\"" HASH
		  "\\\",\\\"mr_config\\\":\\\"m\\\",\\\"sev_snp_measurement\\\":\\\"s\\\",\\\"cpu_count\\\":9}\"}",
		  &error);

	g_assert_no_error(error);
	g_assert_true(config->has_os_image_hash);
	g_assert_cmpstr(config->mr_config, ==, "m");
	g_assert_cmpstr(config->sev_snp_measurement, ==, "s");
	/* the others stay where they are */
	g_assert_cmpuint(config->cpu_count, ==, 3);
}

static const gchar snp_document[] = "{\"checksum_file\":\"YQ==\",\"measurement\":\"Yg==\",\"vcpus\":2,"
				    "\"vcpu_type\":\"EPYC-v4\",\"guest_features\":1}";

static void
reads_and_writes_the_document_of_snp(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackSnpDocument) document = dstack_snp_document_parse(snp_document, &error);
	g_autofree gchar *text = NULL;

	g_assert_no_error(error);
	g_assert_cmpuint(document->vcpus, ==, 2);
	g_assert_cmpstr(document->vcpu_type, ==, "EPYC-v4");
	text = dstack_snp_document_build(document);
	g_assert_cmpstr(text, ==, snp_document);
}

/* vm_config as a string: building it again from its own values gives the same values */
static void
assert_rebuilds(const gchar *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVmConfig) config = parse(text, &error);
	g_autoptr(JsonNode) original = dstack_json_parse(text, strlen(text), strlen(text), "original", NULL);
	g_autoptr(JsonNode) rebuilt = NULL;
	g_autofree gchar *original_text = NULL;
	g_autofree gchar *rebuilt_text = NULL;

	g_assert_no_error(error);
	rebuilt = dstack_vm_config_build(config);
	/* the canonical form, for the order inside tdx_measurement was another in old hosts */
	original_text = dstack_json_to_text(original, DSTACK_JSON_JCS);
	rebuilt_text = dstack_json_to_text(rebuilt, DSTACK_JSON_JCS);
	g_assert_cmpstr(rebuilt_text, ==, original_text);
}

static const gchar *
peek_vm_config(JsonNode *node)
{
	return json_object_get_string_member(json_node_get_object(node), "vm_config");
}

static void
rebuilds_real_vm_configs(void)
{
	static const gchar *const real[] = {"tdx/dstack/tdx-lite-getquote.json",
					    "tdx/dstack/history/attestation-a2335fe4.json"};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(real); i++) {
		g_autoptr(JsonNode) node = dstack_test_vector_read_json(real[i]);

		assert_rebuilds(peek_vm_config(node));
	}
}

static void
refuses_the_old_forms_of_material(void)
{
	static const gchar *const old[] = {
	    "tdx/dstack/history/attestation-b6bf4060.json",
	    "tdx/dstack/history/attestation-cbf01f19.json",
	    "tdx/dstack/history/getquote-bd92d942.json",
	    "tdx/dstack/history/getquote-cf45eb4d.json",
	    "tdx/dstack/history/tdx-measurement-getquote-623613b3.json",
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(old); i++) {
		g_autoptr(JsonNode) node = dstack_test_vector_read_json(old[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(peek_vm_config(node), &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* launch cases whose vm_config or document cannot even be read; what the others say is for snp/ to judge */
static gboolean
must_not_parse(const gchar *id)
{
	static const gchar *const unreadable[] = {
	    "launch-unknown-doc-key",
	    "launch-doc-object",
	    "launch-checksum-bad-base64",
	    "launch-doc-vcpus-string",
	    "launch-doc-vcpus-2to32",
	    "launch-doc-duplicate-key",
	    NULL,
	};

	return g_strv_contains(unreadable, id);
}

static gboolean
parses_whole(const gchar *text)
{
	g_autoptr(DstackVmConfig) config = parse(text, NULL);
	g_autoptr(DstackSnpDocument) document = NULL;

	if (config == NULL)
		return FALSE;
	if (config->sev_snp_measurement == NULL)
		return TRUE;
	document = dstack_snp_document_parse(config->sev_snp_measurement, NULL);
	return document != NULL;
}

static void
reads_launch_cases_as_stated(void)
{
	g_autoptr(JsonNode) node = NULL;
	JsonArray *cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	node = dstack_test_vector_read_json("snp/open/launch-cases.json");
	cases = json_object_get_array_member(json_node_get_object(node), "cases");
	g_assert_cmpuint(json_array_get_length(cases), >, 70);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *one = json_array_get_object_element(cases, i);
		const gchar *id = json_object_get_string_member(one, "id");

		g_test_message("%s", id);
		g_assert_cmpint(parses_whole(json_object_get_string_member(one, "vm_config")), ==, !must_not_parse(id));
	}
}

static const struct {
	const gchar *text;
	gboolean ok;
	DstackTristate value;
} requirements[] = {
    {"{}", TRUE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":null}", TRUE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":{}}", TRUE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":{\"tdx_measure_acpi_tables\":null}}", TRUE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":{\"tdx_measure_acpi_tables\":true,\"x\":1},\"name\":\"app\"}", TRUE, DSTACK_TRISTATE_TRUE},
    {"{\"requirements\":{\"tdx_measure_acpi_tables\":false}}", TRUE, DSTACK_TRISTATE_FALSE},
    {"{\"requirements\":{\"tdx_measure_acpi_tables\":\"true\"}}", FALSE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":{\"tdx_measure_acpi_tables\":1}}", FALSE, DSTACK_TRISTATE_UNSET},
    {"{\"requirements\":[]}", FALSE, DSTACK_TRISTATE_UNSET},
    {"[]", FALSE, DSTACK_TRISTATE_UNSET},
    {"", FALSE, DSTACK_TRISTATE_UNSET},
};

static void
reads_what_an_application_requires(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(requirements); i++) {
		g_autoptr(GError) error = NULL;
		DstackAppRequirements out = {DSTACK_TRISTATE_UNSET};
		const gchar *text = requirements[i].text;

		g_assert_cmpint(dstack_app_requirements_parse(text, strlen(text), &out, &error), ==,
				requirements[i].ok);
		g_assert_cmpint(out.tdx_measure_acpi_tables, ==, requirements[i].value);
		if (!requirements[i].ok)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vm-config/writes-every-key-in-order", writes_every_key_in_order);
	g_test_add_func("/vm-config/leaves-out-what-holds-its-default", leaves_out_what_holds_its_default);
	g_test_add_func("/vm-config/refuses-wrong-types-and-values", refuses_wrong_types_and_values);
	g_test_add_func("/vm-config/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/vm-config/accepts-null-and-unknown-keys", accepts_null_and_unknown_keys);
	g_test_add_func("/vm-config/finds-the-keys-of-snp-one-level-deeper", finds_the_keys_of_snp_one_level_deeper);
	g_test_add_func("/vm-config/reads-and-writes-the-document-of-snp", reads_and_writes_the_document_of_snp);
	g_test_add_func("/vm-config/rebuilds-real-vm-configs", rebuilds_real_vm_configs);
	g_test_add_func("/vm-config/refuses-the-old-forms-of-material", refuses_the_old_forms_of_material);
	g_test_add_func("/vm-config/reads-launch-cases-as-stated", reads_launch_cases_as_stated);
	g_test_add_func("/app-compose/reads-what-an-application-requires", reads_what_an_application_requires);
	return g_test_run();
}
