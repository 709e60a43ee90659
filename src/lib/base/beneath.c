/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * openat2(2) with RESOLVE_BENEATH where the kernel has it (5.6); otherwise a walk, component by component, that
 * never leaves the directory: it keeps the chain of directories it came through, so ".." goes back along that chain
 * and not wherever the file system says.
 */

#include "config.h"

#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/autoptr.h"

/* as many as the kernel follows */
#define MAX_SYMLINKS 40
/* a rename elsewhere on the machine makes RESOLVE_BENEATH give up now and then */
#define MAX_ATTEMPTS 64

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

typedef struct {
	GArray *dirs; /* (element-type int): the directories entered, none of them the first */
	int root;     /* borrowed */
	gchar *rest;  /* what is still to be resolved */
	guint n_symlinks;
} Walk;

static void
walk_clear(Walk *self)
{
	for (guint i = 0; i < self->dirs->len; i++)
		(void)close(g_array_index(self->dirs, int, i));
	g_array_unref(self->dirs);
	g_free(self->rest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static int
walk_dir(const Walk *self)
{
	return self->dirs->len == 0 ? self->root : g_array_index(self->dirs, int, self->dirs->len - 1);
}

static gboolean
walk_up(Walk *self)
{
	if (self->dirs->len == 0) {
		errno = EXDEV;
		return FALSE;
	}
	(void)close(walk_dir(self));
	g_array_set_size(self->dirs, self->dirs->len - 1);
	return TRUE;
}

/* takes the next component off the front; NULL when none is left */
static gchar *
walk_next(Walk *self, gboolean *out_last)
{
	const gchar *start = self->rest + strspn(self->rest, "/");
	gsize length = strcspn(start, "/");
	gchar *component = length == 0 ? NULL : g_strndup(start, length);
	gchar *rest = g_strdup(start + length);

	g_free(self->rest);
	self->rest = rest;
	*out_last = rest[0] == '\0';
	return component;
}

static gboolean
walk_symlink(Walk *self, const gchar *component)
{
	gchar target[PATH_MAX];
	ssize_t length = readlinkat(walk_dir(self), component, target, sizeof(target) - 1);
	gchar *rest = NULL;

	if (length < 0)
		return FALSE;
	if (length == 0 || target[0] == '/') {
		errno = EXDEV;
		return FALSE;
	}
	if (++self->n_symlinks > MAX_SYMLINKS) {
		errno = ELOOP;
		return FALSE;
	}
	target[length] = '\0';
	rest = g_strconcat(target, self->rest, NULL);
	g_free(self->rest);
	self->rest = rest;
	return TRUE;
}

static gboolean
walk_down(Walk *self, const gchar *component)
{
	int fd = openat(walk_dir(self), component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return FALSE;
	g_array_append_val(self->dirs, fd);
	return TRUE;
}

/* opens the last component itself: O_NOFOLLOW, for a symlink would be resolved by the kernel, wherever it leads */
static int
walk_open(const Walk *self, const gchar *component)
{
	return openat(walk_dir(self), component, OPEN_FLAGS | O_NOFOLLOW);
}

/* one component that is a name: follows it if it is a symlink, else enters it or, at the end, opens it */
static gboolean
walk_name(Walk *self, const gchar *component, gboolean last, int *out_fd)
{
	struct stat st = {0};

	if (fstatat(walk_dir(self), component, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return FALSE;
	if (S_ISLNK(st.st_mode))
		return walk_symlink(self, component);
	if (!last)
		return walk_down(self, component);
	*out_fd = walk_open(self, component);
	return *out_fd >= 0;
}

static gboolean
walk_step(Walk *self, gboolean *out_last, int *out_fd)
{
	g_autofree gchar *component = walk_next(self, out_last);

	if (component == NULL || g_str_equal(component, "."))
		return TRUE;
	if (g_str_equal(component, ".."))
		return walk_up(self);
	return walk_name(self, component, *out_last, out_fd);
}

/**
 * dstack_open_beneath_walk:
 * @dirfd: a directory
 * @name: a relative name
 *
 * What dstack_open_beneath() does where the kernel cannot.
 *
 * Returns: a descriptor, or -1 with `errno` set
 */
int
dstack_open_beneath_walk(int dirfd, const gchar *name)
{
	g_auto(Walk) walk = {g_array_new(FALSE, FALSE, sizeof(int)), dirfd, g_strdup(name), 0};
	gboolean last = FALSE;
	int fd = -1;

	if (name[0] == '/') {
		errno = EXDEV;
		return -1;
	}
	while (fd < 0 && walk.rest[0] != '\0') {
		if (!walk_step(&walk, &last, &fd))
			return -1;
	}
	if (fd < 0)
		errno = EISDIR;
	return fd;
}

static int
open_beneath_kernel(int dirfd, const gchar *name)
{
	struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int fd = -1;

	for (guint i = 0; i < MAX_ATTEMPTS; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/**
 * dstack_open_beneath:
 * @dirfd: a directory
 * @name: a relative name, which may hold directories, ".." and symlinks as long as all stay below @dirfd
 *
 * Opens @name for reading, without waiting for a FIFO's writer. What it is, the caller must ask the descriptor.
 *
 * Returns: a descriptor, or -1 with `errno` set: EXDEV when @name leads out of @dirfd
 */
int
dstack_open_beneath(int dirfd, const gchar *name)
{
	int fd = -1;

	if (name[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	fd = open_beneath_kernel(dirfd, name);
	/* EPERM is what older container runtimes say of system calls they do not know */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return dstack_open_beneath_walk(dirfd, name);
	return fd;
}
