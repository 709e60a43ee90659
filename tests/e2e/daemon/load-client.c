/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Many callers at once: each a bus connection of its own that calls and waits, over and over.
 *
 * usage: daemon-load ADDRESS IMAGE CALLERS PREPARES VERIFIES [EVIDENCE COLLATERAL TIME]
 * Prints one JSON object: calls answered, calls lost, wrong answers, latencies in ms, the service's memory in KiB
 * after the first tenth and at the end. Ends with 1 when anything was lost or wrong.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#define SERVICE_NAME "org.dstack.VmmPrep1"
#define SERVICE_PATH "/org/dstack/VmmPrep1"
#define MANAGER	     SERVICE_NAME ".Manager"
#define TIMEOUT_MS   120000

typedef struct {
	const gchar *address;
	const gchar *image;
	const gchar *evidence;
	const gchar *collateral;
	gint64 time;
	gint prepares;	    /* to do, all callers together: taken down by one each */
	gint verifies;
	gint done;
	gint total;
	gint lost;
	gint wrong;
	GMutex lock;
	GArray *latencies; /* of gdouble, ms */
	glong memory_after_tenth;
} Load;

static glong
service_memory_kib(GDBusConnection *connection)
{
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
	    g_variant_new("(s)", SERVICE_NAME), G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
	g_autofree gchar *path = NULL;
	g_autofree gchar *status = NULL;
	const gchar *line = NULL;
	guint32 pid = 0;

	if (reply == NULL)
		return -1;
	g_variant_get(reply, "(u)", &pid);
	path = g_strdup_printf("/proc/%u/status", pid);
	if (!g_file_get_contents(path, &status, NULL, NULL) || (line = strstr(status, "VmRSS:")) == NULL)
		return -1;
	return (glong)g_ascii_strtoll(line + strlen("VmRSS:"), NULL, 10);
}

/* the last caller to finish a tenth of the work looks at the service's memory */
static void
load_note(Load *self, GDBusConnection *connection, gint64 began)
{
	gdouble ms = (gdouble)(g_get_monotonic_time() - began) / 1000.0;
	gint n = g_atomic_int_add(&self->done, 1) + 1;

	if (n == self->total / 10)
		self->memory_after_tenth = service_memory_kib(connection);
	g_mutex_lock(&self->lock);
	g_array_append_val(self->latencies, ms);
	g_mutex_unlock(&self->lock);
}

static void
call_prepare(Load *self, GDBusConnection *connection)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = NULL;
	GVariantBuilder options;
	const gchar *vm_config = NULL;

	g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&options, "{sv}", "memory", g_variant_new_uint64(G_GUINT64_CONSTANT(0x80000000)));
	g_variant_builder_add(&options, "{sv}", "vcpus", g_variant_new_uint32(2));
	g_variant_builder_add(&options, "{sv}", "qemu_version", g_variant_new_string("9.2.1"));
	reply = g_dbus_connection_call_sync(connection, SERVICE_NAME, SERVICE_PATH, MANAGER, "Prepare",
					    g_variant_new("(sa{sv})", self->image, &options), G_VARIANT_TYPE("(sa{sv})"),
					    G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, &error);
	if (reply == NULL) {
		g_printerr("prepare: %s\n", error->message);
		g_atomic_int_inc(&self->lost);
		return;
	}
	g_variant_get_child(reply, 0, "&s", &vm_config);
	if (strstr(vm_config, "\"memory_size\":2147483648") == NULL)
		g_atomic_int_inc(&self->wrong);
}

static void
call_verify(Load *self, GDBusConnection *connection)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = NULL;
	GVariantBuilder options;
	gboolean valid = FALSE;
	int evidence = open(self->evidence, O_RDONLY | O_CLOEXEC);
	int collateral = open(self->collateral, O_RDONLY | O_CLOEXEC);

	(void)g_unix_fd_list_append(fds, evidence, NULL);
	(void)g_unix_fd_list_append(fds, collateral, NULL);
	close(evidence);
	close(collateral);
	g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&options, "{sv}", "collateral", g_variant_new_handle(1));
	g_variant_builder_add(&options, "{sv}", "time", g_variant_new_int64(self->time));
	reply = g_dbus_connection_call_with_unix_fd_list_sync(
	    connection, SERVICE_NAME, SERVICE_PATH, MANAGER, "Verify", g_variant_new("(ha{sv})", 0, &options),
	    G_VARIANT_TYPE("(bs)"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, fds, NULL, NULL, &error);
	if (reply == NULL) {
		g_printerr("verify: %s\n", error->message);
		g_atomic_int_inc(&self->lost);
		return;
	}
	g_variant_get_child(reply, 0, "b", &valid);
	if (!valid)
		g_atomic_int_inc(&self->wrong);
}

