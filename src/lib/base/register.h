/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Measurement registers: what TDX keeps, and how one is extended.
 */
#pragma once

#include "base/digest.h"

G_BEGIN_DECLS

#define DSTACK_N_RTMRS 4

/* the registers of a TD: a value type, zero before anything is measured */
typedef struct {
	DstackSha384 mrtd;
	DstackSha384 rtmr[DSTACK_N_RTMRS];
} DstackTdxRegisters;

void dstack_register_extend(DstackSha384 *self, const DstackSha384 *digest);
DstackSha384 dstack_register_replay(const DstackSha384 *digests, gsize n);

G_END_DECLS
