/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Work under way as an object on the bus, with progress and a way to stop it.
 */
#pragma once

#include <gio/gio.h>

#include "daemon/dbus-generated.h"

G_BEGIN_DECLS

typedef struct _DstackJobs DstackJobs;
typedef struct _DstackJob DstackJob;

/* the jobs of a service; @allow_cancel decides for anybody but a job's own caller */
DstackJobs *dstack_jobs_new(GDBusObjectManagerServer *manager, GSourceFunc on_idle, gpointer user_data);
void dstack_jobs_free(DstackJobs *self);
DstackJob *dstack_jobs_start(DstackJobs *self, const gchar *caller);
void dstack_jobs_cancel_caller(DstackJobs *self, const gchar *caller);
void dstack_jobs_cancel_all(DstackJobs *self);
guint dstack_jobs_n_running(const DstackJobs *self);
guint dstack_jobs_n_running_of(const DstackJobs *self, const gchar *caller);

/* main thread */
const gchar *dstack_job_peek_path(const DstackJob *self);
GCancellable *dstack_job_peek_cancellable(const DstackJob *self);
void dstack_job_finish(DstackJob *self, gboolean success, const gchar *result_json);
void dstack_job_fail(DstackJob *self, const GError *error);

/* any thread: shown within a tenth of a second */
void dstack_job_set_progress(DstackJob *self, gdouble fraction, const gchar *stage);

DstackJob *dstack_job_ref(DstackJob *self);
void dstack_job_unref(DstackJob *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackJobs, dstack_jobs_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackJob, dstack_job_unref)

G_END_DECLS
