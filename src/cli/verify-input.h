/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the command line says about a verification, read into the library's options.
 */
#pragma once

#include "cli/command.h"
#include "dcap/collateral.h"
#include "verify/verifier.h"

G_BEGIN_DECLS

/* the options as they were typed, and everything that DstackVerifyOptions borrows */
typedef struct {
	gboolean quote;
	gchar *root;
	gchar *min_tcb;
	gchar **allow;
	gchar *acpi;
	gchar *collateral;
	gchar *time;
	gchar **allow_tcb;
	gboolean no_collateral;
	gchar *report_data;
	gboolean boot_time_mr;
	gboolean debug;
	gchar *via;

	DstackContext context;
	GBytes *root_der;
	guint8 report_data_bytes[64];
	DstackCollateral *tdx_collateral;
	GPtrArray *certificates; /* (element-type GBytes) */
	GPtrArray *crls;	 /* (element-type GBytes) */
	DstackVerifyOptions options;
} DstackVerifyInput;

/* all but the collateral, of which it takes the evidence to say whose it is */
gboolean dstack_verify_input_fill(DstackVerifyInput *self, DstackCli *cli, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* collateral of Intel's, or certificates and revocation lists of AMD's */
gboolean dstack_verify_input_load_collateral(DstackVerifyInput *self, gboolean is_snp,
					     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_verify_input_clear(DstackVerifyInput *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackVerifyInput, dstack_verify_input_clear)

G_END_DECLS
