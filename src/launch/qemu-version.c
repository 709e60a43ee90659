/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * `EMULATOR --version`, with a time limit and no descriptor of ours. libvirt.md: `qemu_version`.
 */
#include "config.h"

#include "launch/qemu-version.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>

#include "base/autoptr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "launch/request.h"

#define ASK_SECONDS 2	 /* QEMU prints its version in 20 ms */
#define OUTPUT_MAX  4096 /* two lines */
#define CACHE_ENTRY "dstack-vmm-prep qemu-version 1"
#define CACHE_MAX   1024
#define PART_MAX    9999
#define EXCERPT_MAX 60 /* of what somebody else's program printed, for a message */

/* one decimal part of a version; leading zeros are no version */
static const gchar *
scan_part(const gchar *p, guint *out)
{
	guint value = 0;

	if (!g_ascii_isdigit(*p) || (*p == '0' && g_ascii_isdigit(p[1])))
		return NULL;
	for (; g_ascii_isdigit(*p); p++) {
		value = value * 10 + (guint)(*p - '0');
		if (value > PART_MAX)
			return NULL;
	}
	*out = value;
	return p;
}

static const gchar *
scan_version(const gchar *p, guint *parts)
{
	for (guint i = 0; i < 3 && p != NULL; i++) {
		if (i > 0 && *p++ != '.')
			return NULL;
		p = scan_part(p, &parts[i]);
	}
	return p;
}

gboolean
dstack_qemu_version_parse(const gchar *text, guint *out_major, guint *out_minor, guint *out_micro, GError **error)
{
	guint parts[3] = {0};
	const gchar *end = scan_version(text, parts);

	if (end == NULL || *end != '\0')
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "qemu version: expected X.Y.Z, found '%s'",
				    text);
	*out_major = parts[0];
	*out_minor = parts[1];
	*out_micro = parts[2];
	return TRUE;
}

gchar *
dstack_qemu_version_scan(const gchar *output, GError **error)
{
	static const gchar marker[] = " version ";
	const gchar *at = strstr(output, marker);
	guint parts[3] = {0};
	const gchar *end = at != NULL ? scan_version(at + strlen(marker), parts) : NULL;

	if (end != NULL && !g_ascii_isdigit(*end) && *end != '.')
		return g_strdup_printf("%u.%u.%u", parts[0], parts[1], parts[2]);
	dstack_throw(error, DSTACK_ERROR_FAILED, "expected '... version X.Y.Z', found '%.*s'",
		     (int)MIN(strcspn(output, "\r\n"), EXCERPT_MAX), output);
	return NULL;
}

/* reads to the end or to the time limit, whichever is first */
static gboolean
read_output(int fd, const gchar *path, gint64 until, GCancellable *cancellable, GString *out, GError **error)
{
	gchar buffer[512];

	while (out->len < OUTPUT_MAX) {
		gint64 left = (until - g_get_monotonic_time()) / 1000;
		struct pollfd polled = {fd, POLLIN, 0};
		gssize n;

		if (left <= 0 || g_cancellable_is_cancelled(cancellable))
			return dstack_throw(error, DSTACK_ERROR_FAILED, "'%s --version' did not answer within %d s",
					    path, ASK_SECONDS);
		if (poll(&polled, 1, (int)MIN(left, 50)) <= 0)
			continue;
		n = read(fd, buffer, sizeof(buffer));
		if (n == 0)
			return TRUE;
		if (n > 0)
			g_string_append_len(out, buffer, n);
		else if (errno != EINTR && errno != EAGAIN)
			return dstack_throw_errno(error, "cannot read from '%s --version'", path);
	}
	return TRUE;
}

/* who asks runs the program with his own rights, so nobody else may have written it; a script counts too */
static int
open_emulator(const gchar *path, struct stat *st, GError **error)
{
	DSTACK_AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0) {
		dstack_throw_errno(error, "emulator '%s'", path);
		return -1;
	}
	if (!S_ISREG(st->st_mode) || (st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & 022) != 0) {
		dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "emulator '%s': expected a program that only root or user %u can write, found owner %u, mode "
		    "0%o",
		    path, geteuid(), st->st_uid, st->st_mode & 07777);
		return -1;
	}
	return dstack_fd_steal(&fd);
}

