/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that others may have prepared, and files replaced so that nobody sees a half of one.
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

static gboolean
write_full(int fd, const guint8 *data, gsize size, const gchar *name, GError **error)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dstack_throw_errno(error, "cannot write '%s'", name);
		data += n;
		size -= (gsize)n;
	}
	return TRUE;
}

static gboolean
write_durable(int fd, const gchar *name, const guint8 *data, gsize size, mode_t mode, gid_t gid, GError **error)
{
	if (!write_full(fd, data, size, name, error))
		return FALSE;
	if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
		return dstack_throw_errno(error, "cannot give '%s' to group %u", name, (guint)gid);
	/* after fchown(), which may clear bits */
	if (fchmod(fd, mode) < 0)
		return dstack_throw_errno(error, "cannot set the mode of '%s'", name);
	if (fsync(fd) < 0)
		return dstack_throw_errno(error, "cannot write '%s' to disk", name);
	return TRUE;
}

static gboolean
rename_durable(int dirfd, const gchar *from, const gchar *to, GError **error)
{
	if (renameat(dirfd, from, dirfd, to) < 0)
		return dstack_throw_errno(error, "cannot replace '%s'", to);
	/* EINVAL: a file system that cannot sync a directory; the rename itself is done */
	if (fsync(dirfd) < 0 && errno != EINVAL)
		return dstack_throw_errno(error, "cannot write the directory of '%s' to disk", to);
	return TRUE;
}

static gboolean
extend(int fd, const gchar *name, guint64 size, GError **error)
{
	if (size > G_MAXINT64)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s' would be too large for a file", name);
	if (ftruncate(fd, (off_t)size) < 0)
		return dstack_throw_errno(error, "cannot give '%s' its size", name);
	return TRUE;
}

/**
 * dstack_file_replace_sparse_at:
 * @dirfd: a directory, open for reading
 * @name: name of the file in it, without a slash
 * @data: (array length=size): its first bytes
 * @size: bytes of @data
 * @full_size: bytes of the file; what lies past @data is zero, and a hole where the file system has holes
 * @mode: its mode, whatever the umask
 * @gid: its group, or (gid_t)-1 to leave that to the system
 * @error: (out) (optional): %DSTACK_ERROR_FAILED
 *
 * As dstack_file_replace_at(), for a disk image that is mostly empty.
 *
 * Returns: %TRUE when the new file is on disk
 */
gboolean
dstack_file_replace_sparse_at(int dirfd, const gchar *name, const guint8 *data, gsize size, guint64 full_size,
			      mode_t mode, gid_t gid, GError **error)
{
	g_autofree gchar *temporary = g_strdup_printf(".%s.%08x", name, g_random_int());
	DSTACK_AUTO_FD int fd = -1;

	if (strchr(name, '/') != NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s' must be a name without '/'", name);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return dstack_throw_errno(error, "cannot create a file beside '%s'", name);
	if (extend(fd, name, full_size, error) && write_durable(fd, name, data, size, mode, gid, error) &&
	    rename_durable(dirfd, temporary, name, error))
		return TRUE;
	(void)unlinkat(dirfd, temporary, 0);
	return FALSE;
}

/**
 * dstack_file_replace_at:
 * @dirfd: a directory, open for reading
 * @name: name of the file in it, without a slash
 * @data: (array length=size): its new contents
 * @size: bytes of @data
 * @mode: its mode, whatever the umask
 * @gid: its group, or (gid_t)-1 to leave that to the system
 * @error: (out) (optional): %DSTACK_ERROR_FAILED
 *
 * A reader, or a crash at any point, sees the old file or the new one. A crash may leave a temporary file named
 * ".NAME." and eight hex digits.
 *
 * Returns: %TRUE when the new file is on disk
 */
gboolean
dstack_file_replace_at(int dirfd, const gchar *name, const guint8 *data, gsize size, mode_t mode, gid_t gid,
		       GError **error)
{
	return dstack_file_replace_sparse_at(dirfd, name, data, size, size, mode, gid, error);
}
