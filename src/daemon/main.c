/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * dstack-vmm-prepd: finds its bus, owns its name, and leaves when there is nothing to do.
 */

#include "config.h"

#include <locale.h>
#include <stdlib.h>

#include <gio/gio.h>
#include <glib-unix.h>

#include "daemon/service.h"

#define SERVICE_NAME	     "org.dstack.VmmPrep1"
#define DEFAULT_IDLE_SECONDS 120

typedef struct {
	GMainLoop *loop;
	DstackService *service;
	gboolean has_name;
	int status;
} Daemon;

static gboolean
on_stop(gpointer data)
{
	Daemon *self = data;

	g_main_loop_quit(self->loop);
	return G_SOURCE_REMOVE;
}

static gboolean
on_reload(gpointer data)
{
	Daemon *self = data;
	g_autoptr(GError) error = NULL;

	if (!dstack_service_reload(self->service, &error))
		g_message("the old configuration stays in force: %s", error->message);
	return G_SOURCE_CONTINUE;
}

static void
on_name_acquired(GDBusConnection *connection, const gchar *name, gpointer user_data)
{
	((Daemon *)user_data)->has_name = TRUE;
}

/* another instance has it, or the bus went away: either way there is nobody to serve */
static void
on_name_lost(GDBusConnection *connection, const gchar *name, gpointer user_data)
{
	Daemon *self = user_data;

	if (!self->has_name)
		g_message("cannot own the name %s on this bus", name);
	self->status = EXIT_FAILURE;
	g_main_loop_quit(self->loop);
}

static int
daemon_run(GDBusConnection *connection, const DstackServiceOptions *options)
{
	Daemon self = {.loop = g_main_loop_new(NULL, FALSE), .status = EXIT_SUCCESS};
	g_autoptr(GError) error = NULL;
	guint name = 0;

	self.service = dstack_service_new(connection, options, on_stop, &self, &error);
	if (self.service == NULL) {
		g_printerr("dstack-vmm-prepd: %s\n", error->message);
		g_main_loop_unref(self.loop);
		return EXIT_FAILURE;
	}
	g_unix_signal_add(SIGTERM, on_stop, &self);
	g_unix_signal_add(SIGINT, on_stop, &self);
	g_unix_signal_add(SIGHUP, on_reload, &self);
	/* the objects are there before the name is: who finds the name finds them */
	name = g_bus_own_name_on_connection(connection, SERVICE_NAME, G_BUS_NAME_OWNER_FLAGS_NONE, on_name_acquired,
					    on_name_lost, &self, NULL);
	g_main_loop_run(self.loop);
	g_bus_unown_name(name); /* first, so that the next caller starts a new instance */
	dstack_service_free(self.service);
	g_main_loop_unref(self.loop);
	return self.status;
}

int
main(int argc, char **argv)
{
	g_autofree gchar *config = NULL;
	g_autofree gchar *cache_dir = NULL;
	gint idle = DEFAULT_IDLE_SECONDS;
	gboolean session = FALSE;
	gboolean version = FALSE;
	const GOptionEntry entries[] = {
	    {"config", 0, 0, G_OPTION_ARG_FILENAME, &config, "Read this file instead of the host's configuration",
	     "FILE"},
	    {"cache-dir", 0, 0, G_OPTION_ARG_FILENAME, &cache_dir, "Keep digests of checked files here", "DIR"},
	    {"idle", 0, 0, G_OPTION_ARG_INT, &idle, "Leave after so long without work; 0: never (default 120)",
	     "SECONDS"},
	    {"session", 0, 0, G_OPTION_ARG_NONE, &session, "Serve the session bus, for tests", NULL},
	    {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
	    {NULL},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- prepare and verify confidential VMs, on D-Bus");
	g_autoptr(GDBusConnection) connection = NULL;
	g_autoptr(GError) error = NULL;

	setlocale(LC_ALL, "");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1 || idle < 0) {
		g_printerr("dstack-vmm-prepd: %s\n", error != NULL ? error->message
						     : argc > 1	   ? "takes no arguments"
								   : "--idle: a negative time");
		return 2;
	}
	if (version) {
		g_print("dstack-vmm-prepd %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	connection = g_bus_get_sync(session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, &error);
	if (connection == NULL) {
		g_printerr("dstack-vmm-prepd: cannot reach the bus: %s\n", error->message);
		return EXIT_FAILURE;
	}
	g_dbus_connection_set_exit_on_close(connection, FALSE);
	return daemon_run(connection, &(DstackServiceOptions){
					  .config_path = config, .cache_dir = cache_dir, .idle_seconds = (guint)idle});
}
