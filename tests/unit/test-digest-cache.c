/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "image/digest-cache.h"

#include <string.h>

#include <glib/gstdio.h>

#include "support/image-copy.h"

#define NOW 2000000000

typedef struct {
	gchar *top;
	gchar *dir;  /* does not exist yet */
	gchar *file; /* the cache's one file */
	DstackContext context;
} Place;

static void
setup(Place *place, gconstpointer data)
{
	place->top = g_dir_make_tmp("dstack-cache-XXXXXX", NULL);
	place->dir = g_build_filename(place->top, "a", "b", NULL);
	place->file = g_build_filename(place->dir, "digests", NULL);
	place->context = (DstackContext){.now = NOW, .cache_dir = place->dir};
}

static void
teardown(Place *place, gconstpointer data)
{
	dstack_remove_tree(place->top);
	g_free(place->top);
	g_free(place->dir);
	g_free(place->file);
}

static struct stat
some_file(guint64 inode)
{
	struct stat st = {0};

	st.st_dev = 7;
	st.st_ino = inode;
	st.st_size = 1000;
	st.st_mtim.tv_sec = NOW - 100;
	st.st_mtim.tv_nsec = 5;
	st.st_ctim.tv_sec = NOW - 50;
	st.st_ctim.tv_nsec = 6;
	return st;
}

static DstackFileDigests
some_digests(guint8 value, guint known)
{
	DstackFileDigests digests = {.known = known};

	memset(digests.sha256.bytes, value, sizeof(digests.sha256.bytes));
	memset(digests.sha384.bytes, value, sizeof(digests.sha384.bytes));
	return digests;
}

static void
save_one(const Place *place)
{
	g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&place->context);
	g_autoptr(GBytes) result = g_bytes_new_static("result", 6);
	g_autoptr(GError) error = NULL;
	DstackFileDigests digests = some_digests(1, DSTACK_DIGEST_SHA256);
	DstackSha256 key = {{9}};
	struct stat st = some_file(1);

	dstack_digest_cache_store(cache, &st, &digests);
	dstack_digest_cache_store_result(cache, &key, result);
	g_assert_true(dstack_digest_cache_save(cache, &error));
	g_assert_no_error(error);
}

static gboolean
knows(const Place *place, const struct stat *st, guint wanted)
{
	g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&place->context);
	DstackFileDigests digests = {0};
	gboolean found = dstack_digest_cache_lookup(cache, st, wanted, &digests);

	if (found)
		g_assert_cmpuint(digests.sha256.bytes[31], ==, 1);
	return found;
}

static void
remembers_across_processes(Place *place, gconstpointer data)
{
	struct stat st = some_file(1);
	struct stat dir = {0};
	g_autoptr(DstackDigestCache) cache = NULL;
	g_autoptr(GBytes) result = NULL;
	DstackSha256 key = {{9}};
	DstackSha256 other = {{8}};

	g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
	save_one(place);
	g_assert_true(knows(place, &st, DSTACK_DIGEST_SHA256));
	g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256 | DSTACK_DIGEST_SHA384));
	g_assert_cmpint(g_stat(place->dir, &dir), ==, 0);
	g_assert_cmpuint(dir.st_mode & 077, ==, 0);
	g_assert_cmpint(g_stat(place->file, &dir), ==, 0);
	g_assert_cmpuint(dir.st_mode & 0777, ==, 0600);
	cache = dstack_digest_cache_open(&place->context);
	result = dstack_digest_cache_lookup_result(cache, &key);
	g_assert_cmpuint(g_bytes_get_size(result), ==, 6);
	g_assert_null(dstack_digest_cache_lookup_result(cache, &other));
}

static void
knows_a_file_by_all_of_its_identity(Place *place, gconstpointer data)
{
	struct stat changed[7];

	save_one(place);
	for (guint i = 0; i < G_N_ELEMENTS(changed); i++)
		changed[i] = some_file(1);
	changed[0].st_dev++;
	changed[1].st_ino++;
	changed[2].st_size++;
	changed[3].st_mtim.tv_sec++;
	changed[4].st_mtim.tv_nsec++;
	changed[5].st_ctim.tv_sec++;
	changed[6].st_ctim.tv_nsec++;
	for (guint i = 0; i < G_N_ELEMENTS(changed); i++)
		g_assert_false(knows(place, &changed[i], DSTACK_DIGEST_SHA256));
}

static void
adds_one_digest_to_another(Place *place, gconstpointer data)
{
	g_autoptr(DstackDigestCache) cache = NULL;
	DstackFileDigests digests = some_digests(3, DSTACK_DIGEST_SHA384);
	struct stat st = some_file(1);

	save_one(place);
	cache = dstack_digest_cache_open(&place->context);
	dstack_digest_cache_store(cache, &st, &digests);
	g_assert_true(dstack_digest_cache_lookup(cache, &st, DSTACK_DIGEST_SHA256 | DSTACK_DIGEST_SHA384, &digests));
	g_assert_cmpuint(digests.sha256.bytes[0], ==, 1);
	g_assert_cmpuint(digests.sha384.bytes[0], ==, 3);
}

