/* SPDX-License-Identifier: Apache-2.0
 *
 * Every event log of vectors/tdx, as its INDEX.md says.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "dstack/error.h"
#include "support/vectors.h"
#include "tdx/quote.h"

static DstackEventLog *
parse_vector(const gchar *name, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);

	return dstack_event_log_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

static void
assert_replays(const DstackEventLog *log, guint imr, const gchar *expected)
{
	DstackSha384 value = {0};
	g_autofree gchar *hex = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_event_log_replay(log, imr, &value, &error));
	g_assert_no_error(error);
	hex = dstack_sha384_to_hex(&value);
	g_assert_cmpstr(hex, ==, expected);
}

static void
replays_every_ccel_as_expected(void)
{
	static const gchar *const names[] = {
	    "ccel/cctrusted-grub-ima.bin", "ccel/cos-113-dupe-separator.bin", "ccel/cos-113-intel-tdx.bin",
	    "ccel/dstack-ovmf-direct.bin", "ccel/trustee-ovmf-direct.bin",    "ccel/trustee-zero-padded.bin",
	};
	g_autoptr(JsonNode) expected = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	expected = dstack_test_vector_read_json("tdx/expected-values.json");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree gchar *path = g_strconcat("tdx/", names[i], NULL);
		JsonObject *values = json_object_get_object_member(json_node_get_object(expected), names[i]);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = parse_vector(path, &error);

		g_assert_no_error(error);
		g_assert_cmpint(dstack_event_log_size(log), ==, json_object_get_int_member(values, "events"));
		for (guint imr = 0; imr < 3; imr++) {
			g_autofree gchar *member = g_strdup_printf("rtmr%u", imr);

			if (json_object_has_member(values, member))
				assert_replays(log, imr, json_object_get_string_member(values, member));
		}
	}
}

/* the same events as another parser of the same file found */
static void
reads_the_same_events_as_the_reference(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackEventLog) log = NULL;
	g_autoptr(DstackEventLog) reference = NULL;
	g_autoptr(JsonNode) ours = NULL;
	g_autoptr(JsonNode) theirs = NULL;
	g_autofree gchar *snapshot = NULL;
	g_autofree gchar *ours_text = NULL;
	g_autofree gchar *theirs_text = NULL;
	const gchar *json = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	log = parse_vector("tdx/ccel/dstack-ovmf-direct.bin", &error);
	g_assert_no_error(error);
	snapshot = dstack_test_vector_read_text("tdx/ccel/dstack-ovmf-direct.rust-debug-json.snap");
	json = strstr(snapshot, "\n[");
	g_assert_nonnull(json);
	reference = dstack_event_log_parse_json(json + 1, strlen(json + 1), &error);
	g_assert_no_error(error);
	ours = dstack_event_log_to_json(log);
	theirs = dstack_event_log_to_json(reference);
	ours_text = dstack_json_to_text(ours, DSTACK_JSON_PRETTY);
	theirs_text = dstack_json_to_text(theirs, DSTACK_JSON_PRETTY);
	g_assert_cmpstr(ours_text, ==, theirs_text);
}

static const struct {
	const gchar *name;
	gboolean good;
} negatives[] = {
    {"tdx/negative/ccel-digest-count-huge.bin", FALSE},
    {"tdx/negative/ccel-event-size-huge.bin", FALSE},
    {"tdx/negative/ccel-garbage-after-ff.bin", TRUE},
    {"tdx/negative/ccel-mr-index-0.bin", TRUE},
    {"tdx/negative/ccel-spec-id-bad-signature.bin", FALSE},
    {"tdx/negative/ccel-truncated-mid-event.bin", FALSE},
    {"tdx/negative/ccel-unknown-alg.bin", FALSE},
    {"tdx/tpm-log/tpm-arch-sha1-sha256.bin", FALSE},
    {"tdx/tpm-log/tpm-short-no-action.bin", FALSE},
    {"tdx/tpm-log/tpm-ubuntu-2204-intel-tdx.bin", FALSE}, /* registers above 4 are PCRs */
};

