/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Chains of the Intel SGX PKI, checked link by link. OpenSSL's own path building is not used: it accepts
 * orders, lengths and names that these chains never have, and trusts certificates where we trust a key.
 */

#include "config.h"

#include "dcap/chain.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/openssl.h"
#include "base/x509.h"

/*
 * Intel SGX Root CA, by SHA-256 of its SubjectPublicKeyInfo. Two certificates with this key are in the field:
 * | certificate                    | SHA-256 of its DER                                               |
 * | 2018-05-21 .. 2049-12-31       | 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3 |
 * | older issue, 2018 .. 2033      | fc64f8076d79a4fee9d1d473d74c89eb8d8fd55c5abafeabeba7366d20429404 |
 * Public key (x then y): 0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5
 *                        67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394
 */
static const DstackSha256 intel_root_spki = {{0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
					      0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
					      0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e}};

#define CN_ROOT	   "Intel SGX Root CA"
#define CN_PCK	   "Intel SGX PCK Certificate"
#define CN_SIGNING "Intel SGX TCB Signing"

static const gchar *const pck_ca_names[] = {"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"};

/**
 * dstack_trust_anchor_init:
 * @self: (out caller-allocates): the anchor
 * @context: what the caller trusts
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the caller's root is no certificate
 *
 * Returns: %TRUE when @self is the pinned root's key, or that of the root in @context
 */
gboolean
dstack_trust_anchor_init(DstackTrustAnchor *self, const DstackContext *context, GError **error)
{
	g_autoptr(X509) root = NULL;

	if (context->root_der == NULL) {
		*self = (DstackTrustAnchor){.spki = intel_root_spki, .is_pinned = TRUE};
		return TRUE;
	}
	root = dstack_x509_parse_der(g_bytes_get_data(context->root_der, NULL), g_bytes_get_size(context->root_der),
				     "root given by the caller", error);
	if (root == NULL)
		return FALSE;
	*self = (DstackTrustAnchor){.spki = dstack_x509_spki_sha256(root), .is_pinned = FALSE};
	return !dstack_sha256_is_zero(&self->spki) ||
	       dstack_throw(error, DSTACK_ERROR_MALFORMED, "root given by the caller: its key cannot be read");
}

