/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Intel's revocation lists, in the three forms they are handed around in: DER, its hex digits, and PEM.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* a list we understand all of: version 2, with a number, no critical extension, no delta */
X509_CRL *dstack_crl_parse(const guint8 *data, gsize size, const gchar *what, GError **error);
guint64 dstack_crl_get_number(X509_CRL *crl);

G_END_DECLS
