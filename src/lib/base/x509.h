/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and revocation lists, read strictly. No trust is decided here: what a chain must
 * look like differs between Intel and AMD and stands in dcap/ and snp/.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* one DER certificate and nothing after it */
X509 *dstack_x509_parse_der(const guint8 *data, gsize size, const gchar *what, GError **error);
/* PEM certificates back to back; white space and one trailing NUL allowed, anything else is not. (element-type X509) */
GPtrArray *dstack_x509_parse_pem(const gchar *text, gsize size, guint max, const gchar *what, GError **error);
/* one certificate that somebody handed over, in DER or PEM: its DER */
GBytes *dstack_x509_to_der(GBytes *pem_or_der, const gchar *what, GError **error);
X509_CRL *dstack_x509_crl_parse_der(const guint8 *data, gsize size, const gchar *what, GError **error);

/* both bounds inclusive, in seconds since 1970 */
gboolean dstack_x509_get_validity(X509 *cert, gint64 *out_not_before, gint64 *out_not_after,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_x509_ensure_in_date(X509 *cert, gint64 now, const gchar *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_x509_crl_get_validity(X509_CRL *crl, gint64 *out_this_update, gint64 *out_next_update,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_x509_crl_ensure_in_date(X509_CRL *crl, gint64 now, const gchar *what,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_x509_crl_contains(X509_CRL *crl, X509 *cert);

/* "expected from A to B, now is C": one wording of dates for every dated item */
gboolean dstack_ensure_in_date(gint64 from, gint64 to, gint64 now, const gchar *what,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

DstackSha256 dstack_x509_spki_sha256(X509 *cert);
gchar *dstack_x509_dup_subject_cn(X509 *cert);
gboolean dstack_x509_is_ca(X509 *cert);
/* the names link and the issuer's key verifies the signature */
gboolean dstack_x509_ensure_issued_by(X509 *cert, X509 *issuer, const gchar *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_x509_crl_ensure_issued_by(X509_CRL *crl, X509 *issuer, const gchar *what,
					  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* content of the extension's OCTET STRING, borrowed from cert; absent or twice is an error */
gboolean dstack_x509_peek_extension(X509 *cert, const gchar *oid, const guint8 **out, gsize *out_size,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
