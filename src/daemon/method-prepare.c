/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Prepare and PrepareDomain: the same launch as the command line's and the hook's.
 */

#include "config.h"

#include "daemon/methods.h"

#include "base/autoptr.h"
#include "base/error.h"
#include "daemon/descriptor.h"
#include "daemon/options.h"
#include "launch/domain-launch.h"
#include "launch/injection.h"
#include "launch/prepare.h"

/* who calls, as the bus says: user and all groups */
static GVariant *
call_get_credentials(const DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    g_dbus_method_invocation_get_connection(call->invocation), "org.freedesktop.DBus", "/org/freedesktop/DBus",
	    "org.freedesktop.DBus", "GetConnectionCredentials",
	    g_variant_new("(s)", g_dbus_method_invocation_get_sender(call->invocation)), G_VARIANT_TYPE("(a{sv})"),
	    G_DBUS_CALL_FLAGS_NONE, -1, cancellable, error);

	return reply == NULL ? NULL : g_variant_get_child_value(reply, 0);
}

/* the caller's directory, if the caller itself may write in it */
static int
call_open_share(const DstackCall *call, gint32 handle, GCancellable *cancellable, GError **error)
{
	DSTACK_AUTO_FD int fd = dstack_call_dup_fd(call, handle, "inject", error);
	DstackCredentials credentials = {.uid = G_MAXUINT32};
	g_autoptr(GVariant) dict = NULL;
	g_autoptr(GVariant) groups = NULL;

	if (fd < 0)
		return -1;
	dict = call_get_credentials(call, cancellable, error);
	if (dict == NULL)
		return -1;
	if (!g_variant_lookup(dict, "UnixUserID", "u", &credentials.uid)) {
		dstack_throw(error, DSTACK_ERROR_NOT_AUTHORIZED, "inject: the bus does not say which user calls");
		return -1;
	}
	groups = g_variant_lookup_value(dict, "UnixGroupIDs", G_VARIANT_TYPE("au"));
	if (groups != NULL)
		credentials.gids = g_variant_get_fixed_array(groups, &credentials.n_gids, sizeof(guint32));
	if (!dstack_descriptor_ensure_writable_directory(fd, &credentials, error))
		return -1;
	return dstack_fd_steal(&fd);
}

static GVariant *
launch_details(const DstackLaunchResult *result, const DstackDomain *domain, gboolean changed)
{
	g_autofree gchar *hash = dstack_sha256_to_hex(&result->os_image_hash);
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&builder, "{sv}", "tee", g_variant_new_string(dstack_launch_tee_to_string(result->tee)));
	g_variant_builder_add(&builder, "{sv}", "variant",
			      g_variant_new_string(result->variant == NULL ? "" : result->variant));
	g_variant_builder_add(&builder, "{sv}", "reason",
			      g_variant_new_string(result->reason == NULL ? "" : result->reason));
	g_variant_builder_add(&builder, "{sv}", "warnings",
			      g_variant_new_strv((const gchar *const *)result->warnings, -1));
	g_variant_builder_add(&builder, "{sv}", "os_image_hash", g_variant_new_string(hash));
	g_variant_builder_add(&builder, "{sv}", "changed", g_variant_new_boolean(changed));
	if (domain != NULL) {
		g_variant_builder_add(&builder, "{sv}", "domain", g_variant_new_string(domain->name));
		g_variant_builder_add(&builder, "{sv}", "image", g_variant_new_string(result->image));
	}
	return g_variant_builder_end(&builder);
}

/* what listeners hear of it: a refusal is the library saying no, not a caller's slip */
static void
call_tell(DstackCall *call, const gchar *image, const gchar *domain, const DstackLaunchResult *result,
	  const GError *error)
{
	DstackCallEvent *event = &call->event;

	event->image = g_strdup(image == NULL ? "" : image);
	event->domain = g_strdup(domain == NULL ? "" : domain);
	if (result != NULL) {
		event->kind = DSTACK_EVENT_PREPARED;
		event->os_image_hash = dstack_sha256_to_hex(&result->os_image_hash);
		event->variant = g_strdup(result->variant == NULL ? "" : result->variant);
	} else if (g_error_matches(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED) ||
		   g_error_matches(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND)) {
		event->kind = DSTACK_EVENT_REFUSED;
		event->reason = g_strdup(error->message);
	}
}

