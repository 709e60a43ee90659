/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Hashing files: each is read once, front to back, into a buffer that the processor's cache holds, and every digest
 * wanted is taken from there; several files at a time, the largest first, so that the last core to finish finishes
 * early.
 */

#include "config.h"

#include "measure/hash-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"

#define BUFFER_SIZE (256 * 1024)
/* asked of the disk while the processor is busy with what came before */
#define READ_AHEAD (8 * 1024 * 1024)

typedef struct {
	GPtrArray *jobs; /* (element-type DstackHashJob) */
	DstackHashProgress progress;
	gpointer user_data;
	GCancellable *cancellable;
	GMutex lock; /* over what follows, and around progress */
	guint64 done;
	guint64 total;
} HashRun;

/**
 * dstack_hash_job_new:
 * @name: the file's name for errors, borrowed
 * @fd: a regular file open for reading at its start, taken over
 * @wanted: #DstackDigestFlags
 *
 * Returns: (transfer full): a job for dstack_hash_files()
 */
DstackHashJob *
dstack_hash_job_new(const gchar *name, int fd, guint wanted)
{
	DstackHashJob *self = g_new0(DstackHashJob, 1);

	self->name = name;
	self->fd = fd;
	self->wanted = wanted;
	return self;
}

/**
 * dstack_hash_job_free:
 * @self: (nullable): the job, with its descriptor
 */
void
dstack_hash_job_free(DstackHashJob *self)
{
	if (self == NULL)
		return;
	dstack_fd_clear(&self->fd);
	g_clear_pointer(&self->bytes, g_bytes_unref);
	g_clear_error(&self->error);
	g_free(self);
}

static void
report_progress(HashRun *run, guint64 n)
{
	g_mutex_lock(&run->lock);
	run->done += n;
	if (run->progress != NULL)
		run->progress(run->done, run->total, run->user_data);
	g_mutex_unlock(&run->lock);
}

static gboolean
same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static gboolean
ensure_unchanged(const DstackHashJob *job, guint64 read_size, GError **error)
{
	struct stat after = {0};

	if (fstat(job->fd, &after) < 0)
		return dstack_throw_errno(error, "cannot stat '%s'", job->name);
	if (same_state(&job->st, &after) && read_size == (guint64)after.st_size)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_FAILED, "'%s' changed while it was read", job->name);
}