DstackChain *
dstack_chain_ref(DstackChain *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
dstack_chain_unref(DstackChain *self)
{
	if (self == NULL || !g_atomic_ref_count_dec(&self->refs))
		return;
	X509_free(self->leaf);
	X509_free(self->ca);
	X509_free(self->root);
	g_free(self);
}

static const gchar *
leaf_name(DstackChainKind kind)
{
	switch (kind) {
	case DSTACK_CHAIN_PCK:
		return "PCK certificate";
	case DSTACK_CHAIN_PCK_CA:
		return "PCK CA certificate";
	case DSTACK_CHAIN_SIGNING:
		return "TCB signing certificate";
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_chain_peek:
 * @self: a chain
 * @i: below %DSTACK_CHAIN_MAX: leaf, CA, root
 * @out_what: (out): the certificate's name for errors
 *
 * Returns: (transfer none) (nullable): the certificate; %NULL where this kind of chain has none
 */
X509 *
dstack_chain_peek(const DstackChain *self, guint i, const gchar **out_what)
{
	const gchar *const names[DSTACK_CHAIN_MAX] = {leaf_name(self->kind), "PCK CA certificate", "root certificate"};
	X509 *const certs[DSTACK_CHAIN_MAX] = {self->leaf, self->ca, self->root};

	g_return_val_if_fail(i < DSTACK_CHAIN_MAX, NULL);
	*out_what = names[i];
	return certs[i];
}

static guint
chain_length(DstackChainKind kind)
{
	return kind == DSTACK_CHAIN_PCK ? 3 : 2;
}

/* the certificate among those left that the issuer issued, by name; NULL unless there is exactly one */
static X509 *
take_issued_by(GPtrArray *certs, const X509_NAME *issuer, gboolean self_issued)
{
	guint found = certs->len;

	for (guint i = 0; i < certs->len; i++) {
		X509 *cert = g_ptr_array_index(certs, i);

		if (X509_NAME_cmp(X509_get_issuer_name(cert), self_issued ? X509_get_subject_name(cert) : issuer) != 0)
			continue;
		if (found != certs->len)
			return NULL;
		found = i;
	}
	return found != certs->len ? g_ptr_array_steal_index(certs, found) : NULL;
}

/* by names alone: root first, then down. Signatures are another function's business */
static gboolean
sort_chain(DstackChain *self, GPtrArray *certs)
{
	self->root = take_issued_by(certs, NULL, TRUE);
	if (self->root == NULL)
		return FALSE;
	if (self->kind != DSTACK_CHAIN_PCK) {
		self->leaf = take_issued_by(certs, X509_get_subject_name(self->root), FALSE);
		return self->leaf != NULL;
	}
	self->ca = take_issued_by(certs, X509_get_subject_name(self->root), FALSE);
	if (self->ca == NULL)
		return FALSE;
	self->leaf = take_issued_by(certs, X509_get_subject_name(self->ca), FALSE);
	return self->leaf != NULL;
}

static gboolean
read_validity(DstackChain *self, GError **error)
{
	for (guint i = 0; i < DSTACK_CHAIN_MAX; i++) {
		const gchar *what = NULL;
		X509 *cert = dstack_chain_peek(self, i, &what);
		DstackValidity *validity = &self->validity[i];

		if (cert != NULL && !dstack_x509_get_validity(cert, &validity->from, &validity->to, error)) {
			g_prefix_error(error, "%s: ", what);
			return FALSE;
		}
	}
	return TRUE;
}

/**
 * dstack_chain_parse:
 * @kind: the kind of chain expected
 * @text: (array length=size): PEM certificates
 * @size: number of bytes
 * @what: name of the chain for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED unless it is exactly the certificates of @kind, whose names link
 *
 * Returns: (transfer full) (nullable): the chain; free with dstack_chain_unref()
 */
DstackChain *
dstack_chain_parse(DstackChainKind kind, const gchar *text, gsize size, const gchar *what, GError **error)
{
	g_autoptr(GPtrArray) certs = dstack_x509_parse_pem(text, size, DSTACK_CHAIN_MAX, what, error);
	g_autoptr(DstackChain) self = NULL;

	if (certs == NULL)
		return NULL;
	if (certs->len != chain_length(kind)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected exactly %u certificates, found %u", what,
			     chain_length(kind), certs->len);
		return NULL;
	}
	self = g_new0(DstackChain, 1);
	g_atomic_ref_count_init(&self->refs);
	self->kind = kind;
	if (!sort_chain(self, certs)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: the names of its %u certificates do not make a chain",
			     what, chain_length(kind));
		return NULL;
	}
	return read_validity(self, error) ? g_steal_pointer(&self) : NULL;
}

static gboolean
is_pck_ca_name(const gchar *cn)
{
	for (gsize i = 0; i < G_N_ELEMENTS(pck_ca_names); i++) {
		if (g_strcmp0(cn, pck_ca_names[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean
ensure_name(X509 *cert, const gchar *expected, const gchar *what, GError **error)
{
	g_autofree gchar *cn = dstack_x509_dup_subject_cn(cert);

	if (expected != NULL ? g_strcmp0(cn, expected) == 0 : is_pck_ca_name(cn))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: expected subject '%s', found '%s'", what,
			    expected != NULL ? expected : "Intel SGX PCK Platform or Processor CA",
			    cn != NULL ? cn : "(none, or several)");
}

/* what every certificate of the PKI has, and what tells an issuer from a leaf */
static gboolean
ensure_profile(X509 *cert, gboolean is_ca, const gchar *what, GError **error)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	if ((X509_get_extension_flags(cert) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "%s: extensions that contradict each other, or critical ones that we do not know",
				    what);
	if (dstack_x509_is_ca(cert) != is_ca)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: expected a certificate that may%s issue others",
				    what, is_ca ? "" : " not");
	if (key == NULL || !dstack_key_is_p256(key))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: expected a key on P-256", what);
	return TRUE;
}

static gboolean
ensure_root(X509 *root, const DstackTrustAnchor *anchor, GError **error)
{
	DstackSha256 spki = dstack_x509_spki_sha256(root);

	if (!dstack_sha256_equal(&spki, &anchor->spki)) {
		g_autofree gchar *expected = dstack_sha256_to_hex(&anchor->spki);
		g_autofree gchar *found = dstack_sha256_to_hex(&spki);

		return dstack_throw(
		    error, DSTACK_ERROR_UNSOUND,
		    "root certificate: expected the key %s (SHA-256 of its SubjectPublicKeyInfo), found %s", expected,
		    found);
	}
	return ensure_name(root, CN_ROOT, "root certificate", error) &&
	       ensure_profile(root, TRUE, "root certificate", error) &&
	       dstack_x509_ensure_issued_by(root, root, "root certificate", error);
}

static gboolean
ensure_pck_ca(X509 *ca, X509 *root, GError **error)
{
	return ensure_name(ca, NULL, "PCK CA certificate", error) &&
	       ensure_profile(ca, TRUE, "PCK CA certificate", error) &&
	       dstack_x509_ensure_issued_by(ca, root, "PCK CA certificate", error);
}

/**
 * dstack_chain_ensure_authentic:
 * @self: a chain
 * @anchor: the key it must end in
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND naming the certificate that does not hold
 *
 * Returns: %TRUE when every name, CA flag, key and signature is as it must be; dates are not looked at
 */
gboolean
dstack_chain_ensure_authentic(const DstackChain *self, const DstackTrustAnchor *anchor, GError **error)
{
	if (!ensure_root(self->root, anchor, error))
		return FALSE;
	switch (self->kind) {
	case DSTACK_CHAIN_PCK:
		return ensure_pck_ca(self->ca, self->root, error) &&
		       ensure_name(self->leaf, CN_PCK, "PCK certificate", error) &&
		       ensure_profile(self->leaf, FALSE, "PCK certificate", error) &&
		       dstack_x509_ensure_issued_by(self->leaf, self->ca, "PCK certificate", error);
	case DSTACK_CHAIN_PCK_CA:
		return ensure_pck_ca(self->leaf, self->root, error);
	case DSTACK_CHAIN_SIGNING:
		return ensure_name(self->leaf, CN_SIGNING, "TCB signing certificate", error) &&
		       ensure_profile(self->leaf, FALSE, "TCB signing certificate", error) &&
		       dstack_x509_ensure_issued_by(self->leaf, self->root, "TCB signing certificate", error);
	}
	g_return_val_if_reached(FALSE);
}

/**
 * dstack_chain_ensure_in_date:
 * @self: a chain
 * @now: seconds since 1970
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND naming the certificate and its dates
 *
 * Returns: %TRUE when every certificate is valid at @now, both bounds inclusive
 */
gboolean
dstack_chain_ensure_in_date(const DstackChain *self, gint64 now, GError **error)
{
	for (guint i = 0; i < DSTACK_CHAIN_MAX; i++) {
		const gchar *what = NULL;
		X509 *cert = dstack_chain_peek(self, i, &what);
		const DstackValidity *validity = &self->validity[i];

		if (cert != NULL && !dstack_ensure_in_date(validity->from, validity->to, now, what, error))
			return FALSE;
	}
	return TRUE;
}
