/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral on disk: one file a platform, good until the first of its items expires. What is found there is
 * checked as if it came from the network.
 */
#pragma once

#include "dcap/collateral.h"
#include "fetch/pccs.h"

G_BEGIN_DECLS

/* authentic under context's root, in date, and of this platform; an error says which it is not */
DstackCollateral *dstack_collateral_check(const gchar *text, const DstackPlatformId *id, const DstackContext *context,
					  GError **error);
/* (transfer full) (nullable): the text kept in dir, if it is still good; NULL is no error */
gchar *dstack_collateral_find_kept(const gchar *dir, const DstackPlatformId *id, const DstackContext *context);
/* makes the directory where it is missing */
gboolean dstack_collateral_keep(const gchar *dir, const DstackPlatformId *id, const gchar *text,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
