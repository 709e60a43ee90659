/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCB info: the levels of one platform family, for SGX or for TDX (evidence.md part A, section 8).
 * Parsing says nothing about who signed it: see dcap/collateral.h.
 */
#pragma once

#include <glib.h>

#include "dcap/tcb-status.h"

G_BEGIN_DECLS

typedef struct {
	gboolean is_tdx;
	guint version; /* 2 (SGX) or 3 */
	gint64 issue_date;
	gint64 next_update;
	guint8 fmspc[6];
	guint8 pceid[2];
	guint32 evaluation_number;
	GPtrArray *levels; /* (element-type DstackPlatformLevel), best first, never empty */
	gboolean has_module;
	DstackTdxModule module;
	GPtrArray *module_identities; /* (element-type DstackTdxModuleIdentity), may be empty */
} DstackTcbInfo;

/* the signed text itself: the value of "tcbInfo" */
DstackTcbInfo *dstack_tcb_info_parse(const gchar *text, gsize size, GError **error);
void dstack_tcb_info_free(DstackTcbInfo *self);
/* that it speaks of this platform: TEE, FMSPC, PCE id */
gboolean dstack_tcb_info_ensure_fits(const DstackTcbInfo *self, const DstackPck *pck, gboolean is_tdx,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTcbInfo, dstack_tcb_info_free)

G_END_DECLS
