/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A bar for long work. It appears after a moment, so that short work shows none.
 */

#include "config.h"

#include "cli/progress.h"

#include <unistd.h>

#include "cli/text.h"

#define FIRST_AFTER  (300 * G_TIME_SPAN_MILLISECOND)
#define REDRAW_AFTER (100 * G_TIME_SPAN_MILLISECOND)
#define BAR	     30

struct _DstackProgress {
	GMutex mutex; /* guards what follows */
	gchar *what;
	gboolean enabled;
	gboolean drawn;
	gint64 next;
};

DstackProgress *
dstack_progress_new(DstackCli *cli, const gchar *what)
{
	DstackProgress *self = g_new0(DstackProgress, 1);

	g_mutex_init(&self->mutex);
	self->what = dstack_text_printable(what, "");
	self->enabled = !cli->quiet && isatty(STDERR_FILENO) == 1 && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
	self->next = g_get_monotonic_time() + FIRST_AFTER;
	return self;
}

void
dstack_progress_free(DstackProgress *self)
{
	if (self == NULL)
		return;
	if (self->drawn)
		g_printerr("\r\033[K");
	g_mutex_clear(&self->mutex);
	g_free(self->what);
	g_free(self);
}

static void
draw(const DstackProgress *self, guint64 done, guint64 total)
{
	gdouble part = total == 0 ? 0.0 : CLAMP((gdouble)done / (gdouble)total, 0.0, 1.0);
	gchar bar[BAR + 1] = {0};

	for (guint i = 0; i < BAR; i++)
		bar[i] = (gdouble)i < part * BAR ? '#' : '.';
	g_printerr("\r%s [%s] %3u%%\033[K", self->what, bar, (guint)(part * 100));
}

void
dstack_progress_update(DstackProgress *self, guint64 done, guint64 total)
{
	g_autoptr(GMutexLocker) locker = NULL;
	gint64 now = 0;

	if (!self->enabled)
		return;
	locker = g_mutex_locker_new(&self->mutex);
	now = g_get_monotonic_time();
	if (now < self->next)
		return;
	self->next = now + REDRAW_AFTER;
	self->drawn = TRUE;
	draw(self, done, total);
}
