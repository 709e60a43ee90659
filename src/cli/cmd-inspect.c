/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * inspect: decode measurement material for people.
 */
#include "config.h"

#include "cli/command.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/image.h"

/* the shortest text of hex digits that is shown as a digest */
#define DIGEST_DIGITS 20

static void add_object(DstackRecord *record, JsonObject *object);

static void
add_text(DstackRecord *record, const gchar *key, const gchar *text)
{
	g_autoptr(GBytes) bytes =
	    strlen(text) < DIGEST_DIGITS ? NULL : dstack_hex_decode_bytes(text, key, DSTACK_LIMIT_MATERIAL, NULL);

	if (bytes != NULL)
		dstack_record_add_hex_bytes(record, key, key, bytes);
	else
		dstack_record_add_text(record, key, key, text);
}

static void
add_number(DstackRecord *record, const gchar *key, guint64 value)
{
	if (g_str_equal(key, "version"))
		dstack_record_add_uint(record, key, key, value);
	else
		dstack_record_add_address(record, key, key, value);
}

static void
add_array(DstackRecord *record, const gchar *key, JsonArray *array)
{
	DstackTable *table = dstack_record_add_table(record, key, key);

	for (guint i = 0; i < json_array_get_length(array); i++)
		add_object(dstack_table_add_row(table), json_array_get_object_element(array, i));
}

static void
add_member(DstackRecord *record, const gchar *key, JsonNode *node)
{
	if (JSON_NODE_HOLDS_OBJECT(node))
		add_object(dstack_record_add_record(record, key, key), json_node_get_object(node));
	else if (JSON_NODE_HOLDS_ARRAY(node))
		add_array(record, key, json_node_get_array(node));
	else if (json_node_get_value_type(node) == G_TYPE_STRING)
		add_text(record, key, json_node_get_string(node));
	else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		dstack_record_add_bool(record, key, key, json_node_get_boolean(node));
	else
		add_number(record, key, (guint64)json_node_get_int(node));
}

/* material's own JSON, which the library makes: three levels, no array but of objects */
static void
add_object(DstackRecord *record, JsonObject *object)
{
	const gchar *key = NULL;
	JsonNode *node = NULL;
	JsonObjectIter iter;

	json_object_iter_init_ordered(&iter, object);
	while (json_object_iter_next_ordered(&iter, &key, &node))
		add_member(record, key, node);
}

static gboolean
inspect_bytes(DstackCli *cli, const gchar *path, GBytes *cbor, GError **error)
{
	g_autofree gchar *name = g_path_get_basename(path);
	DstackMaterialKind kind = DSTACK_MATERIAL_TDX;
	g_autoptr(DstackRecord) record = dstack_record_new();
	g_autoptr(JsonNode) node = NULL;

	if (!dstack_material_guess_kind(name, cbor, &kind, error))
		return FALSE;
	node = dstack_material_inspect(kind, cbor, error);
	if (node == NULL)
		return FALSE;
	add_object(record, json_node_get_object(node));
	dstack_cli_print(cli, record);
	return TRUE;
}

static gboolean
inspect_file(DstackCli *cli, const gchar *path, GError **error)
{
	g_autoptr(GBytes) cbor = dstack_file_read_path(path, DSTACK_LIMIT_MATERIAL, error);

	return cbor != NULL && inspect_bytes(cli, path, cbor, error);
}

/* material that is there and unsound makes the answer no, and the rest is shown all the same */
static guint
add_materials(DstackCli *cli, DstackRecord *record, const DstackImage *image)
{
	guint n = 0;

	for (guint i = 0; i < DSTACK_N_MATERIALS; i++) {
		const gchar *kind = dstack_material_kind_to_string((DstackMaterialKind)i);
		const GError *bad = image->material_errors[i];
		g_autoptr(JsonNode) node = NULL;

		if (bad != NULL) {
			dstack_cli_warn(cli, "%s", bad->message);
			dstack_cli_answer_no(cli);
			n++;
		}
		if (image->material[i] == NULL)
			continue;
		node = dstack_material_inspect((DstackMaterialKind)i, image->material[i], NULL);
		if (node != NULL)
			add_object(dstack_record_add_record(record, kind, kind), json_node_get_object(node));
		n++;
	}
	return n;
}

static gboolean
inspect_image(DstackCli *cli, const DstackImage *image, GError **error)
{
	g_autoptr(DstackRecord) record = dstack_record_new();
	const DstackSha256 *hash = dstack_image_get_os_image_hash(image);

	dstack_record_add_text(record, "image", "image", image->name);
	dstack_record_add_text(record, "version", "version", image->version);
	dstack_record_add_hex(record, "os_image_hash", "os_image_hash", hash->bytes, sizeof(hash->bytes));
	if (add_materials(cli, record, image) == 0)
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "image '%s' has no measurement material",
				    image->name);
	dstack_cli_print(cli, record);
	return TRUE;
}

static gboolean
print_combined(DstackCli *cli, const DstackImage *image)
{
	g_autoptr(JsonNode) node = dstack_image_materials_to_json(image);
	g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);

	dstack_cli_print_json_text(cli, text);
	return TRUE;
}

/* an image's name comes first: a file that bears one can be given as ./NAME */
static gboolean
is_file(const gchar *argument)
{
	return g_str_equal(argument, "-") ||
	       (g_file_test(argument, G_FILE_TEST_EXISTS) && !g_file_test(argument, G_FILE_TEST_IS_DIR));
}

static gboolean
inspect_argument(DstackCli *cli, const gchar *argument, gboolean combined, GError **error)
{
	const gchar *const *roots = dstack_cli_image_dirs(cli, error);
	g_autoptr(GError) local = NULL;
	g_autoptr(DstackImage) image = NULL;

	if (roots == NULL)
		return FALSE;
	if (strchr(argument, '/') != NULL && is_file(argument))
		return inspect_file(cli, argument, error);
	image = dstack_image_find(roots, argument, &local);
	if (image != NULL)
		return combined ? print_combined(cli, image) : inspect_image(cli, image, error);
	if (g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND) && is_file(argument))
		return inspect_file(cli, argument, error);
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

gboolean
dstack_cmd_inspect(DstackCli *cli, GError **error)
{
	gboolean combined = FALSE;
	const GOptionEntry entries[] = {
	    {"combined", 0, 0, G_OPTION_ARG_NONE, &combined,
	     "Print an image's combined document: manifest and material in base64", NULL},
	    {NULL},
	};

	return dstack_cli_parse(cli, entries, 1, 1, error) && inspect_argument(cli, cli->args[0], combined, error);
}
