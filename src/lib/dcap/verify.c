/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The order of checks, one function a step. Rules: evidence.md part A.
 *
 * With collateral loaded beforehand a verification of a platform's second quote makes two signature checks: the
 * QE report's and the quote's. What does not depend on the time is remembered with the collateral: its own
 * signatures and chains, and the chains of quotes that led to the same root, by all of their bytes. Dates and
 * revocation are looked at every time.
 */

#include "config.h"

#include "dcap/verify.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/openssl.h"
#include "base/x509.h"
#include "dcap/chain.h"
#include "dcap/crl.h"

/* a verification under way; everything but result and chain is borrowed */
typedef struct {
	const DstackQuote *quote;
	DstackCollateral *collateral; /* (nullable) */
	gboolean remembers;	      /* it is of the same root as the quote must be */
	const DstackContext *context;
	guint allow;
	DstackTrustAnchor anchor;
	DstackChain *chain; /* of the quote */
	DstackDcapResult *result;
} Verification;

/* a chain that is not known is parsed and must be authentic; one that is known was both */
static gboolean
take_chain(Verification *self, GError **error)
{
	const DstackSlice *data = &self->quote->certification.data;

	if (self->remembers)
		self->chain = dstack_collateral_find_chain(self->collateral, data->data, data->size);
	if (self->chain != NULL)
		return TRUE;
	self->chain =
	    dstack_chain_parse(DSTACK_CHAIN_PCK, (const gchar *)data->data, data->size, "PCK certificate chain", error);
	if (self->chain == NULL || !dstack_chain_ensure_authentic(self->chain, &self->anchor, error))
		return FALSE;
	if (self->remembers)
		dstack_collateral_remember_chain(self->collateral, data->data, data->size, self->chain);
	return TRUE;
}

static gboolean
check_pck_chain(Verification *self, GError **error)
{
	const DstackCertification *certification = &self->quote->certification;

	self->remembers =
	    self->collateral != NULL && dstack_collateral_has_root(self->collateral, self->context, &self->anchor);
	if (!self->remembers && !dstack_trust_anchor_init(&self->anchor, self->context, error))
		return FALSE;
	self->result->root_is_pinned = self->anchor.is_pinned;
	self->result->root_spki = self->anchor.spki;
	if (certification->type != DSTACK_CERTIFICATION_PCK_CHAIN)
		return dstack_throw(
		    error, DSTACK_ERROR_UNSOUND,
		    "quote: expected certification data of type 5 (PCK certificate chain), found type %d",
		    (gint)certification->type);
	if (!take_chain(self, error) || !dstack_chain_ensure_in_date(self->chain, self->context->now, error) ||
	    !dstack_pck_from_certificate(&self->result->pck, self->chain->leaf, error))
		return FALSE;
	self->result->has_pck = TRUE;
	return TRUE;
}

static gboolean
check_qe_report(Verification *self, GError **error)
{
	const DstackQuote *quote = self->quote;

	return dstack_p256_verify(X509_get0_pubkey(self->chain->leaf), quote->qe_report_signature,
				  quote->qe_report_bytes.data, quote->qe_report_bytes.size,
				  "QE report signature (by the PCK certificate's key)", error);
}

/* the QE says in its report data whose key it certifies: SHA-256(key ‖ auth data), then 32 zero bytes */
static gboolean
check_attestation_key(Verification *self, GError **error)
{
	const DstackQuote *quote = self->quote;
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	DstackSha256 digest;

	dstack_hasher_update(hasher, quote->attestation_key, sizeof(quote->attestation_key));
	dstack_hasher_update(hasher, quote->qe_auth_data.data, quote->qe_auth_data.size);
	digest = dstack_hasher_finish_sha256(hasher);
	if (!dstack_bytes_equal(quote->qe_report.report_data, digest.bytes, sizeof(digest.bytes)))
		return dstack_throw(
		    error, DSTACK_ERROR_UNSOUND,
		    "QE report: report data is not the hash of attestation key and QE authentication data");
	if (!dstack_bytes_are_zero(quote->qe_report.report_data + 32, 32))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "QE report: upper half of the report data is not zero");
	return TRUE;
}

static gboolean
check_quote_signature(Verification *self, GError **error)
{
	const DstackQuote *quote = self->quote;
	g_autoptr(EVP_PKEY) key =
	    dstack_p256_key_like(X509_get0_pubkey(self->chain->leaf), quote->attestation_key, error);

	return key != NULL &&
	       dstack_p256_verify(key, quote->signature, quote->signed_bytes.data, quote->signed_bytes.size,
				  "quote signature (by the attestation key)", error);
}

