/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The steps of an SEV-SNP verdict, in this order and no other (evidence.md, part B; snp-measurement.md, section 3).
 */

#include "config.h"

#include "verify/snp.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/x509.h"
#include "snp/policy.h"
#include "snp/report-chain.h"
#include "verify/snp-binding.h"

#define STEP_REPORT	 "report"
#define STEP_CHAIN	 "chain"
#define STEP_VALIDITY	 "validity"
#define STEP_REVOCATION	 "revocation"
#define STEP_VEK_KIND	 "vek-kind"
#define STEP_PRODUCT	 "product"
#define STEP_VEK_TCB	 "vek-tcb"
#define STEP_VEK_HWID	 "vek-hwid"
#define STEP_SIGNATURE	 "signature"
#define STEP_POLICY	 "policy"
#define STEP_RESERVED	 "reserved"
#define STEP_TCB	 "tcb"
#define STEP_REPORT_DATA "report-data"

#define REPORT_STEPS                                                                                                   \
	STEP_REPORT, STEP_CHAIN, STEP_VALIDITY, STEP_REVOCATION, STEP_VEK_KIND, STEP_PRODUCT, STEP_VEK_TCB,            \
	    STEP_VEK_HWID, STEP_SIGNATURE, STEP_POLICY, STEP_RESERVED, STEP_TCB, STEP_REPORT_DATA

static const gchar *const report_steps[] = {REPORT_STEPS, NULL};
static const gchar *const evidence_steps[] = {REPORT_STEPS, DSTACK_SNP_BINDING_STEPS, NULL};

#define TEE_VARIANT "dstack-amd-sev-snp"
#define MAX_VMPL    3

typedef struct {
	const DstackVerifyOptions *options;
	const DstackAttestation *attestation; /* (nullable): a bare report has none */
	DstackVerdict *verdict;
	DstackSnpReport report;
	DstackSnpCertificates certs;
	DstackSnpTrust trust;
	DstackSnpChain chain;
	gboolean has_min_tcb;
	DstackSnpMinTcb min_tcb;
	GPtrArray *crls; /* (element-type X509_CRL) */
} SnpRun;

