/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "tdx/quote.h"

#include <string.h>

#include "base/limits.h"
#include "dstack/error.h"
#include "support/tdx-forge.h"
#include "support/vectors.h"

static const struct {
	guint16 version;
	DstackQuoteBodyType type;
	gsize body_at;
	gsize authentication_at; /* where its length stands */
} kinds[] = {
    {3, DSTACK_QUOTE_SGX, 48, 432},	{4, DSTACK_QUOTE_SGX, 48, 432},	 {5, DSTACK_QUOTE_SGX, 54, 438},
    {4, DSTACK_QUOTE_TD10, 48, 632},	{5, DSTACK_QUOTE_TD10, 54, 638}, {5, DSTACK_QUOTE_TD15, 54, 702},
    {5, DSTACK_QUOTE_TD15_EX, 54, 939},
};

static GBytes *
forge_quote(gsize kind)
{
	g_auto(DstackForge) forge = {0};
	g_auto(DstackForged) forged = {0};

	dstack_forge_init(&forge);
	if (kinds[kind].type == DSTACK_QUOTE_SGX)
		dstack_forge_make_sgx(&forge, kinds[kind].version);
	forge.version = kinds[kind].version;
	forge.body_type = kinds[kind].type;
	/* a different value in every field, so that one read at the wrong place shows */
	memset(forge.td.rtmr3, 0x33, sizeof(forge.td.rtmr3));
	memset(forge.td.report_data, 0x44, sizeof(forge.td.report_data));
	memset(forge.td.current_servtd_attributes, 0x55, sizeof(forge.td.current_servtd_attributes));
	memset(forge.sgx.report_data, 0x44, sizeof(forge.sgx.report_data));
	dstack_forge_build(&forge, &forged);
	return g_bytes_ref(forged.quote);
}

static void
reads_every_version_and_body(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GBytes) bytes = forge_quote(i);
		const guint8 *data = g_bytes_get_data(bytes, NULL);
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};
		const guint8 *report_data = NULL;

		g_assert_true(dstack_quote_parse(&quote, data, g_bytes_get_size(bytes), &error));
		g_assert_no_error(error);
		g_assert_cmpuint(quote.version, ==, kinds[i].version);
		g_assert_cmpint(quote.body_type, ==, kinds[i].type);
		g_assert_cmpint(dstack_quote_is_tdx(&quote), ==, kinds[i].type != DSTACK_QUOTE_SGX);
		g_assert_true(quote.body.data == data + kinds[i].body_at);
		g_assert_true(quote.signed_bytes.data == data);
		g_assert_cmpuint(quote.signed_bytes.size, ==, kinds[i].authentication_at);
		g_assert_cmpuint(quote.qe_report_bytes.size, ==, 384);
		g_assert_cmpint(quote.certification.type, ==, DSTACK_CERTIFICATION_PCK_CHAIN);
		report_data = dstack_quote_is_tdx(&quote) ? quote.td.report_data : quote.sgx.report_data;
		g_assert_cmphex(report_data[0], ==, 0x44);
		g_assert_cmphex(report_data[63], ==, 0x44);
		g_assert_cmphex(quote.td.rtmr3[47], ==, dstack_quote_is_tdx(&quote) ? 0x33 : 0);
		g_assert_cmphex(quote.td.current_servtd_attributes[7], ==,
				kinds[i].type == DSTACK_QUOTE_TD15_EX ? 0x55 : 0);
		g_assert_true(dstack_quote_looks_like(data, g_bytes_get_size(bytes)));
	}
}

static void
rejects_every_truncation(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GBytes) whole = forge_quote(i);
		gsize size = g_bytes_get_size(whole);

		for (gsize len = 0; len < size; len++) {
			g_autofree guint8 *cut = g_memdup2(g_bytes_get_data(whole, NULL), len);
			g_autoptr(GError) error = NULL;
			DstackQuote quote = {.version = 42};

			g_assert_false(dstack_quote_parse(&quote, cut, len, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
			g_assert_cmpuint(quote.version, ==, 42);
		}
	}
}

/* a flip of any bit is read or refused; the signatures are another's business */
static void
survives_every_bit_flip(void)
{
	g_autoptr(GBytes) whole = forge_quote(5);
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(whole, &size);
	g_autofree guint8 *copy = g_memdup2(data, size);

	for (gsize bit = 0; bit < 8 * size; bit++) {
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};

		copy[bit / 8] ^= (guint8)(1u << (bit % 8));
		g_assert_cmpint(dstack_quote_parse(&quote, copy, size, &error), ==, error == NULL);
		copy[bit / 8] ^= (guint8)(1u << (bit % 8));
	}
}

