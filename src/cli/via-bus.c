/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asking the D-Bus service: the connection, the errors, and `prepare`.
 */

#include "config.h"

#include "cli/via-bus.h"

#include <string.h>

#include <gio/gunixfdlist.h>

#include "base/error.h"

#define ERROR_PREFIX  DSTACK_BUS_NAME ".Error."
#define WAIT_FOR_EVER G_MAXINT

/**
 * dstack_via_parse:
 * @via: (nullable): what --via said
 * @out_bus: (out): whether to ask the service
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for anything but "bus"
 *
 * Returns: %TRUE when @via is known, or was not given
 */
gboolean
dstack_via_parse(const gchar *via, gboolean *out_bus, GError **error)
{
	if (via != NULL && !g_str_equal(via, "bus"))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "--via: expected bus, found '%s'", via);
	*out_bus = via != NULL;
	return TRUE;
}

/* the service's error names are our codes; what the bus itself says is a failure of the machine */
static void
throw_remote(GError **error, GError *remote)
{
	g_autofree gchar *name = g_dbus_error_get_remote_error(remote);
	const gchar *suffix = name != NULL && g_str_has_prefix(name, ERROR_PREFIX) ? name + strlen(ERROR_PREFIX) : NULL;

	g_dbus_error_strip_remote_error(remote);
	for (guint code = 0; suffix != NULL && code < DSTACK_N_ERRORS; code++) {
		if (g_str_equal(suffix, dstack_error_to_string((DstackError)code))) {
			dstack_throw(error, (DstackError)code, "%s", remote->message);
			return;
		}
	}
	dstack_throw(error, DSTACK_ERROR_FAILED, "the service %s: %s", DSTACK_BUS_NAME, remote->message);
}

/**
 * dstack_via_bus_connect:
 * @cli: the run
 * @error: (out) (optional): %DSTACK_ERROR_FAILED
 *
 * Returns: (transfer full) (nullable): the system bus, the same connection for as long as somebody holds it
 */
GDBusConnection *
dstack_via_bus_connect(DstackCli *cli, GError **error)
{
	g_autoptr(GError) why = NULL;
	GDBusConnection *connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, cli->cancellable, &why);

	if (connection == NULL)
		dstack_throw(error, DSTACK_ERROR_FAILED, "cannot reach the system bus: %s", why->message);
	return connection;
}

/**
 * dstack_via_bus_call_on:
 * @cli: the run
 * @target: which object and interface
 * @method: a method
 * @arguments: (transfer floating) (nullable): its arguments
 * @reply: the type of its answer
 * @fds: (nullable): descriptors that @arguments name
 * @error: (out) (optional): the service's error, or %DSTACK_ERROR_FAILED
 *
 * The caller may be asked to authenticate.
 *
 * Returns: (transfer full) (nullable): the answer
 */
GVariant *
dstack_via_bus_call_on(DstackCli *cli, const DstackBusTarget *target, const gchar *method, GVariant *arguments,
		       const GVariantType *reply, GUnixFDList *fds, GError **error)
{
	g_autoptr(GVariant) owned = arguments == NULL ? NULL : g_variant_ref_sink(arguments);
	g_autoptr(GDBusConnection) connection = dstack_via_bus_connect(cli, error);
	g_autoptr(GError) remote = NULL;
	GVariant *answer = NULL;

	if (connection == NULL)
		return NULL;
	answer = g_dbus_connection_call_with_unix_fd_list_sync(
	    connection, DSTACK_BUS_NAME, target->path, target->interface, method, owned, reply,
	    G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, WAIT_FOR_EVER, fds, NULL, cli->cancellable, &remote);
	if (answer == NULL)
		throw_remote(error, remote);
	return answer;
}

/**
 * dstack_via_bus_call:
 * @cli: the run
 * @method: a method of the service's manager
 * @arguments: (transfer floating): its arguments
 * @reply: the type of its answer
 * @fds: (nullable): descriptors that @arguments name
 * @error: (out) (optional): the service's error, or %DSTACK_ERROR_FAILED
 *
 * Returns: (transfer full) (nullable): the answer
 */
GVariant *
dstack_via_bus_call(DstackCli *cli, const gchar *method, GVariant *arguments, const GVariantType *reply,
		    GUnixFDList *fds, GError **error)
{
	const DstackBusTarget manager = {DSTACK_BUS_PATH, DSTACK_BUS_NAME ".Manager"};

	return dstack_via_bus_call_on(cli, &manager, method, arguments, reply, fds, error);
}

static void
pack_string(GVariantBuilder *out, const gchar *name, const gchar *value)
{
	if (value != NULL)
		g_variant_builder_add(out, "{sv}", name, g_variant_new_string(value));
}

static void
pack_number(GVariantBuilder *out, const gchar *name, guint32 value)
{
	if (value != 0)
		g_variant_builder_add(out, "{sv}", name, g_variant_new_uint32(value));
}

