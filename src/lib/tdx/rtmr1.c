/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The constant events of RTMR1. Source: tdx-measurement.md, section 4; the strings are those of the TCG
 * PC Client Platform Firmware Profile, section 10.4.3, hashed without a terminator.
 */

#include "config.h"

#include "tdx/rtmr1.h"

#include <string.h>

static const struct {
	DstackTdxEvent event;
	const gchar *action;
} actions[] = {
    {DSTACK_TDX_EVENT_CALLING_EFI_APPLICATION, "Calling EFI Application from Boot Option"},
    {DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_INVOCATION, "Exit Boot Services Invocation"},
    {DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_RETURNED, "Exit Boot Services Returned with Success"},
};

/**
 * dstack_rtmr1_add_constants:
 * @events: a set, to which the events are added
 */
void
dstack_rtmr1_add_constants(DstackTdxEventSet *events)
{
	static const guint8 zeros[4];
	DstackSha384 separator = dstack_sha384(zeros, sizeof(zeros));

	for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
		DstackSha384 digest = dstack_sha384((const guint8 *)actions[i].action, strlen(actions[i].action));

		dstack_tdx_event_set_add(events, actions[i].event, &digest);
	}
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_SEPARATOR, &separator);
}
