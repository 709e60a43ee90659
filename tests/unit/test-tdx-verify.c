/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts on real TDX evidence.
 */

#include "config.h"

#include <string.h>

#include "attestation/attestation.h"
#include "base/json.h"
#include "dstack/error.h"
#include "support/attestation-builder.h"
#include "support/tdx-evidence.h"
#include "support/vectors.h"
#include "verify/tdx-steps.h"

#define DAY (24 * 60 * 60)

/* computed from the fixture's quote and log with another program (Python's hashlib) */
#define MR_SYSTEM	   "118f754a080ecb8527df65656ee4e7e97b891cf488ad6a38886ff0dbca0c8f70"
#define MR_AGGREGATED	   "c758fa624b62536ca77504c4c52745e70880220a178a615a859c52f8b101d2ee"
#define MR_SYSTEM_BOOT	   "37a91fd6aac229d83a1850be9bf017455d1cf4815e8fcb77332119de7e1a52f7"
#define MR_AGGREGATED_BOOT "f4e6117e0fdea4b23b5f32a2a59e7b7b99b64df237a9536fb2cb5ca2a270145e"
#define DEVICE_ID	   "318a579a74326db98e209c5ffd7fd1e51a73bb1979c6408298a827a90ed268d0"

static const gchar *const all_steps[] = {"quote",	 "tcb",		  "attributes", "rtmr3",
					 "report-data",	 "checksum-file", "manifest",	"ovmf-variant",
					 "acpi-digests", "memory",	  "registers",	"identity"};

static DstackVerdict *
verify_vector(const DstackTestLite *lite, const gchar *name, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);

	return dstack_test_lite_verify(lite, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

/* every step before @failed is ok, it failed, and none after it was checked; NULL: all are ok */
static void
assert_fails_at(const DstackVerdict *verdict, const gchar *failed)
{
	DstackStepState expected = DSTACK_STEP_OK;
	g_autofree gchar *reason = dstack_verdict_dup_reason(verdict);

	g_test_message("%s", reason != NULL ? reason : "valid");
	g_assert_cmpint(dstack_verdict_is_valid(verdict), ==, failed == NULL);
	g_assert_cmpuint(verdict->steps->len, ==, G_N_ELEMENTS(all_steps));
	for (gsize i = 0; i < G_N_ELEMENTS(all_steps); i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		g_assert_cmpstr(step->name, ==, all_steps[i]);
		if (g_strcmp0(all_steps[i], failed) == 0) {
			g_assert_cmpint(step->state, ==, DSTACK_STEP_FAILED);
			expected = DSTACK_STEP_NOT_CHECKED;
		} else {
			g_assert_cmpint(step->state, ==, expected);
		}
	}
}

static void
finds_the_lite_fixture_valid(void)
{
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackVerdict) verdict = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	verdict = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", &error);
	g_assert_no_error(error);
	assert_fails_at(verdict, NULL);
	g_assert_cmpstr(verdict->tcb_status, ==, "UpToDate");
	g_assert_cmpuint(verdict->advisory_ids->len, ==, 0);
	g_assert_cmpstr(verdict->key_provider_name, ==, "kms");
	g_assert_cmpstr(verdict->app_info.app_id, ==, "86b0e55f2fa8e4fb69d890f14f54d5612707646e");
	g_assert_cmpstr(verdict->app_info.instance_id, ==, "050bf89570575fe8fab4cb8f0a62a9e64efe8ead");
	g_assert_cmpstr(verdict->app_info.compose_hash, ==,
			"86b0e55f2fa8e4fb69d890f14f54d5612707646e2573d54e0d2ddaaade77caa9");
	g_assert_cmpstr(verdict->app_info.os_image_hash, ==,
			"e6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09db");
	g_assert_cmpstr(verdict->app_info.mr_system, ==, MR_SYSTEM);
	g_assert_cmpstr(verdict->app_info.mr_aggregated, ==, MR_AGGREGATED);
	g_assert_cmpstr(verdict->app_info.device_id, ==, DEVICE_ID);
	g_assert_true(verdict->quote_verified && verdict->event_log_verified && verdict->os_image_hash_verified);
	g_assert_false(verdict->acpi_tables_verified);
	/* the fixture's vm_config names a later build of the image than the guest measured by name */
	g_assert_cmpuint(verdict->warnings->len, ==, 1);
}

static void
assert_keys(JsonObject *object, const gchar *const *keys)
{
	g_autoptr(GList) members = json_object_get_members(object);
	guint i = 0;

	for (GList *at = members; at != NULL; at = at->next) {
		g_assert_nonnull(keys[i]);
		g_assert_cmpstr(at->data, ==, keys[i]);
		i++;
	}
	g_assert_null(keys[i]);
}

