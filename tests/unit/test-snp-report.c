/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reports and their certificates against the vectors: every case ends at the check its vector names.
 */

#include "config.h"

#include "snp/report.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/hex.h"
#include "base/x509.h"
#include "dstack/error.h"
#include "snp/certificates.h"
#include "snp/policy.h"
#include "snp/report-chain.h"
#include "snp/roots.h"
#include "support/snp-cases.h"
#include "support/vector-case.h"
#include "support/vectors.h"

static GBytes *
read_vector(JsonObject *test_case, const gchar *member)
{
	g_autofree gchar *name = g_strconcat("snp/", dstack_case_string(test_case, member), NULL);

	return dstack_test_vector_read(name);
}

static X509 *
read_certificate(JsonObject *test_case, const gchar *member, GError **error)
{
	g_autoptr(GBytes) der = read_vector(test_case, member);

	return dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), member, error);
}

typedef struct {
	DstackSnpReport report;
	DstackSnpCertificates certs;
	DstackSnpTrust trust;
	DstackSnpChain chain;
} ReportCase;

/* a root that has one of the pinned keys is not given, so that pinning itself is what is tested */
static void
case_set_trust(ReportCase *self, JsonObject *test_case)
{
	X509 *anchor = read_certificate(test_case, "trust_anchor", NULL);
	DstackSha256 key = dstack_x509_spki_sha256(anchor);

	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		DstackSha256 pinned = dstack_snp_root_spki_sha256((DstackSnpProduct)i);

		if (dstack_sha256_equal(&key, &pinned)) {
			X509_free(anchor);
			return;
		}
	}
	self->trust.root = anchor;
}

static const gchar *
judge_certificates(ReportCase *self, JsonObject *test_case, GError **error)
{
	gboolean allow_vlek = dstack_case_bool(test_case, "allow_vlek");
	const DstackSnpReport *report = &self->report;
	X509 *vek = NULL;

	if ((self->certs.vek = read_certificate(test_case, "vek", error)) == NULL ||
	    (self->certs.ca = read_certificate(test_case, "intermediate", error)) == NULL ||
	    (self->certs.root = read_certificate(test_case, "root", error)) == NULL ||
	    !dstack_snp_chain_verify(&self->certs, &self->trust, &self->chain, error))
		return "chain";
	vek = self->certs.vek;
	if (!dstack_snp_chain_ensure_in_date(&self->certs, dstack_case_time(test_case, "verify_time"), error))
		return "validity";
	if (!dstack_snp_vek_ensure_kind(self->chain.kind, report, allow_vlek, error))
		return "vek_kind";
	if (!dstack_snp_vek_ensure_product(vek, self->chain.product, report, error))
		return "product";
	if (!dstack_snp_vek_ensure_tcb(vek, self->chain.product, report, error))
		return "vek_tcb";
	if (!dstack_snp_vek_ensure_chip(vek, self->chain.kind, self->chain.product, report, error))
		return "vek_hwid";
	return dstack_snp_vek_ensure_signature(vek, report, error) ? NULL : "signature";
}

static const gchar *
judge_report(ReportCase *self, JsonObject *test_case, GError **error)
{
	g_autoptr(GBytes) data = read_vector(test_case, "report");
	DstackSnpWaivers waivers = {0};
	const gchar *failed = NULL;

	if (!dstack_snp_report_parse(&self->report, g_bytes_get_data(data, NULL), g_bytes_get_size(data), error))
		return "parse";
	failed = judge_certificates(self, test_case, error);
	if (failed != NULL)
		return failed;
	if (!dstack_snp_policy_ensure(&self->report, &waivers, error))
		return "policy";
	return dstack_snp_report_ensure_reserved_zero(&self->report, error) ? NULL : "reserved_zero";
}

static void
check_report(const gchar *id, JsonObject *test_case)
{
	JsonObject *expect = dstack_case_expect(test_case);
	g_autoptr(GError) error = NULL;
	ReportCase self = {0};
	const gchar *failed = NULL;

	case_set_trust(&self, test_case);
	failed = judge_report(&self, test_case, &error);
	g_test_message("%s: %s", id, failed == NULL ? "accepted" : error->message);
	g_assert_cmpstr(failed, ==, dstack_snp_case_expected_layer(id, expect));
	g_assert_true((failed == NULL) == (error == NULL));
	if (g_strcmp0(failed, "parse") != 0 && dstack_case_string(expect, "tcb_status_dstack") != NULL)
		g_assert_cmpstr(dstack_snp_report_get_tcb_status(&self.report), ==,
				dstack_case_string(expect, "tcb_status_dstack"));
	dstack_snp_certificates_clear(&self.certs);
	X509_free(self.trust.root);
}

