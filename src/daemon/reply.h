/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Errors as they leave on the bus.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void dstack_reply_register_errors(void);
void dstack_reply_error(GDBusMethodInvocation *invocation, const GError *error);
gchar *dstack_reply_error_to_json(const GError *error);

G_END_DECLS
