/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Explaining evidence. What a verifier would refuse is a note here, and the rest is shown all the same.
 */

#include "config.h"

#include "verify/explain.h"

#include <string.h>

#include "base/error.h"
#include "config/vm-config.h"
#include "image/manifest.h"
#include "verify/snp-binding.h"
#include "verify/tdx-cause.h"
#include "verify/verifier.h"
#include "verify/vm-config-text.h"

static void
add_note(DstackExplanation *self, const gchar *what, const GError *error)
{
	g_ptr_array_add(self->notes,
			g_strdup_printf("%s: %s", what, error != NULL ? error->message : "there is no vm_config"));
}

static DstackExplanation *
explanation_new(GBytes *bytes)
{
	DstackExplanation *self = g_new0(DstackExplanation, 1);

	self->bytes = g_bytes_ref(bytes);
	self->registers = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_register_debug_free);
	self->notes = g_ptr_array_new_with_free_func(g_free);
	return self;
}

/**
 * dstack_explanation_compares:
 * @self: an explanation
 *
 * Returns: %TRUE when a register could be compared with anything, so that nothing differing means something
 */
gboolean
dstack_explanation_compares(const DstackExplanation *self)
{
	for (guint i = 0; i < self->registers->len; i++) {
		const DstackRegisterDebug *entry = g_ptr_array_index(self->registers, i);

		if (entry->has_expected || entry->has_replayed)
			return TRUE;
	}
	return FALSE;
}

/**
 * dstack_explanation_free:
 * @self: (nullable) (transfer full): an explanation
 */
void
dstack_explanation_free(DstackExplanation *self)
{
	if (self == NULL)
		return;
	g_bytes_unref(self->bytes);
	g_ptr_array_unref(self->registers);
	g_ptr_array_unref(self->notes);
	g_free(self->difference);
	g_free(self);
}

/* --- TDX --- */

/* what a vm_config lets expect: material that it commits to itself, which is enough to compare with */
static DstackTdxMaterial *
read_material(const DstackVmConfig *config, GError **error)
{
	const DstackMeasurement *measurement = config->tdx_measurement;
	g_autoptr(DstackManifest) manifest = NULL;

	if (measurement == NULL) {
		(void)dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "vm_config carries no tdx_measurement");
		return NULL;
	}
	manifest = dstack_manifest_parse(measurement->checksum_file, error);
	if (manifest == NULL ||
	    !dstack_manifest_ensure_file(manifest, dstack_material_kind_to_file_name(DSTACK_MATERIAL_TDX),
					 measurement->measurement, error))
		return NULL;
	return dstack_tdx_material_parse(measurement->measurement, error);
}

static gboolean
read_acpi_digests(const DstackEventLog *log, DstackTdxLaunch *launch, GError **error)
{
	const DstackEvent *loader = dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_LOADER, error);
	const DstackEvent *rsdp =
	    loader == NULL ? NULL : dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_RSDP, error);
	const DstackEvent *tables =
	    rsdp == NULL ? NULL : dstack_event_log_find_label(log, DSTACK_LABEL_ACPI_TABLES, error);

	if (tables == NULL)
		return FALSE;
	launch->acpi_loader = &loader->digest;
	launch->acpi_rsdp = &rsdp->digest;
	launch->acpi_tables = &tables->digest;
	return TRUE;
}

static gboolean
compute_expected(DstackExplanation *self, const DstackEventLog *log, const DstackVmConfig *config,
		 const DstackTdxMaterial *material, DstackTdxExpected *out)
{
	DstackTdxLaunch launch = {.memory_size = config->memory_size,
				  .qemu_version = config->qemu_version,
				  .qemu_single_pass_add_pages = config->qemu_single_pass_add_pages};
	g_autoptr(GError) acpi_error = NULL;
	g_autoptr(GError) error = NULL;

	if (!read_acpi_digests(log, &launch, &acpi_error))
		add_note(self, "what RTMR0 should hold is not known", acpi_error);
	if (!dstack_tdx_material_holds_at(material, config->memory_size))
		g_ptr_array_add(self->notes,
				g_strdup("the material's kernel digest does not hold at this memory size"));
	if (dstack_tdx_expected_compute(out, material, &launch, &error))
		return TRUE;
	add_note(self, "what the registers should hold is not known", error);
	return FALSE;
}

