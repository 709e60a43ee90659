/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The few signature checks we need, each of which is either good or an error.
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

G_BEGIN_DECLS

EVP_PKEY *dstack_p256_key_from_xy(const guint8 xy[64], GError **error);
EVP_PKEY *dstack_p256_key_like(EVP_PKEY *template, const guint8 xy[64], GError **error);
gboolean dstack_p256_verify(EVP_PKEY *key, const guint8 signature[64], const guint8 *data, gsize size, const gchar *what,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_p384_verify_le(EVP_PKEY *key, const guint8 r_le[72], const guint8 s_le[72], const guint8 *data,
			       gsize size, const gchar *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_key_is_p256(EVP_PKEY *key);
gboolean dstack_key_is_p384(EVP_PKEY *key);

G_END_DECLS
