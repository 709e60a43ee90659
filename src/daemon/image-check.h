/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One check of one image, on a thread of its own.
 */
#pragma once

#include <gio/gio.h>

#include "base/digest.h"
#include "daemon/configuration.h"
#include "daemon/job.h"

G_BEGIN_DECLS

typedef struct {
	DstackConfiguration *configuration;
	gchar *name;
	gchar *path;
	DstackSha256 fingerprint; /* of the directory as it was when the check was asked for */
	DstackJob *job;		  /* (nullable): who asked; NULL: the service itself */
	GCancellable *cancellable;

	/* the outcome */
	const gchar *state; /* "sound", "unsound", or "unchecked" where it could not be decided */
	gchar **problems;
	gchar *report; /* (nullable): JSON */
	GError *error; /* (nullable): why there is no report */
} DstackImageCheck;

typedef void (*DstackImageCheckDone)(DstackImageCheck *check, gpointer user_data);

DstackImageCheck *dstack_image_check_new(DstackConfiguration *configuration, const gchar *name, const gchar *path,
					 const DstackSha256 *fingerprint, DstackJob *job);
void dstack_image_check_free(DstackImageCheck *self);
/* @done runs on the main thread and takes the check over */
void dstack_image_check_start(DstackImageCheck *self, DstackImageCheckDone done, gpointer user_data);
void dstack_image_check_finish_job(DstackImageCheck *self);

G_END_DECLS
