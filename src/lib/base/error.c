/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The error domain, its names, and the helpers that fill a GError.
 */

#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

G_DEFINE_QUARK(dstack-error-quark, dstack_error)

/**
 * dstack_error_to_string:
 * @code: an error code
 *
 * The code's name as the D-Bus service and `--json` print it ("NotFound", …).
 *
 * Returns: (transfer none): a static string, %NULL for a value that is no code
 */
const gchar *
dstack_error_to_string(DstackError code)
{
	switch (code) {
	case DSTACK_ERROR_NOT_FOUND:
		return "NotFound";
	case DSTACK_ERROR_MALFORMED:
		return "Malformed";
	case DSTACK_ERROR_UNSOUND:
		return "Unsound";
	case DSTACK_ERROR_REFUSED:
		return "Refused";
	case DSTACK_ERROR_NOT_AUTHORIZED:
		return "NotAuthorized";
	case DSTACK_ERROR_INVALID_ARGUMENT:
		return "InvalidArgument";
	case DSTACK_ERROR_FAILED:
		return "Failed";
	case DSTACK_N_ERRORS:
		break;
	}
	return NULL;
}

static DstackError
error_code_from_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return DSTACK_ERROR_NOT_FOUND;
	case ELOOP:
	case EXDEV:
	case ENAMETOOLONG:
		return DSTACK_ERROR_MALFORMED;
	default:
		return DSTACK_ERROR_FAILED;
	}
}

/**
 * dstack_throw:
 * @error: (out) (optional): where to store the error
 * @code: the code
 * @format: printf-style message: where, what was expected, what was found
 *
 * Sets @error and returns %FALSE, so that a check is one statement.
 *
 * Returns: always %FALSE
 */
gboolean
dstack_throw(GError **error, DstackError code, const gchar *format, ...)
{
	va_list args;

	if (error == NULL)
		return FALSE;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(DSTACK_ERROR, code, format, args));
	va_end(args);
	return FALSE;
}

/**
 * dstack_throw_errno:
 * @error: (out) (optional): where to store the error
 * @format: printf-style message: what was tried, without the reason
 *
 * As dstack_throw(), with the code and the reason taken from `errno`: a missing file is
 * %DSTACK_ERROR_NOT_FOUND, a path that leads astray %DSTACK_ERROR_MALFORMED, all else %DSTACK_ERROR_FAILED.
 *
 * Returns: always %FALSE
 */
gboolean
dstack_throw_errno(GError **error, const gchar *format, ...)
{
	g_autofree gchar *what = NULL;
	int number = errno;
	va_list args;

	if (error == NULL)
		return FALSE;
	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, DSTACK_ERROR, error_code_from_errno(number), "%s: %s", what, g_strerror(number));
	return FALSE;
}
