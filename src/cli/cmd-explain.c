/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * explain: evidence, register by register and event by event.
 */

#include "config.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/command.h"
#include "verify/explain.h"
#include "verify/hex-text.h"

#define SHOWN_PAYLOAD 64 /* bytes of a payload that people see */

/* --- events --- */

static gboolean
is_printable(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isprint(data[i]))
			return FALSE;
	}
	return size > 0;
}

/* as text where it is text, else as hex; cut where it is long */
static gchar *
describe_payload(GBytes *payload)
{
	gsize size = 0;
	const guint8 *data = payload == NULL ? NULL : g_bytes_get_data(payload, &size);
	gsize shown = MIN(size, SHOWN_PAYLOAD);
	g_autofree gchar *text = NULL;

	if (size == 0)
		return NULL;
	text = is_printable(data, size) ? g_strndup((const gchar *)data, shown) : dstack_hex_encode(data, shown);
	return g_strdup_printf("payload   %s%s", text, shown < size ? " …" : "");
}

static void
add_digest_note(DstackRecord *row, const gchar *label, const DstackSha384 *digest)
{
	g_autofree gchar *hex = dstack_sha384_to_hex(digest);
	g_autofree gchar *grouped = dstack_hex_group_line(hex);
	g_autofree gchar *note = g_strdup_printf("%-9s %s", label, grouped);

	dstack_record_add_note(row, DSTACK_TONE_DIM, note);
}

static void
add_digest(DstackRecord *row, const gchar *key, gboolean present, const DstackSha384 *digest)
{
	if (present)
		dstack_record_add_hex(row, key, NULL, digest->bytes, sizeof(digest->bytes));
	else
		dstack_record_add_null(row, key, NULL);
}

static DstackTone
status_tone(DstackEventStatus status)
{
	return status == DSTACK_EVENT_MATCH ? DSTACK_TONE_GOOD : DSTACK_TONE_BAD;
}

static void
add_event(DstackTable *table, const DstackEventDebug *event, gboolean is_compared)
{
	DstackRecord *row = dstack_table_add_row(table);
	g_autofree gchar *payload = describe_payload(event->payload);
	const gchar *status = is_compared ? dstack_event_status_to_string(event->status) : "in the log";

	dstack_record_add_uint(row, "index", "#", event->index);
	dstack_record_add_toned(row, "status", "STATE", is_compared ? status_tone(event->status) : DSTACK_TONE_PLAIN,
				status);
	dstack_record_add_text(row, "event_name", "NAME", event->name);
	dstack_record_add_text(row, "type_name", "TYPE", dstack_event_type_to_string(event->type));
	dstack_record_add_text(row, "meaning", "WHAT", event->meaning);
	dstack_record_add_uint(row, "event_type", NULL, event->type);
	add_digest(row, "actual_digest", event->has_actual, &event->actual);
	add_digest(row, "expected_digest", event->has_expected, &event->expected);
	if (event->payload != NULL)
		dstack_record_add_hex_bytes(row, "payload", NULL, event->payload);
	else
		dstack_record_add_null(row, "payload", NULL);
	if (event->has_actual)
		add_digest_note(row, "log", &event->actual);
	if (event->has_expected && (!event->has_actual || event->status != DSTACK_EVENT_MATCH))
		add_digest_note(row, "expected", &event->expected);
	if (payload != NULL)
		dstack_record_add_note(row, DSTACK_TONE_DIM, payload);
}

/* --- registers --- */

static gboolean
is_different(const DstackRegisterDebug *entry)
{
	return (entry->has_expected && !dstack_sha384_equal(&entry->expected, &entry->actual)) ||
	       (entry->has_replayed && !dstack_sha384_equal(&entry->replayed, &entry->actual));
}

static void
add_register_value(DstackRecord *record, const gchar *key, const gchar *label, gboolean present,
		   const DstackSha384 *value)
{
	if (present)
		dstack_record_add_hex(record, key, label, value->bytes, sizeof(value->bytes));
	else
		dstack_record_add_null(record, key, label);
}

