/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Why registers differ: the first that does, and what usually makes it.
 */
#pragma once

#include "image/material.h"
#include "verify/tdx-registers.h"

G_BEGIN_DECLS

/*
 * A sentence that names the first register, and the first event where it can be known, and a likely cause; NULL where
 * nothing differs. Decides nothing.
 */
gchar *dstack_tdx_find_cause(const DstackTdxRegistersView *self, const DstackTdxMaterial *material,
			     guint64 memory_size);

G_END_DECLS
