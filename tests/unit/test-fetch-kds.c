/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates from a key distribution service of the test's own: what is asked for, what is kept, what is refused.
 */

#include "config.h"

#include "fetch/kds.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "base/hex.h"
#include "base/x509.h"
#include "dstack/error.h"
#include "support/pki.h"
#include "support/snp-rules.h"
#include "support/web.h"
#include "verify/snp.h"

static DstackSnpForge *forge;

/* what the service has, and what it was asked */
typedef struct {
	DstackSnpForgePlan *plan;
	DstackSnpForged forged;
	DstackSnpReport report;
	X509 *root;
	gchar *vcek_path; /* with its query */
	gchar *vcek_file; /* its name in the cache */
	GBytes *vcek;
	gchar *chain;
	GBytes *crl;
	guint status; /* instead of 200 */
	gchar *cache;
	GMutex mutex;
	GPtrArray *asked; /* (element-type utf8) */
	DstackTestWeb web;
} Service;

static void
answer(Service *self, SoupServerMessage *message, const gchar *type, gconstpointer data, gsize size)
{
	soup_server_message_set_status(message, self->status == 0 ? 200 : self->status, NULL);
	soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, data, size);
}

static void
serve(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
	Service *self = user_data;
	GUri *uri = soup_server_message_get_uri(message);
	g_autofree gchar *asked =
	    g_uri_get_query(uri) == NULL ? g_strdup(path) : g_strconcat(path, "?", g_uri_get_query(uri), NULL);

	g_mutex_lock(&self->mutex);
	g_ptr_array_add(self->asked, g_strdup(asked));
	g_mutex_unlock(&self->mutex);
	if (g_str_equal(asked, self->vcek_path))
		answer(self, message, "application/octet-stream", g_bytes_get_data(self->vcek, NULL),
		       g_bytes_get_size(self->vcek));
	else if (g_str_has_suffix(path, "/cert_chain"))
		answer(self, message, "application/x-pem-file", self->chain, strlen(self->chain));
	else if (g_str_has_suffix(path, "/crl"))
		answer(self, message, "application/pkix-crl", g_bytes_get_data(self->crl, NULL),
		       g_bytes_get_size(self->crl));
	else
		soup_server_message_set_status(message, 404, NULL);
}

static X509 *
parse(GBytes *der)
{
	return dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), "forged", NULL);
}

static gchar *
build_chain(GBytes *ca_der, X509 *root)
{
	g_autoptr(X509) ca = parse(ca_der);

	return dstack_pki_to_pem(ca, root, NULL);
}

static GBytes *
build_crl(Service *self)
{
	DstackSnpForgeCrl spec = {
	    .this_update = DSTACK_SNP_FORGE_NOW - 10, .next_update = DSTACK_SNP_FORGE_NOW + 10, .signer = forge->ark};

	return dstack_snp_forge_crl(self->plan, &spec);
}

static void
service_start(Service *self, DstackSnpProduct product, guint version)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *chip = NULL;
	GBytes *report = NULL;

	memset(self, 0, sizeof(*self));
	self->plan = dstack_snp_forge_plan_new(forge, product, DSTACK_SNP_VCEK);
	self->plan->report.version[0] = (guint8)version;
	if (version == 2)
		memset(self->plan->report.cpuid, 0, 3);
	self->forged = dstack_snp_forge_make(self->plan);
	report = self->forged.attestation->report;
	g_assert_true(
	    dstack_snp_report_parse(&self->report, g_bytes_get_data(report, NULL), g_bytes_get_size(report), &error));
	self->root = parse(self->forged.root);
	self->vcek = g_bytes_ref(g_ptr_array_index(self->forged.attestation->cert_chain, 1));
	self->chain = build_chain(g_ptr_array_index(self->forged.attestation->cert_chain, 0), self->root);
	self->crl = build_crl(self);
	chip = dstack_hex_encode(self->report.bytes.chip_id, product == DSTACK_SNP_TURIN ? 8 : 64);
	self->vcek_path = g_strdup_printf("/vcek/v1/%s/%s?%sblSPL=02&teeSPL=03&snpSPL=200&ucodeSPL=77",
					  dstack_snp_product_to_string(product), chip,
					  product == DSTACK_SNP_TURIN ? "fmcSPL=01&" : "");
	self->vcek_file = g_strdup_printf("%s-020300000000c84d.der", chip); /* Milan's and Genoa's layout */
	self->cache = g_dir_make_tmp("kds-XXXXXX", &error);
	g_assert_no_error(error);
	g_mutex_init(&self->mutex);
	self->asked = g_ptr_array_new_with_free_func(g_free);
	dstack_test_web_start(&self->web, serve, self);
}

static void
remove_tree(const gchar *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const gchar *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	g_remove(path);
}

