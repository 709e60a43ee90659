/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The steps that lead from a quote to an OS image and an application: runtime events, checksum file, material,
 * ACPI digests, memory, registers, identity. The image itself is not needed: vm_config carries what it commits to.
 */

#include "config.h"

#include <string.h>

#include "base/error.h"
#include "verify/derived.h"
#include "verify/tdx-cause.h"
#include "verify/tdx-steps.h"
#include "verify/vm-config-text.h"

static DstackTdxRegistersView
view(const DstackTdxVerification *self)
{
	return (DstackTdxRegistersView){.td = &self->quote.td,
					.event_log = self->attestation->event_log,
					.runtime = self->runtime,
					.expected = self->has_expected ? &self->expected : NULL};
}

/* --- RTMR3 --- */

/* both lists of a container tell of the same events, or one of them lies */
static gboolean
ensure_same_event(const DstackEvent *a, const DstackEvent *b, guint index, GError **error)
{
	if (g_str_equal(a->name, b->name) && g_bytes_equal(a->payload, b->payload))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "event log and runtime events disagree on event %u of RTMR3 ('%s' and '%s')", index,
			    a->name, b->name);
}

static gboolean
ensure_same_runtime(const DstackEventLog *log, const DstackEventLog *runtime, GError **error)
{
	guint n = 0;

	if (!dstack_event_log_has_register(log, DSTACK_RUNTIME_REGISTER))
		return TRUE;
	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		const DstackEvent *event = dstack_event_log_get(log, i);

		if (event->imr != DSTACK_RUNTIME_REGISTER)
			continue;
		if (n < dstack_event_log_size(runtime) &&
		    !ensure_same_event(event, dstack_event_log_get(runtime, n), n, error))
			return FALSE;
		n++;
	}
	if (n == dstack_event_log_size(runtime))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "event log has %u events of RTMR3, and runtime events are %u",
			    n, dstack_event_log_size(runtime));
}

/* the firmware and the OS leave RTMR3 alone, so anything else there is no event that we could read */
static gboolean
ensure_only_runtime(const DstackEventLog *log, GError **error)
{
	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		const DstackEvent *event = dstack_event_log_get(log, i);

		if ((event->imr == DSTACK_RUNTIME_REGISTER) != dstack_event_is_runtime(event))
			return dstack_throw(
			    error, DSTACK_ERROR_UNSOUND,
			    "event log, entry %u: type 0x%x in RTMR%u; expected 0x%x in RTMR3 and nowhere "
			    "else",
			    i, event->type, event->imr, DSTACK_EVENT_RUNTIME);
	}
	return TRUE;
}

static gboolean
ensure_rtmr3(DstackTdxVerification *self, GError **error)
{
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;
	DstackTdxRegisters quoted;
	DstackSha384 value = {{0}};

	dstack_td_body_get_registers(&self->quote.td, &quoted);
	if (!dstack_event_log_replay(self->runtime, DSTACK_RUNTIME_REGISTER, &value, error))
		return FALSE;
	if (dstack_sha384_equal(&value, &quoted.rtmr[3]))
		return TRUE;
	expected_hex = dstack_sha384_to_hex(&value);
	found_hex = dstack_sha384_to_hex(&quoted.rtmr[3]);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "RTMR3: expected %s, as the event log replays, found %s in the quote", expected_hex,
			    found_hex);
}

/**
 * dstack_tdx_step_rtmr3:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Returns: %TRUE when the runtime events replay to the quote's RTMR3
 */
gboolean
dstack_tdx_step_rtmr3(DstackTdxVerification *self, GError **error)
{
	const DstackAttestation *attestation = self->attestation;
	DstackTdxRegistersView registers;

	self->runtime = attestation->runtime_events != NULL ? attestation->runtime_events : attestation->event_log;
	if (!ensure_only_runtime(attestation->event_log, error) ||
	    (attestation->runtime_events != NULL &&
	     !ensure_same_runtime(attestation->event_log, attestation->runtime_events, error)))
		return FALSE;
	/* entries with digests and versions say more than a container's bare list */
	if (dstack_event_log_has_register(attestation->event_log, DSTACK_RUNTIME_REGISTER))
		self->runtime = attestation->event_log;
	if (!ensure_rtmr3(self, error)) {
		registers = view(self);
		dstack_verdict_take_register(self->verdict,
					     dstack_tdx_registers_compare_rtmr(&registers, DSTACK_RUNTIME_REGISTER));
		return FALSE;
	}
	self->verdict->event_log_verified = TRUE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_RTMR3, "the runtime events replay to it");
	return TRUE;
}

/* --- image --- */

