/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Comparing registers and the events behind them.
 */

#include "config.h"

#include "verify/tdx-registers.h"

#include <string.h>

#include "base/error.h"

static const gchar *const register_names[DSTACK_N_RTMRS] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};

/* the TCG type that each event of a layout has in a log */
static const guint32 event_types[DSTACK_TDX_N_EVENTS] = {
    [DSTACK_TDX_EVENT_TD_HOB] = 0x8000000b,
    [DSTACK_TDX_EVENT_CFV] = 0x8000000a,
    [DSTACK_TDX_EVENT_SECURE_BOOT] = 0x80000001,
    [DSTACK_TDX_EVENT_PK] = 0x80000001,
    [DSTACK_TDX_EVENT_KEK] = 0x80000001,
    [DSTACK_TDX_EVENT_DB] = 0x80000001,
    [DSTACK_TDX_EVENT_DBX] = 0x80000001,
    [DSTACK_TDX_EVENT_SEPARATOR] = 0x00000004,
    [DSTACK_TDX_EVENT_ACPI_LOADER] = DSTACK_EVENT_ACPI_DATA,
    [DSTACK_TDX_EVENT_ACPI_RSDP] = DSTACK_EVENT_ACPI_DATA,
    [DSTACK_TDX_EVENT_ACPI_TABLES] = DSTACK_EVENT_ACPI_DATA,
    [DSTACK_TDX_EVENT_BOOT_ORDER] = 0x80000002,
    [DSTACK_TDX_EVENT_BOOT0000] = 0x80000002,
    [DSTACK_TDX_EVENT_KERNEL] = 0x80000003,
    [DSTACK_TDX_EVENT_CALLING_EFI_APPLICATION] = 0x80000007,
    [DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_INVOCATION] = 0x80000007,
    [DSTACK_TDX_EVENT_EXIT_BOOT_SERVICES_RETURNED] = 0x80000007,
    [DSTACK_TDX_EVENT_COMMAND_LINE] = 0x00000006,
    [DSTACK_TDX_EVENT_INITRD] = 0x00000006,
};

/**
 * dstack_td_body_get_registers:
 * @td: a TD report
 * @out: (out): its MRTD and RTMRs
 */
void
dstack_td_body_get_registers(const DstackTdBody *td, DstackTdxRegisters *out)
{
	memcpy(out->mrtd.bytes, td->mrtd, sizeof(td->mrtd));
	memcpy(out->rtmr[0].bytes, td->rtmr0, sizeof(td->rtmr0));
	memcpy(out->rtmr[1].bytes, td->rtmr1, sizeof(td->rtmr1));
	memcpy(out->rtmr[2].bytes, td->rtmr2, sizeof(td->rtmr2));
	memcpy(out->rtmr[3].bytes, td->rtmr3, sizeof(td->rtmr3));
}

/* a register's events in log order; (element-type DstackEvent) (transfer container) */
static GPtrArray *
collect_events(const DstackEventLog *log, guint imr)
{
	GPtrArray *events = g_ptr_array_new();

	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		if (dstack_event_log_get(log, i)->imr == imr)
			g_ptr_array_add(events, g_ptr_array_index(log->events, i));
	}
	return events;
}

static void
set_actual(DstackEventDebug *out, const DstackEvent *event)
{
	out->has_actual = event->has_digest;
	out->actual = event->digest;
	out->payload = g_bytes_ref(event->payload);
	out->payload_len = g_bytes_get_size(event->payload);
}

/* @event and @kind, of which one may be missing, stand at the same place */
static void
add_boot_event(DstackRegisterDebug *entry, guint index, const DstackEvent *event, const DstackTdxEvent *kind,
	       const DstackTdxEventSet *expected)
{
	const gchar *name = event != NULL && event->name[0] != '\0' ? event->name : "";
	DstackEventDebug *out = NULL;

	if (kind != NULL && name[0] == '\0')
		name = dstack_tdx_event_to_string(*kind);
	out = dstack_register_debug_add_event(entry, index, event != NULL ? event->type : event_types[*kind], name,
					      DSTACK_EVENT_EXTRA);
	if (event != NULL)
		set_actual(out, event);
	if (kind == NULL)
		return;
	out->meaning = dstack_tdx_event_describe(*kind);
	out->has_expected = expected->known[*kind];
	out->expected = expected->digest[*kind];
	if (event == NULL)
		out->status = DSTACK_EVENT_MISSING;
	else if (out->has_expected && out->has_actual && !dstack_sha384_equal(&out->expected, &out->actual))
		out->status = DSTACK_EVENT_MISMATCH;
	else
		out->status = DSTACK_EVENT_MATCH;
}

