/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The images on this host as objects on the bus.
 *
 * The disk is looked through when it reports a change, and every so often in case it does not. An
 * image that is complete and has stopped changing is checked in the background, one at a time. A verdict
 * holds for the fingerprint it was found on: whatever changes afterwards makes the image unchecked again.
 * So no state is kept anywhere else, and a restart finds the truth by itself.
 */

#include "config.h"

#include "daemon/image-objects.h"

#include "base/error.h"
#include "daemon/image-check.h"
#include "daemon/image-snapshot.h"
#include "daemon/journal.h"
#include "image/image.h"

#define IMAGE_PATH_PREFIX "/org/dstack/VmmPrep1/image/"
#define SETTLE_MS	  500	/* a change is looked at when nothing has been reported for so long */
#define REST_SECONDS	  3	/* digests of files younger than this are not remembered: checking waits for it */
#define POLL_MS		  10000 /* and without any report this often */

struct _DstackImageObjects {
	gatomicrefcount refs; /* scans and checks under way hold one */
	GDBusObjectManagerServer *objects;
	DstackConfiguration *configuration;
	GHashTable *images;	 /* name to DstackImageObject */
	GPtrArray *monitors;	 /* of the roots */
	GPtrArray *scan_jobs;	 /* jobs that wait for the next scan */
	GQueue checks;		 /* of DstackImageCheck, waiting */
	DstackImageCheck *check; /* under way */
	gboolean scanning;
	gboolean scan_again; /* something changed during the scan */
	guint settle_timer;
	guint poll_timer;
	gboolean closed;
};

typedef struct {
	DstackImageObjects *owner;
	gchar *name;
	gchar *path;
	gchar *object_path;
	DstackDbusImage *skeleton;
	GFileMonitor *monitor;
	DstackSha256 fingerprint;
	gboolean complete;
	gboolean decided; /* State is a verdict on this fingerprint */
	gboolean queued;  /* a check of our own waits or runs */
} DstackImageObject;

static void images_next_check(DstackImageObjects *self);

static DstackImageObjects *
images_ref(DstackImageObjects *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

static void
images_unref(DstackImageObjects *self)
{
	if (!g_atomic_ref_count_dec(&self->refs))
		return;
	g_hash_table_unref(self->images);
	g_ptr_array_unref(self->monitors);
	g_ptr_array_unref(self->scan_jobs);
	dstack_configuration_unref(self->configuration);
	g_object_unref(self->objects);
	g_free(self);
}

gboolean
dstack_image_objects_are_busy(const DstackImageObjects *self)
{
	return self->scanning || self->check != NULL || self->checks.length > 0;
}

/* [A-Za-z0-9] as it is, anything else as _ and two hex digits; an empty name cannot be */
static gchar *
image_object_path(const gchar *name)
{
	GString *path = g_string_new(IMAGE_PATH_PREFIX);

	for (const gchar *p = name; *p != '\0'; p++) {
		if (g_ascii_isalnum(*p))
			g_string_append_c(path, *p);
		else
			g_string_append_printf(path, "_%02x", (guint8)*p);
	}
	return g_string_free(path, FALSE);
}

static gboolean
images_on_settled(gpointer data)
{
	DstackImageObjects *self = data;

	self->settle_timer = 0;
	dstack_image_objects_rescan(self, NULL);
	return G_SOURCE_REMOVE;
}

static void
images_on_disk_change(GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
	DstackImageObjects *self = data;

	if (self->settle_timer != 0)
		g_source_remove(self->settle_timer);
	self->settle_timer = g_timeout_add(SETTLE_MS, images_on_settled, self);
}

static GFileMonitor *
images_monitor(DstackImageObjects *self, const gchar *path)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	/* no monitor (too many, or a file system without): the poll timer is there for that */
	GFileMonitor *monitor = g_file_monitor_directory(file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);

	if (monitor != NULL)
		g_signal_connect(monitor, "changed", G_CALLBACK(images_on_disk_change), self);
	return monitor;
}

static void
monitor_free(gpointer data)
{
	GFileMonitor *monitor = data;

	(void)g_file_monitor_cancel(monitor);
	g_object_unref(monitor);
}

