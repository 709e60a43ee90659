/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may run when. Each caller has a queue; a free thread takes the next request of the caller
 * whose turn it is and who has not its share of threads busy already. A caller with ten thousand
 * requests waiting thus costs another one no more than the work that is running.
 */

#include "config.h"

#include "daemon/scheduler.h"

#include "base/error.h"

typedef struct {
	gchar *name;
	GQueue waiting; /* of DstackTask */
	GCancellable *cancellable;
	guint running;
	gboolean in_turn; /* stands in the scheduler's queue of turns */
} DstackCaller;

typedef struct {
	DstackScheduler *scheduler;
	DstackCaller *caller;
	GCancellable *cancellable;
	DstackWork work;
	gpointer data;
	GDestroyNotify data_free;
} DstackTask;

struct _DstackScheduler {
	DstackSchedulerLimits limits;
	GMainContext *context;
	GThreadPool *pool;
	GHashTable *callers; /* name to DstackCaller */
	GQueue turns;	     /* callers with something waiting, next first */
	guint running;
	guint waiting;
	GSourceFunc on_idle; /* called when nothing is under way any more */
	gpointer user_data;
};

static void scheduler_dispatch(DstackScheduler *self);

static void
task_free(DstackTask *task)
{
	if (task->data_free != NULL)
		task->data_free(task->data);
	g_object_unref(task->cancellable);
	g_free(task);
}

static void
caller_free(gpointer data)
{
	DstackCaller *caller = data;

	g_queue_clear_full(&caller->waiting, (GDestroyNotify)task_free);
	g_object_unref(caller->cancellable);
	g_free(caller->name);
	g_free(caller);
}

static DstackCaller *
scheduler_get_caller(DstackScheduler *self, const gchar *name)
{
	DstackCaller *caller = g_hash_table_lookup(self->callers, name);

	if (caller != NULL)
		return caller;
	caller = g_new0(DstackCaller, 1);
	caller->name = g_strdup(name);
	caller->cancellable = g_cancellable_new();
	g_queue_init(&caller->waiting);
	g_hash_table_insert(self->callers, caller->name, caller);
	return caller;
}

/* back on the main thread: the work is done, its thread is free */
static gboolean
scheduler_on_task_done(gpointer data)
{
	DstackTask *task = data;
	DstackScheduler *self = task->scheduler;
	DstackCaller *caller = task->caller;

	task_free(task);
	self->running--;
	caller->running--;
	if (caller->running == 0 && g_queue_is_empty(&caller->waiting))
		g_hash_table_remove(self->callers, caller->name);
	else if (!caller->in_turn && !g_queue_is_empty(&caller->waiting)) {
		caller->in_turn = TRUE;
		g_queue_push_tail(&self->turns, caller);
	}
	scheduler_dispatch(self);
	if (dstack_scheduler_n_under_way(self) == 0 && self->on_idle != NULL)
		(void)self->on_idle(self->user_data);
	return G_SOURCE_REMOVE;
}

static void
scheduler_run_task(gpointer data, gpointer user_data)
{
	DstackTask *task = data;
	DstackScheduler *self = user_data;
	g_autoptr(GSource) source = NULL;

	task->work(task->data, task->cancellable);
	/* not g_main_context_invoke(): when the main loop is not running, as between its end and the draining of what
	 * is under way, that would run the callback right here, beside the main thread */
	source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, scheduler_on_task_done, task, NULL);
	(void)g_source_attach(source, self->context);
}

/* gives free threads to the callers in turn */
static void
scheduler_dispatch(DstackScheduler *self)
{
	while (self->running < self->limits.threads && !g_queue_is_empty(&self->turns)) {
		DstackCaller *caller = g_queue_pop_head(&self->turns);
		DstackTask *task = g_queue_pop_head(&caller->waiting);

		caller->in_turn = FALSE;
		self->waiting--;
		self->running++;
		caller->running++;
		if (!g_queue_is_empty(&caller->waiting) && caller->running < self->limits.running_per_caller) {
			caller->in_turn = TRUE;
			g_queue_push_tail(&self->turns, caller);
		}
		(void)g_thread_pool_push(self->pool, task, NULL);
	}
}

/**
 * dstack_scheduler_new:
 * @limits: how much at a time
 * @on_idle: (nullable): called on the main thread when nothing is under way any more
 * @user_data: for @on_idle
 *
 * Returns: (transfer full): a scheduler for the thread-default main context
 */
