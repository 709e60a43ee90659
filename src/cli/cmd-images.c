/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * images: what is on this host, and what each image can launch.
 */
#include "config.h"

#include "cli/command.h"

#include "image/directory.h"
#include "measure/check.h"

/* files up to this many bytes are read, larger ones only looked up in the cache: the answer takes no time */
#define READ_AT_MOST 1

static GStrv
list_tees(const DstackImage *image)
{
	g_autoptr(GStrvBuilder) tees = g_strv_builder_new();

	for (guint i = 0; image != NULL && i < DSTACK_N_MATERIALS; i++) {
		if (image->material[i] != NULL)
			g_strv_builder_add(tees, dstack_material_kind_to_string((DstackMaterialKind)i));
	}
	return g_strv_builder_end(tees);
}

/* an image whose every file is known from an earlier check is sound or not; otherwise nobody has looked yet */
static const gchar *
state_from_report(const DstackCheckReport *report)
{
	if (!report->sound)
		return "unsound";
	for (guint i = 0; i < report->items->len; i++) {
		const DstackCheckItem *item = g_ptr_array_index(report->items, i);

		if (item->outcome == DSTACK_CHECK_SKIPPED)
			return "unchecked";
	}
	return "sound";
}

static DstackTone
state_tone(const gchar *state)
{
	if (g_str_equal(state, "sound"))
		return DSTACK_TONE_GOOD;
	return g_str_equal(state, "unsound") ? DSTACK_TONE_BAD : DSTACK_TONE_PLAIN;
}

static void
warn_problems(DstackCli *cli, const gchar *name, const gchar *const *problems)
{
	for (guint i = 0; !cli->json && problems[i] != NULL; i++)
		dstack_cli_warn(cli, "%s: %s", name, problems[i]);
}

static void
fill_row(DstackCli *cli, DstackRecord *row, const DstackImage *image, const gchar *name, const gchar *path,
	 const gchar *state, const gchar *const *problems)
{
	g_auto(GStrv) tees = list_tees(image);
	const DstackSha256 *hash = image == NULL ? NULL : dstack_image_get_os_image_hash(image);

	dstack_record_add_text(row, "name", "Name", name);
	dstack_record_add_text(row, "version", "Version", image == NULL ? NULL : image->version);
	dstack_record_add_strv(row, "tees", "Launches", (const gchar *const *)tees);
	dstack_record_add_bool(row, "is_dev", "Development", image != NULL && image->metadata->is_dev);
	dstack_record_add_toned(row, "state", "State", state_tone(state), state);
	dstack_record_add_text(row, "path", "Path", path);
	if (hash == NULL)
		dstack_record_add_null(row, "os_image_hash", NULL);
	else
		dstack_record_add_hex(row, "os_image_hash", NULL, hash->bytes, sizeof(hash->bytes));
	dstack_record_add_strv(row, "problems", NULL, problems);
	warn_problems(cli, name, problems);
}

static gboolean
add_image(DstackCli *cli, DstackTable *table, const DstackImage *image, GError **error)
{
	const DstackCheckOptions options = {.skip_above = READ_AT_MOST, .cancellable = cli->cancellable};
	g_autoptr(DstackCheckReport) report = NULL;
	DstackContext context;

	if (!dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	report = dstack_check_image(image, &context, &options, error);
	if (report == NULL)
		return FALSE;
	g_ptr_array_add(report->problems, NULL);
	fill_row(cli, dstack_table_add_row(table), image, image->name, image->path, state_from_report(report),
		 (const gchar *const *)report->problems->pdata);
	return TRUE;
}

static void
add_broken(DstackCli *cli, DstackTable *table, const DstackImageEntry *entry)
{
	const gchar *const problems[] = {entry->error->message, NULL};

	fill_row(cli, dstack_table_add_row(table), NULL, entry->name, entry->path, "unsound", problems);
}

/* a name means the image of the first root that has it, so the others of that name are left out */
static gboolean
list_all(DstackCli *cli, DstackTable *table, const gchar *const *roots, GError **error)
{
	g_autoptr(GPtrArray) entries = dstack_images_scan(roots, error);

	if (entries == NULL)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const DstackImageEntry *entry = g_ptr_array_index(entries, i);

		if (entry->shadowed) {
			dstack_cli_detail(cli, "%s: hidden by an earlier image of that name", entry->path);
			continue;
		}
		if (entry->image == NULL)
			add_broken(cli, table, entry);
		else if (!add_image(cli, table, entry->image, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
list_named(DstackCli *cli, DstackTable *table, const gchar *const *roots, GError **error)
{
	for (guint i = 0; i < cli->n_args; i++) {
		g_autoptr(DstackImage) image = dstack_image_find(roots, cli->args[i], error);

		if (image == NULL || !add_image(cli, table, image, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
dstack_cmd_images(DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {{NULL}};
	g_autoptr(DstackTable) table = dstack_table_new();
	const gchar *const *roots = NULL;

	if (!dstack_cli_parse(cli, entries, 0, DSTACK_CLI_MANY, error))
		return FALSE;
	roots = dstack_cli_image_dirs(cli, error);
	if (roots == NULL)
		return FALSE;
	if (!(cli->n_args == 0 ? list_all(cli, table, roots, error) : list_named(cli, table, roots, error)))
		return FALSE;
	dstack_cli_print_table(cli, g_steal_pointer(&table));
	return TRUE;
}
