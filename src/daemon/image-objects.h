/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The images on this host as objects on the bus, which follow the disk by themselves.
 */
#pragma once

#include <gio/gio.h>

#include "daemon/configuration.h"
#include "daemon/job.h"

G_BEGIN_DECLS

typedef struct _DstackImageObjects DstackImageObjects;

DstackImageObjects *dstack_image_objects_new(GDBusObjectManagerServer *objects, DstackConfiguration *configuration);
void dstack_image_objects_free(DstackImageObjects *self);

void dstack_image_objects_reconfigure(DstackImageObjects *self, DstackConfiguration *configuration);
/* job (nullable): finished when the scan is */
void dstack_image_objects_rescan(DstackImageObjects *self, DstackJob *job);
gboolean dstack_image_objects_has(const DstackImageObjects *self, const gchar *name,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_image_objects_check(DstackImageObjects *self, const gchar *name, DstackJob *job);
gboolean dstack_image_objects_are_busy(const DstackImageObjects *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackImageObjects, dstack_image_objects_free)

G_END_DECLS
