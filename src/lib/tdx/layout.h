/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which events a firmware's boot extends into each RTMR, in order: one row a firmware generation.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* every event that a layout may name */
typedef enum {
	DSTACK_TDX_EVENT_TD_HOB,
	DSTACK_TDX_EVENT_CFV,
	DSTACK_TDX_EVENT_SECURE_BOOT,
	DSTACK_TDX_EVENT_PK,
	DSTACK_TDX_EVENT_KEK,
	DSTACK_TDX_EVENT_DB,
	DSTACK_TDX_EVENT_DBX,
	DSTACK_TDX_EVENT_SEPARATOR,
	DSTACK_TDX_EVENT_ACPI_LOADER,
	DSTACK_TDX_EVENT_ACPI_RSDP,
	DSTACK_TDX_EVENT_ACPI_TABLES,
	DSTACK_TDX_EVENT_BOOT_ORDER,
	DSTACK_TDX_EVENT_BOOT0000,
	DSTACK_TDX_EVENT_KERNEL,
	DSTACK_TDX_EVENT_CALLING_EFI_APPLICATION,
	DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_INVOCATION,
	DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_RETURNED,
	DSTACK_TDX_EVENT_COMMAND_LINE,
	DSTACK_TDX_EVENT_INITRD,
	DSTACK_TDX_N_EVENTS /*< skip >*/
} DstackTdxEvent;

/* digests by event; a value type, zero: none is known */
typedef struct {
	gboolean known[DSTACK_TDX_N_EVENTS];
	DstackSha384 digest[DSTACK_TDX_N_EVENTS];
} DstackTdxEventSet;

typedef struct {
	guint n_events;
	const DstackTdxEvent *events;
} DstackTdxEventList;

#define DSTACK_TDX_N_BOOT_RTMRS 3 /* RTMR3 belongs to the guest's own software */

typedef struct {
	const gchar *name; /* as material's tdvf.ovmf and vm_config's ovmf_variant have it */
	DstackTdxEventList rtmr[DSTACK_TDX_N_BOOT_RTMRS];
} DstackTdxLayout;

/* (transfer none): the layout of that name, or %DSTACK_ERROR_MALFORMED */
const DstackTdxLayout *dstack_tdx_layout_find(const gchar *name, GError **error);

/* stable, for output and comparison: "td-hob", "secure-boot", "kernel" */
const gchar *dstack_tdx_event_to_string(DstackTdxEvent event);
/* what is hashed, in words, for people */
const gchar *dstack_tdx_event_describe(DstackTdxEvent event);

void dstack_tdx_event_set_add(DstackTdxEventSet *self, DstackTdxEvent event, const DstackSha384 *digest);
/* whether every event of that register is known, so that its value can be computed */
gboolean dstack_tdx_event_set_covers(const DstackTdxEventSet *self, const DstackTdxEventList *list);
/* %DSTACK_ERROR_INVALID_ARGUMENT names the first event whose digest is not known */
gboolean dstack_tdx_event_set_replay(const DstackTdxEventSet *self, const DstackTdxEventList *list, DstackSha384 *out,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
