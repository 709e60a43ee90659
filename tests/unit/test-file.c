/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "base/beneath.h"
#include "base/limits.h"
#include "dstack/error.h"

/* a directory with what an image directory might hold, and a file beside it that must stay out of reach */
typedef struct {
	gchar *top;
	gchar *inside;
	int dirfd;
} Tree;

static void
write_file(const gchar *dir, const gchar *name, const gchar *text)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
link_to(const gchar *dir, const gchar *name, const gchar *target)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_cmpint(symlink(target, path), ==, 0);
}

static void
tree_setup(Tree *tree, gconstpointer data)
{
	g_autofree gchar *sub = NULL;
	g_autofree gchar *fifo = NULL;

	tree->top = g_dir_make_tmp("dstack-file-XXXXXX", NULL);
	tree->inside = g_build_filename(tree->top, "inside", NULL);
	sub = g_build_filename(tree->inside, "sub", NULL);
	fifo = g_build_filename(tree->inside, "fifo", NULL);
	g_assert_cmpint(g_mkdir_with_parents(sub, 0700), ==, 0);
	write_file(tree->top, "secret", "secret");
	write_file(tree->inside, "plain", "plain");
	write_file(sub, "deep", "deep");
	link_to(tree->inside, "link", "sub/deep");
	link_to(sub, "up", "../plain");
	link_to(tree->inside, "link-to-link", "link");
	link_to(tree->inside, "dirlink", "./sub");
	link_to(tree->inside, "escape", "../secret");
	link_to(tree->inside, "detour", "sub/../../inside/plain");
	link_to(tree->inside, "absolute", "/etc/passwd");
	link_to(tree->inside, "outside", "..");
	link_to(tree->inside, "loop", "loop");
	link_to(tree->inside, "dangling", "nothing");
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	tree->dirfd = dstack_dir_open(tree->inside, NULL);
	g_assert_cmpint(tree->dirfd, >=, 0);
}

static void
remove_tree(const gchar *path)
{
	g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
	const gchar *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tree_teardown(Tree *tree, gconstpointer data)
{
	dstack_fd_clear(&tree->dirfd);
	remove_tree(tree->top);
	g_free(tree->top);
	g_free(tree->inside);
}

static const struct {
	const gchar *name;
	const gchar *content; /* NULL: refused */
	DstackError code;
} names[] = {
    {"plain", "plain", 0},
    {"./plain", "plain", 0},
    {"sub/deep", "deep", 0},
    {"sub//deep", "deep", 0},
    {"sub/../plain", "plain", 0},
    {"link", "deep", 0},
    {"link-to-link", "deep", 0},
    {"sub/up", "plain", 0},
    {"dirlink/deep", "deep", 0},
    {"dirlink/up", "plain", 0},
    {"escape", NULL, DSTACK_ERROR_MALFORMED},
    {"../secret", NULL, DSTACK_ERROR_MALFORMED},
    {"sub/../../secret", NULL, DSTACK_ERROR_MALFORMED},
    {"detour", NULL, DSTACK_ERROR_MALFORMED},
    {"absolute", NULL, DSTACK_ERROR_MALFORMED},
    {"/etc/passwd", NULL, DSTACK_ERROR_MALFORMED},
    {"outside/secret", NULL, DSTACK_ERROR_MALFORMED},
    {"loop", NULL, DSTACK_ERROR_MALFORMED},
    {"sub", NULL, DSTACK_ERROR_MALFORMED},
    {".", NULL, DSTACK_ERROR_MALFORMED},
    {"fifo", NULL, DSTACK_ERROR_MALFORMED},
    {"dangling", NULL, DSTACK_ERROR_NOT_FOUND},
    {"absent", NULL, DSTACK_ERROR_NOT_FOUND},
    {"plain/below", NULL, DSTACK_ERROR_NOT_FOUND},
    {"", NULL, DSTACK_ERROR_NOT_FOUND},
};

static void
opens_only_what_lies_below(Tree *tree, gconstpointer data)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes = dstack_file_read_beneath(tree->dirfd, names[i].name, 100, &error);
		g_autoptr(GBytes) expected = NULL;

		g_test_message("name '%s'", names[i].name);
		if (names[i].content == NULL) {
			g_assert_null(bytes);
			g_assert_error(error, DSTACK_ERROR, (gint)names[i].code);
			continue;
		}
		g_assert_no_error(error);
		expected = g_bytes_new_static(names[i].content, strlen(names[i].content));
		g_assert_true(g_bytes_equal(bytes, expected));
	}
}

/* the walk for older kernels, name by name against the kernel's own resolution */
static void
walks_as_the_kernel_does(Tree *tree, gconstpointer data)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		DSTACK_AUTO_FD int fd = -1;
		gchar content[16] = {0};

		if (names[i].name[0] == '\0')
			continue;
		g_test_message("name '%s'", names[i].name);
		fd = dstack_open_beneath_walk(tree->dirfd, names[i].name);
		if (names[i].content != NULL) {
			g_assert_cmpint(fd, >=, 0);
			g_assert_cmpint(read(fd, content, sizeof(content) - 1), ==, (gint)strlen(names[i].content));
			g_assert_cmpstr(content, ==, names[i].content);
		} else if (strstr("sub fifo", names[i].name) == NULL) {
			g_assert_cmpint(fd, <, 0);
		}
	}
}

