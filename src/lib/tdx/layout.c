/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of RTMR layouts. Source: tdx-measurement.md, sections 3 to 6. Another firmware generation is
 * another row here; replaying a log needs none of this.
 */

#include "config.h"

#include "tdx/layout.h"

#include "base/error.h"
#include "base/register.h"

/* edk2-stable202411 and 202502, dstack's and Debian 13's builds */
static const DstackTdxEvent pre202505_rtmr0[] = {
    DSTACK_TDX_EVENT_TD_HOB,	  DSTACK_TDX_EVENT_CFV,	      DSTACK_TDX_EVENT_SECURE_BOOT, DSTACK_TDX_EVENT_PK,
    DSTACK_TDX_EVENT_KEK,	  DSTACK_TDX_EVENT_DB,	      DSTACK_TDX_EVENT_DBX,	    DSTACK_TDX_EVENT_SEPARATOR,
    DSTACK_TDX_EVENT_ACPI_LOADER, DSTACK_TDX_EVENT_ACPI_RSDP, DSTACK_TDX_EVENT_ACPI_TABLES, DSTACK_TDX_EVENT_BOOT_ORDER,
    DSTACK_TDX_EVENT_BOOT0000,
};
static const DstackTdxEvent pre202505_rtmr1[] = {
    DSTACK_TDX_EVENT_KERNEL,
    DSTACK_TDX_EVENT_CALLING_EFI_APPLICATION,
    DSTACK_TDX_EVENT_SEPARATOR,
    DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_INVOCATION,
    DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_RETURNED,
};
static const DstackTdxEvent pre202505_rtmr2[] = {
    DSTACK_TDX_EVENT_COMMAND_LINE,
    DSTACK_TDX_EVENT_INITRD,
};

static const DstackTdxLayout layouts[] = {
    {.name = "pre202505",
     .rtmr = {{G_N_ELEMENTS(pre202505_rtmr0), pre202505_rtmr0},
	      {G_N_ELEMENTS(pre202505_rtmr1), pre202505_rtmr1},
	      {G_N_ELEMENTS(pre202505_rtmr2), pre202505_rtmr2}}},
};

static const struct {
	const gchar *name;
	const gchar *description;
} event_texts[] = {
    [DSTACK_TDX_EVENT_TD_HOB] = {"td-hob", "memory map that QEMU hands to the firmware"},
    [DSTACK_TDX_EVENT_CFV] = {"cfv", "the firmware's variable store"},
    [DSTACK_TDX_EVENT_SECURE_BOOT] = {"secure-boot", "variable SecureBoot, not set"},
    [DSTACK_TDX_EVENT_PK] = {"pk", "variable PK, not set"},
    [DSTACK_TDX_EVENT_KEK] = {"kek", "variable KEK, not set"},
    [DSTACK_TDX_EVENT_DB] = {"db", "variable db, not set"},
    [DSTACK_TDX_EVENT_DBX] = {"dbx", "variable dbx, not set"},
    [DSTACK_TDX_EVENT_SEPARATOR] = {"separator", "separator: four zero bytes"},
    [DSTACK_TDX_EVENT_ACPI_LOADER] = {"acpi-loader", "fw_cfg etc/table-loader"},
    [DSTACK_TDX_EVENT_ACPI_RSDP] = {"acpi-rsdp", "fw_cfg etc/acpi/rsdp"},
    [DSTACK_TDX_EVENT_ACPI_TABLES] = {"acpi-tables", "fw_cfg etc/acpi/tables"},
    [DSTACK_TDX_EVENT_BOOT_ORDER] = {"boot-order", "variable BootOrder: the first entry"},
    [DSTACK_TDX_EVENT_BOOT0000] = {"boot0000", "variable Boot0000: the firmware's own menu"},
    [DSTACK_TDX_EVENT_KERNEL] = {"kernel", "kernel as the firmware starts it, Authenticode"},
    [DSTACK_TDX_EVENT_CALLING_EFI_APPLICATION] = {"calling-efi-application",
						  "action 'Calling EFI Application from Boot Option'"},
    [DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_INVOCATION] = {"exit-boot-services-invocation",
							"action 'Exit Boot Services Invocation'"},
    [DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_RETURNED] = {"exit-boot-services-returned",
						      "action 'Exit Boot Services Returned with Success'"},
    [DSTACK_TDX_EVENT_COMMAND_LINE] = {"cmdline", "kernel command line with initrd=initrd, UTF-16"},
    [DSTACK_TDX_EVENT_INITRD] = {"initrd", "initrd file"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(event_texts) == DSTACK_TDX_N_EVENTS);

/**
 * dstack_tdx_layout_find:
 * @name: as material's `ovmf` and vm_config's `ovmf_variant` have it
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when no firmware of that name is known
 *
 * Returns: (transfer none): the layout, or %NULL
 */
const DstackTdxLayout *
dstack_tdx_layout_find(const gchar *name, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(layouts); i++) {
		if (g_str_equal(layouts[i].name, name))
			return &layouts[i];
	}
	(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "ovmf: expected a known layout such as '%s', found '%s'",
			   layouts[0].name, name);
	return NULL;
}

/**
 * dstack_tdx_event_to_string:
 * @event: an event
 *
 * Returns: its name in output, which does not change
 */
const gchar *
dstack_tdx_event_to_string(DstackTdxEvent event)
{
	g_return_val_if_fail(event < DSTACK_TDX_N_EVENTS, NULL);
	return event_texts[event].name;
}

/**
 * dstack_tdx_event_describe:
 * @event: an event
 *
 * Returns: what is hashed, in a few words for people
 */
const gchar *
dstack_tdx_event_describe(DstackTdxEvent event)
{
	g_return_val_if_fail(event < DSTACK_TDX_N_EVENTS, NULL);
	return event_texts[event].description;
}

/**
 * dstack_tdx_event_set_add:
 * @self: the set
 * @event: an event
 * @digest: its digest, which replaces an earlier one
 */
void
dstack_tdx_event_set_add(DstackTdxEventSet *self, DstackTdxEvent event, const DstackSha384 *digest)
{
	g_return_if_fail(event < DSTACK_TDX_N_EVENTS);
	self->known[event] = TRUE;
	self->digest[event] = *digest;
}

/**
 * dstack_tdx_event_set_covers:
 * @self: the set
 * @list: the events of a register
 *
 * Returns: whether the register can be computed
 */
gboolean
dstack_tdx_event_set_covers(const DstackTdxEventSet *self, const DstackTdxEventList *list)
{
	for (guint i = 0; i < list->n_events; i++) {
		if (!self->known[list->events[i]])
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_tdx_event_set_replay:
 * @self: the set
 * @list: the events of a register, in order
 * @out: (out): the register's value
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT names the first event whose digest is not known
 *
 * Returns: %TRUE and the value
 */
gboolean
dstack_tdx_event_set_replay(const DstackTdxEventSet *self, const DstackTdxEventList *list, DstackSha384 *out,
			    GError **error)
{
	DstackSha384 value = {{0}};

	for (guint i = 0; i < list->n_events; i++) {
		DstackTdxEvent event = list->events[i];

		if (!self->known[event])
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "digest of event %s is not known",
					    dstack_tdx_event_to_string(event));
		dstack_register_extend(&value, &self->digest[event]);
	}
	*out = value;
	return TRUE;
}
