/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of the forge share, and what tests of single parsers take from it.
 */
#pragma once

#include "support/tdx-forge.h"

G_BEGIN_DECLS

EVP_PKEY *dstack_forge_signing_key(const DstackForge *self, DstackForgeItem item, EVP_PKEY *rightful);
GBytes *dstack_forge_pck_extension(const DstackPck *pck);
gchar *dstack_forge_tcb_info(const DstackForge *self);
gchar *dstack_forge_qe_identity(const DstackForge *self);
/* chain: the PEM certificates, for certification data of type 5 */
GBytes *dstack_forge_quote(const DstackForge *self, const gchar *chain);

G_END_DECLS
