/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and revocation lists, read strictly: one DER structure in the one encoding that DER
 * allows, PEM with nothing between the certificates, dates as RFC 5280 section 4.1.2.5 writes them.
 */

#include "config.h"

#include "base/x509.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END	  "-----END CERTIFICATE-----"

/* OpenSSL leaves its reasons in a queue of the thread: not ours to show, and not for the next caller */
static gboolean
throw_and_forget(GError **error, DstackError code, const gchar *what, const gchar *problem)
{
	ERR_clear_error();
	return dstack_throw(error, code, "%s: %s", what, problem);
}

/* d2i_*() reads some of BER as well: what was read must be what would be written. Takes over @again. */
static gboolean
ensure_same_der(guint8 *again, int again_size, const guint8 *data, gsize size, const gchar *what, GError **error)
{
	gboolean same = again_size > 0 && (gsize)again_size == size && memcmp(again, data, size) == 0;

	OPENSSL_free(again);
	return same || throw_and_forget(error, DSTACK_ERROR_MALFORMED, what, "not one DER structure and nothing else");
}

static gboolean
ensure_size(gsize size, gsize max, const gchar *what, GError **error)
{
	if (size <= max)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " accepted", what, size, max);
}

/**
 * dstack_x509_parse_der:
 * @data: (array length=size): DER bytes
 * @size: number of bytes, at most %DSTACK_LIMIT_CERTIFICATE
 * @what: name of the certificate for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED unless @data is one certificate in DER
 *
 * Returns: (transfer full) (nullable): the certificate
 */
X509 *
dstack_x509_parse_der(const guint8 *data, gsize size, const gchar *what, GError **error)
{
	const guint8 *at = data;
	g_autoptr(X509) cert = NULL;
	guint8 *again = NULL;
	int again_size = 0;

	if (!ensure_size(size, DSTACK_LIMIT_CERTIFICATE, what, error))
		return NULL;
	cert = d2i_X509(NULL, &at, (long)size);
	if (cert == NULL) {
		throw_and_forget(error, DSTACK_ERROR_MALFORMED, what, "not a DER certificate");
		return NULL;
	}
	again_size = i2d_X509(cert, &again);
	if (!ensure_same_der(again, again_size, data, size, what, error))
		return NULL;
	return g_steal_pointer(&cert);
}

/**
 * dstack_x509_crl_parse_der:
 * @data: (array length=size): DER bytes
 * @size: number of bytes, at most %DSTACK_LIMIT_CRL
 * @what: name of the list for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED unless @data is one revocation list in DER
 *
 * Returns: (transfer full) (nullable): the list
 */
X509_CRL *
dstack_x509_crl_parse_der(const guint8 *data, gsize size, const gchar *what, GError **error)
{
	const guint8 *at = data;
	g_autoptr(X509_CRL) crl = NULL;
	guint8 *again = NULL;
	int again_size = 0;

	if (!ensure_size(size, DSTACK_LIMIT_CRL, what, error))
		return NULL;
	crl = d2i_X509_CRL(NULL, &at, (long)size);
	if (crl == NULL) {
		throw_and_forget(error, DSTACK_ERROR_MALFORMED, what, "not a DER revocation list");
		return NULL;
	}
	again_size = i2d_X509_CRL(crl, &again);
	if (!ensure_same_der(again, again_size, data, size, what, error))
		return NULL;
	return g_steal_pointer(&crl);
}

static gboolean
is_pem_space(gchar c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* a run of text that ends where a line of dashes begins */
typedef struct {
	const gchar *at;
	const gchar *end;
} PemCursor;

static void
pem_skip_space(PemCursor *self)
{
	while (self->at < self->end && is_pem_space(*self->at))
		self->at++;
}

static gboolean
pem_take(PemCursor *self, const gchar *line)
{
	gsize length = strlen(line);

	if ((gsize)(self->end - self->at) < length || memcmp(self->at, line, length) != 0)
		return FALSE;
	self->at += length;
	return TRUE;
}

/* the base64 text up to the closing line, without its white space */
static gchar *
pem_take_body(PemCursor *self)
{
	GString *body = g_string_new(NULL);

	for (; self->at < self->end && *self->at != '-'; self->at++) {
		if (!is_pem_space(*self->at))
			g_string_append_c(body, *self->at);
	}
	return g_string_free(body, FALSE);
}

static X509 *
pem_take_certificate(PemCursor *self, const gchar *what, GError **error)
{
	g_autofree gchar *body = NULL;
	g_autoptr(GBytes) der = NULL;

	if (!pem_take(self, PEM_BEGIN)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected " PEM_BEGIN " and nothing before it", what);
		return NULL;
	}
	body = pem_take_body(self);
	if (!pem_take(self, PEM_END)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected " PEM_END " after the base64 text", what);
		return NULL;
	}
	der = dstack_base64_decode(body, what, DSTACK_LIMIT_CERTIFICATE, error);
	if (der == NULL)
		return NULL;
	return dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), what, error);
}

