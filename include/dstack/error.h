/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one error domain of the library. Each code is an exit status of the command line
 * and an error name of the D-Bus service, so a code exists only if somebody acts on it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifndef DSTACK_API
#define DSTACK_API __attribute__((visibility("default")))
#endif

#define DSTACK_ERROR (dstack_error_quark())

/**
 * DstackError:
 * @DSTACK_ERROR_NOT_FOUND: an image, file or domain is absent; the operator can fix it
 * @DSTACK_ERROR_MALFORMED: input that cannot be read as what it claims to be, too large, or of an unknown version
 * @DSTACK_ERROR_UNSOUND: well-formed, but does not hold together: a digest, signature, chain, date or register differs
 * @DSTACK_ERROR_REFUSED: sound, but policy says no
 * @DSTACK_ERROR_NOT_AUTHORIZED: the caller may not do this
 * @DSTACK_ERROR_INVALID_ARGUMENT: the caller asked for something that makes no sense
 * @DSTACK_ERROR_FAILED: the machine failed (I/O, permission, a missing tool); a retry may help
 */
typedef enum {
	DSTACK_ERROR_NOT_FOUND,
	DSTACK_ERROR_MALFORMED,
	DSTACK_ERROR_UNSOUND,
	DSTACK_ERROR_REFUSED,
	DSTACK_ERROR_NOT_AUTHORIZED,
	DSTACK_ERROR_INVALID_ARGUMENT,
	DSTACK_ERROR_FAILED,
	DSTACK_N_ERRORS /*< skip >*/
} DstackError;

DSTACK_API GQuark dstack_error_quark(void);
DSTACK_API const gchar *dstack_error_to_string(DstackError code);

G_END_DECLS
