/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged SEV-SNP certificates, reports and revocation lists.
 */

#include "config.h"

#include "support/snp-forge.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/autoptr.h"
#include "base/guid.h"
#include "base/hex.h"
#include "base/writer.h"

#define OID_PREFIX "1.3.6.1.4.1.3704.1."

/* four primes instead of two: the public key is of the same kind, and is found ten times as fast */
static EVP_PKEY *
rsa_key_new(int bits, int primes)
{
	g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	g_assert_cmpint(EVP_PKEY_keygen_init(ctx), ==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), ==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, primes), ==, 1);
	g_assert_cmpint(EVP_PKEY_generate(ctx, &key), ==, 1);
	return key;
}

DstackSnpForge *
dstack_snp_forge_new(void)
{
	DstackSnpForge *self = g_new0(DstackSnpForge, 1);

	self->ark = rsa_key_new(4096, 4);
	self->ca = rsa_key_new(4096, 4);
	self->rogue = rsa_key_new(4096, 4);
	self->small = rsa_key_new(2048, 3);
	self->vek = EVP_EC_gen("P-384");
	self->p256 = EVP_EC_gen("P-256");
	return self;
}

void
dstack_snp_forge_free(DstackSnpForge *self)
{
	if (self == NULL)
		return;
	EVP_PKEY_free(self->ark);
	EVP_PKEY_free(self->ca);
	EVP_PKEY_free(self->rogue);
	EVP_PKEY_free(self->small);
	EVP_PKEY_free(self->vek);
	EVP_PKEY_free(self->p256);
	g_free(self);
}

static DstackSnpForgeCert
plan_cert(const gchar *prefix, DstackSnpProduct product, EVP_PKEY *key, EVP_PKEY *signer)
{
	static guint64 serial = 0x1000;

	return (DstackSnpForgeCert){
	    .cn = g_strconcat(prefix, product == DSTACK_SNP_N_PRODUCTS ? NULL : dstack_snp_product_to_string(product),
			      NULL),
	    .key = key,
	    .not_before = DSTACK_SNP_FORGE_NOW - 86400,
	    .not_after = DSTACK_SNP_FORGE_NOW + 86400,
	    .serial = serial++,
	    .is_ca = product != DSTACK_SNP_N_PRODUCTS,
	    .signer = signer,
	};
}

/* reported TCB: fmc 1, bl 2, tee 3, snp 200, ucode 77 */
static void
plan_vek(DstackSnpForgeVek *vek, DstackSnpProduct product, DstackSnpVekKind kind, const guint8 chip_id[64])
{
	const gboolean turin = product == DSTACK_SNP_TURIN;

	*vek = (DstackSnpForgeVek){
	    .struct_version = turin ? 1 : 0,
	    .product_name =
		g_strconcat(dstack_snp_product_to_string(product), product == DSTACK_SNP_MILAN ? "-B0" : NULL, NULL),
	    .spl = {-1, 2, 3, 200, turin ? -1 : 0, 0, 0, 0, 77, turin ? 1 : -1},
	    .hwid = kind == DSTACK_SNP_VCEK ? g_bytes_new(chip_id, turin ? 8 : 64) : NULL,
	    .csp_id = kind == DSTACK_SNP_VLEK ? g_strdup("forged-cloud") : NULL,
	};
}

static void
plan_report(DstackSnpReportBytes *report, DstackSnpProduct product, DstackSnpVekKind kind)
{
	static const guint8 tcb[DSTACK_SNP_N_PRODUCTS][8] = {
	    [DSTACK_SNP_MILAN] = {2, 3, 0, 0, 0, 0, 200, 77},
	    [DSTACK_SNP_GENOA] = {2, 3, 0, 0, 0, 0, 200, 77},
	    [DSTACK_SNP_TURIN] = {1, 2, 3, 200, 0, 0, 0, 77},
	};
	static const guint8 cpuid[DSTACK_SNP_N_PRODUCTS][3] = {{0x19, 0x01, 1}, {0x19, 0x11, 1}, {0x1a, 0x02, 1}};

	memset(report, 0, sizeof(*report));
	dstack_store_u32le(report->version, 3);
	dstack_store_u64le(report->policy, 0x30000);
	dstack_store_u32le(report->signature_algo, 1);
	dstack_store_u32le(report->key_info, kind == DSTACK_SNP_VLEK ? 1U << 2 : 0);
	memcpy(report->current_tcb, tcb[product], 8);
	memcpy(report->reported_tcb, tcb[product], 8);
	memcpy(report->committed_tcb, tcb[product], 8);
	memcpy(report->launch_tcb, tcb[product], 8);
	memcpy(report->cpuid, cpuid[product], 3);
	for (guint i = 0; kind == DSTACK_SNP_VCEK && i < (product == DSTACK_SNP_TURIN ? 8 : 64); i++)
		report->chip_id[i] = (guint8)(i + 1);
}