static void
refuses_broken_and_foreign_logs(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(negatives); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = parse_vector(negatives[i].name, &error);

		g_test_message("%s: %s", negatives[i].name, error != NULL ? error->message : "good");
		g_assert_cmpint(log != NULL, ==, negatives[i].good);
		if (log == NULL)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
replays_nothing_after_the_terminator_or_for_mrtd(void)
{
	g_autoptr(DstackEventLog) whole = NULL;
	g_autoptr(DstackEventLog) garbage = NULL;
	g_autoptr(DstackEventLog) mrtd = NULL;
	DstackSha384 expected = {0};
	DstackSha384 value = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	whole = parse_vector("tdx/ccel/dstack-ovmf-direct.bin", NULL);
	garbage = parse_vector("tdx/negative/ccel-garbage-after-ff.bin", NULL);
	mrtd = parse_vector("tdx/negative/ccel-mr-index-0.bin", NULL);
	g_assert_cmpuint(dstack_event_log_size(garbage), ==, dstack_event_log_size(whole));
	g_assert_true(dstack_event_log_replay(whole, 0, &expected, NULL));
	g_assert_true(dstack_event_log_replay(garbage, 0, &value, NULL));
	g_assert_true(dstack_sha384_equal(&expected, &value));
	/* the event that went to register 0 is missing from RTMR0: the log no longer gives it */
	g_assert_cmpuint(dstack_event_log_size(mrtd), <, dstack_event_log_size(whole));
	g_assert_true(dstack_event_log_replay(mrtd, 0, &value, NULL));
	g_assert_false(dstack_sha384_equal(&expected, &value));
}

static void
get_rtmr(const DstackQuote *quote, guint imr, DstackSha384 *out)
{
	const guint8 *const rtmrs[] = {quote->td.rtmr0, quote->td.rtmr1, quote->td.rtmr2, quote->td.rtmr3};

	memcpy(out->bytes, rtmrs[imr], sizeof(out->bytes));
}

/* bit i: RTMR i of the replay equals the quote's */
static guint
compare_with_quote(const DstackEventLog *log, GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	DstackQuote quote = {0};
	guint matches = 0;

	g_assert_true(dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error));
	g_assert_no_error(error);
	for (guint imr = 0; imr < DSTACK_N_RTMRS; imr++) {
		DstackSha384 expected = {0};
		DstackSha384 value = {0};

		get_rtmr(&quote, imr, &expected);
		if (dstack_event_log_replay(log, imr, &value, NULL) && dstack_sha384_equal(&expected, &value))
			matches |= 1u << imr;
	}
	return matches;
}

static const struct {
	const gchar *log;
	const gchar *quote;
	guint matches;
} pairs[] = {
    {"tdx/ccel/cos-113-intel-tdx.bin", "tdx/quote/cos-113-tdx-quote.dat", 0xf}, /* RTMR3 zero in both */
    {"tdx/ccel/cos-113-dupe-separator.bin", "tdx/quote/cos-113-tdx-quote.dat", 0xc},
    {"tdx/ccel/cctrusted-grub-ima.bin", "tdx/quote/cctrusted-quote.bin", 0xb},
    {"tdx/ccel/dstack-ovmf-direct.bin", "tdx/quote/dstack-ra-tls-tdx_quote.bin", 0x8},
};

static void
pairs_binary_logs_with_their_quotes(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(DstackEventLog) log = parse_vector(pairs[i].log, NULL);
		g_autoptr(GBytes) quote = dstack_test_vector_read(pairs[i].quote);

		g_test_message("%s", pairs[i].log);
		g_assert_cmphex(compare_with_quote(log, quote), ==, pairs[i].matches);
	}
}

