/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP verdicts against the vectors: launch documents, whole attestations, and what a caller asks for.
 */

#include "config.h"

#include "verify/snp.h"

#include <string.h>

#include "base/hex.h"
#include "config/mr-config.h"
#include "dstack/error.h"
#include "snp/roots.h"
#include "support/snp-cases.h"
#include "support/vector-case.h"
#include "support/vectors.h"
#include "verify/expected-snp.h"
#include "verify/snp-binding.h"

static const gchar *const binding_steps[] = {DSTACK_SNP_BINDING_STEPS, NULL};

/* where peers may differ: what we do, and which rule says so */
static const struct {
	const gchar *id;
	gboolean accepted;
	const gchar *why;
} ours[] = {
    {"launch-hashes-gpa-other-page", TRUE, "only the low 12 bits are measured, and the digest binds them"},
    {"launch-cbor-trailing-bytes", FALSE, "formats.md 2: trailing bytes are an error"},
    {"launch-cbor-non-shortest-int", FALSE, "formats.md 2: strict in everything but key order and unknown keys"},
    {"launch-cbor-cmdline-bytes", FALSE, "formats.md 2: wrong type"},
};

/* the step at which a refused document must end, where the vector's name tells */
static const struct {
	const gchar *prefix;
	const gchar *step;
} launch_steps[] = {
    {"launch-forged-measurement", "measurement"},
    {"launch-forged-host-data", "host-data"},
    {"launch-tampered-", "measurement"},
    {"launch-mr-config-", "host-data"},
    {"launch-bad-os-image-hash", "os-image-hash"},
    {"launch-swapped-image", "measurement"},
    {"launch-no-measurement", "vm-config"},
    {"launch-no-mr-config", "host-data"},
    {"launch-fixture-bad-os-hash", "os-image-hash"},
    {"launch-fixture-mr-config", "host-data"},
    {"launch-unknown-doc-key", "vm-config"},
    {"launch-doc-object", "vm-config"},
    {"launch-checksum-bad-base64", "vm-config"},
    {"launch-checksum-", "material"},
    {"launch-vcpus-", "measurement"},
    {"launch-features-0", "measurement"},
    {"launch-vcpu-type-", "measurement"},
    {"launch-no-rootfs", "material"},
    {"launch-no-hash-section", "material"},
    {"launch-section-", "material"},
    {"launch-doc-vcpu-type-missing", "measurement"},
    {"launch-doc-", "vm-config"},
    {"launch-cbor-", "material"},
};

static const gchar *
failed_step(const DstackVerdict *verdict)
{
	for (guint i = 0; i < verdict->steps->len; i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		if (step->state == DSTACK_STEP_FAILED)
			return step->name;
	}
	return NULL;
}

/* after the step that failed, nothing was checked */
static void
assert_stops(const DstackVerdict *verdict)
{
	gboolean failed = FALSE;

	for (guint i = 0; i < verdict->steps->len; i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		if (failed)
			g_assert_cmpint(step->state, ==, DSTACK_STEP_NOT_CHECKED);
		failed = failed || step->state == DSTACK_STEP_FAILED;
	}
	g_assert_true(failed);
	g_assert_false(dstack_verdict_is_valid(verdict));
	g_assert_false(verdict->has_app_info);
}

static guint n_ours;

static gboolean
launch_is_accepted(const gchar *id, JsonObject *expect)
{
	if (g_str_equal(dstack_case_string(expect, "level"), "may")) {
		for (gsize i = 0; i < G_N_ELEMENTS(ours); i++) {
			if (g_str_equal(ours[i].id, id)) {
				n_ours++;
				g_test_message("%s: ours: %s", id, ours[i].why);
				return ours[i].accepted;
			}
		}
		g_error("%s: peers disagree, and nothing says what ours does", id);
	}
	return g_str_equal(dstack_case_string(expect, "result"), "accept");
}

static void
assert_launch_step(const gchar *id, const gchar *found)
{
	for (gsize i = 0; i < G_N_ELEMENTS(launch_steps); i++) {
		if (g_str_has_prefix(id, launch_steps[i].prefix)) {
			g_assert_cmpstr(found, ==, launch_steps[i].step);
			return;
		}
	}
	g_error("%s: refused, and nothing says at which step", id);
}

