/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of any form, told apart by content: it is of a platform that is verified here, and explained without harm.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "attestation/attestation.h"
#include "verify/explain.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackAttestation) attestation = dstack_attestation_parse(data, size, NULL);

	dstack_explanation_free(dstack_explain(data, size, NULL));
	if (attestation == NULL)
		return 0;
	g_assert_true(dstack_platform_ensure_supported(attestation->platform, NULL));
	if (attestation->platform == DSTACK_PLATFORM_TDX)
		g_assert_true(attestation->quote != NULL && attestation->event_log != NULL);
	else
		g_assert_nonnull(attestation->report);
	return 0;
}