DstackSnpForgePlan *
dstack_snp_forge_plan_new(const DstackSnpForge *self, DstackSnpProduct product, DstackSnpVekKind kind)
{
	DstackSnpForgePlan *plan = g_new0(DstackSnpForgePlan, 1);
	gboolean vlek = kind == DSTACK_SNP_VLEK;

	plan->root = plan_cert("ARK-", product, self->ark, self->ark);
	plan->ca = plan_cert(vlek ? "SEV-VLEK-" : "SEV-", product, self->ca, self->ark);
	plan->leaf = plan_cert(dstack_snp_vek_kind_to_string(kind), DSTACK_SNP_N_PRODUCTS, self->vek, self->ca);
	plan->send_root = TRUE;
	plan_report(&plan->report, product, kind);
	plan_vek(&plan->vek, product, kind, plan->report.chip_id);
	plan->report_signer = self->vek;
	plan->report_digest = "SHA384";
	return plan;
}

void
dstack_snp_forge_plan_free(DstackSnpForgePlan *plan)
{
	if (plan == NULL)
		return;
	g_free(plan->root.cn);
	g_free(plan->ca.cn);
	g_free(plan->leaf.cn);
	g_free(plan->vek.product_name);
	g_free(plan->vek.csp_id);
	g_clear_pointer(&plan->vek.hwid, g_bytes_unref);
	g_free(plan);
}

static X509_NAME *
name_new(const gchar *cn)
{
	X509_NAME *name = X509_NAME_new();

	g_assert_cmpint(
	    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const guint8 *)"Forged for tests", -1, -1, 0), ==, 1);
	g_assert_cmpint(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const guint8 *)cn, -1, -1, 0), ==, 1);
	return name;
}

static void
cert_add(X509 *cert, const gchar *oid, gboolean critical, const guint8 *content, gsize size)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;

	g_assert_cmpint(ASN1_OCTET_STRING_set(data, content, (int)size), ==, 1);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, data);
	g_assert_cmpint(X509_add_ext(cert, extension, -1), ==, 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(object);
}

static void
cert_add_integer(X509 *cert, const gchar *suffix, gint value)
{
	g_autofree gchar *oid = g_strconcat(OID_PREFIX, suffix, NULL);
	const guint8 small[] = {2, 1, (guint8)value};
	const guint8 large[] = {2, 2, (guint8)(value >> 8), (guint8)value};

	if (value < 0)
		return;
	if (value < 0x80)
		cert_add(cert, oid, FALSE, small, sizeof(small));
	else
		cert_add(cert, oid, FALSE, large, sizeof(large));
}

static void
cert_add_text(X509 *cert, const gchar *suffix, const gchar *text)
{
	g_autofree gchar *oid = g_strconcat(OID_PREFIX, suffix, NULL);
	g_autoptr(GByteArray) der = g_byte_array_new();

	if (text == NULL)
		return;
	dstack_append_u8(der, 0x16);
	dstack_append_u8(der, (guint8)strlen(text));
	g_byte_array_append(der, (const guint8 *)text, (guint)strlen(text));
	cert_add(cert, oid, FALSE, der->data, der->len);
}

static void
cert_add_spls(X509 *cert, const DstackSnpForgeVek *vek)
{
	for (guint i = 1; i < G_N_ELEMENTS(vek->spl); i++) {
		g_autofree gchar *suffix = g_strdup_printf("3.%u", i);

		if (i == 8 && vek->raw_spl != NULL) {
			g_autoptr(GBytes) raw = dstack_hex_decode_bytes(vek->raw_spl, "raw", 64, NULL);

			cert_add(cert, OID_PREFIX "3.8", FALSE, g_bytes_get_data(raw, NULL), g_bytes_get_size(raw));
			continue;
		}
		cert_add_integer(cert, suffix, vek->spl[i]);
	}
}

