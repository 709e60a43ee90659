/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a check found: items, the problems among them in sentences, and JSON of the whole.
 */

#include "config.h"

#include "measure/check-report.h"

#include <stdarg.h>

#include "base/error.h"

static void
check_item_free(DstackCheckItem *self)
{
	g_free(self->kind);
	g_free(self->name);
	g_free(self->expected);
	g_free(self->found);
	g_free(self->problem);
	g_free(self);
}

/**
 * dstack_check_report_new_empty:
 *
 * Returns: (transfer full): a report that says nothing yet, to be filled in by its reader
 */
DstackCheckReport *
dstack_check_report_new_empty(void)
{
	DstackCheckReport *self = g_new0(DstackCheckReport, 1);

	self->items = g_ptr_array_new_with_free_func((GDestroyNotify)check_item_free);
	self->problems = g_ptr_array_new_with_free_func(g_free);
	self->notes = g_ptr_array_new_with_free_func(g_free);
	return self;
}

/**
 * dstack_check_report_new:
 * @image: the image checked
 *
 * Returns: (transfer full): a report with nothing in it, which is sound until a problem is added
 */
DstackCheckReport *
dstack_check_report_new(const DstackImage *image)
{
	DstackCheckReport *self = dstack_check_report_new_empty();

	self->image = g_strdup(image->name);
	self->path = g_strdup(image->path);
	self->version = g_strdup(image->version);
	self->os_image_hash = *dstack_image_get_os_image_hash(image);
	self->sound = TRUE;
	return self;
}

/**
 * dstack_check_report_free:
 * @self: (nullable): the report
 */
void
dstack_check_report_free(DstackCheckReport *self)
{
	if (self == NULL)
		return;
	g_free(self->image);
	g_free(self->path);
	g_free(self->version);
	g_ptr_array_unref(self->items);
	g_ptr_array_unref(self->problems);
	g_ptr_array_unref(self->notes);
	g_free(self);
}

/**
 * dstack_check_report_add_problem:
 * @self: the report
 * @format: printf-style sentence without a final stop
 *
 * With this the image is not sound.
 */
void
dstack_check_report_add_problem(DstackCheckReport *self, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(self->problems, g_strdup_vprintf(format, args));
	va_end(args);
	self->sound = FALSE;
}

/**
 * dstack_check_report_add_note:
 * @self: the report
 * @format: printf-style sentence without a final stop
 *
 * Adds what is worth knowing about a sound image too.
 */
void
dstack_check_report_add_note(DstackCheckReport *self, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(self->notes, g_strdup_vprintf(format, args));
	va_end(args);
}

static DstackCheckItem *
add_item(DstackCheckReport *self, DstackCheckOutcome outcome, const gchar *kind, const gchar *name)
{
	DstackCheckItem *item = g_new0(DstackCheckItem, 1);

	item->outcome = outcome;
	item->kind = g_strdup(kind);
	item->name = g_strdup(name);
	g_ptr_array_add(self->items, item);
	return item;
}

/**
 * dstack_check_report_add_skipped:
 * @self: the report
 * @kind: what kind of item
 * @name: its name
 * @size: its size in bytes, 0 where it has none
 *
 * Adds an item that was left out at the caller's wish.
 */
void
dstack_check_report_add_skipped(DstackCheckReport *self, const gchar *kind, const gchar *name, guint64 size)
{
	add_item(self, DSTACK_CHECK_SKIPPED, kind, name)->size = size;
}

/**
 * dstack_check_report_add_failure:
 * @self: the report
 * @kind: what kind of item
 * @name: its name
 * @problem: why it could not be read or computed
 *
 * Adds an item that has no outcome, and its problem.
 */
void
dstack_check_report_add_failure(DstackCheckReport *self, const gchar *kind, const gchar *name, const gchar *problem)
{
	add_item(self, DSTACK_CHECK_FAILED, kind, name)->problem = g_strdup(problem);
	dstack_check_report_add_problem(self, "%s", problem);
}

