/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * org.dstack.VmmPrep1 on a bus connection: objects, callers, and when to leave.
 */

#include "config.h"

#include "daemon/service.h"

#include "base/error.h"
#include "daemon/authorize.h"
#include "daemon/call.h"
#include "daemon/dbus-generated.h"
#include "daemon/image-objects.h"
#include "daemon/job.h"
#include "daemon/journal.h"
#include "daemon/methods.h"
#include "daemon/reply.h"
#include "daemon/scheduler.h"

#define SERVICE_PATH	       "/org/dstack/VmmPrep1"
#define JOBS_PER_CALLER	       8
#define AUTHORIZING_PER_CALLER 2

struct _DstackService {
	GDBusConnection *connection;
	GDBusObjectManagerServer *objects;
	DstackDbusManager *manager;
	DstackScheduler *scheduler;
	DstackGate *gate;
	DstackJobs *jobs;
	DstackImageObjects *images;
	DstackConfiguration *configuration;
	GHashTable *callers; /* unique name to the id of a watch on it */
	gchar *config_path;
	gchar *cache_dir;
	guint idle_seconds;
	guint idle_timer;
	gboolean stopping; /* the main loop runs on only to let work come to its end */
	GSourceFunc on_leave;
	gpointer user_data;
};

static gboolean
service_is_busy(const DstackService *self)
{
	return dstack_scheduler_n_under_way(self->scheduler) > 0 || dstack_jobs_n_running(self->jobs) > 0 ||
	       dstack_image_objects_are_busy(self->images);
}

static gboolean
service_on_idle_time(gpointer data)
{
	DstackService *self = data;

	if (service_is_busy(self))
		return G_SOURCE_CONTINUE;
	self->idle_timer = 0;
	(void)self->on_leave(self->user_data);
	return G_SOURCE_REMOVE;
}

/* whatever happens puts off the time to leave */
static void
service_touch(DstackService *self)
{
	if (self->idle_seconds == 0)
		return;
	if (self->idle_timer != 0)
		g_source_remove(self->idle_timer);
	self->idle_timer = g_timeout_add_seconds(self->idle_seconds, service_on_idle_time, self);
}

static gboolean
service_on_work_done(gpointer data)
{
	service_touch(data);
	return G_SOURCE_REMOVE;
}

static void
service_on_caller_vanished(GDBusConnection *connection, const gchar *name, gpointer user_data)
{
	DstackService *self = user_data;

	dstack_gate_drop_caller(self->gate, name);
	dstack_scheduler_drop_caller(self->scheduler, name);
	dstack_jobs_cancel_caller(self->jobs, name);
	(void)g_hash_table_remove(self->callers, name);
}

static void
service_watch_caller(DstackService *self, const gchar *name)
{
	guint id = 0;

	if (g_hash_table_contains(self->callers, name))
		return;
	id = g_bus_watch_name_on_connection(self->connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
					    service_on_caller_vanished, self, NULL);
	g_hash_table_insert(self->callers, g_strdup(name), GUINT_TO_POINTER(id));
}

static void
caller_unwatch(gpointer data)
{
	g_bus_unwatch_name(GPOINTER_TO_UINT(data));
}

static gboolean
service_has_caller(const gchar *sender, gpointer user_data)
{
	const DstackService *self = user_data;

	return g_hash_table_contains(self->callers, sender);
}

/* an answered call that is news to others */
static void
service_on_call_done(const DstackCall *call, gpointer user_data)
{
	DstackService *self = user_data;
	const DstackCallEvent *event = &call->event;

	service_touch(self);
	switch (event->kind) {
	case DSTACK_EVENT_NONE:
		break;
	case DSTACK_EVENT_PREPARED:
		dstack_dbus_manager_emit_prepared(self->manager, event->image, event->os_image_hash, event->variant,
						  event->domain);
		dstack_journal_prepared(event->image, event->os_image_hash, event->variant, event->domain,
					call->sender);
		break;
	case DSTACK_EVENT_REFUSED:
		dstack_dbus_manager_emit_refused(self->manager, event->image, event->reason, event->domain);
		dstack_journal_refused(event->image, event->reason, event->domain, call->sender);
		break;
	}
}

/* a call that was on its way when the service gave up its name, or that polkit answers only now */
static gboolean
service_ensure_open(const DstackService *self, GError **error)
{
	if (!self->stopping)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_FAILED, "the service is stopping, ask again");
}

static gboolean
service_begin(DstackService *self, GDBusMethodInvocation *invocation, GUnixFDList *fds, DstackCallRun run, gsize limit)
{
	const DstackCallEnv env = {.configuration = self->configuration,
				   .scheduler = self->scheduler,
				   .gate = self->gate,
				   .done = service_on_call_done,
				   .is_here = service_has_caller,
				   .user_data = self};
	g_autoptr(GError) error = NULL;

	if (!service_ensure_open(self, &error)) {
		dstack_reply_error(invocation, error);
		return TRUE;
	}
	service_touch(self);
	service_watch_caller(self, g_dbus_method_invocation_get_sender(invocation));
	dstack_call_begin(invocation, fds, &env, run, limit);
	return TRUE;
}