static void
refuses_a_file_above_the_limit(Tree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) exact = dstack_file_read_beneath(tree->dirfd, "plain", 5, &error);

	g_assert_no_error(error);
	g_assert_nonnull(exact);
	g_assert_null(dstack_file_read_beneath(tree->dirfd, "plain", 4, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_clear_error(&error);
	g_assert_null(dstack_file_read_beneath(tree->dirfd, "plain", 0, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
reads_a_path_of_the_operator(Tree *tree, gconstpointer data)
{
	g_autofree gchar *path = g_build_filename(tree->inside, "plain", NULL);
	g_autofree gchar *absent = g_build_filename(tree->inside, "absent", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = dstack_file_read_path(path, 5, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(bytes), ==, 5);
	g_assert_null(dstack_file_read_path(absent, 5, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_cmpint(dstack_dir_open(absent, &error), <, 0);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

static void
replaces_a_file_whole(Tree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct stat st = {0};
	mode_t old = umask(077);

	g_assert_true(dstack_file_replace_at(tree->dirfd, "plain", (const guint8 *)"new", 3, 0640, getgid(), &error));
	g_assert_no_error(error);
	(void)umask(old);
	g_assert_cmpint(fstatat(tree->dirfd, "plain", &st, 0), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpint(st.st_size, ==, 3);
	g_assert_cmpuint(st.st_gid, ==, getgid());
	/* a symlink is replaced, not written through */
	g_assert_true(dstack_file_replace_at(tree->dirfd, "escape", (const guint8 *)"", 0, 0600, (gid_t)-1, &error));
	g_assert_cmpint(fstatat(tree->dirfd, "escape", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_assert_true(S_ISREG(st.st_mode));
}

static guint
count_entries(const gchar *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void
leaves_nothing_behind_on_failure(Tree *tree, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint before = count_entries(tree->inside);

	/* a directory cannot be replaced by a file */
	g_assert_false(dstack_file_replace_at(tree->dirfd, "sub", (const guint8 *)"x", 1, 0600, (gid_t)-1, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_clear_error(&error);
	g_assert_false(dstack_file_replace_at(tree->dirfd, "a/b", (const guint8 *)"x", 1, 0600, (gid_t)-1, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_assert_cmpuint(count_entries(tree->inside), ==, before);
}

#define ADD(path, function) g_test_add(path, Tree, NULL, tree_setup, function, tree_teardown)

static guint
count_prefixed(const gchar *dir, const gchar *prefix)
{
	g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
	const gchar *name = NULL;
	guint n = 0;

	while ((name = g_dir_read_name(handle)) != NULL)
		n += g_str_has_prefix(name, prefix) ? 1 : 0;
	return n;
}

/* a temporary file that nobody holds was left by a process that is gone; one that is held is another's work */
static void
replacing_takes_abandoned_files_away(Tree *tree, gconstpointer data)
{
	g_autofree gchar *held_path = g_build_filename(tree->inside, ".target.0badcafe", NULL);
	DSTACK_AUTO_FD int held = -1;
	g_autoptr(GError) error = NULL;

	write_file(tree->inside, ".target.deadbeef", "half");
	write_file(tree->inside, ".target.00000000", "half");
	write_file(tree->inside, ".target.backup01", "mine");
	write_file(tree->inside, ".target.0badcafe", "busy");
	held = open(held_path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(flock(held, LOCK_EX), ==, 0);
	g_assert_true(dstack_file_replace_at(tree->dirfd, "target", (const guint8 *)"new", 3, 0600, (gid_t)-1, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(count_prefixed(tree->inside, ".target.deadbeef"), ==, 0);
	g_assert_cmpuint(count_prefixed(tree->inside, ".target.00000000"), ==, 0);
	g_assert_cmpuint(count_prefixed(tree->inside, ".target.backup01"), ==, 1);
	g_assert_cmpuint(count_prefixed(tree->inside, ".target.0badcafe"), ==, 1);
	g_assert_cmpuint(count_prefixed(tree->inside, ".target."), ==, 2);
	g_assert_cmpint(unlinkat(tree->dirfd, ".target.backup01", 0), ==, 0);
	g_assert_cmpint(unlinkat(tree->dirfd, ".target.0badcafe", 0), ==, 0);
	g_assert_cmpint(unlinkat(tree->dirfd, "target", 0), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/file/opens-only-what-lies-below", opens_only_what_lies_below);
	ADD("/file/walks-as-the-kernel-does", walks_as_the_kernel_does);
	ADD("/file/refuses-a-file-above-the-limit", refuses_a_file_above_the_limit);
	ADD("/file/reads-a-path-of-the-operator", reads_a_path_of_the_operator);
	ADD("/file/replaces-a-file-whole", replaces_a_file_whole);
	ADD("/file/leaves-nothing-behind-on-failure", leaves_nothing_behind_on_failure);
	ADD("/file/replacing-takes-abandoned-files-away", replacing_takes_abandoned_files_away);
	return g_test_run();
}