static void
answers_with_the_documented_keys_in_order(void)
{
	static const gchar *const top[] = {"is_valid", "details", "reason", "steps", "warnings", "waivers", NULL};
	static const gchar *const details[] = {"quote_verified",
					       "event_log_verified",
					       "os_image_hash_verified",
					       "acpi_tables_verified",
					       "os_image_is_dev",
					       "os_image_version",
					       "tee_variant",
					       "report_data",
					       "tcb_status",
					       "advisory_ids",
					       "key_provider",
					       "app_info",
					       "boot_info",
					       NULL};
	static const gchar *const app[] = {"app_id",	    "compose_hash",	 "instance_id",
					   "device_id",	    "mr_system",	 "mr_aggregated",
					   "os_image_hash", "key_provider_info", NULL};
	static const gchar *const boot[] = {"teeVariant",      "mrAggregated", "osImageHash", "mrSystem",
					    "appId",	       "composeHash",  "instanceId",  "deviceId",
					    "keyProviderInfo", "tcbStatus",    "advisoryIds", NULL};
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonObject *object = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	verdict = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	node = dstack_verdict_to_json(verdict);
	object = json_node_get_object(node);
	assert_keys(object, top);
	g_assert_true(json_object_get_boolean_member(object, "is_valid"));
	g_assert_true(json_object_get_null_member(object, "reason"));
	object = json_object_get_object_member(object, "details");
	assert_keys(object, details);
	assert_keys(json_object_get_object_member(object, "app_info"), app);
	assert_keys(json_object_get_object_member(object, "boot_info"), boot);
	g_assert_cmpstr(json_object_get_string_member(object, "tee_variant"), ==, "dstack-tdx");
}

static void
names_item_and_dates_outside_the_interval(void)
{
	g_auto(DstackTestLite) lite = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	for (guint i = 0; i < 4; i++) {
		const gint64 times[] = {lite.from, lite.to, lite.from - DAY, lite.to + DAY};
		g_autoptr(DstackVerdict) verdict = NULL;
		g_autofree gchar *reason = NULL;

		lite.context.now = times[i];
		verdict = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
		if (i < 2) {
			assert_fails_at(verdict, NULL);
			continue;
		}
		assert_fails_at(verdict, "tcb");
		reason = dstack_verdict_dup_reason(verdict);
		g_assert_nonnull(strstr(reason, "2026-0"));
		g_assert_true(verdict->quote_verified);
	}
}

static void
needs_collateral_unless_waived(void)
{
	g_auto(DstackTestLite) lite = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	lite.options.collateral = NULL;
	for (guint waived = 0; waived < 2; waived++) {
		g_autoptr(DstackVerdict) verdict = NULL;

		lite.options.no_collateral = waived == 1;
		verdict = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
		g_assert_true(verdict->quote_verified);
		g_assert_null(verdict->tcb_status);
		g_assert_cmpint(dstack_verdict_is_valid(verdict), ==, waived == 1);
		g_assert_cmpint(dstack_verdict_get_step(verdict, "tcb")->state, ==,
				waived == 1 ? DSTACK_STEP_WAIVED : DSTACK_STEP_NOT_CHECKED);
		/* the others are taken all the same */
		g_assert_cmpint(dstack_verdict_get_step(verdict, "identity")->state, ==, DSTACK_STEP_OK);
		g_assert_cmpuint(verdict->waivers->len, ==, waived);
	}
}

