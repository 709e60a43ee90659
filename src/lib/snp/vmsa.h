/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A vCPU's save area as QEMU and KVM set it up before the launch is finished.
 */
#pragma once

#include "snp/hashes-page.h"

G_BEGIN_DECLS

#define DSTACK_SNP_BSP_EIP 0xfffffff0U /* where the first vCPU starts */

DstackSnpPage dstack_snp_vmsa_build(guint32 eip, guint32 cpu_signature, guint64 sev_features);

G_END_DECLS
