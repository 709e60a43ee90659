/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Authenticode digest of a PE image: what firmware measures when it starts an EFI program.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

gboolean dstack_authenticode_sha256(const guint8 *data, gsize size, DstackSha256 *out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_authenticode_sha384(const guint8 *data, gsize size, DstackSha384 *out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the same of an image whose first head_size bytes are to be read from head instead */
gboolean dstack_authenticode_sha384_with_head(const guint8 *data, gsize size, const guint8 *head, gsize head_size,
					      DstackSha384 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
