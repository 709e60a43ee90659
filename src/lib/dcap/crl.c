/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Revocation lists of the Intel PKI. Profile: RFC 5280, section 5, and Intel's own: a number is always there,
 * and no extension is critical.
 */

#include "config.h"

#include "dcap/crl.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/x509.h"

#define PEM_BEGIN "-----BEGIN X509 CRL-----"
#define PEM_END	  "-----END X509 CRL-----"

static gboolean
read_number(X509_CRL *crl, guint64 *out)
{
	int critical = 0;
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
	gboolean ok = number != NULL && ASN1_INTEGER_get_uint64(out, number) == 1;

	ASN1_INTEGER_free(number);
	if (!ok)
		ERR_clear_error();
	return ok;
}

/* a critical extension that we do not act on may say that the list is not what it seems */
static gboolean
ensure_profile(X509_CRL *crl, const gchar *what, GError **error)
{
	guint64 number = 0;

	if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a list of version 2", what);
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);

		if (X509_EXTENSION_get_critical(extension) != 0)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: critical extension that we do not know",
					    what);
	}
	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a full list, found a delta", what);
	if (!read_number(crl, &number))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a CRL number of at most 64 bits",
				    what);
	return TRUE;
}

static gchar *
strip_space(const gchar *text, gsize size)
{
	GString *out = g_string_sized_new(size);

	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isspace(text[i]))
			g_string_append_c(out, text[i]);
	}
	return g_string_free(out, FALSE);
}

static GBytes *
decode_pem(const gchar *text, gsize size, const gchar *what, GError **error)
{
	const gchar *start = text + strlen(PEM_BEGIN);
	const gchar *end = g_strstr_len(start, (gssize)(size - strlen(PEM_BEGIN)), PEM_END);
	const gchar *rest = end != NULL ? end + strlen(PEM_END) : NULL;
	g_autofree gchar *body = NULL;
	g_autofree gchar *after = NULL;

	if (end == NULL) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected " PEM_END, what);
		return NULL;
	}
	after = strip_space(rest, size - (gsize)(rest - text));
	if (after[0] != '\0') {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected nothing after " PEM_END, what);
		return NULL;
	}
	body = strip_space(start, (gsize)(end - start));
	return dstack_base64_decode(body, what, DSTACK_LIMIT_CRL, error);
}

/* DER starts with the byte 0x30, its hex digits with "30" (0x33 0x30): no list can be read as both */
static GBytes *
to_der(const guint8 *data, gsize size, const gchar *what, GError **error)
{
	const gchar *text = (const gchar *)data;
	g_autofree gchar *digits = NULL;

	if (size >= strlen(PEM_BEGIN) && memcmp(text, PEM_BEGIN, strlen(PEM_BEGIN)) == 0)
		return decode_pem(text, size, what, error);
	if (size >= 2 && memcmp(text, "30", 2) == 0) {
		digits = strip_space(text, size);
		return dstack_hex_decode_bytes(digits, what, DSTACK_LIMIT_CRL, error);
	}
	return g_bytes_new(data, size);
}

/**
 * dstack_crl_parse:
 * @data: (array length=size): DER, hex digits of DER, or PEM
 * @size: number of bytes
 * @what: name of the list for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED unless @data is one list that we understand all of
 *
 * Returns: (transfer full) (nullable): the list
 */
X509_CRL *
dstack_crl_parse(const guint8 *data, gsize size, const gchar *what, GError **error)
{
	g_autoptr(GBytes) der = NULL;
	g_autoptr(X509_CRL) crl = NULL;

	if (size > 3 * DSTACK_LIMIT_CRL) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED,
			     "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " accepted", what, size,
			     3 * DSTACK_LIMIT_CRL);
		return NULL;
	}
	der = to_der(data, size, what, error);
	if (der == NULL)
		return NULL;
	crl = dstack_x509_crl_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), what, error);
	if (crl == NULL || !ensure_profile(crl, what, error))
		return NULL;
	return g_steal_pointer(&crl);
}

/**
 * dstack_crl_get_number:
 * @crl: a list from dstack_crl_parse()
 *
 * Returns: its CRL number
 */
guint64
dstack_crl_get_number(X509_CRL *crl)
{
	guint64 number = 0;

	return read_number(crl, &number) ? number : 0;
}
