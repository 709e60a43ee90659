/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/fat-disk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "dstack/error.h"

/* a directory to share and a directory for the disk; both go away */
typedef struct {
	gchar *root;
	gchar *share;
	gchar *disk;
	int root_fd;
	int share_fd;
} Fixture;

static void
fixture_init(Fixture *self)
{
	self->root = g_dir_make_tmp("dstack-fat-XXXXXX", NULL);
	self->share = g_build_filename(self->root, "share", NULL);
	self->disk = g_build_filename(self->root, "share.img", NULL);
	g_assert_cmpint(g_mkdir(self->share, 0755), ==, 0);
	self->root_fd = open(self->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	self->share_fd = open(self->share, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
clear_directory(const gchar *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const gchar *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *file = g_build_filename(path, name, NULL);

		g_assert_cmpint(g_remove(file), ==, 0);
	}
}

static void
fixture_clear(Fixture *self)
{
	clear_directory(self->share);
	clear_directory(self->root);
	g_assert_cmpint(g_rmdir(self->root), ==, 0);
	dstack_fd_clear(&self->root_fd);
	dstack_fd_clear(&self->share_fd);
	g_free(self->root);
	g_free(self->share);
	g_free(self->disk);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
share_file(const Fixture *self, const gchar *name, const gchar *content, gsize size)
{
	g_autofree gchar *path = g_build_filename(self->share, name, NULL);

	g_assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
}

static gboolean
store(const Fixture *self, GError **error)
{
	g_autoptr(GPtrArray) files = dstack_fat_files_load(self->share_fd, error);

	return files != NULL && dstack_fat_disk_store(self->root_fd, "share.img", files, error);
}

/* an independent reader's answer, or NULL where this host has none */
static gchar *
run_tool(const gchar *const *argv, gint *out_status)
{
	g_autofree gchar *program = g_find_program_in_path(argv[0]);
	g_autoptr(GSubprocess) process = NULL;
	gchar *output = NULL;

	if (program == NULL)
		return NULL;
	process = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL);
	g_assert_nonnull(process);
	g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, NULL));
	*out_status = g_subprocess_get_exit_status(process);
	return output;
}

static void
assert_fsck_is_content(const Fixture *self)
{
	const gchar *const argv[] = {"fsck.fat", "-n", self->disk, NULL};
	gint status = 0;
	g_autofree gchar *output = NULL;
	const gchar *path = g_getenv("PATH");

	g_assert_true(g_setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", TRUE));
	output = run_tool(argv, &status);
	g_assert_true(g_setenv("PATH", path != NULL ? path : "", TRUE));
	if (output == NULL) {
		g_test_message("no fsck.fat here");
		return;
	}
	g_test_message("%s", output);
	g_assert_cmpint(status, ==, 0);
}

static void
assert_mtools_reads(const Fixture *self, const gchar *name, const gchar *content)
{
	g_autofree gchar *source = g_strconcat("::", name, NULL);
	const gchar *const argv[] = {"mtype", "-i", self->disk, source, NULL};
	gint status = 0;
	g_autofree gchar *output = run_tool(argv, &status);

	if (output == NULL) {
		g_test_message("no mtools here");
		return;
	}
	g_assert_cmpint(status, ==, 0);
	g_assert_cmpstr(output, ==, content);
}

static void
is_read_by_other_implementations(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *long_name = g_strnfill(100, 'n');
	g_autofree gchar *large = g_strnfill(5 * 512 + 1, 'L');
	g_autoptr(GError) error = NULL;
	struct stat st;

	fixture_init(&fixture);
	share_file(&fixture, ".sys-config.json", "{\"vm_config\":\"{}\"}", 18);
	share_file(&fixture, "app-compose.json", large, strlen(large));
	share_file(&fixture, "empty", "", 0);
	share_file(&fixture, long_name, "long", 4);
	share_file(&fixture, "exactly13char", "13", 2);
	share_file(&fixture, "gr\xc3\xbc\xc3\x9f", "umlaut", 6);
	g_assert_true(store(&fixture, &error));
	g_assert_no_error(error);
	g_assert_cmpint(stat(fixture.disk, &st), ==, 0);
	g_assert_cmpint(st.st_size % 512, ==, 0);
	/* most of it is a hole */
	g_assert_cmpint(st.st_blocks * 512, <, 2 * 1024 * 1024);
	assert_fsck_is_content(&fixture);
	assert_mtools_reads(&fixture, ".sys-config.json", "{\"vm_config\":\"{}\"}");
	assert_mtools_reads(&fixture, "app-compose.json", large);
	assert_mtools_reads(&fixture, "empty", "");
	assert_mtools_reads(&fixture, long_name, "long");
	assert_mtools_reads(&fixture, "exactly13char", "13");
}

static void
holds_many_files(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	for (guint i = 0; i < 200; i++) {
		g_autofree gchar *name = g_strdup_printf("a file with a name that needs entries %03u.txt", i);

		share_file(&fixture, name, name, strlen(name));
	}
	g_assert_true(store(&fixture, &error));
	g_assert_no_error(error);
	assert_fsck_is_content(&fixture);
	assert_mtools_reads(&fixture, "a file with a name that needs entries 199.txt",
			    "a file with a name that needs entries 199.txt");
}

static void
is_the_same_for_the_same_files(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GBytes) first = NULL;
	g_autoptr(GBytes) second = NULL;
	guint64 size = 0;

	fixture_init(&fixture);
	share_file(&fixture, "b", "2", 1);
	share_file(&fixture, "a", "1", 1);
	files = dstack_fat_files_load(fixture.share_fd, NULL);
	first = dstack_fat_disk_build(files, &size, NULL);
	second = dstack_fat_disk_build(files, &size, NULL);
	g_assert_true(g_bytes_equal(first, second));
	g_assert_true(dstack_fat_disk_is_ours(g_bytes_get_data(first, NULL), g_bytes_get_size(first)));
	g_assert_false(dstack_fat_disk_is_ours(g_bytes_get_data(first, NULL), 511));
}

