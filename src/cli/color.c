/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Colour and width. NO_COLOR: https://no-color.org.
 */

#include "config.h"

#include "cli/color.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

#define DEFAULT_WIDTH 80
#define MIN_WIDTH     40
#define MAX_WIDTH     1000

gboolean
dstack_color_mode_parse(const gchar *text, DstackColorMode *out, GError **error)
{
	if (g_str_equal(text, "auto"))
		*out = DSTACK_COLOR_AUTO;
	else if (g_str_equal(text, "always"))
		*out = DSTACK_COLOR_ALWAYS;
	else if (g_str_equal(text, "never"))
		*out = DSTACK_COLOR_NEVER;
	else
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "--color: expected auto, always or never, found '%s'", text);
	return TRUE;
}

static gboolean
environment_is_set(const gchar *name)
{
	const gchar *value = g_getenv(name);

	return value != NULL && *value != '\0';
}

gboolean
dstack_color_wanted(DstackColorMode mode, int fd)
{
	switch (mode) {
	case DSTACK_COLOR_ALWAYS:
		return TRUE;
	case DSTACK_COLOR_NEVER:
		return FALSE;
	case DSTACK_COLOR_AUTO:
		return !environment_is_set("NO_COLOR") && g_strcmp0(g_getenv("TERM"), "dumb") != 0 && isatty(fd) == 1;
	}
	g_return_val_if_reached(FALSE);
}

const gchar *
dstack_color_begin(DstackTone tone)
{
	switch (tone) {
	case DSTACK_TONE_PLAIN:
		return "";
	case DSTACK_TONE_GOOD:
		return "\033[32m";
	case DSTACK_TONE_WARN:
		return "\033[33m";
	case DSTACK_TONE_BAD:
		return "\033[1;31m";
	case DSTACK_TONE_DIM:
		return "\033[2m";
	}
	g_return_val_if_reached("");
}

const gchar *
dstack_color_end(DstackTone tone)
{
	return tone == DSTACK_TONE_PLAIN ? "" : "\033[0m";
}

guint
dstack_terminal_width(int fd)
{
	const gchar *columns = g_getenv("COLUMNS");
	struct winsize size = {0};
	guint64 wanted = 0;

	if (columns != NULL && g_ascii_string_to_unsigned(columns, 10, MIN_WIDTH, MAX_WIDTH, &wanted, NULL))
		return (guint)wanted;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return CLAMP(size.ws_col, MIN_WIDTH, MAX_WIDTH);
	return DEFAULT_WIDTH;
}
