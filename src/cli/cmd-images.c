/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * images: what is on this host, and what each image can launch.
 */
#include "config.h"

#include "base/error.h"
#include "cli/image-row.h"
#include "cli/via-bus.h"
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

static DstackImageRow *
row_from_image(const DstackImage *image, DstackCheckReport *report)
{
	DstackImageRow *row = g_new0(DstackImageRow, 1);

	row->name = g_strdup(image->name);
	row->path = g_strdup(image->path);
	row->version = g_strdup(image->version);
	row->state = g_strdup(state_from_report(report));
	row->tees = list_tees(image);
	row->is_dev = image->metadata->is_dev;
	row->has_hash = TRUE;
	row->os_image_hash = *dstack_image_get_os_image_hash(image);
	g_ptr_array_add(report->problems, NULL);
	row->problems = g_strdupv((gchar **)report->problems->pdata);
	return row;
}

static gboolean
add_image(DstackCli *cli, DstackTable *table, const DstackImage *image, GError **error)
{
	const DstackCheckOptions options = {.skip_above = READ_AT_MOST, .cancellable = cli->cancellable};
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(DstackImageRow) row = NULL;
	DstackContext context;

	if (!dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	report = dstack_check_image(image, &context, &options, error);
	if (report == NULL)
		return FALSE;
	row = row_from_image(image, report);
	dstack_image_row_print(row, cli, table);
	return TRUE;
}

/* an image that lacks files may still be on its way; one whose files make no sense is wrong */
static const gchar *
state_from_error(const GError *error)
{
	return g_error_matches(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED) ||
		       g_error_matches(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND)
		   ? "unsound"
		   : "unchecked";
}

static void
add_broken(DstackCli *cli, DstackTable *table, const DstackImageEntry *entry)
{
	g_autoptr(DstackImageRow) row = g_new0(DstackImageRow, 1);

	row->name = g_strdup(entry->name);
	row->path = g_strdup(entry->path);
	row->state = g_strdup(state_from_error(entry->error));
	row->tees = g_new0(gchar *, 1);
	row->problems = g_new0(gchar *, 2);
	row->problems[0] = g_strdup(entry->error->message);
	dstack_image_row_print(row, cli, table);
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

static gboolean
list_here(DstackCli *cli, DstackTable *table, GError **error)
{
	const gchar *const *roots = dstack_cli_image_dirs(cli, error);

	if (roots == NULL)
		return FALSE;
	return cli->n_args == 0 ? list_all(cli, table, roots, error) : list_named(cli, table, roots, error);
}

static gboolean
list_via_bus(DstackCli *cli, DstackTable *table, GError **error)
{
	g_autoptr(GPtrArray) rows = dstack_via_bus_images(cli, error);

	for (guint i = 0; rows != NULL && i < rows->len; i++) {
		const DstackImageRow *row = g_ptr_array_index(rows, i);

		if (cli->n_args == 0 || g_strv_contains((const gchar *const *)cli->args, row->name))
			dstack_image_row_print(row, cli, table);
	}
	return rows != NULL;
}

gboolean
dstack_cmd_images(DstackCli *cli, GError **error)
{
	g_autofree gchar *via = NULL;
	const GOptionEntry entries[] = {DSTACK_CLI_VIA_ENTRY(&via), {NULL}};
	g_autoptr(DstackTable) table = dstack_table_new();
	gboolean via_bus = FALSE;

	if (!dstack_cli_parse(cli, entries, 0, DSTACK_CLI_MANY, error) || !dstack_via_parse(via, &via_bus, error))
		return FALSE;
	if (!(via_bus ? list_via_bus(cli, table, error) : list_here(cli, table, error)))
		return FALSE;
	dstack_cli_print_table(cli, table);
	return TRUE;
}
