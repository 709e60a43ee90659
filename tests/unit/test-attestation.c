/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "attestation/attestation.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "dstack/error.h"
#include "support/attestation-builder.h"
#include "support/vectors.h"

static const DstackPlatform platforms[] = {DSTACK_PLATFORM_TDX, DSTACK_PLATFORM_SEV_SNP};

static DstackAttestation *
parse(GBytes *bytes, GError **error)
{
	return dstack_attestation_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

static void
assert_same_log(const DstackEventLog *a, const DstackEventLog *b)
{
	g_autoptr(JsonNode) a_node = NULL;
	g_autoptr(JsonNode) b_node = NULL;
	g_autofree gchar *a_text = NULL;
	g_autofree gchar *b_text = NULL;

	g_assert_cmpint(a == NULL, ==, b == NULL);
	if (a == NULL)
		return;
	a_node = dstack_event_log_to_json(a);
	b_node = dstack_event_log_to_json(b);
	a_text = dstack_json_to_text(a_node, DSTACK_JSON_PRETTY);
	b_text = dstack_json_to_text(b_node, DSTACK_JSON_PRETTY);
	g_assert_cmpstr(a_text, ==, b_text);
}

static void
assert_same(const DstackAttestation *a, const DstackAttestation *b)
{
	g_assert_cmpint(a->platform, ==, b->platform);
	g_assert_cmpstr(a->config, ==, b->config);
	g_assert_cmpmem(a->report_data, 64, b->report_data, 64);
	assert_same_log(a->runtime_events, b->runtime_events);
	assert_same_log(a->event_log, b->event_log);
	g_assert_true(a->quote == b->quote || g_bytes_equal(a->quote, b->quote));
	g_assert_true(a->report == b->report || g_bytes_equal(a->report, b->report));
	g_assert_cmpstr(a->mr_config, ==, b->mr_config);
	g_assert_cmpuint(a->cert_chain->len, ==, b->cert_chain->len);
	for (guint i = 0; i < a->cert_chain->len; i++)
		g_assert_true(g_bytes_equal(a->cert_chain->pdata[i], b->cert_chain->pdata[i]));
}

/* every form of one piece of evidence: SCALE, MessagePack with bin, MessagePack with arrays */
static GBytes *
build(const DstackAttestation *from, guint form)
{
	return form == 0 ? dstack_test_scale_build(from) : dstack_test_msgpack_build(from, form == 2);
}

static void
reads_what_was_written_in_every_form(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(platforms); i++) {
		g_autoptr(DstackAttestation) from = dstack_test_attestation_new(platforms[i]);

		for (guint form = 0; form < 3; form++) {
			g_autoptr(GBytes) bytes = build(from, form);
			g_autofree gchar *hex = dstack_hex_encode_bytes(bytes);
			g_autofree gchar *json = g_strdup_printf("{\"attestation\":\"%s\",\"debug\":true}", hex);
			const gchar *texts[] = {hex, json};
			g_autoptr(GError) error = NULL;
			g_autoptr(DstackAttestation) binary = parse(bytes, &error);

			g_assert_no_error(error);
			assert_same(from, binary);
			g_assert_cmpint(binary->form, ==, form == 0 ? DSTACK_FORM_SCALE : DSTACK_FORM_MESSAGEPACK);
			for (gsize j = 0; j < G_N_ELEMENTS(texts); j++) {
				g_autoptr(DstackAttestation) text =
				    dstack_attestation_parse((const guint8 *)texts[j], strlen(texts[j]), &error);

				g_assert_no_error(error);
				assert_same(from, text);
				g_assert_cmpint(text->debug, ==, j == 1);
			}
		}
	}
}

