/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may call what: polkit decides where it is there, else only root may do more than read.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define DSTACK_ACTION_READ    "org.dstack.vmm-prep1.read"
#define DSTACK_ACTION_PREPARE "org.dstack.vmm-prep1.prepare"
#define DSTACK_ACTION_INJECT  "org.dstack.vmm-prep1.inject"
#define DSTACK_ACTION_MANAGE  "org.dstack.vmm-prep1.manage"

const gchar *dstack_authorize_action_for_method(const gchar *interface, const gchar *method);

void dstack_authorize_async(GDBusMethodInvocation *invocation, const gchar *action, GCancellable *cancellable,
			    GAsyncReadyCallback callback, gpointer user_data);
gboolean dstack_authorize_finish(GAsyncResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
