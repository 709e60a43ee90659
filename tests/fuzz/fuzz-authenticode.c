/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PE headers: a digest with the file's own head given apart is the digest of the file.
 */

#include "config.h"

#include "fuzz/fuzz.h"
#include "tdx/authenticode.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackSha256 sha256;
	DstackSha384 whole = {{0}};
	DstackSha384 split = {{0}};
	gboolean is_image = dstack_authenticode_sha384(data, size, &whole, NULL);

	g_assert_cmpint(dstack_authenticode_sha384_with_head(data, size, data, size / 2, &split, NULL), ==, is_image);
	g_assert_true(dstack_sha384_equal(&whole, &split));
	g_assert_cmpint(dstack_authenticode_sha256(data, size, &sha256, NULL), ==, is_image);
	return 0;
}