static void
cert_add_vek(X509 *cert, const DstackSnpForgeVek *vek)
{
	cert_add_integer(cert, "1", vek->struct_version);
	cert_add_text(cert, "2", vek->product_name);
	cert_add_spls(cert, vek);
	if (vek->hwid != NULL)
		cert_add(cert, OID_PREFIX "4", FALSE, g_bytes_get_data(vek->hwid, NULL), g_bytes_get_size(vek->hwid));
	cert_add_text(cert, "5", vek->csp_id);
}

static void
cert_add_ca(X509 *cert, gboolean is_ca)
{
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

	constraints->ca = is_ca ? 0xff : 0;
	g_assert_cmpint(X509_add1_ext_i2d(cert, NID_basic_constraints, constraints, TRUE, X509V3_ADD_DEFAULT), ==, 1);
	BASIC_CONSTRAINTS_free(constraints);
}

/* a context that signs as asked; an EC key knows one way only */
static EVP_MD_CTX *
sign_context(EVP_PKEY *key, DstackSnpForgeSignature signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx = NULL;
	const EVP_MD *digest = signature == DSTACK_SNP_FORGE_PSS_SHA256 ? EVP_sha256() : EVP_sha384();
	const EVP_MD *mask = signature == DSTACK_SNP_FORGE_PSS || signature == DSTACK_SNP_FORGE_PSS_SALT_32
				 ? EVP_sha384()
				 : EVP_sha256();

	g_assert_cmpint(EVP_DigestSignInit(ctx, &key_ctx, digest, NULL, key), ==, 1);
	if (signature == DSTACK_SNP_FORGE_PKCS1 || EVP_PKEY_is_a(key, "RSA") != 1)
		return ctx;
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), ==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, signature == DSTACK_SNP_FORGE_PSS_SALT_32 ? 32 : 48),
			==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_mgf1_md(key_ctx, mask), ==, 1);
	return ctx;
}

static GBytes *
cert_make(const DstackSnpForgeCert *spec, const gchar *issuer_cn, const DstackSnpForgeVek *vek)
{
	g_autoptr(X509) cert = X509_new();
	g_autoptr(EVP_MD_CTX) ctx = sign_context(spec->signer, spec->signature);
	X509_NAME *subject = name_new(spec->cn);
	X509_NAME *issuer = name_new(issuer_cn);
	guint8 *der = NULL;
	GBytes *bytes = NULL;
	int size = 0;

	g_assert_cmpint(X509_set_version(cert, X509_VERSION_3), ==, 1);
	g_assert_cmpint(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), spec->serial), ==, 1);
	g_assert_cmpint(X509_set_subject_name(cert, subject), ==, 1);
	g_assert_cmpint(X509_set_issuer_name(cert, issuer), ==, 1);
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notBefore(cert), spec->not_before));
	g_assert_nonnull(ASN1_TIME_set(X509_getm_notAfter(cert), spec->not_after));
	g_assert_cmpint(X509_set_pubkey(cert, spec->key), ==, 1);
	if (vek == NULL)
		cert_add_ca(cert, spec->is_ca);
	else
		cert_add_vek(cert, vek);
	if (spec->critical_extension)
		cert_add(cert, "1.2.3.4.5", TRUE, (const guint8 *)"\x05", 2);
	g_assert_cmpint(X509_sign_ctx(cert, ctx), >, 0);
	size = i2d_X509(cert, &der);
	g_assert_cmpint(size, >, 0);
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	return bytes;
}

static void
store_number_le(guint8 out[72], const BIGNUM *number)
{
	g_assert_cmpint(BN_bn2lebinpad(number, out, 72), ==, 72);
}

/* where the test has not put a signature of its own */
static void
report_sign(DstackSnpReportBytes *report, EVP_PKEY *key, const gchar *digest)
{
	g_autoptr(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
	g_autoptr(ECDSA_SIG) sig = NULL;
	guint8 der[160];
	const guint8 *at = der;
	gsize size = sizeof(der);

	if (!dstack_bytes_are_zero(report->signature_r, sizeof(report->signature_r)))
		return;
	g_assert_cmpint(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL), ==, 1);
	g_assert_cmpint(EVP_DigestSign(ctx, der, &size, (const guint8 *)report, DSTACK_SNP_REPORT_SIGNED_SIZE), ==, 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)size);
	store_number_le(report->signature_r, ECDSA_SIG_get0_r(sig));
	store_number_le(report->signature_s, ECDSA_SIG_get0_s(sig));
}