/**
 * dstack_x509_parse_pem:
 * @text: (array length=size): PEM text; need not be terminated
 * @size: number of bytes, at most %DSTACK_LIMIT_CERTIFICATE
 * @max: most certificates accepted
 * @what: name of the chain for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on anything but 1 to @max certificates with white space
 *   around them and at most one NUL at the end
 *
 * The encapsulation is that of RFC 7468, without its explanatory text.
 *
 * Returns: (transfer full) (nullable) (element-type X509): the certificates in the order of the text
 */
GPtrArray *
dstack_x509_parse_pem(const gchar *text, gsize size, guint max, const gchar *what, GError **error)
{
	g_autoptr(GPtrArray) certs = g_ptr_array_new_with_free_func((GDestroyNotify)X509_free);
	PemCursor cursor = {.at = text, .end = text + size};

	if (!ensure_size(size, DSTACK_LIMIT_CERTIFICATE, what, error))
		return NULL;
	if (size > 0 && text[size - 1] == '\0')
		cursor.end--;
	for (pem_skip_space(&cursor); cursor.at < cursor.end; pem_skip_space(&cursor)) {
		X509 *cert = NULL;

		if (certs->len == max) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: more than %u certificates", what, max);
			return NULL;
		}
		cert = pem_take_certificate(&cursor, what, error);
		if (cert == NULL)
			return NULL;
		g_ptr_array_add(certs, cert);
	}
	if (certs->len == 0) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a certificate in PEM, found none", what);
		return NULL;
	}
	return g_steal_pointer(&certs);
}

static void
openssl_bytes_free(gpointer data)
{
	OPENSSL_free(data);
}

/**
 * dstack_x509_to_der:
 * @pem_or_der: one certificate, in either form
 * @what: name of the certificate for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is neither, or more than one
 *
 * For a root that an operator names.
 *
 * Returns: (transfer full) (nullable): its DER
 */
GBytes *
dstack_x509_to_der(GBytes *pem_or_der, const gchar *what, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(pem_or_der, &size);
	g_autoptr(GPtrArray) chain = NULL;
	g_autoptr(X509) cert = NULL;
	guint8 *der = NULL;
	int length = 0;

	if (size > 0 && data[0] != '-') {
		cert = dstack_x509_parse_der(data, size, what, error);
		return cert == NULL ? NULL : g_bytes_ref(pem_or_der);
	}
	chain = dstack_x509_parse_pem((const gchar *)data, size, 1, what, error);
	if (chain == NULL)
		return NULL;
	length = i2d_X509(g_ptr_array_index(chain, 0), &der);
	if (length <= 0) {
		throw_and_forget(error, DSTACK_ERROR_FAILED, what, "cannot be written as DER");
		return NULL;
	}
	return g_bytes_new_with_free_func(der, (gsize)length, openssl_bytes_free, der);
}

/* RFC 5280: seconds present, no fraction, Zulu; so UTCTime has 13 characters and GeneralizedTime 15 */
static gboolean
time_to_unix(const ASN1_TIME *time, const gchar *what, gint64 *out, GError **error)
{
	int size = time != NULL ? ASN1_STRING_length(time) : 0;
	gboolean is_utc = time != NULL && ASN1_STRING_type(time) == V_ASN1_UTCTIME;
	g_autoptr(GDateTime) date = NULL;
	struct tm tm = {0};

	if (size == (is_utc ? 13 : 15) && ASN1_STRING_get0_data(time)[size - 1] == 'Z' &&
	    ASN1_TIME_to_tm(time, &tm) == 1)
		date =
		    g_date_time_new_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (date == NULL)
		return throw_and_forget(error, DSTACK_ERROR_MALFORMED, what,
					"absent or not a date as RFC 5280 writes it");
	*out = g_date_time_to_unix(date);
	return TRUE;
}