/* a stripped log has the labelled events only: each is compared with the one of its name */
static const DstackEvent *
find_by_name(const GPtrArray *events, DstackTdxEvent kind)
{
	for (guint i = 0; i < events->len; i++) {
		const DstackEvent *event = g_ptr_array_index(events, i);

		if (g_str_equal(event->name, dstack_tdx_event_to_string(kind)))
			return event;
	}
	return NULL;
}

static void
add_boot_events(DstackRegisterDebug *entry, const DstackTdxRegistersView *self, guint imr)
{
	g_autoptr(GPtrArray) events = collect_events(self->event_log, imr);
	gboolean stripped = dstack_event_log_is_stripped(self->event_log);
	const DstackTdxEventList *list = self->expected == NULL ? NULL : &self->expected->layout->rtmr[imr];
	const DstackTdxEventSet *set = self->expected == NULL ? NULL : &self->expected->events;
	guint n_expected = list == NULL ? 0 : list->n_events;
	guint n = stripped && list != NULL ? n_expected : MAX(events->len, n_expected);

	for (guint i = 0; i < n; i++) {
		const DstackTdxEvent *kind = i < n_expected ? &list->events[i] : NULL;
		const DstackEvent *event = NULL;

		if (stripped && kind != NULL)
			event = find_by_name(events, *kind);
		else if (i < events->len)
			event = g_ptr_array_index(events, i);
		add_boot_event(entry, i, event, kind, set);
	}
}

static void
add_runtime_events(DstackRegisterDebug *entry, const DstackEventLog *log)
{
	g_autoptr(GPtrArray) events = collect_events(log, DSTACK_RUNTIME_REGISTER);

	for (guint i = 0; i < events->len; i++) {
		const DstackEvent *event = g_ptr_array_index(events, i);
		DstackEventDebug *out =
		    dstack_register_debug_add_event(entry, i, event->type, event->name, DSTACK_EVENT_MATCH);

		set_actual(out, event);
		out->has_expected = dstack_event_get_digest(event, &out->expected, NULL);
		if (!out->has_expected)
			out->status = DSTACK_EVENT_MISMATCH;
		else if (!out->has_actual)
			out->actual = out->expected;
		out->has_actual = out->has_actual || out->has_expected;
	}
}

/**
 * dstack_tdx_registers_compare_mrtd:
 * @self: what there is to compare
 *
 * Returns: (transfer full): MRTD as quoted and as expected
 */
DstackRegisterDebug *
dstack_tdx_registers_compare_mrtd(const DstackTdxRegistersView *self)
{
	DstackTdxRegisters quoted;

	dstack_td_body_get_registers(self->td, &quoted);
	return dstack_register_debug_new("mrtd", self->expected != NULL ? &self->expected->mrtd : NULL, &quoted.mrtd);
}

/**
 * dstack_tdx_registers_compare_rtmr:
 * @self: what there is to compare
 * @imr: 0 to 3
 *
 * What is expected of RTMR3 is what its log replays to.
 *
 * Returns: (transfer full): the register with every event behind it
 */
DstackRegisterDebug *
dstack_tdx_registers_compare_rtmr(const DstackTdxRegistersView *self, guint imr)
{
	const DstackEventLog *log = imr == DSTACK_RUNTIME_REGISTER ? self->runtime : self->event_log;
	DstackTdxRegisters quoted;
	DstackRegisterDebug *entry = NULL;
	gboolean has_expected = FALSE;

	dstack_td_body_get_registers(self->td, &quoted);
	if (imr != DSTACK_RUNTIME_REGISTER && self->expected != NULL)
		has_expected = imr != 0 || self->expected->has_rtmr0;
	entry = dstack_register_debug_new(register_names[imr], has_expected ? &self->expected->rtmr[imr] : NULL,
					  &quoted.rtmr[imr]);
	if (imr == DSTACK_RUNTIME_REGISTER || !dstack_event_log_is_stripped(log))
		entry->has_replayed = dstack_event_log_replay(log, imr, &entry->replayed, NULL);
	if (imr != DSTACK_RUNTIME_REGISTER) {
		add_boot_events(entry, self, imr);
		return entry;
	}
	entry->has_expected = entry->has_replayed;
	entry->expected = entry->replayed;
	add_runtime_events(entry, log);
	return entry;
}

/* --- checks --- */

static gboolean
throw_difference(const gchar *what, const DstackSha384 *expected, const DstackSha384 *found, GError **error)
{
	g_autofree gchar *expected_hex = dstack_sha384_to_hex(expected);
	g_autofree gchar *found_hex = dstack_sha384_to_hex(found);

	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s: expected %s, found %s", what, expected_hex, found_hex);
}

