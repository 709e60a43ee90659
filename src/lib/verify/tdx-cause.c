/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Likely causes, found by trying what people get wrong: memory size, QEMU version, a file, a command line.
 */

#include "config.h"

#include "verify/tdx-cause.h"

#include "tdx/td-hob.h"

#define MIB	   (G_GUINT64_CONSTANT(1) << 20)
#define GIB	   (G_GUINT64_CONSTANT(1) << 30)
#define SMALL_STEP (256 * MIB)
#define SMALL_MAX  (64 * GIB)
#define LARGE_MAX  (1024 * GIB)

static gchar *
explain_mrtd(const DstackTdxRegistersView *self)
{
	const DstackTdxExpected *expected = self->expected;
	DstackTdxRegisters quoted;

	dstack_td_body_get_registers(self->td, &quoted);
	if (dstack_sha384_equal(&quoted.mrtd, &expected->mrtd_two_pass))
		return g_strdup(
		    "mrtd fits the image with the page order of QEMU 8, and vm_config's qemu_version says a "
		    "later one: it was started by another QEMU than vm_config says");
	if (dstack_sha384_equal(&quoted.mrtd, &expected->mrtd_single_pass))
		return g_strdup("mrtd fits the image with the page order of QEMU 9 and later, and vm_config's "
				"qemu_version says QEMU 8: it was started by another QEMU than vm_config says");
	return g_strdup("mrtd fits the image in neither page order: another firmware was started");
}

/* RTMR0 with the TD HOB of another memory size */
static gboolean
rtmr0_fits(const DstackTdxRegistersView *self, const DstackTdHobWitness *witness, guint64 memory_size)
{
	DstackTdxEventSet events = self->expected->events;
	DstackSha384 hob = dstack_td_hob_digest(witness, memory_size);
	DstackTdxRegisters quoted;
	DstackSha384 value = {{0}};

	dstack_td_body_get_registers(self->td, &quoted);
	dstack_tdx_event_set_add(&events, DSTACK_TDX_EVENT_TD_HOB, &hob);
	return dstack_tdx_event_set_replay(&events, &self->expected->layout->rtmr[0], &value, NULL) &&
	       dstack_sha384_equal(&value, &quoted.rtmr[0]);
}

/* 0: none of the sizes that people give fits */
static guint64
find_memory_size(const DstackTdxRegistersView *self, const DstackTdxMaterial *material)
{
	DstackTdHobWitness witness;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(material->td_hob, &size);

	if (!dstack_td_hob_witness_parse(&witness, data, size, NULL))
		return 0;
	for (guint64 memory = SMALL_STEP; memory <= LARGE_MAX; memory += memory < SMALL_MAX ? SMALL_STEP : GIB) {
		if (rtmr0_fits(self, &witness, memory))
			return memory;
	}
	return 0;
}

/* of a full log, the first event that is not as expected; NULL where there is none, or no full log */
static const DstackEventDebug *
find_event(const DstackRegisterDebug *entry)
{
	for (guint i = 0; i < entry->events->len; i++) {
		const DstackEventDebug *event = g_ptr_array_index(entry->events, i);

		if (event->status != DSTACK_EVENT_MATCH)
			return event;
	}
	return NULL;
}

static gchar *
explain_rtmr0(const DstackTdxRegistersView *self, const DstackTdxMaterial *material, guint64 memory_size)
{
	guint64 found = find_memory_size(self, material);

	if (found != 0 && found != memory_size)
		return g_strdup_printf("rtmr0 fits a memory size of %" G_GUINT64_FORMAT
				       " MiB, and vm_config says %" G_GUINT64_FORMAT " MiB",
				       found / MIB, memory_size / MIB);
	return g_strdup("rtmr0 differs: usually the memory size, the ACPI tables (devices, vCPUs, QEMU version), or "
			"another firmware");
}

static const gchar *
usual_cause(guint imr)
{
	static const gchar *const causes[] = {
	    "usually the memory size, the ACPI tables, or another firmware",
	    "usually another kernel file, or a kernel header that QEMU filled in otherwise (memory size, QEMU version)",
	    "usually another command line, or another initrd file",
	    "an event was added, left out or changed after the fact",
	};

	return causes[imr];
}

static gchar *
explain_rtmr(const DstackTdxRegistersView *self, guint imr, const DstackTdxMaterial *material, guint64 memory_size)
{
	g_autoptr(DstackRegisterDebug) entry = dstack_tdx_registers_compare_rtmr(self, imr);
	gboolean full = entry->has_replayed && dstack_sha384_equal(&entry->replayed, &entry->actual);
	const DstackEventDebug *event = full ? find_event(entry) : NULL;

	if (imr == 0)
		return explain_rtmr0(self, material, memory_size);
	if (event != NULL)
		return g_strdup_printf("rtmr%u differs first in event %u (%s): %s", imr, event->index,
				       event->meaning != NULL ? event->meaning : event->name, usual_cause(imr));
	return g_strdup_printf("rtmr%u differs: %s", imr, usual_cause(imr));
}

/**
 * dstack_tdx_find_cause:
 * @self: what was compared, with expected registers
 * @material: what they were computed from
 * @memory_size: in bytes, as vm_config says
 *
 * Returns: (transfer full) (nullable): what differs first, and why it usually does
 */
gchar *
dstack_tdx_find_cause(const DstackTdxRegistersView *self, const DstackTdxMaterial *material, guint64 memory_size)
{
	const DstackTdxExpected *expected = self->expected;
	DstackTdxRegisters quoted;

	dstack_td_body_get_registers(self->td, &quoted);
	if (!dstack_sha384_equal(&expected->mrtd, &quoted.mrtd))
		return explain_mrtd(self);
	for (guint imr = 0; imr < DSTACK_TDX_N_BOOT_RTMRS; imr++) {
		if (imr == 0 && !expected->has_rtmr0)
			continue;
		if (!dstack_sha384_equal(&expected->rtmr[imr], &quoted.rtmr[imr]))
			return explain_rtmr(self, imr, material, memory_size);
	}
	return NULL;
}
