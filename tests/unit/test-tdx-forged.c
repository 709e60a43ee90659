/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts on forged evidence: an image of our own, registers computed for one launch, evidence that tells of another.
 */

#include "config.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "config/mr-config.h"
#include "config/vm-config.h"
#include "dcap/collateral.h"
#include "dstack/error.h"
#include "support/tdx-forge.h"
#include "verify/expected-tdx.h"
#include "verify/verifier.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* what a test may set; what is launched and what vm_config says of it begin the same */
typedef struct {
	DstackForge forge;
	DstackTdxMaterial *launched; /* of the image that runs */
	DstackTdxMaterial *claimed;  /* of the image that vm_config names */
	guint64 launched_memory;
	const gchar *launched_qemu;
	DstackVmConfig *config;
	DstackAttestation *attestation;
	gboolean wrap; /* vm_config as a guest's whole .sys-config.json carries it */
	DstackVerifyOptions options;
	DstackForged forged;
	DstackCollateral *collateral;
} Case;

static DstackTdxMaterial *
material_new(void)
{
	DstackTdxMaterial *material = dstack_tdx_material_new();

	material->version = 3;
	memset(material->cmdline_sha384.bytes, 0x01, 48);
	memset(material->kernel_authenticode.bytes, 0x02, 48);
	memset(material->initrd_sha384.bytes, 0x03, 48);
	memset(material->mrtd_single_pass.bytes, 0x04, 48);
	memset(material->mrtd_two_pass.bytes, 0x05, 48);
	g_clear_pointer(&material->td_hob, g_bytes_unref);
	material->td_hob = dstack_hex_decode_bytes("80100904000609020b021010", "witness", 64, NULL);
	return material;
}

static void
add_event(DstackEventLog *log, guint imr, guint32 type, const gchar *name, const gchar *payload, guint8 fill)
{
	g_autoptr(GBytes) bytes = g_bytes_new(payload, strlen(payload));
	DstackEvent *event = dstack_event_new(imr, type, name, bytes);

	event->has_digest = type != DSTACK_EVENT_RUNTIME;
	memset(event->digest.bytes, event->has_digest ? fill : 0, sizeof(event->digest.bytes));
	g_ptr_array_add(log->events, event);
}

static void
case_init(Case *self)
{
	*self = (Case){.launched_memory = 2 * GIB, .launched_qemu = "9.1.0"};
	dstack_forge_init(&self->forge);
	self->launched = material_new();
	self->claimed = material_new();
	self->config = dstack_vm_config_new();
	self->config->memory_size = 2 * GIB;
	self->config->qemu_version = g_strdup("9.1.0");
	self->config->ovmf_variant = DSTACK_OVMF_VARIANT_PRE202505;
	self->config->tdx_attestation_variant = DSTACK_TDX_VARIANT_LITE;
	self->attestation = dstack_attestation_new(DSTACK_PLATFORM_TDX, DSTACK_FORM_SCALE);
	self->attestation->event_log = dstack_event_log_new();
	add_event(self->attestation->event_log, 0, 10, DSTACK_LABEL_ACPI_LOADER, "ACPI DATA", 0x11);
	add_event(self->attestation->event_log, 0, 10, DSTACK_LABEL_ACPI_RSDP, "ACPI DATA", 0x12);
	add_event(self->attestation->event_log, 0, 10, DSTACK_LABEL_ACPI_TABLES, "ACPI DATA", 0x13);
	add_event(self->attestation->event_log, 3, DSTACK_EVENT_RUNTIME, "app-id", "app", 0);
	add_event(self->attestation->event_log, 3, DSTACK_EVENT_RUNTIME, "compose-hash",
		  "0123456789abcdef0123456789abcdef", 0);
	add_event(self->attestation->event_log, 3, DSTACK_EVENT_RUNTIME, "boot-mr-done", "", 0);
	add_event(self->attestation->event_log, 3, DSTACK_EVENT_RUNTIME, "key-provider",
		  "{\"name\":\"tpm\",\"id\":\"07\"}", 0);
}

