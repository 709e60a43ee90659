/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/request.h"

#include "dstack/error.h"

static void
reads_sizes(void)
{
	static const struct {
		const gchar *text;
		guint64 size;
	} good[] = {
	    {"0", 0},
	    {"4096", 4096},
	    {"1K", 1024},
	    {"2048M", G_GUINT64_CONSTANT(0x80000000)},
	    {"2G", G_GUINT64_CONSTANT(0x80000000)},
	    {"16777215T", G_GUINT64_CONSTANT(16777215) << 40},
	    {"18446744073709551615", G_MAXUINT64},
	};
	static const gchar *const bad[] = {"",		"K",
					   "2g",	"2 G",
					   " 2G",	"2G ",
					   "-1",	"+1",
					   "0x10",	"2GB",
					   "1.5G",	"18446744073709551616",
					   "16777216T", "99999999999999999999999"};

	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		guint64 size = 1;

		g_assert_true(dstack_size_parse(good[i].text, "memory", &size, NULL));
		g_assert_cmpuint(size, ==, good[i].size);
	}
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		guint64 size = 7;

		g_assert_false(dstack_size_parse(bad[i], "memory", &size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
		g_assert_cmpuint(size, ==, 7);
	}
}

static void
prints_sizes_exactly(void)
{
	static const struct {
		guint64 size;
		const gchar *text;
	} cases[] = {{0, "0 bytes"},
		     {1023, "1023 bytes"},
		     {1024, "1 KiB"},
		     {G_GUINT64_CONSTANT(0xB0000000), "2816 MiB"},
		     {G_GUINT64_CONSTANT(1) << 40, "1 TiB"},
		     {(G_GUINT64_CONSTANT(1) << 31) + 1, "2147483649 bytes"}};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree gchar *text = dstack_size_to_string(cases[i].size);

		g_assert_cmpstr(text, ==, cases[i].text);
	}
}

static void
knows_names_of_images(void)
{
	static const gchar *const good[] = {"dstack-0.6.0", "dstack-nvidia-dev-0.6.1", "a", "0", "x_y+z"};
	static const gchar *const bad[] = {"",	   ".",	  "..",	  ".hidden", "-option", "a/b",
					   "/abs", "a b", "a\nb", "%s",	     "\xc3\xa4"};

	for (guint i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(dstack_launch_image_name_is_valid(good[i]));
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(dstack_launch_image_name_is_valid(bad[i]));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/request/reads-sizes", reads_sizes);
	g_test_add_func("/request/prints-sizes-exactly", prints_sizes_exactly);
	g_test_add_func("/request/knows-names-of-images", knows_names_of_images);
	return g_test_run();
}
