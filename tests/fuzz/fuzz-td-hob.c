/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TD HOB witness: what is read and written again means the same, and gives a list at any memory size.
 */

#include "config.h"

#include "fuzz/fuzz.h"
#include "tdx/td-hob.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const guint64 memory_sizes[] = {0, 0x80000000, 0xb0000000, G_MAXUINT64};
	g_autoptr(GBytes) packed = NULL;
	DstackTdHobWitness witness;
	DstackTdHobWitness again;

	if (!dstack_td_hob_witness_parse(&witness, data, size, NULL))
		return 0;
	packed = dstack_td_hob_witness_build(&witness);
	g_assert_cmpuint(g_bytes_get_size(packed), <=, size);
	g_assert_true(
	    dstack_td_hob_witness_parse(&again, g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), NULL));
	for (guint i = 0; i < G_N_ELEMENTS(memory_sizes); i++) {
		DstackSha384 first = dstack_td_hob_digest(&witness, memory_sizes[i]);
		DstackSha384 second = dstack_td_hob_digest(&again, memory_sizes[i]);

		g_assert_true(dstack_sha384_equal(&first, &second));
	}
	return 0;
}
