/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From the bytes that come with a report to certificates in their places (evidence.md, part B).
 */

#include "config.h"

#include "snp/certificates.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/x509.h"
#include "snp/vek.h"

#define PEM_PREFIX	 "-----BEGIN "
#define MAX_CERTIFICATES 3
#define MAX_POOL	 4096 /* certificates of a directory: a fleet's VCEKs */

void
dstack_snp_certificates_clear(DstackSnpCertificates *self)
{
	g_clear_pointer(&self->vek, X509_free);
	g_clear_pointer(&self->ca, X509_free);
	g_clear_pointer(&self->root, X509_free);
}

static gboolean
is_pem(const guint8 *data, gsize size)
{
	return size >= strlen(PEM_PREFIX) && memcmp(data, PEM_PREFIX, strlen(PEM_PREFIX)) == 0;
}

/* where a certificate belongs by its subject; anything that is neither leaf nor root is taken for the CA */
static X509 **
certificates_find_place(DstackSnpCertificates *self, X509 *cert)
{
	g_autofree gchar *cn = dstack_x509_dup_subject_cn(cert);
	DstackSnpVekKind kind = DSTACK_SNP_VCEK;

	if (dstack_snp_vek_get_kind(cert, &kind))
		return &self->vek;
	if (cn != NULL && g_str_has_prefix(cn, "ARK-"))
		return &self->root;
	return &self->ca;
}

/* takes a reference */
static gboolean
certificates_add(DstackSnpCertificates *self, X509 *cert, GError **error)
{
	X509 **place = certificates_find_place(self, cert);
	g_autofree gchar *cn = NULL;

	if (*place == NULL && X509_up_ref(cert) == 1) {
		*place = cert;
		return TRUE;
	}
	cn = dstack_x509_dup_subject_cn(cert);
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "certificates: '%s': expected one leaf (SEV-VCEK or SEV-VLEK), one CA and at most one root",
			    cn == NULL ? "" : cn);
}

static gboolean
certificates_add_der(DstackSnpCertificates *self, const guint8 *data, gsize size, GError **error)
{
	g_autoptr(X509) cert = dstack_x509_parse_der(data, size, "certificate", error);

	return cert != NULL && certificates_add(self, cert, error);
}

