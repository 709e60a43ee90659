/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What was put where for one start of a domain, so that its end can take back exactly that.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct {
	gchar *share_dir;
	guint64 share_device, share_inode; /* of the directory: another one at the same path is not touched */
	GBytes *previous;		   /* (nullable): .sys-config.json as it was, NULL where there was none */
	DstackSha256 written;		   /* digest of the file as we left it */
	gchar *disk;			   /* (nullable): the share disk that we made */
} DstackLaunchRecord;

DstackLaunchRecord *dstack_launch_record_new(void);
void dstack_launch_record_free(DstackLaunchRecord *self);

/* records stand in @state_dir, which is private to the caller's user, named by UUID */
gboolean dstack_launch_record_store(const DstackLaunchRecord *self, const gchar *state_dir, const gchar *uuid,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *out is NULL where there is none */
gboolean dstack_launch_record_load(const gchar *state_dir, const gchar *uuid, DstackLaunchRecord **out,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_launch_record_remove(const gchar *state_dir, const gchar *uuid,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

DstackLaunchRecord *dstack_launch_record_parse(const gchar *text, gsize size, GError **error);
gchar *dstack_launch_record_build(const DstackLaunchRecord *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackLaunchRecord, dstack_launch_record_free)

G_END_DECLS
