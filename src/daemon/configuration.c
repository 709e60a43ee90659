/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration a request runs under.
 */

#include "config.h"

#include "daemon/configuration.h"

/**
 * dstack_configuration_load:
 * @path: (nullable): a configuration file somebody named; %NULL for the host's
 * @cache_dir: (nullable): the service's own digest cache, instead of the configured one
 * @error: (out) (optional): what is wrong, with file and line
 *
 * Returns: (transfer full) (nullable): the configuration as it is on disk now
 */
DstackConfiguration *
dstack_configuration_load(const gchar *path, const gchar *cache_dir, GError **error)
{
	g_autoptr(DstackSettings) settings =
	    dstack_settings_load(path == NULL ? dstack_settings_default_path() : path, path != NULL, error);
	DstackConfiguration *self = NULL;

	if (settings == NULL)
		return NULL;
	self = g_atomic_rc_box_new0(DstackConfiguration);
	self->cache_dir = g_strdup(cache_dir == NULL ? settings->cache_dir : cache_dir);
	self->settings = g_steal_pointer(&settings);
	return self;
}

DstackConfiguration *
dstack_configuration_ref(DstackConfiguration *self)
{
	return g_atomic_rc_box_acquire(self);
}

static void
configuration_clear(gpointer data)
{
	DstackConfiguration *self = data;

	dstack_settings_free(self->settings);
	g_free(self->cache_dir);
}

void
dstack_configuration_unref(DstackConfiguration *self)
{
	if (self != NULL)
		g_atomic_rc_box_release_full(self, configuration_clear);
}

/**
 * dstack_configuration_to_context:
 * @self: the configuration, which must outlive the context
 *
 * Returns: what the library is to know of the outside world, at this moment
 */
DstackContext
dstack_configuration_to_context(const DstackConfiguration *self)
{
	return (DstackContext){.now = g_get_real_time() / G_USEC_PER_SEC, .cache_dir = self->cache_dir};
}