static gboolean
check_collateral(Verification *self, GError **error)
{
	if (!self->remembers)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "collateral: was loaded under another root than the quote's");
	return dstack_collateral_ensure_authentic(self->collateral, error);
}

static gboolean
check_dates(Verification *self, GError **error)
{
	return dstack_collateral_ensure_in_date(self->collateral, self->context->now, error);
}

static gboolean
ensure_not_revoked(X509_CRL *crl, X509 *cert, const gchar *what, GError **error)
{
	if (!dstack_x509_crl_contains(crl, cert))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: revoked", what);
}

/* the list was signed by this CA: the same name and key, whichever of its certificates the quote carries */
static gboolean
ensure_same_ca(X509 *a, X509 *b, GError **error)
{
	DstackSha256 key_a = dstack_x509_spki_sha256(a);
	DstackSha256 key_b = dstack_x509_spki_sha256(b);

	if (X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 && !dstack_sha256_is_zero(&key_a) &&
	    dstack_sha256_equal(&key_a, &key_b))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "PCK revocation list: of another CA than the one that issued the PCK certificate");
}

static gboolean
check_revocation(Verification *self, GError **error)
{
	X509_CRL *root_crl = dstack_collateral_peek_root_crl(self->collateral);
	X509 *list_ca = dstack_collateral_peek_pck_ca(self->collateral);

	return ensure_same_ca(list_ca, self->chain->ca, error) &&
	       ensure_not_revoked(dstack_collateral_peek_pck_crl(self->collateral), self->chain->leaf,
				  "PCK certificate", error) &&
	       ensure_not_revoked(root_crl, self->chain->ca, "PCK CA certificate", error) &&
	       ensure_not_revoked(root_crl, list_ca, "PCK CA certificate of the revocation list", error) &&
	       ensure_not_revoked(root_crl, dstack_collateral_peek_tcb_info_signer(self->collateral),
				  "signing certificate of the TCB info", error) &&
	       ensure_not_revoked(root_crl, dstack_collateral_peek_qe_identity_signer(self->collateral),
				  "signing certificate of the QE identity", error);
}

static gboolean
check_qe_identity(Verification *self, GError **error)
{
	return dstack_qe_identity_ensure_fits(dstack_collateral_peek_qe_identity(self->collateral),
					      &self->quote->qe_report, self->result->is_tdx, error);
}

static gboolean
check_tcb_info(Verification *self, GError **error)
{
	return dstack_tcb_info_ensure_fits(dstack_collateral_peek_tcb_info(self->collateral), &self->result->pck,
					   self->result->is_tdx, error);
}

static gboolean
evaluate(const Verification *self, const guint8 tee_tcb_svn[16], const gchar *which, DstackTcbEvaluation *out,
	 GError **error)
{
	const DstackTcbInfo *info = dstack_collateral_peek_tcb_info(self->collateral);
	const DstackQuote *quote = self->quote;
	DstackTcbLevels levels = {.platform_levels = info->levels,
				  .qe_levels = dstack_collateral_peek_qe_identity(self->collateral)->levels,
				  .module = info->has_module ? &info->module : NULL,
				  .module_identities = info->module_identities};
	DstackTcbSubject subject = {
	    .pck = &self->result->pck,
	    .qe_isvsvn = (guint16)(quote->qe_report.isvsvn[0] | quote->qe_report.isvsvn[1] << 8),
	    .is_tdx = self->result->is_tdx,
	};

	memcpy(subject.tee_tcb_svn, tee_tcb_svn, sizeof(subject.tee_tcb_svn));
	memcpy(subject.mrsignerseam, quote->td.mrsignerseam, sizeof(subject.mrsignerseam));
	memcpy(subject.seamattributes, quote->td.seamattributes, sizeof(subject.seamattributes));
	if (dstack_tcb_evaluate(&levels, &subject, out, error))
		return TRUE;
	g_prefix_error(error, "%s: ", which);
	return FALSE;
}

