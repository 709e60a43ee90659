/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Names for the three ACPI events of RTMR0, which all look alike. Rules: formats.md section 7.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include <string.h>

#include "base/error.h"

static const gchar acpi_payload[] = {'A', 'C', 'P', 'I', ' ', 'D', 'A', 'T', 'A'};

/* in the order the firmware measures them */
static const gchar *const labels[] = {DSTACK_LABEL_ACPI_LOADER, DSTACK_LABEL_ACPI_RSDP, DSTACK_LABEL_ACPI_TABLES};

static gboolean
is_acpi_event(const DstackEvent *event)
{
	gsize size = 0;
	const guint8 *payload = g_bytes_get_data(event->payload, &size);

	return event->imr == 0 && event->type == DSTACK_EVENT_ACPI_DATA && size == sizeof(acpi_payload) &&
	       memcmp(payload, acpi_payload, size) == 0;
}

/**
 * dstack_event_log_label:
 * @self: a log
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when there are not exactly three ACPI events, or one bears
 *   another name already
 *
 * Labelling a labelled log changes nothing. On failure the log is as it was.
 *
 * Returns: %TRUE when the three events bear their names
 */
gboolean
dstack_event_log_label(DstackEventLog *self, GError **error)
{
	DstackEvent *found[G_N_ELEMENTS(labels)] = {NULL};
	gsize n = 0;

	for (guint i = 0; i < self->events->len; i++) {
		DstackEvent *event = g_ptr_array_index(self->events, i);

		if (!is_acpi_event(event))
			continue;
		if (n < G_N_ELEMENTS(labels)) {
			if (event->name[0] != '\0' && !g_str_equal(event->name, labels[n]))
				return dstack_throw(error, DSTACK_ERROR_UNSOUND,
						    "event log, entry %u: expected an ACPI event without a name or "
						    "named '%s', found '%s'",
						    i, labels[n], event->name);
			found[n] = event;
		}
		n++;
	}
	if (n != G_N_ELEMENTS(labels))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "event log: expected exactly three events of type 10 with payload 'ACPI DATA' in "
				    "RTMR0, found %" G_GSIZE_FORMAT,
				    n);
	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
		g_free(found[i]->name);
		found[i]->name = g_strdup(labels[i]);
	}
	return TRUE;
}

/**
 * dstack_event_log_find_label:
 * @self: a log
 * @label: "acpi-loader", "acpi-rsdp" or "acpi-tables"
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when no event of RTMR0 bears the name, or more than one does, or
 *   the one that does is no ACPI event
 *
 * By name, never by position: a name is what a guest claims, and RTMR0 proves the order.
 *
 * Returns: (transfer none) (nullable): the event
 */
const DstackEvent *
dstack_event_log_find_label(const DstackEventLog *self, const gchar *label, GError **error)
{
	const DstackEvent *found = NULL;

	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		const DstackEvent *event = dstack_event_log_get(self, i);

		if (event->imr != 0 || !g_str_equal(event->name, label))
			continue;
		if (found != NULL) {
			(void)dstack_throw(error, DSTACK_ERROR_UNSOUND,
					   "event log: more than one event of RTMR0 is named '%s'", label);
			return NULL;
		}
		found = event;
	}
	if (found == NULL) {
		(void)dstack_throw(error, DSTACK_ERROR_UNSOUND, "event log: no event of RTMR0 is named '%s'", label);
		return NULL;
	}
	if (!is_acpi_event(found) || !found->has_digest) {
		(void)dstack_throw(error, DSTACK_ERROR_UNSOUND,
				   "event log: the event named '%s' is not of type 10 with payload 'ACPI DATA' and a "
				   "digest",
				   label);
		return NULL;
	}
	return found;
}

static gboolean
has_label(const DstackEvent *event)
{
	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
		if (g_str_equal(event->name, labels[i]))
			return is_acpi_event(event);
	}
	return FALSE;
}

static DstackEvent *
copy_event(const DstackEvent *event)
{
	DstackEvent *copy = dstack_event_new(event->imr, event->type, event->name, event->payload);

	copy->has_digest = event->has_digest;
	copy->digest = event->digest;
	copy->version = event->version;
	copy->preimage = event->preimage == NULL ? NULL : g_bytes_ref(event->preimage);
	return copy;
}

/**
 * dstack_event_log_strip:
 * @self: a labelled log
 *
 * Returns: (transfer full): a log of only the labelled ACPI events and the runtime events
 */
DstackEventLog *
dstack_event_log_strip(const DstackEventLog *self)
{
	g_autoptr(DstackEventLog) stripped = dstack_event_log_new();

	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		const DstackEvent *event = dstack_event_log_get(self, i);

		if (has_label(event) || dstack_event_is_runtime(event))
			g_ptr_array_add(stripped->events, copy_event(event));
	}
	return g_steal_pointer(&stripped);
}

/**
 * dstack_event_log_is_stripped:
 * @self: a log
 *
 * Returns: %TRUE when RTMR0 to RTMR2 cannot be replayed from it, because it has nothing but labelled and
 *   runtime events
 */
gboolean
dstack_event_log_is_stripped(const DstackEventLog *self)
{
	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		const DstackEvent *event = dstack_event_log_get(self, i);

		if (!has_label(event) && !dstack_event_is_runtime(event))
			return FALSE;
	}
	return TRUE;
}