static void
every_case_ends_where_its_vector_says(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	dstack_case_foreach("snp/open/report-cases.json", 110, check_report);
}

static void
check_field(const gchar *name, const gchar *value, gpointer user_data)
{
	JsonObject *fields = user_data;
	JsonNode *node = NULL;

	if (g_str_has_suffix(name, "_tcb") || g_str_equal(name, "cpuid") || !json_object_has_member(fields, name))
		return;
	node = json_object_get_member(fields, name);
	if (json_node_get_value_type(node) == G_TYPE_STRING)
		g_assert_cmpstr(value, ==, json_node_get_string(node));
	else {
		g_autofree gchar *number = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));

		g_assert_cmpstr(value, ==, number);
	}
	json_object_set_null_member(fields, name);
}

/* every field that a vector states comes out of the table that people are shown */
static void
check_fields(const gchar *id, JsonObject *test_case)
{
	static const gchar *const elsewhere[] = {"current_tcb", "reported_tcb", "committed_tcb",
						 "launch_tcb",	"cpuid",	NULL};
	JsonObject *fields = NULL;
	g_autoptr(JsonObject) copy = json_object_new();
	g_autoptr(GBytes) data = NULL;
	g_autoptr(GList) names = NULL;
	DstackSnpReport report;

	if (!json_object_has_member(test_case, "fields"))
		return;
	fields = json_object_get_object_member(test_case, "fields");
	data = read_vector(test_case, "report");
	if (!dstack_snp_report_parse(&report, g_bytes_get_data(data, NULL), g_bytes_get_size(data), NULL))
		return;
	names = json_object_get_members(fields);
	for (GList *name = names; name != NULL; name = name->next)
		json_object_set_member(copy, name->data, json_node_copy(json_object_get_member(fields, name->data)));
	dstack_snp_report_foreach_field(&report, check_field, copy);
	for (GList *name = names; name != NULL; name = name->next) {
		if (!g_strv_contains(elsewhere, name->data) && !json_object_get_null_member(copy, name->data))
			g_error("%s: field '%s' is not shown", id, (const gchar *)name->data);
	}
}

static void
shows_every_field(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/report-cases.json", 110, check_fields);
}

static void
pinned_keys_are_those_of_the_published_roots(void)
{
	static const struct {
		DstackSnpProduct product;
		const gchar *file;
		const gchar *spki_sha256;
	} cases[] = {
	    {DSTACK_SNP_MILAN, "snp/common/roots/milan_ark.der",
	     "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
	    {DSTACK_SNP_GENOA, "snp/common/roots/genoa_ark.der",
	     "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
	    {DSTACK_SNP_TURIN, "snp/common/roots/turin_ark.der",
	     "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		DstackSha256 pinned = dstack_snp_root_spki_sha256(cases[i].product);
		g_autofree gchar *hex = dstack_sha256_to_hex(&pinned);
		g_autoptr(EVP_PKEY) key = dstack_snp_root_key(cases[i].product, NULL);

		g_assert_cmpstr(hex, ==, cases[i].spki_sha256);
		g_assert_nonnull(key);
	}
	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) der = dstack_test_vector_read(cases[i].file);
		g_autoptr(X509) cert =
		    dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), "ARK", NULL);
		DstackSha256 found = dstack_x509_spki_sha256(cert);
		DstackSha256 pinned = dstack_snp_root_spki_sha256(cases[i].product);

		g_assert_true(dstack_sha256_equal(&found, &pinned));
	}
}

static void
check_cert_table(const gchar *id, JsonObject *test_case)
{
	g_autoptr(GBytes) blob = read_vector(test_case, "file");
	g_autoptr(GError) error = NULL;
	JsonObject *expect = dstack_case_expect(test_case);
	DstackSnpCertTable table = {{NULL, 0}};
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(blob, &size);
	gboolean good = dstack_snp_cert_table_parse(&table, data, size, &error);
	DstackSha256 expected;
	DstackSha256 found;

	g_test_message("%s: %s", id, good ? "accepted" : error->message);
	if (!g_str_equal(dstack_case_string(expect, "result"), "accept")) {
		g_assert_false(good);
		return;
	}
	g_assert_no_error(error);
	expected = dstack_case_sha256(expect, "ask_sha256");
	found = dstack_sha256(table.ask.data, table.ask.size);
	g_assert_true(dstack_sha256_equal(&found, &expected));
	expected = dstack_case_sha256(expect, "vcek_sha256");
	found = dstack_sha256(table.vcek.data, table.vcek.size);
	g_assert_true(dstack_sha256_equal(&found, &expected));
}