static gboolean
check_tcb_status(Verification *self, GError **error)
{
	DstackDcapResult *result = self->result;
	const DstackTdBody *td = &self->quote->td;

	if (!evaluate(self, td->tee_tcb_svn, result->is_tdx ? "TCB at launch" : "TCB", &result->launch, error))
		return FALSE;
	result->status = result->launch.status;
	if (self->quote->body_type == DSTACK_QUOTE_TD15 || self->quote->body_type == DSTACK_QUOTE_TD15_EX) {
		if (!evaluate(self, td->tee_tcb_svn2, "current TCB", &result->current, error))
			return FALSE;
		result->has_current = TRUE;
		result->status = dstack_tcb_relaunch(result->launch.status, result->current.status);
	}
	g_ptr_array_unref(result->advisories);
	result->advisories = dstack_tcb_evaluation_dup_advisories(&result->launch);
	if (result->status == DSTACK_TCB_NONE || result->status == DSTACK_TCB_REVOKED)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "TCB status: Revoked");
	return TRUE;
}

static gboolean
check_attributes(Verification *self, GError **error)
{
	const DstackQuote *quote = self->quote;

	/* with collateral the TCB info has said who may sign the module; without, only Intel's own will do */
	if (self->collateral == NULL && self->result->is_tdx &&
	    !dstack_bytes_are_zero(quote->td.mrsignerseam, sizeof(quote->td.mrsignerseam)))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "MRSIGNERSEAM is not zero, and there is no TCB info that would allow it");
	return dstack_quote_ensure_attributes(quote, self->allow, self->result->waived, error);
}

static const struct {
	const gchar *name;
	gboolean (*check)(Verification *self, GError **error);
	gboolean needs_collateral;
} steps[DSTACK_N_DCAP_STEPS] = {
    [DSTACK_DCAP_PCK_CHAIN] = {"pck-chain", check_pck_chain, FALSE},
    [DSTACK_DCAP_QE_REPORT] = {"qe-report", check_qe_report, FALSE},
    [DSTACK_DCAP_ATTESTATION_KEY] = {"attestation-key", check_attestation_key, FALSE},
    [DSTACK_DCAP_QUOTE_SIGNATURE] = {"quote-signature", check_quote_signature, FALSE},
    [DSTACK_DCAP_COLLATERAL] = {"collateral", check_collateral, TRUE},
    [DSTACK_DCAP_DATES] = {"dates", check_dates, TRUE},
    [DSTACK_DCAP_REVOCATION] = {"revocation", check_revocation, TRUE},
    [DSTACK_DCAP_QE_IDENTITY] = {"qe-identity", check_qe_identity, TRUE},
    [DSTACK_DCAP_TCB_INFO] = {"tcb-info", check_tcb_info, TRUE},
    [DSTACK_DCAP_TCB_STATUS] = {"tcb-status", check_tcb_status, TRUE},
    [DSTACK_DCAP_ATTRIBUTES] = {"attributes", check_attributes, FALSE},
};

/**
 * dstack_dcap_step_to_string:
 * @step: a step
 *
 * Returns: (transfer none): its name
 */
const gchar *
dstack_dcap_step_to_string(DstackDcapStep step)
{
	g_return_val_if_fail(step < DSTACK_N_DCAP_STEPS, NULL);
	return steps[step].name;
}

/**
 * dstack_dcap_state_to_string:
 * @state: what became of a step
 *
 * Returns: (transfer none): it in words
 */
const gchar *
dstack_dcap_state_to_string(DstackDcapState state)
{
	switch (state) {
	case DSTACK_DCAP_NOT_CHECKED:
		return "not checked";
	case DSTACK_DCAP_OK:
		return "ok";
	case DSTACK_DCAP_FAILED:
		return "failed";
	case DSTACK_DCAP_WAIVED:
		return "waived";
	}
	g_return_val_if_reached(NULL);
}

static void
add_chain_dates(DstackDcapSupplement *out, const DstackChain *chain)
{
	for (guint i = 0; i < DSTACK_CHAIN_MAX; i++) {
		const gchar *what = NULL;
		const DstackValidity *validity = &chain->validity[i];

		if (dstack_chain_peek(chain, i, &what) == NULL)
			continue;
		out->earliest_issue_date = MIN(out->earliest_issue_date, validity->from);
		out->latest_issue_date = MAX(out->latest_issue_date, validity->from);
		out->earliest_expiration_date = MIN(out->earliest_expiration_date, validity->to);
	}
}

