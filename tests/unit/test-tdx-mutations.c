/* SPDX-License-Identifier: Apache-2.0
 *
 * The lite fixture with one thing changed at a time: refused, at the step whose business it is.
 *
 * What no rule covers stands in the tables too, with an empty step: values of vm_config that no register depends on,
 * and event data whose digest is not its hash.
 */

#include "config.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "dstack/error.h"
#include "support/tdx-evidence.h"
#include "support/vectors.h"

#define VALID "" /* nothing depends on it, and formats.md section 9 answers the same */

/* the fixture, taken apart so that a test can change a part and put it together again */
typedef struct {
	DstackTestLite lite;
	JsonNode *document;
	JsonObject *evidence; /* of document */
	JsonNode *config;
	JsonNode *log;
} Fixture;

static void
fixture_init(Fixture *self)
{
	const gchar *text = NULL;

	dstack_test_lite_init(&self->lite);
	self->document = json_node_copy(dstack_test_vector_read_json("tdx/dstack/tdx-lite-getquote.json"));
	self->evidence = json_node_get_object(self->document);
	text = json_object_get_string_member(self->evidence, "vm_config");
	self->config = dstack_json_parse(text, strlen(text), strlen(text), "vm_config", NULL);
	text = json_object_get_string_member(self->evidence, "event_log");
	self->log = dstack_json_parse(text, strlen(text), strlen(text), "event log", NULL);
}

static void
fixture_clear(Fixture *self)
{
	dstack_test_lite_clear(&self->lite);
	g_clear_pointer(&self->document, json_node_unref);
	g_clear_pointer(&self->config, json_node_unref);
	g_clear_pointer(&self->log, json_node_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* the evidence with this vm_config and log; NULL: as it was */
static gchar *
assemble(const Fixture *self, const gchar *config, const gchar *log)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	const gchar *members[] = {"quote", "event_log", "report_data", "vm_config"};

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		json_object_set_string_member(object, members[i],
					      json_object_get_string_member(self->evidence, members[i]));
	if (config != NULL)
		json_object_set_string_member(object, "vm_config", config);
	if (log != NULL)
		json_object_set_string_member(object, "event_log", log);
	json_node_set_object(node, object);
	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}

/* "malformed" where it cannot even be read, else the failed step, or "" where the verdict is as before */
static gchar *
judge(const Fixture *self, const gchar *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVerdict) verdict = dstack_test_lite_verify(&self->lite, text, strlen(text), &error);

	if (verdict == NULL) {
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		return g_strdup("malformed");
	}
	for (guint i = 0; i < verdict->steps->len; i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		if (step->state == DSTACK_STEP_FAILED) {
			g_assert_false(dstack_verdict_is_valid(verdict));
			return g_strdup(step->name);
		}
	}
	g_assert_true(dstack_verdict_is_valid(verdict));
	return g_strdup(VALID);
}

/* --- vm_config --- */

