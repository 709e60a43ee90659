/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "support/pki.h"

#include <stdarg.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/autoptr.h"

EVP_PKEY *
dstack_pki_key_new(const gchar *group)
{
	EVP_PKEY *key = EVP_EC_gen(group);

	g_assert_nonnull(key);
	return key;
}

void
dstack_pki_key_xy(EVP_PKEY *key, guint8 xy[64])
{
	guint8 point[65];
	gsize size = 0;

	g_assert_cmpint(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &size), ==,
			1);
	g_assert_cmpuint(size, ==, sizeof(point));
	g_assert_cmphex(point[0], ==, 4);
	memcpy(xy, point + 1, 64);
}

static void
name_add(X509_NAME *name, const gchar *field, const gchar *value)
{
	if (value == NULL)
		return;
	g_assert_cmpint(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const guint8 *)value, -1, -1, 0), ==,
			1);
}

static void
cert_add_standard_extension(X509 *cert, int nid, const gchar *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	g_assert_nonnull(extension);
	g_assert_cmpint(X509_add_ext(cert, extension, -1), ==, 1);
	X509_EXTENSION_free(extension);
}

static void
cert_add_extension(X509 *cert, const DstackPkiExtension *spec)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(spec->oid, 1);
	ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;

	ASN1_OCTET_STRING_set(content, g_bytes_get_data(spec->content, NULL), (int)g_bytes_get_size(spec->content));
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, spec->critical, content);
	g_assert_nonnull(extension);
	g_assert_cmpint(X509_add_ext(cert, extension, -1), ==, 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(content);
	ASN1_OBJECT_free(oid);
}

static const EVP_MD *
digest_for_key(EVP_PKEY *key)
{
	return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

X509 *
dstack_pki_cert_new(const DstackPkiSpec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();
	X509_NAME *name = NULL;

	g_assert_nonnull(cert);
	name = X509_get_subject_name(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), spec->serial);
	name_add(name, "CN", spec->cn);
	name_add(name, "O", spec->organization);
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)spec->not_before));
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)spec->not_after));
	X509_set_pubkey(cert, key);
	X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : name);
	cert_add_standard_extension(cert, NID_basic_constraints,
				    spec->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	cert_add_standard_extension(cert, NID_key_usage,
				    spec->is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	for (gsize i = 0; i < G_N_ELEMENTS(spec->extensions); i++) {
		if (spec->extensions[i].oid != NULL)
			cert_add_extension(cert, &spec->extensions[i]);
	}
	g_assert_cmpint(X509_sign(cert, issuer_key, digest_for_key(issuer_key)), >, 0);
	return cert;
}

static void
crl_add_entry(X509_CRL *crl, guint64 serial, gint64 when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	g_autoptr(ASN1_INTEGER) number = ASN1_INTEGER_new();
	g_autoptr(ASN1_TIME) date = ASN1_TIME_set(NULL, (time_t)when);

	ASN1_INTEGER_set_uint64(number, serial);
	g_assert_cmpint(X509_REVOKED_set_serialNumber(entry, number), ==, 1);
	g_assert_cmpint(X509_REVOKED_set_revocationDate(entry, date), ==, 1);
	g_assert_cmpint(X509_CRL_add0_revoked(crl, entry), ==, 1);
}

X509_CRL *
dstack_pki_crl_new(const DstackPkiCrlSpec *spec, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509_CRL *crl = X509_CRL_new();
	g_autoptr(ASN1_TIME) this_update = ASN1_TIME_set(NULL, (time_t)spec->this_update);
	g_autoptr(ASN1_TIME) next_update = ASN1_TIME_set(NULL, (time_t)spec->next_update);

	g_assert_nonnull(crl);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, this_update);
	if (spec->next_update != 0)
		X509_CRL_set1_nextUpdate(crl, next_update);
	if (spec->number != 0) {
		g_autoptr(ASN1_INTEGER) number = ASN1_INTEGER_new();

		ASN1_INTEGER_set_uint64(number, spec->number);
		g_assert_cmpint(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), ==, 1);
	}
	for (gsize i = 0; i < spec->n_revoked; i++)
		crl_add_entry(crl, spec->revoked[i], spec->this_update);
	X509_CRL_sort(crl);
	g_assert_cmpint(X509_CRL_sign(crl, issuer_key, digest_for_key(issuer_key)), >, 0);
	return crl;
}

GBytes *
dstack_pki_cert_to_der(X509 *cert)
{
	guint8 *der = NULL;
	int size = i2d_X509(cert, &der);
	GBytes *bytes = NULL;

	g_assert_cmpint(size, >, 0);
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}

GBytes *
dstack_pki_crl_to_der(X509_CRL *crl)
{
	guint8 *der = NULL;
	int size = i2d_X509_CRL(crl, &der);
	GBytes *bytes = NULL;

	g_assert_cmpint(size, >, 0);
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}

gchar *
dstack_pki_to_pem(X509 *first, ...)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	gchar *text = NULL;
	long size = 0;
	va_list args;

	va_start(args, first);
	for (X509 *cert = first; cert != NULL; cert = va_arg(args, X509 *))
		g_assert_cmpint(PEM_write_bio_X509(bio, cert), ==, 1);
	va_end(args);
	size = BIO_get_mem_data(bio, &text);
	return g_strndup(text, (gsize)size);
}

gchar *
dstack_pki_server_pem(const gchar *ip)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(EVP_PKEY) key = dstack_pki_key_new("P-256");
	g_autoptr(X509) cert = X509_new();
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	g_autofree gchar *san = g_strconcat("IP:", ip, NULL);
	gchar *text = NULL;
	long size = 0;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), 1);
	name_add(X509_get_subject_name(cert), "CN", ip);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now - 3600)));
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now + 3600)));
	X509_set_pubkey(cert, key);
	cert_add_standard_extension(cert, NID_subject_alt_name, san);
	g_assert_cmpint(X509_sign(cert, key, EVP_sha256()), >, 0);
	g_assert_cmpint(PEM_write_bio_X509(bio, cert), ==, 1);
	g_assert_cmpint(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), ==, 1);
	size = BIO_get_mem_data(bio, &text);
	return g_strndup(text, (gsize)size);
}

void
dstack_pki_sign_raw(EVP_PKEY *key, const guint8 *data, gsize size, guint8 signature[64])
{
	g_autoptr(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
	g_autoptr(ECDSA_SIG) sig = NULL;
	guint8 der[80];
	const guint8 *at = der;
	gsize der_size = sizeof(der);

	g_assert_cmpint(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), ==, 1);
	g_assert_cmpint(EVP_DigestSign(ctx, der, &der_size, data, size), ==, 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_size);
	g_assert_nonnull(sig);
	g_assert_cmpint(BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32), ==, 32);
	g_assert_cmpint(BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32), ==, 32);
}
