/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The byte cursor under a random sequence of reads: the first bytes say which.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "base/reader.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackReader script;
	DstackReader reader;
	guint8 op = 0;

	dstack_reader_init(&script, data, size / 2, "script");
	dstack_reader_init(&reader, data + size / 2, size - size / 2, "fuzz");
	while (dstack_reader_u8(&script, "op", &op, NULL)) {
		gsize before = dstack_reader_left(&reader);
		guint64 number = 0;
		DstackReader part;

		if (op < 64)
			(void)!dstack_reader_uleb128(&reader, "number", &number, NULL);
		else if (op < 128)
			(void)!dstack_reader_u64be(&reader, "number", &number, NULL);
		else if (op < 192)
			(void)!dstack_reader_skip_zero(&reader, op - 128, "zeros", NULL);
		else
			(void)!dstack_reader_sub(&reader, op - 192, "part", &part, NULL);
		g_assert_cmpuint(dstack_reader_left(&reader), <=, before);
	}
	return 0;
}