static void
add_registers(DstackExplanation *self, const DstackTdxRegistersView *view)
{
	g_ptr_array_add(self->registers, dstack_tdx_registers_compare_mrtd(view));
	for (guint imr = 0; imr < DSTACK_N_RTMRS; imr++)
		g_ptr_array_add(self->registers, dstack_tdx_registers_compare_rtmr(view, imr));
}

/* the first event that is not as the image expects, of a register that is quoted as expected: the log is wrong */
static const DstackEventDebug *
find_false_event(const DstackRegisterDebug *entry)
{
	if (!entry->has_expected || !dstack_sha384_equal(&entry->expected, &entry->actual))
		return NULL;
	for (guint i = 0; i < entry->events->len; i++) {
		const DstackEventDebug *event = g_ptr_array_index(entry->events, i);

		if (event->status != DSTACK_EVENT_MATCH)
			return event;
	}
	return NULL;
}

static gchar *
describe_log_difference(const DstackRegisterDebug *entry)
{
	const DstackEventDebug *event = find_false_event(entry);

	if (event != NULL)
		return g_strdup_printf(
		    "%s: event %u of the log (%s) is not what was measured: the log was changed after "
		    "the fact, or is of another boot",
		    entry->name, event->index, event->name);
	return g_strdup_printf(
	    "%s is quoted as something else than the event log replays: an event was added, left out "
	    "or changed after the fact, or the log is of another boot",
	    entry->name);
}

/* the log against the quote, where the image's expectation leaves nothing to say */
static void
find_log_difference(DstackExplanation *self)
{
	for (guint i = 0; i < self->registers->len && self->difference == NULL; i++) {
		const DstackRegisterDebug *entry = g_ptr_array_index(self->registers, i);

		if (entry->has_replayed && !dstack_sha384_equal(&entry->replayed, &entry->actual))
			self->difference = describe_log_difference(entry);
	}
}

static void
explain_image(DstackExplanation *self, const DstackAttestation *attestation, DstackTdxRegistersView *view)
{
	g_autoptr(DstackVmConfig) config = NULL;
	g_autoptr(DstackTdxMaterial) material = NULL;
	g_autofree gchar *text = NULL;
	g_autoptr(GError) error = NULL;
	DstackTdxExpected expected = {0};

	if (attestation->config != NULL)
		text = dstack_vm_config_text_unwrap(attestation->config);
	if (text != NULL)
		config = dstack_vm_config_parse(text, strlen(text), &error);
	if (config != NULL)
		material = read_material(config, &error);
	if (config == NULL)
		add_note(self, "what the registers should hold is not known", error);
	else if (material == NULL)
		add_note(self, "what the registers should hold is not known", error);
	else if (compute_expected(self, view->event_log, config, material, &expected))
		view->expected = &expected;
	add_registers(self, view);
	if (view->expected != NULL)
		self->difference = dstack_tdx_find_cause(view, material, config->memory_size);
	view->expected = NULL;
}

static gboolean
read_quote(DstackExplanation *self, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(self->bytes, &size);

	self->has_quote = dstack_quote_parse(&self->quote, data, size, error);
	return self->has_quote;
}

static DstackExplanation *
explain_tdx(const DstackAttestation *attestation, GError **error)
{
	g_autoptr(DstackExplanation) self = explanation_new(attestation->quote);
	DstackTdxRegistersView view = {.td = &self->quote.td, .event_log = attestation->event_log};

	if (!read_quote(self, error))
		return NULL;
	if (!dstack_quote_is_tdx(&self->quote)) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "quote: expected a TD report, found an SGX report");
		return NULL;
	}
	view.runtime = attestation->event_log;
	if (attestation->runtime_events != NULL &&
	    !dstack_event_log_has_register(attestation->event_log, DSTACK_RUNTIME_REGISTER))
		view.runtime = attestation->runtime_events;
	explain_image(self, attestation, &view);
	find_log_difference(self);
	return g_steal_pointer(&self);
}

