/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MrConfigV3: what is accepted is written in its canonical form, which reads back to itself.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "config/mr-config.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackMrConfig) first = dstack_mr_config_parse((const gchar *)data, size, NULL);
	g_autoptr(DstackMrConfig) second = NULL;
	g_autofree gchar *written = NULL;
	g_autofree gchar *again = NULL;

	if (first == NULL)
		return 0;
	written = dstack_mr_config_build(first);
	second = dstack_mr_config_parse(written, strlen(written), NULL);
	g_assert_nonnull(second);
	again = dstack_mr_config_build(second);
	g_assert_cmpstr(written, ==, again);
	return 0;
}