static void
case_clear(Case *self)
{
	dstack_forge_clear(&self->forge);
	dstack_tdx_material_free(self->launched);
	dstack_tdx_material_free(self->claimed);
	dstack_vm_config_free(self->config);
	dstack_attestation_free(self->attestation);
	dstack_forged_clear(&self->forged);
	g_clear_pointer(&self->collateral, dstack_collateral_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, case_clear)

/* the registers that the launched image shows, put into the TD report */
static void
launch(Case *self)
{
	const DstackEventLog *log = self->attestation->event_log;
	DstackTdxLaunch launch = {.memory_size = self->launched_memory,
				  .qemu_version = self->launched_qemu,
				  .acpi_loader = &dstack_event_log_get(log, 0)->digest,
				  .acpi_rsdp = &dstack_event_log_get(log, 1)->digest,
				  .acpi_tables = &dstack_event_log_get(log, 2)->digest};
	DstackTdBody *td = &self->forge.td;
	DstackTdxExpected expected = {0};
	DstackSha384 rtmr3 = {{0}};
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_tdx_expected_compute(&expected, self->launched, &launch, &error));
	g_assert_no_error(error);
	g_assert_true(dstack_event_log_replay(log, 3, &rtmr3, NULL));
	memcpy(td->mrtd, expected.mrtd.bytes, sizeof(td->mrtd));
	memcpy(td->rtmr0, expected.rtmr[0].bytes, sizeof(td->rtmr0));
	memcpy(td->rtmr1, expected.rtmr[1].bytes, sizeof(td->rtmr1));
	memcpy(td->rtmr2, expected.rtmr[2].bytes, sizeof(td->rtmr2));
	memcpy(td->rtmr3, rtmr3.bytes, sizeof(td->rtmr3));
}

static void
describe(Case *self)
{
	g_autoptr(GBytes) measurement = dstack_tdx_material_build(self->claimed);
	DstackSha256 digest = dstack_sha256_bytes(measurement);
	g_autofree gchar *hex = dstack_sha256_to_hex(&digest);
	g_autofree gchar *line = g_strdup_printf("%s  measurement.tdx.cbor\n", hex);
	g_autoptr(GBytes) checksum = g_bytes_new(line, strlen(line));

	self->config->tdx_measurement = dstack_measurement_new(checksum, measurement);
	self->config->has_os_image_hash = TRUE;
	self->config->os_image_hash = dstack_sha256_bytes(checksum);
	self->attestation->config = dstack_vm_config_to_text(self->config);
	if (self->wrap) {
		g_autoptr(JsonObject) object = json_object_new();
		g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

		json_object_set_string_member(object, "docker_registry", "");
		json_object_set_string_member(object, "vm_config", self->attestation->config);
		json_node_set_object(node, object);
		g_free(self->attestation->config);
		self->attestation->config = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	}
}

/* forges the quote and judges the evidence */
static DstackVerdict *
judge(Case *self)
{
	g_autoptr(GError) error = NULL;
	DstackVerdict *verdict = NULL;
	g_autofree gchar *reason = NULL;

	launch(self);
	describe(self);
	dstack_forge_build(&self->forge, &self->forged);
	self->attestation->quote = g_bytes_ref(self->forged.quote);
	self->collateral = dstack_collateral_parse(self->forged.collateral, strlen(self->forged.collateral),
						   &self->forged.context, &error);
	g_assert_no_error(error);
	self->options.context = &self->forged.context;
	self->options.collateral = self->collateral;
	verdict = dstack_verify_attestation(self->attestation, &self->options, &error);
	g_assert_no_error(error);
	reason = dstack_verdict_dup_reason(verdict);
	g_test_message("%s", reason != NULL ? reason : "valid");
	return verdict;
}

/* refused at this step, with these words in the reason */
static void
assert_refused(const DstackVerdict *verdict, const gchar *step, const gchar *words)
{
	g_autofree gchar *reason = dstack_verdict_dup_reason(verdict);

	g_assert_false(dstack_verdict_is_valid(verdict));
	g_assert_cmpint(dstack_verdict_get_step(verdict, step)->state, ==, DSTACK_STEP_FAILED);
	g_assert_nonnull(strstr(reason, words));
}

static void
finds_good_evidence_valid_and_shows_the_root(void)
{
	g_auto(Case) self = {0};
	g_autoptr(DstackVerdict) verdict = NULL;

	case_init(&self);
	verdict = judge(&self);
	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_true(g_str_has_prefix(verdict->root, "given by the caller"));
	g_assert_cmpstr(verdict->key_provider_name, ==, "tpm");
	g_assert_cmpstr(verdict->key_provider_id, ==, "07");
	g_assert_cmpuint(verdict->warnings->len, ==, 0);
}

static void
finds_vm_config_inside_a_whole_sys_config(void)
{
	g_auto(Case) self = {0};
	g_autoptr(DstackVerdict) verdict = NULL;

	case_init(&self);
	self.wrap = TRUE;
	verdict = judge(&self);
	g_assert_true(dstack_verdict_is_valid(verdict));
}

static void
holds_at_every_memory_size_that_lite_allows(void)
{
	static const guint64 sizes[] = {2 * GIB, 0xb0000000, 0xb0001000, 3 * GIB, 16 * GIB, 1024 * GIB};

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;

		case_init(&self);
		self.launched_memory = sizes[i];
		self.config->memory_size = sizes[i];
		verdict = judge(&self);
		g_assert_true(dstack_verdict_is_valid(verdict));
	}
}

