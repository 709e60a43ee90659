/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A method's options as a hostile caller packs them. Compiled once for each method that has options:
 * FUZZ_METHOD says which.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "daemon/options.h"

#define FUZZ_VERIFY 100

static void
unpack_prepare(GVariant *options)
{
	g_auto(DstackPrepareOptions) self = {0};

	if (!dstack_prepare_options_unpack(&self, (DstackOptionsMethod)FUZZ_METHOD, "image", options, NULL))
		return;
	g_assert_cmpint(self.inject, >=, -1);
	g_assert_cmpstr(self.request->image, ==, "image");
	g_assert_false(self.request->allow_path);
}

static void
unpack_verify(GVariant *options)
{
	g_auto(DstackVerifyCall) self = {0};

	if (!dstack_verify_call_unpack(&self, options, NULL))
		return;
	g_assert_cmpint(self.collateral, >=, -1);
	g_assert_cmpint(self.root, >=, -1);
	g_assert_cmpuint(self.max_vmpl, <=, 3);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(GVariant) options =
	    g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE_VARDICT, bytes, FALSE));

	if (FUZZ_METHOD == FUZZ_VERIFY)
		unpack_verify(options);
	else
		unpack_prepare(options);
	return 0;
}
