/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The events of RTMR0: firmware configuration, ACPI tables, boot variables.
 */
#pragma once

#include "tdx/layout.h"

G_BEGIN_DECLS

/* the digest of the empty 0x84000-byte variable store of the 4 MiB builds, which material takes for granted */
DstackSha384 dstack_rtmr0_default_cfv(void);

/* adds every event of RTMR0 that is the same for each boot: the variables, the separator, the default CFV */
void dstack_rtmr0_add_constants(DstackTdxEventSet *events);

G_END_DECLS