/* the same answer, but for what a stripped log cannot show */
static void
finds_the_same_in_every_container(void)
{
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(DstackVerdict) expected = NULL;
	g_autoptr(JsonNode) expected_node = NULL;
	g_autofree gchar *expected_text = NULL;
	g_autoptr(DstackAttestation) attestation = NULL;
	g_autoptr(GBytes) scale = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	expected = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	expected_node = dstack_verdict_to_json(expected);
	expected_text = dstack_json_to_text(json_object_get_member(json_node_get_object(expected_node), "details"),
					    DSTACK_JSON_PRETTY);
	scale = dstack_test_vector_read("tdx/dstack/tdx-lite-attestation.json");
	attestation = dstack_attestation_parse(g_bytes_get_data(scale, NULL), g_bytes_get_size(scale), NULL);
	for (guint form = 0; form < 4; form++) {
		g_autoptr(GBytes) bytes = form == 0   ? g_bytes_ref(scale)
					  : form == 1 ? dstack_test_scale_build(attestation)
						      : dstack_test_msgpack_build(attestation, form == 3);
		g_autoptr(DstackVerdict) verdict =
		    dstack_test_lite_verify(&lite, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
		g_autoptr(JsonNode) node = dstack_verdict_to_json(verdict);
		g_autofree gchar *text = dstack_json_to_text(
		    json_object_get_member(json_node_get_object(node), "details"), DSTACK_JSON_PRETTY);

		assert_fails_at(verdict, NULL);
		g_assert_cmpstr(text, ==, expected_text);
	}
}

static const struct {
	const gchar *name;
	const gchar *step;
} negatives[] = {
    {"tdx/negative/acpi-loader-rsdp-swapped.json", "acpi-digests"},
    {"tdx/negative/acpi-tables-missing.json", "acpi-digests"},
    {"tdx/negative/cbor-bitflip.json", "manifest"},
    {"tdx/negative/extra-runtime-event.json", "rtmr3"},
    {"tdx/negative/flip-tdhob-digest.json", "acpi-digests"},
    {"tdx/negative/memory-2560MiB-lite.json", "memory"},
    {"tdx/negative/runtime-payload-changed.json", "rtmr3"},
    /* older forms of material: said, not guessed */
    {"tdx/dstack/history/getquote-bd92d942.json", "checksum-file"},
    {"tdx/dstack/history/getquote-cf45eb4d.json", "checksum-file"},
    {"tdx/dstack/history/attestation-a2335fe4.json", "checksum-file"},
    {"tdx/dstack/history/attestation-b6bf4060.json", "checksum-file"},
    {"tdx/dstack/history/attestation-cbf01f19.json", "checksum-file"},
    {"tdx/dstack/history/tdx-measurement-getquote-623613b3.json", "checksum-file"},
};

static void
refuses_every_negative_at_its_step(void)
{
	g_auto(DstackTestLite) lite = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	for (gsize i = 0; i < G_N_ELEMENTS(negatives); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackVerdict) verdict = verify_vector(&lite, negatives[i].name, &error);

		g_test_message("%s", negatives[i].name);
		g_assert_no_error(error);
		assert_fails_at(verdict, negatives[i].step);
	}
}

