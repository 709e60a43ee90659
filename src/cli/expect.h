/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the expect command.
 */
#pragma once

#include "cli/command.h"
#include "launch/expect.h"

G_BEGIN_DECLS

DstackRecord *dstack_expect_render(const DstackExpectation *expectation);

G_END_DECLS
