/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/reader.h"

#include <string.h>

#include "dstack/error.h"

typedef gboolean (*ReadNumber)(DstackReader *reader, guint64 *out, GError **error);

#define WRAP(suffix, type)                                                                                             \
	static gboolean wrap_##suffix(DstackReader *reader, guint64 *out, GError **error)                              \
	{                                                                                                              \
		type value = 0;                                                                                        \
                                                                                                                       \
		if (!dstack_reader_##suffix(reader, "number", &value, error))                                          \
			return FALSE;                                                                                  \
		*out = value;                                                                                          \
		return TRUE;                                                                                           \
	}

WRAP(u8, guint8)
WRAP(u16le, guint16)
WRAP(u32le, guint32)
WRAP(u64le, guint64)
WRAP(u16be, guint16)
WRAP(u32be, guint32)
WRAP(u64be, guint64)

static const guint8 eight[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static const struct {
	ReadNumber read;
	gsize width;
	guint64 expected;
} numbers[] = {
    {wrap_u8, 1, 0x01},
    {wrap_u16le, 2, 0x2301},
    {wrap_u32le, 4, 0x67452301},
    {wrap_u64le, 8, G_GUINT64_CONSTANT(0xefcdab8967452301)},
    {wrap_u16be, 2, 0x0123},
    {wrap_u32be, 4, 0x01234567},
    {wrap_u64be, 8, G_GUINT64_CONSTANT(0x0123456789abcdef)},
};

static void
reads_numbers_in_their_byte_order(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autoptr(GError) error = NULL;
		DstackReader reader;
		guint64 value = 0;

		dstack_reader_init(&reader, eight, numbers[i].width, "input");
		g_assert_true(numbers[i].read(&reader, &value, &error));
		g_assert_no_error(error);
		g_assert_cmphex(value, ==, numbers[i].expected);
		g_assert_true(dstack_reader_finish(&reader, &error));
	}
}

static void
rejects_every_truncation(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		for (gsize len = 0; len < numbers[i].width; len++) {
			g_autoptr(GError) error = NULL;
			DstackReader reader;
			guint64 value = 42;

			dstack_reader_init(&reader, eight, len, "input");
			g_assert_false(numbers[i].read(&reader, &value, &error));
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
			g_assert_cmpuint(value, ==, 42);
			g_assert_cmpuint(dstack_reader_left(&reader), ==, len);
		}
	}
}

static void
slices_stay_inside_the_input(void)
{
	static const struct {
		guint64 offset;
		guint64 size;
		gboolean inside;
	} cases[] = {
	    {0, 8, TRUE},	  {8, 0, TRUE},		{3, 5, TRUE},
	    {3, 6, FALSE},	  {9, 0, FALSE},	{G_MAXUINT64, 1, FALSE},
	    {1, G_MAXUINT64, FALSE}, {G_MAXUINT64, G_MAXUINT64, FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		DstackReader reader;
		DstackReader part = {0};

		dstack_reader_init(&reader, eight, sizeof(eight), "input");
		g_assert_cmpint(dstack_reader_slice(&reader, cases[i].offset, cases[i].size, "part", &part, &error), ==,
				cases[i].inside);
		g_assert_cmpuint(part.size, ==, cases[i].inside ? cases[i].size : 0);
	}
}

static void
refuses_bytes_that_should_be_zero(void)
{
	g_autoptr(GError) error = NULL;
	const guint8 input[] = {0, 0, 7, 0};
	DstackReader reader;

	dstack_reader_init(&reader, input, sizeof(input), "input");
	g_assert_false(dstack_reader_skip_zero(&reader, 4, "reserved", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_nonnull(strstr(error->message, "0x07 at offset 0x2"));
	g_assert_cmpuint(dstack_reader_left(&reader), ==, 4);
	g_assert_true(dstack_reader_skip_zero(&reader, 2, "reserved", NULL));
}

static void
refuses_trailing_bytes(void)
{
	g_autoptr(GError) error = NULL;
	DstackReader reader;

	dstack_reader_init(&reader, eight, sizeof(eight), "input");
	g_assert_true(dstack_reader_skip(&reader, 7, "head", NULL));
	g_assert_false(dstack_reader_finish(&reader, &error));
	g_assert_cmpstr(error->message, ==, "input: 1 trailing bytes at offset 0x7");
}

static void
reads_leb128_to_64_bits_and_no_further(void)
{
	static const struct {
		guint8 bytes[11];
		gsize size;
		gboolean good;
		guint64 value;
	} cases[] = {
	    {{0x00}, 1, TRUE, 0},
	    {{0x80, 0x10}, 2, TRUE, 0x800},
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 10, TRUE, G_MAXUINT64},
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10, FALSE, 0},
	    {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 11, FALSE, 0},
	    {{0x80}, 1, FALSE, 0},
	    {{0}, 0, FALSE, 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		DstackReader reader;
		guint64 value = 0;

		dstack_reader_init(&reader, cases[i].bytes, cases[i].size, "input");
		g_assert_cmpint(dstack_reader_uleb128(&reader, "number", &value, &error), ==, cases[i].good);
		g_assert_cmphex(value, ==, cases[i].value);
		g_assert_cmpuint(dstack_reader_left(&reader), ==, cases[i].good ? 0 : cases[i].size);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reader/reads-numbers-in-their-byte-order", reads_numbers_in_their_byte_order);
	g_test_add_func("/reader/rejects-every-truncation", rejects_every_truncation);
	g_test_add_func("/reader/slices-stay-inside-the-input", slices_stay_inside_the_input);
	g_test_add_func("/reader/refuses-bytes-that-should-be-zero", refuses_bytes_that_should_be_zero);
	g_test_add_func("/reader/refuses-trailing-bytes", refuses_trailing_bytes);
	g_test_add_func("/reader/reads-leb128-to-64-bits-and-no-further", reads_leb128_to_64_bits_and_no_further);
	return g_test_run();
}