static void
snp_run_clear(SnpRun *self)
{
	g_clear_pointer(&self->verdict, dstack_verdict_free);
	dstack_snp_certificates_clear(&self->certs);
	g_clear_pointer(&self->trust.root, X509_free);
	g_clear_pointer(&self->crls, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SnpRun, snp_run_clear)

static X509 *
parse_root(GBytes *bytes, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	g_autoptr(GPtrArray) certs = NULL;
	X509 *root = NULL;

	if (size == 0 || data[0] != '-')
		return dstack_x509_parse_der(data, size, "given root", error);
	certs = dstack_x509_parse_pem((const gchar *)data, size, 1, "given root", error);
	if (certs == NULL)
		return NULL;
	root = g_ptr_array_index(certs, 0);
	X509_up_ref(root);
	return root;
}

static gboolean
run_set_root(SnpRun *self, GBytes *bytes, GError **error)
{
	g_autofree gchar *cn = NULL;
	g_autofree gchar *hex = NULL;
	DstackSha256 key;

	self->trust.root = parse_root(bytes, error);
	if (self->trust.root == NULL)
		return FALSE;
	cn = dstack_x509_dup_subject_cn(self->trust.root);
	key = dstack_x509_spki_sha256(self->trust.root);
	hex = dstack_sha256_to_hex(&key);
	self->verdict->root = g_strdup_printf("%s, key SHA-256 %s", cn == NULL ? "(no name)" : cn, hex);
	return TRUE;
}

static gboolean
run_set_crls(SnpRun *self, GPtrArray *crls, GError **error)
{
	self->crls = g_ptr_array_new_with_free_func((GDestroyNotify)X509_CRL_free);
	for (guint i = 0; crls != NULL && i < crls->len; i++) {
		gsize size = 0;
		const guint8 *data = g_bytes_get_data(g_ptr_array_index(crls, i), &size);
		X509_CRL *crl = dstack_x509_crl_parse_der(data, size, "given revocation list", error);

		if (crl == NULL)
			return FALSE;
		g_ptr_array_add(self->crls, crl);
	}
	return TRUE;
}

static void
run_show_waivers(SnpRun *self)
{
	guint allow = self->options->allow;

	if ((allow & DSTACK_ALLOW_DEBUG) != 0)
		dstack_verdict_add_waiver(self->verdict, "debug: a policy that lets the host read the guest's memory");
	if ((allow & DSTACK_ALLOW_MIGRATABLE) != 0)
		dstack_verdict_add_waiver(self->verdict, "migratable: a policy that allows a migration agent");
	if ((allow & DSTACK_ALLOW_VLEK) != 0)
		dstack_verdict_add_waiver(self->verdict, "vlek: a cloud provider's key, which names no chip");
	if ((allow & DSTACK_ALLOW_SIMULATOR) != 0)
		dstack_verdict_add_waiver(self->verdict,
					  "simulator: evidence of no hardware at all, under the given root");
	if (self->options->max_vmpl > 0)
		dstack_verdict_add_waiver(self->verdict, "vmpl=%u: a guest less privileged than its own firmware",
					  self->options->max_vmpl);
}

static gboolean
run_init(SnpRun *self, const gchar *const *steps, GError **error)
{
	const DstackVerifyOptions *options = self->options;

	self->verdict = dstack_verdict_new(steps);
	self->verdict->tee_variant = g_strdup(TEE_VARIANT);
	if (options->context == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "no context: the time to verify at is unknown");
	if (options->max_vmpl > MAX_VMPL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "vmpl: expected 0 to 3, found %u",
				    options->max_vmpl);
	if (options->min_tcb != NULL) {
		self->has_min_tcb = TRUE;
		if (!dstack_snp_min_tcb_parse(&self->min_tcb, options->min_tcb, error))
			return FALSE;
	}
	if (options->context->root_der != NULL && !run_set_root(self, options->context->root_der, error))
		return FALSE;
	self->trust.allow_simulator = (options->allow & DSTACK_ALLOW_SIMULATOR) != 0;
	run_show_waivers(self);
	return run_set_crls(self, options->crls, error);
}

static gboolean
take_report(SnpRun *self, const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;

	if (!dstack_snp_report_parse(&self->report, data, size, &error))
		return dstack_verdict_fail(self->verdict, STEP_REPORT, error);
	dstack_verdict_pass(self->verdict, STEP_REPORT, "version %u", self->report.version);
	memcpy(self->verdict->report_data, self->report.bytes.report_data, sizeof(self->verdict->report_data));
	self->verdict->has_report_data = TRUE;
	return TRUE;
}

static gboolean
gather_certificates(SnpRun *self, GError **error)
{
	GPtrArray *sent = self->attestation == NULL ? NULL : self->attestation->cert_chain;

	if (sent != NULL && !dstack_snp_certificates_parse(&self->certs, sent, error))
		return FALSE;
	return self->options->certificates == NULL ||
	       dstack_snp_certificates_complete(&self->certs, self->options->certificates, &self->report, error);
}

static gboolean
take_chain(SnpRun *self)
{
	g_autoptr(GError) error = NULL;

	if (!gather_certificates(self, &error) ||
	    !dstack_snp_chain_verify(&self->certs, &self->trust, &self->chain, &error))
		return dstack_verdict_fail(self->verdict, STEP_CHAIN, error);
	if (self->chain.simulator)
		dstack_verdict_pass(self->verdict, STEP_CHAIN, "a simulator's, to the given root");
	else
		dstack_verdict_pass(self->verdict, STEP_CHAIN, "%s, to %sARK-%s",
				    dstack_snp_vek_kind_to_string(self->chain.kind),
				    self->trust.root == NULL ? "AMD's " : "the given root as ",
				    dstack_snp_product_to_string(self->chain.product));
	if (!dstack_snp_chain_ensure_in_date(&self->certs, self->options->context->now, &error))
		return dstack_verdict_fail(self->verdict, STEP_VALIDITY, error);
	dstack_verdict_pass(self->verdict, STEP_VALIDITY, NULL);
	return TRUE;
}

/* lists are the caller's to give: AMD's fixed evidence formats carry none */
static gboolean
take_revocation(SnpRun *self)
{
	g_autoptr(GError) error = NULL;
	guint n = 0;

	if (!dstack_snp_chain_ensure_not_revoked(&self->certs, &self->trust, &self->chain, self->crls,
						 self->options->context->now, &n, &error))
		return dstack_verdict_fail(self->verdict, STEP_REVOCATION, error);
	if (n > 0) {
		dstack_verdict_pass(self->verdict, STEP_REVOCATION, "neither CA nor leaf is on the root's list");
		return TRUE;
	}
	dstack_verdict_waive(self->verdict, STEP_REVOCATION, "the caller gave no revocation list of this root");
	dstack_verdict_warn(self->verdict, "revocation was not checked: no revocation list of this root was given");
	return TRUE;
}

static gboolean
waive_amd_extensions(SnpRun *self)
{
	static const gchar *const steps[] = {STEP_VEK_KIND, STEP_PRODUCT, STEP_VEK_TCB, STEP_VEK_HWID};

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		dstack_verdict_waive(self->verdict, steps[i], "a simulator has none of AMD's extensions");
	dstack_verdict_warn(self->verdict, "this is a simulator's evidence: no hardware vouches for it");
	return TRUE;
}

static gboolean
take_vek(SnpRun *self)
{
	g_autoptr(GError) error = NULL;
	DstackVerdict *verdict = self->verdict;
	const DstackSnpReport *report = &self->report;
	X509 *vek = self->certs.vek;

	if (self->chain.simulator)
		return waive_amd_extensions(self);
	if (!dstack_snp_vek_ensure_kind(self->chain.kind, report, (self->options->allow & DSTACK_ALLOW_VLEK) != 0,
					&error))
		return dstack_verdict_fail(verdict, STEP_VEK_KIND, error);
	dstack_verdict_pass(verdict, STEP_VEK_KIND, "%s", dstack_snp_vek_kind_to_string(self->chain.kind));
	if (!dstack_snp_vek_ensure_product(vek, self->chain.product, report, &error))
		return dstack_verdict_fail(verdict, STEP_PRODUCT, error);
	dstack_verdict_pass(verdict, STEP_PRODUCT, "%s", dstack_snp_product_to_string(self->chain.product));
	if (!dstack_snp_vek_ensure_tcb(vek, self->chain.product, report, &error))
		return dstack_verdict_fail(verdict, STEP_VEK_TCB, error);
	dstack_verdict_pass(verdict, STEP_VEK_TCB, "every part equals the reported TCB");
	if (!dstack_snp_vek_ensure_chip(vek, self->chain.kind, self->chain.product, report, &error))
		return dstack_verdict_fail(verdict, STEP_VEK_HWID, error);
	if (self->chain.kind == DSTACK_SNP_VLEK)
		dstack_verdict_waive(verdict, STEP_VEK_HWID, "a VLEK is bound to no chip");
	else
		dstack_verdict_pass(verdict, STEP_VEK_HWID, "the chip is the certificate's");
	return TRUE;
}

static gboolean
take_signature(SnpRun *self)
{
	g_autoptr(GError) error = NULL;

	if (!dstack_snp_vek_ensure_signature(self->certs.vek, &self->report, &error))
		return dstack_verdict_fail(self->verdict, STEP_SIGNATURE, error);
	dstack_verdict_pass(self->verdict, STEP_SIGNATURE, NULL);
	self->verdict->quote_verified = TRUE;
	return TRUE;
}

static gboolean
take_policy(SnpRun *self)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *words = dstack_snp_policy_to_string(self->report.policy);
	DstackSnpWaivers waivers = {
	    .allow_debug = (self->options->allow & DSTACK_ALLOW_DEBUG) != 0,
	    .allow_migratable = (self->options->allow & DSTACK_ALLOW_MIGRATABLE) != 0,
	    .max_vmpl = self->options->max_vmpl,
	};

	if (!dstack_snp_policy_ensure(&self->report, &waivers, &error))
		return dstack_verdict_fail(self->verdict, STEP_POLICY, error);
	dstack_verdict_pass(self->verdict, STEP_POLICY, "0x%" G_GINT64_MODIFIER "x: %s", self->report.policy, words);
	if (!dstack_snp_report_ensure_reserved_zero(&self->report, &error))
		return dstack_verdict_fail(self->verdict, STEP_RESERVED, error);
	dstack_verdict_pass(self->verdict, STEP_RESERVED, NULL);
	return TRUE;
}