static void
service_stop(Service *self)
{
	dstack_test_web_stop(&self->web);
	remove_tree(self->cache);
	g_free(self->cache);
	g_free(self->vcek_path);
	g_free(self->vcek_file);
	g_free(self->chain);
	g_bytes_unref(self->vcek);
	g_bytes_unref(self->crl);
	X509_free(self->root);
	dstack_snp_forged_clear(&self->forged);
	dstack_snp_forge_plan_free(self->plan);
	g_ptr_array_unref(self->asked);
	g_mutex_clear(&self->mutex);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Service, service_stop)

/* keep: whether there is a cache; (transfer full): NULL on success */
static GError *
fetch(Service *self, gboolean keep, gint64 now, GPtrArray **out_certificates, GPtrArray **out_crls)
{
	DstackKdsOptions options = {
	    .base_url = self->web.base, .cache_dir = keep ? self->cache : NULL, .now = now, .root = self->root};
	GError *error = NULL;

	g_assert_cmpint(dstack_kds_fetch(&self->report, &options, out_certificates, out_crls, &error), ==,
			error == NULL);
	return error;
}

static guint
count_asked(Service *self)
{
	guint n = 0;

	g_mutex_lock(&self->mutex);
	n = self->asked->len;
	g_mutex_unlock(&self->mutex);
	return n;
}

static void
assert_verifies(Service *self, GPtrArray *certificates, GPtrArray *crls)
{
	DstackContext context = {.now = DSTACK_SNP_FORGE_NOW, .root_der = self->forged.root};
	DstackVerifyOptions options = {.context = &context, .certificates = certificates, .crls = crls};
	GBytes *report = self->forged.attestation->report;
	g_autoptr(DstackVerdict) verdict =
	    dstack_verify_snp_report(g_bytes_get_data(report, NULL), g_bytes_get_size(report), &options, NULL);

	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_cmpint(dstack_verdict_get_step(verdict, "revocation")->state, ==, DSTACK_STEP_OK);
}

static void
a_report_verifies_with_what_is_fetched(void)
{
	static const struct {
		DstackSnpProduct product;
		guint version;
		guint n_asked;
	} cases[] = {
	    {DSTACK_SNP_MILAN, 3, 3}, {DSTACK_SNP_GENOA, 3, 3}, {DSTACK_SNP_TURIN, 5, 3},
	    {DSTACK_SNP_MILAN, 2, 3}, {DSTACK_SNP_GENOA, 2, 4}, /* Milan is asked first, and does not know the chip */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Service) service;
		g_autoptr(GPtrArray) certificates = NULL;
		g_autoptr(GPtrArray) crls = NULL;
		g_autoptr(GError) error = NULL;

		service_start(&service, cases[i].product, cases[i].version);
		error = fetch(&service, FALSE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
		g_assert_no_error(error);
		g_assert_cmpuint(certificates->len, ==, 2);
		g_assert_cmpuint(crls->len, ==, 1);
		g_assert_cmpuint(count_asked(&service), ==, cases[i].n_asked);
		assert_verifies(&service, certificates, crls);
	}
}

static void
the_service_is_asked_once(void)
{
	g_auto(Service) service;

	service_start(&service, DSTACK_SNP_GENOA, 3);
	for (guint i = 0; i < 3; i++) {
		g_autoptr(GPtrArray) certificates = NULL;
		g_autoptr(GPtrArray) crls = NULL;
		g_autoptr(GError) error = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);

		g_assert_no_error(error);
		assert_verifies(&service, certificates, crls);
		g_assert_cmpuint(count_asked(&service), ==, 3);
	}
}

static void
a_revocation_list_is_fetched_again_when_it_is_old(void)
{
	g_auto(Service) service;
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GPtrArray) crls = NULL;
	g_autoptr(GPtrArray) later_certificates = NULL;
	g_autoptr(GPtrArray) later_crls = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) later = NULL;

	service_start(&service, DSTACK_SNP_GENOA, 3);
	error = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
	g_assert_no_error(error);
	later = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW + 11, &later_certificates, &later_crls);
	g_assert_error(later, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_assert_cmpuint(count_asked(&service), >, 3);
	g_assert_null(later_certificates);
}

static void
a_spoiled_file_is_replaced(void)
{
	g_auto(Service) service;
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GPtrArray) crls = NULL;
	g_autoptr(GPtrArray) again = NULL;
	g_autoptr(GPtrArray) again_crls = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) second = NULL;
	g_autofree gchar *file = NULL;

	service_start(&service, DSTACK_SNP_GENOA, 3);
	error = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
	g_assert_no_error(error);
	file = g_build_filename(service.cache, "Genoa", "cert_chain.pem", NULL);
	g_assert_true(g_file_set_contents(file, "junk", -1, NULL));
	second = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &again, &again_crls);
	g_assert_no_error(second);
	g_assert_cmpuint(count_asked(&service), ==, 4);
	assert_verifies(&service, again, again_crls);
}

