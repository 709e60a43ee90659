/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The digest cache on disk: one file, written whole.
 *
 *     "dstack-digests" 00 01, u32 files, u32 results,
 *     a file:   u64 device, inode, size, mtime s, ns, ctime s, ns, u8 known, 32 bytes, 48 bytes
 *     a result: 32 bytes key, u32 size, bytes
 *     32 bytes: SHA-256 of everything before
 *
 * All numbers little-endian. Who can write this file can make a check say anything, so it is read only where nobody
 * but its owner, who must be ourselves, could have written it.
 */

#include "config.h"

#include "image/digest-cache.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"

#define CACHE_NAME "digests"
#define MAX_FILES  4096
/* a result is a few hundred bytes */
#define MAX_RESULTS	512
#define MAX_RESULT_SIZE DSTACK_KIB(64)
#define MAX_SIZE	DSTACK_MIB(4)

static const guint8 magic[16] = "dstack-digests\0\1";

typedef struct {
	guint64 device;
	guint64 inode;
	guint64 size;
	guint64 mtime[2]; /* seconds, nanoseconds */
	guint64 ctime[2];
	DstackFileDigests digests;
} CachedFile;

typedef struct {
	DstackSha256 key;
	GBytes *result;
} CachedResult;

struct _DstackDigestCache {
	gchar *dir; /* (nullable) */
	gint64 now;
	GPtrArray *files; /* (element-type CachedFile): oldest first, one for each device and inode */
	GPtrArray *results;
	GHashTable *files_index; /* borrowed from files */
	GHashTable *results_index;
	gboolean changed;
};

static guint
cached_file_hash(gconstpointer key)
{
	const CachedFile *file = key;

	return (guint)(file->inode ^ file->inode >> 32 ^ file->device);
}

static gboolean
cached_file_equal(gconstpointer a, gconstpointer b)
{
	const CachedFile *left = a;
	const CachedFile *right = b;

	return left->device == right->device && left->inode == right->inode;
}

static guint
cached_result_hash(gconstpointer key)
{
	const CachedResult *result = key;
	guint32 hash = 0;

	memcpy(&hash, result->key.bytes, sizeof(hash));
	return hash;
}

static gboolean
cached_result_equal(gconstpointer a, gconstpointer b)
{
	const CachedResult *left = a;
	const CachedResult *right = b;

	return memcmp(left->key.bytes, right->key.bytes, sizeof(left->key.bytes)) == 0;
}

static void
cached_result_free(CachedResult *self)
{
	g_bytes_unref(self->result);
	g_free(self);
}

static DstackDigestCache *
cache_new(const gchar *dir, gint64 now)
{
	DstackDigestCache *self = g_new0(DstackDigestCache, 1);

	self->dir = g_strdup(dir);
	self->now = now;
	self->files = g_ptr_array_new_with_free_func(g_free);
	self->results = g_ptr_array_new_with_free_func((GDestroyNotify)cached_result_free);
	self->files_index = g_hash_table_new(cached_file_hash, cached_file_equal);
	self->results_index = g_hash_table_new(cached_result_hash, cached_result_equal);
	return self;
}

/**
 * dstack_digest_cache_free:
 * @self: (nullable): the cache; what was not saved is lost
 */
void
dstack_digest_cache_free(DstackDigestCache *self)
{
	if (self == NULL)
		return;
	g_hash_table_unref(self->files_index);
	g_hash_table_unref(self->results_index);
	g_ptr_array_unref(self->files);
	g_ptr_array_unref(self->results);
	g_free(self->dir);
	g_free(self);
}

/* an entry replaces the one of the same key and becomes the newest */
static void
put_file(DstackDigestCache *self, CachedFile *file)
{
	CachedFile *old = g_hash_table_lookup(self->files_index, file);

	if (old != NULL) {
		g_hash_table_remove(self->files_index, old);
		g_ptr_array_remove(self->files, old);
	}
	g_ptr_array_add(self->files, file);
	g_hash_table_add(self->files_index, file);
}

static void
put_result(DstackDigestCache *self, CachedResult *result)
{
	CachedResult *old = g_hash_table_lookup(self->results_index, result);

	if (old != NULL) {
		g_hash_table_remove(self->results_index, old);
		g_ptr_array_remove(self->results, old);
	}
	g_ptr_array_add(self->results, result);
	g_hash_table_add(self->results_index, result);
}

