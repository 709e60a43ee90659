/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Domain XML: what is accepted holds what a launch relies on.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "launch/domain.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree gchar *uuid = dstack_domain_read_uuid((const gchar *)data, size, NULL);
	g_autoptr(DstackDomain) domain = dstack_domain_parse((const gchar *)data, size, "/nonexistent", NULL);
	g_autoptr(DstackLaunchRequest) request = NULL;

	if (domain == NULL)
		return 0;
	g_assert_cmpstr(domain->uuid, ==, uuid);
	if (!domain->has_metadata)
		return 0;
	g_assert_true(dstack_domain_mentions_us((const gchar *)data, size));
	g_assert_true(dstack_launch_image_name_is_valid(domain->metadata.image));
	g_assert_cmpuint(domain->memory_size, >, 0);
	g_assert_cmpuint(domain->memory_size % (1024 * 1024), ==, 0);
	g_assert_cmpuint(domain->cpu_count, >, 0);
	request = dstack_domain_to_request(domain, NULL);
	g_assert_true(request == NULL || request->tee != DSTACK_LAUNCH_TEE_UNSET);
	return 0;
}
