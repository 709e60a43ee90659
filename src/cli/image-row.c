/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line of `images`.
 */

#include "config.h"

#include "cli/image-row.h"

void
dstack_image_row_free(DstackImageRow *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_free(self->path);
	g_free(self->version);
	g_free(self->state);
	g_strfreev(self->tees);
	g_strfreev(self->problems);
	g_free(self);
}

static DstackTone
state_tone(const gchar *state)
{
	if (g_str_equal(state, "sound"))
		return DSTACK_TONE_GOOD;
	return g_str_equal(state, "unsound") ? DSTACK_TONE_BAD : DSTACK_TONE_PLAIN;
}

/**
 * dstack_image_row_print:
 * @self: an image
 * @cli: the run, which is warned of the image's problems where people read
 * @table: where the line goes
 */
void
dstack_image_row_print(const DstackImageRow *self, DstackCli *cli, DstackTable *table)
{
	DstackRecord *row = dstack_table_add_row(table);

	dstack_record_add_text(row, "name", "Name", self->name);
	dstack_record_add_text(row, "version", "Version", self->version);
	dstack_record_add_strv(row, "tees", "Launches", (const gchar *const *)self->tees);
	dstack_record_add_bool(row, "is_dev", "Development", self->is_dev);
	dstack_record_add_toned(row, "state", "State", state_tone(self->state), self->state);
	dstack_record_add_text(row, "path", "Path", self->path);
	if (self->has_hash)
		dstack_record_add_hex(row, "os_image_hash", NULL, self->os_image_hash.bytes,
				      sizeof(self->os_image_hash.bytes));
	else
		dstack_record_add_null(row, "os_image_hash", NULL);
	dstack_record_add_strv(row, "problems", NULL, (const gchar *const *)self->problems);
	for (guint i = 0; !cli->json && self->problems[i] != NULL; i++)
		dstack_cli_warn(cli, "%s: %s", self->name, self->problems[i]);
}
