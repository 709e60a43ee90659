/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The events of RTMR1: the kernel, and what the firmware does with it.
 */
#pragma once

#include "tdx/layout.h"

G_BEGIN_DECLS

/* adds every event of RTMR1 that is the same for each boot: the actions and the separator */
void dstack_rtmr1_add_constants(DstackTdxEventSet *events);

G_END_DECLS
