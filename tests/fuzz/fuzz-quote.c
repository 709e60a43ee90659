/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Quotes: what is read lies inside the input and adds up to it.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "tdx/quote.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackQuote quote = {0};

	if (!dstack_quote_parse(&quote, data, size, NULL))
		return 0;
	g_assert_true(dstack_quote_looks_like(data, size));
	g_assert_true(quote.signed_bytes.data == data);
	g_assert_true(quote.body.data >= data && quote.body.data + quote.body.size <= data + size);
	g_assert_true(quote.certification.data.data >= data);
	g_assert_true(quote.certification.data.data + quote.certification.data.size + quote.n_padding == data + size);
	return 0;
}
