/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The steps that a quote and its platform's collateral decide: signature and chain, TCB, attributes, report data.
 */

#include "config.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "verify/tdx-steps.h"

/* the first of dcap's own steps that failed, in [first, last] */
static gboolean
find_failure(const DstackDcapResult *dcap, DstackDcapStep first, DstackDcapStep last)
{
	for (guint i = first; i <= last; i++) {
		if (dcap->state[i] == DSTACK_DCAP_FAILED)
			return TRUE;
	}
	return FALSE;
}

static gboolean
forward_failure(const DstackDcapResult *dcap, DstackDcapStep first, DstackDcapStep last, GError **error)
{
	if (!find_failure(dcap, first, last))
		return TRUE;
	if (error != NULL)
		*error = g_error_copy(dcap->error);
	return FALSE;
}

static guint
dcap_allow(guint allow)
{
	return ((allow & DSTACK_ALLOW_DEBUG) != 0 ? DSTACK_DCAP_ALLOW_DEBUG : 0) |
	       ((allow & DSTACK_ALLOW_SEPT_VE) != 0 ? DSTACK_DCAP_ALLOW_SEPT_VE : 0) |
	       ((allow & DSTACK_ALLOW_SERVICE_TD) != 0 ? DSTACK_DCAP_ALLOW_SERVICE_TD : 0);
}

/**
 * dstack_tdx_step_quote:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Chain, QE report, attestation key and quote signature.
 *
 * Returns: %TRUE when the quote is signed by a key that leads to the root
 */
gboolean
dstack_tdx_step_quote(DstackTdxVerification *self, GError **error)
{
	const DstackVerifyOptions *options = self->options;
	g_autofree gchar *root = NULL;

	self->dcap =
	    dstack_dcap_verify(&self->quote, options->collateral, options->context, dcap_allow(options->allow));
	root = dstack_sha256_to_hex(&self->dcap->root_spki);
	if (!self->dcap->root_is_pinned && options->context->root_der != NULL)
		self->verdict->root = g_strdup_printf("given by the caller instead of Intel's, key %s", root);
	if (!forward_failure(self->dcap, DSTACK_DCAP_PCK_CHAIN, DSTACK_DCAP_QUOTE_SIGNATURE, error))
		return FALSE;
	self->verdict->quote_verified = TRUE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_QUOTE, "quote version %u with a %s report, signed under %s",
			    self->quote.version, dstack_quote_body_type_to_string(self->quote.body_type),
			    self->dcap->root_is_pinned ? "Intel's root" : "the given root");
	return TRUE;
}

static void
set_tcb_status(DstackVerdict *verdict, const DstackDcapResult *dcap)
{
	if (dcap->status == DSTACK_TCB_NONE)
		return;
	g_free(verdict->tcb_status);
	verdict->tcb_status = g_strdup(dstack_tcb_status_to_string(dcap->status));
	g_ptr_array_set_size(verdict->advisory_ids, 0);
	for (guint i = 0; i < dcap->advisories->len; i++) {
		if (g_ptr_array_index(dcap->advisories, i) != NULL)
			g_ptr_array_add(verdict->advisory_ids, g_strdup(g_ptr_array_index(dcap->advisories, i)));
	}
}

/* without a list every status but Revoked passes, and is reported */
static gboolean
ensure_status_allowed(const DstackVerifyOptions *options, const gchar *status, GError **error)
{
	g_autoptr(GString) allowed = g_string_new(NULL);

	if (options->allow_tcb == NULL || g_strv_contains(options->allow_tcb, status))
		return TRUE;
	for (gsize i = 0; options->allow_tcb[i] != NULL; i++)
		g_string_append_printf(allowed, "%s%s", i > 0 ? ", " : "", options->allow_tcb[i]);
	return dstack_throw(error, DSTACK_ERROR_REFUSED, "TCB status: expected %s, found %s", allowed->str, status);
}

/**
 * dstack_tdx_step_tcb:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Collateral: its chains, signatures and dates, revocation, QE identity, TCB info; then the status.
 *
 * Returns: %TRUE when the status is known and allowed, or the step was waived, or there is no collateral to take it
 */