/* --- SEV-SNP --- */

static gboolean
read_report(DstackExplanation *self, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(self->bytes, &size);

	self->has_report = dstack_snp_report_parse(&self->report, data, size, error);
	return self->has_report;
}

/* the verifier's own steps, on a report that nobody has authenticated: their findings, and no verdict */
static void
explain_binding(DstackExplanation *self, const DstackAttestation *attestation)
{
	static const gchar *const steps[] = {DSTACK_SNP_BINDING_STEPS, NULL};
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(steps);
	DstackSnpBinding binding = {.config = attestation->config,
				    .external_config = attestation->external_config,
				    .mr_config = attestation->mr_config};
	DstackRegisterDebug *entry = NULL;
	DstackSha384 measurement = {{0}};

	memcpy(measurement.bytes, self->report.bytes.measurement, sizeof(measurement.bytes));
	binding.measurement = measurement;
	memcpy(binding.host_data.bytes, self->report.bytes.host_data, sizeof(binding.host_data.bytes));
	if (!dstack_snp_binding_verify(&binding, verdict))
		self->difference = dstack_verdict_dup_reason(verdict);
	while (verdict->registers_debug->len > 0)
		g_ptr_array_add(self->registers, g_ptr_array_steal_index(verdict->registers_debug, 0));
	if (self->registers->len > 0)
		return;
	/* computed and equal, or never computed */
	entry = dstack_register_debug_new("measurement", NULL, &measurement);
	entry->has_expected = dstack_verdict_get_step(verdict, DSTACK_SNP_STEP_MEASUREMENT)->state == DSTACK_STEP_OK;
	entry->expected = measurement;
	g_ptr_array_add(self->registers, entry);
}

static DstackExplanation *
explain_snp(const DstackAttestation *attestation, GError **error)
{
	g_autoptr(DstackExplanation) self = explanation_new(attestation->report);

	if (!read_report(self, error))
		return NULL;
	explain_binding(self, attestation);
	return g_steal_pointer(&self);
}

/* --- any --- */

static DstackExplanation *
explain_bare(GBytes *bytes, DstackEvidenceKind kind, GError **error)
{
	g_autoptr(DstackExplanation) self = explanation_new(bytes);

	if (!(kind == DSTACK_EVIDENCE_QUOTE ? read_quote : read_report)(self, error))
		return NULL;
	g_ptr_array_add(self->notes,
			g_strdup("there is no event log and no vm_config, so there is nothing to compare with"));
	return g_steal_pointer(&self);
}

/**
 * dstack_explain:
 * @data: (array length=size): evidence in any form, or a bare quote or report
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it cannot be read
 *
 * Returns: (transfer full) (nullable): the explanation
 */
DstackExplanation *
dstack_explain(const guint8 *data, gsize size, GError **error)
{
	g_autoptr(DstackAttestation) attestation = NULL;
	g_autoptr(GBytes) bytes = NULL;
	DstackEvidenceKind kind = dstack_evidence_guess(data, size);
	DstackExplanation *self = NULL;

	if (kind != DSTACK_EVIDENCE_ATTESTATION) {
		bytes = dstack_evidence_decode(data, size);
		return explain_bare(bytes, kind, error);
	}
	attestation = dstack_attestation_parse(data, size, error);
	if (attestation == NULL)
		return NULL;
	self = attestation->platform == DSTACK_PLATFORM_SEV_SNP ? explain_snp(attestation, error)
								: explain_tdx(attestation, error);
	for (guint i = 0; self != NULL && i < attestation->warnings->len; i++)
		g_ptr_array_add(self->notes, g_strdup(g_ptr_array_index(attestation->warnings, i)));
	return self;
}
