/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How many of a caller's requests may be asking for authorisation at a time.
 */

#include "config.h"

#include "daemon/gate.h"

typedef struct {
	guint inside;
	GQueue waiting; /* of DstackGateVisitor */
} DstackGateCaller;

typedef struct {
	DstackGateEnter enter;
	gpointer data;
} DstackGateVisitor;

struct _DstackGate {
	guint inside;  /* of one caller */
	guint waiting; /* of one caller */
	GHashTable *callers;
};

static void
turn_away(DstackGateCaller *caller)
{
	DstackGateVisitor *visitor = NULL;

	while ((visitor = g_queue_pop_head(&caller->waiting)) != NULL) {
		visitor->enter(visitor->data, FALSE);
		g_free(visitor);
	}
}

/**
 * dstack_gate_new:
 * @inside: how many of one caller may be inside
 * @waiting: how many of one caller may wait outside
 *
 * Returns: (transfer full): an empty gate
 */
DstackGate *
dstack_gate_new(guint inside, guint waiting)
{
	DstackGate *self = g_new0(DstackGate, 1);

	self->inside = inside;
	self->waiting = waiting;
	self->callers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return self;
}

/**
 * dstack_gate_free:
 * @self: (nullable): the gate
 *
 * Turns away everybody who waits; who is inside must not leave any more.
 */
void
dstack_gate_free(DstackGate *self)
{
	GHashTableIter iter;
	gpointer caller = NULL;

	if (self == NULL)
		return;
	g_hash_table_iter_init(&iter, self->callers);
	while (g_hash_table_iter_next(&iter, NULL, &caller))
		turn_away(caller);
	g_hash_table_unref(self->callers);
	g_free(self);
}

/**
 * dstack_gate_enter:
 * @self: the gate
 * @name: the caller
 * @enter: called at once, or when another of the caller's has left, or with %FALSE
 * @data: for @enter
 */
void
dstack_gate_enter(DstackGate *self, const gchar *name, DstackGateEnter enter, gpointer data)
{
	DstackGateCaller *caller = g_hash_table_lookup(self->callers, name);
	DstackGateVisitor *visitor = NULL;

	if (caller == NULL) {
		caller = g_new0(DstackGateCaller, 1);
		g_queue_init(&caller->waiting);
		g_hash_table_insert(self->callers, g_strdup(name), caller);
	}
	if (caller->inside < self->inside) {
		caller->inside++;
		enter(data, TRUE);
		return;
	}
	if (g_queue_get_length(&caller->waiting) >= self->waiting) {
		enter(data, FALSE);
		return;
	}
	visitor = g_new0(DstackGateVisitor, 1);
	*visitor = (DstackGateVisitor){.enter = enter, .data = data};
	g_queue_push_tail(&caller->waiting, visitor);
}

/**
 * dstack_gate_leave:
 * @self: the gate
 * @name: the caller of somebody who is inside
 */
void
dstack_gate_leave(DstackGate *self, const gchar *name)
{
	DstackGateCaller *caller = g_hash_table_lookup(self->callers, name);
	g_autofree DstackGateVisitor *next = NULL;

	g_return_if_fail(caller != NULL && caller->inside > 0);
	next = g_queue_pop_head(&caller->waiting);
	if (next != NULL) {
		next->enter(next->data, TRUE);
		return;
	}
	caller->inside--;
	if (caller->inside == 0)
		(void)g_hash_table_remove(self->callers, name);
}

/**
 * dstack_gate_drop_caller:
 * @self: the gate
 * @name: who left
 *
 * Turns away what waits; what is inside leaves by itself.
 */
void
dstack_gate_drop_caller(DstackGate *self, const gchar *name)
{
	DstackGateCaller *caller = g_hash_table_lookup(self->callers, name);

	if (caller != NULL)
		turn_away(caller);
}
