/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/digest.h"

#include <string.h>

#include "base/register.h"
#include "dstack/error.h"

#define ABC ((const guint8 *)"abc")

/* FIPS 180-4's examples */
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA384_ABC "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"

static void
matches_the_standard(void)
{
	DstackSha256 sha256 = dstack_sha256(ABC, 3);
	DstackSha384 sha384 = dstack_sha384(ABC, 3);
	g_autofree gchar *hex256 = dstack_sha256_to_hex(&sha256);
	g_autofree gchar *hex384 = dstack_sha384_to_hex(&sha384);

	g_assert_cmpstr(hex256, ==, SHA256_ABC);
	g_assert_cmpstr(hex384, ==, SHA384_ABC);
}

static void
gives_the_same_in_pieces(void)
{
	guint8 data[1000];
	DstackSha256 whole256 = {{0}};
	DstackSha384 whole384 = {{0}};

	memset(data, 'x', sizeof(data));
	whole256 = dstack_sha256(data, sizeof(data));
	whole384 = dstack_sha384(data, sizeof(data));
	for (gsize cut = 0; cut <= sizeof(data); cut += 111) {
		g_autoptr(DstackHasher) sha256 = dstack_hasher_new_sha256();
		g_autoptr(DstackHasher) sha384 = dstack_hasher_new_sha384();
		DstackSha256 pieces256 = {{0}};
		DstackSha384 pieces384 = {{0}};

		dstack_hasher_update(sha256, data, cut);
		dstack_hasher_update(sha256, data + cut, sizeof(data) - cut);
		dstack_hasher_update(sha384, data, cut);
		dstack_hasher_update(sha384, data + cut, sizeof(data) - cut);
		pieces256 = dstack_hasher_finish_sha256(sha256);
		pieces384 = dstack_hasher_finish_sha384(sha384);
		g_assert_true(dstack_sha256_equal(&pieces256, &whole256));
		g_assert_true(dstack_sha384_equal(&pieces384, &whole384));
	}
}

static void
compares_and_reads_digests(void)
{
	g_autoptr(GError) error = NULL;
	DstackSha256 a = {{0}};
	DstackSha256 b = {{0}};
	DstackSha384 c = {{0}};

	g_assert_true(dstack_sha256_is_zero(&a));
	g_assert_true(dstack_sha256_equal(&a, &b));
	b.bytes[31] = 1;
	g_assert_false(dstack_sha256_equal(&a, &b));
	g_assert_false(dstack_sha256_is_zero(&b));
	g_assert_true(dstack_sha256_from_hex(SHA256_ABC, "test", &a, &error));
	b = dstack_sha256(ABC, 3);
	g_assert_true(dstack_sha256_equal(&a, &b));
	g_assert_false(dstack_sha384_from_hex(SHA256_ABC, "test", &c, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_true(dstack_sha384_is_zero(&c));
}

static void
extends_a_register_over_what_it_held(void)
{
	DstackSha384 event = dstack_sha384(ABC, 3);
	DstackSha384 expected = {{0}};
	DstackSha384 events[2] = {event, event};
	DstackSha384 replayed = {{0}};
	DstackSha384 extended = {{0}};
	guint8 joined[96];

	for (guint i = 0; i < 2; i++) {
		memcpy(joined, expected.bytes, 48);
		memcpy(joined + 48, event.bytes, 48);
		expected = dstack_sha384(joined, sizeof(joined));
		dstack_register_extend(&extended, &event);
	}
	replayed = dstack_register_replay(events, 2);
	g_assert_true(dstack_sha384_equal(&expected, &replayed));
	g_assert_true(dstack_sha384_equal(&expected, &extended));
	replayed = dstack_register_replay(NULL, 0);
	g_assert_true(dstack_sha384_is_zero(&replayed));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/digest/matches-the-standard", matches_the_standard);
	g_test_add_func("/digest/gives-the-same-in-pieces", gives_the_same_in_pieces);
	g_test_add_func("/digest/compares-and-reads-digests", compares_and_reads_digests);
	g_test_add_func("/register/extends-over-what-it-held", extends_a_register_over_what_it_held);
	return g_test_run();
}
