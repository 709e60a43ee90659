/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * expect, for people: registers and the events behind them.
 */

#include "config.h"

#include "cli/expect.h"

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

static void
add_tdx(DstackRecord *record, const DstackExpectation *expectation)
{
	const DstackTdxExpected *expected = &expectation->tdx;

	dstack_record_add_size(record, "memory_size", "Memory", expectation->memory_size);
	dstack_record_add_text(record, "qemu_version", "QEMU", expectation->qemu_version);
	dstack_record_add_text(record, "kernel", "Kernel", expectation->kernel_plain ? "plain" : "patched");
	dstack_record_add_text(record, "page_order", "Page order", dstack_page_order_to_string(expected->page_order));
	dstack_record_add_text(record, "layout", "Event layout", expected->layout->name);
	add_registers(record, expected);
	add_events(record, expected);
}

static void
add_snp(DstackRecord *record, const DstackExpectation *expectation)
{
	const DstackSnpMaterial *material = expectation->snp;

	dstack_record_add_uint(record, "vcpus", "vCPUs", expectation->vcpus);
	dstack_record_add_text(record, "vcpu_type", "vCPU type", expectation->vcpu_type);
	dstack_record_add_address(record, "guest_features", "Guest features", expectation->guest_features);
	add_digest(record, "measurement", "MEASUREMENT", &expectation->measurement);
	add_digest(record, "ovmf_hash", "Firmware", &material->ovmf_hash);
	dstack_record_add_hex(record, "kernel_hash", "Kernel", material->kernel_hash.bytes,
			      sizeof(material->kernel_hash.bytes));
	dstack_record_add_hex(record, "initrd_hash", "Initrd", material->initrd_hash.bytes,
			      sizeof(material->initrd_hash.bytes));
}

/**
 * dstack_expect_render:
 * @expectation: what a launch will show
 *
 * Returns: (transfer full): it as people read it
 */
DstackRecord *
dstack_expect_render(const DstackExpectation *expectation)
{
	DstackRecord *record = dstack_record_new();

	dstack_record_add_text(record, "image", "Image", expectation->image);
	dstack_record_add_text(record, "tee", "TEE", dstack_launch_tee_to_string(expectation->tee));
	if (expectation->tee == DSTACK_LAUNCH_TEE_SNP)
		add_snp(record, expectation);
	else
		add_tdx(record, expectation);
	return record;
}