static void
images_monitor_roots(DstackImageObjects *self)
{
	g_ptr_array_set_size(self->monitors, 0);
	for (gchar **root = self->configuration->settings->image_dirs; *root != NULL; root++) {
		GFileMonitor *monitor = images_monitor(self, *root);

		if (monitor != NULL)
			g_ptr_array_add(self->monitors, monitor);
	}
}

static void
image_object_free(gpointer data)
{
	DstackImageObject *image = data;

	(void)g_dbus_object_manager_server_unexport(image->owner->objects, image->object_path);
	g_clear_pointer(&image->monitor, monitor_free);
	g_object_unref(image->skeleton);
	g_free(image->name);
	g_free(image->path);
	g_free(image->object_path);
	g_free(image);
}

static void
image_object_set_state(DstackImageObject *image, const gchar *state, const gchar *const *problems)
{
	if (!g_str_equal(state, dstack_dbus_image_get_state(image->skeleton)) && !g_str_equal(state, "unchecked"))
		dstack_journal_image(image->name, state, problems[0]);
	dstack_dbus_image_set_state(image->skeleton, state);
	dstack_dbus_image_set_problems(image->skeleton, problems);
}

static void
image_object_show(DstackImageObject *image, const DstackImageSnapshot *snapshot)
{
	const gchar *problems[] = {snapshot->problem, NULL};

	dstack_dbus_image_set_name(image->skeleton, snapshot->name);
	dstack_dbus_image_set_path(image->skeleton, snapshot->path);
	dstack_dbus_image_set_version(image->skeleton, snapshot->version);
	dstack_dbus_image_set_os_image_hash(image->skeleton, snapshot->os_image_hash);
	dstack_dbus_image_set_tees(image->skeleton, (const gchar *const *)snapshot->tees);
	dstack_dbus_image_set_is_dev(image->skeleton, snapshot->is_dev);
	image_object_set_state(image, "unchecked", problems);
}

static DstackImageObject *
images_add(DstackImageObjects *self, const DstackImageSnapshot *snapshot)
{
	DstackImageObject *image = g_new0(DstackImageObject, 1);
	g_autoptr(DstackDbusObjectSkeleton) object = NULL;

	image->owner = self;
	image->name = g_strdup(snapshot->name);
	image->path = g_strdup(snapshot->path);
	image->object_path = image_object_path(snapshot->name);
	image->monitor = images_monitor(self, snapshot->path);
	image->skeleton = dstack_dbus_image_skeleton_new();
	dstack_dbus_image_set_state(image->skeleton, "unchecked");
	image_object_show(image, snapshot);
	object = dstack_dbus_object_skeleton_new(image->object_path);
	dstack_dbus_object_skeleton_set_image(object, image->skeleton);
	g_dbus_object_manager_server_export(self->objects, G_DBUS_OBJECT_SKELETON(object));
	g_hash_table_insert(self->images, image->name, image);
	return image;
}

static void
images_queue_check(DstackImageObjects *self, DstackImageObject *image, DstackJob *job)
{
	g_queue_push_tail(&self->checks, dstack_image_check_new(self->configuration, image->name, image->path,
								&image->fingerprint, job));
	if (job == NULL)
		image->queued = TRUE;
	images_next_check(self);
}

/* at rest, and not even to be opened: no check would say anything else */
static void
image_object_set_broken(DstackImageObject *image, const DstackImageSnapshot *snapshot)
{
	const gchar *problems[] = {snapshot->problem, NULL};

	image->decided = TRUE;
	image_object_set_state(image, "unsound", problems);
}

/* one image as the disk has it now */
static void
images_apply(DstackImageObjects *self, const DstackImageSnapshot *snapshot)
{
	DstackImageObject *image = g_hash_table_lookup(self->images, snapshot->name);
	/* a clock that was set back must not keep an image waiting */
	gboolean at_rest = ABS(g_get_real_time() / G_USEC_PER_SEC - snapshot->last_change) >= REST_SECONDS;
	gboolean settled = FALSE;

	if (image != NULL && !g_str_equal(image->path, snapshot->path)) {
		(void)g_hash_table_remove(self->images, snapshot->name); /* another root's now */
		image = NULL;
	}
	if (image == NULL)
		image = images_add(self, snapshot);
	else
		settled = dstack_sha256_equal(&image->fingerprint, &snapshot->fingerprint);
	image->complete = snapshot->complete;
	image->fingerprint = snapshot->fingerprint;
	if (!settled) {
		image->decided = FALSE;
		image_object_show(image, snapshot);
	}
	settled = settled && at_rest;
	/* once more, to see it at rest */
	if (!settled && !image->decided && self->settle_timer == 0)
		self->settle_timer = g_timeout_add(SETTLE_MS, images_on_settled, self);
	if (settled && image->complete && !image->decided && !image->queued)
		images_queue_check(self, image, NULL);
	if (settled && snapshot->broken)
		image_object_set_broken(image, snapshot);
}

