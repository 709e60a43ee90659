/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/openssl.h"

#include <string.h>

#include <openssl/core_names.h>

#include "base/autoptr.h"
#include "base/hex.h"
#include "dstack/error.h"

#define SAMPLE ((const guint8 *)"sample")

/* RFC 6979, A.2.5 and A.2.6: message "sample" with SHA-256 and SHA-384 */
#define P256_X "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define P256_Y "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define P256_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define P256_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define P384_X "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
#define P384_Y "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720"
#define P384_R "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
#define P384_S "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"

static EVP_PKEY *
p256_key(void)
{
	g_autoptr(GError) error = NULL;
	EVP_PKEY *key = NULL;
	guint8 xy[64];

	g_assert_true(dstack_hex_decode(P256_X P256_Y, "key", xy, sizeof(xy), NULL));
	key = dstack_p256_key_from_xy(xy, &error);
	g_assert_no_error(error);
	return key;
}

static EVP_PKEY *
p384_key(void)
{
	g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	gchar group[] = "P-384";
	guint8 point[97] = {4};
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
	    OSSL_PARAM_construct_end(),
	};

	g_assert_true(dstack_hex_decode(P384_X P384_Y, "key", point + 1, 96, NULL));
	g_assert_cmpint(EVP_PKEY_fromdata_init(ctx), ==, 1);
	g_assert_cmpint(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), ==, 1);
	return key;
}

static void
verifies_the_p256_sample(void)
{
	g_autoptr(EVP_PKEY) key = p256_key();
	g_autoptr(GError) error = NULL;
	guint8 signature[64];

	g_assert_true(dstack_key_is_p256(key));
	g_assert_false(dstack_key_is_p384(key));
	g_assert_true(dstack_hex_decode(P256_R P256_S, "signature", signature, sizeof(signature), NULL));
	g_assert_true(dstack_p256_verify(key, signature, SAMPLE, 6, "signature", &error));
	g_assert_no_error(error);
	g_assert_false(dstack_p256_verify(key, signature, SAMPLE, 5, "signature", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	for (guint i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 1;
		g_assert_false(dstack_p256_verify(key, signature, SAMPLE, 6, "signature", NULL));
		signature[i] ^= 1;
	}
}

/* malformed values make OpenSSL answer -1, which is not 0 */
static void
refuses_signatures_out_of_range(void)
{
	g_autoptr(EVP_PKEY) key = p256_key();
	guint8 zero[64] = {0};
	guint8 ones[64];

	memset(ones, 0xff, sizeof(ones));
	g_assert_false(dstack_p256_verify(key, zero, SAMPLE, 6, "signature", NULL));
	g_assert_false(dstack_p256_verify(key, ones, SAMPLE, 6, "signature", NULL));
}

static void
refuses_a_key_off_the_curve(void)
{
	g_autoptr(GError) error = NULL;
	guint8 xy[64];

	memset(xy, 1, sizeof(xy));
	g_assert_null(dstack_p256_key_from_xy(xy, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
store_reversed(const gchar *hex, guint8 out[72])
{
	guint8 big[48];

	memset(out, 0, 72);
	g_assert_true(dstack_hex_decode(hex, "number", big, sizeof(big), NULL));
	for (guint i = 0; i < sizeof(big); i++)
		out[i] = big[sizeof(big) - 1 - i];
}

static void
verifies_the_p384_sample_in_little_endian(void)
{
	g_autoptr(EVP_PKEY) key = p384_key();
	g_autoptr(EVP_PKEY) other = p256_key();
	g_autoptr(GError) error = NULL;
	guint8 r[72];
	guint8 s[72];

	store_reversed(P384_R, r);
	store_reversed(P384_S, s);
	g_assert_true(dstack_key_is_p384(key));
	g_assert_true(dstack_p384_verify_le(key, r, s, SAMPLE, 6, "signature", &error));
	g_assert_no_error(error);
	g_assert_false(dstack_p384_verify_le(other, r, s, SAMPLE, 6, "signature", NULL));
	/* a byte above the 48 that a smaller reader would look at */
	r[71] = 1;
	g_assert_false(dstack_p384_verify_le(key, r, s, SAMPLE, 6, "signature", NULL));
	r[71] = 0;
	s[0] ^= 1;
	g_assert_false(dstack_p384_verify_le(key, r, s, SAMPLE, 6, "signature", NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/openssl/verifies-the-p256-sample", verifies_the_p256_sample);
	g_test_add_func("/openssl/refuses-signatures-out-of-range", refuses_signatures_out_of_range);
	g_test_add_func("/openssl/refuses-a-key-off-the-curve", refuses_a_key_off_the_curve);
	g_test_add_func("/openssl/verifies-the-p384-sample-in-little-endian",
			verifies_the_p384_sample_in_little_endian);
	return g_test_run();
}
