/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keccak-256 as Ethereum uses it: the Keccak submission's padding, which SHA3-256 changed. OpenSSL 3.0 lacks it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* suffix 0x06 makes it SHA3-256 */
void dstack_keccak_sponge256(const guint8 *data, gsize size, guint8 suffix, guint8 out[32]);
void dstack_keccak256(const guint8 *data, gsize size, guint8 out[32]);

G_END_DECLS