static void
images_remove_vanished(DstackImageObjects *self, GPtrArray *snapshots)
{
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer name = NULL;

	for (guint i = 0; i < snapshots->len; i++)
		g_hash_table_add(there, ((DstackImageSnapshot *)g_ptr_array_index(snapshots, i))->name);
	g_hash_table_iter_init(&iter, self->images);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		if (!g_hash_table_contains(there, name))
			g_hash_table_iter_remove(&iter);
	}
}

static void
images_finish_scan_jobs(DstackImageObjects *self, GPtrArray *jobs, const GError *error)
{
	g_autofree gchar *json = g_strdup_printf("{\"images\":%u}", g_hash_table_size(self->images));

	for (guint i = 0; i < jobs->len; i++) {
		if (error == NULL)
			dstack_job_finish(g_ptr_array_index(jobs, i), TRUE, json);
		else
			dstack_job_fail(g_ptr_array_index(jobs, i), error);
	}
}

static void
images_on_scanned(GObject *source, GAsyncResult *result, gpointer user_data)
{
	DstackImageObjects *self = user_data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) snapshots = g_task_propagate_pointer(G_TASK(result), &error);
	GPtrArray *jobs = g_object_get_data(G_OBJECT(result), "jobs");

	self->scanning = FALSE;
	if (self->closed) {
		images_finish_scan_jobs(self, jobs, error);
	} else {
		for (guint i = 0; snapshots != NULL && i < snapshots->len; i++)
			images_apply(self, g_ptr_array_index(snapshots, i));
		if (snapshots != NULL)
			images_remove_vanished(self, snapshots);
		images_finish_scan_jobs(self, jobs, error);
		if (self->scan_again || self->scan_jobs->len > 0)
			dstack_image_objects_rescan(self, NULL);
	}
	images_unref(self);
}

static void
images_scan_thread(GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
	DstackConfiguration *configuration = task_data;
	GError *error = NULL;
	GPtrArray *snapshots =
	    dstack_image_snapshots_take((const gchar *const *)configuration->settings->image_dirs, &error);

	if (snapshots == NULL)
		g_task_return_error(task, error);
	else
		g_task_return_pointer(task, snapshots, (GDestroyNotify)g_ptr_array_unref);
}

/**
 * dstack_image_objects_rescan:
 * @self: the images
 * @job: (nullable): a job to finish when the disk has been looked through
 *
 * Looks through the disk on a thread of its own; a scan under way is followed by another.
 */
void
dstack_image_objects_rescan(DstackImageObjects *self, DstackJob *job)
{
	g_autoptr(GTask) task = NULL;

	if (job != NULL)
		g_ptr_array_add(self->scan_jobs, dstack_job_ref(job));
	self->scan_again = self->scanning;
	if (self->scanning)
		return;
	self->scanning = TRUE;
	task = g_task_new(NULL, NULL, images_on_scanned, images_ref(self));
	g_task_set_task_data(task, dstack_configuration_ref(self->configuration),
			     (GDestroyNotify)dstack_configuration_unref);
	g_object_set_data_full(G_OBJECT(task), "jobs", g_steal_pointer(&self->scan_jobs),
			       (GDestroyNotify)g_ptr_array_unref);
	self->scan_jobs = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_job_unref);
	g_task_run_in_thread(task, images_scan_thread);
}

/* a verdict is shown if the image still is what was checked; if not, the next scan asks for another */
static void
image_object_conclude(DstackImageObject *image, const DstackImageCheck *check)
{
	if (check->job == NULL)
		image->queued = FALSE;
	if (!dstack_sha256_equal(&image->fingerprint, &check->fingerprint)) {
		dstack_image_objects_rescan(image->owner, NULL);
		return;
	}
	if (g_cancellable_is_cancelled(check->cancellable))
		return;
	image->decided = TRUE;
	image_object_set_state(image, check->state, (const gchar *const *)check->problems);
}

