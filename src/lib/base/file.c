/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that others may have prepared: opened once, checked by descriptor. Replacing one: replace.c.
 */

#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/beneath.h"
#include "base/error.h"

#define READ_STEP 65536

/**
 * dstack_dir_open:
 * @path: any path of the operator's; symlinks are followed
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND, %DSTACK_ERROR_FAILED
 *
 * Returns: a descriptor of the directory, or -1
 */
int
dstack_dir_open(const gchar *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		dstack_throw_errno(error, "cannot open directory '%s'", path);
	return fd;
}

/**
 * dstack_file_open_beneath:
 * @dirfd: a directory
 * @name: a name that must resolve below it
 * @out_stat: (out) (optional): fstat() of the descriptor returned
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND, %DSTACK_ERROR_MALFORMED when @name leads out of the directory
 *   or is no regular file, %DSTACK_ERROR_FAILED
 *
 * Returns: a descriptor of a regular file, open for reading, or -1
 */
int
dstack_file_open_beneath(int dirfd, const gchar *name, struct stat *out_stat, GError **error)
{
	DSTACK_AUTO_FD int fd = dstack_open_beneath(dirfd, name);
	struct stat st = {0};

	if (fd < 0 && errno == EXDEV) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s' leads out of its directory", name);
		return -1;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		dstack_throw_errno(error, "cannot open '%s'", name);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s' is not a regular file", name);
		return -1;
	}
	if (out_stat != NULL)
		*out_stat = st;
	return dstack_fd_steal(&fd);
}

/**
 * dstack_file_read_beneath:
 * @dirfd: a directory
 * @name: a name that must resolve below it
 * @max: the largest size accepted
 * @error: (out) (optional): as dstack_file_open_beneath(), and %DSTACK_ERROR_MALFORMED when larger than @max
 *
 * Returns: (transfer full): the whole file, or %NULL
 */
GBytes *
dstack_file_read_beneath(int dirfd, const gchar *name, gsize max, GError **error)
{
	DSTACK_AUTO_FD int fd = dstack_file_open_beneath(dirfd, name, NULL, error);

	if (fd < 0)
		return NULL;
	return dstack_file_read_fd(fd, name, max, error);
}

/* reads at most size bytes; fewer only at the end */
static gboolean
read_full(int fd, guint8 *buffer, gsize size, gsize *out_read, const gchar *what, GError **error)
{
	gsize total = 0;

	while (total < size) {
		ssize_t n = read(fd, buffer + total, size - total);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dstack_throw_errno(error, "cannot read '%s'", what);
		if (n == 0)
			break;
		total += (gsize)n;
	}
	*out_read = total;
	return TRUE;
}

/**
 * dstack_file_read_fd:
 * @fd: a descriptor open for reading, of a file or a pipe
 * @what: its name for errors
 * @max: the largest size accepted
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there is more than @max, %DSTACK_ERROR_FAILED
 *
 * Reads from where the descriptor stands. Memory grows with what has arrived, not with what is announced.
 *
 * Returns: (transfer full): all bytes to the end, or %NULL
 */
GBytes *
dstack_file_read_fd(int fd, const gchar *what, gsize max, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	gsize n = 0;

	do {
		gsize have = bytes->len;

		/* one byte more than allowed shows that there is more */
		gsize step = MIN((gsize)READ_STEP, max - have + 1);

		g_byte_array_set_size(bytes, (guint)(have + step));
		if (!read_full(fd, bytes->data + have, step, &n, what, error))
			return NULL;
		g_byte_array_set_size(bytes, (guint)(have + n));
		if (bytes->len > max) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED,
				     "'%s' is larger than the %" G_GSIZE_FORMAT " bytes accepted", what, max);
			return NULL;
		}
	} while (n > 0);
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/**
 * dstack_file_read_path:
 * @path: a path that the operator named, or "-" for standard input
 * @max: the largest size accepted
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND, %DSTACK_ERROR_MALFORMED when larger, %DSTACK_ERROR_FAILED
 *
 * Returns: (transfer full): the whole file, or %NULL
 */
GBytes *
dstack_file_read_path(const gchar *path, gsize max, GError **error)
{
	DSTACK_AUTO_FD int fd = -1;

	if (g_str_equal(path, "-"))
		return dstack_file_read_fd(STDIN_FILENO, "standard input", max, error);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		dstack_throw_errno(error, "cannot open '%s'", path);
		return NULL;
	}
	return dstack_file_read_fd(fd, path, max, error);
}
