/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PCCS of the test's own, which hands out forged collateral; the client, what it keeps, and the command.
 */

#include "config.h"

#include "fetch/keep.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "dcap/collateral-parts.h"
#include "support/tdx-forge.h"
#include "support/web.h"

#define DAY 86400

/* how the service misbehaves */
typedef enum {
	SERVICE_GOOD,
	SERVICE_HEX_LISTS,    /* as a caching service: lists in hex */
	SERVICE_FORMER_NAMES, /* the header's name of old */
	SERVICE_NO_CHAIN,
	SERVICE_BAD_ESCAPE,
	SERVICE_NO_SIGNATURE,
	SERVICE_BINARY_CHAIN, /* a NUL, escaped */
	SERVICE_NO_ROOT_LIST,
} Misbehaviour;

typedef struct {
	DstackForge forge;
	DstackForged forged;
	DstackCollateralParts parts;
	DstackPlatformId id;
	DstackTestWeb web;
	Misbehaviour misbehaviour;
	gint n_requests; /* atomic */
	gchar *dir;
} Fixture;

static GBytes *
part(const Fixture *self, DstackPart which)
{
	return self->parts.part[which];
}

static gchar *
dup_part(const Fixture *self, DstackPart which)
{
	return g_strndup(g_bytes_get_data(part(self, which), NULL), g_bytes_get_size(part(self, which)));
}

static void
answer_bytes(SoupServerMessage *message, GBytes *bytes)
{
	soup_message_body_append_bytes(soup_server_message_get_response_body(message), bytes);
}

static void
answer_chain(SoupServerMessage *message, const Fixture *self, const gchar *header, DstackPart which)
{
	g_autofree gchar *pem = dup_part(self, which);
	g_autofree gchar *escaped = g_uri_escape_string(pem, NULL, FALSE);

	if (self->misbehaviour == SERVICE_NO_CHAIN)
		return;
	if (self->misbehaviour == SERVICE_BAD_ESCAPE)
		escaped[0] = '%';
	if (self->misbehaviour == SERVICE_BINARY_CHAIN)
		memcpy(escaped, "%00", 3);
	soup_message_headers_append(soup_server_message_get_response_headers(message), header, escaped);
}

static void
answer_document(SoupServerMessage *message, const Fixture *self, const gchar *member, DstackPart which)
{
	g_autofree gchar *document = dup_part(self, which);
	g_autofree gchar *signature = dup_part(self, which + 1);
	g_autofree gchar *text =
	    g_strdup_printf("{\"%s\":%s,\"%s\":\"%s\"}", member, document,
			    self->misbehaviour == SERVICE_NO_SIGNATURE ? "sig" : "signature", signature);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	answer_bytes(message, bytes);
}

static void
answer_list(SoupServerMessage *message, const Fixture *self, DstackPart which)
{
	g_autofree gchar *hex = dup_part(self, which);
	g_autoptr(GBytes) bytes = self->misbehaviour == SERVICE_HEX_LISTS
				      ? g_bytes_ref(part(self, which))
				      : dstack_hex_decode_bytes(hex, "list", 1 << 20, NULL);

	answer_bytes(message, bytes);
}

static gboolean
query_is(GHashTable *query, const gchar *key, const gchar *value)
{
	return query != NULL && g_strcmp0(g_hash_table_lookup(query, key), value) == 0;
}