static void
cannot_read_what_makes_no_sense(void)
{
	static const gchar *const names[] = {"tdx/negative/imr-4.json", "tdx/negative/runtime-event-type-2.json"};
	g_auto(DstackTestLite) lite = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(verify_vector(&lite, names[i], &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* evidence of variant legacy: genuine as far as it can be verified, then refused with a sentence */
static void
refuses_legacy_evidence_with_a_sentence(void)
{
	static const gchar *const names[] = {"tdx/dstack/guest-agent-attestation-2c4aef25.bin",
					     "tdx/dstack/report-example.json"};
	g_auto(DstackTestLite) lite = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	lite.options.collateral = NULL;
	lite.options.no_collateral = TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackVerdict) verdict = verify_vector(&lite, names[i], &error);
		g_autofree gchar *reason = NULL;

		g_assert_no_error(error);
		reason = dstack_verdict_dup_reason(verdict);
		g_test_message("%s: %s", names[i], reason);
		g_assert_true(verdict->quote_verified && verdict->event_log_verified);
		g_assert_nonnull(strstr(reason, "legacy"));
		g_assert_cmpint(dstack_verdict_get_step(verdict, "checksum-file")->state, ==, DSTACK_STEP_FAILED);
	}
}

static void
holds_the_caller_to_report_data_and_statuses(void)
{
	static const gchar *const good_status[] = {"OutOfDate", "UpToDate", NULL};
	static const gchar *const bad_status[] = {"OutOfDate", NULL};
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(DstackVerdict) first = NULL;
	g_autoptr(DstackVerdict) same = NULL;
	g_autoptr(DstackVerdict) other = NULL;
	g_autoptr(DstackVerdict) status = NULL;
	guint8 report_data[64];

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	first = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	memcpy(report_data, first->report_data, sizeof(report_data));
	lite.options.report_data = report_data;
	lite.options.allow_tcb = good_status;
	same = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	assert_fails_at(same, NULL);
	report_data[63] ^= 1;
	other = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	assert_fails_at(other, "report-data");
	lite.options.allow_tcb = bad_status;
	status = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	assert_fails_at(status, "tcb");
	g_assert_cmpstr(status->tcb_status, ==, "UpToDate");
}

static void
gives_boot_time_values_on_request(void)
{
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(DstackVerdict) verdict = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	lite.options.boot_time_mr = TRUE;
	verdict = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	assert_fails_at(verdict, NULL);
	g_assert_cmpstr(verdict->app_info.mr_system, ==, MR_SYSTEM_BOOT);
	g_assert_cmpstr(verdict->app_info.mr_aggregated, ==, MR_AGGREGATED_BOOT);
}

static void
shows_registers_on_request_and_on_mismatch(void)
{
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(DstackVerdict) debug = NULL;
	g_autoptr(DstackVerdict) differs = NULL;
	const DstackRegisterDebug *entry = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	lite.options.debug = TRUE;
	debug = verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", NULL);
	assert_fails_at(debug, NULL);
	g_assert_cmpuint(debug->registers_debug->len, ==, 5);
	entry = g_ptr_array_index(debug->registers_debug, 1);
	g_assert_cmpstr(entry->name, ==, "rtmr0");
	g_assert_cmpuint(entry->events->len, ==, 13);
	for (guint i = 0; i < entry->events->len; i++)
		g_assert_cmpint(((DstackEventDebug *)g_ptr_array_index(entry->events, i))->status, ==,
				DSTACK_EVENT_MATCH);

	differs = verify_vector(&lite, "tdx/negative/flip-tdhob-digest.json", NULL);
	g_assert_cmpuint(differs->registers_debug->len, ==, 1);
	entry = g_ptr_array_index(differs->registers_debug, 0);
	g_assert_cmpstr(entry->name, ==, "rtmr0");
}

static void
refuses_options_that_make_no_sense(void)
{
	static const gchar *const statuses[] = {"UpToDate", NULL};
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(GError) error = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	lite.options.no_collateral = TRUE;
	g_assert_null(verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	lite.options.collateral = NULL;
	lite.options.allow_tcb = statuses;
	g_assert_null(verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	lite.options.allow_tcb = NULL;
	lite.options.acpi = DSTACK_ACPI_PREDICT;
	g_assert_null(verify_vector(&lite, "tdx/dstack/tdx-lite-getquote.json", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
}

static void
judges_a_bare_quote_only_when_asked(void)
{
	g_auto(DstackTestLite) lite = {0};
	g_autoptr(GBytes) evidence = NULL;
	g_autoptr(DstackAttestation) attestation = NULL;
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autoptr(GError) error = NULL;
	const guint8 *data = NULL;
	gsize size = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_test_lite_init(&lite);
	evidence = dstack_test_vector_read("tdx/dstack/tdx-lite-getquote.json");
	attestation = dstack_attestation_parse(g_bytes_get_data(evidence, NULL), g_bytes_get_size(evidence), NULL);
	data = g_bytes_get_data(attestation->quote, &size);
	g_assert_null(dstack_verify_evidence(data, size, &lite.options, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_nonnull(strstr(error->message, "--quote"));
	g_clear_error(&error);
	verdict = dstack_verify_bare(data, size, &lite.options, &error);
	g_assert_no_error(error);
	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_cmpuint(verdict->steps->len, ==, 4);
	g_assert_false(verdict->has_app_info);
	g_assert_cmpstr(verdict->tcb_status, ==, "UpToDate");
}

/* an empty file, pipe or message may come as a null pointer */
static void
nothing_at_all_is_malformed(void)
{
	const DstackContext context = {.now = 1};
	const DstackVerifyOptions options = {.context = &context};
	g_autoptr(GError) evidence = NULL;
	g_autoptr(GError) bare = NULL;

	g_assert_null(dstack_verify_evidence(NULL, 0, &options, &evidence));
	g_assert_error(evidence, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_null(dstack_verify_bare(NULL, 0, &options, &bare));
	g_assert_error(bare, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx-verify/finds-the-lite-fixture-valid", finds_the_lite_fixture_valid);
	g_test_add_func("/tdx-verify/answers-with-the-documented-keys-in-order",
			answers_with_the_documented_keys_in_order);
	g_test_add_func("/tdx-verify/names-item-and-dates-outside-the-interval",
			names_item_and_dates_outside_the_interval);
	g_test_add_func("/tdx-verify/needs-collateral-unless-waived", needs_collateral_unless_waived);
	g_test_add_func("/tdx-verify/finds-the-same-in-every-container", finds_the_same_in_every_container);
	g_test_add_func("/tdx-verify/refuses-every-negative-at-its-step", refuses_every_negative_at_its_step);
	g_test_add_func("/tdx-verify/cannot-read-what-makes-no-sense", cannot_read_what_makes_no_sense);
	g_test_add_func("/tdx-verify/refuses-legacy-evidence-with-a-sentence", refuses_legacy_evidence_with_a_sentence);
	g_test_add_func("/tdx-verify/holds-the-caller-to-report-data-and-statuses",
			holds_the_caller_to_report_data_and_statuses);
	g_test_add_func("/tdx-verify/gives-boot-time-values-on-request", gives_boot_time_values_on_request);
	g_test_add_func("/tdx-verify/shows-registers-on-request-and-on-mismatch",
			shows_registers_on_request_and_on_mismatch);
	g_test_add_func("/tdx-verify/refuses-options-that-make-no-sense", refuses_options_that_make_no_sense);
	g_test_add_func("/tdx-verify/judges-a-bare-quote-only-when-asked", judges_a_bare_quote_only_when_asked);
	g_test_add_func("/tdx-verify/nothing-at-all-is-malformed", nothing_at_all_is_malformed);
	return g_test_run();
}
