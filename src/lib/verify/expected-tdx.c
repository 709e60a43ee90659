/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Expected registers of a TDX launch. Rules: tdx-measurement.md, sections 2 to 6.
 */

#include "config.h"

#include "verify/expected-tdx.h"

#include "base/error.h"
#include "tdx/rtmr0.h"
#include "tdx/rtmr1.h"
#include "tdx/rtmr2.h"
#include "tdx/td-hob.h"

#define MATERIAL_LAYOUT "pre202505" /* the one that material of versions 3 and 4 can mean */
#define MEMORY_2_GIB	G_GUINT64_CONSTANT(0x80000000)
#define MEMORY_LITE	G_GUINT64_CONSTANT(0xb0000000)

static gboolean
expected_add_memory(DstackTdxExpected *self, const DstackTdxMaterial *material, guint64 memory_size, GError **error)
{
	DstackTdHobWitness witness;
	DstackSha384 digest;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(material->td_hob, &size);

	if (!dstack_td_hob_witness_parse(&witness, data, size, error))
		return FALSE;
	digest = dstack_td_hob_digest(&witness, memory_size);
	dstack_tdx_event_set_add(&self->events, DSTACK_TDX_EVENT_TD_HOB, &digest);
	return TRUE;
}

static gboolean
expected_add_cmdline(DstackTdxExpected *self, const DstackTdxMaterial *material, GError **error)
{
	DstackSha384 digest = material->cmdline_sha384;

	if (material->cmdline != NULL && !dstack_rtmr2_cmdline_digest(material->cmdline, &digest, error))
		return FALSE;
	dstack_tdx_event_set_add(&self->events, DSTACK_TDX_EVENT_COMMAND_LINE, &digest);
	return TRUE;
}

static gboolean
expected_add_acpi(DstackTdxExpected *self, const DstackTdxLaunch *launch, GError **error)
{
	guint given = (launch->acpi_loader != NULL) + (launch->acpi_rsdp != NULL) + (launch->acpi_tables != NULL);

	if (given == 0)
		return TRUE;
	if (given != 3)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "ACPI digests: expected loader, rsdp and tables, or none of them, found %u", given);
	dstack_tdx_event_set_add(&self->events, DSTACK_TDX_EVENT_ACPI_LOADER, launch->acpi_loader);
	dstack_tdx_event_set_add(&self->events, DSTACK_TDX_EVENT_ACPI_RSDP, launch->acpi_rsdp);
	dstack_tdx_event_set_add(&self->events, DSTACK_TDX_EVENT_ACPI_TABLES, launch->acpi_tables);
	self->has_rtmr0 = TRUE;
	return TRUE;
}

static gboolean
expected_choose_mrtd(DstackTdxExpected *self, const DstackTdxMaterial *material, const DstackTdxLaunch *launch,
		     GError **error)
{
	gboolean override = launch->qemu_single_pass_add_pages == DSTACK_TRISTATE_TRUE;
	gboolean is_set = launch->qemu_single_pass_add_pages != DSTACK_TRISTATE_UNSET;

	if (!dstack_page_order_for_launch(launch->qemu_version, is_set ? &override : NULL, &self->page_order, error))
		return FALSE;
	self->mrtd_single_pass = material->mrtd_single_pass;
	self->mrtd_two_pass = material->mrtd_two_pass;
	switch (self->page_order) {
	case DSTACK_PAGE_ORDER_SINGLE_PASS:
		self->mrtd = material->mrtd_single_pass;
		break;
	case DSTACK_PAGE_ORDER_TWO_PASS:
		self->mrtd = material->mrtd_two_pass;
		break;
	}
	return TRUE;
}

static gboolean
expected_replay(DstackTdxExpected *self, GError **error)
{
	for (guint i = 0; i < DSTACK_TDX_N_BOOT_RTMRS; i++) {
		if (i == 0 && !self->has_rtmr0)
			continue;
		if (!dstack_tdx_event_set_replay(&self->events, &self->layout->rtmr[i], &self->rtmr[i], error))
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_tdx_expected_compute:
 * @self: (out caller-allocates): the registers and events
 * @material: of the image
 * @launch: what is launched
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the TD HOB witness or the QEMU version cannot be read,
 *   %DSTACK_ERROR_UNSOUND when that QEMU cannot start a TD, %DSTACK_ERROR_INVALID_ARGUMENT when some but not all
 *   ACPI digests are given
 *
 * Says nothing about whether the material's kernel digest holds for this launch: dstack_tdx_material_holds_at()
 * and the QEMU version decide that.
 *
 * Returns: %TRUE and the registers
 */
gboolean
dstack_tdx_expected_compute(DstackTdxExpected *self, const DstackTdxMaterial *material, const DstackTdxLaunch *launch,
			    GError **error)
{
	DstackTdxExpected expected = {0};

	expected.layout = dstack_tdx_layout_find(MATERIAL_LAYOUT, error);
	if (expected.layout == NULL)
		return FALSE;
	dstack_rtmr0_add_constants(&expected.events);
	dstack_rtmr1_add_constants(&expected.events);
	dstack_tdx_event_set_add(&expected.events, DSTACK_TDX_EVENT_KERNEL,
				 launch->kernel != NULL ? launch->kernel : &material->kernel_authenticode);
	dstack_tdx_event_set_add(&expected.events, DSTACK_TDX_EVENT_INITRD, &material->initrd_sha384);
	if (launch->cfv != NULL)
		dstack_tdx_event_set_add(&expected.events, DSTACK_TDX_EVENT_CFV, launch->cfv);
	if (!expected_add_memory(&expected, material, launch->memory_size, error) ||
	    !expected_add_cmdline(&expected, material, error) || !expected_add_acpi(&expected, launch, error) ||
	    !expected_choose_mrtd(&expected, material, launch, error) || !expected_replay(&expected, error))
		return FALSE;
	*self = expected;
	return TRUE;
}

/**
 * dstack_tdx_material_holds_at:
 * @material: of an image
 * @memory_size: of a VM, bytes
 *
 * QEMU writes the initrd's address into the kernel, and that address depends on the memory size: material holds the
 * digest for the sizes at which it is the same.
 *
 * Returns: whether this is one of them
 */
gboolean
dstack_tdx_material_holds_at(const DstackTdxMaterial *material, guint64 memory_size)
{
	return material->kernel_header_normalized || memory_size == MEMORY_2_GIB || memory_size >= MEMORY_LITE;
}
