/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Exit statuses, as the manual documents them, and the error codes behind them.
 */
#pragma once

#include <glib.h>

#include "dstack/error.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_EXIT_OK = 0,
	DSTACK_EXIT_NO = 1,	   /* the answer is no: unsound, not valid, refused */
	DSTACK_EXIT_USAGE = 2,	   /* the command line makes no sense */
	DSTACK_EXIT_NOT_FOUND = 3, /* image, file or domain */
	DSTACK_EXIT_MALFORMED = 4, /* input that cannot be read */
	DSTACK_EXIT_SYSTEM = 5,	   /* I/O, permission, a missing tool or service */
} DstackExit;

/* the code that stands for any error, also of another domain */
DstackError dstack_exit_error_code(const GError *error);
DstackExit dstack_exit_from_code(DstackError code);

G_END_DECLS
