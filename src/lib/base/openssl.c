/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA over raw signatures. OpenSSL returns 1, 0 and -1 here: only 1 is good.
 */

#include "config.h"

#include "base/openssl.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "base/autoptr.h"
#include "base/error.h"

/**
 * dstack_p256_key_from_xy:
 * @xy: the point's coordinates, 32 bytes each, big-endian
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the point is not on the curve
 *
 * Returns: (transfer full) (nullable): the public key
 */
EVP_PKEY *
dstack_p256_key_from_xy(const guint8 xy[64], GError **error)
{
	g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	g_autoptr(EVP_PKEY) key = NULL;
	gchar group[] = "P-256";
	guint8 point[65] = {POINT_CONVERSION_UNCOMPRESSED};
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
	    OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, xy, 64);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "public key is no point on the curve P-256");
		return NULL;
	}
	return g_steal_pointer(&key);
}

/**
 * dstack_p256_key_like:
 * @template: a key on P-256
 * @xy: the point's coordinates, 32 bytes each, big-endian
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the point is not on the curve
 *
 * As dstack_p256_key_from_xy(), at a quarter of its price: the curve is taken over from @template.
 *
 * Returns: (transfer full) (nullable): the public key
 */
EVP_PKEY *
dstack_p256_key_like(EVP_PKEY *template, const guint8 xy[64], GError **error)
{
	g_autoptr(EVP_PKEY) key = EVP_PKEY_new();
	guint8 point[65] = {POINT_CONVERSION_UNCOMPRESSED};

	memcpy(point + 1, xy, 64);
	if (key == NULL || !dstack_key_is_p256(template) || EVP_PKEY_copy_parameters(key, template) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(key, point, sizeof(point)) != 1) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "public key is no point on the curve P-256");
		return NULL;
	}
	return g_steal_pointer(&key);
}

static gboolean
key_is_group(EVP_PKEY *key, const gchar *group)
{
	gchar name[32] = "";

	return EVP_PKEY_is_a(key, "EC") == 1 &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) == 1 &&
	       g_str_equal(name, group);
}

gboolean
dstack_key_is_p256(EVP_PKEY *key)
{
	return key_is_group(key, "prime256v1");
}

gboolean
dstack_key_is_p384(EVP_PKEY *key)
{
	return key_is_group(key, "secp384r1");
}

/* takes over r and s; the DER form is what EVP_DigestVerify() wants */
static gboolean
ecdsa_verify(EVP_PKEY *key, const EVP_MD *algorithm, BIGNUM *r, BIGNUM *s, const guint8 *data, gsize size)
{
	g_autoptr(ECDSA_SIG) sig = ECDSA_SIG_new();
	g_autoptr(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
	g_autoptr(BIGNUM) own_r = r;
	g_autoptr(BIGNUM) own_s = s;
	guint8 der[192];
	guint8 *end = der;
	int length = 0;

	if (sig == NULL || ctx == NULL || own_r == NULL || own_s == NULL || ECDSA_SIG_set0(sig, own_r, own_s) != 1)
		return FALSE;
	own_r = NULL;
	own_s = NULL;
	length = i2d_ECDSA_SIG(sig, NULL);
	if (length <= 0 || (gsize)length > sizeof(der) || i2d_ECDSA_SIG(sig, &end) != length)
		return FALSE;
	return EVP_DigestVerifyInit(ctx, NULL, algorithm, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, der, (gsize)length, data, size) == 1;
}

/**
 * dstack_p256_verify:
 * @key: the public key
 * @signature: r then s, 32 bytes each, big-endian
 * @data: (array length=size): what is signed
 * @size: number of bytes
 * @what: name of the signature for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it does not verify, also when @key is of another kind
 *
 * ECDSA with SHA-256.
 *
 * Returns: %TRUE when the signature is good
 */
gboolean
dstack_p256_verify(EVP_PKEY *key, const guint8 signature[64], const guint8 *data, gsize size, const gchar *what,
		   GError **error)
{
	if (dstack_key_is_p256(key) && ecdsa_verify(key, EVP_sha256(), BN_bin2bn(signature, 32, NULL),
						    BN_bin2bn(signature + 32, 32, NULL), data, size))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s does not verify", what);
}

/**
 * dstack_p384_verify_le:
 * @key: the public key
 * @r_le: r, 72 bytes, little-endian
 * @s_le: s, 72 bytes, little-endian
 * @data: (array length=size): what is signed
 * @size: number of bytes
 * @what: name of the signature for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it does not verify, also when @key is of another kind
 *
 * ECDSA with SHA-384, numbers as in an SEV-SNP report. All 72 bytes count: a number beyond the
 * group order is refused by the check itself.
 *
 * Returns: %TRUE when the signature is good
 */
gboolean
dstack_p384_verify_le(EVP_PKEY *key, const guint8 r_le[72], const guint8 s_le[72], const guint8 *data, gsize size,
		      const gchar *what, GError **error)
{
	if (dstack_key_is_p384(key) &&
	    ecdsa_verify(key, EVP_sha384(), BN_lebin2bn(r_le, 72, NULL), BN_lebin2bn(s_le, 72, NULL), data, size))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s does not verify", what);
}
