/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A certificate and a revocation list, in DER, hex or PEM. What was read as DER is written again: the same bytes.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <openssl/x509.h>

#include "base/autoptr.h"
#include "base/x509.h"
#include "dcap/crl.h"

static void
look_at(X509 *cert, const guint8 *data, gsize size)
{
	guint8 *again = NULL;
	int again_size = i2d_X509(cert, &again);
	g_autofree gchar *cn = dstack_x509_dup_subject_cn(cert);
	DstackSha256 spki = dstack_x509_spki_sha256(cert);
	gint64 from = 0;
	gint64 to = 0;

	g_assert_cmpmem(again, again_size, data, (int)size);
	OPENSSL_free(again);
	g_assert_true(cn == NULL || g_utf8_validate(cn, -1, NULL));
	g_assert_false(dstack_sha256_is_zero(&spki));
	(void)!dstack_x509_get_validity(cert, &from, &to, NULL);
	(void)!dstack_x509_is_ca(cert);
	(void)!dstack_x509_ensure_issued_by(cert, cert, "fuzz", NULL);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(X509) cert = dstack_x509_parse_der(data, size, "fuzz", NULL);
	g_autoptr(X509_CRL) crl = dstack_crl_parse(data, size, "fuzz", NULL);
	g_autoptr(GPtrArray) chain = dstack_x509_parse_pem((const gchar *)data, size, 3, "fuzz", NULL);

	if (cert != NULL)
		look_at(cert, data, size);
	if (crl != NULL) {
		gint64 from = 0;
		gint64 to = 0;

		(void)dstack_crl_get_number(crl);
		(void)!dstack_x509_crl_get_validity(crl, &from, &to, NULL);
		if (cert != NULL)
			(void)!dstack_x509_crl_contains(crl, cert);
	}
	if (chain != NULL)
		g_assert_cmpuint(chain->len, <=, 3);
	return 0;
}
