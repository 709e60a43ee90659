/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The constant events of RTMR0. Source: tdx-measurement.md, section 3. An unset variable is measured as
 * a UEFI_VARIABLE_DATA without data (TCG PC Client Platform Firmware Profile, section 10.2.6).
 */

#include "config.h"

#include "tdx/rtmr0.h"

#include <string.h>

#include "base/guid.h"
#include "base/writer.h"

#define GLOBAL_VARIABLE	  "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define SECURITY_DATABASE "d719b2cb-3d3a-4596-a3bc-dad00e67656f"

static const struct {
	DstackTdxEvent event;
	const gchar *guid;
	const gchar *name;
} variables[] = {
    {DSTACK_TDX_EVENT_SECURE_BOOT, GLOBAL_VARIABLE, "SecureBoot"},
    {DSTACK_TDX_EVENT_PK, GLOBAL_VARIABLE, "PK"},
    {DSTACK_TDX_EVENT_KEK, GLOBAL_VARIABLE, "KEK"},
    {DSTACK_TDX_EVENT_DB, SECURITY_DATABASE, "db"},
    {DSTACK_TDX_EVENT_DBX, SECURITY_DATABASE, "dbx"},
};

static const DstackSha384 default_cfv = {{0x34, 0x4b, 0xc5, 0x1c, 0x98, 0x0b, 0xa6, 0x21, 0xaa, 0xa0, 0x0d, 0xa3,
					  0xed, 0x74, 0x36, 0xf7, 0xd6, 0xe5, 0x49, 0x19, 0x7d, 0xfe, 0x69, 0x95,
					  0x15, 0xdf, 0xa2, 0xc6, 0x58, 0x3d, 0x95, 0xe6, 0x41, 0x2a, 0xf2, 0x1c,
					  0x09, 0x7d, 0x47, 0x31, 0x55, 0x87, 0x5f, 0xfd, 0x56, 0x1d, 0x67, 0x90}};

/* the load option that OVMF makes for its own menu: path, attributes and description are the same in every build */
static const DstackSha384 boot0000 = {{0x23, 0xad, 0xa0, 0x7f, 0x52, 0x61, 0xf1, 0x2f, 0x34, 0xa0, 0xbd, 0x8e,
				       0x46, 0x76, 0x09, 0x62, 0xd6, 0xb4, 0xd5, 0x76, 0xa4, 0x16, 0xf1, 0xfe,
				       0xa1, 0xc6, 0x4b, 0xc6, 0x56, 0xb1, 0xd2, 0x8e, 0xac, 0xf7, 0x04, 0x7a,
				       0xe6, 0xe9, 0x67, 0xc5, 0x8f, 0xd2, 0xa9, 0x8b, 0xfa, 0x74, 0xc2, 0x98}};

static DstackSha384
unset_variable_digest(const gchar *guid_text, const gchar *name)
{
	g_autoptr(GByteArray) data = g_byte_array_new();
	DstackGuid guid = dstack_guid_from_constant(guid_text, DSTACK_GUID_EFI);

	g_byte_array_append(data, guid.bytes, sizeof(guid.bytes));
	dstack_append_u64le(data, strlen(name));
	dstack_append_u64le(data, 0); /* bytes of data */
	dstack_append_utf16le(data, name);
	return dstack_sha384(data->data, data->len);
}

/**
 * dstack_rtmr0_default_cfv:
 *
 * Returns: the digest that material takes for granted for the firmware's variable store
 */
DstackSha384
dstack_rtmr0_default_cfv(void)
{
	return default_cfv;
}

/**
 * dstack_rtmr0_add_constants:
 * @events: a set, to which the events are added
 */
void
dstack_rtmr0_add_constants(DstackTdxEventSet *events)
{
	static const guint8 zeros[4];
	DstackSha384 separator = dstack_sha384(zeros, 4);
	DstackSha384 boot_order = dstack_sha384(zeros, 2);

	for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
		DstackSha384 digest = unset_variable_digest(variables[i].guid, variables[i].name);

		dstack_tdx_event_set_add(events, variables[i].event, &digest);
	}
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_CFV, &default_cfv);
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_SEPARATOR, &separator);
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_BOOT_ORDER, &boot_order);
	dstack_tdx_event_set_add(events, DSTACK_TDX_EVENT_BOOT0000, &boot0000);
}