static gboolean
read_some(const DstackHashJob *job, guint8 *buffer, gsize size, gsize *out_n, GError **error)
{
	ssize_t n = 0;

	do
		n = read(job->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return dstack_throw_errno(error, "cannot read '%s'", job->name);
	*out_n = (gsize)n;
	return TRUE;
}

/* the digests of one file under way */
typedef struct {
	DstackHasher *sha256; /* (nullable) */
	DstackHasher *sha384; /* (nullable) */
	guint64 size;	      /* bytes so far */
} Digesting;

static void
digesting_clear(Digesting *self)
{
	g_clear_pointer(&self->sha256, dstack_hasher_free);
	g_clear_pointer(&self->sha384, dstack_hasher_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Digesting, digesting_clear)

static void
digesting_add(Digesting *self, const guint8 *data, gsize size)
{
	if (self->sha256 != NULL)
		dstack_hasher_update(self->sha256, data, size);
	if (self->sha384 != NULL)
		dstack_hasher_update(self->sha384, data, size);
	self->size += size;
}

static void
digesting_finish(Digesting *self, DstackFileDigests *out)
{
	if (self->sha256 != NULL) {
		out->sha256 = dstack_hasher_finish_sha256(self->sha256);
		out->known |= DSTACK_DIGEST_SHA256;
	}
	if (self->sha384 != NULL) {
		out->sha384 = dstack_hasher_finish_sha384(self->sha384);
		out->known |= DSTACK_DIGEST_SHA384;
	}
}

/* one request at a time for what lies ahead: more keeps the disk from serving other files, less leaves it idle */
static void
read_ahead(const DstackHashJob *job, guint64 offset)
{
	if (offset % READ_AHEAD == 0)
		(void)posix_fadvise(job->fd, (off_t)(offset + READ_AHEAD), READ_AHEAD, POSIX_FADV_WILLNEED);
}

/* with keep, the bytes hashed go to kept as well, which has room for the size that the file had at the start */
static gboolean
hash_stream(HashRun *run, DstackHashJob *job, Digesting *digesting, guint8 *kept, GError **error)
{
	g_autofree guint8 *buffer = kept == NULL ? g_malloc(BUFFER_SIZE) : NULL;
	guint64 left = (guint64)job->st.st_size;
	gsize n = 0;

	do {
		guint8 *to = kept == NULL ? buffer : kept + digesting->size;

		if (g_cancellable_set_error_if_cancelled(run->cancellable, error))
			return FALSE;
		/* no more than announced: a file that grows is noticed afterwards, not followed for ever */
		read_ahead(job, digesting->size);
		if (!read_some(job, to, (gsize)MIN(left, BUFFER_SIZE), &n, error))
			return FALSE;
		digesting_add(digesting, to, n);
		left -= n;
		report_progress(run, n);
	} while (n > 0 && left > 0);
	return TRUE;
}

static gboolean
ensure_keepable(const DstackHashJob *job, GError **error)
{
	if (!job->keep || (guint64)job->st.st_size <= job->max_kept)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "'%s': expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GINT64_FORMAT, job->name,
			    job->max_kept, (gint64)job->st.st_size);
}

static gboolean
hash_one(HashRun *run, DstackHashJob *job, GError **error)
{
	g_auto(Digesting) digesting = {0};
	g_autofree guint8 *kept = NULL;

	if (!ensure_keepable(job, error))
		return FALSE;
	if ((job->wanted & DSTACK_DIGEST_SHA256) != 0)
		digesting.sha256 = dstack_hasher_new_sha256();
	if ((job->wanted & DSTACK_DIGEST_SHA384) != 0)
		digesting.sha384 = dstack_hasher_new_sha384();
	if (job->keep)
		kept = g_malloc((gsize)job->st.st_size + 1);
	(void)posix_fadvise(job->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (!hash_stream(run, job, &digesting, kept, error) || !ensure_unchanged(job, digesting.size, error))
		return FALSE;
	digesting_finish(&digesting, &job->digests);
	if (kept != NULL)
		job->bytes = g_bytes_new_take(g_steal_pointer(&kept), (gsize)digesting.size);
	return TRUE;
}

static void
hash_worker(gpointer data, gpointer user_data)
{
	HashRun *run = user_data;
	DstackHashJob *job = data;

	(void)!hash_one(run, job, &job->error);
}

static gint
compare_sizes(gconstpointer a, gconstpointer b)
{
	const DstackHashJob *const *left = a;
	const DstackHashJob *const *right = b;

	if ((*left)->st.st_size == (*right)->st.st_size)
		return 0;
	return (*left)->st.st_size > (*right)->st.st_size ? -1 : 1;
}

/* what is left to read, largest first, after asking the cache */
static void
collect_work(HashRun *run, GPtrArray *jobs, const DstackDigestCache *cache)
{
	for (guint i = 0; i < jobs->len; i++) {
		DstackHashJob *job = g_ptr_array_index(jobs, i);

		if (job->error != NULL || job->bytes != NULL || job->cached)
			continue;
		if (fstat(job->fd, &job->st) < 0) {
			dstack_throw_errno(&job->error, "cannot stat '%s'", job->name);
			continue;
		}
		job->cached = !job->keep && dstack_digest_cache_lookup(cache, &job->st, job->wanted, &job->digests);
		if (job->cached)
			continue;
		run->total += (guint64)job->st.st_size;
		g_ptr_array_add(run->jobs, job);
	}
	g_ptr_array_sort(run->jobs, compare_sizes);
}

static void
run_on_all_cores(HashRun *run)
{
	gint n = (gint)MIN(g_get_num_processors(), MAX(run->jobs->len, 1u));
	GThreadPool *pool = run->jobs->len < 2 ? NULL : g_thread_pool_new(hash_worker, run, n, FALSE, NULL);

	for (guint i = 0; i < run->jobs->len; i++) {
		if (pool == NULL)
			hash_worker(g_ptr_array_index(run->jobs, i), run);
		else
			(void)g_thread_pool_push(pool, g_ptr_array_index(run->jobs, i), NULL);
	}
	if (pool != NULL)
		g_thread_pool_free(pool, FALSE, TRUE);
}

static void
remember(const HashRun *run, DstackDigestCache *cache)
{
	for (guint i = 0; i < run->jobs->len; i++) {
		const DstackHashJob *job = g_ptr_array_index(run->jobs, i);

		if (job->error == NULL)
			dstack_digest_cache_store(cache, &job->st, &job->digests);
	}
}

/**
 * dstack_hash_files:
 * @jobs: (element-type DstackHashJob): what to hash; jobs already done are left alone
 * @cache: asked before, told afterwards; not saved
 * @progress: (nullable): called with bytes read and bytes to read in all, now and then
 * @user_data: for @progress
 * @cancellable: (nullable): stops the reading within a buffer's time
 * @error: (out) (optional): the cancellable's error
 *
 * Memory used is a quarter of a MiB a core, and the size of the files that are to be kept. A job's error is
 * %DSTACK_ERROR_FAILED for a file that could not be read or changed meanwhile, %DSTACK_ERROR_MALFORMED for one that
 * is too large to keep.
 *
 * Returns: %TRUE when every job has its outcome
 */
gboolean
dstack_hash_files(GPtrArray *jobs, DstackDigestCache *cache, DstackHashProgress progress, gpointer user_data,
		  GCancellable *cancellable, GError **error)
{
	g_autoptr(GPtrArray) work = g_ptr_array_new();
	HashRun run = {.jobs = work, .progress = progress, .user_data = user_data, .cancellable = cancellable};

	g_mutex_init(&run.lock);
	collect_work(&run, jobs, cache);
	run_on_all_cores(&run);
	g_mutex_clear(&run.lock);
	if (g_cancellable_set_error_if_cancelled(cancellable, error))
		return FALSE;
	remember(&run, cache);
	return TRUE;
}
