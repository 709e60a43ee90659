/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records and tables for people. A record: labels in one column, values in the next, parts below under their
 * headings. A table: a column a label; what does not fit a cell (notes, parts) stands below its row.
 */

#include "config.h"

#include "cli/color.h"
#include "cli/table-cells.h"
#include "cli/text.h"
#include "cli/wrap.h"

#define STEP		2
#define MIN_VALUE_WIDTH 24

typedef struct {
	GString *out;
	const DstackLayout *layout;
} Writer;

static void write_record(Writer *self, const DstackRecord *record, guint indent);
static void write_table(Writer *self, const DstackTable *table, guint indent);

static gboolean
field_is_cell(const DstackField *field)
{
	return field->json != NULL && field->label != NULL;
}

static gboolean
field_is_note(const DstackField *field)
{
	return field->json == NULL && field->text != NULL;
}

static gboolean
field_is_part(const DstackField *field)
{
	return (field->record != NULL || field->table != NULL) && field->label != NULL;
}

static void
write_toned(Writer *self, DstackTone tone, const gchar *text, guint start)
{
	guint width = self->layout->width;

	/* where little room is left, a line that is too long reads better than a word a line */
	if (width != 0 && start + MIN_VALUE_WIDTH > width)
		width = start + MIN_VALUE_WIDTH;
	if (self->layout->color)
		g_string_append(self->out, dstack_color_begin(tone));
	dstack_wrap_append(self->out, text, start, start, width);
	if (self->layout->color)
		g_string_append(self->out, dstack_color_end(tone));
}

static void
write_note(Writer *self, const DstackField *field, guint indent)
{
	dstack_wrap_pad(self->out, indent);
	write_toned(self, field->tone, field->text, indent);
	g_string_append_c(self->out, '\n');
}

static void
write_part(Writer *self, const DstackField *field, guint indent)
{
	gboolean headed = *field->label != '\0';

	if (indent == 0 && self->out->len > 0)
		g_string_append_c(self->out, '\n');
	if (headed) {
		dstack_wrap_pad(self->out, indent);
		g_string_append_printf(self->out, "%s\n", field->label);
	}
	if (field->record != NULL)
		write_record(self, field->record, headed ? indent + STEP : indent);
	else
		write_table(self, field->table, headed ? indent + STEP : indent);
}

static void
write_record(Writer *self, const DstackRecord *record, guint indent)
{
	guint column = 0;

	for (guint i = 0; i < record->fields->len; i++) {
		const DstackField *field = g_ptr_array_index(record->fields, i);

		if (field_is_cell(field))
			column = MAX(column, dstack_text_width(field->label));
	}
	for (guint i = 0; i < record->fields->len; i++) {
		const DstackField *field = g_ptr_array_index(record->fields, i);

		if (field_is_cell(field)) {
			dstack_wrap_pad(self->out, indent);
			g_string_append(self->out, field->label);
			dstack_wrap_pad(self->out, column - dstack_text_width(field->label) + STEP);
			write_toned(self, field->tone, field->text, indent + column + STEP);
			g_string_append_c(self->out, '\n');
		} else if (field_is_note(field)) {
			write_note(self, field, indent);
		} else if (field_is_part(field)) {
			write_part(self, field, indent);
		}
	}
}

typedef struct {
	const gchar *label; /* borrowed from a field */
	guint width;
} Column;

static Column *
find_column(GArray *columns, const gchar *label)
{
	for (guint i = 0; i < columns->len; i++) {
		Column *column = &g_array_index(columns, Column, i);

		if (g_str_equal(column->label, label))
			return column;
	}
	return NULL;
}

