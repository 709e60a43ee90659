/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What users of the library see of verification: options that own what they hold, and verdicts as JSON.
 */

#include "config.h"

#include "dstack/verify.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/x509.h"
#include "dcap/collateral.h"
#include "verify/allow.h"
#include "verify/verifier.h"

struct _DstackVerifier {
	DstackContext context;
	GBytes *root;
	DstackCollateral *collateral;
	gboolean no_collateral;
	guint allow;
	guint max_vmpl;
	GPtrArray *allow_tcb; /* (element-type utf8), ends with NULL where it has any */
	gchar *min_tcb;
	gboolean has_report_data;
	guint8 report_data[DSTACK_REPORT_DATA_SIZE];
	GPtrArray *certificates; /* (element-type GBytes), as is the next */
	GPtrArray *crls;
	gboolean boot_time_mr;
};

/**
 * dstack_verifier_new:
 * @now: seconds since 1970, the time to verify at
 *
 * Returns: (transfer full): a verifier that waives nothing
 */
DstackVerifier *
dstack_verifier_new(gint64 now)
{
	DstackVerifier *self = g_new0(DstackVerifier, 1);

	self->context.now = now;
	self->allow_tcb = g_ptr_array_new_with_free_func(g_free);
	self->certificates = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	self->crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	return self;
}

/**
 * dstack_verifier_free:
 * @self: (nullable) (transfer full): a verifier
 */
void
dstack_verifier_free(DstackVerifier *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->root, g_bytes_unref);
	g_clear_pointer(&self->collateral, dstack_collateral_unref);
	g_ptr_array_unref(self->allow_tcb);
	g_free(self->min_tcb);
	g_ptr_array_unref(self->certificates);
	g_ptr_array_unref(self->crls);
	g_free(self);
}

/**
 * dstack_verifier_set_root:
 * @self: a verifier
 * @certificate: a root certificate, PEM or DER
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_INVALID_ARGUMENT once collateral was loaded
 *
 * Collateral is authenticated under the root when it is loaded, so the root comes first.
 *
 * Returns: %TRUE when this root is trusted instead of the pinned ones
 */
gboolean
dstack_verifier_set_root(DstackVerifier *self, GBytes *certificate, GError **error)
{
	g_autoptr(GBytes) der = NULL;

	g_return_val_if_fail(self != NULL && certificate != NULL, FALSE);
	if (self->collateral != NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "root: expected before the collateral, which is authenticated under it");
	der = dstack_x509_to_der(certificate, "root", error);
	if (der == NULL)
		return FALSE;
	g_clear_pointer(&self->root, g_bytes_unref);
	self->root = g_steal_pointer(&der);
	self->context.root_der = self->root;
	return TRUE;
}

/**
 * dstack_verifier_set_collateral:
 * @self: a verifier
 * @json: collateral of a platform, for any number of its quotes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when it could be read; whether it holds is a verdict's business
 */
gboolean
dstack_verifier_set_collateral(DstackVerifier *self, GBytes *json, GError **error)
{
	DstackCollateral *collateral = NULL;

	g_return_val_if_fail(self != NULL && json != NULL, FALSE);
	collateral =
	    dstack_collateral_parse(g_bytes_get_data(json, NULL), g_bytes_get_size(json), &self->context, error);
	if (collateral == NULL)
		return FALSE;
	g_clear_pointer(&self->collateral, dstack_collateral_unref);
	self->collateral = collateral;
	return TRUE;
}

/**
 * dstack_verifier_set_no_collateral:
 * @self: a verifier
 * @no_collateral: whether TDX evidence may do without collateral
 */
void
dstack_verifier_set_no_collateral(DstackVerifier *self, gboolean no_collateral)
{
	g_return_if_fail(self != NULL);
	self->no_collateral = no_collateral;
}

/**
 * dstack_verifier_add_certificate:
 * @self: a verifier
 * @certificate: a certificate of AMD's, PEM or DER
 */
void
dstack_verifier_add_certificate(DstackVerifier *self, GBytes *certificate)
{
	g_return_if_fail(self != NULL && certificate != NULL);
	g_ptr_array_add(self->certificates, g_bytes_ref(certificate));
}

/**
 * dstack_verifier_add_crl:
 * @self: a verifier
 * @crl: a revocation list of AMD's, DER
 */
void
dstack_verifier_add_crl(DstackVerifier *self, GBytes *crl)
{
	g_return_if_fail(self != NULL && crl != NULL);
	g_ptr_array_add(self->crls, g_bytes_ref(crl));
}

/**
 * dstack_verifier_allow:
 * @self: a verifier
 * @what: the rule to do without
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for a word that names none
 *
 * Returns: %TRUE when it is waived
 */
