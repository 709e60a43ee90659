/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * check: every file of an image against its manifest, every measurement recomputed.
 */
#include "config.h"

#include "cli/command.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/progress.h"
#include "cli/via-bus.h"
#include "measure/check.h"

static void
on_progress(guint64 done, guint64 total, gpointer user_data)
{
	dstack_progress_update(user_data, done, total);
}

static const gchar *
outcome_text(DstackCheckOutcome outcome)
{
	switch (outcome) {
	case DSTACK_CHECK_OK:
		return "as it should be";
	case DSTACK_CHECK_DIFFERS:
		return "differs";
	case DSTACK_CHECK_FAILED:
		return "failed";
	case DSTACK_CHECK_SKIPPED:
		return "not read";
	}
	g_return_val_if_reached(NULL);
}

static DstackTone
outcome_tone(DstackCheckOutcome outcome)
{
	switch (outcome) {
	case DSTACK_CHECK_OK:
		return DSTACK_TONE_GOOD;
	case DSTACK_CHECK_DIFFERS:
	case DSTACK_CHECK_FAILED:
		return DSTACK_TONE_BAD;
	case DSTACK_CHECK_SKIPPED:
		return DSTACK_TONE_WARN;
	}
	g_return_val_if_reached(DSTACK_TONE_PLAIN);
}

static void
add_items(DstackRecord *record, const DstackCheckReport *report)
{
	DstackTable *table = dstack_record_add_table(record, "items", "Checked");

	for (guint i = 0; i < report->items->len; i++) {
		const DstackCheckItem *item = g_ptr_array_index(report->items, i);
		DstackRecord *row = dstack_table_add_row(table);

		dstack_record_add_text(row, "kind", "What", item->kind);
		dstack_record_add_text(row, "name", "Name", item->name);
		dstack_record_add_toned(row, "outcome", "Outcome", outcome_tone(item->outcome),
					outcome_text(item->outcome));
	}
}

static void
add_sentences(DstackRecord *record, DstackTone tone, const GPtrArray *sentences)
{
	for (guint i = 0; i < sentences->len; i++)
		dstack_record_add_note(record, tone, g_ptr_array_index(sentences, i));
}

static DstackRecord *
to_record(const DstackCheckReport *report)
{
	DstackRecord *record = dstack_record_new();
	const DstackSha256 *hash = &report->os_image_hash;

	dstack_record_add_text(record, "image", "Image", report->image);
	dstack_record_add_text(record, "path", "Path", report->path);
	dstack_record_add_text(record, "version", "Version", report->version);
	dstack_record_add_hex(record, "os_image_hash", "Identity", hash->bytes, sizeof(hash->bytes));
	dstack_record_add_toned(record, "sound", "State", report->sound ? DSTACK_TONE_GOOD : DSTACK_TONE_BAD,
				report->sound ? "sound" : "unsound");
	add_items(record, report);
	add_sentences(record, DSTACK_TONE_BAD, report->problems);
	add_sentences(record, DSTACK_TONE_DIM, report->notes);
	return record;
}

/* for scripts the library's own document, which the service gives too */
static void
print_report(DstackCli *cli, const DstackCheckReport *report, const gchar *json)
{
	g_autoptr(DstackRecord) record = to_record(report);

	if (!report->sound)
		dstack_cli_answer_no(cli);
	if (cli->json)
		dstack_cli_print_json_text(cli, json);
	else
		dstack_cli_print(cli, record);
}

static gboolean
check_via_bus(DstackCli *cli, DstackCheckLevel level, GError **error)
{
	g_autofree gchar *json = NULL;
	g_autoptr(DstackCheckReport) report = NULL;

	if (level != DSTACK_CHECK_FULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "--level: the service checks images in full");
	report = dstack_via_bus_check(cli, &json, error);
	if (report == NULL)
		return FALSE;
	print_report(cli, report, json);
	return TRUE;
}

static gboolean
check_here(DstackCli *cli, DstackCheckLevel level, GError **error)
{
	const gchar *const *roots = dstack_cli_image_dirs(cli, error);
	g_autoptr(DstackImage) image = roots == NULL ? NULL : dstack_image_find(roots, cli->args[0], error);
	g_autoptr(DstackProgress) progress = NULL;
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autofree gchar *json = NULL;
	DstackCheckOptions options = {.material_only = level == DSTACK_CHECK_MATERIAL, .cancellable = cli->cancellable};
	DstackContext context;

	if (image == NULL || !dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	progress = dstack_progress_new(cli, image->name);
	options.progress = on_progress;
	options.user_data = progress;
	report = dstack_check_image(image, &context, &options, error);
	g_clear_pointer(&progress, dstack_progress_free);
	if (report == NULL)
		return FALSE;
	node = dstack_check_report_to_json(report);
	json = dstack_json_to_text(node, DSTACK_JSON_PRETTY);
	print_report(cli, report, json);
	return TRUE;
}

gboolean
dstack_cmd_check(DstackCli *cli, GError **error)
{
	g_autofree gchar *level_text = NULL;
	g_autofree gchar *via = NULL;
	gboolean via_bus = FALSE;
	DstackCheckLevel level = DSTACK_CHECK_FULL;
	const GOptionEntry entries[] = {
	    {"level", 0, 0, G_OPTION_ARG_STRING, &level_text, "How much is checked (default: full)", "material|full"},
	    DSTACK_CLI_VIA_ENTRY(&via),
	    {NULL},
	};

	if (!dstack_cli_parse(cli, entries, 1, 1, error) || !dstack_via_parse(via, &via_bus, error))
		return FALSE;
	if (level_text != NULL && !dstack_check_level_parse(level_text, &level, error))
		return FALSE;
	return via_bus ? check_via_bus(cli, level, error) : check_here(cli, level, error);
}
