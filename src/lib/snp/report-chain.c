/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Leaf, ASK or ASVK, ARK. OpenSSL's own chain check accepts PKCS#1 v1.5, other PSS parameters, a P-256 leaf,
 * any leaf name, a VCEK under the ASVK and a CA as leaf; so each rule is asked here (evidence.md, part B, section 3).
 */

#include "config.h"

#include "snp/report-chain.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/openssl.h"
#include "base/x509.h"
#include "snp/pss.h"
#include "snp/roots.h"

/* what the CA's signature is checked with: the pinned key, or that of the root the caller gave */
typedef struct {
	EVP_PKEY *key;
	X509 *cert; /* (nullable), borrowed: none where only the key is known */
} ChainAnchor;

static void
chain_anchor_clear(ChainAnchor *self)
{
	g_clear_pointer(&self->key, EVP_PKEY_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChainAnchor, chain_anchor_clear)

static gboolean
names_link(X509 *cert, X509 *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0;
}

/* the common name of a name that is not a certificate's own subject */
static gchar *
name_dup_cn(const X509_NAME *name)
{
	int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *data = NULL;

	if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0)
		return NULL;
	data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
	return g_strndup((const gchar *)ASN1_STRING_get0_data(data), (gsize)ASN1_STRING_length(data));
}

/* SEV-VCEK stands under SEV-Milan, SEV-VLEK under SEV-VLEK-Milan, and both under ARK-Milan */
static gboolean
chain_read_names(const DstackSnpCertificates *certs, DstackSnpChain *out, GError **error)
{
	g_autofree gchar *vek_cn = dstack_x509_dup_subject_cn(certs->vek);
	g_autofree gchar *ca_cn = dstack_x509_dup_subject_cn(certs->ca);
	g_autofree gchar *root_cn = name_dup_cn(X509_get_issuer_name(certs->ca));

	if (!dstack_snp_vek_get_kind(certs->vek, &out->kind)) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "leaf: expected the name SEV-VCEK or SEV-VLEK, found '%s'",
				    vek_cn == NULL ? "" : vek_cn);
	}
	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		const gchar *product = dstack_snp_product_to_string((DstackSnpProduct)i);
		g_autofree gchar *ca = g_strconcat(out->kind == DSTACK_SNP_VLEK ? "SEV-VLEK-" : "SEV-", product, NULL);
		g_autofree gchar *root = g_strconcat("ARK-", product, NULL);

		if (g_strcmp0(ca_cn, ca) == 0 && g_strcmp0(root_cn, root) == 0) {
			out->product = (DstackSnpProduct)i;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "%s: expected under SEV-%sMilan, -Genoa or -Turin, found '%s' under '%s'", vek_cn,
			    out->kind == DSTACK_SNP_VLEK ? "VLEK-" : "", ca_cn == NULL ? "" : ca_cn,
			    root_cn == NULL ? "" : root_cn);
}

static gboolean
same_key(X509 *a, X509 *b)
{
	DstackSha256 key_a = dstack_x509_spki_sha256(a);
	DstackSha256 key_b = dstack_x509_spki_sha256(b);

	return !dstack_sha256_is_zero(&key_a) && dstack_sha256_equal(&key_a, &key_b);
}

static gboolean
anchor_find_given(const DstackSnpCertificates *certs, X509 *root, ChainAnchor *out, GError **error)
{
	if (certs->root != NULL && !same_key(certs->root, root))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "root: the evidence's root has another key than the root that the caller trusts");
	out->cert = root;
	out->key = X509_get_pubkey(root);
	return out->key != NULL ||
	       dstack_throw(error, DSTACK_ERROR_MALFORMED, "root: the given root has no usable key");
}

static gboolean
anchor_find_pinned(const DstackSnpCertificates *certs, DstackSnpProduct product, ChainAnchor *out, GError **error)
{
	if (certs->root != NULL) {
		DstackSha256 found = dstack_x509_spki_sha256(certs->root);
		DstackSha256 pinned = dstack_snp_root_spki_sha256(product);
		g_autofree gchar *found_hex = dstack_sha256_to_hex(&found);
		g_autofree gchar *pinned_hex = dstack_sha256_to_hex(&pinned);

		if (!dstack_sha256_equal(&found, &pinned)) {
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "root: not pinned: expected the key of ARK-%s (SHA-256 %s), found %s",
					    dstack_snp_product_to_string(product), pinned_hex, found_hex);
		}
	}
	out->cert = certs->root;
	out->key = dstack_snp_root_key(product, error);
	return out->key != NULL;
}

