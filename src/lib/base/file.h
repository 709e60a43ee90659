/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that others may have prepared: opened once, below a directory, checked by descriptor;
 * and files replaced so that a reader or a crash sees the old one or the new one.
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* opens a directory for *at() calls; @path may be any path of the operator's */
int dstack_dir_open(const gchar *path, GError **error);

/*
 * Opens a regular file below a directory for reading, also through symlinks as long as they stay below it
 * (openat2 with RESOLVE_BENEATH, or a walk that does the same). Never blocks on a FIFO.
 * Returns a descriptor, or -1; out_stat (optional) is the fstat() of that very descriptor.
 */
int dstack_file_open_beneath(int dirfd, const gchar *name, struct stat *out_stat, GError **error);

/* the same, read whole; a larger file than max is an error */
GBytes *dstack_file_read_beneath(int dirfd, const gchar *name, gsize max, GError **error);

/* reads a descriptor to its end (also a pipe), at most max bytes */
GBytes *dstack_file_read_fd(int fd, const gchar *what, gsize max, GError **error);

/* reads a file that the operator named; "-" is standard input */
GBytes *dstack_file_read_path(const gchar *path, gsize max, GError **error);

/*
 * Replaces name in dirfd: temporary file in the same directory, mode and group as given before the
 * name appears, fsync, rename, fsync of the directory. gid (gid_t)-1 leaves the group alone.
 */
gboolean dstack_file_replace_at(int dirfd, const gchar *name, const guint8 *data, gsize size, mode_t mode, gid_t gid,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the same for a file of full_size bytes that begins with data and is zero after it */
gboolean dstack_file_replace_sparse_at(int dirfd, const gchar *name, const guint8 *data, gsize size, guint64 full_size,
				       mode_t mode, gid_t gid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
