/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Material of an image against what its files give, field by field.
 */
#pragma once

#include "measure/check.h"
#include "measure/material-tdx.h"

G_BEGIN_DECLS

/* inputs: with the kernel's bytes where they are at hand, to find out why a digest differs */
void dstack_check_tdx_material(DstackCheckReport *report, const DstackTdxMaterial *found,
			       const DstackTdxMeasured *measured, const DstackTdxInputs *inputs);
void dstack_check_snp_material(DstackCheckReport *report, const DstackSnpMaterial *found,
			       const DstackSnpMaterial *expected);

G_END_DECLS
