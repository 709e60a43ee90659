/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "cli/options.h"

#include "dstack/error.h"

static void
sizes_are_powers_of_1024(void)
{
	static const struct {
		const gchar *text;
		guint64 bytes;
	} cases[] = {
	    {"0", 0},
	    {"2147483648", 2147483648},
	    {"1K", 1024},
	    {"2500M", G_GUINT64_CONSTANT(2621440000)},
	    {"2g", 2147483648},
	    {"2GiB", 2147483648},
	    {"1T", G_GUINT64_CONSTANT(1099511627776)},
	    {"18446744073709551615", G_MAXUINT64},
	    {"16777215T", G_GUINT64_CONSTANT(18446742974197923840)},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		guint64 bytes = 1;

		g_assert_true(dstack_option_parse_size(cases[i].text, "--memory", &bytes, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(bytes, ==, cases[i].bytes);
	}
}

static void
refuses_what_is_no_size(void)
{
	static const gchar *const cases[] = {"",
					     "G",
					     "2GB",
					     "2 G",
					     " 2G",
					     "2G ",
					     "-1",
					     "+1",
					     "2.5G",
					     "0x10",
					     "2X",
					     "1KM",
					     "18446744073709551616",
					     "16777216T"};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		guint64 bytes = 42;

		g_assert_false(dstack_option_parse_size(cases[i], "--memory", &bytes, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
		g_assert_true(g_str_has_prefix(error->message, "--memory: "));
		g_assert_cmpuint(bytes, ==, 42);
	}
}

static void
numbers_have_a_bound(void)
{
	g_autoptr(GError) error = NULL;
	guint64 value = 0;

	g_assert_true(dstack_option_parse_uint("512", "--vcpus", 512, &value, &error));
	g_assert_cmpuint(value, ==, 512);
	g_assert_false(dstack_option_parse_uint("513", "--vcpus", 512, &value, &error));
	g_assert_cmpstr(error->message, ==, "--vcpus: expected a number from 0 to 512, found '513'");
	g_assert_false(dstack_option_parse_uint("0x1", "--vcpus", 512, &value, NULL));
	g_assert_false(dstack_option_parse_uint("", "--vcpus", 512, &value, NULL));
	g_assert_false(dstack_option_parse_uint("-1", "--vcpus", 512, &value, NULL));
}

static void
times_have_a_zone(void)
{
	static const struct {
		const gchar *text;
		gint64 seconds;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-06-08T12:00:00Z", 1780920000},
	    {"2026-06-08t12:00:00z", 1780920000},
	    {"2026-06-08T14:00:00+02:00", 1780920000},
	    {"2026-06-08 11:59:59.75-00:01", 1780920059},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gint64 seconds = -1;

		g_assert_true(dstack_option_parse_time(cases[i].text, "--time", &seconds, &error));
		g_assert_no_error(error);
		g_assert_cmpint(seconds, ==, cases[i].seconds);
	}
}

static void
refuses_what_is_no_time(void)
{
	static const gchar *const cases[] = {"",
					     "now",
					     "2026-06-08",
					     "2026-06-08T12:00:00",
					     "2026-06-08T12:00Z",
					     "20260608T120000Z",
					     "2026-13-08T12:00:00Z",
					     "2026-02-30T12:00:00Z",
					     "2026-06-08T25:00:00Z",
					     "2026-06-08T12:00:00Z\n",
					     "2026-W23-1T12:00:00Z"};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gint64 seconds = 42;

		g_assert_false(dstack_option_parse_time(cases[i], "--time", &seconds, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
		g_assert_cmpint(seconds, ==, 42);
	}
}

static void
switches_and_choices_take_their_words_only(void)
{
	static const gchar *const choices[] = {"lite", "auto", "legacy", NULL};
	g_autoptr(GError) error = NULL;
	gboolean on = FALSE;
	guint index = 9;

	g_assert_true(dstack_option_parse_switch("yes", "--pic", &on, NULL) && on);
	g_assert_true(dstack_option_parse_switch("off", "--pic", &on, NULL) && !on);
	g_assert_false(dstack_option_parse_switch("true", "--pic", &on, NULL));
	g_assert_true(dstack_option_parse_choice("legacy", "--variant", choices, &index, NULL));
	g_assert_cmpuint(index, ==, 2);
	g_assert_false(dstack_option_parse_choice("Lite", "--variant", choices, &index, &error));
	g_assert_cmpstr(error->message, ==, "--variant: expected one of lite, auto, legacy, found 'Lite'");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/options/sizes-are-powers-of-1024", sizes_are_powers_of_1024);
	g_test_add_func("/options/refuses-what-is-no-size", refuses_what_is_no_size);
	g_test_add_func("/options/numbers-have-a-bound", numbers_have_a_bound);
	g_test_add_func("/options/times-have-a-zone", times_have_a_zone);
	g_test_add_func("/options/refuses-what-is-no-time", refuses_what_is_no_time);
	g_test_add_func("/options/switches-and-choices-take-their-words-only",
			switches_and_choices_take_their_words_only);
	return g_test_run();
}