static DstackLaunchResult *
prepare_launch(DstackCall *call, const DstackPrepareOptions *options, gboolean *out_changed, GCancellable *cancellable,
	       GError **error)
{
	DstackContext context = dstack_configuration_to_context(call->configuration);
	g_autoptr(DstackLaunchResult) result = NULL;
	DSTACK_AUTO_FD int share = -1;

	if (options->inject >= 0) {
		share = call_open_share(call, options->inject, cancellable, error);
		if (share < 0)
			return NULL;
	}
	result =
	    dstack_launch_prepare(options->request, call->configuration->settings, &context, share, cancellable, error);
	if (result == NULL)
		return NULL;
	if (share >= 0 && !dstack_inject(share, result->vm_config, result->mr_config, out_changed, error))
		return NULL;
	return g_steal_pointer(&result);
}

/**
 * dstack_method_prepare:
 * @call: the call, with `(sa{sv})`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): as dstack_launch_prepare()
 *
 * Returns: %TRUE when the reply is in the call
 */
gboolean
dstack_method_prepare(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) packed = g_variant_get_child_value(call->parameters, 1);
	g_autoptr(DstackLaunchResult) result = NULL;
	g_auto(DstackPrepareOptions) options = {0};
	g_autoptr(GError) why = NULL;
	const gchar *image = NULL;
	gboolean changed = FALSE;

	g_variant_get_child(call->parameters, 0, "&s", &image);
	if (!dstack_prepare_options_unpack(&options, DSTACK_OPTIONS_PREPARE, image, packed, error))
		return FALSE;
	result = prepare_launch(call, &options, &changed, cancellable, &why);
	call_tell(call, image, options.domain, result, why);
	if (result == NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	call->reply =
	    g_variant_ref_sink(g_variant_new("(s@a{sv})", result->vm_config, launch_details(result, NULL, changed)));
	return TRUE;
}

static DstackLaunchResult *
prepare_domain_launch(DstackCall *call, DstackDomain *domain, const DstackPrepareOptions *options,
		      gboolean *out_changed, GCancellable *cancellable, GError **error)
{
	DstackContext context = dstack_configuration_to_context(call->configuration);
	const DstackDomainEnv env = {.settings = call->configuration->settings,
				     .context = &context,
				     .sysfs = "/sys",
				     .cancellable = cancellable};
	g_autoptr(DstackLaunchResult) result = NULL;
	DSTACK_AUTO_FD int share = -1;

	if (options->request->policy != DSTACK_POLICY_UNSET)
		domain->metadata.policy = options->request->policy;
	if (options->inject >= 0) {
		share = call_open_share(call, options->inject, cancellable, error);
		if (share < 0)
			return NULL;
	}
	result = dstack_domain_launch_prepare(domain, &env, error);
	if (result == NULL)
		return NULL;
	if (share >= 0 && !dstack_inject(share, result->vm_config, result->mr_config, out_changed, error))
		return NULL;
	return g_steal_pointer(&result);
}

/* a domain without our metadata is none of our business: an empty answer */
static gboolean
reply_not_ours(DstackCall *call, const DstackDomain *domain)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&builder, "{sv}", "domain",
			      g_variant_new_string(domain->name == NULL ? "" : domain->name));
	g_variant_builder_add(&builder, "{sv}", "image", g_variant_new_string(""));
	call->reply = g_variant_ref_sink(g_variant_new("(sa{sv})", "", &builder));
	return TRUE;
}

/**
 * dstack_method_prepare_domain:
 * @call: the call, with `(sa{sv})`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): as dstack_domain_parse() and dstack_domain_launch_prepare()
 *
 * Returns: %TRUE when the reply is in the call
 */
gboolean
dstack_method_prepare_domain(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) packed = g_variant_get_child_value(call->parameters, 1);
	g_autoptr(GVariant) xml = g_variant_get_child_value(call->parameters, 0);
	g_autoptr(DstackLaunchResult) result = NULL;
	g_auto(DstackPrepareOptions) options = {0};
	g_autoptr(DstackDomain) domain = NULL;
	g_autoptr(GError) why = NULL;
	gboolean changed = FALSE;
	gsize size = 0;
	const gchar *text = g_variant_get_string(xml, &size);

	if (!dstack_prepare_options_unpack(&options, DSTACK_OPTIONS_PREPARE_DOMAIN, NULL, packed, error))
		return FALSE;
	domain = dstack_domain_parse(text, size, "/sys", error);
	if (domain == NULL)
		return FALSE;
	if (!domain->has_metadata)
		return reply_not_ours(call, domain);
	result = prepare_domain_launch(call, domain, &options, &changed, cancellable, &why);
	call_tell(call, domain->metadata.image, domain->name, result, why);
	if (result == NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	call->reply =
	    g_variant_ref_sink(g_variant_new("(s@a{sv})", result->vm_config, launch_details(result, domain, changed)));
	return TRUE;
}