static void
reads_certificate_tables(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/certtable-cases.json", 14, check_cert_table);
}

/* a report that parses: version 3, signature algorithm 1, all else zero */
static void
make_report(guint8 data[DSTACK_SNP_REPORT_SIZE])
{
	memset(data, 0, DSTACK_SNP_REPORT_SIZE);
	data[0] = 3;
	data[0x34] = 1;
}

static void
rejects_every_other_size(void)
{
	guint8 data[DSTACK_SNP_REPORT_SIZE + 1];
	DstackSnpReport report;

	make_report(data);
	data[DSTACK_SNP_REPORT_SIZE] = 0;
	for (gsize size = 0; size <= DSTACK_SNP_REPORT_SIZE + 1; size++) {
		g_autofree guint8 *copy = g_memdup2(data, size);
		g_autoptr(GError) error = NULL;

		if (size == DSTACK_SNP_REPORT_SIZE)
			continue;
		g_assert_false(dstack_snp_report_parse(&report, copy, size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_other_versions_by_number(void)
{
	guint8 data[DSTACK_SNP_REPORT_SIZE];

	make_report(data);
	for (guint version = 0; version < 256; version++) {
		g_autoptr(GError) error = NULL;
		g_autofree gchar *found = g_strdup_printf("found %u", version);
		DstackSnpReport report;

		data[0] = (guint8)version;
		if (version >= 2 && version <= 5) {
			g_assert_true(dstack_snp_report_parse(&report, data, sizeof(data), NULL));
			continue;
		}
		g_assert_false(dstack_snp_report_parse(&report, data, sizeof(data), &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_nonnull(strstr(error->message, found));
	}
}

/* set each byte in turn: reserved exactly where the table of evidence.md says so */
static gboolean
is_reserved(gsize offset, guint version)
{
	return (offset >= 0x48 && offset < 0x50 && offset != 0x48) || (offset >= 0x18b && offset < 0x1a0) ||
	       (version < 3 && offset >= 0x188 && offset < 0x18b) || offset == 0x1eb || offset == 0x1ef ||
	       (version < 5 && offset >= 0x1f8 && offset < 0x208) || (offset >= 0x208 && offset < 0x2a0) ||
	       offset >= 0x330;
}

static void
knows_the_reserved_bytes_of_each_version(void)
{
	guint8 data[DSTACK_SNP_REPORT_SIZE];

	for (guint version = 2; version <= 5; version++) {
		for (gsize offset = 0x38; offset < sizeof(data); offset++) {
			DstackSnpReport report;

			make_report(data);
			data[0] = (guint8)version;
			data[offset] = 1;
			g_assert_true(dstack_snp_report_parse(&report, data, sizeof(data), NULL));
			g_assert_cmpint(dstack_snp_report_ensure_reserved_zero(&report, NULL), ==,
					!is_reserved(offset, version));
		}
	}
}

static void
rejects_cut_certificate_tables(void)
{
	g_autoptr(GBytes) blob = NULL;
	DstackSnpCertTable table = {{NULL, 0}};

	if (dstack_test_vectors_dir() == NULL)
		return;
	blob = dstack_test_vector_read("snp/open/certtable/ok-minimal.bin");
	for (gsize size = 0; size < g_bytes_get_size(blob); size++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(blob, NULL), size);

		g_assert_false(dstack_snp_cert_table_parse(&table, copy, size, NULL));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snp-report/every-case-ends-where-its-vector-says", every_case_ends_where_its_vector_says);
	g_test_add_func("/snp-report/shows-every-field", shows_every_field);
	g_test_add_func("/snp-report/pinned-keys-are-those-of-the-published-roots",
			pinned_keys_are_those_of_the_published_roots);
	g_test_add_func("/snp-report/reads-certificate-tables", reads_certificate_tables);
	g_test_add_func("/snp-report/rejects-every-other-size", rejects_every_other_size);
	g_test_add_func("/snp-report/refuses-other-versions-by-number", refuses_other_versions_by_number);
	g_test_add_func("/snp-report/knows-the-reserved-bytes-of-each-version",
			knows_the_reserved_bytes_of_each_version);
	g_test_add_func("/snp-report/rejects-cut-certificate-tables", rejects_cut_certificate_tables);
	return g_test_run();
}
