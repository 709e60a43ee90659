/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding a domain's share. libvirt.md, "Metadata" (share) and "For hosts without 9p".
 */
#include "config.h"

#include "launch/share.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "launch/fat-disk.h"

void
dstack_share_free(DstackShare *self)
{
	if (self == NULL)
		return;
	g_free(self->dir);
	g_free(self->disk);
	dstack_fd_clear(&self->dirfd);
	g_free(self);
}

static gboolean
is_below(const gchar *path, const gchar *root)
{
	gsize len = strlen(root);

	while (len > 1 && root[len - 1] == '/')
		len--;
	return strncmp(path, root, len) == 0 && (len == 1 || path[len] == '/' || path[len] == '\0');
}

/* by where the descriptor really is, so that no symlink leads out of a root */
gboolean
dstack_share_ensure_allowed(int dirfd, const gchar *path, const DstackSettings *settings, GError **error)
{
	g_autofree gchar *link = g_strdup_printf("/proc/self/fd/%d", dirfd);
	g_autofree gchar *real = NULL;

	if (settings->share_roots[0] == NULL)
		return TRUE;
	real = g_file_read_link(link, NULL);
	for (guint i = 0; real != NULL && settings->share_roots[i] != NULL; i++) {
		if (is_below(real, settings->share_roots[i]))
			return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_REFUSED,
			    "share directory '%s' lies below none of the configured [share] roots", path);
}

static gboolean
is_same_dir(int dirfd, const gchar *path)
{
	struct stat a, b;

	return fstat(dirfd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* a disk without our serial may still be one that we made */
static gboolean
is_our_disk(const gchar *path)
{
	DSTACK_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	guint8 head[DSTACK_FAT_DISK_HEAD];
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) && dstack_fat_disk_is_ours(head, sizeof(head));
}

static gchar *
find_disk(const DstackDomain *domain)
{
	if (domain->share_disk != NULL)
		return g_strdup(domain->share_disk);
	for (guint i = 0; i < domain->disk_files->len; i++) {
		if (is_our_disk(g_ptr_array_index(domain->disk_files, i)))
			return g_strdup(g_ptr_array_index(domain->disk_files, i));
	}
	return NULL;
}

static gboolean
ensure_found(const DstackDomain *domain, const gchar *dir, const gchar *disk, GError **error)
{
	if (dir == NULL)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "share: expected a <filesystem> with target dir='host-shared', or <dstack:share dir> in the "
		    "metadata and a disk with serial " DSTACK_FAT_DISK_LABEL ", found neither");
	if (domain->share_dir == NULL && disk == NULL)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "share: the guest cannot see '%s'; give it a <filesystem> with target dir='host-shared', or "
		    "a disk with serial " DSTACK_FAT_DISK_LABEL,
		    dir);
	return TRUE;
}

DstackShare *
dstack_share_open(const DstackDomain *domain, const DstackSettings *settings, GError **error)
{
	g_autoptr(DstackShare) self = g_new0(DstackShare, 1);
	const gchar *said = domain->metadata.share_dir;
	const gchar *dir = said != NULL ? said : domain->share_dir;

	self->dirfd = -1;
	if (domain->share_dir == NULL)
		self->disk = find_disk(domain);
	if (!ensure_found(domain, dir, self->disk, error))
		return NULL;
	self->dir = g_strdup(dir);
	self->dirfd = dstack_dir_open(dir, error);
	if (self->dirfd < 0) {
		g_prefix_error(error, "share: ");
		return NULL;
	}
	if (said != NULL && domain->share_dir != NULL && !is_same_dir(self->dirfd, domain->share_dir)) {
		dstack_throw(error, DSTACK_ERROR_REFUSED,
			     "share: the metadata says '%s', but the guest sees '%s' as host-shared", said,
			     domain->share_dir);
		return NULL;
	}
	if (!dstack_share_ensure_allowed(self->dirfd, self->dir, settings, error))
		return NULL;
	return g_steal_pointer(&self);
}