/* version 4 of the material with a normalized kernel: at any size */
static void
holds_at_any_memory_size_with_a_normalized_kernel(void)
{
	for (guint normalized = 0; normalized < 2; normalized++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;
		DstackTdxMaterial *materials[2];

		case_init(&self);
		materials[0] = self.launched;
		materials[1] = self.claimed;
		for (guint i = 0; i < 2; i++) {
			materials[i]->version = 4;
			materials[i]->cmdline = g_strdup("console=hvc0 dstack.rootfs_hash="
							 "0123456789abcdef0123456789abcdef"
							 "0123456789abcdef0123456789abcdef");
			materials[i]->kernel_header_normalized = normalized == 1;
		}
		self.launched_memory = 2500 * MIB;
		self.config->memory_size = 2500 * MIB;
		verdict = judge(&self);
		if (normalized == 1)
			g_assert_true(dstack_verdict_is_valid(verdict));
		else
			assert_refused(verdict, "memory", "exactly 2 GiB");
	}
}

static void
names_the_memory_size_that_would_fit(void)
{
	g_auto(Case) self = {0};
	g_autoptr(DstackVerdict) verdict = NULL;

	case_init(&self);
	self.launched_memory = 8 * GIB;
	self.config->memory_size = 4 * GIB;
	verdict = judge(&self);
	assert_refused(verdict, "registers", "rtmr0 fits a memory size of 8192 MiB, and vm_config says 4096 MiB");
	g_assert_cmpuint(verdict->registers_debug->len, ==, 1);
}

static void
names_the_qemu_that_would_fit(void)
{
	g_auto(Case) self = {0};
	g_autoptr(DstackVerdict) verdict = NULL;

	case_init(&self);
	self.launched_qemu = "8.2.2";
	verdict = judge(&self);
	assert_refused(verdict, "registers", "page order of QEMU 8");
}

static void
names_the_file_that_differs(void)
{
	static const struct {
		guint what;
		const gchar *words;
	} cases[] = {{0, "rtmr2 differs: usually another command line"},
		     {1, "rtmr1 differs: usually another kernel file"},
		     {2, "rtmr2 differs"},
		     {3, "neither page order: another firmware"}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;
		DstackSha384 *digests[4];

		case_init(&self);
		digests[0] = &self.launched->cmdline_sha384;
		digests[1] = &self.launched->kernel_authenticode;
		digests[2] = &self.launched->initrd_sha384;
		digests[3] = &self.launched->mrtd_single_pass;
		digests[cases[i].what]->bytes[0] ^= 1;
		verdict = judge(&self);
		assert_refused(verdict, "registers", cases[i].words);
		g_assert_false(verdict->os_image_hash_verified);
	}
}

/* --- attributes --- */

static const struct {
	gsize byte; /* of tdattributes */
	guint8 value;
	guint allow;
	const gchar *words;
} attribute_cases[] = {
    {0, 0x01, DSTACK_ALLOW_DEBUG, "DEBUG"},
    {3, 0x00, DSTACK_ALLOW_SEPT_VE, "SEPT_VE_DISABLE"},
};

static void
refuses_attributes_unless_waived_and_shows_the_waiver(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(attribute_cases); i++) {
		for (guint waived = 0; waived < 2; waived++) {
			g_auto(Case) self = {0};
			g_autoptr(DstackVerdict) verdict = NULL;

			case_init(&self);
			self.forge.td.tdattributes[attribute_cases[i].byte] = attribute_cases[i].value;
			self.options.allow = waived == 1 ? attribute_cases[i].allow : 0;
			verdict = judge(&self);
			if (waived == 0) {
				assert_refused(verdict, "attributes", attribute_cases[i].words);
				continue;
			}
			g_assert_true(dstack_verdict_is_valid(verdict));
			g_assert_cmpint(dstack_verdict_get_step(verdict, "attributes")->state, ==, DSTACK_STEP_WAIVED);
			g_assert_cmpuint(verdict->waivers->len, ==, 1);
			g_assert_nonnull(strstr(g_ptr_array_index(verdict->waivers, 0), attribute_cases[i].words));
		}
	}
}

static void
refuses_a_service_td_unless_waived(void)
{
	for (guint waived = 0; waived < 2; waived++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;

		case_init(&self);
		self.forge.version = 5;
		self.forge.body_type = DSTACK_QUOTE_TD15;
		memcpy(self.forge.td.tee_tcb_svn2, self.forge.td.tee_tcb_svn, sizeof(self.forge.td.tee_tcb_svn2));
		self.forge.td.mrservicetd[0] = 1;
		self.options.allow = waived == 1 ? DSTACK_ALLOW_SERVICE_TD : 0;
		verdict = judge(&self);
		g_assert_cmpint(dstack_verdict_is_valid(verdict), ==, waived == 1);
		g_assert_cmpint(dstack_verdict_get_step(verdict, "attributes")->state, ==,
				waived == 1 ? DSTACK_STEP_WAIVED : DSTACK_STEP_FAILED);
	}
}

