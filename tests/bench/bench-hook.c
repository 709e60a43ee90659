/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the hook costs: on a domain that is not ours, as a ratio to /bin/true started the same way, beside a shell
 * and a Python that do nothing; and on one that is ours, with a warm cache, in milliseconds more.
 */

#include "config.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>

#include "base/autoptr.h"
#include "support/launch-fixture.h"

#define ROUNDS 300

typedef struct {
	gchar *state; /* a directory in memory, where this host has one */
	gchar *hook;
	gchar *foreign;
	gchar *ours;
} Calls;

/* one start with a file as standard input, as libvirt would: seconds until it has ended */
static gdouble
time_once(const gchar *program, const gchar *const *arguments, const gchar *input)
{
	posix_spawn_file_actions_t actions;
	gchar *const environment[] = {NULL};
	gint64 start, end;
	gint status = 0;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
	start = g_get_monotonic_time();
	g_assert_cmpint(
	    posix_spawn(&pid, program, &actions, NULL, (gchar *const *)(gpointer)(guintptr)arguments, environment), ==,
	    0);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	end = g_get_monotonic_time();
	g_assert_cmpint(status, ==, 0);
	posix_spawn_file_actions_destroy(&actions);
	return (gdouble)(end - start) / G_USEC_PER_SEC;
}

static gint
compare_doubles(gconstpointer a, gconstpointer b)
{
	gdouble x = *(const gdouble *)a;
	gdouble y = *(const gdouble *)b;

	return x < y ? -1 : x > y;
}

/* the median: a busy machine's outliers say nothing about the hook */
static gdouble
time_median(const gchar *program, const gchar *const *arguments, const gchar *input, guint rounds)
{
	g_autofree gdouble *times = g_new(gdouble, rounds);

	(void)time_once(program, arguments, input);
	for (guint i = 0; i < rounds; i++)
		times[i] = time_once(program, arguments, input);
	qsort(times, rounds, sizeof(gdouble), compare_doubles);
	return times[rounds / 2];
}

static gchar *
replace(const gchar *text, const gchar *from, const gchar *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);

	return g_strjoinv(to, parts);
}

/* the sample image, which holds together in full, in place of the fixture's */
static gchar *
make_domain(const DstackLaunchFixture *fixture, const gchar *images)
{
	g_autofree gchar *metadata_path = g_build_filename(images, "dstack-sample-0.1.0", "metadata.json", NULL);
	g_autofree gchar *metadata = NULL;
	g_autofree gchar *domain = dstack_launch_fixture_domain(fixture, NULL, NULL);
	g_autofree gchar *named = replace(domain, "dstack-0.6.0", "dstack-sample-0.1.0");
	g_autofree gchar *placed = replace(named, fixture->images, images);
	g_autofree gchar *initrd = replace(placed, "initramfs.cpio.gz", "initramfs.cpio");
	g_auto(GStrv) parts = NULL;
	const gchar *cmdline;

	g_assert_true(g_file_get_contents(metadata_path, &metadata, NULL, NULL));
	parts = g_strsplit(metadata, "\"", -1);
	for (guint i = 0; parts[i] != NULL && parts[i + 1] != NULL; i++) {
		cmdline = parts[i + 2];
		if (g_str_equal(parts[i], "cmdline"))
			return replace(initrd, DSTACK_FIXTURE_CMDLINE, cmdline);
	}
	g_assert_not_reached();
}

static void
copy_program(const DstackLaunchFixture *fixture, const gchar *name)
{
	g_autofree gchar *target = g_strconcat("bin/", name, NULL);
	g_autofree gchar *path = dstack_launch_fixture_path(fixture, target);
	g_autofree gchar *source = g_build_filename(g_test_get_dir(G_TEST_BUILT), name, NULL);
	g_autofree gchar *content = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(source, &content, &size, NULL));
	g_assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
	g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