static void
rejects_every_truncation_and_a_trailing_byte(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(platforms); i++) {
		g_autoptr(DstackAttestation) from = dstack_test_attestation_new(platforms[i]);

		for (guint form = 0; form < 3; form++) {
			g_autoptr(GBytes) bytes = build(from, form);
			gsize size = g_bytes_get_size(bytes);

			for (gsize len = 0; len <= size + 1; len++) {
				g_autofree guint8 *cut = g_malloc0(size + 2);
				g_autoptr(GError) error = NULL;
				g_autoptr(DstackAttestation) result = NULL;

				memcpy(cut, g_bytes_get_data(bytes, NULL), size);
				result = dstack_attestation_parse_bytes(cut, len, &error);
				g_assert_cmpint(result != NULL, ==, len == size);
				if (result == NULL)
					g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
			}
		}
	}
}

/* any flipped bit gives evidence or an error, never a crash; sanitizers watch the rest */
static void
survives_every_bit_flip(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(platforms); i++) {
		g_autoptr(DstackAttestation) from = dstack_test_attestation_new(platforms[i]);

		for (guint form = 0; form < 3; form++) {
			g_autoptr(GBytes) bytes = build(from, form);
			gsize size = g_bytes_get_size(bytes);

			for (gsize bit = 0; bit < 8 * size; bit++) {
				g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), size);
				g_autoptr(GError) error = NULL;
				g_autoptr(DstackAttestation) result = NULL;

				copy[bit / 8] ^= (guint8)(1u << (bit % 8));
				result = dstack_attestation_parse_bytes(copy, size, &error);
				g_assert_cmpint(result == NULL, ==, error != NULL);
			}
		}
	}
}

