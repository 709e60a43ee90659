/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors that callers hand over: read without trusting them to ever end, written only where
 * the caller could write.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* who a caller is, as the bus tells */
typedef struct {
	guint32 uid;
	const guint32 *gids; /* all of them; borrowed */
	gsize n_gids;
} DstackCredentials;

GBytes *dstack_descriptor_read(int fd, const gchar *what, gsize max, guint timeout_ms, GCancellable *cancellable,
			       GError **error);
gboolean dstack_descriptor_ensure_writable_directory(int fd, const DstackCredentials *credentials,
						     GError **error) G_GNUC_WARN_UNUSED_RESULT;
int dstack_descriptor_new_sealed(GBytes *bytes, const gchar *name, GError **error);

G_END_DECLS
