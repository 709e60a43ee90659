/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Verifying evidence of TDX and SEV-SNP guests, offline:
 *
 *     g_autoptr(DstackVerifier) verifier = dstack_verifier_new(g_get_real_time() / G_USEC_PER_SEC);
 *     gboolean valid = FALSE;
 *
 *     if (!dstack_verifier_set_collateral(verifier, collateral, &error))
 *             …
 *     g_autofree gchar *json = dstack_verifier_verify(verifier, evidence, &valid, &error);
 *
 * A verifier that nobody told anything is the strictest there is. Set it up in one thread; verifying changes
 * nothing, so threads may then share it.
 */
#pragma once

#include <dstack/error.h>

G_BEGIN_DECLS

#define DSTACK_REPORT_DATA_SIZE 64

typedef struct _DstackVerifier DstackVerifier;

/* now: seconds since 1970, the time to verify at */
DSTACK_API DstackVerifier *dstack_verifier_new(gint64 now);
DSTACK_API void dstack_verifier_free(DstackVerifier *self);

/* a root certificate (PEM or DER) instead of the pinned ones; before the collateral; shown in every verdict */
DSTACK_API gboolean dstack_verifier_set_root(DstackVerifier *self, GBytes *certificate, GError **error);
/* TDX: Intel's collateral as one JSON object (QuoteCollateralV3) */
DSTACK_API gboolean dstack_verifier_set_collateral(DstackVerifier *self, GBytes *json, GError **error);
/* TDX: chain and signature are enough; the TCB status stays unknown */
DSTACK_API void dstack_verifier_set_no_collateral(DstackVerifier *self, gboolean no_collateral);
/* SEV-SNP: certificates (PEM or DER) that evidence may lack, and revocation lists (DER) */
DSTACK_API void dstack_verifier_add_certificate(DstackVerifier *self, GBytes *certificate);
DSTACK_API void dstack_verifier_add_crl(DstackVerifier *self, GBytes *crl);

/* waives one rule: "debug", "migratable", "sept-ve", "service-td", "vmpl=N", "vlek", "simulator" */
DSTACK_API gboolean dstack_verifier_allow(DstackVerifier *self, const gchar *what, GError **error);
/* once called, only the statuses given pass; otherwise all but "Revoked" do */
DSTACK_API void dstack_verifier_allow_tcb(DstackVerifier *self, const gchar *status);
/* SEV-SNP: the least TCB accepted, as on the command line */
DSTACK_API void dstack_verifier_set_min_tcb(DstackVerifier *self, const gchar *spec);
/* the DSTACK_REPORT_DATA_SIZE bytes that must stand in the evidence; NULL: any */
DSTACK_API void dstack_verifier_set_report_data(DstackVerifier *self, const guint8 *report_data);
/* identity values as of the event "boot-mr-done" */
DSTACK_API void dstack_verifier_set_boot_time_mr(DstackVerifier *self, gboolean boot_time_mr);

/*
 * Evidence in any form: the verdict as JSON, or NULL with an error when it cannot be read. out_valid is FALSE
 * unless every step was ok or waived.
 */
DSTACK_API gchar *dstack_verifier_verify(const DstackVerifier *self, GBytes *evidence, gboolean *out_valid,
					 GError **error);
/* a bare quote or report, in bytes or hex: says nothing of an image */
DSTACK_API gchar *dstack_verifier_verify_bare(const DstackVerifier *self, GBytes *evidence, gboolean *out_valid,
					      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackVerifier, dstack_verifier_free)

G_END_DECLS
