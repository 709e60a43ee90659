/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The entry point every fuzz target defines (LLVM libFuzzer).
 */
#pragma once

#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);
