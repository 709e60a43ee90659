/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/keccak.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/hex.h"

/* published test vectors of Keccak-256 (the submission's padding): Ethereum's empty hash, and the Keccak team's */
static const struct {
	const gchar *input;
	const gchar *hex;
} vectors[] = {
    {"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
    {"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
    {"The quick brown fox jumps over the lazy dog", "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"},
    {"The quick brown fox jumps over the lazy dog.",
     "578951e24efd62a3d63a86f7cd19aaa53c898fe287d2552133220370240b572d"},
};

static void
matches_published_vectors(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
		g_autofree gchar *hex = NULL;
		guint8 out[32];

		dstack_keccak256((const guint8 *)vectors[i].input, strlen(vectors[i].input), out);
		hex = dstack_hex_encode(out, sizeof(out));
		g_assert_cmpstr(hex, ==, vectors[i].hex);
	}
}

/* SHA3-256 differs by its padding only, so OpenSSL can tell whether every length is absorbed rightly */
static void
agrees_with_openssl_on_sha3_at_every_length(void)
{
	guint8 input[300];

	for (gsize i = 0; i < sizeof(input); i++)
		input[i] = (guint8)(i * 7);
	for (gsize size = 0; size <= sizeof(input); size++) {
		guint8 expected[32];
		guint8 found[32];

		g_assert_cmpint(EVP_Digest(input, size, expected, NULL, EVP_sha3_256(), NULL), ==, 1);
		dstack_keccak_sponge256(input, size, 0x06, found);
		g_assert_cmpmem(found, 32, expected, 32);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keccak/matches-published-vectors", matches_published_vectors);
	g_test_add_func("/keccak/agrees-with-openssl-on-sha3-at-every-length",
			agrees_with_openssl_on_sha3_at_every_length);
	return g_test_run();
}
