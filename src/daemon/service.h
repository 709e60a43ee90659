/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * org.dstack.VmmPrep1 on a bus connection.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _DstackService DstackService;

typedef struct {
	const gchar *config_path; /* (nullable): instead of the host's */
	const gchar *cache_dir;	  /* (nullable): instead of the configured one */
	guint idle_seconds;	  /* leave after so long without work; 0: never */
} DstackServiceOptions;

/* @on_leave is called on the main thread when the service has been idle for long enough */
DstackService *dstack_service_new(GDBusConnection *connection, const DstackServiceOptions *options,
				  GSourceFunc on_leave, gpointer user_data, GError **error);
gboolean dstack_service_reload(DstackService *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* refuses new work, ends what is under way and answers it */
void dstack_service_free(DstackService *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackService, dstack_service_free)

G_END_DECLS
