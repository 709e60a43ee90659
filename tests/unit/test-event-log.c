/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "eventlog/event-log.h"

#include <string.h>

#include "base/json.h"
#include "base/writer.h"
#include "dstack/error.h"
#include "support/ccel-builder.h"

static const guint16 sha384_only[] = {DSTACK_TEST_ALG_SHA384};
static const guint16 two_algorithms[] = {DSTACK_TEST_ALG_SHA256, DSTACK_TEST_ALG_SHA384};
static const guint16 two_swapped[] = {DSTACK_TEST_ALG_SHA384, DSTACK_TEST_ALG_SHA256};
static const guint16 sha384_twice[] = {DSTACK_TEST_ALG_SHA384, DSTACK_TEST_ALG_SHA384};
static const guint16 sha256_only[] = {DSTACK_TEST_ALG_SHA256};
static const guint16 undeclared[] = {DSTACK_TEST_ALG_SHA384, 0x9999};

static DstackEventLog *
parse_text(const gchar *text, GError **error)
{
	return dstack_event_log_parse_json(text, strlen(text), error);
}

static void
reads_a_binary_log(void)
{
	g_autoptr(GByteArray) bytes = dstack_test_ccel_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackEventLog) log = dstack_event_log_parse(bytes->data, bytes->len, &error);
	const DstackEvent *event = NULL;

	g_assert_no_error(error);
	g_assert_cmpuint(dstack_event_log_size(log), ==, 5);
	event = dstack_event_log_get(log, 4);
	g_assert_cmpuint(event->imr, ==, 1);
	g_assert_cmphex(event->type, ==, 0x80000003);
	g_assert_true(event->has_digest);
	g_assert_cmphex(event->digest.bytes[47], ==, 0x55);
	g_assert_cmpuint(g_bytes_get_size(event->payload), ==, 6);
}

/* a cut log is an error, but for a cut at an event's border: then the data simply ends there */
static void
rejects_a_binary_log_cut_inside_an_event(void)
{
	g_autoptr(GByteArray) bytes = dstack_test_ccel_new();
	guint n_good = 0;

	for (gsize len = 0; len < bytes->len; len++) {
		g_autofree guint8 *cut = g_memdup2(bytes->data, len);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = dstack_event_log_parse_ccel(cut, len, &error);

		if (log != NULL) {
			n_good++;
			continue;
		}
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
	g_assert_cmpuint(n_good, ==, 6); /* after the header and after each of five events */
}

static const struct {
	const guint16 *header;
	guint n_header;
	guint32 index;
	guint32 type;
	const guint16 *event;
	guint n_event;
	guint n_events; /* of a good log; 99: malformed */
} ccel_cases[] = {
    {sha384_only, 1, 1, 1, sha384_only, 1, 1},
    {two_algorithms, 2, 1, 1, two_algorithms, 2, 1},
    {two_algorithms, 2, 1, 1, two_swapped, 2, 1},
    {sha384_only, 1, 0, 1, sha384_only, 1, 0}, /* MRTD: never extended */
    {sha384_only, 1, 1, 3, sha384_only, 1, 0}, /* EV_NO_ACTION */
    {sha384_only, 1, 4, 1, sha384_only, 1, 1},
    {sha384_only, 1, 5, 1, sha384_only, 1, 99},
    {sha384_only, 1, 0xfffffffe, 1, sha384_only, 1, 99},
    {sha384_only, 1, 0xffffffff, 1, sha384_only, 1, 0}, /* terminator: what follows is not read */
    {sha256_only, 1, 1, 1, sha256_only, 1, 99},
    {sha384_twice, 2, 1, 1, sha384_twice, 2, 99},
    {two_algorithms, 2, 1, 1, sha384_only, 1, 99},
    {two_algorithms, 2, 1, 1, sha384_twice, 2, 99},
    {two_algorithms, 2, 1, 1, undeclared, 2, 99},
    {sha384_only, 1, 1, 1, sha384_only, 0, 99},
    {sha384_only, 0, 1, 1, sha384_only, 0, 99},
};

static void
holds_binary_events_to_the_header(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ccel_cases); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = NULL;

		dstack_test_ccel_append_header(bytes, ccel_cases[i].header, ccel_cases[i].n_header);
		dstack_test_ccel_append_event(bytes, ccel_cases[i].index, ccel_cases[i].type, ccel_cases[i].event,
					      ccel_cases[i].n_event, 0xaa, "data");
		log = dstack_event_log_parse_ccel(bytes->data, bytes->len, &error);
		g_test_message("case %" G_GSIZE_FORMAT ": %s", i, error != NULL ? error->message : "good");
		if (ccel_cases[i].n_events == 99) {
			g_assert_null(log);
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		} else {
			g_assert_no_error(error);
			g_assert_cmpuint(dstack_event_log_size(log), ==, ccel_cases[i].n_events);
		}
	}
}

