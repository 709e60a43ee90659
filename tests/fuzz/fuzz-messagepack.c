/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MessagePack: what was read can be written, also as SCALE, and means the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "attestation/attestation.h"
#include "support/attestation-builder.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackAttestation) attestation = dstack_attestation_parse_messagepack(data, size, NULL);
	g_autoptr(DstackAttestation) again = NULL;
	g_autoptr(GBytes) bytes = NULL;

	if (attestation == NULL)
		return 0;
	/* nil and absent are the same there, and SCALE has no absent text */
	if (attestation->platform == DSTACK_PLATFORM_SEV_SNP && attestation->mr_config == NULL)
		return 0;
	bytes = dstack_test_scale_build(attestation);
	again = dstack_attestation_parse_scale(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
	g_assert_nonnull(again);
	g_assert_cmpstr(attestation->config, ==, again->config);
	return 0;
}