static void
prepare_calls(const DstackLaunchFixture *fixture, Calls *out)
{
	g_autofree gchar *images = g_build_filename(g_test_get_dir(G_TEST_BUILT), "images-sample", NULL);
	g_autofree gchar *domain = make_domain(fixture, images);
	g_autofree gchar *foreign = replace(domain, "https://dstack.org/", "https://example.org/");
	g_autofree gchar *configuration = NULL;

	out->state = g_mkdtemp(g_strdup(g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm/dstack-hook-XXXXXX"
										    : "/tmp/dstack-hook-XXXXXX"));
	g_assert_nonnull(out->state);
	configuration = g_strdup_printf("[images]\ndirs=%s\n[cache]\ndir=%s/cache\n[hook]\nstate=%s\n", images,
					fixture->root, out->state);

	dstack_launch_fixture_write(fixture, "bin/dstack-vmm-prep-hook.conf", configuration);
	dstack_launch_fixture_write(fixture, "ours.xml", domain);
	dstack_launch_fixture_write(fixture, "foreign.xml", foreign);
	copy_program(fixture, "dstack-vmm-prep-hook");
	copy_program(fixture, "dstack-vmm-prep-hook-worker");
	out->hook = dstack_launch_fixture_path(fixture, "bin/dstack-vmm-prep-hook");
	out->ours = dstack_launch_fixture_path(fixture, "ours.xml");
	out->foreign = dstack_launch_fixture_path(fixture, "foreign.xml");
}

/* start and end in turn, so that every start writes: seconds of the start */
static gdouble
time_writing(const Calls *calls, const gchar *const *prepare, guint rounds)
{
	static const gchar *const release[] = {"hook", "guest", "release", "end", "-", NULL};
	g_autofree gdouble *times = g_new(gdouble, rounds);

	for (guint i = 0; i < rounds; i++) {
		(void)time_once(calls->hook, release, calls->ours);
		times[i] = time_once(calls->hook, prepare, calls->ours);
	}
	(void)time_once(calls->hook, release, calls->ours);
	qsort(times, rounds, sizeof(gdouble), compare_doubles);
	return times[rounds / 2];
}

static void
calls_clear(Calls *self)
{
	g_assert_cmpint(g_rmdir(self->state), ==, 0);
	g_free(self->state);
	g_free(self->hook);
	g_free(self->ours);
	g_free(self->foreign);
}

static void
print_ratio(const gchar *what, gdouble seconds, gdouble base)
{
	g_print("  %-34s %8.3f ms  %6.2f times /bin/true\n", what, seconds * 1000, seconds / base);
}

int
main(int argc, char **argv)
{
	static const gchar *const nothing[] = {"true", NULL};
	static const gchar *const shell[] = {"sh", "-c", "exit 0", NULL};
	static const gchar *const python[] = {"python3", "-I", "-c", "", NULL};
	static const gchar *const prepare[] = {"hook", "guest", "prepare", "begin", "-", NULL};
	static const gchar *const started[] = {"hook", "guest", "started", "begin", "-", NULL};
	g_auto(DstackLaunchFixture) fixture = {0};
	Calls calls = {0};
	gdouble base, foreign, ours;

	g_test_init(&argc, &argv, NULL);
	dstack_launch_fixture_init(&fixture);
	prepare_calls(&fixture, &calls);
	base = time_median("/bin/true", nothing, calls.foreign, ROUNDS);
	foreign = time_median(calls.hook, prepare, calls.foreign, ROUNDS);
	ours = time_median(calls.hook, prepare, calls.ours, ROUNDS / 3);
	print_ratio("/bin/true", base, base);
	print_ratio("hook, operation not ours", time_median(calls.hook, started, calls.ours, ROUNDS), base);
	print_ratio("hook, domain not ours (goal < 3)", foreign, base);
	print_ratio("sh -c 'exit 0'", time_median("/bin/sh", shell, calls.foreign, ROUNDS), base);
	if (g_file_test("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE))
		print_ratio("python3 -I -c ''", time_median("/usr/bin/python3", python, calls.foreign, ROUNDS / 10),
			    base);
	print_ratio("hook, domain ours, warm cache", ours, base);
	g_print("  ours takes %.2f ms more than a foreign one (goal < 20 ms)\n", (ours - foreign) * 1000);
	print_ratio("the same, writing the file", time_writing(&calls, prepare, ROUNDS / 10), base);
	calls_clear(&calls);
	return 0;
}
