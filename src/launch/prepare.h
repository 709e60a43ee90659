/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a request to the vm_config of a launch, or to the reason why there is none. Command line, hook and
 * bus all call this, so that they give the same answer.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>

#include "base/context.h"
#include "base/digest.h"
#include "image/image.h"
#include "launch/request.h"

G_BEGIN_DECLS

typedef struct {
	gchar *vm_config; /* compact JSON, exactly what the guest reads */
	gchar *mr_config; /* (nullable): the document beside it */
	DstackLaunchTee tee;
	gchar *variant; /* "lite", "legacy"; NULL for SEV-SNP */
	gchar *reason;	/* why that variant, a sentence without a full stop */
	gchar **warnings;
	gchar *image;	      /* its name */
	gchar *image_path;    /* the directory it was found in */
	gchar *image_version; /* (nullable) */
	DstackSha256 os_image_hash;
	gchar *qemu_version; /* (nullable) */
	DstackCheckLevel checked;
	DstackImage *opened; /* the image it was made from: what was checked is what is launched */
} DstackLaunchResult;

void dstack_launch_result_free(DstackLaunchResult *self);

/*
 * @share_fd: the host-shared directory, or -1: its app-compose.json may demand a variant, and its
 * .sys-config.json may hold the mr_config. Nothing is written.
 * Errors: REFUSED (policy), UNSOUND (image or material), NOT_FOUND, MALFORMED, INVALID_ARGUMENT, FAILED.
 */
DstackLaunchResult *dstack_launch_prepare(const DstackLaunchRequest *request, const DstackSettings *settings,
					  const DstackContext *context, int share_fd, GCancellable *cancellable,
					  GError **error);

/* appends to result->warnings; takes the message over */
void dstack_launch_result_warn(DstackLaunchResult *self, gchar *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackLaunchResult, dstack_launch_result_free)

G_END_DECLS
