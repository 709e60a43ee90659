/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDX evidence to a verdict.
 */
#pragma once

#include "verify/verifier.h"

G_BEGIN_DECLS

/* an error only for options that make no sense: whatever is wrong with the evidence stands in the verdict */
DstackVerdict *dstack_verify_tdx(const DstackAttestation *attestation, const DstackVerifyOptions *options,
				 GError **error);
/* a quote of SGX or TDX without a vm_config: signature, chain, TCB and attributes only */
DstackVerdict *dstack_verify_tdx_quote(const guint8 *data, gsize size, const DstackVerifyOptions *options,
				       GError **error);

G_END_DECLS