static void
allows_only_zeros_after_the_quote(void)
{
	g_autoptr(GBytes) whole = forge_quote(3);
	gsize size = g_bytes_get_size(whole);
	g_autofree guint8 *padded = g_malloc0(size + 100);
	g_autoptr(GError) error = NULL;
	DstackQuote quote = {0};

	memcpy(padded, g_bytes_get_data(whole, NULL), size);
	g_assert_true(dstack_quote_parse(&quote, padded, size + 100, &error));
	g_assert_cmpuint(quote.n_padding, ==, 100);
	padded[size + 99] = 1;
	g_assert_false(dstack_quote_parse(&quote, padded, size + 100, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

/* header and body descriptor of a version 5 quote; each case sets one byte */
static const struct {
	gsize offset;
	guint8 value;
	const gchar *why;
} header_cases[] = {
    {0, 2, "version"},	  {0, 6, "version"},	 {1, 1, "version"},    {2, 3, "attestation key type"},
    {4, 0, "body type"},  {4, 0x82, "TEE type"}, {7, 1, "TEE type"},   {12, 0, "vendor"},
    {27, 0, "vendor"},	  {48, 0, "body type"},	 {48, 1, "body type"}, {48, 2, "bytes"},
    {48, 5, "body type"}, {49, 1, "body type"},	 {50, 0x89, "bytes"},  {53, 1, "bytes"},
};

static void
refuses_headers_that_it_does_not_know(void)
{
	g_autoptr(GBytes) whole = forge_quote(5);
	gsize size = g_bytes_get_size(whole);

	for (gsize i = 0; i < G_N_ELEMENTS(header_cases); i++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(whole, NULL), size);
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};

		copy[header_cases[i].offset] = header_cases[i].value;
		g_assert_false(dstack_quote_parse(&quote, copy, size, &error));
		g_test_message("%s", error->message);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_nonnull(strstr(error->message, header_cases[i].why));
	}
}

static const struct {
	guint16 type;
	gsize size;
	gboolean good;
} certification_cases[] = {
    {1, 36, TRUE},  {1, 35, FALSE},  {1, 37, FALSE}, {2, 276, TRUE}, {2, 36, FALSE},
    {3, 404, TRUE}, {3, 403, FALSE}, {4, 36, FALSE}, {5, 36, FALSE}, {6, 36, FALSE},
    {7, 36, TRUE},  {7, 0, TRUE},    {0, 36, FALSE}, {8, 36, FALSE}, {0x105, 36, FALSE},
};

static void
holds_certification_data_to_its_type(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(certification_cases); i++) {
		g_auto(DstackForge) forge = {0};
		g_auto(DstackForged) forged = {0};
		g_autofree guint8 *zeros = g_malloc0(512);
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};

		zeros[certification_cases[i].size > 4 ? certification_cases[i].size - 4 : 0] = 7;
		dstack_forge_init(&forge);
		forge.certification_type = certification_cases[i].type;
		g_clear_pointer(&forge.certification_data, g_bytes_unref);
		forge.certification_data = g_bytes_new(zeros, certification_cases[i].size);
		dstack_forge_build(&forge, &forged);
		g_assert_cmpint(dstack_quote_parse(&quote, g_bytes_get_data(forged.quote, NULL),
						   g_bytes_get_size(forged.quote), &error),
				==, certification_cases[i].good);
		g_test_message("type %u, %" G_GSIZE_FORMAT " bytes: %s", certification_cases[i].type,
			       certification_cases[i].size, error != NULL ? error->message : "good");
		if (certification_cases[i].good && certification_cases[i].type <= 3)
			g_assert_cmpuint(quote.certification.pcesvn, ==, 7);
		if (!certification_cases[i].good)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_more_than_a_quote_can_be(void)
{
	g_autofree guint8 *data = g_malloc0(DSTACK_LIMIT_QUOTE + 1);
	g_autoptr(GError) error = NULL;
	DstackQuote quote = {0};

	g_assert_false(dstack_quote_parse(&quote, data, DSTACK_LIMIT_QUOTE + 1, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
lists_every_field_of_every_body(void)
{
	gsize n = 0;
	const DstackField *fields = dstack_quote_header_fields(&n);

	g_assert_cmpuint(fields[n - 1].offset + fields[n - 1].size, ==, 48);
	fields = dstack_sgx_body_fields(&n);
	g_assert_cmpuint(fields[n - 1].offset + fields[n - 1].size, ==, 384);
	fields = dstack_td_body_fields(DSTACK_QUOTE_TD10, &n);
	g_assert_cmpuint(n, ==, 15);
	g_assert_cmpuint(fields[n - 1].offset + fields[n - 1].size, ==, DSTACK_TD10_SIZE);
	fields = dstack_td_body_fields(DSTACK_QUOTE_TD15, &n);
	g_assert_cmpuint(fields[n - 1].offset + fields[n - 1].size, ==, DSTACK_TD15_SIZE);
	fields = dstack_td_body_fields(DSTACK_QUOTE_TD15_EX, &n);
	g_assert_cmpuint(fields[n - 1].offset + fields[n - 1].size, ==, DSTACK_TD15EX_SIZE);
}

static const gchar *const real_quotes[] = {
    "tdx/quote/cctrusted-quote.bin",
    "tdx/quote/cos-113-tdx-quote.dat",
    "tdx/quote/dstack-ra-tls-tdx_quote.bin",
    "tdx/tcb-info/near-0.4-7c8a9a7b.quote.bin",
    "tdx/tcb-info/near-0.5-25f37526.quote.bin",
    "tdx/tcb-info/near-0.5-c57833c3.quote.bin",
};

static void
reads_every_real_quote(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(real_quotes); i++) {
		g_autoptr(GBytes) bytes = dstack_test_vector_read(real_quotes[i]);
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};

		g_assert_true(
		    dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error));
		g_assert_no_error(error);
		g_assert_cmpint(quote.body_type, ==, DSTACK_QUOTE_TD10);
		/* as evidence.md says of all real quotes */
		g_assert_cmpuint(quote.qe_auth_data.size, ==, 32);
		g_assert_cmpint(quote.certification.type, ==, DSTACK_CERTIFICATION_PCK_CHAIN);
	}
}

/* of a case that a strict verifier accepts, the quote can be read; the kinds that there are */
static void
reads_every_accepted_dcap_quote(void)
{
	g_autoptr(JsonNode) document = NULL;
	JsonArray *cases = NULL;
	guint n_read = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	document = dstack_test_vector_read_json("dcap/cases.json");
	cases = JSON_NODE_HOLDS_ARRAY(document) ? json_node_get_array(document)
						: json_object_get_array_member(json_node_get_object(document), "cases");
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *entry = json_array_get_object_element(cases, i);
		JsonObject *strict =
		    json_object_has_member(entry, "strict") ? json_object_get_object_member(entry, "strict") : NULL;
		g_autofree gchar *name = g_strconcat("dcap/", json_object_get_string_member(entry, "quote"), NULL);
		g_autoptr(GBytes) bytes = dstack_test_vector_read(name);
		g_autoptr(GError) error = NULL;
		DstackQuote quote = {0};
		gboolean read =
		    dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error);

		n_read += read ? 1 : 0;
		if (strict == NULL || json_object_has_member(strict, "policy_question"))
			continue;
		if (g_strcmp0(json_object_get_string_member(strict, "verdict"), "accept") == 0) {
			g_test_message("%s", json_object_get_string_member(entry, "id"));
			g_assert_no_error(error);
			g_assert_true(read);
		}
	}
	g_test_message("%u of %u quotes can be read", n_read, json_array_get_length(cases));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/quote/reads-every-version-and-body", reads_every_version_and_body);
	g_test_add_func("/quote/rejects-every-truncation", rejects_every_truncation);
	g_test_add_func("/quote/survives-every-bit-flip", survives_every_bit_flip);
	g_test_add_func("/quote/allows-only-zeros-after-the-quote", allows_only_zeros_after_the_quote);
	g_test_add_func("/quote/refuses-headers-that-it-does-not-know", refuses_headers_that_it_does_not_know);
	g_test_add_func("/quote/holds-certification-data-to-its-type", holds_certification_data_to_its_type);
	g_test_add_func("/quote/refuses-more-than-a-quote-can-be", refuses_more_than_a_quote_can_be);
	g_test_add_func("/quote/lists-every-field-of-every-body", lists_every_field_of_every_body);
	g_test_add_func("/quote/vectors/reads-every-real-quote", reads_every_real_quote);
	g_test_add_func("/quote/vectors/reads-every-accepted-dcap-quote", reads_every_accepted_dcap_quote);
	return g_test_run();
}