static gboolean
read_file_entry(DstackReader *reader, DstackDigestCache *self, GError **error)
{
	g_autofree CachedFile *file = g_new0(CachedFile, 1);
	guint64 *const numbers[] = {&file->device,   &file->inode,    &file->size,    &file->mtime[0],
				    &file->mtime[1], &file->ctime[0], &file->ctime[1]};
	guint8 known = 0;

	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		if (!dstack_reader_u64le(reader, "file", numbers[i], error))
			return FALSE;
	}
	if (!dstack_reader_u8(reader, "known", &known, error) ||
	    !dstack_reader_copy(reader, sizeof(file->digests.sha256), "SHA-256", file->digests.sha256.bytes, error) ||
	    !dstack_reader_copy(reader, sizeof(file->digests.sha384), "SHA-384", file->digests.sha384.bytes, error))
		return FALSE;
	file->digests.known = known;
	put_file(self, g_steal_pointer(&file));
	return TRUE;
}

static gboolean
read_result_entry(DstackReader *reader, DstackDigestCache *self, GError **error)
{
	CachedResult result = {0};
	guint32 size = 0;

	if (!dstack_reader_copy(reader, sizeof(result.key), "key", result.key.bytes, error) ||
	    !dstack_reader_u32le(reader, "size", &size, error) ||
	    !dstack_reader_take_bytes(reader, size, "result", &result.result, error))
		return FALSE;
	put_result(self, g_memdup2(&result, sizeof(result)));
	return TRUE;
}

static gboolean
ensure_checksum(DstackReader *reader, DstackReader *out_body, GError **error)
{
	gsize left = dstack_reader_left(reader);
	DstackSha256 stated = {{0}};
	DstackSha256 found = {{0}};

	if (left < sizeof(stated) || !dstack_reader_sub(reader, left - sizeof(stated), "body", out_body, error) ||
	    !dstack_reader_copy(reader, sizeof(stated), "checksum", stated.bytes, error))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "digest cache: too short");
	found = dstack_sha256(dstack_reader_peek(out_body), dstack_reader_left(out_body));
	return dstack_sha256_equal(&stated, &found) ||
	       dstack_throw(error, DSTACK_ERROR_MALFORMED, "digest cache: checksum differs");
}

static gboolean
ensure_magic(DstackReader *reader, GError **error)
{
	guint8 found[sizeof(magic)];

	if (!dstack_reader_copy(reader, sizeof(found), "magic", found, error))
		return FALSE;
	return memcmp(found, magic, sizeof(magic)) == 0 ||
	       dstack_throw(error, DSTACK_ERROR_MALFORMED, "digest cache: of another version");
}

/* the counts bound nothing but the loops, which end with the input */
static gboolean
read_entries(DstackReader *reader, DstackDigestCache *self, GError **error)
{
	guint32 n_files = 0;
	guint32 n_results = 0;

	if (!ensure_magic(reader, error) || !dstack_reader_u32le(reader, "files", &n_files, error) ||
	    !dstack_reader_u32le(reader, "results", &n_results, error))
		return FALSE;
	for (guint32 i = 0; i < n_files; i++) {
		if (!read_file_entry(reader, self, error))
			return FALSE;
	}
	for (guint32 i = 0; i < n_results; i++) {
		if (!read_result_entry(reader, self, error))
			return FALSE;
	}
	return dstack_reader_finish(reader, error);
}

/* only we ourselves or root can have written it */
static gboolean
is_private(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static GBytes *
read_private(const gchar *dir, GError **error)
{
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, error);
	DSTACK_AUTO_FD int fd = -1;
	struct stat st = {0};

	if (dirfd < 0)
		return NULL;
	fd = openat(dirfd, CACHE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(dirfd, &st) < 0) {
		dstack_throw_errno(error, "cannot open '" CACHE_NAME "'");
		return NULL;
	}
	if (!is_private(&st) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_private(&st)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "digest cache: somebody else may have written it");
		return NULL;
	}
	return dstack_file_read_fd(fd, CACHE_NAME, MAX_SIZE, error);
}

/* what is damaged in one place is not believed in another */
static DstackDigestCache *
cache_load(const gchar *dir, gint64 now)
{
	g_autoptr(DstackDigestCache) self = cache_new(dir, now);
	g_autoptr(GBytes) bytes = read_private(dir, NULL);
	DstackReader reader;
	DstackReader body;

	if (bytes == NULL)
		return g_steal_pointer(&self);
	dstack_reader_init_bytes(&reader, bytes, "digest cache");
	if (!ensure_checksum(&reader, &body, NULL) || !read_entries(&body, self, NULL))
		return cache_new(dir, now);
	return g_steal_pointer(&self);
}

