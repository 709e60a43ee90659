/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Evidence, register by register and event by event: what is quoted, what the log replays, what the image expects.
 *
 * Explains only: no signature is looked at, so nothing here is a verdict.
 */
#pragma once

#include <glib.h>

#include "attestation/attestation.h"
#include "snp/report.h"
#include "tdx/quote.h"
#include "verify/verdict.h"

G_BEGIN_DECLS

typedef struct {
	GBytes *bytes; /* of the quote or report, which the next two were read from */
	gboolean has_quote;
	DstackQuote quote;
	gboolean has_report;
	DstackSnpReport report;
	GPtrArray *registers; /* (element-type DstackRegisterDebug): MRTD, then the RTMRs; of SEV-SNP what differs */
	gchar *difference;    /* (nullable): the first that differs, and what usually causes it */
	GPtrArray *notes;     /* (element-type utf8): what could not be compared, and why */
} DstackExplanation;

/* evidence in any form, or a bare quote or report, in bytes or hex */
DstackExplanation *dstack_explain(const guint8 *data, gsize size, GError **error);
gboolean dstack_explanation_compares(const DstackExplanation *self);
void dstack_explanation_free(DstackExplanation *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackExplanation, dstack_explanation_free)

G_END_DECLS
