/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PKI of the tests' own: keys, certificates and revocation lists with whatever a test needs wrong in them.
 * Failure of OpenSSL ends the test.
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

typedef struct {
	const gchar *oid; /* dotted; NULL: none */
	GBytes *content;  /* what goes into the OCTET STRING */
	gboolean critical;
} DstackPkiExtension;

typedef struct {
	const gchar *cn;
	const gchar *organization; /* (nullable) */
	gint64 not_before;
	gint64 not_after;
	guint64 serial;
	gboolean is_ca;
	DstackPkiExtension extensions[3];
} DstackPkiSpec;

typedef struct {
	gint64 this_update;
	gint64 next_update; /* 0: none */
	guint64 number;	    /* 0: no CRL number */
	const guint64 *revoked;
	gsize n_revoked;
} DstackPkiCrlSpec;

/* group: "P-256", "P-384", … */
EVP_PKEY *dstack_pki_key_new(const gchar *group);
/* x then y, 32 bytes each */
void dstack_pki_key_xy(EVP_PKEY *key, guint8 xy[64]);
/* issuer NULL: self-signed */
X509 *dstack_pki_cert_new(const DstackPkiSpec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
X509_CRL *dstack_pki_crl_new(const DstackPkiCrlSpec *spec, X509 *issuer, EVP_PKEY *issuer_key);
GBytes *dstack_pki_cert_to_der(X509 *cert);
GBytes *dstack_pki_crl_to_der(X509_CRL *crl);
/* NULL-terminated list of X509 *; PEM back to back */
gchar *dstack_pki_to_pem(X509 *first, ...) G_GNUC_NULL_TERMINATED;
/* a self-signed TLS server certificate for an IP address and its key, in one PEM text */
gchar *dstack_pki_server_pem(const gchar *ip);
/* ECDSA P-256 with SHA-256 as r then s, 32 bytes each */
void dstack_pki_sign_raw(EVP_PKEY *key, const guint8 *data, gsize size, guint8 signature[64]);

G_END_DECLS
