/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The life of a method call. Only the worker's part runs off the main thread, and it touches nothing but its
 * own call.
 */

#include "config.h"

#include "daemon/call.h"

#include "base/error.h"
#include "daemon/authorize.h"
#include "daemon/reply.h"

static void
call_answer(DstackCall *self)
{
	GDBusMethodInvocation *invocation = g_steal_pointer(&self->invocation);

	if (self->reply != NULL) {
		g_dbus_method_invocation_return_value_with_unix_fd_list(invocation, self->reply, self->reply_fds);
		g_clear_pointer(&self->reply, g_variant_unref);
		return;
	}
	if (self->error == NULL)
		dstack_throw(&self->error, DSTACK_ERROR_FAILED, "cancelled");
	dstack_reply_error(invocation, self->error);
}

/* on the main thread: the worker is done, or never got to it */
static void
call_finish(gpointer data)
{
	DstackCall *self = data;

	call_answer(self);
	self->done(self, self->user_data);
	g_clear_object(&self->fds);
	g_clear_object(&self->reply_fds);
	g_clear_error(&self->error);
	g_variant_unref(self->parameters);
	dstack_configuration_unref(self->configuration);
	g_free(self->sender);
	g_free(self->event.image);
	g_free(self->event.os_image_hash);
	g_free(self->event.variant);
	g_free(self->event.domain);
	g_free(self->event.reason);
	g_free(self);
}

static void
call_fail(DstackCall *self, GError *error)
{
	self->error = error;
	call_finish(self);
}

static void
call_work(gpointer data, GCancellable *cancellable)
{
	DstackCall *self = data;

	if (!g_cancellable_is_cancelled(cancellable))
		(void)self->run(self, cancellable, &self->error);
}

static void
call_queue(DstackCall *self)
{
	GError *error = NULL;

	/* it may have left while polkit was asked: nobody would cancel its work any more */
	if (!self->is_here(self->sender, self->user_data)) {
		dstack_throw(&error, DSTACK_ERROR_FAILED, "the caller has left");
		call_fail(self, error);
		return;
	}
	if (!dstack_scheduler_push(self->scheduler, self->sender, call_work, self, call_finish, &error))
		call_fail(self, error);
}

static void
call_on_inject_authorized(GObject *source, GAsyncResult *result, gpointer user_data)
{
	DstackCall *self = user_data;
	GError *error = NULL;
	gboolean allowed = dstack_authorize_finish(result, &error);

	dstack_gate_leave(self->gate, self->sender);
	if (allowed)
		call_queue(self);
	else
		call_fail(self, error);
}

static void
call_on_authorized(GObject *source, GAsyncResult *result, gpointer user_data)
{
	DstackCall *self = user_data;
	GError *error = NULL;
	gboolean allowed = dstack_authorize_finish(result, &error);

	if (allowed && self->injects) {
		dstack_authorize_async(self->invocation, DSTACK_ACTION_INJECT, NULL, call_on_inject_authorized, self);
		return;
	}
	dstack_gate_leave(self->gate, self->sender);
	if (allowed)
		call_queue(self);
	else
		call_fail(self, error);
}

static void
call_on_entered(gpointer data, gboolean admitted)
{
	DstackCall *self = data;
	GError *error = NULL;

	if (admitted) {
		dstack_authorize_async(self->invocation, self->action, NULL, call_on_authorized, self);
		return;
	}
	dstack_throw(&error, DSTACK_ERROR_FAILED, "too many requests under way, or the caller has left");
	call_fail(self, error);
}

/* the privilege depends on whether an option is there, so that much is read before anything is allowed */
static gboolean
call_has_inject(GVariant *parameters)
{
	g_autoptr(GVariant) options = NULL;
	g_autoptr(GVariant) value = NULL;

	for (gsize i = 0; i < g_variant_n_children(parameters) && options == NULL; i++) {
		g_autoptr(GVariant) child = g_variant_get_child_value(parameters, i);

		if (g_variant_is_of_type(child, G_VARIANT_TYPE_VARDICT))
			options = g_steal_pointer(&child);
	}
	if (options == NULL || g_variant_n_children(options) > 64)
		return FALSE; /* refused before anything is done */
	value = g_variant_lookup_value(options, "inject", NULL);
	return value != NULL;
}

/**
 * dstack_call_begin:
 * @invocation: (transfer full): the call
 * @fds: (nullable): the descriptors it carries
 * @env: what the service gives to a call
 * @run: the work
 * @limit: the most bytes its arguments may take
 *
 * Asks polkit, waits for a turn, runs, answers.
 */
void
dstack_call_begin(GDBusMethodInvocation *invocation, GUnixFDList *fds, const DstackCallEnv *env, DstackCallRun run,
		  gsize limit)
{
	const gchar *action =
	    dstack_authorize_action_for_method(g_dbus_method_invocation_get_interface_name(invocation),
					       g_dbus_method_invocation_get_method_name(invocation));
	DstackCall *self = g_new0(DstackCall, 1);
	GError *error = NULL;

	self->invocation = invocation;
	self->sender = g_strdup(g_dbus_method_invocation_get_sender(invocation));
	self->fds = fds == NULL ? NULL : g_object_ref(fds);
	self->parameters = g_variant_ref(g_dbus_method_invocation_get_parameters(invocation));
	self->configuration = dstack_configuration_ref(env->configuration);
	self->scheduler = env->scheduler;
	self->gate = env->gate;
	self->done = env->done;
	self->is_here = env->is_here;
	self->user_data = env->user_data;
	self->run = run;
	if (action == NULL) {
		dstack_throw(&error, DSTACK_ERROR_NOT_AUTHORIZED, "no privilege is known for this method");
		call_fail(self, error);
		return;
	}
	if (g_variant_get_size(self->parameters) > limit) {
		dstack_throw(&error, DSTACK_ERROR_INVALID_ARGUMENT,
			     "arguments of %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " accepted",
			     g_variant_get_size(self->parameters), limit);
		call_fail(self, error);
		return;
	}
	self->action = action;
	self->injects = call_has_inject(self->parameters);
	dstack_gate_enter(self->gate, self->sender, call_on_entered, self);
}

/**
 * dstack_call_dup_fd:
 * @self: the call
 * @handle: an index into the message's descriptors
 * @option: the option or argument it came in, for errors
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT when there is no such descriptor
 *
 * Returns: a descriptor to close, -1 on failure
 */
int
dstack_call_dup_fd(const DstackCall *self, gint32 handle, const gchar *option, GError **error)
{
	g_autoptr(GError) why = NULL;
	int fd = -1;

	if (self->fds == NULL || handle < 0 || handle >= g_unix_fd_list_get_length(self->fds)) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s': the message carries no descriptor %d", option,
			     handle);
		return -1;
	}
	fd = g_unix_fd_list_get(self->fds, handle, &why);
	if (fd < 0)
		dstack_throw(error, DSTACK_ERROR_FAILED, "'%s': %s", option, why->message);
	return fd;
}
