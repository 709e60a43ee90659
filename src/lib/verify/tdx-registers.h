/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A TD's registers three ways: as quoted, as the event log replays, as an image's material expects.
 */
#pragma once

#include <glib.h>

#include "eventlog/event-log.h"
#include "tdx/quote.h"
#include "verify/expected-tdx.h"
#include "verify/verdict.h"

G_BEGIN_DECLS

/* what there is to compare; borrowed */
typedef struct {
	const DstackTdBody *td;
	const DstackEventLog *event_log;
	const DstackEventLog *runtime;	   /* whose RTMR3 counts: often event_log itself */
	const DstackTdxExpected *expected; /* (nullable) */
} DstackTdxRegistersView;

void dstack_td_body_get_registers(const DstackTdBody *td, DstackTdxRegisters *out);

DstackRegisterDebug *dstack_tdx_registers_compare_mrtd(const DstackTdxRegistersView *self);
DstackRegisterDebug *dstack_tdx_registers_compare_rtmr(const DstackTdxRegistersView *self, guint imr);

/*
 * A log that is not stripped gives RTMR0 to RTMR2 as quoted, names no events but the ACPI three, and carries no
 * data that contradicts a digest.
 */
gboolean dstack_tdx_registers_ensure_log(const DstackTdxRegistersView *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* MRTD and RTMR0 to RTMR2 are as expected, and each event of a full log is of its kind */
gboolean dstack_tdx_registers_ensure_expected(const DstackTdxRegistersView *self,
					      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
