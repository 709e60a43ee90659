/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Values people type, read strictly: what is not clearly meant is an error that shows the forms accepted.
 */

#include "config.h"

#include "cli/options.h"

#include <string.h>

#include "base/error.h"
#include "cli/text.h"

static gboolean
size_suffix_shift(const gchar *suffix, guint *out)
{
	static const gchar letters[] = "KMGT";
	const gchar *found = NULL;

	if (*suffix == '\0') {
		*out = 0;
		return TRUE;
	}
	found = strchr(letters, g_ascii_toupper(*suffix));
	if (found == NULL || (suffix[1] != '\0' && g_strcmp0(suffix + 1, "iB") != 0))
		return FALSE;
	*out = (guint)(found - letters + 1) * 10;
	return TRUE;
}

gboolean
dstack_option_parse_size(const gchar *text, const gchar *option, guint64 *out, GError **error)
{
	gsize digits = strspn(text, "0123456789");
	g_autofree gchar *number = g_strndup(text, digits);
	guint64 count = 0;
	guint shift = 0;

	if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT64, &count, NULL) ||
	    !size_suffix_shift(text + digits, &shift)) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected a size like 2147483648, 2048M or 2G, found '%s'", option, text);
	}
	if (count > G_MAXUINT64 >> shift) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s: '%s' is more than 64 bits can say",
				    option, text);
	}
	*out = count << shift;
	return TRUE;
}

gboolean
dstack_option_parse_uint(const gchar *text, const gchar *option, guint64 max, guint64 *out, GError **error)
{
	if (!g_ascii_string_to_unsigned(text, 10, 0, max, out, NULL)) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected a number from 0 to %" G_GUINT64_FORMAT ", found '%s'", option, max,
				    text);
	}
	return TRUE;
}

gboolean
dstack_option_parse_time(const gchar *text, const gchar *option, gint64 *out, GError **error)
{
	/* GLib takes many forms of ISO 8601; RFC 3339 is one: full date, full time, zone */
	gboolean shaped = g_regex_match_simple("^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?"
					       "([Zz]|[+-]\\d{2}:\\d{2})$",
					       text, G_REGEX_DOLLAR_ENDONLY, 0);
	g_autofree gchar *upper = g_ascii_strup(text, -1);
	g_autoptr(GDateTime) when = NULL;

	if (shaped)
		when = g_date_time_new_from_iso8601(upper, NULL);
	if (when == NULL) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected a time like 2026-06-08T12:00:00Z, found '%s'", option, text);
	}
	*out = g_date_time_to_unix(when);
	return TRUE;
}

gboolean
dstack_option_parse_switch(const gchar *text, const gchar *option, gboolean *out, GError **error)
{
	if (g_str_equal(text, "yes") || g_str_equal(text, "on"))
		*out = TRUE;
	else if (g_str_equal(text, "no") || g_str_equal(text, "off"))
		*out = FALSE;
	else
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected yes or no (on or off), found '%s'", option, text);
	return TRUE;
}

gboolean
dstack_option_parse_choice(const gchar *text, const gchar *option, const gchar *const *choices, guint *out,
			   GError **error)
{
	g_autofree gchar *all = NULL;

	for (guint i = 0; choices[i] != NULL; i++) {
		if (g_str_equal(choices[i], text)) {
			*out = i;
			return TRUE;
		}
	}
	all = dstack_text_join(choices, ", ");
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s: expected one of %s, found '%s'", option, all,
			    text);
}
