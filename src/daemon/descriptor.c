/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors that callers hand over.
 *
 * Reading: a pipe may never end and a file may stand on a file system that its caller serves, so
 * only files, pipes and sockets are read, none of them on FUSE, for a limited time.
 *
 * Writing: the service creates a file in the caller's directory with its own rights, and a
 * directory descriptor proves none. The caller must be root, or be allowed by the directory's
 * owner, group and mode (POSIX.1-2017, 4.5 "File Access Permissions"); where an access control
 * list says something else besides, only root is.
 */

#include "config.h"

#include "daemon/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"

#define FUSE_MAGIC 0x65735546
#define READ_CHUNK (64 * 1024)

static gboolean
descriptor_ensure_readable(int fd, const gchar *what, GError **error)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return dstack_throw_errno(error, "%s: cannot look at the descriptor", what);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected a file, a pipe or a socket, found mode 0%o", what,
				    st.st_mode & S_IFMT);
	if (S_ISREG(st.st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_MAGIC)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: a file on FUSE may never answer; hand over a pipe or a copy", what);
	return TRUE;
}

/* waits until @fd can be read, the deadline is over, or somebody cancels */
static gboolean
descriptor_wait(int fd, const gchar *what, gint64 deadline_usec, GCancellable *cancellable, GError **error)
{
	GPollFD fds[2] = {{.fd = fd, .events = G_IO_IN}};
	gboolean has_cancel = cancellable != NULL && g_cancellable_make_pollfd(cancellable, &fds[1]);
	gint64 left_ms = (deadline_usec - g_get_monotonic_time()) / 1000;
	gint n = g_poll(fds, has_cancel ? 2 : 1, (gint)CLAMP(left_ms, 0, G_MAXINT));

	if (has_cancel)
		g_cancellable_release_fd(cancellable);
	if (g_cancellable_is_cancelled(cancellable))
		return dstack_throw(error, DSTACK_ERROR_FAILED, "%s: cancelled", what);
	if (n == 0)
		return dstack_throw(error, DSTACK_ERROR_FAILED, "%s: the other end neither sends nor closes", what);
	if (n < 0 && errno != EINTR)
		return dstack_throw_errno(error, "%s: cannot wait for data", what);
	return TRUE;
}

/**
 * dstack_descriptor_read:
 * @fd: the descriptor, borrowed
 * @what: name of the input for errors
 * @max: most bytes accepted
 * @timeout_ms: for how long, all in all
 * @cancellable: (nullable): to stop before
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it holds more than @max bytes,
 *   %DSTACK_ERROR_INVALID_ARGUMENT for something that cannot be read safely, %DSTACK_ERROR_FAILED otherwise
 *
 * Reads from the descriptor's present position to its end.
 *
 * Returns: (transfer full) (nullable): what it holds
 */
GBytes *
dstack_descriptor_read(int fd, const gchar *what, gsize max, guint timeout_ms, GCancellable *cancellable,
		       GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autofree guint8 *chunk = g_malloc(READ_CHUNK);
	gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	if (!descriptor_ensure_readable(fd, what, error))
		return NULL;
	for (;;) {
		gssize n = 0;

		if (!descriptor_wait(fd, what, deadline, cancellable, error))
			return NULL;
		n = read(fd, chunk, READ_CHUNK);
		if (n == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&out));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			dstack_throw_errno(error, "%s: cannot read", what);
			return NULL;
		}
		if ((gsize)n > max - out->len) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: more than %" G_GSIZE_FORMAT " bytes", what,
				     max);
			return NULL;
		}
		g_byte_array_append(out, chunk, (guint)n);
	}
}

static gboolean
credentials_have_group(const DstackCredentials *credentials, gid_t gid)
{
	for (gsize i = 0; i < credentials->n_gids; i++) {
		if (credentials->gids[i] == gid)
			return TRUE;
	}
	return FALSE;
}

/* which of the three rwx triples speaks for the caller */
static mode_t
credentials_pick_bits(const DstackCredentials *credentials, const struct stat *st)
{
	if (credentials->uid == st->st_uid)
		return (st->st_mode >> 6) & 7;
	if (credentials_have_group(credentials, st->st_gid))
		return (st->st_mode >> 3) & 7;
	return st->st_mode & 7;
}

/**
 * dstack_descriptor_ensure_writable_directory:
 * @fd: the descriptor, borrowed
 * @credentials: who hands it over
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT when it is no directory opened for reading,
 *   %DSTACK_ERROR_NOT_AUTHORIZED when the caller could not create a file in it
 *
 * Returns: %TRUE when the caller itself could create files there
 */
gboolean
dstack_descriptor_ensure_writable_directory(int fd, const DstackCredentials *credentials, GError **error)
{
	struct stat st;
	mode_t needed = W_OK | X_OK;

	if (fstat(fd, &st) != 0)
		return dstack_throw_errno(error, "inject: cannot look at the descriptor");
	if (!S_ISDIR(st.st_mode) || (fcntl(fd, F_GETFL) & O_PATH) != 0)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "inject: expected a directory opened for reading");
	if (credentials->uid == 0)
		return TRUE;
	if (fgetxattr(fd, "system.posix_acl_access", NULL, 0) > 0)
		return dstack_throw(error, DSTACK_ERROR_NOT_AUTHORIZED,
				    "inject: the directory has an access control list; only root may inject there");
	if ((credentials_pick_bits(credentials, &st) & needed) == needed &&
	    ((st.st_mode & S_ISVTX) == 0 || credentials->uid == st.st_uid))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_NOT_AUTHORIZED,
			    "inject: user %u may not replace files in this directory (owner %u, group %u, mode 0%o)",
			    credentials->uid, st.st_uid, st.st_gid, st.st_mode & 07777);
}

/**
 * dstack_descriptor_new_sealed:
 * @bytes: the content
 * @name: a name for /proc
 * @error: (out) (optional): %DSTACK_ERROR_FAILED
 *
 * Returns: a descriptor of a file in memory that nobody can change any more, at its start; -1 on failure
 */
int
dstack_descriptor_new_sealed(GBytes *bytes, const gchar *name, GError **error)
{
	DSTACK_AUTO_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	gsize done = 0;

	while (fd >= 0 && done < size) {
		gssize n = write(fd, data + done, size - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (gsize)n : 0;
	}
	if (fd < 0 || done < size || lseek(fd, 0, SEEK_SET) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
		dstack_throw_errno(error, "cannot hand over '%s' in memory", name);
		return -1;
	}
	return dstack_fd_steal(&fd);
}
