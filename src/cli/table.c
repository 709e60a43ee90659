/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records and tables: each value is turned into its two forms when it is added.
 */

#include "config.h"

#include "cli/table.h"

#include "base/hex.h"
#include "base/json.h"
#include "cli/table-cells.h"
#include "cli/text.h"

#define HEX_GROUP 8

static void
field_free(DstackField *self)
{
	g_free(self->key);
	g_free(self->label);
	g_free(self->text);
	g_clear_pointer(&self->json, json_node_unref);
	dstack_record_free(self->record);
	dstack_table_free(self->table);
	g_free(self);
}

DstackRecord *
dstack_record_new(void)
{
	DstackRecord *self = g_new0(DstackRecord, 1);

	self->fields = g_ptr_array_new_with_free_func((GDestroyNotify)field_free);
	return self;
}

void
dstack_record_free(DstackRecord *self)
{
	if (self == NULL)
		return;
	g_ptr_array_unref(self->fields);
	g_free(self);
}

DstackTable *
dstack_table_new(void)
{
	DstackTable *self = g_new0(DstackTable, 1);

	self->rows = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_record_free);
	return self;
}

void
dstack_table_free(DstackTable *self)
{
	if (self == NULL)
		return;
	g_ptr_array_unref(self->rows);
	g_free(self);
}

static DstackField *
add_field(DstackRecord *self, const gchar *key, const gchar *label)
{
	DstackField *field = g_new0(DstackField, 1);

	field->key = g_strdup(key);
	field->label = g_strdup(label);
	g_ptr_array_add(self->fields, field);
	return field;
}

/* takes json and text */
static void
add_cell(DstackRecord *self, const gchar *key, const gchar *label, JsonNode *json, gchar *text)
{
	DstackField *field = add_field(self, key, label);

	field->json = json;
	field->text = text;
}

static JsonNode *
json_string(const gchar *text)
{
	g_autofree gchar *valid = g_utf8_make_valid(text, -1);

	return json_node_init_string(json_node_alloc(), valid);
}

/* numbers above 2^63 do not fit json-glib's integers: they go out as text */
static JsonNode *
json_uint(guint64 value)
{
	g_autofree gchar *text = NULL;

	if (value <= G_MAXINT64)
		return json_node_init_int(json_node_alloc(), (gint64)value);
	text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
	return json_string(text);
}

void
dstack_record_add_null(DstackRecord *self, const gchar *key, const gchar *label)
{
	add_cell(self, key, label, json_node_new(JSON_NODE_NULL), g_strdup("-"));
}

void
dstack_record_add_toned(DstackRecord *self, const gchar *key, const gchar *label, DstackTone tone, const gchar *value)
{
	if (value == NULL)
		dstack_record_add_null(self, key, label);
	else
		add_cell(self, key, label, json_string(value), dstack_text_printable(value, ""));
	((DstackField *)g_ptr_array_index(self->fields, self->fields->len - 1))->tone = tone;
}

void
dstack_record_add_text(DstackRecord *self, const gchar *key, const gchar *label, const gchar *value)
{
	dstack_record_add_toned(self, key, label, DSTACK_TONE_PLAIN, value);
}

void
dstack_record_add_hex(DstackRecord *self, const gchar *key, const gchar *label, const guint8 *data, gsize size)
{
	g_autofree gchar *hex = dstack_hex_encode(data, size);
	GString *grouped = g_string_new(NULL);

	for (gsize i = 0; hex[i] != '\0'; i++) {
		if (i > 0 && i % HEX_GROUP == 0)
			g_string_append_c(grouped, ' ');
		g_string_append_c(grouped, hex[i]);
	}
	add_cell(self, key, label, json_string(hex), g_string_free(grouped, FALSE));
}

void
dstack_record_add_hex_bytes(DstackRecord *self, const gchar *key, const gchar *label, GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	dstack_record_add_hex(self, key, label, data, size);
}