/* a leaf that says the right chip and TCB, and is signed by nobody */
static void
a_forged_leaf_in_the_cache_is_replaced(void)
{
	g_auto(Service) service;
	g_autoptr(DstackSnpForgePlan) other = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = {NULL, NULL};
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GPtrArray) crls = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree gchar *folder = NULL;
	g_autofree gchar *file = NULL;
	GBytes *leaf = NULL;

	service_start(&service, DSTACK_SNP_GENOA, 3);
	other->leaf.signer = forge->rogue;
	forged = dstack_snp_forge_make(other);
	leaf = g_ptr_array_index(forged.attestation->cert_chain, 1);
	folder = g_build_filename(service.cache, "Genoa", NULL);
	g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
	file = g_build_filename(folder, service.vcek_file, NULL);
	g_assert_true(g_file_set_contents(file, g_bytes_get_data(leaf, NULL), (gssize)g_bytes_get_size(leaf), NULL));
	error = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
	g_assert_no_error(error);
	assert_verifies(&service, certificates, crls);
}

/* whatever else the service says: refused, and nothing of it kept */
static void
refuses_what_was_not_asked_for(void)
{
	for (guint i = 0; i < 6; i++) {
		g_auto(Service) service;
		g_autoptr(DstackSnpForgePlan) other =
		    dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
		g_auto(DstackSnpForged) forged = {NULL, NULL};
		g_autoptr(GPtrArray) certificates = NULL;
		g_autoptr(GPtrArray) crls = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree gchar *folder = NULL;

		service_start(&service, DSTACK_SNP_GENOA, 3);
		if (i == 0)
			other->vek.spl[8]++; /* another TCB */
		else if (i == 1)
			other->report.chip_id[0]++;
		if (i == 1) {
			g_bytes_unref(other->vek.hwid);
			other->vek.hwid = g_bytes_new(other->report.chip_id, 64);
		}
		if (i == 2)
			other->ca.signer = other->root.key = other->root.signer = forge->rogue;
		forged = dstack_snp_forge_make(other);
		if (i < 2) {
			g_bytes_unref(service.vcek);
			service.vcek = g_bytes_ref(g_ptr_array_index(forged.attestation->cert_chain, 1));
		} else if (i == 2) {
			g_autoptr(X509) root = parse(forged.root);

			g_free(service.chain);
			service.chain = build_chain(g_ptr_array_index(forged.attestation->cert_chain, 0), root);
		} else if (i == 3) {
			g_bytes_unref(service.vcek);
			service.vcek = g_bytes_new_static("<html>", 6);
		} else if (i == 4) {
			service.chain[0] = '\0';
		} else {
			service.status = 429;
		}
		error = fetch(&service, TRUE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
		g_test_message("%u: %s", i, error == NULL ? "accepted" : error->message);
		g_assert_nonnull(error);
		g_assert_null(certificates);
		folder = g_build_filename(service.cache, "Genoa", NULL);
		g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
	}
}

static void
knows_what_the_service_cannot_have(void)
{
	g_auto(Service) service;
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GPtrArray) crls = NULL;

	service_start(&service, DSTACK_SNP_GENOA, 3);
	for (guint i = 0; i < 4; i++) {
		DstackSnpReport report = service.report;
		DstackSnpReport *used = &service.report;
		g_autoptr(GError) error = NULL;

		if (i == 0)
			used->key_info = 1U << 2; /* a VLEK */
		else if (i == 1)
			memset(used->bytes.chip_id, 0, 64);
		else if (i == 2)
			used->bytes.cpuid[0] = 0x17;
		else
			used->bytes.chip_id[5]++; /* a chip that nobody made */
		error = fetch(&service, FALSE, DSTACK_SNP_FORGE_NOW, &certificates, &crls);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
		g_assert_cmpuint(count_asked(&service), ==, i == 3 ? 1 : 0);
		service.report = report;
	}
}

int
main(int argc, char **argv)
{
	int status = 0;

	/* the machine's proxy settings are nobody's business here */
	g_setenv("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
	g_test_init(&argc, &argv, NULL);
	forge = dstack_snp_forge_new();
	g_test_add_func("/fetch-kds/a-report-verifies-with-what-is-fetched", a_report_verifies_with_what_is_fetched);
	g_test_add_func("/fetch-kds/the-service-is-asked-once", the_service_is_asked_once);
	g_test_add_func("/fetch-kds/a-revocation-list-is-fetched-again-when-it-is-old",
			a_revocation_list_is_fetched_again_when_it_is_old);
	g_test_add_func("/fetch-kds/a-spoiled-file-is-replaced", a_spoiled_file_is_replaced);
	g_test_add_func("/fetch-kds/a-forged-leaf-in-the-cache-is-replaced", a_forged_leaf_in_the_cache_is_replaced);
	g_test_add_func("/fetch-kds/refuses-what-was-not-asked-for", refuses_what_was_not_asked_for);
	g_test_add_func("/fetch-kds/knows-what-the-service-cannot-have", knows_what_the_service_cannot_have);
	status = g_test_run();
	dstack_snp_forge_free(forge);
	return status;
}