static gboolean
check_tcb_order(const SnpRun *self, GError **error)
{
	const DstackSnpReport *report = &self->report;
	DstackSnpProduct product = self->chain.product;

	return dstack_snp_tcb_ensure_at_least(&report->committed_tcb, "committed TCB", &report->reported_tcb,
					      "reported TCB", product, error) &&
	       dstack_snp_tcb_ensure_at_least(&report->current_tcb, "current TCB", &report->committed_tcb,
					      "committed TCB", product, error);
}

static gboolean
check_tcb(SnpRun *self, GError **error)
{
	const gchar *status = self->verdict->tcb_status;

	if (self->options->allow_tcb != NULL && !g_strv_contains(self->options->allow_tcb, status))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "the TCB status is %s, which the caller does not allow", status);
	if (self->chain.simulator) {
		return !self->has_min_tcb ||
		       dstack_throw(error, DSTACK_ERROR_REFUSED, "a simulator has no TCB that could reach a minimum");
	}
	if (!check_tcb_order(self, error))
		return FALSE;
	return !self->has_min_tcb ||
	       dstack_snp_min_tcb_ensure(&self->min_tcb, &self->report.reported_tcb, self->chain.product, error);
}

static gboolean
take_tcb(SnpRun *self)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *parts = NULL;

	self->verdict->tcb_status = g_strdup(dstack_snp_report_get_tcb_status(&self->report));
	if (!check_tcb(self, &error))
		return dstack_verdict_fail(self->verdict, STEP_TCB, error);
	if (self->chain.simulator)
		parts = g_strdup("a simulator's");
	else
		parts = dstack_snp_tcb_to_string(&self->report.reported_tcb, self->chain.product);
	dstack_verdict_pass(self->verdict, STEP_TCB, "%s; reported: %s", self->verdict->tcb_status, parts);
	return TRUE;
}

