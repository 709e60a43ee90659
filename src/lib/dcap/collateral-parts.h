/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The nine pieces of collateral as bytes, before anything is made of them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	DSTACK_PART_PCK_CRL_ISSUER_CHAIN,
	DSTACK_PART_ROOT_CA_CRL,
	DSTACK_PART_PCK_CRL,
	DSTACK_PART_TCB_INFO_ISSUER_CHAIN,
	DSTACK_PART_TCB_INFO,
	DSTACK_PART_TCB_INFO_SIGNATURE,
	DSTACK_PART_QE_IDENTITY_ISSUER_CHAIN,
	DSTACK_PART_QE_IDENTITY,
	DSTACK_PART_QE_IDENTITY_SIGNATURE,
	DSTACK_N_PARTS
} DstackPart;

typedef struct {
	GBytes *part[DSTACK_N_PARTS];
} DstackCollateralParts;

/* the member of QuoteCollateralV3 */
const gchar *dstack_part_to_string(DstackPart part);
gboolean dstack_collateral_parts_from_json(DstackCollateralParts *self, const gchar *text, gsize size,
					   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_collateral_parts_from_directory(DstackCollateralParts *self, int dirfd,
						GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* {"tcbInfo": {…}, "signature": "…"}, as Intel's service answers: the exact bytes of the one, the text of the other */
gboolean dstack_collateral_split_document(GBytes *envelope, const gchar *member, GBytes **out_document,
					  GBytes **out_signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_collateral_parts_clear(DstackCollateralParts *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackCollateralParts, dstack_collateral_parts_clear)

G_END_DECLS