static void
ends_a_binary_log_where_the_rest_is_zero(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(DstackEventLog) log = NULL;
	g_autoptr(DstackEventLog) dirty = NULL;
	g_autoptr(GError) error = NULL;

	dstack_test_ccel_append_header(bytes, sha384_only, 1);
	dstack_test_ccel_append_event(bytes, 1, 1, sha384_only, 1, 0xaa, "data");
	dstack_append_zero(bytes, 3000);
	log = dstack_event_log_parse_ccel(bytes->data, bytes->len, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(dstack_event_log_size(log), ==, 1);

	dstack_append_u8(bytes, 1);
	dirty = dstack_event_log_parse_ccel(bytes->data, bytes->len, &error);
	g_assert_null(dirty);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
writes_json_that_it_reads(void)
{
	g_autoptr(GByteArray) bytes = dstack_test_ccel_new();
	g_autoptr(DstackEventLog) log = dstack_event_log_parse(bytes->data, bytes->len, NULL);
	g_autoptr(JsonNode) node = dstack_event_log_to_json(log);
	g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackEventLog) again = dstack_event_log_parse((const guint8 *)text, strlen(text), &error);
	g_autoptr(JsonNode) node_again = NULL;
	g_autofree gchar *text_again = NULL;

	g_assert_no_error(error);
	node_again = dstack_event_log_to_json(again);
	text_again = dstack_json_to_text(node_again, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(text, ==, text_again);
	g_assert_true(g_str_has_prefix(text, "[{\"imr\":0,\"event_type\":2147483658,\"digest\":\"1111"));
	for (guint imr = 0; imr < DSTACK_N_RTMRS; imr++) {
		DstackSha384 a = {0};
		DstackSha384 b = {0};

		g_assert_true(dstack_event_log_replay(log, imr, &a, NULL));
		g_assert_true(dstack_event_log_replay(again, imr, &b, NULL));
		g_assert_true(dstack_sha384_equal(&a, &b));
		g_assert_cmpint(dstack_sha384_is_zero(&a), ==, imr >= 2);
	}
}

#define D48	 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
#define FIRMWARE "\"event_type\":1,\"digest\":\"" D48 "\",\"event\":\"\",\"event_payload\":\"\""
#define RUNTIME	 "\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"e\",\"event_payload\":\"AB\""

static const struct {
	const gchar *json;
	gboolean good;
} json_cases[] = {
    {"[]", TRUE},
    {"[{\"imr\":0," FIRMWARE "}]", TRUE},
    {"[{\"imr\":3," FIRMWARE "}]", TRUE},
    {"[{" RUNTIME "}]", TRUE},
    {"[{" RUNTIME ",\"version\":1}]", TRUE},
    {"[{" RUNTIME ",\"version\":2,\"preimage\":\"7b7d\"}]", TRUE}, /* read; the replay refuses it */
    {"[{" RUNTIME ",\"version\":null,\"preimage\":null}]", TRUE},
    {"[{" RUNTIME ",\"unknown\":[1]}]", TRUE},
    {"[{\"imr\":4," FIRMWARE "}]", FALSE},
    {"[{\"imr\":-1," FIRMWARE "}]", FALSE},
    {"[{\"imr\":\"0\"," FIRMWARE "}]", FALSE},
    {"[{" FIRMWARE "}]", FALSE},
    {"[{\"imr\":0,\"imr\":0," FIRMWARE "}]", FALSE},
    {"[{" RUNTIME ",\"version\":0}]", FALSE},
    {"[{" RUNTIME ",\"version\":3}]", FALSE},
    {"[{" RUNTIME ",\"version\":1,\"preimage\":\"7b7d\"}]", FALSE},
    {"[{" RUNTIME ",\"version\":2,\"preimage\":\"7b7\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":4294967296,\"digest\":\"" D48 "\",\"event\":\"\",\"event_payload\":\"\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":1,\"digest\":\"\",\"event\":\"\",\"event_payload\":\"\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":1,\"digest\":\"00\",\"event\":\"\",\"event_payload\":\"\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":1,\"digest\":\"" D48 "\",\"event\":\"\",\"event_payload\":\"0\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":1,\"digest\":\"" D48 "\",\"event\":\"\",\"event_payload\":\"zz\"}]", FALSE},
    {"[{\"imr\":0,\"event_type\":1,\"digest\":\"" D48 "\",\"event\":\"\"}]", FALSE},
    {"[1]", FALSE},
    {"[[]]", FALSE},
    {"{}", FALSE},
    {"", FALSE},
    {"[] ]", FALSE},
};

static void
reads_json_strictly(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(json_cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = parse_text(json_cases[i].json, &error);

		g_test_message("%s: %s", json_cases[i].json, error != NULL ? error->message : "good");
		g_assert_cmpint(log != NULL, ==, json_cases[i].good);
		if (log == NULL)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
rejects_every_truncation_of_json(void)
{
	const gchar *whole = "[{" RUNTIME ",\"version\":2,\"preimage\":\"7b7d\"},{\"imr\":0," FIRMWARE "}]";

	for (gsize len = 0; len < strlen(whole); len++) {
		g_autofree gchar *cut = g_memdup2(whole, len);
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_event_log_parse_json(cut, len, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* the ACPI entries a case has: n of them, the second named so */
static DstackEventLog *
acpi_log(guint n, const gchar *second)
{
	DstackEventLog *log = dstack_event_log_new();
	g_autoptr(GBytes) payload = g_bytes_new_static("ACPI DATA", 9);

	for (guint i = 0; i < n; i++) {
		DstackEvent *event = dstack_event_new(0, DSTACK_EVENT_ACPI_DATA, i == 1 ? second : "", payload);

		event->has_digest = TRUE;
		g_ptr_array_add(log->events, event);
	}
	return log;
}

static void
labels_exactly_three_acpi_events(void)
{
	static const struct {
		guint n;
		const gchar *second;
		gboolean good;
	} cases[] = {{3, "", TRUE},	  {3, "acpi-rsdp", TRUE}, {3, "acpi-loader", FALSE},
		     {3, "other", FALSE}, {0, "", FALSE},	  {2, "", FALSE},
		     {4, "", FALSE}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = acpi_log(cases[i].n, cases[i].second);

		g_assert_cmpint(dstack_event_log_label(log, &error), ==, cases[i].good);
		if (!cases[i].good) {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
			continue;
		}
		g_assert_cmpstr(dstack_event_log_get(log, 0)->name, ==, "acpi-loader");
		g_assert_cmpstr(dstack_event_log_get(log, 1)->name, ==, "acpi-rsdp");
		g_assert_cmpstr(dstack_event_log_get(log, 2)->name, ==, "acpi-tables");
		g_assert_true(dstack_event_log_label(log, &error));
	}
}

static void
finds_labels_by_name_and_only_once(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackEventLog) log = acpi_log(3, "");
	DstackEvent *first = NULL;

	g_assert_null(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_RSDP, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);
	g_assert_true(dstack_event_log_label(log, NULL));
	g_assert_true(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_RSDP, &error) == dstack_event_log_get(log, 1));

	first = g_ptr_array_index(log->events, 0);
	g_free(first->name);
	first->name = g_strdup(DSTACK_LABEL_ACPI_RSDP);
	g_assert_null(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_RSDP, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);

	/* a name alone makes no ACPI event */
	first->type = 1;
	g_free(first->name);
	first->name = g_strdup(DSTACK_LABEL_ACPI_LOADER);
	g_assert_null(dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_LOADER, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
strips_to_what_a_quote_carries(void)
{
	g_autoptr(GByteArray) bytes = dstack_test_ccel_new();
	g_autoptr(DstackEventLog) log = dstack_event_log_parse(bytes->data, bytes->len, NULL);
	g_autoptr(DstackEventLog) stripped = NULL;

	g_assert_true(dstack_event_log_label(log, NULL));
	g_assert_false(dstack_event_log_is_stripped(log));
	stripped = dstack_event_log_strip(log);
	g_assert_cmpuint(dstack_event_log_size(stripped), ==, 3);
	g_assert_true(dstack_event_log_is_stripped(stripped));
}

#define V1_E_AB	  "\"imr\":3,\"event_type\":134217729,\"event\":\"compose-hash\",\"event_payload\":\"abcd\""
#define V1_DIGEST "e910bac274d132c3c6c23ac10103947a0a07783a277d9aab6bb12db5749cdb296275a888328c43479a8be40268a72a62"
#define V2_DIGEST "9dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb10311d56de189491feb33842a050ad7b"
#define V2_PREIMAGE                                                                                                    \
	"7b226e616d65223a22636f6d706f73652d68617368222c227061796c6f6164223a2261626364222c2274797065223a31333432313737" \
	"32397d"
#define V2_PREIMAGE_SPACED                                                                                             \
	"7b20226e616d65223a22636f6d706f73652d68617368222c227061796c6f6164223a2261626364222c2274797065223a313334323137" \
	"3732397d"

static const struct {
	const gchar *json;
	gboolean good;
} runtime_cases[] = {
    {"[{" V1_E_AB ",\"digest\":\"\"}]", TRUE},
    {"[{" V1_E_AB ",\"digest\":\"" V1_DIGEST "\"}]", TRUE},
    {"[{" V1_E_AB ",\"digest\":\"" V2_DIGEST "\"}]", FALSE},
    {"[{" V1_E_AB ",\"digest\":\"" V2_DIGEST "\",\"version\":2,\"preimage\":\"" V2_PREIMAGE "\"}]", TRUE},
    {"[{" V1_E_AB ",\"digest\":\"\",\"version\":2,\"preimage\":\"" V2_PREIMAGE "\"}]", TRUE},
    {"[{" V1_E_AB ",\"digest\":\"" V2_DIGEST "\",\"version\":2}]", FALSE},
    {"[{" V1_E_AB ",\"digest\":\"" V2_DIGEST "\",\"version\":2,\"preimage\":\"\"}]", FALSE},
    {"[{" V1_E_AB ",\"digest\":\"" V1_DIGEST "\",\"version\":2,\"preimage\":\"" V2_PREIMAGE "\"}]", FALSE},
    {"[{" V1_E_AB ",\"digest\":\"\",\"version\":2,\"preimage\":\"" V2_PREIMAGE_SPACED "\"}]", FALSE},
    {"[{\"imr\":2,\"event_type\":134217729,\"event\":\"e\",\"event_payload\":\"\",\"digest\":\"\"}]", FALSE},
};

static void
recomputes_what_runtime_events_extend(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(runtime_cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackEventLog) log = parse_text(runtime_cases[i].json, &error);
		DstackSha384 value = {0};

		g_assert_no_error(error);
		g_assert_cmpint(dstack_event_log_replay(log, dstack_event_log_get(log, 0)->imr, &value, &error), ==,
				runtime_cases[i].good);
		g_test_message("%s: %s", runtime_cases[i].json, error != NULL ? error->message : "good");
		if (!runtime_cases[i].good)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	}
}

static void
add_runtime(DstackEventLog *log, const gchar *name, const gchar *payload)
{
	g_autoptr(GBytes) bytes = g_bytes_new(payload, strlen(payload));

	g_ptr_array_add(log->events, dstack_event_new(3, DSTACK_EVENT_RUNTIME, name, bytes));
}

static void
trusts_identity_only_before_system_ready(void)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();

	add_runtime(log, "app-id", "first");
	add_runtime(log, "app-id", "second");
	add_runtime(log, "system-ready", "");
	add_runtime(log, "key-provider", "late");
	g_assert_true(dstack_event_log_find_runtime(log, "app-id") == dstack_event_log_get(log, 0));
	g_assert_null(dstack_event_log_find_runtime(log, "key-provider"));
	g_assert_null(dstack_event_log_find_runtime(log, "system-ready"));
}

static void
stops_at_boot_mr_done_for_boot_values(void)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	DstackSha384 before = {0};
	DstackSha384 boot = {0};
	DstackSha384 all = {0};

	add_runtime(log, "app-id", "x");
	add_runtime(log, "boot-mr-done", "");
	g_assert_true(dstack_event_log_replay(log, 3, &before, NULL));
	add_runtime(log, "key-provider", "y");
	g_assert_true(dstack_event_log_replay_boot(log, &boot, NULL));
	g_assert_true(dstack_event_log_replay(log, 3, &all, NULL));
	g_assert_true(dstack_sha384_equal(&before, &boot));
	g_assert_false(dstack_sha384_equal(&all, &boot));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/event-log/reads-a-binary-log", reads_a_binary_log);
	g_test_add_func("/event-log/rejects-a-binary-log-cut-inside-an-event",
			rejects_a_binary_log_cut_inside_an_event);
	g_test_add_func("/event-log/holds-binary-events-to-the-header", holds_binary_events_to_the_header);
	g_test_add_func("/event-log/ends-a-binary-log-where-the-rest-is-zero",
			ends_a_binary_log_where_the_rest_is_zero);
	g_test_add_func("/event-log/writes-json-that-it-reads", writes_json_that_it_reads);
	g_test_add_func("/event-log/reads-json-strictly", reads_json_strictly);
	g_test_add_func("/event-log/rejects-every-truncation-of-json", rejects_every_truncation_of_json);
	g_test_add_func("/event-log/labels-exactly-three-acpi-events", labels_exactly_three_acpi_events);
	g_test_add_func("/event-log/finds-labels-by-name-and-only-once", finds_labels_by_name_and_only_once);
	g_test_add_func("/event-log/strips-to-what-a-quote-carries", strips_to_what_a_quote_carries);
	g_test_add_func("/event-log/recomputes-what-runtime-events-extend", recomputes_what_runtime_events_extend);
	g_test_add_func("/event-log/trusts-identity-only-before-system-ready",
			trusts_identity_only_before_system_ready);
	g_test_add_func("/event-log/stops-at-boot-mr-done-for-boot-values", stops_at_boot_mr_done_for_boot_values);
	return g_test_run();
}
