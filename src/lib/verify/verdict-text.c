/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A verdict for people: the answer first, then why, then what was found.
 */

#include "config.h"

#include "base/hex.h"
#include "verify/hex-text.h"
#include "verify/verdict.h"

#define LABEL_WIDTH 18

/* text from evidence may hold anything: only printable characters reach a terminal */
static void
append_clean(GString *out, const gchar *text)
{
	for (const gchar *at = text; *at != '\0'; at = g_utf8_find_next_char(at, NULL)) {
		gunichar c = g_utf8_get_char(at);

		if (g_unichar_isprint(c))
			g_string_append_unichar(out, c);
		else
			g_string_append_printf(out, "\\u{%x}", c);
	}
}

static void
append_line(GString *out, const gchar *label, const gchar *value)
{
	g_string_append_printf(out, "  %-*s", LABEL_WIDTH, label);
	append_clean(out, value);
	g_string_append_c(out, '\n');
}

static void
append_hex_line(GString *out, const gchar *label, const gchar *hex)
{
	g_autofree gchar *grouped = NULL;

	if (hex == NULL || hex[0] == '\0')
		return;
	grouped = dstack_hex_group(hex, 2 + LABEL_WIDTH);
	g_string_append_printf(out, "  %-*s%s\n", LABEL_WIDTH, label, grouped);
}

static void
append_steps(GString *out, const DstackVerdict *self)
{
	g_string_append(out, "\nSteps\n");
	for (guint i = 0; i < self->steps->len; i++) {
		const DstackStep *step = &g_array_index(self->steps, DstackStep, i);

		g_string_append_printf(out, "  %-*s%-12s", LABEL_WIDTH, step->name,
				       dstack_step_state_to_string(step->state));
		if (step->message != NULL)
			append_clean(out, step->message);
		while (out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append_c(out, '\n');
	}
}

static void
append_list(GString *out, const gchar *heading, const GPtrArray *lines)
{
	if (lines->len == 0)
		return;
	g_string_append_printf(out, "\n%s\n", heading);
	for (guint i = 0; i < lines->len; i++) {
		g_string_append(out, "  ");
		append_clean(out, g_ptr_array_index(lines, i));
		g_string_append_c(out, '\n');
	}
}

static void
append_advisories(GString *out, const GPtrArray *ids)
{
	g_autoptr(GString) joined = g_string_new(NULL);

	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "", (const gchar *)g_ptr_array_index(ids, i));
	if (ids->len > 0)
		append_line(out, "advisories", joined->str);
}

static void
append_evidence(GString *out, const DstackVerdict *self)
{
	g_autofree gchar *report_data =
	    self->has_report_data ? dstack_hex_encode(self->report_data, sizeof(self->report_data)) : NULL;

	g_string_append(out, "\nEvidence\n");
	append_line(out, "platform", self->tee_variant != NULL ? self->tee_variant : "unknown");
	append_line(out, "TCB status", self->tcb_status != NULL ? self->tcb_status : "not known");
	append_advisories(out, self->advisory_ids);
	append_hex_line(out, "report data", report_data);
}

static void
append_identity(GString *out, const DstackVerdict *self)
{
	const DstackAppInfo *info = &self->app_info;

	if (!dstack_verdict_is_valid(self) || !self->has_app_info)
		return;
	g_string_append(out, "\nIdentity\n");
	append_hex_line(out, "OS image", info->os_image_hash);
	append_hex_line(out, "app id", info->app_id);
	append_hex_line(out, "compose hash", info->compose_hash);
	append_hex_line(out, "instance id", info->instance_id);
	append_hex_line(out, "device id", info->device_id);
	append_hex_line(out, "mr_system", info->mr_system);
	append_hex_line(out, "mr_aggregated", info->mr_aggregated);
	if (self->key_provider_name != NULL)
		append_line(out, "key provider", self->key_provider_name);
	if (self->key_provider_id != NULL && self->key_provider_id[0] != '\0')
		append_line(out, "key provider id", self->key_provider_id);
}

static void
append_events(GString *out, const DstackRegisterDebug *entry)
{
	for (guint i = 0; i < entry->events->len; i++) {
		const DstackEventDebug *event = g_ptr_array_index(entry->events, i);
		g_autofree gchar *expected = event->has_expected ? dstack_sha384_to_hex(&event->expected) : NULL;
		g_autofree gchar *actual = event->has_actual ? dstack_sha384_to_hex(&event->actual) : NULL;

		if (event->status == DSTACK_EVENT_MATCH)
			continue;
		g_string_append_printf(out, "    event %u, type 0x%x ", event->index, event->type);
		append_clean(out, event->name);
		g_string_append_printf(out, ": %s\n", dstack_event_status_to_string(event->status));
		append_hex_line(out, "  expected", expected);
		append_hex_line(out, "  found", actual);
	}
}

static void
append_registers(GString *out, const DstackVerdict *self)
{
	for (guint i = 0; i < self->registers_debug->len; i++) {
		const DstackRegisterDebug *entry = g_ptr_array_index(self->registers_debug, i);
		g_autofree gchar *expected = dstack_sha384_to_hex(&entry->expected);
		g_autofree gchar *actual = dstack_sha384_to_hex(&entry->actual);
		gboolean same = entry->has_expected && dstack_sha384_equal(&entry->expected, &entry->actual);

		g_string_append_printf(out, "\nRegister %s %s\n", entry->name, same ? "as expected" : "differs");
		append_hex_line(out, "expected", expected);
		append_hex_line(out, "found", actual);
		append_events(out, entry);
	}
}

/**
 * dstack_verdict_to_text:
 * @self: a verdict
 *
 * Returns: (transfer full): the verdict for people, with hex in groups; ends in a newline
 */
gchar *
dstack_verdict_to_text(const DstackVerdict *self)
{
	g_autofree gchar *reason = dstack_verdict_dup_reason(self);
	g_autoptr(GString) out = g_string_new(reason == NULL ? "valid\n" : "NOT VALID\n  ");

	if (reason != NULL) {
		append_clean(out, reason);
		g_string_append_c(out, '\n');
	}
	if (self->root != NULL)
		append_line(out, "root", self->root);
	append_list(out, "Waived by the caller", self->waivers);
	append_list(out, "Warnings", self->warnings);
	append_steps(out, self);
	append_evidence(out, self);
	append_identity(out, self);
	append_registers(out, self);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
