/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One check of one image, on a thread of its own: the library's self-check, as `check` prints it.
 */

#include "config.h"

#include "daemon/image-check.h"

#include "base/error.h"
#include "base/json.h"
#include "measure/check.h"

/* who gets the check when it is done */
typedef struct {
	DstackImageCheckDone done;
	gpointer user_data;
} CheckCallback;

/**
 * dstack_image_check_new:
 * @configuration: says where digests are remembered
 * @name: the image
 * @path: its directory
 * @fingerprint: of the directory as it is now
 * @job: (nullable): who asked
 *
 * Returns: (transfer full): a check that has not started
 */
DstackImageCheck *
dstack_image_check_new(DstackConfiguration *configuration, const gchar *name, const gchar *path,
		       const DstackSha256 *fingerprint, DstackJob *job)
{
	DstackImageCheck *self = g_new0(DstackImageCheck, 1);

	self->configuration = dstack_configuration_ref(configuration);
	self->name = g_strdup(name);
	self->path = g_strdup(path);
	self->fingerprint = *fingerprint;
	self->job = job == NULL ? NULL : dstack_job_ref(job);
	self->cancellable = job == NULL ? g_cancellable_new() : g_object_ref(dstack_job_peek_cancellable(job));
	self->state = "unchecked";
	self->problems = g_new0(gchar *, 1);
	return self;
}

void
dstack_image_check_free(DstackImageCheck *self)
{
	if (self == NULL)
		return;
	dstack_configuration_unref(self->configuration);
	dstack_job_unref(self->job);
	g_object_unref(self->cancellable);
	g_strfreev(self->problems);
	g_clear_error(&self->error);
	g_free(self->name);
	g_free(self->path);
	g_free(self->report);
	g_free(self);
}

static void
check_take_report(DstackImageCheck *self, const DstackCheckReport *report)
{
	g_autoptr(JsonNode) json = dstack_check_report_to_json(report);
	g_autoptr(GStrvBuilder) problems = g_strv_builder_new();

	for (guint i = 0; i < report->problems->len; i++)
		g_strv_builder_add(problems, g_ptr_array_index(report->problems, i));
	g_strfreev(self->problems);
	self->problems = g_strv_builder_end(problems);
	self->report = dstack_json_to_text(json, DSTACK_JSON_COMPACT);
	self->state = report->sound ? "sound" : "unsound";
}

/* an image that cannot even be opened is wrong if its content is, and undecided if the machine is */
static void
check_take_error(DstackImageCheck *self)
{
	g_strfreev(self->problems);
	self->problems = g_new0(gchar *, 2);
	self->problems[0] = g_strdup(self->error->message);
	if (g_error_matches(self->error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED) ||
	    g_error_matches(self->error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND))
		self->state = "unsound";
}

static void
check_on_progress(guint64 done, guint64 total, gpointer user_data)
{
	const DstackImageCheck *self = user_data;

	if (self->job != NULL)
		dstack_job_set_progress(self->job, total == 0 ? 1.0 : (gdouble)done / (gdouble)total, "hashing files");
}

static void
check_run(GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
	DstackImageCheck *self = task_data;
	DstackContext context = dstack_configuration_to_context(self->configuration);
	const DstackCheckOptions options = {
	    .progress = check_on_progress, .user_data = self, .cancellable = self->cancellable};
	g_autoptr(DstackImage) image = dstack_image_open(self->path, &self->error);
	g_autoptr(DstackCheckReport) report = NULL;

	if (image != NULL)
		report = dstack_check_image(image, &context, &options, &self->error);
	if (report != NULL)
		check_take_report(self, report);
	else
		check_take_error(self);
	g_task_return_boolean(task, TRUE);
}

static void
check_on_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autofree CheckCallback *callback = user_data;

	callback->done(g_task_get_task_data(G_TASK(result)), callback->user_data);
}

/**
 * dstack_image_check_start:
 * @self: (transfer full): the check
 * @done: gets the check back, on the main thread
 * @user_data: for @done
 */
void
dstack_image_check_start(DstackImageCheck *self, DstackImageCheckDone done, gpointer user_data)
{
	CheckCallback *callback = g_new0(CheckCallback, 1);
	g_autoptr(GTask) task = NULL;

	*callback = (CheckCallback){.done = done, .user_data = user_data};
	task = g_task_new(NULL, NULL, check_on_done, callback);
	g_task_set_task_data(task, self, NULL);
	g_task_run_in_thread(task, check_run);
}

/**
 * dstack_image_check_finish_job:
 * @self: a check that is done and has a job
 *
 * Tells the job's owner the outcome.
 */
void
dstack_image_check_finish_job(DstackImageCheck *self)
{
	if (self->report != NULL)
		dstack_job_finish(self->job, g_str_equal(self->state, "sound"), self->report);
	else
		dstack_job_fail(self->job, self->error);
}