/* a change within the clock's own step could leave every time as it was */
static void
does_not_remember_a_file_that_just_changed(Place *place, gconstpointer data)
{
	for (gint age = -1; age < 4; age++) {
		g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&place->context);
		DstackFileDigests digests = some_digests(1, DSTACK_DIGEST_SHA256);
		struct stat st = some_file(1);

		st.st_ctim.tv_sec = NOW - age;
		dstack_digest_cache_store(cache, &st, &digests);
		g_assert_cmpint(dstack_digest_cache_lookup(cache, &st, DSTACK_DIGEST_SHA256, &digests), ==, age > 1);
	}
}

static void
believes_nothing_that_is_damaged(Place *place, gconstpointer data)
{
	g_autofree gchar *whole = NULL;
	gsize size = 0;
	struct stat st = some_file(1);

	save_one(place);
	g_assert_true(g_file_get_contents(place->file, &whole, &size, NULL));
	for (gsize i = 0; i < size; i++) {
		whole[i] = (gchar)(whole[i] ^ 1);
		g_assert_true(
		    g_file_set_contents_full(place->file, whole, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
		g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
		whole[i] = (gchar)(whole[i] ^ 1);
		g_assert_true(
		    g_file_set_contents_full(place->file, whole, (gssize)i, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
		g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
	}
	g_assert_true(g_file_set_contents_full(place->file, whole, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	g_assert_true(knows(place, &st, DSTACK_DIGEST_SHA256));
}

static void
believes_nothing_that_others_may_write(Place *place, gconstpointer data)
{
	struct stat st = some_file(1);

	save_one(place);
	g_assert_cmpint(g_chmod(place->file, 0620), ==, 0);
	g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
	g_assert_cmpint(g_chmod(place->file, 0600), ==, 0);
	g_assert_true(knows(place, &st, DSTACK_DIGEST_SHA256));
	g_assert_cmpint(g_chmod(place->dir, 0777), ==, 0);
	g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
	g_assert_cmpint(g_chmod(place->dir, 0700), ==, 0);
}

static void
can_be_left_out(Place *place, gconstpointer data)
{
	struct stat st = some_file(1);
	DstackContext nowhere = {.now = NOW};
	g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&nowhere);
	DstackFileDigests digests = some_digests(1, DSTACK_DIGEST_SHA256);

	dstack_digest_cache_store(cache, &st, &digests);
	g_assert_false(dstack_digest_cache_lookup(cache, &st, DSTACK_DIGEST_SHA256, &digests));
	g_assert_true(dstack_digest_cache_save(cache, NULL));
	save_one(place);
	place->context.no_cache = TRUE;
	g_assert_false(knows(place, &st, DSTACK_DIGEST_SHA256));
}

static void
keeps_what_another_process_added(Place *place, gconstpointer data)
{
	g_autoptr(DstackDigestCache) first = dstack_digest_cache_open(&place->context);
	DstackFileDigests digests = some_digests(1, DSTACK_DIGEST_SHA256);
	struct stat st = some_file(2);
	struct stat other = some_file(1);

	save_one(place);
	dstack_digest_cache_store(first, &st, &digests);
	g_assert_true(dstack_digest_cache_save(first, NULL));
	g_assert_true(knows(place, &st, DSTACK_DIGEST_SHA256));
	g_assert_true(knows(place, &other, DSTACK_DIGEST_SHA256));
}

static void
drops_the_oldest_when_full(Place *place, gconstpointer data)
{
	g_autoptr(DstackDigestCache) cache = dstack_digest_cache_open(&place->context);
	DstackFileDigests digests = some_digests(1, DSTACK_DIGEST_SHA256);
	struct stat oldest = some_file(1);
	struct stat newest = some_file(5000);

	for (guint64 i = 1; i <= 5000; i++) {
		struct stat st = some_file(i);

		dstack_digest_cache_store(cache, &st, &digests);
	}
	g_assert_true(dstack_digest_cache_save(cache, NULL));
	g_assert_false(knows(place, &oldest, DSTACK_DIGEST_SHA256));
	g_assert_true(knows(place, &newest, DSTACK_DIGEST_SHA256));
}

#define ADD(path, function) g_test_add(path, Place, NULL, setup, function, teardown)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/digest-cache/remembers-across-processes", remembers_across_processes);
	ADD("/digest-cache/knows-a-file-by-all-of-its-identity", knows_a_file_by_all_of_its_identity);
	ADD("/digest-cache/adds-one-digest-to-another", adds_one_digest_to_another);
	ADD("/digest-cache/does-not-remember-a-file-that-just-changed", does_not_remember_a_file_that_just_changed);
	ADD("/digest-cache/believes-nothing-that-is-damaged", believes_nothing_that_is_damaged);
	ADD("/digest-cache/believes-nothing-that-others-may-write", believes_nothing_that_others_may_write);
	ADD("/digest-cache/can-be-left-out", can_be_left_out);
	ADD("/digest-cache/keeps-what-another-process-added", keeps_what_another_process_added);
	ADD("/digest-cache/drops-the-oldest-when-full", drops_the_oldest_when_full);
	return g_test_run();
}