static void
pack_size(GVariantBuilder *out, const gchar *name, guint64 value)
{
	if (value != 0)
		g_variant_builder_add(out, "{sv}", name, g_variant_new_uint64(value));
}

static void
pack_flag(GVariantBuilder *out, const gchar *name, gboolean value)
{
	if (value)
		g_variant_builder_add(out, "{sv}", name, g_variant_new_boolean(TRUE));
}

static void
pack_switch(GVariantBuilder *out, const gchar *name, DstackSwitch value)
{
	if (value != DSTACK_SWITCH_UNSET)
		g_variant_builder_add(out, "{sv}", name, g_variant_new_boolean(value == DSTACK_SWITCH_ON));
}

/* what the command line did not say is not packed: the service's own defaults are the same */
static void
pack_request(GVariantBuilder *out, const DstackLaunchRequest *request)
{
	if (request->tee != DSTACK_LAUNCH_TEE_UNSET)
		pack_string(out, "tee", dstack_launch_tee_to_string(request->tee));
	if (request->policy != DSTACK_POLICY_UNSET)
		pack_string(out, "variant", dstack_policy_to_string(request->policy));
	if (request->check != DSTACK_CHECK_UNSET)
		pack_string(out, "check", dstack_check_level_to_string(request->check));
	pack_size(out, "memory", request->memory_size);
	pack_number(out, "vcpus", request->cpu_count);
	pack_switch(out, "measure_acpi_tables", request->measure_acpi_tables);
	pack_string(out, "qemu_version", request->qemu_version);
	g_variant_builder_add(out, "{sv}", "nics", g_variant_new_uint32(request->num_nics));
	pack_number(out, "gpus", request->num_gpus);
	pack_number(out, "nvswitches", request->num_nvswitches);
	pack_number(out, "verity_volumes", request->num_verity_volumes);
	pack_flag(out, "swtpm", request->swtpm);
	pack_flag(out, "hugepages", request->hugepages);
	pack_flag(out, "hotplug_off", request->hotplug_off);
	pack_size(out, "pci_hole64", request->pci_hole64_size);
	pack_switch(out, "pic", request->pic);
	pack_switch(out, "single_pass_add_pages", request->single_pass_add_pages);
	pack_string(out, "host_share", request->host_share_mode);
	pack_string(out, "vcpu_type", request->vcpu_type);
	pack_size(out, "guest_features", request->guest_features);
	pack_string(out, "mr_config", request->mr_config);
	if (request->attach != NULL)
		g_variant_builder_add(out, "{sv}", "attach",
				      g_variant_new_strv((const gchar *const *)request->attach, -1));
}

static DstackLaunchResult *
unpack_result(const gchar *image, GVariant *answer, gboolean *out_changed, GError **error)
{
	g_autoptr(DstackLaunchResult) result = g_new0(DstackLaunchResult, 1);
	g_autoptr(GVariant) details = NULL;
	const gchar *variant = "";
	const gchar *tee = "";

	result->image = g_strdup(image);
	g_variant_get(answer, "(s@a{sv})", &result->vm_config, &details);
	(void)g_variant_lookup(details, "reason", "s", &result->reason);
	(void)g_variant_lookup(details, "variant", "&s", &variant);
	result->variant = *variant == '\0' ? NULL : g_strdup(variant);
	if (!g_variant_lookup(details, "warnings", "^as", &result->warnings))
		result->warnings = g_new0(gchar *, 1);
	if (!g_variant_lookup(details, "changed", "b", out_changed))
		*out_changed = FALSE;
	if (!g_variant_lookup(details, "tee", "&s", &tee) || !dstack_launch_tee_parse(tee, &result->tee, error))
		return NULL;
	return g_steal_pointer(&result);
}

/**
 * dstack_via_bus_prepare:
 * @cli: the run
 * @request: what is to be launched; the image by name, an emulator by its version only
 * @share_fd: the directory to inject into, or -1
 * @out_changed: (out): whether the injection changed anything
 * @error: (out) (optional): as dstack_launch_prepare(), and what the bus adds
 *
 * Returns: (transfer full) (nullable): the launch, as far as people and scripts are told
 */
DstackLaunchResult *
dstack_via_bus_prepare(DstackCli *cli, const DstackLaunchRequest *request, int share_fd, gboolean *out_changed,
		       GError **error)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GVariant) answer = NULL;
	GVariantBuilder options;

	if (request->qemu_path != NULL) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
			     "--qemu: the service runs no emulator for others; say its version with --qemu-version");
		return NULL;
	}
	g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
	pack_request(&options, request);
	if (share_fd >= 0) {
		gint handle = g_unix_fd_list_append(fds, share_fd, NULL);

		g_variant_builder_add(&options, "{sv}", "inject", g_variant_new_handle(handle));
	}
	answer = dstack_via_bus_call(cli, "Prepare", g_variant_new("(sa{sv})", request->image, &options),
				     G_VARIANT_TYPE("(sa{sv})"), fds, error);
	return answer == NULL ? NULL : unpack_result(request->image, answer, out_changed, error);
}
