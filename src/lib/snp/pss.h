/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one signature algorithm that AMD's certificates and revocation lists may have.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* RSASSA-PSS with SHA-384, MGF1 with SHA-384, 48 bytes of salt and trailer 1, stated or by default */
gboolean dstack_snp_pss_ensure(const X509_ALGOR *algorithm, const gchar *what,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_snp_key_is_rsa4096(EVP_PKEY *key);

G_END_DECLS