/* takes one of what is left to do; prepares and verifications in proportion */
static gboolean
load_step(Load *self, GDBusConnection *connection, guint turn)
{
	gint64 began = g_get_monotonic_time();

	if (turn % 6 == 5 && g_atomic_int_add(&self->verifies, -1) > 0)
		call_verify(self, connection);
	else if (g_atomic_int_add(&self->prepares, -1) > 0)
		call_prepare(self, connection);
	else if (g_atomic_int_add(&self->verifies, -1) > 0)
		call_verify(self, connection);
	else
		return FALSE;
	load_note(self, connection, began);
	return TRUE;
}

static gpointer
caller_run(gpointer data)
{
	Load *self = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection = g_dbus_connection_new_for_address_sync(
	    self->address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
	    NULL, &error);

	if (connection == NULL) {
		g_printerr("caller: %s\n", error->message);
		g_atomic_int_inc(&self->lost);
		return NULL;
	}
	for (guint turn = 0; load_step(self, connection, turn); turn++)
		continue;
	(void)g_dbus_connection_close_sync(connection, NULL, NULL);
	return NULL;
}

static gint
compare_doubles(gconstpointer a, gconstpointer b)
{
	gdouble x = *(const gdouble *)a;
	gdouble y = *(const gdouble *)b;

	return x < y ? -1 : x > y;
}

static gdouble
load_percentile(const Load *self, guint percent)
{
	guint n = self->latencies->len;

	return n == 0 ? 0.0 : g_array_index(self->latencies, gdouble, MIN(n - 1, n * percent / 100));
}

static void
load_print(Load *self, gint64 began)
{
	g_autoptr(GDBusConnection) connection = g_dbus_connection_new_for_address_sync(
	    self->address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
	    NULL, NULL);

	g_array_sort(self->latencies, compare_doubles);
	g_print("{\"answered\":%u,\"lost\":%d,\"wrong\":%d,\"seconds\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
		"\"rss_tenth_kib\":%ld,\"rss_end_kib\":%ld}\n",
		self->latencies->len, self->lost, self->wrong, (gdouble)(g_get_monotonic_time() - began) / 1e6,
		load_percentile(self, 50), load_percentile(self, 99), load_percentile(self, 100), self->memory_after_tenth,
		connection == NULL ? -1 : service_memory_kib(connection));
}

int
main(int argc, char **argv)
{
	Load load = {.latencies = g_array_new(FALSE, FALSE, sizeof(gdouble))};
	g_autoptr(GPtrArray) threads = g_ptr_array_new();
	gint64 began = 0;

	if (argc != 6 && argc != 9) {
		g_printerr("usage: daemon-load ADDRESS IMAGE CALLERS PREPARES VERIFIES [EVIDENCE COLLATERAL TIME]\n");
		return 2;
	}
	g_mutex_init(&load.lock);
	load.address = argv[1];
	load.image = argv[2];
	load.prepares = (gint)g_ascii_strtoll(argv[4], NULL, 10);
	load.verifies = argc == 9 ? (gint)g_ascii_strtoll(argv[5], NULL, 10) : 0;
	load.total = load.prepares + load.verifies;
	if (argc == 9) {
		load.evidence = argv[6];
		load.collateral = argv[7];
		load.time = g_ascii_strtoll(argv[8], NULL, 10);
	}
	began = g_get_monotonic_time();
	for (gint64 i = g_ascii_strtoll(argv[3], NULL, 10); i > 0; i--)
		g_ptr_array_add(threads, g_thread_new("caller", caller_run, &load));
	for (guint i = 0; i < threads->len; i++)
		(void)g_thread_join(g_ptr_array_index(threads, i));
	load_print(&load, began);
	g_array_unref(load.latencies);
	return load.lost == 0 && load.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