/* "quote" and "event_log" of one JSON document */
static guint
compare_document(const gchar *name)
{
	g_autoptr(JsonNode) node = dstack_test_vector_read_json(name);
	JsonObject *object = json_node_get_object(node);
	const gchar *text = json_object_get_string_member(object, "event_log");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) quote =
	    dstack_hex_decode_bytes(json_object_get_string_member(object, "quote"), "quote", 65536, &error);
	g_autoptr(DstackEventLog) log = dstack_event_log_parse_json(text, strlen(text), &error);

	g_assert_no_error(error);
	return compare_with_quote(log, quote);
}

static void
pairs_dstack_logs_with_their_quotes(void)
{
	static const struct {
		const gchar *name;
		guint matches;
	} cases[] = {
	    {"tdx/dstack/tdx-lite-getquote.json", 0xf},
	    {"tdx/dstack/report-example.json", 0xf},
	    {"tdx/dstack/history/getquote-bd92d942.json", 0xf},
	    {"tdx/dstack/history/getquote-cf45eb4d.json", 0xf},
	    {"tdx/dstack/history/tdx-measurement-getquote-623613b3.json", 0xf},
	    {"tdx/negative/acpi-loader-rsdp-swapped.json", 0xe},
	    {"tdx/negative/acpi-tables-missing.json", 0xe},
	    {"tdx/negative/extra-runtime-event.json", 0x7},
	    {"tdx/negative/flip-tdhob-digest.json", 0xe},
	    {"tdx/negative/runtime-payload-changed.json", 0x7},
	    {"tdx/negative/cbor-bitflip.json", 0xf},
	    {"tdx/negative/memory-2560MiB-lite.json", 0xf},
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].name);
		g_assert_cmphex(compare_document(cases[i].name), ==, cases[i].matches);
	}
}

static gchar *
log_text_of(const gchar *name)
{
	g_autoptr(JsonNode) node = dstack_test_vector_read_json(name);

	return g_strdup(json_object_get_string_member(json_node_get_object(node), "event_log"));
}

static void
refuses_json_logs_that_make_no_sense(void)
{
	static const gchar *const names[] = {"tdx/negative/imr-4.json", "tdx/negative/runtime-event-type-2.json"};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree gchar *text = log_text_of(names[i]);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = dstack_event_log_parse_json(text, strlen(text), &error);

		g_test_message("%s: %s", names[i], error != NULL ? error->message : "good");
		g_assert_null(log);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* tcb_info documents: event_log is an array there, and the registers stand beside it */
static DstackEventLog *
parse_tcb_info(const gchar *name, JsonNode *document)
{
	JsonNode *array = json_object_get_member(json_node_get_object(document), "event_log");
	g_autofree gchar *text = NULL;
	g_autoptr(GError) error = NULL;
	DstackEventLog *log = NULL;

	g_assert_nonnull(array);
	text = dstack_json_to_text(array, DSTACK_JSON_COMPACT);
	log = dstack_event_log_parse_json(text, strlen(text), &error);
	g_test_message("%s: %s", name, error != NULL ? error->message : "good");
	g_assert_no_error(error);
	return log;
}

static void
replays_tcb_info_documents(void)
{
	static const struct {
		const gchar *name;
		const gchar *quote; /* (nullable) */
		guint matches;
	} cases[] = {
	    {"near-0.4-7c8a9a7b", "near-0.4-7c8a9a7b", 0xf}, {"near-0.5-25f37526", "near-0.5-25f37526", 0xf},
	    {"near-0.5-c57833c3", "near-0.5-c57833c3", 0xf}, {"near-noquote-8814c313", NULL, 0},
	    {"near-0.5-c57833c3", "near-0.5-25f37526", 0x1}, /* negative/tcb-info-wrong-quote.json */
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree gchar *path = g_strconcat("tdx/tcb-info/", cases[i].name, ".tcb_info.json", NULL);
		g_autoptr(JsonNode) document = dstack_test_vector_read_json(path);
		g_autoptr(DstackEventLog) log = parse_tcb_info(path, document);
		g_autofree gchar *quote_path = NULL;
		g_autoptr(GBytes) quote = NULL;

		for (guint imr = 0; imr < DSTACK_N_RTMRS; imr++) {
			g_autofree gchar *member = g_strdup_printf("rtmr%u", imr);

			assert_replays(log, imr, json_object_get_string_member(json_node_get_object(document), member));
		}
		if (cases[i].quote == NULL)
			continue;
		quote_path = g_strconcat("tdx/tcb-info/", cases[i].quote, ".quote.bin", NULL);
		quote = dstack_test_vector_read(quote_path);
		g_assert_cmphex(compare_with_quote(log, quote), ==, cases[i].matches);
	}
}

static void
computes_the_published_runtime_digests(void)
{
	g_autoptr(JsonNode) document = NULL;
	JsonArray *cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	document = dstack_test_vector_read_json("tdx/runtime-event/digests.json");
	cases = json_node_get_array(document);
	g_assert_cmpuint(json_array_get_length(cases), >=, 5);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *entry = json_array_get_object_element(cases, i);
		const gchar *name = json_object_get_string_member(entry, "event");
		g_autoptr(GBytes) payload =
		    dstack_hex_decode_bytes(json_object_get_string_member(entry, "payload"), "payload", 1024, NULL);
		DstackSha384 v1 = dstack_runtime_event_digest_v1(name, payload);
		g_autofree gchar *preimage = dstack_runtime_event_preimage_v2(name, payload);
		DstackSha384 v2 = dstack_sha384((const guint8 *)preimage, strlen(preimage));
		g_autofree gchar *v1_hex = dstack_sha384_to_hex(&v1);
		g_autofree gchar *v2_hex = dstack_sha384_to_hex(&v2);

		g_assert_cmpstr(v1_hex, ==, json_object_get_string_member(entry, "v1_sha384"));
		g_assert_cmpstr(preimage, ==, json_object_get_string_member(entry, "v2_preimage"));
		g_assert_cmpstr(v2_hex, ==, json_object_get_string_member(entry, "v2_sha384"));
	}
}

