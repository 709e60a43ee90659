/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A bar for long work, on a terminal's standard error; elsewhere silent.
 */
#pragma once

#include <glib.h>

#include "cli/command.h"

G_BEGIN_DECLS

typedef struct _DstackProgress DstackProgress;

/* Never NULL: where there is no terminal, or with -q, it draws nothing. */
DstackProgress *dstack_progress_new(DstackCli *cli, const gchar *what);
/* Removes the bar. */
void dstack_progress_free(DstackProgress *self);
/* From any thread, as often as you like. */
void dstack_progress_update(DstackProgress *self, guint64 done, guint64 total);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackProgress, dstack_progress_free)

G_END_DECLS
