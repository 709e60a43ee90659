/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/hex.h"

#include <string.h>

#include "dstack/error.h"

static void
reads_digits_of_either_case(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes("00fFAb10", "test", 4, &error);
	g_autofree gchar *text = NULL;
	guint8 fixed[2] = {0};

	g_assert_no_error(error);
	text = dstack_hex_encode_bytes(bytes);
	g_assert_cmpstr(text, ==, "00ffab10");
	g_assert_true(dstack_hex_decode("0a0B", "test", fixed, sizeof(fixed), &error));
	g_assert_cmpuint(fixed[1], ==, 11);
}

static void
refuses_other_characters_and_lengths(void)
{
	static const gchar *const bad[] = {"0", "0g", "g0", " 0", "0x", "00 ", "000", "\xc3\xa9", "0011223344"};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		guint8 fixed[1] = {0};

		g_assert_null(dstack_hex_decode_bytes(bad[i], "test", 4, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_false(dstack_hex_decode(bad[i], "test", fixed, sizeof(fixed), NULL));
	}
}

static void
reads_empty_text_as_no_bytes(void)
{
	g_autoptr(GBytes) hex = dstack_hex_decode_bytes("", "test", 0, NULL);
	g_autoptr(GBytes) base64 = dstack_base64_decode("", "test", 0, NULL);

	g_assert_cmpuint(g_bytes_get_size(hex), ==, 0);
	g_assert_cmpuint(g_bytes_get_size(base64), ==, 0);
}

/* the vectors of RFC 4648, section 10 */
static const struct {
	const gchar *bytes;
	const gchar *base64;
} rfc4648[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
matches_the_vectors_of_rfc_4648(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(rfc4648); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(rfc4648[i].bytes, strlen(rfc4648[i].bytes));
		g_autofree gchar *text = dstack_base64_encode(bytes);
		g_autoptr(GBytes) again = dstack_base64_decode(rfc4648[i].base64, "test", 6, NULL);

		g_assert_cmpstr(text, ==, rfc4648[i].base64);
		g_assert_true(g_bytes_equal(bytes, again));
	}
}

static void
refuses_base64_that_is_not_canonical(void)
{
	static const gchar *const bad[] = {
	    "Zg",    "Zg=",  "Zg===", "Zh==", "Zm9v\n", "Zm9v Zm9v",	" Zm9v",
	    "Zm9v=", "Z-_v", "=Zm9v", "Zm=v", "Z",	"Zm9vYmFyZm9v", /* nine bytes, more than accepted */
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_base64_decode(bad[i], "test", 8, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hex/reads-digits-of-either-case", reads_digits_of_either_case);
	g_test_add_func("/hex/refuses-other-characters-and-lengths", refuses_other_characters_and_lengths);
	g_test_add_func("/hex/reads-empty-text-as-no-bytes", reads_empty_text_as_no_bytes);
	g_test_add_func("/base64/matches-the-vectors-of-rfc-4648", matches_the_vectors_of_rfc_4648);
	g_test_add_func("/base64/refuses-base64-that-is-not-canonical", refuses_base64_that_is_not_canonical);
	return g_test_run();
}