static const struct {
	const gchar *member;
	const gchar *json; /* NULL: left out */
	const gchar *step;
} config_cases[] = {
    {"os_image_hash", NULL, "checksum-file"},
    {"os_image_hash", "\"\"", "checksum-file"},
    {"os_image_hash", "\"e6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09dc\"", "checksum-file"},
    {"os_image_hash", "7", "checksum-file"},
    {"memory_size", NULL, "memory"},
    {"memory_size", "0", "memory"},
    {"memory_size", "2147483649", "memory"},
    {"memory_size", "2684354560", "memory"},
    {"memory_size", "-1", "checksum-file"},
    {"memory_size", "\"2147483648\"", "checksum-file"},
    {"memory_size", "4294967296", "registers"},
    {"memory_size", "18446744073709551615", "checksum-file"},
    {"memory_size", "9223372036854771712", "registers"},
    {"qemu_version", NULL, "registers"}, /* counts as 9.1.0: the other page order */
    {"qemu_version", "\"9.1.0\"", "registers"},
    {"qemu_version", "\"8.0.0\"", VALID}, /* the same page order */
    {"qemu_version", "\"7.2.0\"", "registers"},
    {"qemu_version", "\"8.2\"", "registers"},
    {"qemu_single_pass_add_pages", "true", VALID}, /* the name means the opposite: two_pass */
    {"qemu_single_pass_add_pages", "false", "registers"},
    {"qemu_single_pass_add_pages", "1", "checksum-file"},
    {"ovmf_variant", NULL, VALID}, /* the material's own counts */
    {"ovmf_variant", "\"pre202411\"", "checksum-file"},
    {"ovmf_variant", "1", "checksum-file"},
    {"tdx_attestation_variant", NULL, "checksum-file"},
    {"tdx_attestation_variant", "\"legacy\"", "checksum-file"},
    {"tdx_attestation_variant", "\"LITE\"", "checksum-file"},
    {"tdx_measurement", NULL, "checksum-file"},
    {"tdx_measurement", "{}", "checksum-file"},
    {"tdx_measurement", "\"\"", "checksum-file"},
    {"tdx_measurement", "{\"checksum_file\":\"\",\"measurement\":\"\"}", "checksum-file"},
    {"mr_config", "\"{}\"", VALID}, /* MRCONFIGID is of version 1 here, which binds no document */
    {"mr_config", "{}", "checksum-file"},
    /* of the machine, not of what is measured: the ACPI digests hold all of them */
    {"cpu_count", "3", VALID},
    {"cpu_count", "\"2\"", "checksum-file"},
    {"cpu_count", "-2", "checksum-file"},
    {"pci_hole64_size", "1", VALID},
    {"pci_hole64_size", "true", "checksum-file"},
    {"hugepages", "true", VALID},
    {"hugepages", "0", "checksum-file"},
    {"num_gpus", "1", VALID},
    {"num_nvswitches", "1", VALID},
    {"num_nics", "2", VALID},
    {"hotplug_off", "true", VALID},
    {"swtpm", "true", VALID},
    {"image", "\"another\"", VALID},
    {"host_share_mode", "\"vvfat\"", VALID},
    {"unknown", "1", VALID},
};

static gchar *
change_config(const Fixture *self, const gchar *member, const gchar *json)
{
	g_autoptr(JsonNode) node = json_node_copy(self->config);
	JsonObject *object = json_node_get_object(node);
	g_autoptr(JsonObject) copy = json_object_new();
	g_autoptr(JsonNode) out = json_node_new(JSON_NODE_OBJECT);
	g_autoptr(GList) members = json_object_get_members(object);
	g_autoptr(JsonNode) value = NULL;

	for (GList *at = members; at != NULL; at = at->next) {
		if (!g_str_equal(at->data, member))
			json_object_set_member(copy, at->data,
					       json_node_copy(json_object_get_member(object, at->data)));
	}
	if (json != NULL && g_str_equal(json, "18446744073709551615")) {
		/* beyond what json-glib can hold: as text */
		g_autofree gchar *text = NULL;

		json_node_set_object(out, copy);
		text = dstack_json_to_text(out, DSTACK_JSON_COMPACT);
		text[strlen(text) - 1] = '\0';
		return g_strdup_printf("%s,\"%s\":%s}", text, member, json);
	}
	if (json != NULL) {
		value = dstack_json_parse(json, strlen(json), 4096, "value", NULL);
		g_assert_nonnull(value);
		json_object_set_member(copy, member, g_steal_pointer(&value));
	}
	json_node_set_object(out, copy);
	return dstack_json_to_text(out, DSTACK_JSON_COMPACT);
}

static void
refuses_changes_of_vm_config(void)
{
	g_auto(Fixture) fixture = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(config_cases); i++) {
		g_autofree gchar *config = change_config(&fixture, config_cases[i].member, config_cases[i].json);
		g_autofree gchar *text = assemble(&fixture, config, NULL);
		g_autofree gchar *step = judge(&fixture, text);

		g_test_message("%s = %s", config_cases[i].member,
			       config_cases[i].json != NULL ? config_cases[i].json : "(left out)");
		g_assert_cmpstr(step, ==, config_cases[i].step);
	}
}