static void
fill_supplement(const Verification *self)
{
	DstackCollateralDates dates = dstack_collateral_get_dates(self->collateral);
	DstackDcapSupplement *out = &self->result->supplement;

	*out = (DstackDcapSupplement){
	    .earliest_issue_date = dates.earliest_issue,
	    .latest_issue_date = dates.latest_issue,
	    .earliest_expiration_date = dates.earliest_expiration,
	    .tcb_level_date_tag = self->result->launch.date,
	    .root_ca_crl_number = dstack_crl_get_number(dstack_collateral_peek_root_crl(self->collateral)),
	    .pck_crl_number = dstack_crl_get_number(dstack_collateral_peek_pck_crl(self->collateral)),
	    .tcb_eval_ref_num = MIN(dstack_collateral_peek_tcb_info(self->collateral)->evaluation_number,
				    dstack_collateral_peek_qe_identity(self->collateral)->evaluation_number),
	    .root_key_id = dstack_collateral_get_root_key_id(self->collateral),
	};
	add_chain_dates(out, self->chain);
	self->result->has_supplement = TRUE;
}

static DstackDcapResult *
result_new(const DstackQuote *quote, DstackCollateral *collateral)
{
	DstackDcapResult *self = g_new0(DstackDcapResult, 1);

	self->waived = g_ptr_array_new_with_free_func(g_free);
	self->advisories = g_ptr_array_new_with_free_func(g_free);
	self->is_tdx = dstack_quote_is_tdx(quote);
	self->collateral = collateral != NULL ? dstack_collateral_ref(collateral) : NULL;
	return self;
}

void
dstack_dcap_result_free(DstackDcapResult *self)
{
	if (self == NULL)
		return;
	g_clear_error(&self->error);
	g_ptr_array_unref(self->waived);
	g_ptr_array_unref(self->advisories);
	dstack_collateral_unref(self->collateral);
	g_free(self);
}

static void
take_steps(Verification *self)
{
	DstackDcapResult *result = self->result;

	for (guint i = 0; i < DSTACK_N_DCAP_STEPS; i++) {
		if (steps[i].needs_collateral && self->collateral == NULL)
			continue;
		if (!steps[i].check(self, &result->error)) {
			result->state[i] = DSTACK_DCAP_FAILED;
			return;
		}
		result->state[i] = DSTACK_DCAP_OK;
		if (i == DSTACK_DCAP_TCB_STATUS)
			fill_supplement(self);
	}
	if (result->waived->len > 0)
		result->state[DSTACK_DCAP_ATTRIBUTES] = DSTACK_DCAP_WAIVED;
}

/**
 * dstack_dcap_verify:
 * @quote: a parsed quote, whose bytes are still there
 * @collateral: (nullable): loaded collateral; the result keeps a reference
 * @context: the time and the root; the root must be the one @collateral was loaded under
 * @allow: #DstackDcapAllow: rules on attributes to do without
 *
 * Takes the steps in their order and stops at the first that fails. Without collateral the steps that need it
 * stay "not checked", so that the result is not valid. Threads may verify at the same time, also with the same
 * collateral.
 *
 * Returns: (transfer full): what was checked and found; free with dstack_dcap_result_free()
 */
DstackDcapResult *
dstack_dcap_verify(const DstackQuote *quote, DstackCollateral *collateral, const DstackContext *context, guint allow)
{
	Verification self = {.quote = quote,
			     .collateral = collateral,
			     .context = context,
			     .allow = allow,
			     .result = result_new(quote, collateral)};

	take_steps(&self);
	dstack_chain_unref(self.chain);
	return self.result;
}

/**
 * dstack_dcap_result_is_valid:
 * @self: a result
 *
 * Returns: %TRUE when every step is ok or waived
 */
gboolean
dstack_dcap_result_is_valid(const DstackDcapResult *self)
{
	for (guint i = 0; i < DSTACK_N_DCAP_STEPS; i++) {
		if (self->state[i] != DSTACK_DCAP_OK && self->state[i] != DSTACK_DCAP_WAIVED)
			return FALSE;
	}
	return self->error == NULL;
}

/**
 * dstack_dcap_result_is_signed:
 * @self: a result
 *
 * Returns: %TRUE when the quote is signed by a key that leads to the root, whatever its TCB
 */
gboolean
dstack_dcap_result_is_signed(const DstackDcapResult *self)
{
	for (guint i = DSTACK_DCAP_PCK_CHAIN; i <= DSTACK_DCAP_QUOTE_SIGNATURE; i++) {
		if (self->state[i] != DSTACK_DCAP_OK)
			return FALSE;
	}
	return TRUE;
}
