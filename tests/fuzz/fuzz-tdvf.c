/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDVF metadata: what is accepted can be measured without leaving the input.
 */

#include "config.h"

#include "fuzz/fuzz.h"
#include "tdx/mrtd.h"
#include "tdx/td-hob.h"
#include "tdx/tdvf.h"

/* a page costs a hash: enough to reach every loop, few enough to be quick */
#define MAX_PAGES 64

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackTdHobWitness witness;
	DstackTdvf tdvf;
	DstackSha384 digest;
	guint64 pages = 0;

	if (!dstack_tdvf_parse(&tdvf, data, size, NULL))
		return 0;
	(void)!dstack_tdvf_cfv_digest(&tdvf, &digest, NULL);
	g_assert_true(dstack_td_hob_witness_from_tdvf(&witness, &tdvf, NULL));
	for (guint i = 0; i < tdvf.n_sections; i++)
		pages += tdvf.sections[i].memory_size / 4096;
	if (pages <= MAX_PAGES) {
		(void)dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_SINGLE_PASS);
		(void)dstack_mrtd_compute(&tdvf, DSTACK_PAGE_ORDER_TWO_PASS);
	}
	return 0;
}