/**
 * dstack_digest_cache_open:
 * @context: where the cache lives, the time, and whether to use it at all
 *
 * Returns: (transfer full): the cache, empty where there is none that can be trusted
 */
DstackDigestCache *
dstack_digest_cache_open(const DstackContext *context)
{
	if (context->no_cache || context->cache_dir == NULL)
		return cache_new(NULL, context->now);
	return cache_load(context->cache_dir, context->now);
}

static CachedFile
identify(const struct stat *st)
{
	return (CachedFile){
	    .device = (guint64)st->st_dev,
	    .inode = (guint64)st->st_ino,
	    .size = (guint64)st->st_size,
	    .mtime = {(guint64)st->st_mtim.tv_sec, (guint64)st->st_mtim.tv_nsec},
	    .ctime = {(guint64)st->st_ctim.tv_sec, (guint64)st->st_ctim.tv_nsec},
	};
}

static gboolean
same_state(const CachedFile *a, const CachedFile *b)
{
	return a->size == b->size && a->mtime[0] == b->mtime[0] && a->mtime[1] == b->mtime[1] &&
	       a->ctime[0] == b->ctime[0] && a->ctime[1] == b->ctime[1];
}

/**
 * dstack_digest_cache_lookup:
 * @self: the cache
 * @st: fstat() of the open file
 * @wanted: #DstackDigestFlags
 * @out: (out): what is known, which may be less than wanted or nothing
 *
 * Returns: %TRUE when all that is wanted is known
 */
gboolean
dstack_digest_cache_lookup(const DstackDigestCache *self, const struct stat *st, guint wanted, DstackFileDigests *out)
{
	CachedFile wanted_file = identify(st);
	const CachedFile *file = g_hash_table_lookup(self->files_index, &wanted_file);

	if (file == NULL || !same_state(file, &wanted_file)) {
		*out = (DstackFileDigests){0};
		return FALSE;
	}
	*out = file->digests;
	return (file->digests.known & wanted) == wanted;
}

/**
 * dstack_digest_cache_store:
 * @self: the cache
 * @st: fstat() of the file, the same before and after it was read
 * @digests: what was computed
 *
 * A file that changed within the last second is not remembered: the next change could bear the same times.
 */
void
dstack_digest_cache_store(DstackDigestCache *self, const struct stat *st, const DstackFileDigests *digests)
{
	CachedFile file = identify(st);
	DstackFileDigests known = {0};

	if (self->dir == NULL || (gint64)st->st_ctim.tv_sec + 1 >= self->now)
		return;
	(void)dstack_digest_cache_lookup(self, st, 0, &known);
	file.digests = *digests;
	if ((digests->known & DSTACK_DIGEST_SHA256) == 0)
		file.digests.sha256 = known.sha256;
	if ((digests->known & DSTACK_DIGEST_SHA384) == 0)
		file.digests.sha384 = known.sha384;
	file.digests.known |= known.known;
	put_file(self, g_memdup2(&file, sizeof(file)));
	self->changed = TRUE;
}

/**
 * dstack_digest_cache_lookup_result:
 * @self: the cache
 * @key: a digest over everything that the result was computed from
 *
 * Returns: (transfer full) (nullable): the result
 */
GBytes *
dstack_digest_cache_lookup_result(const DstackDigestCache *self, const DstackSha256 *key)
{
	CachedResult wanted = {.key = *key};
	const CachedResult *result = g_hash_table_lookup(self->results_index, &wanted);

	return result == NULL ? NULL : g_bytes_ref(result->result);
}

/**
 * dstack_digest_cache_store_result:
 * @self: the cache
 * @key: a digest over everything that the result was computed from
 * @result: at most 64 KiB; a larger one is not kept
 */
void
dstack_digest_cache_store_result(DstackDigestCache *self, const DstackSha256 *key, GBytes *result)
{
	CachedResult *entry = NULL;

	if (self->dir == NULL || g_bytes_get_size(result) > MAX_RESULT_SIZE)
		return;
	entry = g_new0(CachedResult, 1);
	entry->key = *key;
	entry->result = g_bytes_ref(result);
	put_result(self, entry);
	self->changed = TRUE;
}