/* the program that was looked at is the one that runs: by descriptor, not by name */
static gchar *
run_emulator(int program, const gchar *path, GCancellable *cancellable, GError **error)
{
	gchar locale[] = "LC_ALL=C";
	gchar search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	gchar *environment[] = {locale, search, NULL};
	const gchar *const argv[] = {"/proc/self/fd/3", "--version", NULL};
	g_autoptr(GSubprocessLauncher) launcher =
	    g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	g_autoptr(GError) local = NULL;
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GString) output = g_string_new(NULL);
	gint64 until = g_get_monotonic_time() + ASK_SECONDS * G_USEC_PER_SEC;
	gboolean ok;

	g_subprocess_launcher_set_environ(launcher, environment);
	g_subprocess_launcher_set_cwd(launcher, "/");
	g_subprocess_launcher_take_fd(launcher, fcntl(program, F_DUPFD_CLOEXEC, 4), 3);
	process = g_subprocess_launcher_spawnv(launcher, argv, &local);
	if (process == NULL) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "cannot run '%s': %s", path, local->message);
		return NULL;
	}
	ok = read_output(g_unix_input_stream_get_fd(G_UNIX_INPUT_STREAM(g_subprocess_get_stdout_pipe(process))), path,
			 until, cancellable, output, error);
	/* what it printed is all we want: nothing of it outlives the question */
	g_subprocess_force_exit(process);
	(void)g_subprocess_wait(process, NULL, NULL);
	return ok ? g_strdup(output->str) : NULL;
}

/* what tells one file from another, and from itself after a change */
static gchar *
dup_identity(const struct stat *st)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
			       ".%09ld %" G_GINT64_FORMAT ".%09ld",
			       (guint64)st->st_dev, (guint64)st->st_ino, (gint64)st->st_size,
			       (gint64)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (gint64)st->st_ctim.tv_sec,
			       st->st_ctim.tv_nsec);
}

/* a directory that only its owner can fill, and the owner is us */
static int
open_private_dir(const gchar *path, gboolean create)
{
	DSTACK_AUTO_FD int fd = -1;
	struct stat st;

	if (path == NULL || (create && g_mkdir_with_parents(path, 0700) < 0))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return -1;
	return dstack_fd_steal(&fd);
}

static gchar *
dup_entry_name(const gchar *identity)
{
	DstackSha256 digest = dstack_sha256((const guint8 *)identity, strlen(identity));
	g_autofree gchar *hex = dstack_sha256_to_hex(&digest);

	return g_strdup_printf("qemu-version-%.32s", hex);
}

static gchar *
dup_entry_text(const gchar *identity, const gchar *version)
{
	g_autofree gchar *body = g_strdup_printf("%s\n%s\n%s\n", CACHE_ENTRY, identity, version);
	DstackSha256 digest = dstack_sha256((const guint8 *)body, strlen(body));
	g_autofree gchar *hex = dstack_sha256_to_hex(&digest);

	return g_strconcat(body, hex, "\n", NULL);
}

static gchar *
look_up(const gchar *cache_dir, const gchar *identity)
{
	DSTACK_AUTO_FD int dirfd = open_private_dir(cache_dir, FALSE);
	g_autofree gchar *name = dup_entry_name(identity);
	g_autoptr(GBytes) bytes = dirfd < 0 ? NULL : dstack_file_read_beneath(dirfd, name, CACHE_MAX, NULL);
	g_autofree gchar *text = NULL;
	g_autofree gchar *expected = NULL;
	g_auto(GStrv) lines = NULL;
	guint part;

	if (bytes == NULL)
		return NULL;
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	lines = g_strsplit(text, "\n", 5);
	if (g_strv_length(lines) != 5 || !dstack_qemu_version_parse(lines[2], &part, &part, &part, NULL))
		return NULL;
	expected = dup_entry_text(identity, lines[2]);
	return g_str_equal(text, expected) ? g_strdup(lines[2]) : NULL;
}

static void
remember(const gchar *cache_dir, const gchar *identity, const gchar *version)
{
	DSTACK_AUTO_FD int dirfd = open_private_dir(cache_dir, TRUE);
	g_autofree gchar *name = dup_entry_name(identity);
	g_autofree gchar *text = dup_entry_text(identity, version);

	if (dirfd >= 0 &&
	    !dstack_file_replace_at(dirfd, name, (const guint8 *)text, strlen(text), 0600, (gid_t)-1, NULL))
		g_debug("'%s': the version of QEMU was not remembered", cache_dir);
}

gchar *
dstack_qemu_version_ask(const gchar *path, const gchar *cache_dir, GCancellable *cancellable, GError **error)
{
	g_autofree gchar *identity = NULL;
	g_autofree gchar *version = NULL;
	g_autofree gchar *output = NULL;
	struct stat st;
	DSTACK_AUTO_FD int program = open_emulator(path, &st, error);

	if (program < 0)
		return NULL;
	identity = dup_identity(&st);
	version = look_up(cache_dir, identity);
	if (version != NULL)
		return g_steal_pointer(&version);
	output = run_emulator(program, path, cancellable, error);
	if (output == NULL)
		return NULL;
	version = dstack_qemu_version_scan(output, error);
	if (version == NULL)
		g_prefix_error(error, "'%s --version': ", path);
	else if (cache_dir != NULL)
		remember(cache_dir, identity, version);
	return g_steal_pointer(&version);
}
