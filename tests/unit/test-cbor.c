/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/cbor.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "dstack/error.h"

/* the bytes must stay alive as long as the reader */
static GBytes *
start(const gchar *hex, DstackCborReader *out)
{
	g_autoptr(GError) error = NULL;
	GBytes *bytes = dstack_hex_decode_bytes(hex, "test", DSTACK_KIB(64), &error);

	g_assert_no_error(error);
	dstack_cbor_reader_init(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "test");
	return bytes;
}

static const struct {
	const gchar *hex;
	guint64 value;
} integers[] = {
    {"00", 0},
    {"17", 23},
    {"1818", 24},
    {"18ff", 255},
    {"190100", 256},
    {"19ffff", 65535},
    {"1a00010000", 65536},
    {"1affffffff", G_MAXUINT32},
    {"1b0000000100000000", (guint64)G_MAXUINT32 + 1},
    {"1bffffffffffffffff", G_MAXUINT64},
};

static void
reads_integers_of_every_width(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(integers); i++) {
		DstackCborReader reader;
		g_autoptr(GBytes) bytes G_GNUC_UNUSED = start(integers[i].hex, &reader);
		g_autoptr(GError) error = NULL;
		guint64 value = 1;

		g_assert_true(dstack_cbor_read_uint(&reader, "n", G_MAXUINT64, &value, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(value, ==, integers[i].value);
		g_assert_true(dstack_cbor_finish(&reader, &error));
		reader.pos = 0;
		if (value > 0)
			g_assert_false(dstack_cbor_read_uint(&reader, "n", value - 1, &value, NULL));
	}
}

/* not one of these is a sound item */
static const gchar *const unsound[] = {
    "",
    "1800",		  /* not shortest */
    "1817",		  /* not shortest */
    "1900ff",		  /* not shortest */
    "1a0000ffff",	  /* not shortest */
    "1b00000000ffffffff", /* not shortest */
    "3817",		  /* negative, not shortest */
    "580161",		  /* byte string, length not shortest */
    "780161",		  /* text, length not shortest */
    "9800",		  /* array, count not shortest */
    "b800",		  /* map, count not shortest */
    "d800f6",		  /* tag not shortest */
    "5f4100ff",		  /* indefinite byte string */
    "7f6161ff",		  /* indefinite text */
    "9fff",		  /* indefinite array */
    "bfff",		  /* indefinite map */
    "ff",		  /* break on its own */
    "1c",		  /* reserved */
    "fc",		  /* reserved */
    "f800",		  /* simple value in two bytes */
    "18",		  /* truncated */
    "1b00000000",	  /* truncated */
    "42ff",		  /* truncated */
    "62c3",		  /* truncated */
    "61ff",		  /* not UTF-8 */
    "6100",		  /* NUL */
    "8201",		  /* an element missing */
    "a101",		  /* a value missing */
    "9b0000000020000000", /* a count that cbor_load() would allocate for */
    "9a00800000",
    "bb0000000020000000",
    "5bffffffffffffffff",
    "7bffffffffffffffff",
    "bbffffffffffffffff",
    "a201010102",	    /* a key twice */
    "a2616101616102",	    /* a key twice */
    "a16161a2616101616102", /* a key twice, further in */
    "8181818181",	    /* an element missing, five deep */
    "818181818100",	    /* sound but too deep */
    "c1c1c1c100",	    /* tags nest as well */
};

static void
refuses_unsound_items(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(unsound); i++) {
		DstackCborReader reader;
		g_autoptr(GBytes) bytes G_GNUC_UNUSED = start(unsound[i], &reader);
		g_autoptr(GError) error = NULL;

		g_assert_false(dstack_cbor_skip(&reader, "item", &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_cmpuint(reader.pos, ==, 0);
	}
}

static const gchar *const sound[] = {
    "20",	  "3818",	    "40",	"4100", "60", "6161", "80",	"8100",	      "a0",
    "a10000",	  "c074",	    "f4",	"f5",	"f6", "f7",   "f97c00", "fa7fc00000", "fb3ff0000000000000",
    "a201020201", "a2616101410001", "81818180",
};

static void
steps_over_sound_items(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(sound); i++) {
		DstackCborReader reader;
		/* a tag of a text: its twenty bytes follow */
		g_autofree gchar *hex = g_str_equal(sound[i], "c074")
					    ? g_strconcat(sound[i], "3230323031303130323032303130313032303230", NULL)
					    : g_strdup(sound[i]);
		g_autoptr(GBytes) bytes G_GNUC_UNUSED = start(hex, &reader);
		g_autoptr(GError) error = NULL;

		g_assert_true(dstack_cbor_skip(&reader, "item", &error));
		g_assert_no_error(error);
		g_assert_true(dstack_cbor_finish(&reader, &error));
	}
}

/* {"a": 1, "bb": h'0102', "c": "x", "d": true, "e": [1, 2], "f": {"g": null}} */
static const gchar whole[] = "a661610162626242010261636178"
			     "6164f56165820102"
			     "6166a16167f6";

typedef struct {
	guint64 a;
	guint8 bb[2];
	gchar *c;
	gboolean d;
	guint n;
} Golden;

static gboolean
golden_member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	Golden *self = user_data;

	if (g_str_equal(key, "a"))
		return dstack_cbor_read_uint(reader, key, 9, &self->a, error);
	if (g_str_equal(key, "bb"))
		return dstack_cbor_read_fixed(reader, key, self->bb, sizeof(self->bb), error);
	if (g_str_equal(key, "c"))
		return dstack_cbor_read_text(reader, key, &self->c, error);
	if (g_str_equal(key, "d"))
		return dstack_cbor_read_bool(reader, key, &self->d, error);
	self->n++;
	return dstack_cbor_skip(reader, key, error);
}

