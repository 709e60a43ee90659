/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Errors as they leave on the bus: org.dstack.VmmPrep1.Error.NAME, for every code of the library.
 */

#include "config.h"

#include "daemon/reply.h"

#include "base/error.h"
#include "base/json.h"

static const GDBusErrorEntry error_entries[] = {
    {DSTACK_ERROR_NOT_FOUND, "org.dstack.VmmPrep1.Error.NotFound"},
    {DSTACK_ERROR_MALFORMED, "org.dstack.VmmPrep1.Error.Malformed"},
    {DSTACK_ERROR_UNSOUND, "org.dstack.VmmPrep1.Error.Unsound"},
    {DSTACK_ERROR_REFUSED, "org.dstack.VmmPrep1.Error.Refused"},
    {DSTACK_ERROR_NOT_AUTHORIZED, "org.dstack.VmmPrep1.Error.NotAuthorized"},
    {DSTACK_ERROR_INVALID_ARGUMENT, "org.dstack.VmmPrep1.Error.InvalidArgument"},
    {DSTACK_ERROR_FAILED, "org.dstack.VmmPrep1.Error.Failed"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(error_entries) == DSTACK_N_ERRORS);

/**
 * dstack_reply_register_errors:
 *
 * Tells GDBus the names of our errors. Once, before the first reply.
 */
void
dstack_reply_register_errors(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(error_entries); i++) {
		(void)g_dbus_error_register_error(DSTACK_ERROR, error_entries[i].error_code,
						  error_entries[i].dbus_error_name);
	}
}

/* an error of another domain (I/O, cancellation) is ours to name too */
static GError *
reply_own_error(const GError *error)
{
	if (error->domain == DSTACK_ERROR)
		return g_error_copy(error);
	return g_error_new_literal(DSTACK_ERROR, DSTACK_ERROR_FAILED, error->message);
}

/**
 * dstack_reply_error:
 * @invocation: (transfer full): the call to answer
 * @error: why not
 *
 * Answers with the error's name on the bus.
 */
void
dstack_reply_error(GDBusMethodInvocation *invocation, const GError *error)
{
	g_autoptr(GError) own = reply_own_error(error);

	g_dbus_method_invocation_return_gerror(invocation, own);
}

/**
 * dstack_reply_error_to_json:
 * @error: an error
 *
 * Returns: (transfer full): `{"error":{"code":…,"message":…}}`, as the command line prints with `--json`
 */
gchar *
dstack_reply_error_to_json(const GError *error)
{
	g_autoptr(GError) own = reply_own_error(error);
	g_autoptr(JsonNode) root = json_node_alloc();
	JsonObject *object = json_object_new();
	JsonObject *inner = json_object_new();

	json_object_set_string_member(inner, "code", dstack_error_to_string((DstackError)own->code));
	json_object_set_string_member(inner, "message", own->message);
	json_object_set_object_member(object, "error", inner);
	json_node_init_object(root, object);
	json_object_unref(object);
	return dstack_json_to_text(root, DSTACK_JSON_COMPACT);
}
