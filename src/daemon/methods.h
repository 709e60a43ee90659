/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The work of the service's methods. Each runs on a worker thread with nothing but its own call.
 */
#pragma once

#include "daemon/call.h"

G_BEGIN_DECLS

gboolean dstack_method_prepare(DstackCall *call, GCancellable *cancellable, GError **error);
gboolean dstack_method_prepare_domain(DstackCall *call, GCancellable *cancellable, GError **error);
gboolean dstack_method_verify(DstackCall *call, GCancellable *cancellable, GError **error);
gboolean dstack_method_label_event_log(DstackCall *call, GCancellable *cancellable, GError **error);
gboolean dstack_method_measure(DstackCall *call, GCancellable *cancellable, GError **error);
gboolean dstack_method_expect(DstackCall *call, GCancellable *cancellable, GError **error);

G_END_DECLS