/* --- MRCONFIGID --- */

static void
holds_mrconfigid_to_what_it_binds(void)
{
	static const gchar document[] = "{\"version\":3}";
	DstackSha256 compose_hash;
	DstackMrConfigId ids[4] = {{{0}}};

	memcpy(compose_hash.bytes, "0123456789abcdef0123456789abcdef", sizeof(compose_hash.bytes));
	ids[0] = dstack_mr_config_id_v1(&compose_hash);
	ids[1] = ids[0];
	ids[1].bytes[5] ^= 1;
	ids[2] = dstack_mr_config_id_v3(document, strlen(document));
	ids[3] = ids[2];
	ids[3].bytes[5] ^= 1;
	for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;

		case_init(&self);
		memcpy(self.forge.td.mrconfigid, ids[i].bytes, sizeof(self.forge.td.mrconfigid));
		self.config->mr_config = g_strdup(document);
		verdict = judge(&self);
		if (i % 2 == 0)
			g_assert_true(dstack_verdict_is_valid(verdict));
		else
			assert_refused(verdict, "identity", "MRCONFIGID");
	}
}

static void
warns_of_an_mrconfigid_that_it_cannot_check(void)
{
	static const guint8 forms[] = {2, 3, 9};

	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;

		case_init(&self);
		self.forge.td.mrconfigid[0] = forms[i];
		verdict = judge(&self);
		g_assert_true(dstack_verdict_is_valid(verdict));
		g_assert_cmpuint(verdict->warnings->len, ==, 1);
	}
}

/* --- runtime events of a container --- */

static void
refuses_two_lists_of_runtime_events_that_disagree(void)
{
	for (guint change = 0; change < 4; change++) {
		g_auto(Case) self = {0};
		g_autoptr(DstackVerdict) verdict = NULL;
		DstackEventLog *log = NULL;

		case_init(&self);
		log = dstack_event_log_new();
		add_event(log, 3, DSTACK_EVENT_RUNTIME, change == 1 ? "app-ib" : "app-id", "app", 0);
		add_event(log, 3, DSTACK_EVENT_RUNTIME, "compose-hash",
			  change == 2 ? "another" : "0123456789abcdef0123456789abcdef", 0);
		add_event(log, 3, DSTACK_EVENT_RUNTIME, "boot-mr-done", "", 0);
		if (change != 3)
			add_event(log, 3, DSTACK_EVENT_RUNTIME, "key-provider", "{\"name\":\"tpm\",\"id\":\"07\"}", 0);
		self.attestation->runtime_events = log;
		verdict = judge(&self);
		g_assert_cmpint(dstack_verdict_is_valid(verdict), ==, change == 0);
		if (change != 0)
			g_assert_cmpint(dstack_verdict_get_step(verdict, "rtmr3")->state, ==, DSTACK_STEP_FAILED);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx-forged/finds-good-evidence-valid-and-shows-the-root",
			finds_good_evidence_valid_and_shows_the_root);
	g_test_add_func("/tdx-forged/finds-vm-config-inside-a-whole-sys-config",
			finds_vm_config_inside_a_whole_sys_config);
	g_test_add_func("/tdx-forged/holds-at-every-memory-size-that-lite-allows",
			holds_at_every_memory_size_that_lite_allows);
	g_test_add_func("/tdx-forged/holds-at-any-memory-size-with-a-normalized-kernel",
			holds_at_any_memory_size_with_a_normalized_kernel);
	g_test_add_func("/tdx-forged/names-the-memory-size-that-would-fit", names_the_memory_size_that_would_fit);
	g_test_add_func("/tdx-forged/names-the-qemu-that-would-fit", names_the_qemu_that_would_fit);
	g_test_add_func("/tdx-forged/names-the-file-that-differs", names_the_file_that_differs);
	g_test_add_func("/tdx-forged/refuses-attributes-unless-waived-and-shows-the-waiver",
			refuses_attributes_unless_waived_and_shows_the_waiver);
	g_test_add_func("/tdx-forged/refuses-a-service-td-unless-waived", refuses_a_service_td_unless_waived);
	g_test_add_func("/tdx-forged/holds-mrconfigid-to-what-it-binds", holds_mrconfigid_to_what_it_binds);
	g_test_add_func("/tdx-forged/warns-of-an-mrconfigid-that-it-cannot-check",
			warns_of_an_mrconfigid_that_it_cannot_check);
	g_test_add_func("/tdx-forged/refuses-two-lists-of-runtime-events-that-disagree",
			refuses_two_lists_of_runtime_events_that_disagree);
	return g_test_run();
}
