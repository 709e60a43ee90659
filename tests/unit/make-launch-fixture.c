/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * For shell tests: makes the host of support/launch-fixture.h, with a domain and a configuration for the hook, and
 * prints its directory, which is the caller's to remove.
 */

#include "config.h"

#include "support/launch-fixture.h"

int
main(void)
{
	DstackLaunchFixture fixture = {0};
	g_autofree gchar *domain = NULL;
	g_autofree gchar *configuration = NULL;

	dstack_launch_fixture_init(&fixture);
	domain = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	dstack_launch_fixture_write(&fixture, "domain.xml", domain);
	configuration =
	    g_strdup_printf("[images]\ndirs=%s\n[check]\nlevel=material\n[cache]\ndir=%s/cache\n[hook]\nstate=%s\n",
			    fixture.images, fixture.root, fixture.state);
	dstack_launch_fixture_write(&fixture, "bin/dstack-vmm-prep-hook.conf", configuration);
	g_print("%s\n", fixture.root);
	dstack_launch_fixture_leave(&fixture);
	return 0;
}
