/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Identity of a TD: values that follow from a quote and a log that have been verified (formats.md section 9).
 */
#pragma once

#include <glib.h>

#include "config/vm-config.h"
#include "eventlog/event-log.h"
#include "tdx/quote.h"
#include "verify/verdict.h"

G_BEGIN_DECLS

/* what it follows from; borrowed */
typedef struct {
	const DstackTdBody *td;
	const DstackEventLog *runtime; /* replays to the quote's RTMR3 */
	const DstackVmConfig *config;  /* whose image was found in the registers */
	const guint8 *ppid;	       /* 16 bytes, of the PCK certificate */
	gboolean boot_time;	       /* values as of "boot-mr-done" */
} DstackTdxIdentity;

/*
 * Fills app_info and key provider of a verdict, and checks MRCONFIGID as far as log or vm_config say what it binds;
 * warns of what it cannot check.
 */
gboolean dstack_tdx_identity_derive(const DstackTdxIdentity *self, DstackVerdict *verdict,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