static void
check_launch(const gchar *id, JsonObject *test_case)
{
	JsonObject *expect = dstack_case_expect(test_case);
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(binding_steps);
	g_autofree gchar *reason = NULL;
	DstackSnpBinding binding = {
	    .measurement = dstack_case_sha384(test_case, "verified_measurement"),
	    .host_data = dstack_case_sha256(test_case, "verified_host_data"),
	    .config = dstack_case_string(test_case, "vm_config"),
	};
	gboolean good = dstack_snp_binding_verify(&binding, verdict);

	reason = dstack_verdict_dup_reason(verdict);
	g_test_message("%s: %s", id, good ? "accepted" : reason);
	g_assert_cmpint(good, ==, launch_is_accepted(id, expect));
	g_assert_cmpint(good, ==, dstack_verdict_is_valid(verdict));
	if (!good) {
		assert_stops(verdict);
		assert_launch_step(id, failed_step(verdict));
		return;
	}
	if (dstack_case_string(expect, "os_image_hash") != NULL)
		g_assert_cmpstr(verdict->app_info.os_image_hash, ==, dstack_case_string(expect, "os_image_hash"));
	if (dstack_case_string(expect, "app_id") != NULL)
		g_assert_cmpstr(verdict->app_info.app_id, ==, dstack_case_string(expect, "app_id"));
	if (dstack_case_string(expect, "mr_aggregated") != NULL)
		g_assert_cmpstr(verdict->app_info.mr_aggregated, ==, dstack_case_string(expect, "mr_aggregated"));
}

static void
judges_every_launch_document(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	n_ours = 0;
	dstack_case_foreach("snp/open/launch-cases.json", 72, check_launch);
	g_assert_cmpuint(n_ours, ==, G_N_ELEMENTS(ours));
}

static void
check_mr_config(const gchar *id, JsonObject *test_case)
{
	JsonObject *expect = dstack_case_expect(test_case);
	g_autoptr(GBytes) document =
	    dstack_hex_decode_bytes(dstack_case_string(test_case, "document_hex"), "document", 65536, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackMrConfig) config = NULL;
	DstackSha256 expected = dstack_case_sha256(test_case, "host_data");
	const gchar *text = g_bytes_get_data(document, NULL);
	DstackSha256 found = dstack_mr_config_hash(text, g_bytes_get_size(document));

	config = dstack_mr_config_parse(text, g_bytes_get_size(document), &error);
	g_test_message("%s: %s", id, config != NULL ? "accepted" : error->message);
	g_assert_true(dstack_sha256_equal(&found, &expected));
	g_assert_cmpint(config != NULL, ==, g_str_equal(dstack_case_string(expect, "result"), "accept"));
}

static void
judges_every_mr_config(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/mrconfig-cases.json", 15, check_mr_config);
}

/* the case of report-cases.json that an end-to-end case builds on */
static JsonObject *
find_report_case(JsonNode *reports, const gchar *id)
{
	JsonArray *cases = json_object_get_array_member(json_node_get_object(reports), "cases");

	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *candidate = json_array_get_object_element(cases, i);

		if (g_str_equal(dstack_case_string(candidate, "id"), id))
			return candidate;
	}
	g_error("no case '%s'", id);
}

static GBytes *
read_named(JsonObject *object, const gchar *member)
{
	g_autofree gchar *name = g_strconcat("snp/", dstack_case_string(object, member), NULL);

	return dstack_test_vector_read(name);
}

static DstackAttestation *
build_attestation(JsonObject *report_case, const gchar *config)
{
	DstackAttestation *attestation = dstack_attestation_new(DSTACK_PLATFORM_SEV_SNP, DSTACK_FORM_SCALE);

	attestation->report = read_named(report_case, "report");
	if (attestation->cert_chain == NULL)
		attestation->cert_chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_ptr_array_add(attestation->cert_chain, read_named(report_case, "intermediate"));
	g_ptr_array_add(attestation->cert_chain, read_named(report_case, "vek"));
	attestation->config = g_strdup(config);
	return attestation;
}

static void
check_e2e(const gchar *id, JsonObject *test_case)
{
	g_autoptr(JsonNode) reports = dstack_test_vector_read_json("snp/open/report-cases.json");
	JsonObject *report_case = find_report_case(reports, dstack_case_string(test_case, "report_case"));
	JsonObject *expect = dstack_case_expect(test_case);
	g_autoptr(DstackAttestation) attestation =
	    build_attestation(report_case, dstack_case_string(test_case, "vm_config"));
	g_autoptr(GBytes) root = read_named(report_case, "trust_anchor");
	gboolean synthetic = g_str_has_prefix(dstack_case_string(test_case, "report_case"), "synth-");
	DstackContext context = {.now = dstack_case_time(report_case, "verify_time"),
				 .root_der = synthetic ? root : NULL};
	guint8 report_data[64] = {0};
	DstackVerifyOptions options = {.context = &context, .report_data = report_data};
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autofree gchar *reason = NULL;
	g_autofree gchar *step = NULL;

	g_assert_true(dstack_hex_decode(dstack_case_string(test_case, "expected_report_data"), "report data",
					report_data, sizeof(report_data), NULL));
	verdict = dstack_verify_snp(attestation, &options, NULL);
	reason = dstack_verdict_dup_reason(verdict);
	g_test_message("%s: %s", id, reason == NULL ? "valid" : reason);
	if (g_str_equal(dstack_case_string(expect, "result"), "accept")) {
		g_assert_true(dstack_verdict_is_valid(verdict));
		g_assert_cmpint(verdict->root != NULL, ==, synthetic);
		return;
	}
	assert_stops(verdict);
	step = g_strdelimit(g_strdup(dstack_case_string(expect, "fails_at")), "_", '-');
	g_assert_cmpstr(failed_step(verdict), ==, step);
}

