/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may run when: requests wait per caller and are taken in turn, so that no caller holds up another.
 *
 * All functions are for the main thread; work runs on worker threads.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _DstackScheduler DstackScheduler;

/* runs on a worker thread; must look at @cancellable where it may take long */
typedef void (*DstackWork)(gpointer data, GCancellable *cancellable);

typedef struct {
	guint threads;		  /* worker threads in all */
	guint running_per_caller; /* of these, how many one caller may use at a time */
	guint waiting_per_caller; /* beyond which a request is refused */
} DstackSchedulerLimits;

DstackScheduler *dstack_scheduler_new(const DstackSchedulerLimits *limits, GSourceFunc on_idle, gpointer user_data);
void dstack_scheduler_free(DstackScheduler *self);

gboolean dstack_scheduler_push(DstackScheduler *self, const gchar *caller, DstackWork work, gpointer data,
			       GDestroyNotify data_free, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_scheduler_drop_caller(DstackScheduler *self, const gchar *caller);
void dstack_scheduler_drop_all(DstackScheduler *self);
guint dstack_scheduler_n_under_way(const DstackScheduler *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackScheduler, dstack_scheduler_free)

G_END_DECLS