static gboolean
ensure_replays(const DstackTdxRegistersView *self, guint imr, GError **error)
{
	g_autofree gchar *value_hex = NULL;
	g_autofree gchar *quoted_hex = NULL;
	DstackTdxRegisters quoted;
	DstackSha384 value = {{0}};

	dstack_td_body_get_registers(self->td, &quoted);
	if (!dstack_event_log_replay(self->event_log, imr, &value, error))
		return FALSE;
	if (dstack_sha384_equal(&value, &quoted.rtmr[imr]))
		return TRUE;
	value_hex = dstack_sha384_to_hex(&value);
	quoted_hex = dstack_sha384_to_hex(&quoted.rtmr[imr]);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "event log: expected RTMR%u to replay to the quote's %s, found %s", imr, quoted_hex,
			    value_hex);
}

static gboolean
is_label(const gchar *name)
{
	return g_str_equal(name, DSTACK_LABEL_ACPI_LOADER) || g_str_equal(name, DSTACK_LABEL_ACPI_RSDP) ||
	       g_str_equal(name, DSTACK_LABEL_ACPI_TABLES);
}

static gboolean
ensure_firmware_event(const DstackEvent *event, guint index, GError **error)
{
	if (event->imr == DSTACK_RUNTIME_REGISTER)
		return TRUE;
	if (event->name[0] != '\0' && !is_label(event->name))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "event log, entry %u: expected no name for a firmware event, found '%s'", index,
				    event->name);
	if (event->version != 1)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "event log, entry %u: expected version 1 for a firmware event, found %u", index,
				    event->version);
	if (dstack_event_ensure_data(event, error))
		return TRUE;
	g_prefix_error(error, "event log, entry %u: ", index);
	return FALSE;
}

/**
 * dstack_tdx_registers_ensure_log:
 * @self: what there is to compare
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND
 *
 * Nothing of a full log may be false, also where a verdict does not rest on it: people will read it.
 * What no digest covers stays unchecked: the data of events whose digest is not its hash.
 *
 * Returns: %TRUE when a log that is not stripped replays to RTMR0, RTMR1 and RTMR2 as quoted
 */
gboolean
dstack_tdx_registers_ensure_log(const DstackTdxRegistersView *self, GError **error)
{
	if (dstack_event_log_is_stripped(self->event_log))
		return TRUE;
	for (guint imr = 0; imr < DSTACK_TDX_N_BOOT_RTMRS; imr++) {
		if (!ensure_replays(self, imr, error))
			return FALSE;
	}
	for (guint i = 0; i < dstack_event_log_size(self->event_log); i++) {
		if (!ensure_firmware_event(dstack_event_log_get(self->event_log, i), i, error))
			return FALSE;
	}
	return TRUE;
}

/* the digests are right by now, so each event stands where the layout has it */
static gboolean
ensure_types(const DstackTdxRegistersView *self, guint imr, GError **error)
{
	const DstackTdxEventList *list = &self->expected->layout->rtmr[imr];
	g_autoptr(GPtrArray) events = collect_events(self->event_log, imr);

	for (guint i = 0; i < MIN(events->len, list->n_events); i++) {
		const DstackEvent *event = g_ptr_array_index(events, i);
		guint32 type = event_types[list->events[i]];

		if (event->type != type)
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "event log: RTMR%u, event %u (%s): expected type 0x%x, found 0x%x", imr, i,
					    dstack_tdx_event_to_string(list->events[i]), type, event->type);
	}
	return TRUE;
}

/**
 * dstack_tdx_registers_ensure_expected:
 * @self: what there is to compare, with expected registers
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the first register that differs
 *
 * Returns: %TRUE when MRTD and RTMR0 to RTMR2 are quoted as expected
 */
gboolean
dstack_tdx_registers_ensure_expected(const DstackTdxRegistersView *self, GError **error)
{
	const DstackTdxExpected *expected = self->expected;
	DstackTdxRegisters quoted;

	dstack_td_body_get_registers(self->td, &quoted);
	if (!dstack_sha384_equal(&expected->mrtd, &quoted.mrtd))
		return throw_difference("MRTD of the quote", &expected->mrtd, &quoted.mrtd, error);
	for (guint imr = 0; imr < DSTACK_TDX_N_BOOT_RTMRS; imr++) {
		g_autofree gchar *what = g_strdup_printf("RTMR%u of the quote", imr);

		if (!dstack_sha384_equal(&expected->rtmr[imr], &quoted.rtmr[imr]))
			return throw_difference(what, &expected->rtmr[imr], &quoted.rtmr[imr], error);
		if (!dstack_event_log_is_stripped(self->event_log) && !ensure_types(self, imr, error))
			return FALSE;
	}
	return TRUE;
}
