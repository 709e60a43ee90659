/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "daemon/descriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "dstack/error.h"

static void
reads_a_pipe_to_its_end(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) expected = g_bytes_new_static("evidence", 8);
	g_autoptr(GBytes) bytes = NULL;
	int fds[2] = {-1, -1};

	g_assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, &error));
	g_assert_cmpint(write(fds[1], "evidence", 8), ==, 8);
	close(fds[1]);
	bytes = dstack_descriptor_read(fds[0], "evidence", 100, 1000, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(bytes, expected));
	close(fds[0]);
}

static void
a_silent_pipe_runs_into_the_time_limit(void)
{
	g_autoptr(GError) error = NULL;
	int fds[2] = {-1, -1};

	g_assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, NULL));
	g_assert_null(dstack_descriptor_read(fds[0], "evidence", 100, 20, NULL, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	close(fds[0]);
	close(fds[1]);
}

static void
a_cancelled_read_ends_at_once(void)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	int fds[2] = {-1, -1};

	g_assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, NULL));
	g_cancellable_cancel(cancellable);
	g_assert_null(dstack_descriptor_read(fds[0], "evidence", 100, 60000, cancellable, &error));
	g_assert_nonnull(strstr(error->message, "cancelled"));
	close(fds[0]);
	close(fds[1]);
}

static void
refuses_what_is_too_large_or_no_file(void)
{
	g_autoptr(GError) large = NULL;
	g_autoptr(GError) device = NULL;
	g_autoptr(GBytes) content = g_bytes_new_static("0123456789", 10);
	DSTACK_AUTO_FD int fd = dstack_descriptor_new_sealed(content, "test", NULL);
	DSTACK_AUTO_FD int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	g_assert_null(dstack_descriptor_read(fd, "evidence", 9, 1000, NULL, &large));
	g_assert_error(large, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_null(dstack_descriptor_read(zero, "evidence", 9, 1000, NULL, &device));
	g_assert_error(device, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
}

static void
a_sealed_file_cannot_be_changed(void)
{
	g_autoptr(GBytes) content = g_bytes_new_static("0123456789", 10);
	DSTACK_AUTO_FD int fd = dstack_descriptor_new_sealed(content, "test", NULL);
	g_autoptr(GBytes) again = dstack_descriptor_read(fd, "memory", 100, 1000, NULL, NULL);

	g_assert_true(g_bytes_equal(content, again));
	g_assert_cmpint(pwrite(fd, "x", 1, 0), ==, -1);
	g_assert_cmpint(ftruncate(fd, 3), ==, -1);
}

/* modes are checked against made-up users, so the test needs no right to change owners */
static void
a_directory_is_writable_for_whom_its_mode_says(void)
{
	g_autofree gchar *path = g_dir_make_tmp("dstack-XXXXXX", NULL);
	DSTACK_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const guint32 own_group = getegid();
	const guint32 other_group = getegid() + 1;
	const struct {
		mode_t mode;
		guint32 uid;
		const guint32 *gid;
		gboolean allowed;
	} cases[] = {
	    {0700, geteuid(), &other_group, TRUE},	{0500, geteuid() + 1, &other_group, FALSE},
	    {0700, geteuid() + 1, &own_group, FALSE},	{0770, geteuid() + 1, &own_group, TRUE},
	    {0770, geteuid() + 1, &other_group, FALSE}, {0707, geteuid() + 1, &other_group, TRUE},
	    {0707, geteuid() + 1, &own_group, FALSE},	{01777, geteuid() + 1, &other_group, FALSE},
	    {0755, geteuid() + 1, &own_group, FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const DstackCredentials credentials = {.uid = cases[i].uid, .gids = cases[i].gid, .n_gids = 1};
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(fchmod(fd, cases[i].mode), ==, 0);
		g_assert_cmpint(dstack_descriptor_ensure_writable_directory(fd, &credentials, &error), ==,
				cases[i].allowed);
		if (!cases[i].allowed)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_AUTHORIZED);
	}
	g_assert_cmpint(g_rmdir(path), ==, 0);
}

static void
only_an_opened_directory_is_one(void)
{
	const DstackCredentials root = {.uid = 0};
	DSTACK_AUTO_FD int path_only = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	DSTACK_AUTO_FD int device = open("/dev/null", O_RDONLY | O_CLOEXEC);
	g_autoptr(GError) a = NULL;
	g_autoptr(GError) b = NULL;

	g_assert_false(dstack_descriptor_ensure_writable_directory(path_only, &root, &a));
	g_assert_error(a, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_assert_false(dstack_descriptor_ensure_writable_directory(device, &root, &b));
	g_assert_error(b, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon/descriptor/reads-a-pipe-to-its-end", reads_a_pipe_to_its_end);
	g_test_add_func("/daemon/descriptor/a-silent-pipe-runs-into-the-time-limit",
			a_silent_pipe_runs_into_the_time_limit);
	g_test_add_func("/daemon/descriptor/a-cancelled-read-ends-at-once", a_cancelled_read_ends_at_once);
	g_test_add_func("/daemon/descriptor/refuses-what-is-too-large-or-no-file",
			refuses_what_is_too_large_or_no_file);
	g_test_add_func("/daemon/descriptor/a-sealed-file-cannot-be-changed", a_sealed_file_cannot_be_changed);
	g_test_add_func("/daemon/descriptor/a-directory-is-writable-for-whom-its-mode-says",
			a_directory_is_writable_for_whom_its_mode_says);
	g_test_add_func("/daemon/descriptor/only-an-opened-directory-is-one", only_an_opened_directory_is_one);
	return g_test_run();
}
