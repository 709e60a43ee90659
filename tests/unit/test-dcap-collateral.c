/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Loading collateral: its forms, what makes it unreadable, the exact bytes that count, the root it is checked under.
 */

#include "config.h"

#include <string.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "base/hex.h"
#include "base/x509.h"
#include "dcap/chain.h"
#include "dcap/collateral-parts.h"
#include "dcap/crl.h"
#include "dcap/verify.h"
#include "dstack/error.h"
#include "support/pki.h"
#include "support/tdx-forge-internal.h"
#include "support/vectors.h"

typedef struct {
	DstackForge forge;
	DstackForged forged;
	DstackQuote quote;
} Fixture;

static void
fixture_init(Fixture *self)
{
	dstack_forge_init(&self->forge);
	dstack_forge_build(&self->forge, &self->forged);
	g_assert_true(dstack_quote_parse(&self->quote, g_bytes_get_data(self->forged.quote, NULL),
					 g_bytes_get_size(self->forged.quote), NULL));
}

static void
fixture_clear(Fixture *self)
{
	dstack_forged_clear(&self->forged);
	dstack_forge_clear(&self->forge);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static DstackCollateral *
parse(const gchar *text, const DstackContext *context, GError **error)
{
	return dstack_collateral_parse(text, strlen(text), context, error);
}

/* the forged collateral with one member replaced; NULL drops it */
static gchar *
with_member(const Fixture *self, const gchar *member, const gchar *value)
{
	g_autoptr(JsonNode) root = json_from_string(self->forged.collateral, NULL);
	JsonObject *object = json_node_get_object(root);

	if (value == NULL)
		json_object_remove_member(object, member);
	else
		json_object_set_string_member(object, member, value);
	return json_to_string(root, FALSE);
}

static gchar *
get_member(const Fixture *self, const gchar *member)
{
	g_autoptr(JsonNode) root = json_from_string(self->forged.collateral, NULL);

	return g_strdup(json_object_get_string_member(json_node_get_object(root), member));
}

/* --- forms --- */

static void
reads_lists_as_der_hex_and_pem(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *hex = NULL;
	g_autofree gchar *upper = NULL;
	g_autofree gchar *spaced = NULL;
	g_autofree gchar *base64 = NULL;
	g_autofree gchar *pem = NULL;
	g_autofree gchar *twice = NULL;
	g_autoptr(GBytes) der = NULL;

	fixture_init(&fixture);
	hex = get_member(&fixture, "pck_crl");
	der = dstack_hex_decode_bytes(hex, "list", 1 << 20, NULL);
	base64 = dstack_base64_encode(der);
	upper = g_ascii_strup(hex, -1);
	spaced = g_strconcat(hex, "\n", NULL);
	pem = g_strconcat("-----BEGIN X509 CRL-----\n", base64, "\n-----END X509 CRL-----\n", NULL);
	twice = g_strconcat(pem, pem, NULL);
	{
		const struct {
			gconstpointer data;
			gsize size;
			gboolean good;
		} lines[] = {
		    {g_bytes_get_data(der, NULL), g_bytes_get_size(der), TRUE},
		    {hex, strlen(hex), TRUE},
		    {upper, strlen(upper), TRUE},
		    {spaced, strlen(spaced), TRUE},
		    {pem, strlen(pem), TRUE},
		    {twice, strlen(twice), FALSE},
		    {pem, strlen(pem) - 5, FALSE},
		    {hex, strlen(hex) - 1, FALSE},
		    {hex, strlen(hex) - 2, FALSE},
		    {base64, strlen(base64), FALSE},
		    {"", 0, FALSE},
		};

		for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
			X509_CRL *crl = dstack_crl_parse(lines[i].data, lines[i].size, "list", NULL);

			g_assert_cmpint(crl != NULL, ==, lines[i].good);
			if (crl != NULL)
				g_assert_cmpuint(dstack_crl_get_number(crl), ==, 57);
			X509_CRL_free(crl);
		}
	}
}

static void
write_file(const gchar *dir, const gchar *name, const gchar *text)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
remove_file(const gchar *dir, const gchar *name)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_cmpint(g_unlink(path), ==, 0);
}

