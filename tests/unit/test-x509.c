/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/x509.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/limits.h"
#include "dstack/error.h"
#include "support/pki.h"

#define DAY  G_GINT64_CONSTANT(86400)
#define FROM G_GINT64_CONSTANT(1700000000)
#define TO   (FROM + 30 * DAY)

typedef struct {
	EVP_PKEY *ca_key;
	EVP_PKEY *leaf_key;
	X509 *ca;
	X509 *leaf;
	X509_CRL *crl;
} Fixture;

static X509_CRL *
crl_with(Fixture *self, gint64 next_update)
{
	static const guint64 revoked[] = {7, 66, 1000};
	DstackPkiCrlSpec spec = {.this_update = FROM,
				 .next_update = next_update,
				 .number = 1,
				 .revoked = revoked,
				 .n_revoked = G_N_ELEMENTS(revoked)};

	return dstack_pki_crl_new(&spec, self->ca, self->ca_key);
}

static void
fixture_init(Fixture *self)
{
	DstackPkiSpec ca = {.cn = "Test Root", .not_before = FROM, .not_after = TO, .serial = 1, .is_ca = TRUE};
	DstackPkiSpec leaf = {.cn = "Test Leaf", .not_before = FROM, .not_after = TO, .serial = 66};
	g_autoptr(GBytes) content = g_bytes_new_static("\x04\x01\x2a", 3);

	leaf.extensions[0] = (DstackPkiExtension){.oid = "1.2.3.4.5", .content = content};
	leaf.extensions[1] = (DstackPkiExtension){.oid = "1.2.3.4.6", .content = content};
	leaf.extensions[2] = (DstackPkiExtension){.oid = "1.2.3.4.6", .content = content};
	self->ca_key = dstack_pki_key_new("P-256");
	self->leaf_key = dstack_pki_key_new("P-256");
	self->ca = dstack_pki_cert_new(&ca, self->ca_key, NULL, self->ca_key);
	self->leaf = dstack_pki_cert_new(&leaf, self->leaf_key, self->ca, self->ca_key);
	self->crl = crl_with(self, TO);
}