static gboolean
on_prepare(DstackDbusManager *manager, GDBusMethodInvocation *invocation, GUnixFDList *fds, const gchar *image,
	   GVariant *options, gpointer user_data)
{
	return service_begin(user_data, invocation, fds, dstack_method_prepare, DSTACK_CALL_SMALL);
}

static gboolean
on_prepare_domain(DstackDbusManager *manager, GDBusMethodInvocation *invocation, GUnixFDList *fds, const gchar *xml,
		  GVariant *options, gpointer user_data)
{
	return service_begin(user_data, invocation, fds, dstack_method_prepare_domain, DSTACK_CALL_DOMAIN);
}

static gboolean
on_verify(DstackDbusManager *manager, GDBusMethodInvocation *invocation, GUnixFDList *fds, GVariant *evidence,
	  GVariant *options, gpointer user_data)
{
	return service_begin(user_data, invocation, fds, dstack_method_verify, DSTACK_CALL_SMALL);
}

static gboolean
on_label_event_log(DstackDbusManager *manager, GDBusMethodInvocation *invocation, GUnixFDList *fds, GVariant *log,
		   gpointer user_data)
{
	return service_begin(user_data, invocation, fds, dstack_method_label_event_log, DSTACK_CALL_SMALL);
}

static gboolean
on_measure(DstackDbusManager *manager, GDBusMethodInvocation *invocation, GUnixFDList *fds, const gchar *image,
	   const gchar *tee, gpointer user_data)
{
	return service_begin(user_data, invocation, fds, dstack_method_measure, DSTACK_CALL_SMALL);
}

static gboolean
on_expect(DstackDbusManager *manager, GDBusMethodInvocation *invocation, const gchar *image, GVariant *options,
	  gpointer user_data)
{
	return service_begin(user_data, invocation, NULL, dstack_method_expect, DSTACK_CALL_SMALL);
}

/* a job for whoever calls, unless that one has too many already */
static DstackJob *
service_start_job(DstackService *self, const gchar *sender, GError **error)
{
	if (dstack_jobs_n_running_of(self->jobs, sender) >= JOBS_PER_CALLER) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "too many jobs under way: at most %d of one caller",
			     JOBS_PER_CALLER);
		return NULL;
	}
	service_touch(self);
	service_watch_caller(self, sender);
	return dstack_jobs_start(self->jobs, sender);
}

static void
on_check_image_authorized(GObject *source, GAsyncResult *result, gpointer user_data)
{
	DstackService *self = user_data;
	GDBusMethodInvocation *invocation = G_DBUS_METHOD_INVOCATION(source);
	g_autoptr(DstackJob) job = NULL;
	g_autoptr(GError) error = NULL;
	const gchar *name = NULL;

	g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&s)", &name);
	if (dstack_authorize_finish(result, &error) && service_ensure_open(self, &error) &&
	    dstack_image_objects_has(self->images, name, &error))
		job = service_start_job(self, g_dbus_method_invocation_get_sender(invocation), &error);
	if (job == NULL) {
		dstack_reply_error(invocation, error);
		return;
	}
	dstack_dbus_manager_complete_check_image(self->manager, invocation, dstack_job_peek_path(job));
	dstack_image_objects_check(self->images, name, job);
}

static gboolean
on_check_image(DstackDbusManager *manager, GDBusMethodInvocation *invocation, const gchar *image, gpointer user_data)
{
	dstack_authorize_async(invocation, DSTACK_ACTION_MANAGE, NULL, on_check_image_authorized, user_data);
	return TRUE;
}

static void
on_rescan_images_authorized(GObject *source, GAsyncResult *result, gpointer user_data)
{
	DstackService *self = user_data;
	GDBusMethodInvocation *invocation = G_DBUS_METHOD_INVOCATION(source);
	g_autoptr(DstackJob) job = NULL;
	g_autoptr(GError) error = NULL;

	if (dstack_authorize_finish(result, &error) && service_ensure_open(self, &error))
		job = service_start_job(self, g_dbus_method_invocation_get_sender(invocation), &error);
	if (job == NULL) {
		dstack_reply_error(invocation, error);
		return;
	}
	dstack_job_set_progress(job, 0, "scan");
	dstack_dbus_manager_complete_rescan_images(self->manager, invocation, dstack_job_peek_path(job));
	dstack_image_objects_rescan(self->images, job);
}

static gboolean
on_rescan_images(DstackDbusManager *manager, GDBusMethodInvocation *invocation, gpointer user_data)
{
	dstack_authorize_async(invocation, DSTACK_ACTION_MANAGE, NULL, on_rescan_images_authorized, user_data);
	return TRUE;
}

static void
service_show_configuration(DstackService *self)
{
	const DstackSettings *settings = self->configuration->settings;

	dstack_dbus_manager_set_version(self->manager, PACKAGE_VERSION);
	dstack_dbus_manager_set_image_directories(self->manager, (const gchar *const *)settings->image_dirs);
	dstack_dbus_manager_set_variant(self->manager, dstack_policy_to_string(settings->policy));
}

