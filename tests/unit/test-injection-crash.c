/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "launch/injection.h"

/*
 * An injection killed at its n-th system call, for every n until one runs to its end. Whatever the moment, the
 * file is the old one or the new one. The child is traced, so the kill comes between system calls, before and after
 * each one takes effect.
 */
#define OLD_TEXT  "{\"kms_urls\":[\"https://kms\"],\"vm_config\":\"old\"}"
#define NEW_TEXT  "{\"kms_urls\":[\"https://kms\"],\"vm_config\":\"new\"}"
#define STOPS_MAX 2000

static G_NORETURN void
run_child(int dirfd)
{
	/* the parent sees every system call from here on */
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(77);
	(void)raise(SIGSTOP);
	_exit(dstack_inject(dirfd, "new", NULL, NULL, NULL) ? 0 : 1);
}

/* lets the child pass n stops at system calls, then kills it; TRUE when it ended by itself before that */
static gboolean
run_and_kill(pid_t child, guint n, gint *out_status)
{
	gint status = 0;

	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	for (guint i = 0; WIFSTOPPED(status) && i < n; i++) {
		g_assert_cmpint(ptrace(PTRACE_SYSCALL, child, NULL, NULL), ==, 0);
		g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	}
	*out_status = status;
	if (!WIFSTOPPED(status))
		return TRUE;
	g_assert_cmpint(kill(child, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	return FALSE;
}

static void
clear_directory(const gchar *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const gchar *name;

	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *file = g_build_filename(path, name, NULL);

		g_assert_cmpint(g_unlink(file), ==, 0);
	}
}

/* kills it at the n-th stop; TRUE when it came to its end instead */
static gboolean
inject_and_kill(const gchar *dir, int dirfd, gboolean with_old, guint n, guint *seen)
{
	g_autofree gchar *file = g_build_filename(dir, DSTACK_SYS_CONFIG_NAME, NULL);
	g_autofree gchar *text = NULL;
	gboolean ended;
	gint status;
	pid_t child;

	clear_directory(dir);
	if (with_old)
		g_assert_true(g_file_set_contents(file, OLD_TEXT, -1, NULL));
	child = fork();
	g_assert_cmpint(child, >=, 0);
	if (child == 0)
		run_child(dirfd);
	ended = run_and_kill(child, n, &status);
	if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return TRUE;
	if (!g_file_get_contents(file, &text, NULL, NULL)) {
		g_assert_false(with_old);
		seen[0]++;
	} else if (with_old && g_str_equal(text, OLD_TEXT)) {
		seen[0]++;
	} else {
		if (with_old)
			g_assert_cmpstr(text, ==, NEW_TEXT);
		else
			g_assert_nonnull(strstr(text, "\"vm_config\":\"new\"}"));
		seen[1]++;
	}
	if (ended) {
		g_assert_true(WIFEXITED(status));
		g_assert_cmpint(WEXITSTATUS(status), ==, 0);
	}
	return ended;
}

static void
sweep(gboolean with_old)
{
	g_autofree gchar *dir = g_dir_make_tmp("dstack-crash-XXXXXX", NULL);
	DSTACK_AUTO_FD int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	guint seen[2] = {0};
	guint n = 0;

	while (n < STOPS_MAX && !inject_and_kill(dir, dirfd, with_old, n, seen))
		n++;
	g_test_message("%u stops: old file %u times, new file %u times", n, seen[0], seen[1]);
	clear_directory(dir);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
	if (n == 0) {
		g_test_skip("tracing is not allowed here");
		return;
	}
	g_assert_cmpuint(n, <, STOPS_MAX);
	/* a sweep that never met either side has tested nothing */
	g_assert_cmpuint(seen[0], >, 10);
	g_assert_cmpuint(seen[1], >, 1);
}

static void
leaves_the_old_file_or_the_new_one(void)
{
	sweep(TRUE);
}

static void
leaves_no_file_or_the_new_one(void)
{
	sweep(FALSE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/injection-crash/leaves-the-old-file-or-the-new-one", leaves_the_old_file_or_the_new_one);
	g_test_add_func("/injection-crash/leaves-no-file-or-the-new-one", leaves_no_file_or_the_new_one);
	return g_test_run();
}
