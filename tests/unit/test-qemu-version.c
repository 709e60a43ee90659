/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/qemu-version.h"

#include <string.h>

#include <glib/gstdio.h>

#include "dstack/error.h"

/* a directory with a program that claims to be a QEMU; both go away with it */
typedef struct {
	gchar *dir;
	gchar *program;
	gchar *cache;
} Fixture;

static void
fixture_init(Fixture *self, const gchar *script)
{
	self->dir = g_dir_make_tmp("dstack-XXXXXX", NULL);
	self->program = g_build_filename(self->dir, "qemu", NULL);
	self->cache = g_build_filename(self->dir, "cache", NULL);
	g_assert_true(g_file_set_contents(self->program, script, -1, NULL));
	g_assert_cmpint(g_chmod(self->program, 0755), ==, 0);
}

static void
fixture_clear(Fixture *self)
{
	g_autoptr(GDir) cache = g_dir_open(self->cache, 0, NULL);
	const gchar *name = NULL;

	while (cache != NULL && (name = g_dir_read_name(cache)) != NULL) {
		g_autofree gchar *path = g_build_filename(self->cache, name, NULL);

		g_assert_cmpint(g_unlink(path), ==, 0);
	}
	if (cache != NULL)
		g_assert_cmpint(g_rmdir(self->cache), ==, 0);
	g_assert_cmpint(g_unlink(self->program), ==, 0);
	g_assert_cmpint(g_rmdir(self->dir), ==, 0);
	g_free(self->dir);
	g_free(self->program);
	g_free(self->cache);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

#define ANSWERS "#!/bin/sh\necho 'QEMU emulator version 9.2.1 (Debian 1:9.2.1+ds-1)'\n"

static void
asks_once_and_remembers_by_identity(void)
{
	g_auto(Fixture) fixture = {0};
	g_autofree gchar *first = NULL;
	g_autofree gchar *second = NULL;
	g_autofree gchar *third = NULL;
	g_autoptr(GError) error = NULL;

	fixture_init(&fixture, ANSWERS);
	first = dstack_qemu_version_ask(fixture.program, fixture.cache, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(first, ==, "9.2.1");
	second = dstack_qemu_version_ask(fixture.program, fixture.cache, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(second, ==, "9.2.1");
	g_assert_true(g_file_set_contents(fixture.program, "#!/bin/sh\necho QEMU emulator version 10.0.0\n", -1, NULL));
	g_assert_cmpint(g_chmod(fixture.program, 0755), ==, 0);
	third = dstack_qemu_version_ask(fixture.program, fixture.cache, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(third, ==, "10.0.0");
}

static void
never_runs_what_others_can_write(void)
{
	static const guint modes[] = {0775, 0757, 0777};
	g_auto(Fixture) fixture = {0};

	fixture_init(&fixture, ANSWERS);
	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(g_chmod(fixture.program, modes[i]), ==, 0);
		g_assert_null(dstack_qemu_version_ask(fixture.program, NULL, NULL, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	}
}

static void
says_what_is_wrong_with_a_program(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) absent = NULL;
	g_autoptr(GError) folder = NULL;
	g_autoptr(GError) babble = NULL;

	fixture_init(&fixture, "#!/bin/sh\necho hello\n");
	g_assert_null(dstack_qemu_version_ask("/nonexistent/qemu", NULL, NULL, &absent));
	g_assert_error(absent, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
	g_assert_null(dstack_qemu_version_ask(fixture.dir, NULL, NULL, &folder));
	g_assert_error(folder, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	g_assert_null(dstack_qemu_version_ask(fixture.program, NULL, NULL, &babble));
	g_assert_error(babble, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_assert_nonnull(strstr(babble->message, "hello"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/qemu-version/asks-once-and-remembers-by-identity", asks_once_and_remembers_by_identity);
	g_test_add_func("/qemu-version/never-runs-what-others-can-write", never_runs_what_others_can_write);
	g_test_add_func("/qemu-version/says-what-is-wrong-with-a-program", says_what_is_wrong_with_a_program);
	return g_test_run();
}