static gboolean
ensure_lite(const DstackVmConfig *config, GError **error)
{
	if (config->tdx_attestation_variant != DSTACK_TDX_VARIANT_LITE)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "this is evidence of variant legacy, whose ACPI tables have to be predicted from the "
		    "whole image; only variant lite is verified here");
	if (!config->has_os_image_hash)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "vm_config: os_image_hash is missing");
	if (config->tdx_measurement == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "vm_config: variant lite without tdx_measurement cannot be verified");
	return TRUE;
}

/**
 * dstack_tdx_step_checksum_file:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Also reads vm_config, and refuses evidence of variant legacy, which names no material to go on with.
 *
 * Returns: %TRUE when the checksum file is the image's identity
 */
gboolean
dstack_tdx_step_checksum_file(DstackTdxVerification *self, GError **error)
{
	g_autofree gchar *text = NULL;
	DstackSha256 digest;
	g_autofree gchar *expected = NULL;
	g_autofree gchar *found = NULL;

	if (self->attestation->config == NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "the evidence has no vm_config, so it is of variant legacy; only variant lite is "
				    "verified here");
	text = dstack_vm_config_text_unwrap(self->attestation->config);
	self->config = dstack_vm_config_parse(text, strlen(text), error);
	if (self->config == NULL || !ensure_lite(self->config, error))
		return FALSE;
	digest = dstack_sha256_bytes(self->config->tdx_measurement->checksum_file);
	expected = dstack_sha256_to_hex(&self->config->os_image_hash);
	found = dstack_sha256_to_hex(&digest);
	if (!dstack_sha256_equal(&digest, &self->config->os_image_hash))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "checksum file: expected SHA-256 %s, as os_image_hash says, found %s", expected,
				    found);
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_CHECKSUM_FILE, "os_image_hash is its SHA-256");
	return TRUE;
}

/**
 * dstack_tdx_step_manifest:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Returns: %TRUE when the checksum file lists the material, with its digest
 */
gboolean
dstack_tdx_step_manifest(DstackTdxVerification *self, GError **error)
{
	const DstackMeasurement *measurement = self->config->tdx_measurement;

	self->manifest = dstack_manifest_parse(measurement->checksum_file, error);
	if (self->manifest == NULL ||
	    !dstack_manifest_ensure_file(self->manifest, dstack_material_kind_to_file_name(DSTACK_MATERIAL_TDX),
					 measurement->measurement, error))
		return FALSE;
	self->material = dstack_tdx_material_parse(measurement->measurement, error);
	if (self->material == NULL)
		return FALSE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_MANIFEST, "the material is the one the image lists");
	return TRUE;
}

/**
 * dstack_tdx_step_ovmf_variant:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Which events a firmware measures. Readers have refused every variant but one; a vm_config may leave it out,
 * and then the material's own counts, which the image commits to.
 *
 * Returns: %TRUE when vm_config's is the material's
 */
gboolean
dstack_tdx_step_ovmf_variant(DstackTdxVerification *self, GError **error)
{
	switch (self->config->ovmf_variant) {
	case DSTACK_OVMF_VARIANT_UNSET:
		dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_OVMF_VARIANT, "pre202505, of the material");
		return TRUE;
	case DSTACK_OVMF_VARIANT_PRE202505:
		dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_OVMF_VARIANT, "pre202505");
		return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "ovmf_variant: expected pre202505");
}

/* --- registers --- */

static gboolean
read_acpi_digest(const DstackEventLog *log, const gchar *label, DstackSha384 *out, GError **error)
{
	const DstackEvent *event = dstack_event_log_find_label(log, label, error);

	if (event == NULL)
		return FALSE;
	*out = event->digest;
	return TRUE;
}

static void
show_registers(DstackTdxVerification *self, gboolean only_different)
{
	DstackTdxRegistersView registers = view(self);

	g_ptr_array_set_size(self->verdict->registers_debug, 0);
	for (guint i = 0; i <= DSTACK_N_RTMRS; i++) {
		DstackRegisterDebug *entry = i == 0 ? dstack_tdx_registers_compare_mrtd(&registers)
						    : dstack_tdx_registers_compare_rtmr(&registers, i - 1);

		if (!only_different || !dstack_sha384_equal(&entry->expected, &entry->actual))
			dstack_verdict_take_register(self->verdict, entry);
		else
			dstack_register_debug_free(entry);
	}
}

/* what can be said before the expected registers are known: the log against the quote */
static void
show_log(DstackTdxVerification *self)
{
	DstackTdxRegistersView registers = view(self);

	for (guint imr = 0; imr < DSTACK_TDX_N_BOOT_RTMRS; imr++) {
		DstackRegisterDebug *entry = dstack_tdx_registers_compare_rtmr(&registers, imr);

		entry->has_expected = entry->has_replayed;
		entry->expected = entry->replayed;
		if (entry->has_expected && !dstack_sha384_equal(&entry->expected, &entry->actual))
			dstack_verdict_take_register(self->verdict, entry);
		else
			dstack_register_debug_free(entry);
	}
}

