/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding and reading test vectors.
 */

#include "config.h"

#include "support/vectors.h"

#include <string.h>

#include <gio/gio.h>

static gchar *
find_dir(void)
{
	const gchar *given = g_getenv("DSTACK_VECTORS");
	const gchar *srcdir = g_getenv("G_TEST_SRCDIR");

	if (given != NULL && given[0] != '\0')
		return g_strdup(given);
	return g_build_filename(srcdir != NULL ? srcdir : ".", "..", "shared", "vectors", NULL);
}

/**
 * dstack_test_vectors_dir:
 *
 * Returns: (nullable) (transfer none): the directory, or %NULL after the running test was marked as skipped or failed
 */
const gchar *
dstack_test_vectors_dir(void)
{
	static gchar *dir;

	if (dir == NULL)
		dir = find_dir();
	if (g_file_test(dir, G_FILE_TEST_IS_DIR))
		return dir;
	if (g_strcmp0(g_getenv("DSTACK_REQUIRE_VECTORS"), "1") == 0)
		g_test_fail_printf("no vectors in '%s', and DSTACK_REQUIRE_VECTORS=1", dir);
	else
		g_test_skip("no vectors");
	return NULL;
}

static GBytes *
unpack(const gchar *path, const gchar *packed, gsize size)
{
	g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
	g_autoptr(GInputStream) memory = g_memory_input_stream_new_from_data(packed, (gssize)size, NULL);
	g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, G_CONVERTER(gzip));
	g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
	g_autoptr(GError) error = NULL;

	if (g_output_stream_splice(out, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error) < 0)
		g_error("'%s': %s", path, error->message);
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

/**
 * dstack_test_vector_read:
 * @name: file below the vectors' directory
 *
 * Returns: (transfer full): its bytes, unpacked when the name ends in ".gz"
 */
GBytes *
dstack_test_vector_read(const gchar *name)
{
	g_autofree gchar *path = g_build_filename(dstack_test_vectors_dir(), name, NULL);
	g_autofree gchar *data = NULL;
	g_autoptr(GError) error = NULL;
	gsize size = 0;

	if (!g_file_get_contents(path, &data, &size, &error))
		g_error("%s", error->message);
	if (g_str_has_suffix(name, ".gz"))
		return unpack(path, data, size);
	return g_bytes_new_take(g_steal_pointer(&data), size);
}

/**
 * dstack_test_vector_read_text:
 * @name: file below the vectors' directory
 *
 * Returns: (transfer full): its content as a string
 */
gchar *
dstack_test_vector_read_text(const gchar *name)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);

	return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

/**
 * dstack_test_vector_read_json:
 * @name: file below the vectors' directory
 *
 * Returns: (transfer full): the parsed document
 */
JsonNode *
dstack_test_vector_read_json(const gchar *name)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(GError) error = NULL;

	if (!json_parser_load_from_data(parser, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), &error))
		g_error("'%s': %s", name, error->message);
	return json_parser_steal_root(parser);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const gchar *const *)a, *(const gchar *const *)b);
}

/**
 * dstack_test_vector_list:
 * @folder: folder below the vectors' directory
 *
 * Returns: (transfer full) (element-type utf8): "folder/name" of each regular file, sorted
 */
GPtrArray *
dstack_test_vector_list(const gchar *folder)
{
	g_autofree gchar *path = g_build_filename(dstack_test_vectors_dir(), folder, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const gchar *name = NULL;

	if (dir == NULL)
		g_error("%s", error->message);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *full = g_build_filename(path, name, NULL);

		if (g_file_test(full, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(names, g_build_filename(folder, name, NULL));
	}
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}