static void
judges_reports_and_documents_together(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/e2e-cases.json", 8, check_e2e);
}

static gint64
fixture_time(void)
{
	return 1786838400; /* 2026-08-16, the verify_time of real-a20e02a2 */
}

static void
check_attestation(const gchar *id, JsonObject *test_case)
{
	JsonObject *expect = dstack_case_expect(test_case);
	const gchar *fails_at = dstack_case_string(expect, "fails_at");
	g_autoptr(GBytes) bytes = read_named(test_case, "file");
	g_autoptr(GError) error = NULL;
	DstackContext context = {.now = fixture_time()};
	DstackVerifyOptions options = {.context = &context};
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autofree gchar *reason = NULL;
	g_autoptr(DstackAttestation) attestation =
	    dstack_attestation_parse_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error);

	if (g_strcmp0(fails_at, "decode") == 0) {
		g_test_message("%s: %s", id, error->message);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		return;
	}
	g_assert_no_error(error);
	verdict = dstack_verify_snp(attestation, &options, NULL);
	reason = dstack_verdict_dup_reason(verdict);
	g_test_message("%s: %s", id, reason == NULL ? "valid" : reason);
	g_assert_cmpstr(failed_step(verdict), ==, fails_at);
	g_assert_cmpint(dstack_verdict_is_valid(verdict), ==, fails_at == NULL);
}

static void
judges_whole_attestations(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/attestation-cases.json", 4, check_attestation);
}

/* the dstack fixture from its own certificates: every value that follows from it */
static void
verifies_the_fixture_offline(void)
{
	DstackContext context = {.now = fixture_time()};
	DstackVerifyOptions options = {.context = &context};
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(DstackAttestation) attestation = NULL;
	g_autoptr(DstackVerdict) verdict = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	bytes = dstack_test_vector_read("snp/open/e2e/dstack-sev-snp-attestation.json");
	attestation = dstack_attestation_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
	g_assert_nonnull(attestation);
	verdict = dstack_verify_snp(attestation, &options, NULL);
	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_true(verdict->quote_verified);
	g_assert_true(verdict->os_image_hash_verified);
	g_assert_cmpstr(verdict->tcb_status, ==, "OutOfDate");
	g_assert_cmpuint(verdict->advisory_ids->len, ==, 0);
	g_assert_cmpstr(verdict->tee_variant, ==, "dstack-amd-sev-snp");
	g_assert_cmpmem(verdict->report_data, 24, "attest-test-fixture-2026", 24);
	/* revocation, and the runtime events that nothing binds */
	g_assert_cmpuint(verdict->warnings->len, ==, 2);
	g_assert_cmpstr(verdict->app_info.app_id, ==, "86e59625be93207bc2351c4d1bba20037cec8e16");
	g_assert_cmpstr(verdict->key_provider_name, ==, "kms");
	g_assert_cmpstr(verdict->app_info.os_image_hash, ==,
			"f69c8e5031ec2b269bbc08839ce02cb98ee255d695626f941f4b37b95946d352");
}

typedef struct {
	const gchar *name;
	const gchar *min_tcb;
	const gchar *const *allow_tcb;
	const gchar *fails_at; /* NULL: valid */
} TcbCase;