static void
labels_real_logs(void)
{
	static const struct {
		const gchar *name;
		gboolean good;
	} cases[] = {
	    {"tdx/ccel/dstack-ovmf-direct.bin", TRUE},
	    {"tdx/ccel/trustee-ovmf-direct.bin", TRUE},
	    {"tdx/ccel/cos-113-intel-tdx.bin", TRUE},
	    {"tdx/ccel/trustee-zero-padded.bin", FALSE}, /* td-shim: no ACPI events of this shape */
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(DstackEventLog) log = parse_vector(cases[i].name, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(dstack_event_log_label(log, &error), ==, cases[i].good);
		g_test_message("%s: %s", cases[i].name, error != NULL ? error->message : "labelled");
		if (cases[i].good)
			g_assert_nonnull(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_TABLES, NULL));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/event-log/vectors/replays-every-ccel-as-expected", replays_every_ccel_as_expected);
	g_test_add_func("/event-log/vectors/reads-the-same-events-as-the-reference",
			reads_the_same_events_as_the_reference);
	g_test_add_func("/event-log/vectors/refuses-broken-and-foreign-logs", refuses_broken_and_foreign_logs);
	g_test_add_func("/event-log/vectors/replays-nothing-after-the-terminator-or-for-mrtd",
			replays_nothing_after_the_terminator_or_for_mrtd);
	g_test_add_func("/event-log/vectors/pairs-binary-logs-with-their-quotes", pairs_binary_logs_with_their_quotes);
	g_test_add_func("/event-log/vectors/pairs-dstack-logs-with-their-quotes", pairs_dstack_logs_with_their_quotes);
	g_test_add_func("/event-log/vectors/refuses-json-logs-that-make-no-sense",
			refuses_json_logs_that_make_no_sense);
	g_test_add_func("/event-log/vectors/replays-tcb-info-documents", replays_tcb_info_documents);
	g_test_add_func("/event-log/vectors/computes-the-published-runtime-digests",
			computes_the_published_runtime_digests);
	g_test_add_func("/event-log/vectors/labels-real-logs", labels_real_logs);
	return g_test_run();
}