static void
refuses_names_that_fat_cannot_hold(void)
{
	static const gchar *const bad[] = {"a:b", "a*", "dot.", "blank ", "a\\b", "bad\xff"};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_auto(Fixture) fixture = {0};
		g_autoptr(GError) error = NULL;

		fixture_init(&fixture);
		share_file(&fixture, bad[i], "x", 1);
		g_assert_false(store(&fixture, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
		g_assert_false(g_file_test(fixture.disk, G_FILE_TEST_EXISTS));
	}
}

static void
tells_names_apart_that_fat_does_not(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture);
	share_file(&fixture, "Name", "x", 1);
	share_file(&fixture, "nAME", "x", 1);
	g_assert_false(store(&fixture, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
}

static void
replaces_only_its_own(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	g_autofree gchar *text = NULL;

	fixture_init(&fixture);
	share_file(&fixture, "a", "1", 1);
	g_assert_true(g_file_set_contents(fixture.disk, "", 0, NULL));
	g_assert_true(store(&fixture, &error));
	g_assert_true(store(&fixture, &error));
	g_assert_true(dstack_fat_disk_remove(fixture.root_fd, "share.img", &error));
	g_assert_false(g_file_test(fixture.disk, G_FILE_TEST_EXISTS));
	g_assert_true(dstack_fat_disk_remove(fixture.root_fd, "share.img", &error));
	g_assert_no_error(error);

	g_assert_true(g_file_set_contents(fixture.disk, "somebody's data", -1, NULL));
	g_assert_false(store(&fixture, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	g_clear_error(&error);
	g_assert_false(dstack_fat_disk_remove(fixture.root_fd, "share.img", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	g_assert_true(g_file_get_contents(fixture.disk, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "somebody's data");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fat-disk/is-read-by-other-implementations", is_read_by_other_implementations);
	g_test_add_func("/fat-disk/holds-many-files", holds_many_files);
	g_test_add_func("/fat-disk/is-the-same-for-the-same-files", is_the_same_for_the_same_files);
	g_test_add_func("/fat-disk/refuses-names-that-fat-cannot-hold", refuses_names_that_fat_cannot_hold);
	g_test_add_func("/fat-disk/tells-names-apart-that-fat-does-not", tells_names_apart_that_fat_does_not);
	g_test_add_func("/fat-disk/replaces-only-its-own", replaces_only_its_own);
	return g_test_run();
}