static gchar *
describe_difference(const gchar *kind, const gchar *name, const gchar *expected, const gchar *found, const gchar *cause)
{
	const gchar *separator = cause == NULL ? "" : "; ";

	if (g_str_equal(kind, "file")) {
		return g_strdup_printf("'%s': sha256sum.txt expects SHA-256 %s, found %s%s%s", name, expected, found,
				       separator, cause == NULL ? "" : cause);
	}
	return g_strdup_printf("measurement.%s.cbor: %s: the image's files give %s, found %s%s%s", kind, name, expected,
			       found, separator, cause == NULL ? "" : cause);
}

/**
 * dstack_check_report_add_comparison:
 * @self: the report
 * @kind: "file" or a kind of material
 * @name: of the file or field
 * @expected: what it should be
 * @found: what it is
 * @size: of a file in bytes, else 0
 * @cause: (nullable): why they might differ
 *
 * Adds an item, and a problem where the two differ.
 */
void
dstack_check_report_add_comparison(DstackCheckReport *self, const gchar *kind, const gchar *name, const gchar *expected,
				   const gchar *found, guint64 size, const gchar *cause)
{
	gboolean same = g_str_equal(expected, found);
	DstackCheckItem *item = add_item(self, same ? DSTACK_CHECK_OK : DSTACK_CHECK_DIFFERS, kind, name);

	item->expected = g_strdup(expected);
	item->found = g_strdup(found);
	item->size = size;
	if (same)
		return;
	item->problem = describe_difference(kind, name, expected, found, cause);
	dstack_check_report_add_problem(self, "%s", item->problem);
}

/**
 * dstack_check_report_ensure_sound:
 * @self: the report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND with the first problem and the number of further ones
 *
 * Returns: %TRUE when the image is sound
 */
gboolean
dstack_check_report_ensure_sound(const DstackCheckReport *self, GError **error)
{
	const gchar *first = self->problems->len == 0 ? "not sound" : g_ptr_array_index(self->problems, 0);

	if (self->sound)
		return TRUE;
	if (self->problems->len < 2)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s", first);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s (and %u more)", first, self->problems->len - 1);
}

static const gchar *
outcome_to_string(DstackCheckOutcome outcome)
{
	switch (outcome) {
	case DSTACK_CHECK_OK:
		return "ok";
	case DSTACK_CHECK_DIFFERS:
		return "differs";
	case DSTACK_CHECK_FAILED:
		return "failed";
	case DSTACK_CHECK_SKIPPED:
		return "skipped";
	}
	g_return_val_if_reached(NULL);
}

static void
set_text(JsonObject *object, const gchar *member, const gchar *text)
{
	if (text != NULL)
		json_object_set_string_member(object, member, text);
}

static JsonObject *
item_to_json(const DstackCheckItem *item)
{
	JsonObject *object = json_object_new();

	set_text(object, "kind", item->kind);
	set_text(object, "name", item->name);
	set_text(object, "outcome", outcome_to_string(item->outcome));
	set_text(object, "expected", item->expected);
	set_text(object, "found", item->found);
	set_text(object, "problem", item->problem);
	if (g_str_equal(item->kind, "file"))
		json_object_set_int_member(object, "size", (gint64)item->size);
	return object;
}

static JsonArray *
sentences_to_json(const GPtrArray *sentences)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < sentences->len; i++)
		json_array_add_string_element(array, g_ptr_array_index(sentences, i));
	return array;
}

/**
 * dstack_check_report_to_json:
 * @self: the report
 *
 * Returns: (transfer full): an object with `image`, `path`, `version`, `os_image_hash`, `sound`, `problems`, `notes`
 *   and `items`
 */
JsonNode *
dstack_check_report_to_json(const DstackCheckReport *self)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autofree gchar *hash = dstack_sha256_to_hex(&self->os_image_hash);
	JsonArray *items = json_array_new();

	for (guint i = 0; i < self->items->len; i++)
		json_array_add_object_element(items, item_to_json(g_ptr_array_index(self->items, i)));
	set_text(object, "image", self->image);
	set_text(object, "path", self->path);
	if (self->version == NULL)
		json_object_set_null_member(object, "version");
	else
		set_text(object, "version", self->version);
	set_text(object, "os_image_hash", hash);
	json_object_set_boolean_member(object, "sound", self->sound);
	json_object_set_array_member(object, "problems", sentences_to_json(self->problems));
	json_object_set_array_member(object, "notes", sentences_to_json(self->notes));
	json_object_set_array_member(object, "items", items);
	return json_node_init_object(json_node_alloc(), object);
}