/**
 * dstack_tdx_step_acpi:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Selected by name; RTMR0 proves them in the step after next. Of a log that is not stripped everything else
 * must hold as well.
 *
 * Returns: %TRUE when each of the three is there once
 */
gboolean
dstack_tdx_step_acpi(DstackTdxVerification *self, GError **error)
{
	const DstackEventLog *log = self->attestation->event_log;
	DstackTdxRegistersView registers = view(self);

	if (!read_acpi_digest(log, DSTACK_LABEL_ACPI_LOADER, &self->acpi_loader, error) ||
	    !read_acpi_digest(log, DSTACK_LABEL_ACPI_RSDP, &self->acpi_rsdp, error) ||
	    !read_acpi_digest(log, DSTACK_LABEL_ACPI_TABLES, &self->acpi_tables, error))
		return FALSE;
	if (!dstack_tdx_registers_ensure_log(&registers, error)) {
		show_log(self);
		return FALSE;
	}
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_ACPI, "loader, rsdp and tables are in the event log%s",
			    dstack_event_log_is_stripped(log) ? "" : ", which replays to the quote's registers");
	return TRUE;
}

/**
 * dstack_tdx_step_memory:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Returns: %TRUE when the material's kernel digest holds at vm_config's memory size
 */
gboolean
dstack_tdx_step_memory(DstackTdxVerification *self, GError **error)
{
	guint64 size = self->config->memory_size;

	if (!dstack_tdx_material_holds_at(self->material, size))
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "memory_size: variant lite needs exactly 2 GiB, or at least 2816 MiB, found %" G_GUINT64_FORMAT
		    " bytes",
		    size);
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_MEMORY, "%" G_GUINT64_FORMAT " MiB%s", size >> 20,
			    self->material->kernel_header_normalized ? ", with a kernel that holds at any" : "");
	return TRUE;
}

static gboolean
compute_expected(DstackTdxVerification *self, GError **error)
{
	DstackTdxLaunch launch = {.memory_size = self->config->memory_size,
				  .qemu_version = self->config->qemu_version,
				  .qemu_single_pass_add_pages = self->config->qemu_single_pass_add_pages,
				  .acpi_loader = &self->acpi_loader,
				  .acpi_rsdp = &self->acpi_rsdp,
				  .acpi_tables = &self->acpi_tables};

	self->has_expected = dstack_tdx_expected_compute(&self->expected, self->material, &launch, error);
	return self->has_expected;
}

/**
 * dstack_tdx_step_registers:
 * @self: the verification
 * @error: (out) (optional): why not; names the register, and a likely cause
 *
 * Returns: %TRUE when the quote's MRTD and RTMR0 to RTMR2 are those of the image at this launch
 */
gboolean
dstack_tdx_step_registers(DstackTdxVerification *self, GError **error)
{
	DstackTdxRegistersView registers;
	g_autofree gchar *cause = NULL;

	if (!compute_expected(self, error))
		return FALSE;
	registers = view(self);
	if (!dstack_tdx_registers_ensure_expected(&registers, error)) {
		show_registers(self, TRUE);
		cause = dstack_tdx_find_cause(&registers, self->material, self->config->memory_size);
		if (cause != NULL && error != NULL && *error != NULL)
			g_prefix_error(error, "%s; ", cause);
		return FALSE;
	}
	if (self->options->debug || self->attestation->debug)
		show_registers(self, FALSE);
	self->verdict->os_image_hash_verified = TRUE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_REGISTERS, "MRTD, RTMR0, RTMR1 and RTMR2 are the image's");
	return TRUE;
}

/**
 * dstack_tdx_step_identity:
 * @self: the verification
 * @error: (out) (optional): why not
 *
 * Returns: %TRUE when identity follows from what has been verified
 */
gboolean
dstack_tdx_step_identity(DstackTdxVerification *self, GError **error)
{
	DstackTdxIdentity identity = {.td = &self->quote.td,
				      .runtime = self->runtime,
				      .config = self->config,
				      .ppid = self->dcap->pck.ppid,
				      .boot_time = self->options->boot_time_mr};

	if (!dstack_tdx_identity_derive(&identity, self->verdict, error))
		return FALSE;
	dstack_verdict_pass(self->verdict, DSTACK_TDX_STEP_IDENTITY, "%s",
			    self->options->boot_time_mr ? "as of the end of the boot" : "as of the quote");
	return TRUE;
}
