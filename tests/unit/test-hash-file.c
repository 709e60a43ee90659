/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "measure/hash-file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dstack/error.h"
#include "support/image-copy.h"

/* longer than one buffer, so that a file is read in pieces */
#define LARGE (600 * 1024)

typedef struct {
	gchar *dir;
	GPtrArray *jobs;
	DstackDigestCache *cache;
	guint64 done;
	guint64 total;
	GCancellable *cancellable;
	int changed_fd; /* written to at the first report of progress; -1 for none */
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
	DstackContext context = {0};

	fixture->dir = g_dir_make_tmp("dstack-hash-XXXXXX", NULL);
	fixture->jobs = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_hash_job_free);
	fixture->cache = dstack_digest_cache_open(&context);
	fixture->cancellable = g_cancellable_new();
	fixture->changed_fd = -1;
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
	g_ptr_array_unref(fixture->jobs);
	dstack_digest_cache_free(fixture->cache);
	g_object_unref(fixture->cancellable);
	dstack_remove_tree(fixture->dir);
	g_free(fixture->dir);
}

static DstackHashJob *
add(Fixture *fixture, const gchar *name, gsize size, guint wanted)
{
	g_autofree gchar *path = g_build_filename(fixture->dir, name, NULL);
	g_autofree gchar *data = g_malloc(size + 1);
	DstackHashJob *job = NULL;

	memset(data, name[0], size);
	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
	job = dstack_hash_job_new(name, open(path, O_RDONLY | O_CLOEXEC), wanted);
	g_assert_cmpint(job->fd, >=, 0);
	g_ptr_array_add(fixture->jobs, job);
	return job;
}

static void
on_progress(guint64 done, guint64 total, gpointer user_data)
{
	Fixture *fixture = user_data;

	g_assert_cmpuint(done, >=, fixture->done);
	g_assert_cmpuint(done, <=, total);
	fixture->done = done;
	fixture->total = total;
	if (fixture->changed_fd >= 0)
		g_assert_cmpint(pwrite(fixture->changed_fd, "x", 1, 0), ==, 1);
}

static gboolean
run(Fixture *fixture, GError **error)
{
	return dstack_hash_files(fixture->jobs, fixture->cache, on_progress, fixture, fixture->cancellable, error);
}

static void
takes_every_digest_in_one_pass(Fixture *fixture, gconstpointer data)
{
	static const gsize sizes[] = {0, 1, 4096, LARGE, 256 * 1024, 256 * 1024 + 1};
	static const gchar *const names[] = {"a", "b", "c", "d", "e", "f"};
	g_autoptr(GError) error = NULL;
	guint64 total = 0;

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		(void)add(fixture, names[i], sizes[i], DSTACK_DIGEST_SHA256 | DSTACK_DIGEST_SHA384);
		total += sizes[i];
	}
	g_assert_true(run(fixture, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		DstackHashJob *job = g_ptr_array_index(fixture->jobs, i);
		g_autofree guint8 *expected = g_malloc(sizes[i] + 1);
		DstackSha256 sha256 = {{0}};
		DstackSha384 sha384 = {{0}};

		memset(expected, names[i][0], sizes[i]);
		sha256 = dstack_sha256(expected, sizes[i]);
		sha384 = dstack_sha384(expected, sizes[i]);
		g_assert_no_error(job->error);
		g_assert_true(dstack_sha256_equal(&sha256, &job->digests.sha256));
		g_assert_true(dstack_sha384_equal(&sha384, &job->digests.sha384));
		g_assert_null(job->bytes);
	}
	g_assert_cmpuint(fixture->done, ==, total);
	g_assert_cmpuint(fixture->total, ==, total);
}

static void
keeps_the_bytes_that_it_hashed(Fixture *fixture, gconstpointer data)
{
	DstackHashJob *job = add(fixture, "k", LARGE, DSTACK_DIGEST_SHA256);
	DstackHashJob *large = add(fixture, "l", LARGE, DSTACK_DIGEST_SHA256);
	DstackSha256 digest = {{0}};

	job->keep = TRUE;
	job->max_kept = LARGE;
	large->keep = TRUE;
	large->max_kept = LARGE - 1;
	g_assert_true(run(fixture, NULL));
	g_assert_no_error(job->error);
	g_assert_cmpuint(g_bytes_get_size(job->bytes), ==, LARGE);
	digest = dstack_sha256_bytes(job->bytes);
	g_assert_true(dstack_sha256_equal(&digest, &job->digests.sha256));
	g_assert_error(large->error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
notices_a_file_that_changes(Fixture *fixture, gconstpointer data)
{
	DstackHashJob *job = add(fixture, "c", LARGE, DSTACK_DIGEST_SHA256);
	g_autofree gchar *path = g_build_filename(fixture->dir, "c", NULL);

	fixture->changed_fd = open(path, O_WRONLY | O_CLOEXEC);
	g_assert_true(run(fixture, NULL));
	(void)close(fixture->changed_fd);
	g_assert_error(job->error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_assert_nonnull(strstr(job->error->message, "changed"));
}

static void
stops_when_cancelled(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	(void)add(fixture, "a", LARGE, DSTACK_DIGEST_SHA256);
	(void)add(fixture, "b", LARGE, DSTACK_DIGEST_SHA256);
	g_cancellable_cancel(fixture->cancellable);
	g_assert_false(run(fixture, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
	g_assert_cmpuint(fixture->done, ==, 0);
}

static void
does_nothing_for_no_files(Fixture *fixture, gconstpointer data)
{
	g_assert_true(run(fixture, NULL));
	g_assert_cmpuint(fixture->total, ==, 0);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/hash-file/takes-every-digest-in-one-pass", takes_every_digest_in_one_pass);
	ADD("/hash-file/keeps-the-bytes-that-it-hashed", keeps_the_bytes_that_it_hashed);
	ADD("/hash-file/notices-a-file-that-changes", notices_a_file_that_changes);
	ADD("/hash-file/stops-when-cancelled", stops_when_cancelled);
	ADD("/hash-file/does-nothing-for-no-files", does_nothing_for_no_files);
	return g_test_run();
}