/* --- checksum file and material --- */

/* the two files of tdx_measurement, changed; os_image_hash follows only where @follow says so */
static gchar *
change_measurement(const Fixture *self, GBytes *checksum_file, GBytes *measurement, gboolean follow)
{
	g_autoptr(JsonNode) node = json_node_copy(self->config);
	JsonObject *object = json_node_get_object(node);
	JsonObject *files = json_object_new();
	g_autofree gchar *checksum_text = dstack_base64_encode(checksum_file);
	g_autofree gchar *measurement_text = dstack_base64_encode(measurement);
	DstackSha256 digest = dstack_sha256_bytes(checksum_file);
	g_autofree gchar *hash = dstack_sha256_to_hex(&digest);
	g_autofree gchar *config = NULL;

	json_object_set_string_member(files, "measurement", measurement_text);
	json_object_set_string_member(files, "checksum_file", checksum_text);
	json_object_set_object_member(object, "tdx_measurement", files);
	if (follow)
		json_object_set_string_member(object, "os_image_hash", hash);
	config = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	return assemble(self, config, NULL);
}

static GBytes *
read_file_of(const Fixture *self, const gchar *member)
{
	JsonObject *files = json_object_get_object_member(json_node_get_object(self->config), "tdx_measurement");

	return dstack_base64_decode(json_object_get_string_member(files, member), member, 65536, NULL);
}

static void
refuses_every_changed_byte_of_the_checksum_file(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) checksum = NULL;
	g_autoptr(GBytes) measurement = NULL;
	gsize size = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	checksum = read_file_of(&fixture, "checksum_file");
	measurement = read_file_of(&fixture, "measurement");
	size = g_bytes_get_size(checksum);
	for (gsize i = 0; i < size; i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(checksum, NULL), size);
		g_autoptr(GBytes) changed = NULL;
		g_autofree gchar *text = NULL;
		g_autofree gchar *step = NULL;

		copy[i] ^= 1;
		changed = g_bytes_new(copy, size);
		text = change_measurement(&fixture, changed, measurement, FALSE);
		step = judge(&fixture, text);
		g_assert_cmpstr(step, ==, "checksum-file");
	}
}

static void
refuses_every_changed_byte_of_the_material(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) checksum = NULL;
	g_autoptr(GBytes) measurement = NULL;
	gsize size = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	checksum = read_file_of(&fixture, "checksum_file");
	measurement = read_file_of(&fixture, "measurement");
	size = g_bytes_get_size(measurement);
	for (gsize i = 0; i < size; i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(measurement, NULL), size);
		g_autoptr(GBytes) changed = NULL;
		g_autofree gchar *text = NULL;
		g_autofree gchar *step = NULL;

		copy[i] ^= 1;
		changed = g_bytes_new(copy, size);
		text = change_measurement(&fixture, checksum, changed, FALSE);
		step = judge(&fixture, text);
		g_assert_cmpstr(step, ==, "manifest");
	}
}

/* somebody who changes the material and everything that commits to it has made another image: the registers say so */
static void
refuses_material_of_another_image(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) measurement = NULL;
	gsize size = 0;
	guint n_registers = 0;
	guint n_malformed = 0;
	guint n_unused = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	measurement = read_file_of(&fixture, "measurement");
	size = g_bytes_get_size(measurement);
	for (gsize i = 0; i < size; i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(measurement, NULL), size);
		g_autoptr(GBytes) changed = NULL;
		g_autoptr(GBytes) checksum = NULL;
		g_autofree gchar *hex = NULL;
		g_autofree gchar *line = NULL;
		g_autofree gchar *text = NULL;
		g_autofree gchar *step = NULL;
		DstackSha256 digest;

		copy[i] ^= 1;
		changed = g_bytes_new(copy, size);
		digest = dstack_sha256_bytes(changed);
		hex = dstack_sha256_to_hex(&digest);
		line = g_strdup_printf("%s  measurement.tdx.cbor\n", hex);
		checksum = g_bytes_new(line, strlen(line));
		text = change_measurement(&fixture, checksum, changed, TRUE);
		step = judge(&fixture, text);
		if (g_str_equal(step, "manifest"))
			n_malformed++;
		else if (g_str_equal(step, "registers"))
			n_registers++;
		else if (g_str_equal(step, VALID))
			n_unused++;
		else
			g_assert_cmpstr(step, ==, "registers");
	}
	/* the 48 bytes of the page order that this launch does not use; its other name is no key any more */
	g_assert_cmpuint(n_unused, ==, 48);
	g_assert_cmpuint(n_registers, >, 4 * 48);
	g_assert_cmpuint(n_malformed, >, 0);
}

