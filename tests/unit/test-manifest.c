/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "image/manifest.h"

#include <string.h>

#include "base/limits.h"
#include "dstack/error.h"
#include "support/vectors.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static DstackManifest *
parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);

	return dstack_manifest_parse(bytes, error);
}

static const struct {
	const gchar *text;
	guint n_entries;
	gboolean flat;
} accepted[] = {
    {"", 0, TRUE},
    {"\n \n\t\n", 0, TRUE},
    {A "  bzImage\n", 1, TRUE},
    {A "  bzImage", 1, TRUE},
    {"  " A " \t bzImage \r\n\n" B "\tinitrd\n", 2, TRUE},
    {A "  sub/file\n", 1, FALSE},
    {A "  ./file\n", 1, FALSE},
    {A "  ..\n", 1, FALSE},
    {A "  .\n", 1, FALSE},
    {A "  file third\n", 1, FALSE},
    {A "  sha256sum.txt\n", 1, FALSE},
};

static void
reads_lines_of_digest_and_name(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(accepted); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GError) flat = NULL;
		g_autoptr(DstackManifest) manifest = parse(accepted[i].text, strlen(accepted[i].text), &error);

		g_assert_no_error(error);
		g_assert_cmpuint(manifest->entries->len, ==, accepted[i].n_entries);
		g_assert_cmpint(dstack_manifest_ensure_flat(manifest, &flat), ==, accepted[i].flat);
		if (!accepted[i].flat)
			g_assert_error(flat, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static const gchar *const refused[] = {
    A "\n",		       /* no name */
    "file\n",		       /* no digest */
    "abc  file\n",	       /* short digest */
    A "a  file\n",	       /* long digest */
    "g" A "  file\n",	       /* no hex */
    A "  file\n" B "  file\n", /* twice */
    A "  file\n" A "  file\n", /* twice, even the same */
    A "  f\xff\n",	       /* not UTF-8 */
};

static void
refuses_what_is_no_manifest(void)
{
	g_autofree gchar *large = g_strnfill(DSTACK_LIMIT_MANIFEST + 1, '\n');

	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(refused[i], strlen(refused[i]), &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
	g_assert_null(parse(A "  a\0b\n", 70, NULL));
	g_assert_null(parse(large, strlen(large), NULL));
}

static void
holds_a_file_to_its_digest(void)
{
	static const gchar text[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n";
	g_autoptr(DstackManifest) manifest = parse(text, strlen(text), NULL);
	g_autoptr(GBytes) right = g_bytes_new_static("abc", 3);
	g_autoptr(GBytes) wrong = g_bytes_new_static("abd", 3);
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_manifest_ensure_file(manifest, "abc", right, &error));
	g_assert_no_error(error);
	g_assert_false(dstack_manifest_ensure_file(manifest, "abc", wrong, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);
	g_assert_false(dstack_manifest_ensure_file(manifest, "./abc", right, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_assert_null(dstack_manifest_find(manifest, "./abc"));
}

static void
binds_real_material_to_the_image(void)
{
	static const gchar *const names[] = {"tdx/material/dstack-0.6.0-v3", "tdx/material/dstack-0.6.0-v4"};
	static const gchar *const hashes[] = {"e6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09db", NULL};

	if (dstack_test_vectors_dir() == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree gchar *sums = g_strconcat(names[i], ".sha256sum.txt", NULL);
		g_autofree gchar *cbor = g_strconcat(names[i], ".measurement.tdx.cbor", NULL);
		g_autoptr(GBytes) bytes = dstack_test_vector_read(sums);
		g_autoptr(GBytes) material = dstack_test_vector_read(cbor);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackManifest) manifest = dstack_manifest_parse(bytes, &error);
		g_autofree gchar *hash = NULL;

		g_assert_no_error(error);
		g_assert_true(dstack_manifest_ensure_file(manifest, "measurement.tdx.cbor", material, &error));
		g_assert_no_error(error);
		hash = dstack_sha256_to_hex(&manifest->os_image_hash);
		if (hashes[i] != NULL)
			g_assert_cmpstr(hash, ==, hashes[i]);
		else
			g_assert_true(g_str_has_prefix(hash, "a73f9b20"));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/manifest/reads-lines-of-digest-and-name", reads_lines_of_digest_and_name);
	g_test_add_func("/manifest/refuses-what-is-no-manifest", refuses_what_is_no_manifest);
	g_test_add_func("/manifest/holds-a-file-to-its-digest", holds_a_file_to_its_digest);
	g_test_add_func("/manifest/binds-real-material-to-the-image", binds_real_material_to_the_image);
	return g_test_run();
}
