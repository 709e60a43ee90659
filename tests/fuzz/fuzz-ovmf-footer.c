/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV metadata at the end of a firmware of whole pages. What parses can be measured.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "snp/launch.h"
#include "snp/ovmf-footer.h"

#define LARGEST_INPUT (4 * DSTACK_SNP_PAGE_SIZE)

/* hashing what a hostile size asks for is bounded, but too slow for a fuzzer */
static gboolean
is_small(const DstackOvmfFooter *footer)
{
	guint64 total = 0;

	for (gsize i = 0; i < footer->n_sections; i++)
		total += footer->sections[i].size;
	return total < 1024 * DSTACK_SNP_PAGE_SIZE;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	gsize padded = (size + DSTACK_SNP_PAGE_SIZE - 1) / DSTACK_SNP_PAGE_SIZE * DSTACK_SNP_PAGE_SIZE;
	g_autofree guint8 *firmware = NULL;
	DstackOvmfFooter footer = {0};
	DstackSha384 digest = {{0}};

	if (size == 0 || size > LARGEST_INPUT)
		return 0;
	firmware = g_malloc0(padded);
	memcpy(firmware + padded - size, data, size);
	if (!dstack_ovmf_footer_parse(&footer, firmware, padded, NULL))
		return 0;
	g_assert_cmpuint(footer.n_sections, >, 0);
	g_assert_cmpuint(footer.n_sections, <=, DSTACK_SNP_MAX_SECTIONS);
	g_assert_true(dstack_snp_ovmf_hash_compute(firmware, padded, &digest, NULL));
	if (is_small(&footer))
		g_assert_true(dstack_snp_digest_add_sections(&digest, footer.sections, footer.n_sections, NULL, NULL));
	return 0;
}