static void
handle(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
	Fixture *self = user_data;
	gboolean former = self->misbehaviour == SERVICE_FORMER_NAMES;

	g_atomic_int_inc(&self->n_requests);
	soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
	if (g_str_equal(path, "/tdx/certification/v4/tcb") && query_is(query, "fmspc", "00806f050000")) {
		answer_document(message, self, "tcbInfo", DSTACK_PART_TCB_INFO);
		answer_chain(message, self, former ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain",
			     DSTACK_PART_TCB_INFO_ISSUER_CHAIN);
	} else if (g_str_equal(path, "/tdx/certification/v4/qe/identity")) {
		answer_document(message, self, "enclaveIdentity", DSTACK_PART_QE_IDENTITY);
		answer_chain(message, self, "SGX-Enclave-Identity-Issuer-Chain", DSTACK_PART_QE_IDENTITY_ISSUER_CHAIN);
	} else if (g_str_equal(path, "/sgx/certification/v4/pckcrl") && query_is(query, "ca", "platform")) {
		answer_list(message, self, DSTACK_PART_PCK_CRL);
		answer_chain(message, self, "SGX-PCK-CRL-Issuer-Chain", DSTACK_PART_PCK_CRL_ISSUER_CHAIN);
	} else if (g_str_equal(path, "/sgx/certification/v4/rootcacrl") && self->misbehaviour != SERVICE_NO_ROOT_LIST) {
		answer_list(message, self, DSTACK_PART_ROOT_CA_CRL);
	} else {
		soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, NULL);
	}
}

/* everything in date at the clock's time, which is what the command goes by */
static void
fixture_init(Fixture *self)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	DstackQuote quote;

	dstack_forge_init(&self->forge);
	for (guint i = 0; i < DSTACK_FORGE_N_DATED; i++) {
		self->forge.dates[i].from = now - 10 * DAY;
		self->forge.dates[i].to = now + 10 * DAY;
	}
	dstack_forge_build(&self->forge, &self->forged);
	self->forged.context.now = now;
	g_assert_true(dstack_collateral_parts_from_json(&self->parts, self->forged.collateral,
							strlen(self->forged.collateral), NULL));
	g_assert_true(dstack_quote_parse(&quote, g_bytes_get_data(self->forged.quote, NULL),
					 g_bytes_get_size(self->forged.quote), NULL));
	g_assert_true(dstack_platform_id_from_quote(&self->id, &quote, NULL));
	self->dir = g_dir_make_tmp("test-pccs-XXXXXX", NULL);
	dstack_test_web_start(&self->web, handle, self);
}