static void
add_register(DstackRecord *parent, const DstackRegisterDebug *entry)
{
	g_autofree gchar *heading = g_ascii_strup(entry->name, -1);
	DstackRecord *record = dstack_record_add_record(parent, entry->name, heading);
	gboolean is_compared = entry->has_expected || entry->has_replayed;
	gboolean differs = is_different(entry);

	dstack_record_add_toned(record, "state", "state",
				differs	      ? DSTACK_TONE_BAD
				: is_compared ? DSTACK_TONE_GOOD
					      : DSTACK_TONE_PLAIN,
				differs	      ? "differs"
				: is_compared ? "as it should be"
					      : "not compared");
	add_register_value(record, "quoted", "quoted", TRUE, &entry->actual);
	add_register_value(record, "replayed", "replayed", entry->has_replayed, &entry->replayed);
	add_register_value(record, "expected", "expected", entry->has_expected, &entry->expected);
	if (entry->events->len > 0) {
		DstackTable *table = dstack_record_add_table(record, "events", "events");

		for (guint i = 0; i < entry->events->len; i++)
			add_event(table, g_ptr_array_index(entry->events, i), is_compared);
	}
}

/* --- quote and report --- */

static void
add_fields(DstackRecord *record, const DstackField *fields, gsize n, gconstpointer base)
{
	for (gsize i = 0; i < n; i++)
		dstack_record_add_hex(record, fields[i].name, fields[i].name, (const guint8 *)base + fields[i].offset,
				      fields[i].size);
}

static void
add_quote(DstackRecord *parent, const DstackQuote *quote)
{
	DstackRecord *record = dstack_record_add_record(parent, "quote", "QUOTE");
	gsize n = 0;
	const DstackField *fields = dstack_quote_header_fields(&n);

	dstack_record_add_text(record, "kind", "kind", dstack_quote_body_type_to_string(quote->body_type));
	add_fields(record, fields, n, &quote->header);
	if (dstack_quote_is_tdx(quote)) {
		fields = dstack_td_body_fields(quote->body_type, &n);
		add_fields(record, fields, n, &quote->td);
	} else {
		fields = dstack_sgx_body_fields(&n);
		add_fields(record, fields, n, &quote->sgx);
	}
	dstack_record_add_uint(record, "certification_type", "certification type", quote->certification.type);
	dstack_record_add_uint(record, "padding", "padding bytes", quote->n_padding);
}

static void
add_report_field(const gchar *name, const gchar *value, gpointer user_data)
{
	dstack_record_add_text(user_data, name, name, value);
}

static void
add_report(DstackRecord *parent, const DstackSnpReport *report)
{
	DstackRecord *record = dstack_record_add_record(parent, "report", "REPORT");

	dstack_snp_report_foreach_field(report, add_report_field, record);
}

static DstackRecord *
render(const DstackExplanation *explanation)
{
	DstackRecord *record = dstack_record_new();
	DstackRecord *registers = NULL;

	if (explanation->difference != NULL)
		dstack_record_add_note(record, DSTACK_TONE_BAD, explanation->difference);
	dstack_record_add_text(record, "difference", NULL, explanation->difference);
	if (explanation->difference == NULL && !dstack_explanation_compares(explanation))
		dstack_record_add_null(record, "agrees", "everything agrees");
	else
		dstack_record_add_bool(record, "agrees", "everything agrees", explanation->difference == NULL);
	dstack_record_add_note(record, DSTACK_TONE_DIM, "no signature was looked at: 'verify' does that");
	for (guint i = 0; i < explanation->notes->len; i++)
		dstack_record_add_note(record, DSTACK_TONE_WARN, g_ptr_array_index(explanation->notes, i));
	if (explanation->has_quote)
		add_quote(record, &explanation->quote);
	if (explanation->has_report)
		add_report(record, &explanation->report);
	if (explanation->registers->len > 0)
		registers = dstack_record_add_record(record, "registers", "REGISTERS");
	for (guint i = 0; i < explanation->registers->len; i++)
		add_register(registers, g_ptr_array_index(explanation->registers, i));
	return record;
}

/**
 * dstack_cmd_explain:
 * @cli: this run
 * @error: (out): when the evidence cannot be read
 *
 * Returns: %TRUE when it is explained, whether or not everything agrees
 */
gboolean
dstack_cmd_explain(DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {{NULL}};
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(DstackExplanation) explanation = NULL;
	g_autoptr(DstackRecord) record = NULL;

	if (!dstack_cli_parse(cli, entries, 1, 1, error))
		return FALSE;
	bytes = dstack_file_read_path(cli->args[0], DSTACK_LIMIT_EVIDENCE, error);
	if (bytes == NULL)
		return FALSE;
	explanation = dstack_explain(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	if (explanation == NULL) {
		g_prefix_error(error, "'%s': ", cli->args[0]);
		return FALSE;
	}
	record = render(explanation);
	dstack_cli_print(cli, record);
	if (explanation->difference != NULL)
		dstack_cli_answer_no(cli);
	return TRUE;
}
