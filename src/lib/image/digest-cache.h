/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Digests of files once hashed, and results once computed from files with such digests.
 *
 * Only ever a speed-up: a file is known by device, inode, size, mtime and ctime in nanoseconds; a cache that is not
 * private to its owner, of another version, damaged or absent is an empty cache. One thread at a time.
 */
#pragma once

#include <sys/stat.h>

#include "base/context.h"
#include "base/digest.h"

G_BEGIN_DECLS

/* which digests are wanted, or known */
typedef enum {
	DSTACK_DIGEST_SHA256 = 1 << 0,
	DSTACK_DIGEST_SHA384 = 1 << 1,
} DstackDigestFlags;

typedef struct {
	guint known; /* DstackDigestFlags */
	DstackSha256 sha256;
	DstackSha384 sha384;
} DstackFileDigests;

typedef struct _DstackDigestCache DstackDigestCache;

/* never NULL; without context->cache_dir, or with no_cache, a cache that knows nothing and keeps nothing */
DstackDigestCache *dstack_digest_cache_open(const DstackContext *context);
void dstack_digest_cache_free(DstackDigestCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackDigestCache, dstack_digest_cache_free)

/* the digests known of the file that fstat() describes; TRUE when all those wanted are among them */
gboolean dstack_digest_cache_lookup(const DstackDigestCache *self, const struct stat *st, guint wanted,
				    DstackFileDigests *out);
/* st: fstat() after the last byte was read, equal to that before the first */
void dstack_digest_cache_store(DstackDigestCache *self, const struct stat *st, const DstackFileDigests *digests);

/* results by a digest over everything they were computed from, the computation's own name and version included */
GBytes *dstack_digest_cache_lookup_result(const DstackDigestCache *self, const DstackSha256 *key);
void dstack_digest_cache_store_result(DstackDigestCache *self, const DstackSha256 *key, GBytes *result);

/* writes what was added since it was opened; failing to is no reason to fail anything else */
gboolean dstack_digest_cache_save(DstackDigestCache *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