DstackSnpForged
dstack_snp_forge_make(const DstackSnpForgePlan *plan)
{
	DstackAttestation *attestation = dstack_attestation_new(DSTACK_PLATFORM_SEV_SNP, DSTACK_FORM_SCALE);
	DstackSnpForged forged = {.attestation = attestation};
	DstackSnpReportBytes report = plan->report;

	forged.root = cert_make(&plan->root, plan->root.cn, NULL);
	report_sign(&report, plan->report_signer, plan->report_digest);
	attestation->report = g_bytes_new(&report, sizeof(report));
	if (attestation->cert_chain == NULL)
		attestation->cert_chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_ptr_array_add(attestation->cert_chain, cert_make(&plan->ca, plan->root.cn, NULL));
	g_ptr_array_add(attestation->cert_chain, cert_make(&plan->leaf, plan->ca.cn, &plan->vek));
	if (plan->send_root)
		g_ptr_array_add(attestation->cert_chain, g_bytes_ref(forged.root));
	return forged;
}

void
dstack_snp_forged_clear(DstackSnpForged *self)
{
	g_clear_pointer(&self->root, g_bytes_unref);
	g_clear_pointer(&self->attestation, dstack_attestation_free);
}

static void
crl_add_revoked(X509_CRL *crl, guint64 serial, gint64 when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *date = ASN1_TIME_set(NULL, when);

	g_assert_cmpint(ASN1_INTEGER_set_uint64(number, serial), ==, 1);
	g_assert_cmpint(X509_REVOKED_set_serialNumber(entry, number), ==, 1);
	g_assert_cmpint(X509_REVOKED_set_revocationDate(entry, date), ==, 1);
	g_assert_cmpint(X509_CRL_add0_revoked(crl, entry), ==, 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(date);
}

GBytes *
dstack_snp_forge_crl(const DstackSnpForgePlan *plan, const DstackSnpForgeCrl *spec)
{
	g_autoptr(X509_CRL) crl = X509_CRL_new();
	g_autoptr(EVP_MD_CTX) ctx = sign_context(spec->signer, spec->signature);
	X509_NAME *issuer = name_new(plan->root.cn);
	ASN1_TIME *this_update = ASN1_TIME_set(NULL, spec->this_update);
	ASN1_TIME *next_update = ASN1_TIME_set(NULL, spec->next_update);
	guint8 *der = NULL;
	GBytes *bytes = NULL;
	int size = 0;

	g_assert_cmpint(X509_CRL_set_version(crl, X509_CRL_VERSION_2), ==, 1);
	g_assert_cmpint(X509_CRL_set_issuer_name(crl, issuer), ==, 1);
	g_assert_cmpint(X509_CRL_set1_lastUpdate(crl, this_update), ==, 1);
	g_assert_cmpint(X509_CRL_set1_nextUpdate(crl, next_update), ==, 1);
	for (gsize i = 0; i < spec->n_revoked; i++)
		crl_add_revoked(crl, spec->revoked[i], spec->this_update);
	g_assert_cmpint(X509_CRL_sign_ctx(crl, ctx), >, 0);
	size = i2d_X509_CRL(crl, &der);
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	X509_NAME_free(issuer);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	return bytes;
}

GBytes *
dstack_snp_forge_cert_table(GPtrArray *certificates)
{
	static const gchar *const guids[] = {"4ab7b379-bbac-4fe4-a02f-05aef327c782",
					     "63da758d-e664-4564-adc5-f4b93be8accd"};
	GByteArray *out = g_byte_array_new();
	guint32 offset = 24 * (guint32)(G_N_ELEMENTS(guids) + 1);

	for (guint i = 0; i < G_N_ELEMENTS(guids); i++) {
		DstackGuid guid = dstack_guid_from_constant(guids[i], DSTACK_GUID_RFC4122);
		guint32 size = (guint32)g_bytes_get_size(g_ptr_array_index(certificates, i));

		g_byte_array_append(out, guid.bytes, sizeof(guid.bytes));
		dstack_append_u32le(out, offset);
		dstack_append_u32le(out, size);
		offset += size;
	}
	dstack_append_zero(out, 24);
	for (guint i = 0; i < G_N_ELEMENTS(guids); i++) {
		GBytes *cert = g_ptr_array_index(certificates, i);

		g_byte_array_append(out, g_bytes_get_data(cert, NULL), (guint)g_bytes_get_size(cert));
	}
	return g_byte_array_free_to_bytes(out);
}