static gboolean
ensure_ca(X509 *cert, const gchar *what, GError **error)
{
	if (!dstack_x509_is_ca(cert))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: not a CA certificate", what);
	return TRUE;
}

/* a critical extension that nobody here understands may take away what we would grant */
static gboolean
ensure_extensions(X509 *cert, const gchar *what, GError **error)
{
	guint32 flags = X509_get_extension_flags(cert);

	ERR_clear_error();
	if ((flags & EXFLAG_INVALID) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: an extension cannot be read", what);
	if ((flags & EXFLAG_CRITICAL) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: an unknown critical extension", what);
	return TRUE;
}

static gboolean
ensure_signed_by(X509 *cert, EVP_PKEY *key, gboolean simulator, const gchar *what, GError **error)
{
	const X509_ALGOR *algorithm = NULL;

	X509_get0_signature(NULL, &algorithm, cert);
	if (!simulator) {
		if (!dstack_snp_key_is_rsa4096(key))
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "%s: issuer's key: expected RSA with 4096 bits", what);
		if (!dstack_snp_pss_ensure(algorithm, what, error))
			return FALSE;
	}
	if (X509_verify(cert, key) == 1)
		return TRUE;
	ERR_clear_error();
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: signature does not verify under its issuer's key", what);
}

/* what is sent is checked in full; the caller's own root is trusted as it is, and only has to be the CA's issuer */
static gboolean
chain_verify_root(const ChainAnchor *anchor, const DstackSnpCertificates *certs, gboolean simulator, GError **error)
{
	if ((anchor->cert != NULL && !names_link(certs->ca, anchor->cert)) ||
	    (certs->root != NULL && !names_link(certs->ca, certs->root)))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "CA: its issuer's name is not the root's subject");
	return certs->root == NULL ||
	       (ensure_ca(certs->root, "root", error) && ensure_extensions(certs->root, "root", error) &&
		ensure_signed_by(certs->root, anchor->key, simulator, "root", error));
}

/* ECDSA all the way and nothing of AMD's in the leaf */
static gboolean
chain_is_simulator(const DstackSnpCertificates *certs)
{
	EVP_PKEY *ca_key = X509_get0_pubkey(certs->ca);

	return ca_key != NULL && EVP_PKEY_is_a(ca_key, "EC") == 1 && !dstack_snp_vek_has_amd_extensions(certs->vek);
}

static gboolean
chain_ensure_complete(const DstackSnpCertificates *certs, GError **error)
{
	if (certs->vek == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "no leaf certificate (SEV-VCEK or SEV-VLEK) for the report");
	if (certs->ca == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "no CA certificate (ASK or ASVK) for the leaf");
	if (!names_link(certs->vek, certs->ca))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "leaf: its issuer's name is not the CA's subject");
	return TRUE;
}

static gboolean
chain_ensure_simulator_allowed(const DstackSnpTrust *trust, GError **error)
{
	if (trust->root == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "a simulator's chain (ECDSA, no AMD extensions) leads to none of AMD's roots");
	if (!trust->allow_simulator)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "a simulator's chain (ECDSA, no AMD extensions) is not allowed by the caller");
	return TRUE;
}

/**
 * dstack_snp_chain_verify:
 * @certs: the certificates
 * @trust: the root to trust
 * @out: (out caller-allocates): what the chain says
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the certificate and what is wrong with it
 *
 * In this order: completeness and the leaf's issuer; names of leaf and CA; the root's key; the CA's issuer, CA flags,
 * extensions; key kinds, signature parameters and signatures from the root down; the leaf's own key.
 *
 * Returns: %TRUE when the leaf's key is vouched for by the root
 */