static void
images_on_checked(DstackImageCheck *check, gpointer user_data)
{
	DstackImageObjects *self = user_data;
	DstackImageObject *image = g_hash_table_lookup(self->images, check->name);

	self->check = NULL;
	if (image != NULL)
		image_object_conclude(image, check);
	if (check->job != NULL)
		dstack_image_check_finish_job(check);
	dstack_image_check_free(check);
	if (!self->closed)
		images_next_check(self);
	images_unref(self);
}

static void
images_next_check(DstackImageObjects *self)
{
	if (self->check != NULL || g_queue_is_empty(&self->checks))
		return;
	self->check = g_queue_pop_head(&self->checks);
	dstack_image_check_start(self->check, images_on_checked, images_ref(self));
}

/**
 * dstack_image_objects_has:
 * @self: the images
 * @name: which
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when there is none
 *
 * Returns: %TRUE when there is an image of that name
 */
gboolean
dstack_image_objects_has(const DstackImageObjects *self, const gchar *name, GError **error)
{
	g_autoptr(DstackImage) image = NULL;

	if (g_hash_table_contains(self->images, name))
		return TRUE;
	/* the disk says in its own words why not, unless the image came this very moment */
	image = dstack_image_find((const gchar *const *)self->configuration->settings->image_dirs, name, error);
	return image != NULL &&
	       dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "image '%s' has just appeared, ask again", name);
}

/**
 * dstack_image_objects_check:
 * @self: the images
 * @name: which; it must be there
 * @job: the job that shows progress and gets the report
 *
 * Puts a check into the queue.
 */
void
dstack_image_objects_check(DstackImageObjects *self, const gchar *name, DstackJob *job)
{
	DstackImageObject *image = g_hash_table_lookup(self->images, name);

	g_return_if_fail(image != NULL);
	images_queue_check(self, image, job);
}

static gboolean
images_on_poll(gpointer data)
{
	dstack_image_objects_rescan(data, NULL);
	return G_SOURCE_CONTINUE;
}

/**
 * dstack_image_objects_new:
 * @objects: where images are exported
 * @configuration: says where images are
 *
 * Returns: (transfer full): the images, the first scan under way
 */
DstackImageObjects *
dstack_image_objects_new(GDBusObjectManagerServer *objects, DstackConfiguration *configuration)
{
	DstackImageObjects *self = g_new0(DstackImageObjects, 1);

	g_atomic_ref_count_init(&self->refs);
	self->objects = g_object_ref(objects);
	self->configuration = dstack_configuration_ref(configuration);
	self->images = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, image_object_free);
	self->monitors = g_ptr_array_new_with_free_func(monitor_free);
	self->scan_jobs = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_job_unref);
	g_queue_init(&self->checks);
	images_monitor_roots(self);
	self->poll_timer = g_timeout_add(POLL_MS, images_on_poll, self);
	dstack_image_objects_rescan(self, NULL);
	return self;
}

/**
 * dstack_image_objects_reconfigure:
 * @self: the images
 * @configuration: the new configuration
 *
 * Looks where the new configuration says; images that are still there keep their state.
 */
void
dstack_image_objects_reconfigure(DstackImageObjects *self, DstackConfiguration *configuration)
{
	dstack_configuration_unref(self->configuration);
	self->configuration = dstack_configuration_ref(configuration);
	images_monitor_roots(self);
	dstack_image_objects_rescan(self, NULL);
}

/**
 * dstack_image_objects_free:
 * @self: (nullable): the images
 *
 * Cancels what is under way, waits for it, and takes the objects off the bus.
 */
void
dstack_image_objects_free(DstackImageObjects *self)
{
	if (self == NULL)
		return;
	self->closed = TRUE;
	if (self->settle_timer != 0)
		g_source_remove(self->settle_timer);
	g_source_remove(self->poll_timer);
	g_queue_clear_full(&self->checks, (GDestroyNotify)dstack_image_check_free);
	if (self->check != NULL)
		g_cancellable_cancel(self->check->cancellable);
	while (dstack_image_objects_are_busy(self))
		(void)g_main_context_iteration(NULL, TRUE);
	g_hash_table_remove_all(self->images);
	g_ptr_array_set_size(self->monitors, 0);
	images_unref(self);
}