static void
service_export_manager(DstackService *self)
{
	static const struct {
		const gchar *signal;
		GCallback handler;
	} handlers[] = {
	    {"handle-prepare", G_CALLBACK(on_prepare)},
	    {"handle-prepare-domain", G_CALLBACK(on_prepare_domain)},
	    {"handle-verify", G_CALLBACK(on_verify)},
	    {"handle-label-event-log", G_CALLBACK(on_label_event_log)},
	    {"handle-measure", G_CALLBACK(on_measure)},
	    {"handle-expect", G_CALLBACK(on_expect)},
	    {"handle-check-image", G_CALLBACK(on_check_image)},
	    {"handle-rescan-images", G_CALLBACK(on_rescan_images)},
	};

	self->manager = dstack_dbus_manager_skeleton_new();
	for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
		g_signal_connect(self->manager, handlers[i].signal, handlers[i].handler, self);
	service_show_configuration(self);
}

/* half of the threads for one caller, so that two hostile ones are needed to slow down a third */
static DstackSchedulerLimits
service_limits(void)
{
	guint threads = MAX(4, 2 * g_get_num_processors());

	return (DstackSchedulerLimits){
	    .threads = threads, .running_per_caller = MAX(1, threads / 4), .waiting_per_caller = 64};
}

/**
 * dstack_service_new:
 * @connection: the bus
 * @options: how to run
 * @on_leave: called when there has been nothing to do for long enough
 * @user_data: for @on_leave
 * @error: (out) (optional): when the configuration is wrong or the objects cannot be exported
 *
 * Returns: (transfer full) (nullable): the service; the name is the caller's to own
 */
DstackService *
dstack_service_new(GDBusConnection *connection, const DstackServiceOptions *options, GSourceFunc on_leave,
		   gpointer user_data, GError **error)
{
	const DstackSchedulerLimits limits = service_limits();
	g_autoptr(DstackConfiguration) configuration =
	    dstack_configuration_load(options->config_path, options->cache_dir, error);
	DstackService *self = NULL;

	if (configuration == NULL)
		return NULL;
	dstack_reply_register_errors();
	self = g_new0(DstackService, 1);
	self->connection = g_object_ref(connection);
	self->configuration = g_steal_pointer(&configuration);
	self->config_path = g_strdup(options->config_path);
	self->cache_dir = g_strdup(options->cache_dir);
	self->idle_seconds = options->idle_seconds;
	self->on_leave = on_leave;
	self->user_data = user_data;
	self->callers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, caller_unwatch);
	self->objects = g_dbus_object_manager_server_new(SERVICE_PATH);
	self->scheduler = dstack_scheduler_new(&limits, service_on_work_done, self);
	self->gate = dstack_gate_new(AUTHORIZING_PER_CALLER, limits.waiting_per_caller);
	self->jobs = dstack_jobs_new(self->objects, service_on_work_done, self);
	self->images = dstack_image_objects_new(self->objects, self->configuration);
	service_export_manager(self);
	g_dbus_object_manager_server_set_connection(self->objects, connection);
	if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->manager), connection, SERVICE_PATH,
					      error)) {
		dstack_service_free(self);
		return NULL;
	}
	service_touch(self);
	return self;
}

/**
 * dstack_service_reload:
 * @self: the service
 * @error: (out) (optional): what is wrong with the new configuration; the old one stays in force
 *
 * Reads the configuration again. Requests under way keep the one they began with.
 *
 * Returns: %TRUE when the new one is in force
 */
gboolean
dstack_service_reload(DstackService *self, GError **error)
{
	DstackConfiguration *configuration = dstack_configuration_load(self->config_path, self->cache_dir, error);

	if (configuration == NULL)
		return FALSE;
	dstack_configuration_unref(self->configuration);
	self->configuration = configuration;
	service_show_configuration(self);
	dstack_image_objects_reconfigure(self->images, configuration);
	return TRUE;
}

void
dstack_service_free(DstackService *self)
{
	if (self == NULL)
		return;
	self->stopping = TRUE;
	/* nobody counts as here any more: what polkit still answers is turned away */
	g_hash_table_remove_all(self->callers);
	dstack_jobs_cancel_all(self->jobs);
	g_clear_pointer(&self->images, dstack_image_objects_free);
	g_clear_pointer(&self->scheduler, dstack_scheduler_free);
	/* last, as nothing runs the main loop from here on */
	g_signal_handlers_disconnect_by_data(self->manager, self);
	g_clear_pointer(&self->gate, dstack_gate_free);
	g_clear_pointer(&self->jobs, dstack_jobs_free);
	if (self->idle_timer != 0)
		g_source_remove(self->idle_timer);
	g_hash_table_unref(self->callers);
	g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(self->manager));
	g_dbus_object_manager_server_set_connection(self->objects, NULL);
	(void)g_dbus_connection_flush_sync(self->connection, NULL, NULL);
	g_object_unref(self->manager);
	g_object_unref(self->objects);
	dstack_configuration_unref(self->configuration);
	g_object_unref(self->connection);
	g_free(self->config_path);
	g_free(self->cache_dir);
	g_free(self);
}