static void
holds_tcb_against_what_the_caller_wants(void)
{
	static const gchar *const up_to_date[] = {"UpToDate", NULL};
	static const gchar *const both[] = {"UpToDate", "OutOfDate", NULL};
	/* the fixture reports bl 4, tee 0, snp 23, ucode 213 */
	static const TcbCase cases[] = {
	    {"nothing", NULL, NULL, NULL},
	    {"equal", "milan:bl=4,tee=0,snp=23,ucode=213", NULL, NULL},
	    {"lower", "milan:snp=22", NULL, NULL},
	    {"boot loader", "milan:bl=5", NULL, "tcb"},
	    {"snp", "milan:snp=24", NULL, "tcb"},
	    {"microcode", "milan:ucode=214;genoa:bl=1", NULL, "tcb"},
	    {"another product", "genoa:bl=1", NULL, "tcb"},
	    {"status", NULL, up_to_date, "tcb"},
	    {"both statuses", NULL, both, NULL},
	};
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(DstackAttestation) attestation = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	bytes = dstack_test_vector_read("snp/open/e2e/attestation-fixture.bin");
	attestation = dstack_attestation_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		DstackContext context = {.now = fixture_time()};
		DstackVerifyOptions options = {
		    .context = &context, .min_tcb = cases[i].min_tcb, .allow_tcb = cases[i].allow_tcb};
		g_autoptr(DstackVerdict) verdict = dstack_verify_snp(attestation, &options, NULL);

		g_test_message("%s", cases[i].name);
		g_assert_cmpstr(failed_step(verdict), ==, cases[i].fails_at);
		g_assert_cmpstr(verdict->tcb_status, ==, "OutOfDate");
	}
}

static void
refuses_options_that_make_no_sense(void)
{
	static const gchar *const specs[] = {
	    "",
	    ";",
	    "milan",
	    "milan:",
	    "milan:bl",
	    "milan:bl=",
	    "milan:bl=256",
	    "milan:bl=-1",
	    "milan:fmc=1",
	    "rome:bl=1",
	    "milan:bl=1;milan:bl=2",
	    "milan:bl=1;",
	    "milan:xx=1",
	    "milan:bl=1,",
	    "milan:bl=0x1",
	};
	guint8 report[1] = {0};

	for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
		DstackContext context = {.now = fixture_time()};
		DstackVerifyOptions options = {.context = &context, .min_tcb = specs[i]};
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackVerdict) verdict = dstack_verify_snp_report(report, 1, &options, &error);

		g_assert_null(verdict);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	}
}

/* the same cases as test-snp-report.c, through the verifier: a good report then lacks a vm_config */
static const gchar *
expected_report_step(const gchar *id, JsonObject *expect)
{
	static const struct {
		const gchar *layer;
		const gchar *step;
	} names[] = {
	    {"parse", "report"},      {"vek_kind", "vek-kind"},	     {"vek_tcb", "vek-tcb"},
	    {"vek_hwid", "vek-hwid"}, {"reserved_zero", "reserved"},
	};
	const gchar *layer = dstack_snp_case_expected_layer(id, expect);

	/* the root is not sent here, so there is nothing wrong with it */
	if (layer == NULL || g_str_equal(id, "real-a20e02a2-ark-is-ask"))
		return DSTACK_SNP_STEP_VM_CONFIG;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_equal(layer, names[i].layer))
			return names[i].step;
	}
	return layer;
}

static void
check_report(const gchar *id, JsonObject *test_case)
{
	g_autoptr(DstackAttestation) attestation = build_attestation(test_case, NULL);
	g_autoptr(GBytes) root = read_named(test_case, "trust_anchor");
	gboolean amd = g_str_has_prefix(dstack_case_string(test_case, "trust_anchor"), "common/roots/");
	DstackContext context = {.now = dstack_case_time(test_case, "verify_time"), .root_der = amd ? NULL : root};
	DstackVerifyOptions options = {
	    .context = &context,
	    .allow = dstack_case_bool(test_case, "allow_vlek") ? DSTACK_ALLOW_VLEK : 0,
	};
	g_autoptr(DstackVerdict) verdict = dstack_verify_snp(attestation, &options, NULL);

	g_test_message("%s", id);
	assert_stops(verdict);
	g_assert_cmpstr(failed_step(verdict), ==, expected_report_step(id, dstack_case_expect(test_case)));
	g_assert_cmpint(verdict->root != NULL, ==, !amd);
}

static void
judges_every_report(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/report-cases.json", 110, check_report);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snp-verify/judges-every-launch-document", judges_every_launch_document);
	g_test_add_func("/snp-verify/judges-every-mr-config", judges_every_mr_config);
	g_test_add_func("/snp-verify/judges-reports-and-documents-together", judges_reports_and_documents_together);
	g_test_add_func("/snp-verify/judges-whole-attestations", judges_whole_attestations);
	g_test_add_func("/snp-verify/verifies-the-fixture-offline", verifies_the_fixture_offline);
	g_test_add_func("/snp-verify/holds-tcb-against-what-the-caller-wants", holds_tcb_against_what_the_caller_wants);
	g_test_add_func("/snp-verify/refuses-options-that-make-no-sense", refuses_options_that_make_no_sense);
	g_test_add_func("/snp-verify/judges-every-report", judges_every_report);
	return g_test_run();
}