/**
 * dstack_x509_get_validity:
 * @cert: a certificate
 * @out_not_before: (out): first second of its validity, since 1970
 * @out_not_after: (out): last second of its validity, inclusive
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on a date in another form than RFC 5280's
 *
 * Returns: %TRUE when both dates could be read
 */
gboolean
dstack_x509_get_validity(X509 *cert, gint64 *out_not_before, gint64 *out_not_after, GError **error)
{
	gint64 from = 0;

	if (!time_to_unix(X509_get0_notBefore(cert), "certificate: not before", &from, error) ||
	    !time_to_unix(X509_get0_notAfter(cert), "certificate: not after", out_not_after, error))
		return FALSE;
	*out_not_before = from;
	return TRUE;
}

/**
 * dstack_x509_crl_get_validity:
 * @crl: a revocation list
 * @out_this_update: (out): first second of its validity, since 1970
 * @out_next_update: (out): last second of its validity, inclusive
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on an absent date or one in another form than RFC 5280's
 *
 * Returns: %TRUE when both dates could be read
 */
gboolean
dstack_x509_crl_get_validity(X509_CRL *crl, gint64 *out_this_update, gint64 *out_next_update, GError **error)
{
	gint64 from = 0;

	if (!time_to_unix(X509_CRL_get0_lastUpdate(crl), "revocation list: this update", &from, error) ||
	    !time_to_unix(X509_CRL_get0_nextUpdate(crl), "revocation list: next update", out_next_update, error))
		return FALSE;
	*out_this_update = from;
	return TRUE;
}

static gchar *
format_time(gint64 when)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(when);

	return date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ")
			    : g_strdup_printf("%" G_GINT64_FORMAT " s since 1970", when);
}

/**
 * dstack_ensure_in_date:
 * @from: first second of validity, since 1970
 * @to: last second of validity, inclusive
 * @now: the time to judge at
 * @what: name of the item for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when @now is outside, with all three dates
 *
 * Returns: %TRUE when @from <= @now <= @to
 */
gboolean
dstack_ensure_in_date(gint64 from, gint64 to, gint64 now, const gchar *what, GError **error)
{
	g_autofree gchar *from_text = NULL;
	g_autofree gchar *to_text = NULL;
	g_autofree gchar *now_text = NULL;

	if (from <= now && now <= to)
		return TRUE;
	from_text = format_time(from);
	to_text = format_time(to);
	now_text = format_time(now);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: %s: valid from %s to %s, time of verification is %s",
			    what, now < from ? "not valid yet" : "out of date", from_text, to_text, now_text);
}

/**
 * dstack_x509_ensure_in_date:
 * @cert: a certificate
 * @now: seconds since 1970
 * @what: name of the certificate for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when @now is outside its validity
 *
 * Returns: %TRUE when the certificate is valid at @now, both bounds inclusive
 */
gboolean
dstack_x509_ensure_in_date(X509 *cert, gint64 now, const gchar *what, GError **error)
{
	gint64 from = 0;
	gint64 to = 0;

	return dstack_x509_get_validity(cert, &from, &to, error) && dstack_ensure_in_date(from, to, now, what, error);
}

/**
 * dstack_x509_crl_ensure_in_date:
 * @crl: a revocation list
 * @now: seconds since 1970
 * @what: name of the list for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when @now is outside its validity
 *
 * Returns: %TRUE when the list is valid at @now, both bounds inclusive
 */
gboolean
dstack_x509_crl_ensure_in_date(X509_CRL *crl, gint64 now, const gchar *what, GError **error)
{
	gint64 from = 0;
	gint64 to = 0;

	return dstack_x509_crl_get_validity(crl, &from, &to, error) &&
	       dstack_ensure_in_date(from, to, now, what, error);
}

/**
 * dstack_x509_crl_contains:
 * @crl: a revocation list
 * @cert: a certificate
 *
 * Looks for the certificate's serial number, whoever issued it: whether this list speaks for @cert's
 * issuer is the caller's to know. An entry "removed from list" counts as well: it belongs to delta lists.
 *
 * Returns: %TRUE when the list has an entry with the serial number
 */
gboolean
dstack_x509_crl_contains(X509_CRL *crl, X509 *cert)
{
	X509_REVOKED *entry = NULL;

	return X509_CRL_get0_by_serial(crl, &entry, X509_get0_serialNumber(cert)) != 0;
}

