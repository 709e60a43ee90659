/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The words for checks that a caller does without: `--allow` on the command line, `allow` on the bus.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* adds one word to what is allowed already: debug, migratable, sept-ve, service-td, simulator, vmpl=N */
gboolean dstack_allow_parse(const gchar *word, guint *allow, guint *max_vmpl, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