void
dstack_record_add_uint(DstackRecord *self, const gchar *key, const gchar *label, guint64 value)
{
	add_cell(self, key, label, json_uint(value), g_strdup_printf("%" G_GUINT64_FORMAT, value));
}

void
dstack_record_add_address(DstackRecord *self, const gchar *key, const gchar *label, guint64 value)
{
	add_cell(self, key, label, json_uint(value), g_strdup_printf("0x%" G_GINT64_MODIFIER "x", value));
}

void
dstack_record_add_size(DstackRecord *self, const gchar *key, const gchar *label, guint64 bytes)
{
	static const gchar *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	guint64 count = bytes;
	gsize unit = 0;

	while (unit + 1 < G_N_ELEMENTS(units) && count != 0 && count % 1024 == 0) {
		count /= 1024;
		unit++;
	}
	add_cell(self, key, label, json_uint(bytes), g_strdup_printf("%" G_GUINT64_FORMAT " %s", count, units[unit]));
}

void
dstack_record_add_bool(DstackRecord *self, const gchar *key, const gchar *label, gboolean value)
{
	add_cell(self, key, label, json_node_init_boolean(json_node_alloc(), value), g_strdup(value ? "yes" : "no"));
}

void
dstack_record_add_strv(DstackRecord *self, const gchar *key, const gchar *label, const gchar *const *values)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_init_array(json_node_alloc(), array);
	g_autofree gchar *joined = NULL;
	gboolean empty = values == NULL || values[0] == NULL;

	for (gsize i = 0; !empty && values[i] != NULL; i++)
		json_array_add_element(array, json_string(values[i]));
	json_array_unref(array);
	joined = empty ? g_strdup("-") : dstack_text_join(values, ", ");
	add_cell(self, key, label, node, dstack_text_printable(joined, ""));
}

void
dstack_record_add_json(DstackRecord *self, const gchar *key, const gchar *label, JsonNode *node)
{
	g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);

	add_cell(self, key, label, json_node_copy(node), dstack_text_printable(text, ""));
}

void
dstack_record_add_note(DstackRecord *self, DstackTone tone, const gchar *text)
{
	DstackField *field = add_field(self, NULL, NULL);

	field->tone = tone;
	field->text = dstack_text_printable(text, "");
}

DstackRecord *
dstack_record_add_record(DstackRecord *self, const gchar *key, const gchar *label)
{
	DstackField *field = add_field(self, key, label);

	field->record = dstack_record_new();
	return field->record;
}

DstackTable *
dstack_record_add_table(DstackRecord *self, const gchar *key, const gchar *label)
{
	DstackField *field = add_field(self, key, label);

	field->table = dstack_table_new();
	return field->table;
}

DstackRecord *
dstack_table_add_row(DstackTable *self)
{
	DstackRecord *row = dstack_record_new();

	g_ptr_array_add(self->rows, row);
	return row;
}

static JsonNode *
field_to_json(const DstackField *self)
{
	if (self->record != NULL)
		return dstack_record_to_json(self->record);
	if (self->table != NULL)
		return dstack_table_to_json(self->table);
	return json_node_copy(self->json);
}

JsonNode *
dstack_record_to_json(const DstackRecord *self)
{
	JsonObject *object = json_object_new();
	JsonNode *node = json_node_init_object(json_node_alloc(), object);

	for (guint i = 0; i < self->fields->len; i++) {
		const DstackField *field = g_ptr_array_index(self->fields, i);

		if (field->key != NULL)
			json_object_set_member(object, field->key, field_to_json(field));
	}
	json_object_unref(object);
	return node;
}

JsonNode *
dstack_table_to_json(const DstackTable *self)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_init_array(json_node_alloc(), array);

	for (guint i = 0; i < self->rows->len; i++)
		json_array_add_element(array, dstack_record_to_json(g_ptr_array_index(self->rows, i)));
	json_array_unref(array);
	return node;
}