static GArray *
collect_columns(const DstackTable *table)
{
	GArray *columns = g_array_new(FALSE, FALSE, sizeof(Column));

	for (guint row = 0; row < table->rows->len; row++) {
		const DstackRecord *record = g_ptr_array_index(table->rows, row);

		for (guint i = 0; i < record->fields->len; i++) {
			const DstackField *field = g_ptr_array_index(record->fields, i);
			Column *column = field_is_cell(field) ? find_column(columns, field->label) : NULL;

			if (field_is_cell(field) && column == NULL) {
				Column fresh = {field->label, dstack_text_width(field->label)};

				g_array_append_val(columns, fresh);
				column = &g_array_index(columns, Column, columns->len - 1);
			}
			if (column != NULL)
				column->width = MAX(column->width, dstack_text_width(field->text));
		}
	}
	return columns;
}

static void
write_heading(Writer *self, GArray *columns, guint indent)
{
	dstack_wrap_pad(self->out, indent);
	if (self->layout->color)
		g_string_append(self->out, dstack_color_begin(DSTACK_TONE_DIM));
	for (guint i = 0; i < columns->len; i++) {
		const Column *column = &g_array_index(columns, Column, i);

		g_string_append(self->out, column->label);
		if (i + 1 < columns->len)
			dstack_wrap_pad(self->out, column->width - dstack_text_width(column->label) + STEP);
	}
	if (self->layout->color)
		g_string_append(self->out, dstack_color_end(DSTACK_TONE_DIM));
	g_string_append_c(self->out, '\n');
}

static const DstackField *
find_cell(const DstackRecord *row, const gchar *label)
{
	for (guint i = 0; i < row->fields->len; i++) {
		const DstackField *field = g_ptr_array_index(row->fields, i);

		if (field_is_cell(field) && g_str_equal(field->label, label))
			return field;
	}
	return NULL;
}

static void
write_row_cells(Writer *self, const DstackRecord *row, GArray *columns, guint indent)
{
	guint start = indent;
	guint pending = indent; /* blanks to write before the next cell: none at the end of a line */

	for (guint i = 0; i < columns->len; i++) {
		const Column *column = &g_array_index(columns, Column, i);
		const DstackField *field = find_cell(row, column->label);

		if (field != NULL) {
			gboolean last = i + 1 == columns->len;
			guint used = dstack_text_width(field->text);

			dstack_wrap_pad(self->out, pending);
			if (last)
				write_toned(self, field->tone, field->text, start);
			else
				write_toned(&(Writer){self->out, &(DstackLayout){0, self->layout->color}}, field->tone,
					    field->text, start);
			pending = column->width - MIN(used, column->width) + STEP;
		} else {
			pending += column->width + STEP;
		}
		start += column->width + STEP;
	}
	g_string_append_c(self->out, '\n');
}

static void
write_row_rest(Writer *self, const DstackRecord *row, guint indent)
{
	for (guint i = 0; i < row->fields->len; i++) {
		const DstackField *field = g_ptr_array_index(row->fields, i);

		if (field_is_note(field))
			write_note(self, field, indent + STEP);
		else if (field_is_part(field))
			write_part(self, field, indent + STEP);
	}
}

static void
write_table(Writer *self, const DstackTable *table, guint indent)
{
	g_autoptr(GArray) columns = collect_columns(table);

	if (table->rows->len == 0) {
		dstack_wrap_pad(self->out, indent);
		g_string_append(self->out, "(none)\n");
		return;
	}
	write_heading(self, columns, indent);
	for (guint i = 0; i < table->rows->len; i++) {
		const DstackRecord *row = g_ptr_array_index(table->rows, i);

		write_row_cells(self, row, columns, indent);
		write_row_rest(self, row, indent);
	}
}

gchar *
dstack_record_to_text(const DstackRecord *self, const DstackLayout *layout)
{
	Writer writer = {g_string_new(NULL), layout};

	write_record(&writer, self, 0);
	return g_string_free(writer.out, FALSE);
}

gchar *
dstack_table_to_text(const DstackTable *self, const DstackLayout *layout)
{
	Writer writer = {g_string_new(NULL), layout};

	write_table(&writer, self, 0);
	return g_string_free(writer.out, FALSE);
}
