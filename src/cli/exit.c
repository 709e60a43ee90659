/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From an error to the status a script sees.
 */

#include "config.h"

#include "cli/exit.h"

#include <gio/gio.h>

DstackError
dstack_exit_error_code(const GError *error)
{
	if (error->domain == DSTACK_ERROR)
		return (DstackError)error->code;
	if (error->domain == G_OPTION_ERROR)
		return DSTACK_ERROR_INVALID_ARGUMENT;
	if (error->domain == G_IO_ERROR && error->code == G_IO_ERROR_NOT_FOUND)
		return DSTACK_ERROR_NOT_FOUND;
	return DSTACK_ERROR_FAILED;
}

DstackExit
dstack_exit_from_code(DstackError code)
{
	switch (code) {
	case DSTACK_ERROR_NOT_FOUND:
		return DSTACK_EXIT_NOT_FOUND;
	case DSTACK_ERROR_MALFORMED:
		return DSTACK_EXIT_MALFORMED;
	case DSTACK_ERROR_UNSOUND:
	case DSTACK_ERROR_REFUSED:
		return DSTACK_EXIT_NO;
	case DSTACK_ERROR_INVALID_ARGUMENT:
		return DSTACK_EXIT_USAGE;
	case DSTACK_ERROR_NOT_AUTHORIZED:
	case DSTACK_ERROR_FAILED:
	case DSTACK_N_ERRORS:
		return DSTACK_EXIT_SYSTEM;
	}
	return DSTACK_EXIT_SYSTEM; /* a code of a newer library */
}