DstackScheduler *
dstack_scheduler_new(const DstackSchedulerLimits *limits, GSourceFunc on_idle, gpointer user_data)
{
	DstackScheduler *self = g_new0(DstackScheduler, 1);

	self->limits = *limits;
	self->context = g_main_context_ref_thread_default();
	self->pool = g_thread_pool_new(scheduler_run_task, self, (gint)limits->threads, FALSE, NULL);
	self->callers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, caller_free);
	g_queue_init(&self->turns);
	self->on_idle = on_idle;
	self->user_data = user_data;
	return self;
}

/**
 * dstack_scheduler_free:
 * @self: (nullable): the scheduler
 *
 * Cancels everything and waits until the last worker has come back.
 */
void
dstack_scheduler_free(DstackScheduler *self)
{
	if (self == NULL)
		return;
	self->on_idle = NULL;
	dstack_scheduler_drop_all(self);
	while (self->running > 0)
		(void)g_main_context_iteration(self->context, TRUE);
	g_thread_pool_free(self->pool, FALSE, TRUE);
	g_queue_clear(&self->turns);
	g_hash_table_unref(self->callers);
	g_main_context_unref(self->context);
	g_free(self);
}

/**
 * dstack_scheduler_push:
 * @self: the scheduler
 * @caller: whose request this is: a unique bus name
 * @work: what to do on a worker thread
 * @data: for @work; owned by the scheduler from now on, but not on failure
 * @data_free: (nullable): frees @data, on the main thread
 * @error: (out) (optional): %DSTACK_ERROR_FAILED when the caller has too much waiting
 *
 * Returns: %TRUE when the work will run, unless it is dropped before its turn
 */
gboolean
dstack_scheduler_push(DstackScheduler *self, const gchar *caller_name, DstackWork work, gpointer data,
		      GDestroyNotify data_free, GError **error)
{
	DstackCaller *caller = scheduler_get_caller(self, caller_name);
	DstackTask *task = NULL;

	if (g_queue_get_length(&caller->waiting) >= self->limits.waiting_per_caller)
		return dstack_throw(error, DSTACK_ERROR_FAILED,
				    "too many requests under way: at most %u of one caller may wait",
				    self->limits.waiting_per_caller);
	task = g_new0(DstackTask, 1);
	*task = (DstackTask){.scheduler = self,
			     .caller = caller,
			     .cancellable = g_object_ref(caller->cancellable),
			     .work = work,
			     .data = data,
			     .data_free = data_free};
	g_queue_push_tail(&caller->waiting, task);
	self->waiting++;
	if (!caller->in_turn && caller->running < self->limits.running_per_caller) {
		caller->in_turn = TRUE;
		g_queue_push_tail(&self->turns, caller);
	}
	scheduler_dispatch(self);
	return TRUE;
}

static void
scheduler_drop(DstackScheduler *self, DstackCaller *caller)
{
	g_cancellable_cancel(caller->cancellable);
	self->waiting -= g_queue_get_length(&caller->waiting);
	g_queue_clear_full(&caller->waiting, (GDestroyNotify)task_free);
	if (caller->in_turn)
		(void)g_queue_remove(&self->turns, caller);
	caller->in_turn = FALSE;
}

/**
 * dstack_scheduler_drop_caller:
 * @self: the scheduler
 * @caller: who left
 *
 * Forgets what waits of @caller and cancels what runs.
 */
void
dstack_scheduler_drop_caller(DstackScheduler *self, const gchar *caller_name)
{
	DstackCaller *caller = g_hash_table_lookup(self->callers, caller_name);

	if (caller == NULL)
		return;
	scheduler_drop(self, caller);
	if (caller->running == 0)
		g_hash_table_remove(self->callers, caller->name);
}

/**
 * dstack_scheduler_drop_all:
 * @self: the scheduler
 *
 * As dstack_scheduler_drop_caller() for everybody.
 */
void
dstack_scheduler_drop_all(DstackScheduler *self)
{
	GHashTableIter iter;
	gpointer value = NULL;

	g_hash_table_iter_init(&iter, self->callers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		DstackCaller *caller = value;

		scheduler_drop(self, caller);
		if (caller->running == 0)
			g_hash_table_iter_remove(&iter);
	}
}

/**
 * dstack_scheduler_n_under_way:
 * @self: the scheduler
 *
 * Returns: how many requests run or wait
 */
guint
dstack_scheduler_n_under_way(const DstackScheduler *self)
{
	return self->running + self->waiting;
}