/* --- event log --- */

static gchar *
log_text(JsonNode *node)
{
	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}

static gchar *
flip_last_digit(const gchar *hex)
{
	gchar *copy = g_strdup(hex);
	gsize n = strlen(copy);

	copy[n - 1] = copy[n - 1] == '0' ? '1' : '0';
	return copy;
}

static gboolean
is_runtime_entry(JsonObject *entry)
{
	return json_object_get_int_member(entry, "event_type") == 0x08000001;
}

static gboolean
is_acpi_entry(JsonObject *entry)
{
	return g_str_has_prefix(json_object_get_string_member(entry, "event"), "acpi-");
}

/* one change of one entry, and where it must be noticed; 0 to 6 */
static const gchar *
change_entry(JsonObject *entry, guint change)
{
	const gchar *digest = json_object_get_string_member(entry, "digest");
	const gchar *payload = json_object_get_string_member(entry, "event_payload");
	gboolean runtime = is_runtime_entry(entry);
	g_autofree gchar *value = NULL;

	switch (change) {
	case 0: /* another register, of the first three and back */
		json_object_set_int_member(entry, "imr", (json_object_get_int_member(entry, "imr") + 1) % 3);
		return runtime ? "rtmr3" : "acpi-digests";
	case 1:
		json_object_set_int_member(entry, "imr", 4);
		return "malformed";
	case 2:
		json_object_set_int_member(entry, "event_type", 0x7fffffff);
		return runtime ? "malformed" : is_acpi_entry(entry) ? "acpi-digests" : "registers";
	case 3:
		value = digest[0] == '\0' ? g_strnfill(96, '0') : flip_last_digit(digest);
		json_object_set_string_member(entry, "digest", value);
		return runtime ? "rtmr3" : "acpi-digests";
	case 4:
		value = g_strconcat(json_object_get_string_member(entry, "event"), "x", NULL);
		json_object_set_string_member(entry, "event", value);
		return runtime ? "rtmr3" : "acpi-digests";
	case 5:
		value = g_strconcat(payload, "00", NULL);
		json_object_set_string_member(entry, "event_payload", value);
		return runtime ? "rtmr3" : NULL;
	default:
		json_object_set_int_member(entry, "version", 2);
		return runtime ? "rtmr3" : "acpi-digests";
	}
}

/* data that was left out of a firmware event and now is there: seen where the digest is the hash of the data */
static const gchar *
step_for_payload(JsonObject *entry)
{
	switch (json_object_get_int_member(entry, "event_type")) {
	case 10: /* no longer 'ACPI DATA' */
	case 0x00000004:
	case 0x80000001:
	case 0x80000007:
		return "acpi-digests";
	default:
		return VALID;
	}
}

static void
refuses_changes_of_every_log_entry(void)
{
	g_auto(Fixture) fixture = {0};
	guint n = 0;
	guint n_uncovered = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	n = json_array_get_length(json_node_get_array(fixture.log));
	g_assert_cmpuint(n, ==, 29);
	for (guint i = 0; i < n; i++) {
		for (guint change = 0; change < 7; change++) {
			const gchar *old = json_object_get_string_member(fixture.evidence, "event_log");
			g_autoptr(JsonNode) log = dstack_json_parse(old, strlen(old), strlen(old), "event log", NULL);
			JsonObject *entry = json_array_get_object_element(json_node_get_array(log), i);
			const gchar *expected = change_entry(entry, change);
			g_autofree gchar *changed = NULL;
			g_autofree gchar *text = NULL;
			g_autofree gchar *step = NULL;

			if (expected == NULL)
				expected = step_for_payload(entry);
			changed = log_text(log);
			text = assemble(&fixture, NULL, changed);
			step = judge(&fixture, text);
			g_test_message("entry %u, change %u: %s", i, change, step);
			g_assert_cmpstr(step, ==, expected);
			n_uncovered += g_str_equal(step, VALID) ? 1 : 0;
		}
	}
	/* data of: TD HOB, CFV, kernel, BootOrder, Boot0000, command line, initrd */
	g_assert_cmpuint(n_uncovered, ==, 7);
}

