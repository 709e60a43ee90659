/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration a request runs under. Shared between threads, never changed: a reload makes a
 * new one, and requests under way keep theirs.
 */
#pragma once

#include <glib.h>

#include "base/context.h"
#include "launch/settings.h"

G_BEGIN_DECLS

typedef struct {
	DstackSettings *settings;
	gchar *cache_dir; /* the service's own digest cache; NULL: none */
} DstackConfiguration;

DstackConfiguration *dstack_configuration_load(const gchar *path, const gchar *cache_dir, GError **error);
DstackConfiguration *dstack_configuration_ref(DstackConfiguration *self);
void dstack_configuration_unref(DstackConfiguration *self);

/* a context for one request: the time is now; borrows from self */
DstackContext dstack_configuration_to_context(const DstackConfiguration *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackConfiguration, dstack_configuration_unref)

G_END_DECLS