static void
fixture_clear(Fixture *self)
{
	X509_CRL_free(self->crl);
	X509_free(self->leaf);
	X509_free(self->ca);
	EVP_PKEY_free(self->leaf_key);
	EVP_PKEY_free(self->ca_key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
reads_one_certificate_and_nothing_else(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) der = NULL;
	g_autoptr(X509) cert = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *longer = NULL;
	const guint8 *data = NULL;
	gsize size = 0;

	fixture_init(&fixture);
	der = dstack_pki_cert_to_der(fixture.leaf);
	data = g_bytes_get_data(der, &size);
	cert = dstack_x509_parse_der(data, size, "leaf", &error);
	g_assert_no_error(error);
	g_assert_cmpint(X509_cmp(cert, fixture.leaf), ==, 0);

	longer = g_malloc0(size + 1);
	memcpy(longer, data, size);
	g_assert_null(dstack_x509_parse_der(longer, size + 1, "leaf", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	for (gsize cut = 0; cut < size; cut++)
		g_assert_null(dstack_x509_parse_der(data, cut, "leaf", NULL));
}

/* whatever is flipped, either it is no certificate any more or the CA did not sign it */
static void
notices_every_flipped_bit(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) der = NULL;
	g_autofree guint8 *copy = NULL;
	gsize size = 0;

	fixture_init(&fixture);
	der = dstack_pki_cert_to_der(fixture.leaf);
	copy = g_memdup2(g_bytes_get_data(der, &size), g_bytes_get_size(der));
	for (gsize i = 0; i < size; i++) {
		for (guint bit = 0; bit < 8; bit++) {
			g_autoptr(X509) cert = NULL;

			copy[i] ^= (guint8)(1u << bit);
			cert = dstack_x509_parse_der(copy, size, "leaf", NULL);
			g_assert_true(cert == NULL || !dstack_x509_ensure_issued_by(cert, fixture.ca, "leaf", NULL));
			copy[i] ^= (guint8)(1u << bit);
		}
	}
}

static void
reads_a_chain_in_pem(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *pem = NULL;
	g_autoptr(GPtrArray) certs = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	pem = dstack_pki_to_pem(fixture.leaf, fixture.ca, NULL);
	certs = dstack_x509_parse_pem(pem, strlen(pem), 2, "chain", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(certs->len, ==, 2);
	g_assert_cmpint(X509_cmp(g_ptr_array_index(certs, 0), fixture.leaf), ==, 0);
	g_assert_cmpint(X509_cmp(g_ptr_array_index(certs, 1), fixture.ca), ==, 0);
	g_assert_null(dstack_x509_parse_pem(pem, strlen(pem), 1, "chain", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static const struct {
	const gchar *before;
	const gchar *after;
	gsize after_size;
	gboolean good;
} surroundings[] = {
    {"", "", 0, TRUE},
    {"\n \t\r\n", "\r\n", 2, TRUE},
    {"", "\0", 1, TRUE},
    {"", "\0\0", 2, FALSE},
    {"", "\0\n", 2, FALSE},
    {"subject=x\n", "", 0, FALSE},
    {"", "trailing", 8, FALSE},
    {"-", "", 0, FALSE},
    {"", "-----BEGIN CERTIFICATE-----", 27, FALSE},
};

static void
allows_only_white_space_and_one_nul_around_pem(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *pem = NULL;

	fixture_init(&fixture);
	pem = dstack_pki_to_pem(fixture.leaf, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(surroundings); i++) {
		g_autoptr(GString) text = g_string_new(surroundings[i].before);
		g_autoptr(GPtrArray) certs = NULL;

		g_string_append(text, pem);
		g_string_append_len(text, surroundings[i].after, (gssize)surroundings[i].after_size);
		certs = dstack_x509_parse_pem(text->str, text->len, 3, "chain", NULL);
		g_assert_cmpint(certs != NULL, ==, surroundings[i].good);
	}
	g_assert_null(dstack_x509_parse_pem("", 0, 3, "chain", NULL));
	g_assert_null(dstack_x509_parse_pem("\0", 1, 3, "chain", NULL));
}

static void
rejects_every_truncation_of_pem(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *pem = NULL;

	fixture_init(&fixture);
	pem = dstack_pki_to_pem(fixture.leaf, NULL);
	for (gsize cut = 0; cut < strlen(pem) - 1; cut++)
		g_assert_null(dstack_x509_parse_pem(pem, cut, 3, "chain", NULL));
}

static void
counts_both_bounds_of_validity_in(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	g_assert_true(dstack_x509_ensure_in_date(fixture.leaf, FROM, "leaf", &error));
	g_assert_true(dstack_x509_ensure_in_date(fixture.leaf, TO, "leaf", &error));
	g_assert_false(dstack_x509_ensure_in_date(fixture.leaf, FROM - 1, "leaf", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_assert_cmpstr(error->message, ==,
			"leaf: not valid yet: valid from 2023-11-14T22:13:20Z to 2023-12-14T22:13:20Z, "
			"time of verification is 2023-11-14T22:13:19Z");
	g_clear_error(&error);
	g_assert_false(dstack_x509_ensure_in_date(fixture.leaf, TO + 1, "leaf", &error));
	g_assert_nonnull(strstr(error->message, "out of date"));
	g_clear_error(&error);
	g_assert_true(dstack_x509_crl_ensure_in_date(fixture.crl, FROM, "list", &error));
	g_assert_true(dstack_x509_crl_ensure_in_date(fixture.crl, TO, "list", &error));
	g_assert_false(dstack_x509_crl_ensure_in_date(fixture.crl, FROM - 1, "list", NULL));
	g_assert_false(dstack_x509_crl_ensure_in_date(fixture.crl, TO + 1, "list", NULL));
}

static void
wants_a_next_update(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(X509_CRL) crl = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	crl = crl_with(&fixture, 0);
	g_assert_false(dstack_x509_crl_ensure_in_date(crl, FROM, "list", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
finds_revoked_serial_numbers(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) der = NULL;
	g_autoptr(X509_CRL) crl = NULL;
	g_autoptr(GError) error = NULL;
	gsize size = 0;
	const guint8 *data = NULL;

	fixture_init(&fixture);
	der = dstack_pki_crl_to_der(fixture.crl);
	data = g_bytes_get_data(der, &size);
	crl = dstack_x509_crl_parse_der(data, size, "list", &error);
	g_assert_no_error(error);
	g_assert_true(dstack_x509_crl_contains(crl, fixture.leaf));
	g_assert_false(dstack_x509_crl_contains(crl, fixture.ca));
	for (gsize cut = 0; cut < size; cut++)
		g_assert_null(dstack_x509_crl_parse_der(data, cut, "list", NULL));
}

static void
ties_certificates_and_lists_to_their_issuer(void)
{
	g_auto(Fixture) fixture = {0};
	g_auto(Fixture) other = {0};
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	fixture_init(&other);
	g_assert_true(dstack_x509_ensure_issued_by(fixture.leaf, fixture.ca, "leaf", &error));
	g_assert_true(dstack_x509_ensure_issued_by(fixture.ca, fixture.ca, "root", &error));
	g_assert_true(dstack_x509_crl_ensure_issued_by(fixture.crl, fixture.ca, "list", &error));
	g_assert_no_error(error);
	/* the same name under another key */
	g_assert_false(dstack_x509_ensure_issued_by(fixture.leaf, other.ca, "leaf", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_assert_false(dstack_x509_crl_ensure_issued_by(fixture.crl, other.ca, "list", NULL));
	/* another name */
	g_assert_false(dstack_x509_ensure_issued_by(fixture.ca, fixture.leaf, "root", NULL));
	g_assert_false(dstack_x509_crl_ensure_issued_by(fixture.crl, fixture.leaf, "list", NULL));
}

static void
knows_a_ca_by_what_it_says(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *cn = NULL;
	DstackSha256 a = {{0}};
	DstackSha256 b = {{0}};

	fixture_init(&fixture);
	g_assert_true(dstack_x509_is_ca(fixture.ca));
	g_assert_false(dstack_x509_is_ca(fixture.leaf));
	cn = dstack_x509_dup_subject_cn(fixture.leaf);
	g_assert_cmpstr(cn, ==, "Test Leaf");
	a = dstack_x509_spki_sha256(fixture.ca);
	b = dstack_x509_spki_sha256(fixture.leaf);
	g_assert_false(dstack_sha256_is_zero(&a));
	g_assert_false(dstack_sha256_equal(&a, &b));
}

static void
wants_an_extension_exactly_once(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	const guint8 *data = NULL;
	gsize size = 0;

	fixture_init(&fixture);
	g_assert_true(dstack_x509_peek_extension(fixture.leaf, "1.2.3.4.5", &data, &size, &error));
	g_assert_cmpmem(data, (int)size, "\x04\x01\x2a", 3);
	g_assert_false(dstack_x509_peek_extension(fixture.leaf, "1.2.3.4.6", &data, &size, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_nonnull(strstr(error->message, "found two"));
	g_clear_error(&error);
	g_assert_false(dstack_x509_peek_extension(fixture.leaf, "1.2.3.4.7", &data, &size, &error));
	g_assert_nonnull(strstr(error->message, "found none"));
}

static void
takes_a_named_certificate_in_either_form(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GBytes) der = NULL;
	g_autoptr(GBytes) pem = NULL;
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	g_autoptr(GBytes) from_der = NULL;
	g_autoptr(GBytes) from_pem = NULL;
	g_autofree gchar *text = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	der = dstack_pki_cert_to_der(fixture.ca);
	text = dstack_pki_to_pem(fixture.ca, NULL);
	pem = g_bytes_new(text, strlen(text));
	from_der = dstack_x509_to_der(der, "root", &error);
	g_assert_no_error(error);
	from_pem = dstack_x509_to_der(pem, "root", &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(from_der, der));
	g_assert_true(g_bytes_equal(from_pem, der));
	g_assert_null(dstack_x509_to_der(empty, "root", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/x509/reads-one-certificate-and-nothing-else", reads_one_certificate_and_nothing_else);
	g_test_add_func("/x509/notices-every-flipped-bit", notices_every_flipped_bit);
	g_test_add_func("/x509/reads-a-chain-in-pem", reads_a_chain_in_pem);
	g_test_add_func("/x509/allows-only-white-space-and-one-nul-around-pem",
			allows_only_white_space_and_one_nul_around_pem);
	g_test_add_func("/x509/rejects-every-truncation-of-pem", rejects_every_truncation_of_pem);
	g_test_add_func("/x509/counts-both-bounds-of-validity-in", counts_both_bounds_of_validity_in);
	g_test_add_func("/x509/wants-a-next-update", wants_a_next_update);
	g_test_add_func("/x509/finds-revoked-serial-numbers", finds_revoked_serial_numbers);
	g_test_add_func("/x509/ties-certificates-and-lists-to-their-issuer",
			ties_certificates_and_lists_to_their_issuer);
	g_test_add_func("/x509/knows-a-ca-by-what-it-says", knows_a_ca_by_what_it_says);
	g_test_add_func("/x509/wants-an-extension-exactly-once", wants_an_extension_exactly_once);
	g_test_add_func("/x509/takes-a-named-certificate-in-either-form", takes_a_named_certificate_in_either_form);
	return g_test_run();
}
