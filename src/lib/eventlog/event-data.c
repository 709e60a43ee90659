/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What can be known of a firmware event from its type and data (tdx-measurement.md section 6).
 */

#include "config.h"

#include "eventlog/event-log.h"

#include "base/error.h"

/* types whose digest is the hash of the data; of the others (ACPI, TD HOB, images, boot variables) it is not */
static const struct {
	guint32 type;
	const gchar *name;
	gboolean hashed;
} types[] = {
    {0x00000003, "EV_NO_ACTION", FALSE},
    {0x00000004, "EV_SEPARATOR", TRUE},
    {0x00000005, "EV_ACTION", TRUE},
    {0x00000006, "EV_EVENT_TAG", FALSE},
    {0x00000008, "EV_S_CRTM_VERSION", FALSE},
    {0x0000000a, "EV_PLATFORM_CONFIG_FLAGS", FALSE},
    {0x0000000d, "EV_IPL", FALSE},
    {DSTACK_EVENT_RUNTIME, "dstack runtime event", FALSE},
    {0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG", TRUE},
    {0x80000002, "EV_EFI_VARIABLE_BOOT", FALSE},
    {0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION", FALSE},
    {0x80000006, "EV_EFI_GPT_EVENT", FALSE},
    {0x80000007, "EV_EFI_ACTION", TRUE},
    {0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB", FALSE},
    {0x80000009, "EV_EFI_HANDOFF_TABLES", FALSE},
    {0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2", FALSE},
    {0x8000000b, "EV_EFI_HANDOFF_TABLES2", FALSE},
    {0x8000000c, "EV_EFI_VARIABLE_BOOT2", FALSE},
    {0x800000e0, "EV_EFI_VARIABLE_AUTHORITY", TRUE},
};

/**
 * dstack_event_type_to_string:
 * @type: event type
 *
 * Returns: (transfer none): the TCG's name for it, or "unknown"
 */
const gchar *
dstack_event_type_to_string(guint32 type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "unknown";
}

static gboolean
is_hashed(guint32 type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].type == type)
			return types[i].hashed;
	}
	return FALSE;
}

/**
 * dstack_event_ensure_data:
 * @self: a firmware event
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the digest is not that of the data
 *
 * Only where the digest is the data's hash, and only where the data is there: logs often leave it out.
 *
 * Returns: %TRUE when nothing contradicts
 */
gboolean
dstack_event_ensure_data(const DstackEvent *self, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(self->payload, &size);
	DstackSha384 digest = {{0}};

	if (!self->has_digest || size == 0 || !is_hashed(self->type))
		return TRUE;
	digest = dstack_sha384(data, size);
	if (dstack_sha384_equal(&digest, &self->digest))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "event of type %s in RTMR%u: its digest is not that of its %" G_GSIZE_FORMAT
			    " bytes of data",
			    dstack_event_type_to_string(self->type), self->imr, size);
}
