/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * QE identity: which quoting enclave may sign, and its levels (evidence.md part A, section 8).
 * Parsing says nothing about who signed it: see dcap/collateral.h.
 */
#pragma once

#include <glib.h>

#include "dcap/tcb-status.h"
#include "tdx/quote.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_QE_SGX = 1, /* "QE" */
	DSTACK_QE_QVE,	   /* "QVE": of no quote */
	DSTACK_QE_TDX,	   /* "TD_QE" */
} DstackQeKind;

typedef struct {
	DstackQeKind kind;
	gint64 issue_date;
	gint64 next_update;
	guint32 evaluation_number;
	guint8 miscselect[4]; /* all in the order of the report */
	guint8 miscselect_mask[4];
	guint8 attributes[16];
	guint8 attributes_mask[16];
	guint8 mrsigner[32];
	guint16 isvprodid;
	GPtrArray *levels; /* (element-type DstackIsvLevel), best first, never empty */
} DstackQeIdentity;

/* the signed text itself: the value of "enclaveIdentity" */
DstackQeIdentity *dstack_qe_identity_parse(const gchar *text, gsize size, GError **error);
void dstack_qe_identity_free(DstackQeIdentity *self);
/* that the report is of this enclave, and the enclave the one for the kind of quote */
gboolean dstack_qe_identity_ensure_fits(const DstackQeIdentity *self, const DstackSgxBody *qe_report, gboolean is_tdx,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackQeIdentity, dstack_qe_identity_free)

G_END_DECLS