static gboolean
read_golden(const guint8 *data, gsize size, Golden *out, GError **error)
{
	DstackCborReader reader;

	dstack_cbor_reader_init(&reader, data, size, "test");
	return dstack_cbor_read_members(&reader, "map", golden_member, out, error) &&
	       dstack_cbor_finish(&reader, error);
}

static void
reads_a_map_by_its_keys(void)
{
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(whole, "test", 100, NULL);
	g_autoptr(GError) error = NULL;
	Golden out = {0};

	g_assert_true(read_golden(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &out, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(out.a, ==, 1);
	g_assert_cmpuint(out.bb[1], ==, 2);
	g_assert_cmpstr(out.c, ==, "x");
	g_assert_true(out.d);
	g_assert_cmpuint(out.n, ==, 2);
	g_free(out.c);
}

static void
refuses_every_truncation_and_a_trailing_byte(void)
{
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(whole, "test", 100, NULL);
	gsize size = g_bytes_get_size(bytes);
	g_autofree guint8 *longer = g_malloc0(size + 1);

	for (gsize cut = 0; cut < size; cut++) {
		g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), MAX(cut, 1));
		g_autoptr(GError) error = NULL;
		Golden out = {0};

		g_assert_false(read_golden(copy, cut, &out, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_free(out.c);
	}
	memcpy(longer, g_bytes_get_data(bytes, NULL), size);
	{
		Golden out = {0};

		g_assert_false(read_golden(longer, size + 1, &out, NULL));
		g_free(out.c);
	}
}

static void
refuses_a_key_that_comes_twice(void)
{
	static const gchar *const twice[] = {"a2616101616101", "a2617a01617a02", "a301f6616101616101"};

	for (guint i = 0; i < G_N_ELEMENTS(twice); i++) {
		g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(twice[i], "test", 100, NULL);
		g_autoptr(GError) error = NULL;
		Golden out = {0};

		g_assert_false(read_golden(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &out, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_free(out.c);
	}
}

static void
wants_the_kind_and_length_it_asked_for(void)
{
	DstackCborReader reader;
	g_autoptr(GBytes) bytes G_GNUC_UNUSED = start("43010203", &reader);
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree gchar *text = NULL;
	guint8 fixed[3] = {0};
	gboolean flag = FALSE;
	guint count = 0;

	g_assert_false(dstack_cbor_read_text(&reader, "f", &text, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_cmpstr(error->message, ==, "test: f at offset 0: expected a text, found a byte string");
	g_assert_false(dstack_cbor_read_bool(&reader, "f", &flag, NULL));
	g_assert_false(dstack_cbor_read_array(&reader, "f", &count, NULL));
	g_assert_false(dstack_cbor_read_map(&reader, "f", &count, NULL));
	g_assert_false(dstack_cbor_read_fixed(&reader, "f", fixed, 2, NULL));
	g_assert_false(dstack_cbor_read_bytes(&reader, "f", 2, &content, NULL));
	g_assert_cmpuint(reader.pos, ==, 0);
	g_assert_true(dstack_cbor_read_bytes(&reader, "f", 3, &content, NULL));
	g_assert_cmpuint(g_bytes_get_size(content), ==, 3);
	reader.pos = 0;
	g_assert_true(dstack_cbor_read_fixed(&reader, "f", fixed, 3, NULL));
	g_assert_cmpuint(fixed[2], ==, 3);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cbor/reads-integers-of-every-width", reads_integers_of_every_width);
	g_test_add_func("/cbor/refuses-unsound-items", refuses_unsound_items);
	g_test_add_func("/cbor/steps-over-sound-items", steps_over_sound_items);
	g_test_add_func("/cbor/reads-a-map-by-its-keys", reads_a_map_by_its_keys);
	g_test_add_func("/cbor/refuses-every-truncation-and-a-trailing-byte",
			refuses_every_truncation_and_a_trailing_byte);
	g_test_add_func("/cbor/refuses-a-key-that-comes-twice", refuses_a_key_that_comes_twice);
	g_test_add_func("/cbor/wants-the-kind-and-length-it-asked-for", wants_the_kind_and_length_it_asked_for);
	return g_test_run();
}