static gboolean
certificates_add_pem(DstackSnpCertificates *self, const guint8 *data, gsize size, GError **error)
{
	g_autoptr(GPtrArray) certs =
	    dstack_x509_parse_pem((const gchar *)data, size, MAX_CERTIFICATES, "certificates", error);

	if (certs == NULL)
		return FALSE;
	for (guint i = 0; i < certs->len; i++) {
		if (!certificates_add(self, g_ptr_array_index(certs, i), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
certificates_add_table(DstackSnpCertificates *self, const guint8 *data, gsize size, GError **error)
{
	DstackSnpCertTable table = {{NULL, 0}};

	return dstack_snp_cert_table_parse(&table, data, size, error) &&
	       certificates_add_der(self, table.ask.data, table.ask.size, error) &&
	       certificates_add_der(self, table.vcek.data, table.vcek.size, error) &&
	       (table.ark.size == 0 || certificates_add_der(self, table.ark.data, table.ark.size, error));
}

/* a DER certificate is one SEQUENCE; a table begins with a GUID, none of which begins like that */
static gboolean
looks_like_der(const guint8 *data, gsize size)
{
	return size >= 2 && data[0] == 0x30 && data[1] >= 0x80;
}

/**
 * dstack_snp_certificates_parse:
 * @self: (out caller-allocates): the certificates
 * @chain: (element-type GBytes): what the evidence carries; may be empty
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when something cannot be read, is there twice or has no place
 *
 * Returns: %TRUE when everything has its place
 */
gboolean
dstack_snp_certificates_parse(DstackSnpCertificates *self, GPtrArray *chain, GError **error)
{
	g_auto(DstackSnpCertificates) certs = {NULL, NULL, NULL};

	if (chain->len > MAX_CERTIFICATES)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificates: expected at most %d, found %u",
				    MAX_CERTIFICATES, chain->len);
	for (guint i = 0; i < chain->len; i++) {
		gsize size = 0;
		const guint8 *data = g_bytes_get_data(g_ptr_array_index(chain, i), &size);
		gboolean added = FALSE;

		if (is_pem(data, size))
			added = certificates_add_pem(&certs, data, size, error);
		else if (chain->len == 1 && !looks_like_der(data, size))
			added = certificates_add_table(&certs, data, size, error);
		else
			added = certificates_add_der(&certs, data, size, error);
		if (!added)
			return FALSE;
	}
	*self = certs;
	certs = (DstackSnpCertificates){NULL, NULL, NULL};
	return TRUE;
}

/* (element-type X509): what cannot be read as a certificate is an error: a directory of junk helps nobody */
static GPtrArray *
pool_parse(GPtrArray *pool, GError **error)
{
	g_autoptr(GPtrArray) certs = g_ptr_array_new_with_free_func((GDestroyNotify)X509_free);

	for (guint i = 0; i < pool->len && certs->len < MAX_POOL; i++) {
		gsize size = 0;
		const guint8 *data = g_bytes_get_data(g_ptr_array_index(pool, i), &size);

		if (is_pem(data, size)) {
			g_autoptr(GPtrArray) some = dstack_x509_parse_pem((const gchar *)data, size, MAX_CERTIFICATES,
									  "given certificates", error);
			if (some == NULL)
				return NULL;
			g_ptr_array_extend_and_steal(certs, g_steal_pointer(&some));
		} else {
			X509 *cert = dstack_x509_parse_der(data, size, "given certificate", error);

			if (cert == NULL)
				return NULL;
			g_ptr_array_add(certs, cert);
		}
	}
	return g_steal_pointer(&certs);
}

/* the leaf of the report's chip and TCB, whatever the product line: the chain says which one it is */
static gboolean
vek_fits(X509 *cert, const DstackSnpReport *report)
{
	DstackSnpVekKind kind = DSTACK_SNP_VCEK;

	if (!dstack_snp_vek_get_kind(cert, &kind) || !dstack_snp_vek_ensure_kind(kind, report, TRUE, NULL))
		return FALSE;
	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		DstackSnpProduct product = (DstackSnpProduct)i;

		if (dstack_snp_vek_ensure_product(cert, product, report, NULL))
			return dstack_snp_vek_ensure_tcb(cert, product, report, NULL) &&
			       dstack_snp_vek_ensure_chip(cert, kind, product, report, NULL);
	}
	return FALSE;
}

/* the only certificate that belongs in a place; NULL when none or several do */
static X509 *
pool_find_only(GPtrArray *pool, gboolean leaf)
{
	X509 *only = NULL;

	for (guint i = 0; i < pool->len; i++) {
		DstackSnpCertificates places = {NULL, NULL, NULL};
		X509 **place = certificates_find_place(&places, g_ptr_array_index(pool, i));

		if (place != (leaf ? &places.vek : &places.ca))
			continue;
		if (only != NULL)
			return NULL;
		only = g_ptr_array_index(pool, i);
	}
	return only;
}

static X509 *
pool_find_leaf(GPtrArray *pool, const DstackSnpReport *report)
{
	for (guint i = 0; i < pool->len; i++) {
		if (vek_fits(g_ptr_array_index(pool, i), report))
			return g_ptr_array_index(pool, i);
	}
	return pool_find_only(pool, TRUE);
}

static X509 *
pool_find_issuer(GPtrArray *pool, X509 *cert)
{
	for (guint i = 0; i < pool->len; i++) {
		X509 *candidate = g_ptr_array_index(pool, i);

		if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(candidate)) == 0)
			return candidate;
	}
	return NULL;
}

static void
certificates_fill(X509 **place, X509 *cert)
{
	if (*place == NULL && cert != NULL && X509_up_ref(cert) == 1)
		*place = cert;
}

/**
 * dstack_snp_certificates_complete:
 * @self: (inout): the certificates so far
 * @pool: (element-type GBytes): certificates in DER or PEM, of any number of chips
 * @report: the report they are for
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when one of @pool cannot be read
 *
 * Where nothing fits but there is only one candidate, that is taken: why it does not fit is for the checks to say.
 *
 * Returns: %TRUE when @pool could be read
 */
gboolean
dstack_snp_certificates_complete(DstackSnpCertificates *self, GPtrArray *pool, const DstackSnpReport *report,
				 GError **error)
{
	g_autoptr(GPtrArray) certs = pool_parse(pool, error);
	X509 *ca = NULL;

	if (certs == NULL)
		return FALSE;
	certificates_fill(&self->vek, pool_find_leaf(certs, report));
	if (self->vek != NULL) {
		ca = pool_find_issuer(certs, self->vek);
		certificates_fill(&self->ca, ca != NULL ? ca : pool_find_only(certs, FALSE));
	}
	if (self->ca != NULL)
		certificates_fill(&self->root, pool_find_issuer(certs, self->ca));
	return TRUE;
}
