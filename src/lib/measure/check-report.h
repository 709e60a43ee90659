/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Filling a DstackCheckReport.
 */
#pragma once

#include "measure/check.h"

G_BEGIN_DECLS

/* says nothing yet, not even of which image; not sound */
DstackCheckReport *dstack_check_report_new_empty(void);
DstackCheckReport *dstack_check_report_new(const DstackImage *image);
void dstack_check_report_add_problem(DstackCheckReport *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
void dstack_check_report_add_note(DstackCheckReport *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
/* an item that was left out */
void dstack_check_report_add_skipped(DstackCheckReport *self, const gchar *kind, const gchar *name, guint64 size);
/* an item that could not be read or computed: also a problem */
void dstack_check_report_add_failure(DstackCheckReport *self, const gchar *kind, const gchar *name,
				     const gchar *problem);
/*
 * Two values of one thing. Where they differ that is a problem, and cause (nullable) says why they might.
 * size: of a file, 0 for a field.
 */
void dstack_check_report_add_comparison(DstackCheckReport *self, const gchar *kind, const gchar *name,
					const gchar *expected, const gchar *found, guint64 size, const gchar *cause);

G_END_DECLS
