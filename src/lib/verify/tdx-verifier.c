/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The order of steps: quote signature and chain, TCB, TD attributes, RTMR3 and report data, checksum file, manifest
 * entry, OVMF variant, ACPI digests, memory, registers, identity. What fails ends it; what comes after is not checked.
 */

#include "config.h"

#include "verify/tdx-verifier.h"

#include <string.h>

#include "base/error.h"
#include "verify/tdx-steps.h"

#define TEE_VARIANT_TDX "dstack-tdx"

typedef struct {
	const gchar *name;
	DstackTdxStepFunc take;
} Step;

static const Step evidence_steps[] = {
    {DSTACK_TDX_STEP_QUOTE, dstack_tdx_step_quote},
    {DSTACK_TDX_STEP_TCB, dstack_tdx_step_tcb},
    {DSTACK_TDX_STEP_ATTRIBUTES, dstack_tdx_step_attributes},
    {DSTACK_TDX_STEP_RTMR3, dstack_tdx_step_rtmr3},
    {DSTACK_TDX_STEP_REPORT_DATA, dstack_tdx_step_report_data},
    {DSTACK_TDX_STEP_CHECKSUM_FILE, dstack_tdx_step_checksum_file},
    {DSTACK_TDX_STEP_MANIFEST, dstack_tdx_step_manifest},
    {DSTACK_TDX_STEP_OVMF_VARIANT, dstack_tdx_step_ovmf_variant},
    {DSTACK_TDX_STEP_ACPI, dstack_tdx_step_acpi},
    {DSTACK_TDX_STEP_MEMORY, dstack_tdx_step_memory},
    {DSTACK_TDX_STEP_REGISTERS, dstack_tdx_step_registers},
    {DSTACK_TDX_STEP_IDENTITY, dstack_tdx_step_identity},
    {NULL, NULL},
};

static const Step quote_steps[] = {
    {DSTACK_TDX_STEP_QUOTE, dstack_tdx_step_quote},
    {DSTACK_TDX_STEP_TCB, dstack_tdx_step_tcb},
    {DSTACK_TDX_STEP_ATTRIBUTES, dstack_tdx_step_attributes},
    {DSTACK_TDX_STEP_REPORT_DATA, dstack_tdx_step_report_data},
    {NULL, NULL},
};

static void
verification_clear(DstackTdxVerification *self)
{
	dstack_dcap_result_free(self->dcap);
	dstack_vm_config_free(self->config);
	dstack_manifest_free(self->manifest);
	dstack_tdx_material_free(self->material);
}

static DstackVerdict *
verdict_for(const Step *steps)
{
	const gchar *names[G_N_ELEMENTS(evidence_steps)] = {NULL};

	for (gsize i = 0; steps[i].name != NULL; i++)
		names[i] = steps[i].name;
	return dstack_verdict_new(names);
}

/* the quote must be readable before any step; one that is not fails the first */
static gboolean
read_quote(DstackTdxVerification *self, const guint8 *data, gsize size, gboolean tdx_only, GError **error)
{
	if (!dstack_quote_parse(&self->quote, data, size, error))
		return FALSE;
	if (tdx_only && !dstack_quote_is_tdx(&self->quote))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "quote: expected a TD report, found an SGX report");
	memcpy(self->verdict->report_data,
	       dstack_quote_is_tdx(&self->quote) ? self->quote.td.report_data : self->quote.sgx.report_data,
	       sizeof(self->verdict->report_data));
	self->verdict->has_report_data = TRUE;
	return TRUE;
}

static void
take_steps(DstackTdxVerification *self, const Step *steps)
{
	for (gsize i = 0; steps[i].name != NULL; i++) {
		g_autoptr(GError) error = NULL;

		if (!steps[i].take(self, &error)) {
			(void)dstack_verdict_fail(self->verdict, steps[i].name, error);
			return;
		}
	}
}

static void
run(DstackTdxVerification *self, GBytes *quote, gboolean tdx_only, const Step *steps)
{
	g_autoptr(GError) error = NULL;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(quote, &size);

	if (!read_quote(self, data, size, tdx_only, &error)) {
		(void)dstack_verdict_fail(self->verdict, steps[0].name, error);
		return;
	}
	take_steps(self, steps);
}

static gboolean
check_options(const DstackVerifyOptions *options, GError **error)
{
	if (options->acpi == DSTACK_ACPI_PREDICT)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "predicting ACPI tables is not built yet; take their digests from the log");
	if (options->no_collateral && options->collateral != NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "collateral: given, and to be done without");
	if (options->no_collateral && options->allow_tcb != NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "TCB status: some are allowed, but without collateral it is not known");
	return TRUE;
}

/**
 * dstack_verify_tdx:
 * @attestation: evidence of a TD
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for options that make no sense; %DSTACK_ERROR_REFUSED for
 *   one that is not built yet
 *
 * Returns: (transfer full) (nullable): the verdict
 */
DstackVerdict *
dstack_verify_tdx(const DstackAttestation *attestation, const DstackVerifyOptions *options, GError **error)
{
	g_autoptr(DstackVerdict) verdict = NULL;
	DstackTdxVerification self = {.attestation = attestation, .options = options};

	if (!check_options(options, error))
		return NULL;
	verdict = verdict_for(evidence_steps);
	verdict->tee_variant = g_strdup(TEE_VARIANT_TDX);
	for (guint i = 0; i < attestation->warnings->len; i++)
		dstack_verdict_warn(verdict, "%s", (const gchar *)g_ptr_array_index(attestation->warnings, i));
	self.verdict = verdict;
	run(&self, attestation->quote, TRUE, evidence_steps);
	verification_clear(&self);
	return g_steal_pointer(&verdict);
}

/**
 * dstack_verify_tdx_quote:
 * @data: (array length=size): a quote of SGX or TDX
 * @size: number of bytes
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for options that make no sense
 *
 * Returns: (transfer full) (nullable): a verdict on the quote alone, which says nothing about an image
 */
DstackVerdict *
dstack_verify_tdx_quote(const guint8 *data, gsize size, const DstackVerifyOptions *options, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(DstackVerdict) verdict = NULL;
	DstackTdxVerification self = {.options = options};

	if (!check_options(options, error))
		return NULL;
	verdict = verdict_for(quote_steps);
	self.verdict = verdict;
	run(&self, bytes, FALSE, quote_steps);
	if (verdict->has_report_data)
		verdict->tee_variant = g_strdup(dstack_quote_is_tdx(&self.quote) ? "tdx" : "sgx");
	verification_clear(&self);
	return g_steal_pointer(&verdict);
}
