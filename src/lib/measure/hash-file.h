/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files hashed in one pass each, several at a time on all cores.
 */
#pragma once

#include <gio/gio.h>

#include "image/digest-cache.h"

G_BEGIN_DECLS

/* called from one of several threads at a time, never from two at once */
typedef void (*DstackHashProgress)(guint64 done, guint64 total, gpointer user_data);

typedef struct {
	const gchar *name; /* for errors, borrowed */
	int fd;		   /* a regular file open for reading at its start; owned */
	guint wanted;	   /* DstackDigestFlags */
	gboolean keep;	   /* also keep the bytes: for files that are measured from memory */
	gsize max_kept;	   /* the largest file to keep */

	/* the outcome: digests and, where kept, the bytes that gave them; or why not */
	struct stat st;
	DstackFileDigests digests;
	GBytes *bytes;	 /* (nullable) */
	gboolean cached; /* the cache knew, nothing was read */
	GError *error;	 /* (nullable) */
} DstackHashJob;

DstackHashJob *dstack_hash_job_new(const gchar *name, int fd, guint wanted);
void dstack_hash_job_free(DstackHashJob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackHashJob, dstack_hash_job_free)

/*
 * Does every job, asking the cache first for those that keep nothing, and tells it what was computed. A file that
 * changes while it is read is an error of its job. FALSE only when cancelled.
 */
gboolean dstack_hash_files(GPtrArray *jobs, DstackDigestCache *cache, DstackHashProgress progress, gpointer user_data,
			   GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