gboolean
dstack_snp_chain_verify(const DstackSnpCertificates *certs, const DstackSnpTrust *trust, DstackSnpChain *out,
			GError **error)
{
	g_auto(ChainAnchor) anchor = {NULL, NULL};
	DstackSnpChain chain = {0};
	EVP_PKEY *ca_key = NULL;

	if (!chain_ensure_complete(certs, error))
		return FALSE;
	chain.simulator = chain_is_simulator(certs);
	if (chain.simulator ? !chain_ensure_simulator_allowed(trust, error) : !chain_read_names(certs, &chain, error))
		return FALSE;
	if (trust->root != NULL ? !anchor_find_given(certs, trust->root, &anchor, error)
				: !anchor_find_pinned(certs, chain.product, &anchor, error))
		return FALSE;
	ca_key = X509_get0_pubkey(certs->ca);
	if (!chain_verify_root(&anchor, certs, chain.simulator, error) || !ensure_ca(certs->ca, "CA", error) ||
	    !ensure_extensions(certs->ca, "CA", error) || !ensure_extensions(certs->vek, "leaf", error) ||
	    !ensure_signed_by(certs->ca, anchor.key, chain.simulator, "CA", error) ||
	    !ensure_signed_by(certs->vek, ca_key, chain.simulator, "leaf", error))
		return FALSE;
	if (X509_get0_pubkey(certs->vek) == NULL || !dstack_key_is_p384(X509_get0_pubkey(certs->vek)))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "leaf: key: expected one on the curve P-384");
	*out = chain;
	return TRUE;
}

/**
 * dstack_snp_chain_ensure_in_date:
 * @certs: the certificates
 * @now: seconds since 1970
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the certificate and its dates
 *
 * Returns: %TRUE when every certificate that was sent is valid at @now, both bounds inclusive
 */
gboolean
dstack_snp_chain_ensure_in_date(const DstackSnpCertificates *certs, gint64 now, GError **error)
{
	return dstack_x509_ensure_in_date(certs->vek, now, "leaf certificate", error) &&
	       dstack_x509_ensure_in_date(certs->ca, now, "CA certificate", error) &&
	       (certs->root == NULL || dstack_x509_ensure_in_date(certs->root, now, "root certificate", error));
}

static gboolean
crl_ensure_good(X509_CRL *crl, EVP_PKEY *key, const DstackSnpChain *chain, gint64 now, GError **error)
{
	const X509_ALGOR *algorithm = NULL;

	X509_CRL_get0_signature(crl, NULL, &algorithm);
	if (!chain->simulator && !dstack_snp_pss_ensure(algorithm, "revocation list", error))
		return FALSE;
	if (X509_CRL_verify(crl, key) != 1) {
		ERR_clear_error();
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "revocation list: signature does not verify under the root's key");
	}
	return dstack_x509_crl_ensure_in_date(crl, now, "revocation list", error);
}

/**
 * dstack_snp_chain_ensure_not_revoked:
 * @certs: the certificates
 * @trust: the root they were verified with
 * @chain: what dstack_snp_chain_verify() said of them
 * @crls: (element-type X509_CRL): revocation lists, of any product line
 * @now: seconds since 1970
 * @out_n: (out): how many of @crls are of this chain's root
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when a list is not good, or names a certificate of the chain
 *
 * Lists of another issuer are not looked at.
 *
 * Returns: %TRUE when neither CA nor leaf is revoked as far as @crls know
 */
gboolean
dstack_snp_chain_ensure_not_revoked(const DstackSnpCertificates *certs, const DstackSnpTrust *trust,
				    const DstackSnpChain *chain, GPtrArray *crls, gint64 now, guint *out_n,
				    GError **error)
{
	g_auto(ChainAnchor) anchor = {NULL, NULL};
	guint n = 0;

	if (trust->root != NULL ? !anchor_find_given(certs, trust->root, &anchor, error)
				: !anchor_find_pinned(certs, chain->product, &anchor, error))
		return FALSE;
	for (guint i = 0; i < crls->len; i++) {
		X509_CRL *crl = g_ptr_array_index(crls, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(certs->ca)) != 0)
			continue;
		n++;
		if (!crl_ensure_good(crl, anchor.key, chain, now, error))
			return FALSE;
		if (dstack_x509_crl_contains(crl, certs->ca))
			return dstack_throw(error, DSTACK_ERROR_UNSOUND, "CA certificate is revoked");
		if (dstack_x509_crl_contains(crl, certs->vek))
			return dstack_throw(error, DSTACK_ERROR_UNSOUND, "leaf certificate is revoked");
	}
	*out_n = n;
	return TRUE;
}
