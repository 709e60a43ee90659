/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The images on a host: every directory below the image roots that claims to be one.
 */
#pragma once

#include "image/image.h"

G_BEGIN_DECLS

typedef struct {
	gchar *name;
	gchar *path;
	DstackImage *image; /* (nullable): NULL when it could not be opened, and then error says why */
	GError *error;
	gboolean shadowed; /* an earlier root has an image of the same name, which that name means */
} DstackImageEntry;

/*
 * Sorted by name, then by root. A root that does not exist holds nothing; one that cannot be read is an error.
 * (element-type DstackImageEntry) (transfer container)
 */
GPtrArray *dstack_images_scan(const gchar *const *roots, GError **error);

G_END_DECLS
