/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A choice that may be left open.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	DSTACK_TRISTATE_UNSET,
	DSTACK_TRISTATE_FALSE,
	DSTACK_TRISTATE_TRUE,
} DstackTristate;

G_END_DECLS
