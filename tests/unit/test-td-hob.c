/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TD HOB list and its witness.
 */

#include "config.h"

#include "tdx/td-hob.h"

#include <string.h>

#include "base/hex.h"
#include "dstack/error.h"

#define GOOD "80100904000609020b021010" /* Debian's and dstack's firmware */

static gboolean
parse(const gchar *hex, DstackTdHobWitness *out, GError **error)
{
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(hex, "witness", 256, error);

	g_assert_nonnull(bytes);
	return dstack_td_hob_witness_parse(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

static void
reads_what_it_writes(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) packed = NULL;
	g_autofree gchar *hex = NULL;
	DstackTdHobWitness witness;

	g_assert_true(parse(GOOD, &witness, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(witness.td_hob_address, ==, 0x809000);
	g_assert_cmpuint(witness.n_ranges, ==, 4);
	g_assert_cmpuint(witness.ranges[3].start, ==, 0x810000);
	g_assert_cmpuint(witness.ranges[3].size, ==, 0x10000);
	packed = dstack_td_hob_witness_build(&witness);
	hex = dstack_hex_encode_bytes(packed);
	g_assert_cmpstr(hex, ==, GOOD);
}

static void
refuses_bad_witnesses(void)
{
	static const gchar *const cases[] = {
	    "80100900", /* no range */
	    "8010090500060902"
	    "0b021010",			/* more ranges than there are */
	    "801009ffffffff7f0006",	/* a count beyond all input */
	    "80100904000609000b021010", /* an empty range */
	    "80100904000a09020b021010", /* an overlap */
	    "8010090409020006"
	    "0b021010",			  /* not ascending */
	    "80100804000609020b021010",	  /* no range at the TD HOB */
	    "80100904010609020b021010",	  /* the first range is not at the base */
	    "80100904000609020b02101000", /* something behind it */
	    "ffffffffffffffffff010001"
	    "0001", /* a base beyond the address space */
	    "8010ffffffffffffffffff01"
	    "010001", /* a TD HOB beyond it */
	    "0000010"
	    "0ffffffffffffffffff01", /* a range that ends beyond it */
	    "ffffffffffffff070001"
	    "0002", /* wraps by its count */
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		DstackTdHobWitness witness;

		if (parse(cases[i], &witness, &error))
			g_error("accepted: %s", cases[i]);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_every_truncation(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(GOOD, "witness", 64, &error);

	for (gsize size = 0; size < g_bytes_get_size(bytes); size++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), size);
		DstackTdHobWitness witness;

		g_assert_false(dstack_td_hob_witness_parse(&witness, copy, size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_clear_error(&error);
	}
}

/* where the list's last blocks begin and end, by memory size */
static void
splits_memory_at_4_gib(void)
{
	static const struct {
		guint64 memory_size;
		gsize list_size;
		guint64 last_start;
		guint64 last_size;
	} cases[] = {
	    {0x40000000, 440, 0x820000, 0x40000000 - 0x820000},
	    {0x80000000, 440, 0x820000, 0x80000000 - 0x820000},
	    {0xafffffff, 440, 0x820000, 0xafffffff - 0x820000},
	    {0xb0000000, 488, 0x100000000, 0x30000000},
	    {0x100000000, 488, 0x100000000, 0x80000000},
	    {0x820000, 392, 0x810000, 0x10000}, /* ends where the last accepted range ends */
	    {0x815000, 392, 0x810000, 0x10000},
	};
	g_autoptr(GError) error = NULL;
	DstackTdHobWitness witness;

	g_assert_true(parse(GOOD, &witness, &error));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) list = dstack_td_hob_build(&witness, cases[i].memory_size);
		const guint8 *data = g_bytes_get_data(list, NULL);
		guint64 range[2];
		guint64 end = 0;

		g_assert_cmpuint(g_bytes_get_size(list), ==, cases[i].list_size);
		memcpy(range, data + cases[i].list_size - sizeof(range), sizeof(range));
		g_assert_cmpuint(GUINT64_FROM_LE(range[0]), ==, cases[i].last_start);
		g_assert_cmpuint(GUINT64_FROM_LE(range[1]), ==, cases[i].last_size);
		memcpy(&end, data + 48, sizeof(end));
		g_assert_cmpuint(GUINT64_FROM_LE(end), ==, 0x809000 + cases[i].list_size + 8);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx/td-hob/reads-what-it-writes", reads_what_it_writes);
	g_test_add_func("/tdx/td-hob/refuses-bad-witnesses", refuses_bad_witnesses);
	g_test_add_func("/tdx/td-hob/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/tdx/td-hob/splits-memory-at-4-gib", splits_memory_at_4_gib);
	return g_test_run();
}
