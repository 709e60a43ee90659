/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "daemon/scheduler.h"

#include "dstack/error.h"

/* what the workers of a test share */
typedef struct {
	GMutex lock;
	GCond cond;
	GString *order; /* first letter of each caller, as its work ran */
	gboolean open;	/* workers wait for this */
	guint freed;
} Stage;

typedef struct {
	Stage *stage;
	gchar letter;
	gboolean was_cancelled;
} Piece;

static void
stage_init(Stage *stage, gboolean open)
{
	*stage = (Stage){.open = open, .order = g_string_new(NULL)};
	g_mutex_init(&stage->lock);
	g_cond_init(&stage->cond);
}

static void
stage_clear(Stage *stage)
{
	g_string_free(stage->order, TRUE);
	g_mutex_clear(&stage->lock);
	g_cond_clear(&stage->cond);
}

static void
stage_open(Stage *stage)
{
	g_mutex_lock(&stage->lock);
	stage->open = TRUE;
	g_cond_broadcast(&stage->cond);
	g_mutex_unlock(&stage->lock);
}

static void
piece_work(gpointer data, GCancellable *cancellable)
{
	Piece *piece = data;

	g_mutex_lock(&piece->stage->lock);
	while (!piece->stage->open)
		g_cond_wait(&piece->stage->cond, &piece->stage->lock);
	g_string_append_c(piece->stage->order, piece->letter);
	piece->was_cancelled = g_cancellable_is_cancelled(cancellable);
	g_mutex_unlock(&piece->stage->lock);
}

static void
piece_free(gpointer data)
{
	Piece *piece = data;

	piece->stage->freed++;
	g_free(piece);
}

static gboolean
push(DstackScheduler *scheduler, Stage *stage, const gchar *caller, GError **error)
{
	Piece *piece = g_new0(Piece, 1);

	*piece = (Piece){.stage = stage, .letter = caller[0]};
	if (dstack_scheduler_push(scheduler, caller, piece_work, piece, piece_free, error))
		return TRUE;
	g_free(piece);
	return FALSE;
}

static gboolean
note_idle(gpointer user_data)
{
	(*(guint *)user_data)++;
	return G_SOURCE_REMOVE;
}

static void
run_until_done(DstackScheduler *scheduler)
{
	while (dstack_scheduler_n_under_way(scheduler) > 0)
		(void)g_main_context_iteration(NULL, TRUE);
}

static void
callers_take_turns(void)
{
	const DstackSchedulerLimits limits = {.threads = 1, .running_per_caller = 1, .waiting_per_caller = 10};
	guint idle = 0;
	g_autoptr(DstackScheduler) scheduler = dstack_scheduler_new(&limits, note_idle, &idle);
	Stage stage;

	stage_init(&stage, FALSE);
	for (guint i = 0; i < 4; i++)
		g_assert_true(push(scheduler, &stage, "a", NULL));
	g_assert_true(push(scheduler, &stage, "b", NULL));
	g_assert_true(push(scheduler, &stage, "c", NULL));
	stage_open(&stage);
	run_until_done(scheduler);
	/* the first "a" was running already; after it everybody gets one before "a" gets another */
	g_assert_cmpstr(stage.order->str, ==, "abcaaa");
	g_assert_cmpuint(stage.freed, ==, 6);
	g_assert_cmpuint(idle, ==, 1);
	stage_clear(&stage);
}

static void
one_caller_never_takes_all_threads(void)
{
	const DstackSchedulerLimits limits = {.threads = 4, .running_per_caller = 2, .waiting_per_caller = 100};
	g_autoptr(DstackScheduler) scheduler = dstack_scheduler_new(&limits, NULL, NULL);
	Stage stuck;
	Stage quick;

	stage_init(&stuck, FALSE);
	stage_init(&quick, TRUE);
	for (guint i = 0; i < 20; i++)
		g_assert_true(push(scheduler, &stuck, "hog", NULL));
	g_assert_true(push(scheduler, &quick, "other", NULL));
	while (quick.freed == 0)
		(void)g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(stuck.freed, ==, 0);
	stage_open(&stuck);
	run_until_done(scheduler);
	g_assert_cmpuint(stuck.freed, ==, 20);
	stage_clear(&stuck);
	stage_clear(&quick);
}

static void
refuses_more_than_may_wait(void)
{
	const DstackSchedulerLimits limits = {.threads = 1, .running_per_caller = 1, .waiting_per_caller = 2};
	g_autoptr(DstackScheduler) scheduler = dstack_scheduler_new(&limits, NULL, NULL);
	g_autoptr(GError) error = NULL;
	Stage stage;

	stage_init(&stage, FALSE);
	for (guint i = 0; i < 3; i++)
		g_assert_true(push(scheduler, &stage, "a", NULL));
	g_assert_false(push(scheduler, &stage, "a", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_assert_true(push(scheduler, &stage, "b", NULL));
	stage_open(&stage);
	run_until_done(scheduler);
	g_assert_cmpuint(stage.freed, ==, 4);
	stage_clear(&stage);
}

static void
a_caller_that_leaves_is_forgotten(void)
{
	const DstackSchedulerLimits limits = {.threads = 1, .running_per_caller = 1, .waiting_per_caller = 10};
	guint idle = 0;
	g_autoptr(DstackScheduler) scheduler = dstack_scheduler_new(&limits, note_idle, &idle);
	Stage stage;

	stage_init(&stage, FALSE);
	for (guint i = 0; i < 5; i++)
		g_assert_true(push(scheduler, &stage, "a", NULL));
	g_assert_true(push(scheduler, &stage, "b", NULL));
	dstack_scheduler_drop_caller(scheduler, "a");
	g_assert_cmpuint(stage.freed, ==, 4);
	g_assert_cmpuint(dstack_scheduler_n_under_way(scheduler), ==, 2);
	dstack_scheduler_drop_caller(scheduler, "nobody");
	stage_open(&stage);
	run_until_done(scheduler);
	g_assert_cmpstr(stage.order->str, ==, "ab");
	g_assert_cmpuint(idle, ==, 1);
	stage_clear(&stage);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon/scheduler/callers-take-turns", callers_take_turns);
	g_test_add_func("/daemon/scheduler/one-caller-never-takes-all-threads", one_caller_never_takes_all_threads);
	g_test_add_func("/daemon/scheduler/refuses-more-than-may-wait", refuses_more_than_may_wait);
	g_test_add_func("/daemon/scheduler/a-caller-that-leaves-is-forgotten", a_caller_that_leaves_is_forgotten);
	return g_test_run();
}
