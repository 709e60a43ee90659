/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which QEMU a program is: asked once, then remembered by the file's identity.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

/* "X.Y.Z", digits without leading zeros */
gboolean dstack_qemu_version_parse(const gchar *text, guint *out_major, guint *out_minor, guint *out_micro,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* finds X.Y.Z in what `qemu-system-x86_64 --version` prints */
gchar *dstack_qemu_version_scan(const gchar *output, GError **error);
/* @cache_dir (nullable): where answers are remembered; a cache that cannot be used is no error */
gchar *dstack_qemu_version_ask(const gchar *path, const gchar *cache_dir, GCancellable *cancellable, GError **error);

G_END_DECLS
