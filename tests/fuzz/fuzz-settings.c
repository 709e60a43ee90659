/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration: what is accepted leaves no choice open.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "base/limits.h"
#include "launch/settings.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackSettings) settings = dstack_settings_new();

	if (size > DSTACK_LIMIT_SETTINGS || !dstack_settings_apply(settings, (const gchar *)data, size, "fuzz", NULL))
		return 0;
	g_assert_cmpint(settings->policy, !=, DSTACK_POLICY_UNSET);
	g_assert_cmpint(settings->check, !=, DSTACK_CHECK_UNSET);
	g_assert_cmpuint(g_strv_length(settings->image_dirs), >, 0);
	for (guint i = 0; settings->image_dirs[i] != NULL; i++)
		g_assert_true(g_path_is_absolute(settings->image_dirs[i]));
	g_assert_cmpuint(settings->hook_timeout, >=, 1);
	g_assert_cmpuint(settings->hook_timeout, <=, 10);
	return 0;
}
