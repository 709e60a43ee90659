/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How many of a caller's requests may be asking for authorisation at a time. polkit serves one after the other,
 * so a caller that floods it would hold up everybody's questions. For the main thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _DstackGate DstackGate;

/* admitted FALSE: the caller left, or has too many waiting, and nothing will be asked */
typedef void (*DstackGateEnter)(gpointer data, gboolean admitted);

DstackGate *dstack_gate_new(guint inside, guint waiting);
void dstack_gate_free(DstackGate *self);
void dstack_gate_enter(DstackGate *self, const gchar *caller, DstackGateEnter enter, gpointer data);
void dstack_gate_leave(DstackGate *self, const gchar *caller);
void dstack_gate_drop_caller(DstackGate *self, const gchar *caller);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackGate, dstack_gate_free)

G_END_DECLS