static gboolean
ensure_report_data(const SnpRun *self, const guint8 *expected, const gchar *whose, GError **error)
{
	const guint8 *found = self->report.bytes.report_data;
	gsize size = sizeof(self->report.bytes.report_data);
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (dstack_bytes_equal(expected, found, size))
		return TRUE;
	expected_hex = dstack_hex_encode(expected, size);
	found_hex = dstack_hex_encode(found, size);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s expects %s, found %s", whose, expected_hex, found_hex);
}

static gboolean
take_report_data(SnpRun *self)
{
	g_autoptr(GError) error = NULL;
	const guint8 *wanted = self->options->report_data;
	const DstackAttestation *attestation = self->attestation;

	if ((wanted != NULL && !ensure_report_data(self, wanted, "the caller", &error)) ||
	    (attestation != NULL && attestation->has_report_data &&
	     !ensure_report_data(self, attestation->report_data, "the evidence around the report", &error)))
		return dstack_verdict_fail(self->verdict, STEP_REPORT_DATA, error);
	if (wanted != NULL)
		dstack_verdict_pass(self->verdict, STEP_REPORT_DATA, "as the caller expects");
	else
		dstack_verdict_pass(self->verdict, STEP_REPORT_DATA, "shown, compared with nothing the caller gave");
	return TRUE;
}

static gboolean
take_report_steps(SnpRun *self, const guint8 *data, gsize size)
{
	return take_report(self, data, size) && take_chain(self) && take_revocation(self) && take_vek(self) &&
	       take_signature(self) && take_policy(self) && take_tcb(self) && take_report_data(self);
}

/**
 * dstack_verify_snp_report:
 * @data: (array length=size): a report
 * @size: number of bytes
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT or %DSTACK_ERROR_MALFORMED when @options make no sense
 *
 * Returns: (transfer full) (nullable): the verdict on signature, chain, policy and TCB
 */
DstackVerdict *
dstack_verify_snp_report(const guint8 *data, gsize size, const DstackVerifyOptions *options, GError **error)
{
	g_auto(SnpRun) run = {.options = options};

	if (!run_init(&run, report_steps, error))
		return NULL;
	take_report_steps(&run, data, size);
	return g_steal_pointer(&run.verdict);
}

/* SEV-SNP has no register that a running guest could extend */
static void
warn_of_events(SnpRun *self)
{
	const DstackEventLog *log = self->attestation->runtime_events;

	if (log != NULL && dstack_event_log_size(log) > 0) {
		dstack_verdict_warn(
		    self->verdict,
		    "%u runtime events came with the evidence: nothing in a report binds them, so they count "
		    "for nothing",
		    dstack_event_log_size(log));
	}
}

static void
take_binding(SnpRun *self)
{
	DstackSnpBinding binding = {
	    .measurement = dstack_snp_report_get_measurement(&self->report),
	    .host_data = dstack_snp_report_get_host_data(&self->report),
	    .device_id = dstack_sha256(self->report.bytes.chip_id, sizeof(self->report.bytes.chip_id)),
	    .config = self->attestation->config,
	    .external_config = self->attestation->external_config,
	    .mr_config = self->attestation->mr_config,
	};

	dstack_snp_binding_verify(&binding, self->verdict);
}

/**
 * dstack_verify_snp:
 * @attestation: evidence of an SEV-SNP guest
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT or %DSTACK_ERROR_MALFORMED when @options make no sense
 *
 * Returns: (transfer full) (nullable): the verdict
 */
DstackVerdict *
dstack_verify_snp(const DstackAttestation *attestation, const DstackVerifyOptions *options, GError **error)
{
	g_auto(SnpRun) run = {.options = options, .attestation = attestation};
	gsize size = 0;
	const guint8 *data = NULL;

	if (attestation->platform != DSTACK_PLATFORM_SEV_SNP || attestation->report == NULL) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "the evidence holds no SEV-SNP report");
		return NULL;
	}
	if (!run_init(&run, evidence_steps, error))
		return NULL;
	data = g_bytes_get_data(attestation->report, &size);
	warn_of_events(&run);
	if (take_report_steps(&run, data, size))
		take_binding(&run);
	return g_steal_pointer(&run.verdict);
}

/**
 * dstack_snp_report_is_likely:
 * @data: (array length=size): a bare quote or report
 * @size: number of bytes
 *
 * Returns: whether its first number is a report's version; a quote has a key type in the upper half
 */
gboolean
dstack_snp_report_is_likely(const guint8 *data, gsize size)
{
	static const guint8 zero[3] = {0, 0, 0};

	return size >= 4 && data[0] < 0x80 && memcmp(data + 1, zero, sizeof(zero)) == 0;
}