static void
remove_below(const gchar *dir)
{
	g_autoptr(GDir) listing = g_dir_open(dir, 0, NULL);
	const gchar *name = NULL;

	while (listing != NULL && (name = g_dir_read_name(listing)) != NULL) {
		g_autofree gchar *path = g_build_filename(dir, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			remove_below(path);
		else
			g_unlink(path);
	}
	g_rmdir(dir);
}

static void
fixture_clear(Fixture *self)
{
	if (self->dir == NULL)
		return;
	dstack_test_web_stop(&self->web);
	remove_below(self->dir);
	g_free(self->dir);
	dstack_collateral_parts_clear(&self->parts);
	dstack_forged_clear(&self->forged);
	dstack_forge_clear(&self->forge);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
asks_what_the_quote_says(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *name = NULL;

	fixture_init(&fixture);
	g_assert_true(fixture.id.is_tdx);
	g_assert_cmpint(fixture.id.ca, ==, DSTACK_PCK_CA_PLATFORM);
	name = dstack_platform_id_to_file_name(&fixture.id);
	g_assert_cmpstr(name, ==, "tdx-00806f050000-platform.json");
}

static const struct {
	Misbehaviour misbehaviour;
	const gchar *suffix; /* of the base address */
	gint code;	     /* -1: good */
} services[] = {
    {SERVICE_GOOD, "", -1},
    {SERVICE_GOOD, "/", -1},
    {SERVICE_GOOD, "/sgx/certification/v4/", -1},
    {SERVICE_GOOD, "/elsewhere", DSTACK_ERROR_NOT_FOUND},
    {SERVICE_HEX_LISTS, "", -1},
    {SERVICE_FORMER_NAMES, "", -1},
    {SERVICE_NO_CHAIN, "", DSTACK_ERROR_MALFORMED},
    {SERVICE_BAD_ESCAPE, "", DSTACK_ERROR_MALFORMED},
    {SERVICE_BINARY_CHAIN, "", DSTACK_ERROR_MALFORMED},
    {SERVICE_NO_SIGNATURE, "", DSTACK_ERROR_MALFORMED},
    {SERVICE_NO_ROOT_LIST, "", DSTACK_ERROR_NOT_FOUND},
};

static void
fetches_collateral_that_verifies(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
		g_auto(Fixture) fixture = {0};
		g_autofree gchar *base = NULL;
		g_autofree gchar *text = NULL;
		g_autoptr(DstackCollateral) collateral = NULL;
		g_autoptr(GError) error = NULL;
		DstackFetchOptions options = {0};

		fixture.misbehaviour = services[i].misbehaviour;
		fixture_init(&fixture);
		base = g_strconcat(fixture.web.base, services[i].suffix, NULL);
		text = dstack_pccs_fetch(base, &fixture.id, &options, &error);
		if (services[i].code >= 0) {
			g_test_message("%s", error->message);
			g_assert_error(error, DSTACK_ERROR, services[i].code);
			continue;
		}
		g_assert_no_error(error);
		collateral = dstack_collateral_check(text, &fixture.id, &fixture.forged.context, &error);
		g_assert_no_error(error);
		g_assert_nonnull(collateral);
	}
}

static void
keeps_what_is_good_and_nothing_else(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *dir = NULL;
	g_autofree gchar *found = NULL;
	g_autofree gchar *path = NULL;
	g_autoptr(GError) error = NULL;
	DstackPlatformId other;
	DstackContext context;

	fixture_init(&fixture);
	dir = g_build_filename(fixture.dir, "made", "on", "demand", NULL);
	context = fixture.forged.context;
	g_assert_null(dstack_collateral_find_kept(dir, &fixture.id, &context));
	g_assert_true(dstack_collateral_keep(dir, &fixture.id, fixture.forged.collateral, &error));
	found = dstack_collateral_find_kept(dir, &fixture.id, &context);
	g_assert_cmpstr(found, ==, fixture.forged.collateral);
	/* a second past its first expiry */
	context.now += 10 * DAY + 1;
	g_assert_null(dstack_collateral_find_kept(dir, &fixture.id, &context));
	/* under another root */
	context = (DstackContext){.now = fixture.forged.context.now};
	g_assert_null(dstack_collateral_find_kept(dir, &fixture.id, &context));
	/* of another platform, under its name */
	other = fixture.id;
	other.fmspc[0] = 1;
	g_assert_true(dstack_collateral_keep(dir, &other, fixture.forged.collateral, &error));
	g_assert_null(dstack_collateral_find_kept(dir, &other, &fixture.forged.context));
	/* damaged on disk */
	path = g_build_filename(dir, "tdx-00806f050000-platform.json", NULL);
	g_assert_true(g_file_set_contents(path, "{}", 2, NULL));
	g_assert_null(dstack_collateral_find_kept(dir, &fixture.id, &fixture.forged.context));
	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	g_assert_null(dstack_collateral_find_kept(dir, &fixture.id, &fixture.forged.context));
}

/* --- the command --- */

static gchar *
write_into(const Fixture *self, const gchar *name, gconstpointer data, gsize size)
{
	gchar *path = g_build_filename(self->dir, name, NULL);

	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
	return path;
}

/* exit status of `collateral fetch` with these further words */
static gint
run_command(const Fixture *self, const gchar *const *words, gchar **out_stdout, gchar **out_stderr)
{
	g_autofree gchar *settings = g_strdup_printf("[collateral]\npccs=%s\ndir=%s/kept\n", self->web.base, self->dir);
	g_autofree gchar *config = write_into(self, "prep.conf", settings, strlen(settings));
	g_autofree gchar *program = g_build_filename(g_getenv("G_TEST_BUILDDIR"), "dstack-vmm-prep", NULL);
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	gint status = 0;

	g_ptr_array_add(argv, g_steal_pointer(&program));
	g_ptr_array_add(argv, g_strdup("--config"));
	g_ptr_array_add(argv, g_steal_pointer(&config));
	g_ptr_array_add(argv, g_strdup("--json"));
	g_ptr_array_add(argv, g_strdup("collateral"));
	g_ptr_array_add(argv, g_strdup("fetch"));
	for (gsize i = 0; words[i] != NULL; i++)
		g_ptr_array_add(argv, g_strdup(words[i]));
	g_ptr_array_add(argv, NULL);
	g_assert_true(g_spawn_sync(NULL, (gchar **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, out_stdout,
				   out_stderr, &status, &error));
	g_assert_no_error(error);
	g_test_message("status %d: %s", WEXITSTATUS(status), *out_stderr);
	return WEXITSTATUS(status);
}

static void
serves_the_command_line(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *quote = NULL;
	g_autofree gchar *root = NULL;
	g_autofree gchar *output = NULL;
	g_autofree gchar *first = NULL;
	g_autofree gchar *second = NULL;
	g_autofree gchar *third = NULL;
	g_autofree gchar *bad = NULL;
	gchar *notes[4] = {NULL};
	g_autofree gchar *written = NULL;

	if (g_getenv("G_TEST_BUILDDIR") == NULL) {
		g_test_skip("no build directory");
		return;
	}
	fixture_init(&fixture);
	quote = write_into(&fixture, "quote.bin", g_bytes_get_data(fixture.forged.quote, NULL),
			   g_bytes_get_size(fixture.forged.quote));
	root = write_into(&fixture, "root.der", g_bytes_get_data(fixture.forged.root_der, NULL),
			  g_bytes_get_size(fixture.forged.root_der));
	output = g_build_filename(fixture.dir, "out.json", NULL);
	g_assert_cmpint(
	    run_command(&fixture, (const gchar *[]){quote, "--root", root, "-o", output, NULL}, &first, &notes[0]), ==,
	    0);
	g_assert_nonnull(strstr(first, "\"fmspc\": \"00806f050000\""));
	g_assert_nonnull(strstr(first, "\"kept\": false"));
	g_assert_cmpint(g_atomic_int_get(&fixture.n_requests), ==, 4);
	g_assert_true(g_file_get_contents(output, &written, NULL, NULL));
	g_assert_true(g_str_has_prefix(written, "{"));
	/* kept: no request, the same by the platform's number */
	g_assert_cmpint(run_command(&fixture, (const gchar *[]){"--fmspc", "00806F050000", "--root", root, NULL},
				    &second, &notes[1]),
			==, 0);
	g_assert_nonnull(strstr(second, "\"kept\": true"));
	g_assert_cmpint(g_atomic_int_get(&fixture.n_requests), ==, 4);
	g_assert_cmpint(
	    run_command(&fixture, (const gchar *[]){quote, "--root", root, "--refresh", NULL}, &third, &notes[2]), ==,
	    0);
	g_assert_cmpint(g_atomic_int_get(&fixture.n_requests), ==, 8);
	/* under Intel's root none of it holds */
	g_assert_cmpint(run_command(&fixture, (const gchar *[]){quote, NULL}, &bad, &notes[3]), !=, 0);
	g_assert_nonnull(strstr(notes[3], "root certificate: expected the key a0af0312"));
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++)
		g_free(notes[i]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fetch/pccs/asks-what-the-quote-says", asks_what_the_quote_says);
	g_test_add_func("/fetch/pccs/fetches-collateral-that-verifies", fetches_collateral_that_verifies);
	g_test_add_func("/fetch/pccs/keeps-what-is-good-and-nothing-else", keeps_what_is_good_and_nothing_else);
	g_test_add_func("/fetch/pccs/serves-the-command-line", serves_the_command_line);
	return g_test_run();
}