gboolean
dstack_verifier_allow(DstackVerifier *self, const gchar *what, GError **error)
{
	g_return_val_if_fail(self != NULL && what != NULL, FALSE);
	return dstack_allow_parse(what, &self->allow, &self->max_vmpl, error);
}

/**
 * dstack_verifier_allow_tcb:
 * @self: a verifier
 * @status: a TCB status: "UpToDate", …
 */
void
dstack_verifier_allow_tcb(DstackVerifier *self, const gchar *status)
{
	g_return_if_fail(self != NULL && status != NULL);
	if (self->allow_tcb->len > 0)
		g_ptr_array_set_size(self->allow_tcb, (gint)self->allow_tcb->len - 1);
	g_ptr_array_add(self->allow_tcb, g_strdup(status));
	g_ptr_array_add(self->allow_tcb, NULL);
}

/**
 * dstack_verifier_set_min_tcb:
 * @self: a verifier
 * @spec: (nullable): the least TCB
 */
void
dstack_verifier_set_min_tcb(DstackVerifier *self, const gchar *spec)
{
	g_return_if_fail(self != NULL);
	g_free(self->min_tcb);
	self->min_tcb = g_strdup(spec);
}

/**
 * dstack_verifier_set_report_data:
 * @self: a verifier
 * @report_data: (nullable) (array fixed-size=64): what must stand in the evidence
 */
void
dstack_verifier_set_report_data(DstackVerifier *self, const guint8 *report_data)
{
	g_return_if_fail(self != NULL);
	self->has_report_data = report_data != NULL;
	if (report_data != NULL)
		memcpy(self->report_data, report_data, sizeof(self->report_data));
}

/**
 * dstack_verifier_set_boot_time_mr:
 * @self: a verifier
 * @boot_time_mr: whether identity values are those of the end of the boot
 */
void
dstack_verifier_set_boot_time_mr(DstackVerifier *self, gboolean boot_time_mr)
{
	g_return_if_fail(self != NULL);
	self->boot_time_mr = boot_time_mr;
}

typedef DstackVerdict *(*VerifyFunc)(const guint8 *data, gsize size, const DstackVerifyOptions *options,
				     GError **error);

static gchar *
verify(const DstackVerifier *self, VerifyFunc func, GBytes *evidence, gboolean *out_valid, GError **error)
{
	const DstackVerifyOptions options = {
	    .context = &self->context,
	    .collateral = self->collateral,
	    .no_collateral = self->no_collateral,
	    .allow = self->allow,
	    .max_vmpl = self->max_vmpl,
	    .allow_tcb = self->allow_tcb->len > 0 ? (const gchar *const *)self->allow_tcb->pdata : NULL,
	    .min_tcb = self->min_tcb,
	    .report_data = self->has_report_data ? self->report_data : NULL,
	    .certificates = self->certificates,
	    .crls = self->crls,
	    .boot_time_mr = self->boot_time_mr,
	};
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(evidence, &size);
	g_autoptr(DstackVerdict) verdict = func(data, size, &options, error);
	g_autoptr(JsonNode) node = NULL;

	if (verdict == NULL)
		return NULL;
	node = dstack_verdict_to_json(verdict);
	if (out_valid != NULL)
		*out_valid = dstack_verdict_is_valid(verdict);
	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}

/**
 * dstack_verifier_verify:
 * @self: a verifier
 * @evidence: JSON, hex, SCALE or MessagePack
 * @out_valid: (out) (optional): %TRUE when every step was ok or waived; untouched on error
 * @error: (out) (optional): why there is no verdict
 *
 * Returns: (transfer full) (nullable): the verdict as JSON
 */
gchar *
dstack_verifier_verify(const DstackVerifier *self, GBytes *evidence, gboolean *out_valid, GError **error)
{
	g_return_val_if_fail(self != NULL && evidence != NULL, NULL);
	return verify(self, dstack_verify_evidence, evidence, out_valid, error);
}

/**
 * dstack_verifier_verify_bare:
 * @self: a verifier
 * @evidence: a quote or report, in bytes or hex
 * @out_valid: (out) (optional): %TRUE when every step was ok or waived; untouched on error
 * @error: (out) (optional): why there is no verdict
 *
 * Returns: (transfer full) (nullable): the verdict as JSON
 */
gchar *
dstack_verifier_verify_bare(const DstackVerifier *self, GBytes *evidence, gboolean *out_valid, GError **error)
{
	g_return_val_if_fail(self != NULL && evidence != NULL, NULL);
	return verify(self, dstack_verify_bare, evidence, out_valid, error);
}
