/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an image directory looks like at one moment, without hashing its large files.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef struct {
	gchar *name;
	gchar *path;
	gchar *version;	      /* "" where unknown */
	gchar *os_image_hash; /* hex, "" while it cannot be read */
	gchar **tees;
	gboolean is_dev;
	gboolean complete;	  /* everything that metadata and manifest name is there */
	gboolean broken;	  /* what is there makes no sense, however complete */
	gchar *problem;		  /* (nullable): why it is not complete */
	gint64 last_change;	  /* seconds since 1970, of the file that changed last */
	DstackSha256 fingerprint; /* over name, identity, size and times of every file in it */
} DstackImageSnapshot;

/* (element-type DstackImageSnapshot): of every image below the roots that a name can mean */
GPtrArray *dstack_image_snapshots_take(const gchar *const *roots, GError **error);
void dstack_image_snapshot_free(DstackImageSnapshot *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackImageSnapshot, dstack_image_snapshot_free)

G_END_DECLS