static void
refuses_entries_left_out_doubled_or_swapped(void)
{
	g_auto(Fixture) fixture = {0};
	guint n = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	n = json_array_get_length(json_node_get_array(fixture.log));
	for (guint change = 0; change < 2; change++) {
		for (guint i = 0; i < n; i++) {
			g_autoptr(JsonArray) array = json_array_new();
			g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
			JsonArray *old = json_node_get_array(fixture.log);
			g_autofree gchar *changed = NULL;
			g_autofree gchar *text = NULL;
			g_autofree gchar *step = NULL;
			gboolean runtime = is_runtime_entry(json_array_get_object_element(old, i));

			for (guint j = 0; j < n; j++) {
				guint copies = j == i ? 2 * change : 1;

				for (guint k = 0; k < copies; k++)
					json_array_add_element(array, json_array_dup_element(old, j));
			}
			json_node_set_array(node, array);
			changed = log_text(node);
			text = assemble(&fixture, NULL, changed);
			step = judge(&fixture, text);
			g_assert_cmpstr(step, ==, runtime ? "rtmr3" : "acpi-digests");
		}
	}
}

/* --- the rest of the evidence --- */

static void
refuses_changed_report_data(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *changed = NULL;
	g_autofree gchar *text = NULL;
	g_autofree gchar *step = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	changed = flip_last_digit(json_object_get_string_member(fixture.evidence, "report_data"));
	json_object_set_string_member(fixture.evidence, "report_data", changed);
	text = assemble(&fixture, NULL, NULL);
	step = judge(&fixture, text);
	g_assert_cmpstr(step, ==, "report-data");
}

/* header and TD report of the quote, byte by byte: the signature covers each */
static void
refuses_every_changed_byte_of_the_report(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *quote = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	fixture_init(&fixture);
	quote = g_strdup(json_object_get_string_member(fixture.evidence, "quote"));
	for (gsize i = 0; i < 2 * 632; i += 2) {
		gchar old = quote[i + 1];
		g_autofree gchar *text = NULL;
		g_autofree gchar *step = NULL;

		quote[i + 1] = old == '0' ? '1' : '0';
		json_object_set_string_member(fixture.evidence, "quote", quote);
		text = assemble(&fixture, NULL, NULL);
		step = judge(&fixture, text);
		g_assert_cmpstr(step, ==, "quote");
		quote[i + 1] = old;
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx-mutations/refuses-changes-of-vm-config", refuses_changes_of_vm_config);
	g_test_add_func("/tdx-mutations/refuses-every-changed-byte-of-the-checksum-file",
			refuses_every_changed_byte_of_the_checksum_file);
	g_test_add_func("/tdx-mutations/refuses-every-changed-byte-of-the-material",
			refuses_every_changed_byte_of_the_material);
	g_test_add_func("/tdx-mutations/refuses-material-of-another-image", refuses_material_of_another_image);
	g_test_add_func("/tdx-mutations/refuses-changes-of-every-log-entry", refuses_changes_of_every_log_entry);
	g_test_add_func("/tdx-mutations/refuses-entries-left-out-doubled-or-swapped",
			refuses_entries_left_out_doubled_or_swapped);
	g_test_add_func("/tdx-mutations/refuses-changed-report-data", refuses_changed_report_data);
	g_test_add_func("/tdx-mutations/refuses-every-changed-byte-of-the-report",
			refuses_every_changed_byte_of_the_report);
	return g_test_run();
}
