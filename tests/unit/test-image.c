/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "image/image.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/hex.h"
#include "dstack/error.h"
#include "image/directory.h"
#include "support/image-copy.h"

static void
setup(DstackImageCopy *copy, gconstpointer data)
{
	dstack_image_copy_init(copy);
}

static void
teardown(DstackImageCopy *copy, gconstpointer data)
{
	dstack_image_copy_clear(copy);
}

static void
write_text(DstackImageCopy *copy, const gchar *name, const gchar *text)
{
	dstack_image_copy_write(copy, name, text, strlen(text));
}

static void
assert_opens_not(DstackImageCopy *copy, DstackError code, const gchar *word)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(dstack_image_open(copy->path, &error));
	g_assert_error(error, DSTACK_ERROR, (gint)code);
	g_assert_nonnull(strstr(error->message, word));
}

static void
reads_all_that_belongs_together(DstackImageCopy *copy, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackImage) image = dstack_image_open(copy->path, &error);
	g_autoptr(GBytes) manifest = dstack_image_copy_read(copy, "sha256sum.txt");
	DstackSha256 hash = dstack_sha256_bytes(manifest);

	g_assert_no_error(error);
	g_assert_cmpstr(image->name, ==, "dstack-sample-0.1.0");
	g_assert_cmpstr(image->version, ==, "0.1.0");
	g_assert_nonnull(image->tdx);
	g_assert_nonnull(image->snp);
	g_assert_null(image->gcp);
	g_assert_true(dstack_sha256_equal(&hash, dstack_image_get_os_image_hash(image)));
	g_assert_true(dstack_image_ensure_material(image, DSTACK_MATERIAL_TDX, &error));
	g_assert_false(dstack_image_ensure_material(image, DSTACK_MATERIAL_GCP, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

static void
gives_the_combined_document(DstackImageCopy *copy, gconstpointer data)
{
	g_autoptr(DstackImage) image = dstack_image_open(copy->path, NULL);
	g_autoptr(JsonNode) node = dstack_image_materials_to_json(image);
	JsonObject *top = json_node_get_object(node);
	JsonObject *tdx = json_object_get_object_member(top, "tdx");
	g_autoptr(GBytes) measurement =
	    dstack_base64_decode(json_object_get_string_member(tdx, "measurement"), "measurement", 65536, NULL);
	g_autoptr(GBytes) sums =
	    dstack_base64_decode(json_object_get_string_member(tdx, "checksum_file"), "sums", 65536, NULL);

	g_assert_cmpint(json_object_get_int_member(top, "version"), ==, 3);
	g_assert_false(json_object_has_member(top, "gcp"));
	g_assert_true(g_bytes_equal(measurement, image->material[DSTACK_MATERIAL_TDX]));
	g_assert_true(g_bytes_equal(sums, image->manifest->bytes));
}

static void
needs_metadata_and_manifest(DstackImageCopy *copy, gconstpointer data)
{
	dstack_image_copy_remove(copy, "sha256sum.txt");
	assert_opens_not(copy, DSTACK_ERROR_NOT_FOUND, "sha256sum.txt");
	dstack_image_copy_remove(copy, "metadata.json");
	assert_opens_not(copy, DSTACK_ERROR_NOT_FOUND, "metadata.json");
	dstack_remove_tree(copy->path);
	assert_opens_not(copy, DSTACK_ERROR_NOT_FOUND, "dstack-sample");
	g_assert_cmpint(g_mkdir(copy->path, 0700), ==, 0);
}

static void
holds_digest_txt_to_the_manifest(DstackImageCopy *copy, gconstpointer data)
{
	g_autoptr(DstackImage) image = NULL;

	write_text(copy, "digest.txt", "0000000000000000000000000000000000000000000000000000000000000000\n");
	assert_opens_not(copy, DSTACK_ERROR_UNSOUND, "digest.txt");
	write_text(copy, "digest.txt", "hello");
	assert_opens_not(copy, DSTACK_ERROR_MALFORMED, "digest.txt");
	dstack_image_copy_remove(copy, "digest.txt");
	image = dstack_image_open(copy->path, NULL);
	g_assert_nonnull(image);
}

static void
refuses_names_that_lead_astray(DstackImageCopy *copy, gconstpointer data)
{
	static const struct {
		const gchar *metadata;
		DstackError code;
	} names[] = {
	    {"{\"kernel\":\"../secret\",\"initrd\":\"initramfs.cpio\"}", DSTACK_ERROR_MALFORMED},
	    {"{\"kernel\":\"/etc/passwd\",\"initrd\":\"initramfs.cpio\"}", DSTACK_ERROR_MALFORMED},
	    {"{\"kernel\":\"bzImage\",\"initrd\":\"link\"}", DSTACK_ERROR_MALFORMED},
	    {"{\"kernel\":\"bzImage\",\"initrd\":\".\"}", DSTACK_ERROR_MALFORMED},
	    {"{\"kernel\":\"bzImage\",\"initrd\":\"initramfs.cpio\",\"hda\":\"absent\"}", DSTACK_ERROR_NOT_FOUND},
	    {"{\"kernel\":\"bzImage\",\"initrd\":\"initramfs.cpio\",\"bios\":\"\"}", DSTACK_ERROR_NOT_FOUND},
	};
	g_autofree gchar *secret = g_build_filename(copy->top, "secret", NULL);
	g_autofree gchar *link = g_build_filename(copy->path, "link", NULL);

	g_assert_true(g_file_set_contents(secret, "secret", -1, NULL));
	g_assert_cmpint(symlink("../secret", link), ==, 0);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		write_text(copy, "metadata.json", names[i].metadata);
		assert_opens_not(copy, names[i].code, "metadata.json");
	}
}

static void
keeps_what_is_wrong_with_one_kind_of_material(DstackImageCopy *copy, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackImage) changed = NULL;
	g_autoptr(DstackImage) missing = NULL;
	g_autoptr(DstackImage) malformed = NULL;

	dstack_image_copy_flip(copy, "measurement.tdx.cbor", 100);
	changed = dstack_image_open(copy->path, &error);
	g_assert_no_error(error);
	g_assert_null(changed->tdx);
	g_assert_nonnull(changed->snp);
	g_assert_false(dstack_image_ensure_material(changed, DSTACK_MATERIAL_TDX, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);
	dstack_image_copy_remove(copy, "measurement.tdx.cbor");
	missing = dstack_image_open(copy->path, NULL);
	g_assert_error(missing->material_errors[DSTACK_MATERIAL_TDX], DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	write_text(copy, "measurement.tdx.cbor", "x");
	dstack_image_copy_sum(copy);
	malformed = dstack_image_open(copy->path, NULL);
	g_assert_error(malformed->material_errors[DSTACK_MATERIAL_TDX], DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
wants_material_to_be_listed(DstackImageCopy *copy, gconstpointer data)
{
	g_autoptr(DstackImage) image = NULL;

	write_text(copy, "sha256sum.txt", "");
	dstack_image_copy_remove(copy, "digest.txt");
	image = dstack_image_open(copy->path, NULL);
	g_assert_error(image->material_errors[DSTACK_MATERIAL_TDX], DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
finds_images_by_name_in_order_of_roots(DstackImageCopy *copy, gconstpointer data)
{
	g_autofree gchar *absent = g_build_filename(copy->top, "absent", NULL);
	const gchar *const roots[] = {absent, copy->top, NULL};
	static const gchar *const no_names[] = {"", ".", "..", "a/b", "/", "../dstack-sample-0.1.0"};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackImage) image = dstack_image_find(roots, "dstack-sample-0.1.0", &error);
	g_autoptr(DstackImage) by_path = dstack_image_find(roots, copy->path, NULL);

	g_assert_no_error(error);
	g_assert_nonnull(image);
	g_assert_nonnull(by_path);
	g_assert_null(dstack_image_find(roots, "dstack-9.9.9", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
	for (guint i = 0; i < G_N_ELEMENTS(no_names); i++) {
		g_autoptr(GError) refused = NULL;

		g_assert_null(dstack_image_find_by_name(roots, no_names[i], &refused));
		g_assert_error(refused, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	}
}

static void
lists_sound_broken_and_shadowed_images(DstackImageCopy *copy, gconstpointer data)
{
	g_autofree gchar *broken = g_build_filename(copy->top, "a-broken", NULL);
	g_autofree gchar *broken_metadata = g_build_filename(broken, "metadata.json", NULL);
	g_autofree gchar *other = g_build_filename(copy->top, "no-image", NULL);
	const gchar *const roots[] = {copy->top, copy->top, "/nonexistent", NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	const DstackImageEntry *entry = NULL;

	g_assert_cmpint(g_mkdir(broken, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(other, 0700), ==, 0);
	g_assert_true(g_file_set_contents(broken_metadata, "{", -1, NULL));
	entries = dstack_images_scan(roots, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, 4);
	entry = g_ptr_array_index(entries, 0);
	g_assert_cmpstr(entry->name, ==, "a-broken");
	g_assert_error(entry->error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	entry = g_ptr_array_index(entries, 2);
	g_assert_nonnull(entry->image);
	g_assert_false(entry->shadowed);
	entry = g_ptr_array_index(entries, 3);
	g_assert_true(entry->shadowed);
}

#define ADD(path, function) g_test_add(path, DstackImageCopy, NULL, setup, function, teardown)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/image/reads-all-that-belongs-together", reads_all_that_belongs_together);
	ADD("/image/gives-the-combined-document", gives_the_combined_document);
	ADD("/image/needs-metadata-and-manifest", needs_metadata_and_manifest);
	ADD("/image/holds-digest-txt-to-the-manifest", holds_digest_txt_to_the_manifest);
	ADD("/image/refuses-names-that-lead-astray", refuses_names_that_lead_astray);
	ADD("/image/keeps-what-is-wrong-with-one-kind-of-material", keeps_what_is_wrong_with_one_kind_of_material);
	ADD("/image/wants-material-to-be-listed", wants_material_to_be_listed);
	ADD("/image/finds-images-by-name-in-order-of-roots", finds_images_by_name_in_order_of_roots);
	ADD("/image/lists-sound-broken-and-shadowed-images", lists_sound_broken_and_shadowed_images);
	return g_test_run();
}
