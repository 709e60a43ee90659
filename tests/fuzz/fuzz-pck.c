/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The SGX extension of a PCK certificate. What was read is written again and read again: the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "dcap/pck.h"
#include "support/tdx-forge-internal.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackPck pck;
	DstackPck again;
	g_autoptr(GBytes) bytes = NULL;

	if (!dstack_pck_parse(&pck, data, size, NULL))
		return 0;
	bytes = dstack_forge_pck_extension(&pck);
	g_assert_true(dstack_pck_parse(&again, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL));
	g_assert_cmpmem(&pck, (int)sizeof(pck), &again, (int)sizeof(again));
	return 0;
}
