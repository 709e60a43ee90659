/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The events of RTMR2: what the kernel's EFI stub measures, the command line and the initrd.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* of the command line as metadata.json has it; valid UTF-8 */
gboolean dstack_rtmr2_cmdline_digest(const gchar *cmdline, DstackSha384 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the command line commits the root filesystem: exactly one dstack.rootfs_hash=<64 hex>, and ASCII throughout */
gboolean dstack_rtmr2_ensure_cmdline(const gchar *cmdline, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
