/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files replaced so that a reader, or a crash at any point, sees the old one or the new one.
 *
 * A temporary file is locked for as long as somebody writes it. One that can be locked was abandoned by a
 * process that is gone, and the next replacement of the same file takes it away.
 */

#include "config.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"

#define SUFFIX_DIGITS 8 /* ".NAME." and so many hex digits */

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

static gboolean
is_temporary_of(const gchar *entry, const gchar *name)
{
	gsize length = strlen(name);
	const gchar *suffix = NULL;

	if (entry[0] != '.' || strncmp(entry + 1, name, length) != 0 || entry[1 + length] != '.')
		return FALSE;
	suffix = entry + length + 2;
	return strlen(suffix) == SUFFIX_DIGITS && strspn(suffix, "0123456789abcdef") == SUFFIX_DIGITS;
}

static void
remove_if_abandoned(int dirfd_, const gchar *entry)
{
	DSTACK_AUTO_FD int fd = openat(dirfd_, entry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dirfd_, entry, 0);
}

/* best effort: what cannot be cleaned up does not keep the file from being replaced */
static void
remove_abandoned(int dirfd_, const gchar *name)
{
	int fd = openat(dirfd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = NULL;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (is_temporary_of(entry->d_name, name))
			remove_if_abandoned(dirfd_, entry->d_name);
	}
	(void)closedir(dir);
}

/* a new file, locked; another process may have taken it for abandoned just before the lock, so look again */
static int
create_temporary(int dirfd_, const gchar *name, gchar **out_temporary, GError **error)
{
	for (guint tries = 0; tries < 16; tries++) {
		g_autofree gchar *temporary = g_strdup_printf(".%s.%08x", name, g_random_int());
		DSTACK_AUTO_FD int fd = -1;
		struct stat st;

		fd = openat(dirfd_, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0) {
			dstack_throw_errno(error, "cannot create a file beside '%s'", name);
			return -1;
		}
		if (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
			*out_temporary = g_steal_pointer(&temporary);
			return dstack_fd_steal(&fd);
		}
	}
	dstack_throw(error, DSTACK_ERROR_FAILED, "cannot keep a file beside '%s'", name);
	return -1;
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
	g_autofree gchar *temporary = NULL;
	DSTACK_AUTO_FD int fd = -1;

	if (strchr(name, '/') != NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s' must be a name without '/'", name);
	remove_abandoned(dirfd, name);
	fd = create_temporary(dirfd, name, &temporary, error);
	if (fd < 0)
		return FALSE;
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
 * ".NAME." and eight hex digits, which the next replacement takes away.
 *
 * Returns: %TRUE when the new file is on disk
 */
gboolean
dstack_file_replace_at(int dirfd, const gchar *name, const guint8 *data, gsize size, mode_t mode, gid_t gid,
		       GError **error)
{
	return dstack_file_replace_sparse_at(dirfd, name, data, size, size, mode, gid, error);
}
