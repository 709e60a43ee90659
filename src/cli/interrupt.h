/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C and its like: the first asks the work to stop and clean up, the second ends the program.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Cancels cancellable when SIGINT, SIGTERM or SIGHUP comes. Once a program. */
gboolean dstack_interrupt_watch(GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends the program as the signal that came would have; returns where none came. */
void dstack_interrupt_finish(void);

G_END_DECLS
