/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * GCP material: the unified kernel image that a confidential VM of Google's boots.
 */
#pragma once

#include "image/image.h"

G_BEGIN_DECLS

/* metadata.json has no member for it: the caller says which file of the image it is */
gboolean dstack_measure_gcp_material(const DstackImage *image, const gchar *uki, DstackGcpMaterial *out,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