gboolean
dstack_tdx_step_tcb(DstackTdxVerification *self, GError **error)
{
	const DstackVerifyOptions *options = self->options;
	g_autofree gchar *date = NULL;
	g_autoptr(GDateTime) time = NULL;

	if (options->collateral == NULL && options->no_collateral) {
		dstack_verdict_add_waiver(self->verdict,
					  "no collateral: TCB status, revocation and QE identity are not known");
		dstack_verdict_waive(self->verdict, DSTACK_TDX_STEP_TCB, "the caller does without collateral");
		return TRUE;
	}
	if (options->collateral == NULL) {
		dstack_verdict_leave(self->verdict, DSTACK_TDX_STEP_TCB,
				     "no collateral was given, so TCB status and revocation are not known");
		return TRUE;
	}
	set_tcb_status(self->verdict, self->dcap);
	if (!forward_failure(self->dcap, DSTACK_DCAP_COLLATERAL, DSTACK_DCAP_TCB_STATUS, error) ||
	    !ensure_status_allowed(options, self->verdict->tcb_status, error))
		return FALSE;
	time = g_date_time_new_from_unix_utc(self->dcap->launch.date);
	date = time != NULL ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("?");
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_TCB, "%s, of the TCB level of %s", self->verdict->tcb_status,
			    date);
	return TRUE;
}

/**
 * dstack_tdx_step_attributes:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * DEBUG refused, SEPT_VE_DISABLE required, reserved bits refused, module signer and service TD all zero.
 *
 * Returns: %TRUE when they are as they must be, or each rule that is broken was waived
 */
gboolean
dstack_tdx_step_attributes(DstackTdxVerification *self, GError **error)
{
	const DstackTdBody *td = &self->quote.td;
	const GPtrArray *waived = self->dcap->waived;

	if (!forward_failure(self->dcap, DSTACK_DCAP_ATTRIBUTES, DSTACK_DCAP_ATTRIBUTES, error))
		return FALSE;
	if (!dstack_bytes_are_zero(td->mrsignerseam, sizeof(td->mrsignerseam)))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "MRSIGNERSEAM: expected zero (a module of Intel's), found another signer");
	for (guint i = 0; i < waived->len; i++)
		dstack_verdict_add_waiver(self->verdict, "%s", (const gchar *)g_ptr_array_index(waived, i));
	if (waived->len > 0)
		dstack_verdict_waive(self->verdict, DSTACK_TDX_STEP_ATTRIBUTES, "the caller does without %u rule%s",
				     waived->len, waived->len > 1 ? "s" : "");
	else
		dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_ATTRIBUTES, NULL);
	return TRUE;
}

static gboolean
ensure_report_data(const guint8 *expected, const guint8 *found, const gchar *what, GError **error)
{
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (dstack_bytes_equal(expected, found, 64))
		return TRUE;
	expected_hex = dstack_hex_encode(expected, 64);
	found_hex = dstack_hex_encode(found, 64);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "report data: expected %s, as %s, found %s in the quote",
			    expected_hex, what, found_hex);
}

/**
 * dstack_tdx_step_report_data:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Returns: %TRUE when the quote's report data are what the evidence and the caller say
 */
gboolean
dstack_tdx_step_report_data(DstackTdxVerification *self, GError **error)
{
	const DstackAttestation *attestation = self->attestation;
	const guint8 *quoted =
	    dstack_quote_is_tdx(&self->quote) ? self->quote.td.report_data : self->quote.sgx.report_data;

	if (attestation != NULL && attestation->has_report_data &&
	    !ensure_report_data(attestation->report_data, quoted, "the evidence says", error))
		return FALSE;
	if (self->options->report_data != NULL &&
	    !ensure_report_data(self->options->report_data, quoted, "the caller wants", error))
		return FALSE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_REPORT_DATA, "%s",
			    self->options->report_data != NULL ? "as the caller wants"
							       : "the caller asked for none in particular");
	return TRUE;
}
