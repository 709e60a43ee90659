/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records of what the hook put where: parse, build, parse gives the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "launch/record.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackLaunchRecord) first = dstack_launch_record_parse((const gchar *)data, size, NULL);
	g_autoptr(DstackLaunchRecord) second = NULL;
	g_autofree gchar *text = NULL;

	if (first == NULL)
		return 0;
	text = dstack_launch_record_build(first);
	second = dstack_launch_record_parse(text, strlen(text), NULL);
	g_assert_nonnull(second);
	g_assert_cmpstr(first->share_dir, ==, second->share_dir);
	g_assert_cmpstr(first->disk, ==, second->disk);
	g_assert_cmpuint(first->share_inode, ==, second->share_inode);
	g_assert_true(dstack_sha256_equal(&first->written, &second->written));
	g_assert_cmpint(first->previous != NULL, ==, second->previous != NULL);
	return 0;
}