static void
append_file(GByteArray *out, const CachedFile *file)
{
	const guint64 numbers[] = {file->device,   file->inode,	   file->size,	  file->mtime[0],
				   file->mtime[1], file->ctime[0], file->ctime[1]};

	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
		dstack_append_u64le(out, numbers[i]);
	dstack_append_u8(out, (guint8)file->digests.known);
	g_byte_array_append(out, file->digests.sha256.bytes, sizeof(file->digests.sha256.bytes));
	g_byte_array_append(out, file->digests.sha384.bytes, sizeof(file->digests.sha384.bytes));
}

static void
append_result(GByteArray *out, const CachedResult *result)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(result->result, &size);

	g_byte_array_append(out, result->key.bytes, sizeof(result->key.bytes));
	dstack_append_u32le(out, (guint32)size);
	g_byte_array_append(out, data, (guint)size);
}

/* the newest so many results that also fit beside a full list of files */
static guint
first_result(const DstackDigestCache *self)
{
	gsize room = MAX_SIZE / 2;
	guint first = self->results->len;

	while (first > 0 && self->results->len - first < MAX_RESULTS) {
		const CachedResult *result = g_ptr_array_index(self->results, first - 1);
		gsize size = g_bytes_get_size(result->result) + sizeof(result->key) + sizeof(guint32);

		if (size > room)
			break;
		room -= size;
		first--;
	}
	return first;
}

static GByteArray *
cache_serialize(const DstackDigestCache *self)
{
	GByteArray *out = g_byte_array_new();
	guint file = self->files->len > MAX_FILES ? self->files->len - MAX_FILES : 0;
	guint result = first_result(self);
	DstackSha256 checksum = {{0}};

	g_byte_array_append(out, magic, sizeof(magic));
	dstack_append_u32le(out, self->files->len - file);
	dstack_append_u32le(out, self->results->len - result);
	for (; file < self->files->len; file++)
		append_file(out, g_ptr_array_index(self->files, file));
	for (; result < self->results->len; result++)
		append_result(out, g_ptr_array_index(self->results, result));
	checksum = dstack_sha256(out->data, out->len);
	g_byte_array_append(out, checksum.bytes, sizeof(checksum.bytes));
	return out;
}

/* a service that fills root's cache under a user of its own leaves a file that root believes */
static gboolean
give_to_directory_owner(int dirfd, GError **error)
{
	struct stat st = {0};

	if (fstat(dirfd, &st) < 0)
		return dstack_throw_errno(error, "digest cache: cannot look at its directory");
	if (st.st_uid == geteuid())
		return TRUE;
	if (fchownat(dirfd, CACHE_NAME, st.st_uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
		return dstack_throw_errno(error, "digest cache: cannot be given to user %u", st.st_uid);
	return TRUE;
}

/* another process may have saved since; two that save at the same time lose entries, never soundness */
static DstackDigestCache *
merge_with_disk(const DstackDigestCache *self)
{
	DstackDigestCache *merged = cache_load(self->dir, self->now);

	for (guint i = 0; i < self->files->len; i++)
		put_file(merged, g_memdup2(g_ptr_array_index(self->files, i), sizeof(CachedFile)));
	for (guint i = 0; i < self->results->len; i++) {
		const CachedResult *result = g_ptr_array_index(self->results, i);
		CachedResult *copy = g_memdup2(result, sizeof(*result));

		(void)g_bytes_ref(copy->result);
		put_result(merged, copy);
	}
	return merged;
}

/**
 * dstack_digest_cache_save:
 * @self: the cache
 * @error: (out) (optional): %DSTACK_ERROR_FAILED
 *
 * Writes the cache, readable by its owner only, if anything was added to it. Makes its directory where there is none.
 *
 * Returns: %TRUE when there was nothing to write or it is on disk
 */
gboolean
dstack_digest_cache_save(DstackDigestCache *self, GError **error)
{
	g_autoptr(DstackDigestCache) merged = NULL;
	g_autoptr(GByteArray) bytes = NULL;
	DSTACK_AUTO_FD int dirfd = -1;

	if (!self->changed)
		return TRUE;
	if (g_mkdir_with_parents(self->dir, 0700) < 0)
		return dstack_throw_errno(error, "cannot make directory '%s'", self->dir);
	dirfd = dstack_dir_open(self->dir, error);
	if (dirfd < 0)
		return FALSE;
	merged = merge_with_disk(self);
	bytes = cache_serialize(merged);
	if (!dstack_file_replace_at(dirfd, CACHE_NAME, bytes->data, bytes->len, 0600, (gid_t)-1, error) ||
	    !give_to_directory_owner(dirfd, error))
		return FALSE;
	self->changed = FALSE;
	return TRUE;
}