/**
 * dstack_x509_spki_sha256:
 * @cert: a certificate
 *
 * What a root is pinned by: a root that is issued anew keeps its key and changes all else.
 *
 * Returns: SHA-256 of the DER form of the SubjectPublicKeyInfo; zero if that could not be written
 */
DstackSha256
dstack_x509_spki_sha256(X509 *cert)
{
	DstackSha256 digest = {{0}};
	guint8 *der = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (size > 0)
		digest = dstack_sha256(der, (gsize)size);
	OPENSSL_free(der);
	return digest;
}

/**
 * dstack_x509_dup_subject_cn:
 * @cert: a certificate
 *
 * Returns: (transfer full) (nullable): the subject's common name in UTF-8; %NULL unless there is exactly one,
 *   without NUL
 */
gchar *
dstack_x509_dup_subject_cn(X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	guint8 *utf8 = NULL;
	gchar *copy = NULL;
	int size = 0;

	if (index < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, index) >= 0)
		return NULL;
	size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
	if (size > 0 && memchr(utf8, 0, (gsize)size) == NULL)
		copy = g_strndup((const gchar *)utf8, (gsize)size);
	if (size < 0)
		ERR_clear_error();
	OPENSSL_free(utf8);
	return copy;
}

/**
 * dstack_x509_is_ca:
 * @cert: a certificate
 *
 * Returns: %TRUE when it says itself that it may issue certificates (basicConstraints, and keyUsage where present)
 */
gboolean
dstack_x509_is_ca(X509 *cert)
{
	return X509_check_ca(cert) == 1;
}

/**
 * dstack_x509_ensure_issued_by:
 * @cert: a certificate
 * @issuer: the certificate that should have issued it; @cert itself for a root
 * @what: name of @cert for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when names or signature do not fit
 *
 * Returns: %TRUE when @cert names @issuer and @issuer's key verifies its signature
 */
gboolean
dstack_x509_ensure_issued_by(X509 *cert, X509 *issuer, const gchar *what, GError **error)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0) {
		return throw_and_forget(error, DSTACK_ERROR_UNSOUND, what,
					"its issuer's name is not the subject of the certificate above it");
	}
	if (key == NULL || X509_verify(cert, key) != 1)
		return throw_and_forget(error, DSTACK_ERROR_UNSOUND, what,
					"signature does not verify under its issuer's key");
	return TRUE;
}

/**
 * dstack_x509_crl_ensure_issued_by:
 * @crl: a revocation list
 * @issuer: the certificate that should have issued it
 * @what: name of @crl for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when names or signature do not fit
 *
 * Returns: %TRUE when @crl names @issuer and @issuer's key verifies its signature
 */
gboolean
dstack_x509_crl_ensure_issued_by(X509_CRL *crl, X509 *issuer, const gchar *what, GError **error)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0)
		return throw_and_forget(error, DSTACK_ERROR_UNSOUND, what, "issued by another CA than expected");
	if (key == NULL || X509_CRL_verify(crl, key) != 1)
		return throw_and_forget(error, DSTACK_ERROR_UNSOUND, what,
					"signature does not verify under its issuer's key");
	return TRUE;
}

/**
 * dstack_x509_peek_extension:
 * @cert: a certificate
 * @oid: dotted object identifier
 * @out: (out) (transfer none): content of the extension's OCTET STRING, borrowed from @cert
 * @out_size: (out): number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the extension is absent or there twice
 *
 * Returns: %TRUE when there is exactly one such extension
 */
gboolean
dstack_x509_peek_extension(X509 *cert, const gchar *oid, const guint8 **out, gsize *out_size, GError **error)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int index = object != NULL ? X509_get_ext_by_OBJ(cert, object, -1) : -1;
	int again = index >= 0 ? X509_get_ext_by_OBJ(cert, object, index) : -1;
	const ASN1_OCTET_STRING *content = NULL;

	ASN1_OBJECT_free(object);
	if (index < 0 || again >= 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificate: extension %s: expected one, found %s",
				    oid, index < 0 ? "none" : "two");
	}
	content = X509_EXTENSION_get_data(X509_get_ext(cert, index));
	*out = ASN1_STRING_get0_data(content);
	*out_size = (gsize)ASN1_STRING_length(content);
	return TRUE;
}
