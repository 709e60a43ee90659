/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certification data of a quote: a PEM chain, its names, signatures, dates, and the leaf's extension. None of it
 * may be found authentic under the pinned root.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "dcap/chain.h"
#include "dcap/pck.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackContext context = {.now = 1767225600};
	DstackTrustAnchor anchor;
	DstackPck pck;

	if (!dstack_trust_anchor_init(&anchor, &context, NULL))
		return 0;
	for (guint kind = DSTACK_CHAIN_PCK; kind <= DSTACK_CHAIN_SIGNING; kind++) {
		g_autoptr(DstackChain) chain = dstack_chain_parse(kind, (const gchar *)data, size, "fuzz", NULL);

		if (chain == NULL)
			continue;
		g_assert_false(dstack_chain_ensure_authentic(chain, &anchor, NULL));
		(void)!dstack_chain_ensure_in_date(chain, context.now, NULL);
		(void)!dstack_pck_from_certificate(&pck, chain->leaf, NULL);
	}
	return 0;
}
