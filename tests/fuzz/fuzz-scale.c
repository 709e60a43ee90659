/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SCALE: an encoding that is accepted is the only one, so writing what was read gives the same bytes.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "attestation/attestation.h"
#include "support/attestation-builder.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackAttestation) attestation = dstack_attestation_parse_scale(data, size, NULL);
	g_autoptr(GBytes) input = g_bytes_new_static(data, size);
	g_autoptr(GBytes) again = NULL;

	if (attestation == NULL)
		return 0;
	again = dstack_test_scale_build(attestation);
	g_assert_true(g_bytes_equal(input, again));
	return 0;
}
