/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Work under way as an object on the bus. Worker threads leave their progress in the job, and a
 * timer on the main thread shows it, so that a fast hash does not flood the bus.
 */

#include "config.h"

#include "daemon/job.h"

#include "daemon/authorize.h"
#include "daemon/reply.h"

#define JOB_PATH_PREFIX	   "/org/dstack/VmmPrep1/job/"
#define JOB_REFRESH_MS	   100
#define JOB_LINGER_SECONDS 60 /* how long a finished job can still be read */

struct _DstackJobs {
	GDBusObjectManagerServer *manager;
	GHashTable *jobs; /* path to DstackJob, running and lingering */
	guint64 last_id;
	guint running;
	GSourceFunc on_idle;
	gpointer user_data;
};

struct _DstackJob {
	gatomicrefcount refs;
	DstackJobs *owner; /* NULL once the service is gone */
	gchar *caller;
	gchar *path;
	DstackDbusJob *skeleton;
	GCancellable *cancellable;
	gboolean finished;
	guint timer;
	GMutex lock; /* of the two below */
	gdouble fraction;
	gchar *stage;
};

DstackJob *
dstack_job_ref(DstackJob *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
dstack_job_unref(DstackJob *self)
{
	if (self == NULL || !g_atomic_ref_count_dec(&self->refs))
		return;
	g_object_unref(self->skeleton);
	g_object_unref(self->cancellable);
	g_mutex_clear(&self->lock);
	g_free(self->stage);
	g_free(self->caller);
	g_free(self->path);
	g_free(self);
}

const gchar *
dstack_job_peek_path(const DstackJob *self)
{
	return self->path;
}

GCancellable *
dstack_job_peek_cancellable(const DstackJob *self)
{
	return self->cancellable;
}

/**
 * dstack_job_set_progress:
 * @self: the job
 * @fraction: from 0 to 1
 * @stage: what is being done
 *
 * Leaves the progress where the main thread finds it. For any thread.
 */
void
dstack_job_set_progress(DstackJob *self, gdouble fraction, const gchar *stage)
{
	g_mutex_lock(&self->lock);
	self->fraction = CLAMP(fraction, 0.0, 1.0);
	if (g_strcmp0(self->stage, stage) != 0) {
		g_free(self->stage);
		self->stage = g_strdup(stage);
	}
	g_mutex_unlock(&self->lock);
}

static gboolean
job_refresh(gpointer data)
{
	DstackJob *self = data;

	g_mutex_lock(&self->lock);
	dstack_dbus_job_set_progress(self->skeleton, self->fraction);
	dstack_dbus_job_set_stage(self->skeleton, self->stage == NULL ? "" : self->stage);
	g_mutex_unlock(&self->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean
job_forget(gpointer data)
{
	DstackJob *self = data;

	self->timer = 0;
	(void)g_dbus_object_manager_server_unexport(self->owner->manager, self->path);
	(void)g_hash_table_remove(self->owner->jobs, self->path);
	return G_SOURCE_REMOVE;
}

static void
job_end(DstackJob *self, const gchar *state, gboolean success, const gchar *result_json)
{
	DstackJobs *owner = self->owner;

	if (self->finished || owner == NULL)
		return;
	self->finished = TRUE;
	g_source_remove(self->timer);
	(void)job_refresh(self);
	if (success)
		dstack_dbus_job_set_progress(self->skeleton, 1.0);
	dstack_dbus_job_set_state(self->skeleton, state);
	dstack_dbus_job_set_result(self->skeleton, result_json);
	g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(self->skeleton));
	dstack_dbus_job_emit_finished(self->skeleton, success, result_json);
	self->timer = g_timeout_add_seconds(JOB_LINGER_SECONDS, job_forget, self);
	owner->running--;
	if (owner->running == 0 && owner->on_idle != NULL)
		(void)owner->on_idle(owner->user_data);
}

/**
 * dstack_job_finish:
 * @self: the job
 * @success: whether the answer is good
 * @result_json: the answer
 *
 * The work is done. A job that was cancelled meanwhile is done all the same: its answer is there.
 */
void
dstack_job_finish(DstackJob *self, gboolean success, const gchar *result_json)
{
	job_end(self, "done", success, result_json);
}

/**
 * dstack_job_fail:
 * @self: the job
 * @error: why there is no answer
 */
void
dstack_job_fail(DstackJob *self, const GError *error)
{
	g_autofree gchar *json = dstack_reply_error_to_json(error);

	job_end(self, g_cancellable_is_cancelled(self->cancellable) ? "cancelled" : "failed", FALSE, json);
}

static void
job_on_cancel_authorized(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(DstackJob) self = user_data;
	GDBusMethodInvocation *invocation = G_DBUS_METHOD_INVOCATION(source);
	g_autoptr(GError) error = NULL;

	if (!dstack_authorize_finish(result, &error)) {
		dstack_reply_error(invocation, error);
		return;
	}
	g_cancellable_cancel(self->cancellable);
	dstack_dbus_job_complete_cancel(self->skeleton, invocation);
}

static gboolean
job_on_cancel(DstackDbusJob *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
	DstackJob *self = user_data;

	if (g_strcmp0(g_dbus_method_invocation_get_sender(invocation), self->caller) == 0) {
		g_cancellable_cancel(self->cancellable);
		dstack_dbus_job_complete_cancel(skeleton, invocation);
		return TRUE;
	}
	dstack_authorize_async(invocation, DSTACK_ACTION_MANAGE, NULL, job_on_cancel_authorized, dstack_job_ref(self));
	return TRUE;
}

/* the jobs' table lets go of a job: its timer and its way back to the table go with it */
static void
job_release(gpointer data)
{
	DstackJob *self = data;

	if (self->timer != 0)
		g_source_remove(self->timer);
	self->timer = 0;
	self->owner = NULL;
	g_signal_handlers_disconnect_by_data(self->skeleton, self);
	dstack_job_unref(self);
}

/**
 * dstack_jobs_new:
 * @manager: where jobs are exported
 * @on_idle: (nullable): called when the last running job ended
 * @user_data: for @on_idle
 *
 * Returns: (transfer full): a table of no jobs
 */
DstackJobs *
dstack_jobs_new(GDBusObjectManagerServer *manager, GSourceFunc on_idle, gpointer user_data)
{
	DstackJobs *self = g_new0(DstackJobs, 1);

	self->manager = g_object_ref(manager);
	self->jobs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, job_release);
	self->on_idle = on_idle;
	self->user_data = user_data;
	return self;
}

void
dstack_jobs_free(DstackJobs *self)
{
	if (self == NULL)
		return;
	dstack_jobs_cancel_all(self);
	g_hash_table_unref(self->jobs);
	g_object_unref(self->manager);
	g_free(self);
}

/**
 * dstack_jobs_start:
 * @self: the jobs
 * @caller: whose job this is
 *
 * Returns: (transfer full): a running job, on the bus already
 */
DstackJob *
dstack_jobs_start(DstackJobs *self, const gchar *caller)
{
	DstackJob *job = g_new0(DstackJob, 1);
	g_autoptr(DstackDbusObjectSkeleton) object = NULL;

	g_atomic_ref_count_init(&job->refs);
	g_mutex_init(&job->lock);
	job->owner = self;
	job->caller = g_strdup(caller);
	job->path = g_strdup_printf(JOB_PATH_PREFIX "%" G_GUINT64_FORMAT, ++self->last_id);
	job->cancellable = g_cancellable_new();
	job->skeleton = dstack_dbus_job_skeleton_new();
	dstack_dbus_job_set_state(job->skeleton, "running");
	dstack_dbus_job_set_stage(job->skeleton, "");
	dstack_dbus_job_set_result(job->skeleton, "");
	g_signal_connect(job->skeleton, "handle-cancel", G_CALLBACK(job_on_cancel), job);
	job->timer = g_timeout_add(JOB_REFRESH_MS, job_refresh, job);

	object = dstack_dbus_object_skeleton_new(job->path);
	dstack_dbus_object_skeleton_set_job(object, job->skeleton);
	g_dbus_object_manager_server_export(self->manager, G_DBUS_OBJECT_SKELETON(object));
	g_hash_table_insert(self->jobs, job->path, dstack_job_ref(job));
	self->running++;
	return job;
}

/**
 * dstack_jobs_cancel_caller:
 * @self: the jobs
 * @caller: who left the bus
 */
void
dstack_jobs_cancel_caller(DstackJobs *self, const gchar *caller)
{
	GHashTableIter iter;
	gpointer value = NULL;

	g_hash_table_iter_init(&iter, self->jobs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		DstackJob *job = value;

		if (caller == NULL || g_str_equal(job->caller, caller))
			g_cancellable_cancel(job->cancellable);
	}
}

void
dstack_jobs_cancel_all(DstackJobs *self)
{
	dstack_jobs_cancel_caller(self, NULL);
}

guint
dstack_jobs_n_running(const DstackJobs *self)
{
	return self->running;
}

/**
 * dstack_jobs_n_running_of:
 * @self: the jobs
 * @caller: a caller
 *
 * Returns: how many of the running jobs are @caller's
 */
guint
dstack_jobs_n_running_of(const DstackJobs *self, const gchar *caller)
{
	GHashTableIter iter;
	gpointer value = NULL;
	guint n = 0;

	g_hash_table_iter_init(&iter, self->jobs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const DstackJob *job = value;

		if (!job->finished && g_str_equal(job->caller, caller))
			n++;
	}
	return n;
}
