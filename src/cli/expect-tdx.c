/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * expect, for TDX: registers and the events behind them.
 */

#include "config.h"

#include "cli/expect.h"
#include "launch/qemu-version.h"
#include "measure/material-tdx.h"
#include "verify/expected-tdx.h"

/* which kernel reaches the firmware: tdx-measurement.md, section 4 */
static gboolean
choose_kernel(DstackCli *cli, const DstackImage *image, const DstackExpectRequest *request, gboolean *out_plain,
	      GError **error)
{
	guint major = 9;
	guint minor = 1;
	guint micro = 0;

	if (request->launch->qemu_version != NULL &&
	    !dstack_qemu_version_parse(request->launch->qemu_version, &major, &minor, &micro, error))
		return FALSE;
	if (request->kernel != DSTACK_EXPECT_KERNEL_UNSET) {
		*out_plain = request->kernel == DSTACK_EXPECT_KERNEL_PLAIN;
		return TRUE;
	}
	*out_plain = image->metadata->kernel_header_normalized || major > 10 || (major == 10 && minor >= 2);
	if (!*out_plain && major == 10)
		dstack_cli_warn(
		    cli,
		    "QEMU %s offers firmware the kernel unpatched too, and edk2 from 202502 on takes that: then "
		    "--kernel plain is right",
		    request->launch->qemu_version);
	return TRUE;
}

static void
add_digest(DstackRecord *record, const gchar *key, const gchar *label, const DstackSha384 *digest)
{
	dstack_record_add_hex(record, key, label, digest->bytes, sizeof(digest->bytes));
}

static void
add_registers(DstackRecord *record, const DstackTdxExpected *expected)
{
	static const gchar *const keys[] = {"rtmr0", "rtmr1", "rtmr2"};
	static const gchar *const labels[] = {"RTMR0", "RTMR1", "RTMR2"};

	add_digest(record, "mrtd", "MRTD", &expected->mrtd);
	add_digest(record, "mrtd_single_pass", NULL, &expected->mrtd_single_pass);
	add_digest(record, "mrtd_two_pass", NULL, &expected->mrtd_two_pass);
	for (guint i = 0; i < DSTACK_TDX_N_BOOT_RTMRS; i++) {
		if (i == 0 && !expected->has_rtmr0)
			dstack_record_add_null(record, keys[i], labels[i]);
		else
			add_digest(record, keys[i], labels[i], &expected->rtmr[i]);
	}
	if (!expected->has_rtmr0)
		dstack_record_add_note(record, DSTACK_TONE_DIM,
				       "RTMR0 depends on the VM's ACPI tables: give their digests with --acpi-loader, "
				       "--acpi-rsdp and --acpi-tables.");
}

static void
add_events(DstackRecord *record, const DstackTdxExpected *expected)
{
	static const gchar *const registers[] = {"rtmr0", "rtmr1", "rtmr2"};
	DstackTable *table = dstack_record_add_table(record, "events", "Events");

	for (guint i = 0; i < DSTACK_TDX_N_BOOT_RTMRS; i++) {
		const DstackTdxEventList *list = &expected->layout->rtmr[i];

		for (guint j = 0; j < list->n_events; j++) {
			DstackTdxEvent event = list->events[j];
			DstackRecord *row = dstack_table_add_row(table);

			dstack_record_add_text(row, "register", "REGISTER", registers[i]);
			dstack_record_add_text(row, "event", "EVENT", dstack_tdx_event_to_string(event));
			if (expected->events.known[event])
				add_digest(row, "digest", "DIGEST", &expected->events.digest[event]);
			else
				dstack_record_add_null(row, "digest", "DIGEST");
			dstack_record_add_text(row, "description", NULL, dstack_tdx_event_describe(event));
		}
	}
}

static DstackRecord *
render(const DstackImage *image, const DstackExpectRequest *request, gboolean plain, const DstackTdxExpected *expected)
{
	DstackRecord *record = dstack_record_new();

	dstack_record_add_text(record, "image", "Image", image->name);
	dstack_record_add_text(record, "tee", "TEE", "tdx");
	dstack_record_add_size(record, "memory_size", "Memory", request->launch->memory_size);
	dstack_record_add_text(record, "qemu_version", "QEMU", request->launch->qemu_version);
	dstack_record_add_text(record, "kernel", "Kernel", plain ? "plain" : "patched");
	dstack_record_add_text(record, "page_order", "Page order", dstack_page_order_to_string(expected->page_order));
	dstack_record_add_text(record, "layout", "Event layout", expected->layout->name);
	add_registers(record, expected);
	add_events(record, expected);
	return record;
}

/* what is computed is true for this launch; whether lite verification would find it is another question */
static void
note_lite(DstackCli *cli, const DstackTdxMaterial *material, const DstackExpectRequest *request,
	  const DstackSha384 *kernel)
{
	if (!dstack_tdx_material_holds_at(material, request->launch->memory_size))
		dstack_cli_note(cli,
				"material does not hold at this memory size: lite needs exactly 2G, or 2816M and more");
	else if (!dstack_sha384_equal(kernel, &material->kernel_authenticode))
		dstack_cli_note(cli,
				"material is computed for the patched kernel: a launch with the plain one does not "
				"verify as lite");
}

static DstackTristate
switch_to_tristate(DstackSwitch value)
{
	switch (value) {
	case DSTACK_SWITCH_UNSET:
		return DSTACK_TRISTATE_UNSET;
	case DSTACK_SWITCH_OFF:
		return DSTACK_TRISTATE_FALSE;
	case DSTACK_SWITCH_ON:
		return DSTACK_TRISTATE_TRUE;
	}
	g_return_val_if_reached(DSTACK_TRISTATE_UNSET);
}

/**
 * dstack_expect_tdx:
 * @cli: the run
 * @image: an open image
 * @request: what is launched
 * @error: (out) (optional): why nothing can be expected
 *
 * Returns: (transfer full): the answer
 */
DstackRecord *
dstack_expect_tdx(DstackCli *cli, const DstackImage *image, const DstackExpectRequest *request, GError **error)
{
	g_autoptr(DstackTdxFiles) files = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;
	DstackTdxLaunch launch = {.memory_size = request->launch->memory_size,
				  .qemu_version = request->launch->qemu_version};
	DstackTdxExpected expected;
	DstackSha384 kernel;
	gboolean plain = FALSE;

	if (!choose_kernel(cli, image, request, &plain, error))
		return NULL;
	files = dstack_tdx_files_read(image, cli->cancellable, error);
	measured = files != NULL ? dstack_tdx_measure(&files->inputs, 0, error) : NULL;
	if (measured == NULL)
		return NULL;
	if (plain ? !dstack_tdx_inputs_kernel_plain(&files->inputs, &kernel, error)
		  : !dstack_tdx_inputs_kernel_patched(&files->inputs, request->launch->memory_size, &kernel, error))
		return NULL;
	launch.qemu_single_pass_add_pages = switch_to_tristate(request->launch->single_pass_add_pages);
	launch.kernel = &kernel;
	launch.cfv = &measured->cfv;
	if (request->has_acpi) {
		launch.acpi_loader = &request->acpi[0];
		launch.acpi_rsdp = &request->acpi[1];
		launch.acpi_tables = &request->acpi[2];
	}
	if (!dstack_tdx_expected_compute(&expected, measured->material, &launch, error))
		return NULL;
	note_lite(cli, measured->material, request, &kernel);
	return render(image, request, plain, &expected);
}
