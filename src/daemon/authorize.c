/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may call what. The subject is the caller's name on the bus, never a process id, which
 * another process could have by the time it is looked up. A method that is not in the table is
 * denied. polkit may ask the user only when the caller's message allows it.
 *
 * Interface: polkit 122, org.freedesktop.PolicyKit1.Authority.CheckAuthorization.
 */

#include "config.h"

#include "daemon/authorize.h"

#include "base/error.h"

static const struct {
	const gchar *interface;
	const gchar *method;
	const gchar *action;
} authorizations[] = {
    {"org.dstack.VmmPrep1.Manager", "Prepare", DSTACK_ACTION_PREPARE},
    {"org.dstack.VmmPrep1.Manager", "PrepareDomain", DSTACK_ACTION_PREPARE},
    {"org.dstack.VmmPrep1.Manager", "Verify", DSTACK_ACTION_READ},
    {"org.dstack.VmmPrep1.Manager", "LabelEventLog", DSTACK_ACTION_READ},
    {"org.dstack.VmmPrep1.Manager", "Measure", DSTACK_ACTION_READ},
    {"org.dstack.VmmPrep1.Manager", "Expect", DSTACK_ACTION_READ},
    {"org.dstack.VmmPrep1.Manager", "CheckImage", DSTACK_ACTION_MANAGE},
    {"org.dstack.VmmPrep1.Manager", "RescanImages", DSTACK_ACTION_MANAGE},
    {"org.dstack.VmmPrep1.Job", "Cancel", DSTACK_ACTION_MANAGE},
};

/* without an interactive question polkit answers at once; with one, a person takes time */
#define POLKIT_TIMEOUT_MS	      25000
#define POLKIT_INTERACTIVE_TIMEOUT_MS 300000
#define POLKIT_ALLOW_INTERACTION      1u

/**
 * dstack_authorize_action_for_method:
 * @interface: the D-Bus interface
 * @method: the method
 *
 * Returns: (transfer none) (nullable): the polkit action it needs; %NULL for an unknown method, which is to be denied
 */
const gchar *
dstack_authorize_action_for_method(const gchar *interface, const gchar *method)
{
	for (gsize i = 0; i < G_N_ELEMENTS(authorizations); i++) {
		if (g_str_equal(authorizations[i].interface, interface) &&
		    g_str_equal(authorizations[i].method, method))
			return authorizations[i].action;
	}
	return NULL;
}

static void
authorize_deny(GTask *task, const gchar *why)
{
	g_task_return_new_error(task, DSTACK_ERROR, DSTACK_ERROR_NOT_AUTHORIZED, "%s: %s",
				(const gchar *)g_task_get_task_data(task), why);
}

static void
authorize_on_uid(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GTask) task = user_data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	guint32 uid = G_MAXUINT32;

	if (reply == NULL) {
		authorize_deny(task, error->message);
		return;
	}
	g_variant_get(reply, "(u)", &uid);
	if (uid == 0)
		g_task_return_boolean(task, TRUE);
	else
		authorize_deny(task, "only root may do this on a host without polkit");
}

/* no polkit on this host: everybody may read, root may do the rest */
static void
authorize_without_polkit(GDBusConnection *connection, const gchar *sender, GTask *task)
{
	if (g_str_equal(g_task_get_task_data(task), DSTACK_ACTION_READ)) {
		g_task_return_boolean(task, TRUE);
		return;
	}
	g_dbus_connection_call(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			       "GetConnectionUnixUser", g_variant_new("(s)", sender), G_VARIANT_TYPE("(u)"),
			       G_DBUS_CALL_FLAGS_NONE, -1, g_task_get_cancellable(task), authorize_on_uid,
			       g_object_ref(task));
}

static gboolean
error_means_no_polkit(const GError *error)
{
	return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static void
authorize_on_polkit(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GTask) task = user_data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	gboolean authorized = FALSE;
	gboolean challenge = FALSE;

	if (reply == NULL && error_means_no_polkit(error)) {
		GDBusMethodInvocation *invocation = g_task_get_source_object(task);

		authorize_without_polkit(G_DBUS_CONNECTION(source), g_dbus_method_invocation_get_sender(invocation),
					 task);
		return;
	}
	if (reply == NULL) {
		authorize_deny(task, error->message);
		return;
	}
	g_variant_get(reply, "((bba{ss}))", &authorized, &challenge, NULL);
	if (authorized)
		g_task_return_boolean(task, TRUE);
	else if (challenge)
		authorize_deny(task, "authentication is needed, and the caller does not allow to ask for it");
	else
		authorize_deny(task, "polkit says no");
}

/**
 * dstack_authorize_async:
 * @invocation: the call
 * @action: the polkit action it needs
 * @cancellable: (nullable): cancelled when the caller leaves
 * @callback: called when decided
 * @user_data: for @callback
 *
 * Asks polkit whether the sender of @invocation may do @action.
 */
void
dstack_authorize_async(GDBusMethodInvocation *invocation, const gchar *action, GCancellable *cancellable,
		       GAsyncReadyCallback callback, gpointer user_data)
{
	GTask *task = g_task_new(invocation, cancellable, callback, user_data);
	GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
	gboolean interactive =
	    (g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
	GVariantBuilder subject;

	g_task_set_task_data(task, g_strdup(action), g_free);
	g_variant_builder_init(&subject, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&subject, "{sv}", "name",
			      g_variant_new_string(g_dbus_method_invocation_get_sender(invocation)));
	g_dbus_connection_call(
	    g_dbus_method_invocation_get_connection(invocation), "org.freedesktop.PolicyKit1",
	    "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
	    g_variant_new("((sa{sv})sa{ss}us)", "system-bus-name", &subject, action, NULL,
			  interactive ? POLKIT_ALLOW_INTERACTION : 0u, ""),
	    G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
	    interactive ? POLKIT_INTERACTIVE_TIMEOUT_MS : POLKIT_TIMEOUT_MS, cancellable, authorize_on_polkit, task);
}

/**
 * dstack_authorize_finish:
 * @result: what the callback got
 * @error: (out) (optional): %DSTACK_ERROR_NOT_AUTHORIZED and why not
 *
 * Returns: %TRUE when the caller may
 */
gboolean
dstack_authorize_finish(GAsyncResult *result, GError **error)
{
	return g_task_propagate_boolean(G_TASK(result), error);
}
