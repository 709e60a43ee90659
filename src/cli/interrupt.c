/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Commands run without a main loop, so the handler only writes a byte, and a thread that waits for it cancels.
 */

#include "config.h"

#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* a handler can reach nothing else */
static int wake_fds[2] = {-1, -1};
static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	int saved = errno;
	const guint8 byte = 0;

	caught = number;
	(void)!write(wake_fds[1], &byte, 1);
	errno = saved;
}

static gpointer
wait_and_cancel(gpointer data)
{
	g_autoptr(GCancellable) cancellable = data;
	guint8 byte = 0;

	while (read(wake_fds[0], &byte, 1) < 0 && errno == EINTR)
		continue;
	g_cancellable_cancel(cancellable);
	return NULL;
}

gboolean
dstack_interrupt_watch(GCancellable *cancellable, GError **error)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	if (pipe2(wake_fds, O_CLOEXEC) < 0)
		return dstack_throw_errno(error, "cannot make a pipe");
	g_thread_unref(g_thread_new("interrupt", wait_and_cancel, g_object_ref(cancellable)));
	sigemptyset(&action.sa_mask);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		struct sigaction old;

		/* who starts us with a signal ignored (nohup) wants it so */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
	return TRUE;
}

void
dstack_interrupt_finish(void)
{
	if (caught != 0)
		(void)raise(caught);
}
