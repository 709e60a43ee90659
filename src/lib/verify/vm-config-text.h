/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where evidence carries its vm_config.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* the text itself, or the one inside a guest's whole .sys-config.json */
gchar *dstack_vm_config_text_unwrap(const gchar *config);

G_END_DECLS
