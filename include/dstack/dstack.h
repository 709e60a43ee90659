/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only header that users of libdstack-verifier include.
 */
#pragma once

#include <dstack/error.h>
#include <dstack/verify.h>