static void
refuses_other_platforms_by_name(void)
{
	static const DstackPlatform others[] = {DSTACK_PLATFORM_GCP_TDX, DSTACK_PLATFORM_NITRO_ENCLAVE,
						DSTACK_PLATFORM_AWS_NITRO_TPM};

	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(DstackAttestation) from = dstack_test_attestation_new(DSTACK_PLATFORM_SEV_SNP);

		from->platform = others[i];
		for (guint form = 0; form < 2; form++) {
			g_autoptr(GBytes) bytes = build(from, form);
			g_autoptr(GError) error = NULL;

			g_assert_null(parse(bytes, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
			g_assert_nonnull(strstr(error->message, dstack_platform_to_string(others[i])));
		}
	}
}

/* lengths up to 2^64 with nothing behind them: refused at once, and nothing is allocated by them */
static void
takes_no_memory_by_a_hostile_length(void)
{
	static const guint64 lengths[] = {1u << 20,	     (1u << 30) - 1,   1u << 30,
					  G_MAXUINT32,	     1ull << 40,       (1ull << 56) - 1,
					  G_MAXUINT64 >> 1u, G_MAXUINT64 - 15, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autoptr(GByteArray) quote = g_byte_array_new();
		g_autoptr(GByteArray) events = g_byte_array_new();
		const GByteArray *inputs[] = {quote, events};

		g_byte_array_append(quote, (const guint8 *)"\0\0", 2);
		dstack_test_scale_append_compact(quote, lengths[i]);
		g_byte_array_append(events, (const guint8 *)"\0\0\0", 3);
		dstack_test_scale_append_compact(events, lengths[i]);
		for (gsize j = 0; j < G_N_ELEMENTS(inputs); j++) {
			g_autoptr(GError) error = NULL;

			g_assert_null(dstack_attestation_parse_scale(inputs[j]->data, inputs[j]->len, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		}
	}
}

static const struct {
	const gchar *hex;
	const gchar *why;
} scale_cases[] = {
    {"000001", "a two-byte number cut short"},
    {"00000100", "0 in two bytes"},
    {"000002000000", "0 in four bytes"},
    {"000003ffffff3f", "2^30 - 1 in big form"},
    {"00000f00000000000000", "0 in seven bytes"},
    {"0000170000000000000000000000000000", "a number of nine bytes"},
    {"0000ff", "a number of 67 bytes"},
    {"0005", "platform 5"},
    {"00ff", "platform 255"},
    {"00", "no platform"},
};

static void
reads_scale_numbers_in_their_shortest_form_only(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(scale_cases); i++) {
		g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(scale_cases[i].hex, "case", 1024, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(bytes, &error));
		g_test_message("%s: %s", scale_cases[i].why, error->message);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static const struct {
	const gchar *hex;
	const gchar *why;
} msgpack_cases[] = {
    {"80", "an empty map"},
    {"81a776657273696f6e02", "version 2"},
    {"82a776657273696f6e01a776657273696f6e01", "version twice"},
    {"81a776657273696f6eff", "version -1"},
    {"81a776657273696f6ec0", "version nil"},
    {"dfffffffff", "a map of 2^32 - 1 pairs"},
    {"81a178ddffffffff", "an unknown array of 2^32 - 1 items"},
    {"81a178c6ffffffff", "unknown bytes, 2^32 - 1 of them"},
    {"81a178c1", "a byte that starts no value"},
    {"81a17891919191919191919191919191919191919191919191919191919191919101", "nested too deep"},
    {"810101", "a key that is no text"},
    {"81a1ff01", "a key that is no UTF-8"},
    {"81a10001", "a key with NUL"},
};

static void
reads_messagepack_strictly(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(msgpack_cases); i++) {
		g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(msgpack_cases[i].hex, "case", 1024, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(bytes, &error));
		g_test_message("%s: %s", msgpack_cases[i].why, error->message);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* members that nobody knows, of every kind of value, are stepped over */
static void
skips_unknown_messagepack_members(void)
{
	static const guint8 values[] = {
	    0x8d, 0xa1, 'a',  0xc0, 0xa1, 'b',	0xc3, 0xa1, 'c',  0xcb, 0,    0,    0,	  0,	0, 0,	 0,
	    0,	  0xa1, 'd',  0xd0, 0x80, 0xa1, 'e',  0xd4, 0x05, 0x00, 0xa1, 'f',  0xc7, 2,	1, 9,	 9,
	    0xa1, 'g',	0xd9, 1,    'x',  0xa1, 'h',  0x81, 0x01, 0x91, 0xe0, 0xa1, 'i',  0xc4, 0, 0xa1, 'j',
	    0xca, 0,	0,    0,    0,	  0xa1, 'k',  0xcf, 0,	  0,	0,    0,    0,	  0,	0, 0,	 0xa1,
	    'l',  0xdc, 0,    1,    0xd3, 0,	0,    0,    0,	  0,	0,    0,    0};
	g_autoptr(DstackAttestation) from = dstack_test_attestation_new(DSTACK_PLATFORM_TDX);
	g_autoptr(GBytes) known = dstack_test_msgpack_build(from, FALSE);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackAttestation) result = NULL;

	/* 12 pairs of ours and the three known ones: one map of 15 */
	dstack_append_u8(bytes, 0x8f);
	g_byte_array_append(bytes, values + 1, sizeof(values) - 1);
	g_byte_array_append(bytes, (const guint8 *)g_bytes_get_data(known, NULL) + 1,
			    (guint)g_bytes_get_size(known) - 1);
	result = dstack_attestation_parse_messagepack(bytes->data, bytes->len, &error);
	g_assert_no_error(error);
	assert_same(from, result);
}

#define QUOTE "\"quote\":\"aB\",\"event_log\":\"[]\",\"vm_config\":\"{}\""
#define Z32   "00000000000000000000000000000000"

static const struct {
	const gchar *json;
	gboolean good;
} json_cases[] = {
    {"{" QUOTE "}", TRUE},
    {"{" QUOTE ",\"report_data\":\"" Z32 Z32 Z32 Z32 "\",\"debug\":false}", TRUE},
    {"{" QUOTE ",\"attestation\":null}", TRUE},
    {"{" QUOTE ",\"hash_algorithm\":\"raw\",\"prefix\":\"\"}", TRUE},
    {"{\"quote\":\"ab\",\"event_log\":\"[]\"}", TRUE},
    {" \n{" QUOTE "}\n", TRUE},
    {"{" QUOTE ",\"quote\":\"ab\"}", FALSE},
    {"{" QUOTE ",\"report_data\":\"00\"}", FALSE},
    {"{" QUOTE ",\"debug\":\"yes\"}", FALSE},
    {"{" QUOTE ",\"attestation\":\"\"}", FALSE},
    {"{" QUOTE ",\"attestation\":\"0\"}", FALSE},
    {"{" QUOTE ",\"attestation\":\"0g\"}", FALSE},
    {"{" QUOTE ",\"attestation\":1}", FALSE},
    {"{\"quote\":\"abc\",\"event_log\":\"[]\"}", FALSE},
    {"{\"quote\":\"ab\",\"event_log\":\"{}\"}", FALSE},
    {"{\"quote\":\"ab\",\"event_log\":[]}", FALSE},
    {"{\"quote\":\"ab\"}", FALSE},
    {"{\"event_log\":\"[]\",\"vm_config\":\"{}\"}", FALSE},
    {"{}", FALSE},
    {"[]", FALSE},
    {"", FALSE},
    {"04000200", FALSE},
    {"0", FALSE},
};

static void
reads_json_evidence_strictly(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(json_cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackAttestation) result =
		    dstack_attestation_parse((const guint8 *)json_cases[i].json, strlen(json_cases[i].json), &error);

		g_test_message("%s: %s", json_cases[i].json, error != NULL ? error->message : "good");
		g_assert_cmpint(result != NULL, ==, json_cases[i].good);
		if (result == NULL)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
lets_the_attestation_win_with_a_warning(void)
{
	g_autoptr(DstackAttestation) from = dstack_test_attestation_new(DSTACK_PLATFORM_TDX);
	g_autoptr(GBytes) bytes = dstack_test_scale_build(from);
	g_autofree gchar *hex = dstack_hex_encode_bytes(bytes);
	g_autofree gchar *json = g_strdup_printf(
	    "{\"quote\":\"not hex\",\"event_log\":7,\"vm_config\":\"{1}\",\"attestation\":\"%s\"}", hex);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackAttestation) result = dstack_attestation_parse_json(json, strlen(json), &error);

	g_assert_no_error(error);
	assert_same(from, result);
	g_assert_cmpuint(result->warnings->len, ==, 3);
	g_assert_cmpstr(result->external_config, ==, "{1}");
}

/* --- vectors --- */

static DstackAttestation *
read_vector(const gchar *name, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);

	return parse(bytes, error);
}

static void
reads_dstack_evidence(void)
{
	static const struct {
		const gchar *name;
		DstackAttestationForm form;
		guint n_events;
		guint n_warnings;
	} cases[] = {
	    {"tdx/dstack/tdx-lite-getquote.json", DSTACK_FORM_GETQUOTE, 29, 0},
	    {"tdx/dstack/tdx-lite-attestation.json", DSTACK_FORM_SCALE, 12, 0},
	    {"tdx/dstack/guest-agent-attestation-2c4aef25.bin", DSTACK_FORM_SCALE, 33, 0},
	    {"tdx/dstack/report-example.json", DSTACK_FORM_GETQUOTE, 28, 0},
	    {"tdx/dstack/history/attestation-a2335fe4.json", DSTACK_FORM_SCALE, 12, 1},
	    {"tdx/dstack/history/attestation-b6bf4060.json", DSTACK_FORM_SCALE, 12, 1},
	    {"tdx/dstack/history/attestation-cbf01f19.json", DSTACK_FORM_SCALE, 12, 1},
	    {"tdx/dstack/history/getquote-bd92d942.json", DSTACK_FORM_GETQUOTE, 29, 0},
	    {"tdx/dstack/history/getquote-cf45eb4d.json", DSTACK_FORM_GETQUOTE, 29, 0},
	    {"tdx/dstack/history/tdx-measurement-getquote-623613b3.json", DSTACK_FORM_SCALE, 29, 4},
	};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackAttestation) result = read_vector(cases[i].name, &error);

		g_test_message("%s", cases[i].name);
		g_assert_no_error(error);
		g_assert_cmpint(result->form, ==, cases[i].form);
		g_assert_cmpuint(dstack_event_log_size(result->event_log), ==, cases[i].n_events);
		g_assert_cmpuint(result->warnings->len, ==, cases[i].n_warnings);
	}
}

static void
finds_the_same_in_both_forms_of_one_boot(void)
{
	g_autoptr(DstackAttestation) json = NULL;
	g_autoptr(DstackAttestation) scale = NULL;
	g_autoptr(DstackEventLog) stripped = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	json = read_vector("tdx/dstack/tdx-lite-getquote.json", NULL);
	scale = read_vector("tdx/dstack/tdx-lite-attestation.json", NULL);
	g_assert_true(g_bytes_equal(json->quote, scale->quote));
	g_assert_cmpstr(json->config, ==, scale->config);
	g_assert_cmpmem(json->report_data, 64, scale->report_data, 64);
	stripped = dstack_event_log_strip(json->event_log);
	assert_same_log(stripped, scale->event_log);
	g_assert_true(dstack_event_log_is_stripped(scale->event_log));
}

/* the simulator's blob is of an older layout, in which byte 1 was no platform; today that byte says gcp-tdx */
static void
refuses_the_simulators_old_layout_by_name(void)
{
	g_autoptr(GError) error = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	g_assert_null(read_vector("tdx/dstack/simulator-attestation-18da6364.bin", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
}

static void
reads_snp_attestations(void)
{
	g_autoptr(JsonNode) document = NULL;
	JsonArray *cases = NULL;
	guint n_good = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	document = dstack_test_vector_read_json("snp/open/attestation-cases.json");
	cases = json_object_get_array_member(json_node_get_object(document), "cases");
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *entry = json_array_get_object_element(cases, i);
		const gchar *id = json_object_get_string_member(entry, "id");
		g_autofree gchar *name =
		    g_strconcat("snp/", json_object_get_string_member(entry, "file"), NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackAttestation) result = read_vector(name, &error);
		gboolean good = !g_str_equal(id, "attestation-truncated") && !g_str_equal(id, "attestation-version-1");

		g_test_message("%s: %s", id, error != NULL ? error->message : "good");
		g_assert_cmpint(result != NULL, ==, good);
		if (result == NULL) {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
			continue;
		}
		n_good++;
		g_assert_cmpint(result->platform, ==, DSTACK_PLATFORM_SEV_SNP);
		g_assert_cmpuint(g_bytes_get_size(result->report), ==, 1184);
		g_assert_cmpuint(result->cert_chain->len, ==, 2);
	}
	g_assert_cmpuint(n_good, ==, 2);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/attestation/reads-what-was-written-in-every-form", reads_what_was_written_in_every_form);
	g_test_add_func("/attestation/rejects-every-truncation-and-a-trailing-byte",
			rejects_every_truncation_and_a_trailing_byte);
	g_test_add_func("/attestation/survives-every-bit-flip", survives_every_bit_flip);
	g_test_add_func("/attestation/refuses-other-platforms-by-name", refuses_other_platforms_by_name);
	g_test_add_func("/attestation/takes-no-memory-by-a-hostile-length", takes_no_memory_by_a_hostile_length);
	g_test_add_func("/attestation/reads-scale-numbers-in-their-shortest-form-only",
			reads_scale_numbers_in_their_shortest_form_only);
	g_test_add_func("/attestation/reads-messagepack-strictly", reads_messagepack_strictly);
	g_test_add_func("/attestation/skips-unknown-messagepack-members", skips_unknown_messagepack_members);
	g_test_add_func("/attestation/reads-json-evidence-strictly", reads_json_evidence_strictly);
	g_test_add_func("/attestation/lets-the-attestation-win-with-a-warning",
			lets_the_attestation_win_with_a_warning);
	g_test_add_func("/attestation/vectors/reads-dstack-evidence", reads_dstack_evidence);
	g_test_add_func("/attestation/vectors/finds-the-same-in-both-forms-of-one-boot",
			finds_the_same_in_both_forms_of_one_boot);
	g_test_add_func("/attestation/vectors/refuses-the-simulators-old-layout-by-name",
			refuses_the_simulators_old_layout_by_name);
	g_test_add_func("/attestation/vectors/reads-snp-attestations", reads_snp_attestations);
	return g_test_run();
}