static const struct {
	const gchar *member;
	const gchar *file;
} files[] = {
    {"pck_crl_issuer_chain", "pck_crl_issuer_chain.pem"},
    {"root_ca_crl", "root_ca_crl.hex"},
    {"pck_crl", "pck_crl.crl"},
    {"tcb_info_issuer_chain", "tcb_info_issuer_chain.pem"},
    {"qe_identity_issuer_chain", "qe_identity_issuer_chain.pem"},
    {"qe_identity", "qe_identity.json"},
    {"qe_identity_signature", "qe_identity_signature.hex"},
};

/* TCB info as Intel's service answers, QE identity bare with its signature beside it */
static void
reads_a_directory(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *dir = g_dir_make_tmp("test-collateral-XXXXXX", NULL);
	g_autofree gchar *document = NULL;
	g_autofree gchar *signature = NULL;
	g_autofree gchar *envelope = NULL;
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree gchar *text = get_member(&fixture, files[i].member);
		g_autofree gchar *line = g_strconcat(text, "\n", NULL);

		write_file(dir, files[i].file, line);
	}
	g_assert_null(dstack_collateral_load(dir, &fixture.forged.context, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
	g_clear_error(&error);
	document = get_member(&fixture, "tcb_info");
	signature = get_member(&fixture, "tcb_info_signature");
	envelope = g_strdup_printf("{ \"tcbInfo\" : %s , \"signature\":\"%s\"}\n", document, signature);
	write_file(dir, "tcb_info.json", envelope);
	collateral = dstack_collateral_load(dir, &fixture.forged.context, &error);
	g_assert_no_error(error);
	g_assert_true(dstack_collateral_ensure_authentic(collateral, &error));
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		remove_file(dir, files[i].file);
	remove_file(dir, "tcb_info.json");
	g_rmdir(dir);
}

static void
reads_a_file_and_ignores_unknown_members(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *dir = g_dir_make_tmp("test-collateral-XXXXXX", NULL);
	g_autofree gchar *path = g_build_filename(dir, "c.json", NULL);
	g_autofree gchar *text = NULL;
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	text = with_member(&fixture, "pck_certificate_chain", "whatever");
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	collateral = dstack_collateral_load(path, &fixture.forged.context, &error);
	g_assert_no_error(error);
	g_assert_true(dstack_collateral_ensure_authentic(collateral, &error));
	g_unlink(path);
	g_rmdir(dir);
	g_assert_null(dstack_collateral_load(path, &fixture.forged.context, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

/* --- what makes it unreadable --- */

static void
wants_every_member(void)
{
	g_auto(Fixture) fixture = {0};

	fixture_init(&fixture);
	for (guint i = 0; i < DSTACK_N_PARTS; i++) {
		const gchar *const values[] = {NULL, "", "x", "{}"};

		for (gsize k = 0; k < G_N_ELEMENTS(values); k++) {
			g_autofree gchar *text = with_member(&fixture, dstack_part_to_string(i), values[k]);
			g_autoptr(GError) error = NULL;

			g_assert_null(parse(text, &fixture.forged.context, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		}
	}
}

static void
rejects_every_truncation(void)
{
	g_auto(Fixture) fixture = {0};
	gsize size = 0;

	fixture_init(&fixture);
	size = strlen(fixture.forged.collateral);
	for (gsize cut = 0; cut < size; cut += 7)
		g_assert_null(dstack_collateral_parse(fixture.forged.collateral, cut, &fixture.forged.context, NULL));
	g_assert_null(dstack_collateral_parse(fixture.forged.collateral, size - 1, &fixture.forged.context, NULL));
}

/* a good TCB info with one piece of its text replaced */
static const struct {
	const gchar *find;
	const gchar *replace;
	gboolean good;
} tcb_infos[] = {
    {"\"version\":3", "\"version\":3,\"new\":{\"a\":[1]}", TRUE},
    {"\"version\":3", "\"version\":4", FALSE},
    {"\"version\":3", "\"version\":2", FALSE}, /* which has no id */
    {"\"version\":3,", "", FALSE},
    {"\"version\":3", "\"version\":3,\"version\":3", FALSE},
    {"\"id\":\"TDX\"", "\"id\":\"tdx\"", FALSE},
    {"\"id\":\"TDX\"", "\"id\":\"SGX\"", FALSE}, /* which has no module */
    {"\"id\":\"TDX\"", "\"id\":\"\\u0054DX\"", TRUE},
    {"\"tcbType\":0", "\"tcbType\":1", FALSE},
    {"\"tcbType\":0,", "", FALSE},
    {"\"fmspc\":\"00806f050000\"", "\"fmspc\":\"00806f0500\"", FALSE},
    {"\"fmspc\":\"00806f050000\"", "\"fmspc\":\"00806f05000g\"", FALSE},
    {"\"pceId\":\"0000\",", "", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"2025-12-22T00:00:00.000Z\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"2025-12-22T00:00:00+00:00\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"2025-12-22 00:00:00Z\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"2025-12-22T00:00:00\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"2025-02-29T00:00:00Z\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":\"20251222T000000Z\"", FALSE},
    {"\"issueDate\":\"2025-12-22T00:00:00Z\"", "\"issueDate\":1", FALSE},
    {"\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"uptodate\"", FALSE},
    {"\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":null", FALSE},
    {"{\"svn\":5}", "{\"svn\":256}", FALSE},
    {"{\"svn\":5}", "{\"svn\":-1}", FALSE},
    {"{\"svn\":5}", "{\"svn\":5.0}", FALSE},
    {"{\"svn\":5}", "{\"svn\":\"5\"}", FALSE},
    {"{\"svn\":5},", "", FALSE},		       /* 15 components */
    {"{\"svn\":5}", "{\"svn\":5},{\"svn\":5}", FALSE}, /* 17 */
    {"{\"svn\":5}", "5", FALSE},
    {"{\"svn\":5}", "{}", FALSE},
    {"{\"svn\":5}", "{\"svn\":5,\"category\":\"BIOS\"}", TRUE},
    {"\"pcesvn\":11", "\"pcesvn\":65536", FALSE},
    {"\"pcesvn\":11", "\"pcesvn\":18446744073709551616", FALSE},
    {"\"tdxtcbcomponents\"", "\"tdxtcbcomponent\"", FALSE},
    {"\"tdxModule\"", "\"tdxmodule\"", FALSE},
    {"\"isvsvn\":2", "\"isvsvn\":3", FALSE}, /* the same level twice */
    {"\"isvsvn\":2", "\"isvsvn\":70000", FALSE},
    {"[\"INTEL-SA-00001\"]", "[1]", FALSE},
    {"[\"INTEL-SA-00001\"]", "\"INTEL-SA-00001\"", FALSE},
    {"[\"INTEL-SA-00001\"]", "[]", TRUE},
};

static gchar *
replace_once(const gchar *text, const gchar *find, const gchar *replace)
{
	const gchar *at = strstr(text, find);
	g_autofree gchar *head = NULL;

	g_assert_nonnull(at);
	head = g_strndup(text, (gsize)(at - text));
	return g_strconcat(head, replace, at + strlen(find), NULL);
}

static void
reads_tcb_info_strictly(void)
{
	g_auto(DstackForge) forge = {0};
	g_autofree gchar *good = NULL;

	dstack_forge_init(&forge);
	good = dstack_forge_tcb_info(&forge);
	for (gsize cut = 0; cut < strlen(good); cut++)
		g_assert_null(dstack_tcb_info_parse(good, cut, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(tcb_infos); i++) {
		g_autofree gchar *text = replace_once(good, tcb_infos[i].find, tcb_infos[i].replace);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackTcbInfo) info = dstack_tcb_info_parse(text, strlen(text), &error);

		if (error != NULL)
			g_test_message("%s: %s", tcb_infos[i].replace, error->message);
		g_assert_cmpint(info != NULL, ==, tcb_infos[i].good);
		if (info == NULL)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static const struct {
	const gchar *find;
	const gchar *replace;
	gboolean good;
} qe_identities[] = {
    {"\"version\":2", "\"version\":2,\"new\":null", TRUE},
    {"\"version\":2", "\"version\":1", FALSE},
    {"\"version\":2", "\"version\":3", FALSE},
    {"\"id\":\"TD_QE\"", "\"id\":\"td_qe\"", FALSE},
    {"\"id\":\"TD_QE\"", "\"id\":\"QVE\"", TRUE},
    {"\"miscselectMask\":\"FFFFFFFF\"", "\"miscselectMask\":\"FFFFFF\"", FALSE},
    {"\"attributesMask\":\"FBFF", "\"attributesMask\":\"FBFFF", FALSE},
    {"\"mrsigner\"", "\"mrSigner\"", FALSE},
    {"\"isvprodid\":2", "\"isvprodid\":65536", FALSE},
    {"\"isvsvn\":8", "\"isvsvn\":4", FALSE},
    {"\"tcbLevels\":[", "\"tcbLevels\":[],\"x\":[", FALSE},
};

static void
reads_qe_identity_strictly(void)
{
	g_auto(DstackForge) forge = {0};
	g_autofree gchar *good = NULL;

	dstack_forge_init(&forge);
	good = dstack_forge_qe_identity(&forge);
	for (gsize cut = 0; cut < strlen(good); cut++)
		g_assert_null(dstack_qe_identity_parse(good, cut, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(qe_identities); i++) {
		g_autofree gchar *text = replace_once(good, qe_identities[i].find, qe_identities[i].replace);
		g_autoptr(DstackQeIdentity) identity = dstack_qe_identity_parse(text, strlen(text), NULL);

		g_assert_cmpint(identity != NULL, ==, qe_identities[i].good);
	}
}

static void
survives_deep_nesting(void)
{
	g_auto(DstackForge) forge = {0};
	g_autofree gchar *good = NULL;
	g_autoptr(GString) deep = g_string_new("\"version\":3,\"x\":");
	g_autofree gchar *text = NULL;

	dstack_forge_init(&forge);
	good = dstack_forge_tcb_info(&forge);
	for (guint i = 0; i < 100000; i++)
		g_string_append_c(deep, '[');
	for (guint i = 0; i < 100000; i++)
		g_string_append_c(deep, ']');
	text = replace_once(good, "\"version\":3", deep->str);
	g_assert_null(dstack_tcb_info_parse(text, strlen(text), NULL));
}

/* --- the bytes that count --- */

static const struct {
	const gchar *member;
	const gchar *find;
	const gchar *replace;
} rewritten[] = {
    {"tcb_info", "\"version\":3", "\"version\": 3"},
    {"tcb_info", "\"tcbStatus\":\"OutOfDate\"", "\"tcbStatus\":\"UpToDate\""},
    {"tcb_info", "\"id\":\"TDX\"", "\"id\":\"\\u0054DX\""},
    {"qe_identity", "\"version\":2", "\"version\":2 "},
    {"qe_identity", "\"isvsvn\":8", "\"isvsvn\":7"},
};

static void
verifies_the_bytes_it_was_given(void)
{
	g_auto(Fixture) fixture = {0};

	fixture_init(&fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(rewritten); i++) {
		g_autofree gchar *before = get_member(&fixture, rewritten[i].member);
		g_autofree gchar *after = replace_once(before, rewritten[i].find, rewritten[i].replace);
		g_autofree gchar *text = with_member(&fixture, rewritten[i].member, after);
		g_autoptr(DstackCollateral) collateral = parse(text, &fixture.forged.context, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_nonnull(collateral);
		g_assert_false(dstack_collateral_ensure_authentic(collateral, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	}
}

/* --- the root --- */

/* the constant in chain.c, found again from the certificates that are in the field */
static void
pins_the_key_of_intels_root(void)
{
	DstackContext context = {0};
	DstackTrustAnchor anchor;
	g_autoptr(GBytes) der = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree gchar *hex = NULL;
	DstackSha256 spki;
	DstackSha256 digest;
	X509 *root = NULL;

	g_assert_true(dstack_trust_anchor_init(&anchor, &context, &error));
	g_assert_true(anchor.is_pinned);
	hex = dstack_sha256_to_hex(&anchor.spki);
	g_assert_cmpstr(hex, ==, "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e");
	if (dstack_test_vectors_dir() == NULL)
		return;
	der = dstack_test_vector_read("dcap/roots/intel_sgx_root_ca.der");
	digest = dstack_sha256_bytes(der);
	g_free(hex);
	hex = dstack_sha256_to_hex(&digest);
	g_assert_cmpstr(hex, ==, "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
	root = dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), "root", &error);
	g_assert_no_error(error);
	spki = dstack_x509_spki_sha256(root);
	g_assert_true(dstack_sha256_equal(&spki, &anchor.spki));
	X509_free(root);
}

/* a root issued anew: another certificate, the same key */
static void
trusts_the_key_and_not_the_certificate(void)
{
	g_auto(Fixture) fixture = {0};
	DstackPkiSpec spec = {.cn = "Some other name", .serial = 4711, .not_after = 1};
	g_autoptr(GBytes) der = NULL;
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(DstackDcapResult) result = NULL;
	DstackContext context;
	X509 *again = NULL;

	fixture_init(&fixture);
	again = dstack_pki_cert_new(&spec, fixture.forge.keys[DSTACK_FORGE_ROOT], NULL,
				    fixture.forge.keys[DSTACK_FORGE_ROOT]);
	der = dstack_pki_cert_to_der(again);
	context = (DstackContext){.now = DSTACK_FORGE_NOW, .root_der = der};
	collateral = parse(fixture.forged.collateral, &context, NULL);
	result = dstack_dcap_verify(&fixture.quote, collateral, &context, 0);
	g_assert_no_error(result->error);
	g_assert_true(dstack_dcap_result_is_valid(result));
	X509_free(again);
}

static void
refuses_a_root_that_is_none(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) rubbish = g_bytes_new_static("rubbish", 7);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDcapResult) result = NULL;
	DstackContext context = {.now = DSTACK_FORGE_NOW, .root_der = rubbish};

	fixture_init(&fixture);
	g_assert_null(parse(fixture.forged.collateral, &context, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	result = dstack_dcap_verify(&fixture.quote, NULL, &context, 0);
	g_assert_false(dstack_dcap_result_is_signed(result));
}

/* --- loaded once, used many times --- */

/* a chain that is remembered is dated and looked up in the lists anew each time */
static void
remembers_chains_but_not_their_dates(void)
{
	g_auto(DstackForge) forge = {0};
	g_auto(DstackForged) forged = {0};
	g_autoptr(DstackCollateral) collateral = NULL;
	DstackQuote quote;
	DstackContext context;
	const gint64 end = DSTACK_FORGE_NOW + 60;
	const struct {
		gint64 now;
		gboolean good;
	} times[] = {{DSTACK_FORGE_NOW, TRUE}, {end, TRUE}, {end + 1, FALSE}, {DSTACK_FORGE_NOW, TRUE}, {0, FALSE}};

	dstack_forge_init(&forge);
	forge.dates[DSTACK_FORGE_PCK].to = end;
	dstack_forge_build(&forge, &forged);
	context = forged.context;
	collateral = parse(forged.collateral, &context, NULL);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(forged.quote, NULL), g_bytes_get_size(forged.quote), NULL));
	g_assert_null(
	    dstack_collateral_find_chain(collateral, quote.certification.data.data, quote.certification.data.size));
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		g_autoptr(DstackDcapResult) result = NULL;
		g_autoptr(DstackChain) chain = NULL;

		context.now = times[i].now;
		result = dstack_dcap_verify(&quote, collateral, &context, 0);
		g_assert_cmpint(dstack_dcap_result_is_valid(result), ==, times[i].good);
		chain = dstack_collateral_find_chain(collateral, quote.certification.data.data,
						     quote.certification.data.size);
		g_assert_nonnull(chain);
	}
}

/* what leads nowhere is not remembered, and what is remembered is bounded */
static void
remembers_only_what_was_authentic(void)
{
	g_auto(Fixture) fixture = {0};
	g_auto(DstackForge) evil = {0};
	g_auto(DstackForged) forged = {0};
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(DstackDcapResult) result = NULL;
	g_autoptr(DstackChain) chain = NULL;
	g_autoptr(DstackChain) first = NULL;
	DstackQuote quote;

	fixture_init(&fixture);
	dstack_forge_init(&evil);
	dstack_forge_build(&evil, &forged);
	collateral = parse(fixture.forged.collateral, &fixture.forged.context, NULL);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(forged.quote, NULL), g_bytes_get_size(forged.quote), NULL));
	result = dstack_dcap_verify(&quote, collateral, &fixture.forged.context, 0);
	g_assert_cmpint(result->state[DSTACK_DCAP_PCK_CHAIN], ==, DSTACK_DCAP_FAILED);
	g_assert_null(
	    dstack_collateral_find_chain(collateral, quote.certification.data.data, quote.certification.data.size));
	chain = dstack_chain_parse(DSTACK_CHAIN_PCK, (const gchar *)quote.certification.data.data,
				   quote.certification.data.size, "chain", NULL);
	for (guint32 i = 0; i <= DSTACK_LIMIT_KNOWN_CHAINS; i++)
		dstack_collateral_remember_chain(collateral, (const guint8 *)&i, sizeof(i), chain);
	first = dstack_collateral_find_chain(collateral, (const guint8 *)"\0\0\0\0", 4);
	g_assert_null(first);
}

static gpointer
verify_often(gpointer data)
{
	Fixture *fixture = data;
	g_autoptr(DstackCollateral) collateral = parse(fixture->forged.collateral, &fixture->forged.context, NULL);

	for (guint i = 0; i < 50; i++) {
		g_autoptr(DstackDcapResult) result =
		    dstack_dcap_verify(&fixture->quote, collateral, &fixture->forged.context, 0);

		g_assert_true(dstack_dcap_result_is_valid(result));
	}
	return NULL;
}

typedef struct {
	Fixture *fixture;
	DstackCollateral *collateral;
} Shared;

static gpointer
verify_with_shared(gpointer data)
{
	Shared *shared = data;

	for (guint i = 0; i < 200; i++) {
		g_autoptr(DstackDcapResult) result = dstack_dcap_verify(&shared->fixture->quote, shared->collateral,
									&shared->fixture->forged.context, 0);

		g_assert_true(dstack_dcap_result_is_valid(result));
	}
	return NULL;
}

static void
may_be_shared_by_threads(void)
{
	g_auto(Fixture) fixture = {0};
	Shared shared = {.fixture = &fixture};
	GThread *threads[4];

	fixture_init(&fixture);
	shared.collateral = parse(fixture.forged.collateral, &fixture.forged.context, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
		threads[i] = i % 2 == 0 ? g_thread_new("shared", verify_with_shared, &shared)
					: g_thread_new("own", verify_often, &fixture);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	dstack_collateral_unref(shared.collateral);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/collateral/reads-lists-as-der-hex-and-pem", reads_lists_as_der_hex_and_pem);
	g_test_add_func("/dcap/collateral/reads-a-directory", reads_a_directory);
	g_test_add_func("/dcap/collateral/reads-a-file-and-ignores-unknown-members",
			reads_a_file_and_ignores_unknown_members);
	g_test_add_func("/dcap/collateral/wants-every-member", wants_every_member);
	g_test_add_func("/dcap/collateral/rejects-every-truncation", rejects_every_truncation);
	g_test_add_func("/dcap/collateral/reads-tcb-info-strictly", reads_tcb_info_strictly);
	g_test_add_func("/dcap/collateral/reads-qe-identity-strictly", reads_qe_identity_strictly);
	g_test_add_func("/dcap/collateral/survives-deep-nesting", survives_deep_nesting);
	g_test_add_func("/dcap/collateral/verifies-the-bytes-it-was-given", verifies_the_bytes_it_was_given);
	g_test_add_func("/dcap/collateral/pins-the-key-of-intels-root", pins_the_key_of_intels_root);
	g_test_add_func("/dcap/collateral/trusts-the-key-and-not-the-certificate",
			trusts_the_key_and_not_the_certificate);
	g_test_add_func("/dcap/collateral/refuses-a-root-that-is-none", refuses_a_root_that_is_none);
	g_test_add_func("/dcap/collateral/remembers-chains-but-not-their-dates", remembers_chains_but_not_their_dates);
	g_test_add_func("/dcap/collateral/remembers-only-what-was-authentic", remembers_only_what_was_authentic);
	g_test_add_func("/dcap/collateral/may-be-shared-by-threads", may_be_shared_by_threads);
	return g_test_run();
}
