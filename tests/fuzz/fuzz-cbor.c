/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The CBOR reader over items of any kind: it never steps beyond its input, and nowhere at all when it refuses.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "base/cbor.h"

static gboolean
member(DstackCborReader *reader, const gchar *key, gpointer user_data, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (key[0] == 'b')
		return dstack_cbor_read_bytes(reader, key, 64, &bytes, error);
	if (key[0] == 'm')
		return dstack_cbor_read_members(reader, key, member, user_data, error);
	return dstack_cbor_skip(reader, key, error);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackCborReader reader;
	DstackCborReader other;
	gboolean read = FALSE;

	/* members() nests as deep as the input asks, which a stack bears for this size only */
	if (size > 4096)
		return 0;
	dstack_cbor_reader_init(&reader, data, size, "fuzz");
	other = reader;
	while (dstack_cbor_skip(&reader, "item", NULL))
		g_assert_cmpuint(reader.pos, <=, size);
	g_assert_cmpuint(reader.pos, <=, size);
	read = dstack_cbor_read_members(&other, "map", member, NULL, NULL);
	g_assert_cmpint(read, ==, other.pos > 0);
	return 0;
}
