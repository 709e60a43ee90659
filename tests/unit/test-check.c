/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "measure/check.h"

#include <string.h>

#include "base/json.h"
#include "dstack/error.h"
#include "measure/material-tdx.h"
#include "support/image-copy.h"

/* long after the files were made, so that the cache remembers them */
#define LATER (G_GINT64_CONSTANT(4000000000))

typedef struct {
	DstackImageCopy copy;
	gchar *cache_dir;
	DstackContext context;
	DstackCheckOptions options;
	guint64 n_read; /* bytes that the last check had to read */
} Fixture;

static void
on_progress(guint64 done, guint64 total, gpointer user_data)
{
	((Fixture *)user_data)->n_read = total;
}

static void
setup(Fixture *fixture, gconstpointer data)
{
	dstack_image_copy_init(&fixture->copy);
	fixture->cache_dir = g_build_filename(fixture->copy.top, "cache", NULL);
	fixture->context = (DstackContext){.now = LATER, .cache_dir = fixture->cache_dir};
	fixture->options = (DstackCheckOptions){.progress = on_progress, .user_data = fixture};
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
	dstack_image_copy_clear(&fixture->copy);
	g_free(fixture->cache_dir);
}

static DstackCheckReport *
check(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackImage) image = dstack_image_open(fixture->copy.path, &error);
	DstackCheckReport *report = NULL;

	g_assert_no_error(error);
	fixture->n_read = 0;
	report = dstack_check_image(image, &fixture->context, &fixture->options, &error);
	g_assert_no_error(error);
	return report;
}

static const DstackCheckItem *
find_item(const DstackCheckReport *report, const gchar *kind, const gchar *name)
{
	for (guint i = 0; i < report->items->len; i++) {
		const DstackCheckItem *item = g_ptr_array_index(report->items, i);

		if (g_str_equal(item->kind, kind) && g_str_equal(item->name, name))
			return item;
	}
	g_error("no item %s %s", kind, name);
}

static void
assert_outcome(const DstackCheckReport *report, const gchar *kind, const gchar *name, DstackCheckOutcome outcome)
{
	g_assert_cmpint(find_item(report, kind, name)->outcome, ==, outcome);
}

static gboolean
mentions(const GPtrArray *sentences, const gchar *word)
{
	for (guint i = 0; i < sentences->len; i++) {
		if (strstr(g_ptr_array_index(sentences, i), word) != NULL)
			return TRUE;
	}
	return FALSE;
}

static void
finds_a_sound_image_sound(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) report = check(fixture);
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) json = dstack_check_report_to_json(report);

	g_assert_true(report->sound);
	g_assert_cmpuint(report->problems->len, ==, 0);
	g_assert_true(dstack_check_report_ensure_sound(report, &error));
	assert_outcome(report, "file", "bzImage", DSTACK_CHECK_OK);
	assert_outcome(report, "file", "metadata.json", DSTACK_CHECK_OK);
	assert_outcome(report, "tdx", "kernel_authenticode", DSTACK_CHECK_OK);
	assert_outcome(report, "snp", "ovmf_hash", DSTACK_CHECK_OK);
	g_assert_true(json_object_get_boolean_member(json_node_get_object(json), "sound"));
}

static void
names_the_file_that_changed(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(GError) error = NULL;

	dstack_image_copy_flip(&fixture->copy, "bzImage", 0x1100);
	report = check(fixture);
	g_assert_false(report->sound);
	assert_outcome(report, "file", "bzImage", DSTACK_CHECK_DIFFERS);
	assert_outcome(report, "file", "initramfs.cpio", DSTACK_CHECK_OK);
	assert_outcome(report, "tdx", "kernel_authenticode", DSTACK_CHECK_DIFFERS);
	assert_outcome(report, "tdx", "initrd_sha384", DSTACK_CHECK_OK);
	assert_outcome(report, "snp", "kernel_hash", DSTACK_CHECK_DIFFERS);
	g_assert_false(dstack_check_report_ensure_sound(report, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_assert_nonnull(strstr(error->message, "bzImage"));
}

static const struct {
	const gchar *file;
	gsize offset;
	const gchar *kind;
	const gchar *field;
} changes[] = {
    {"bzImage", 0x1100, "tdx", "kernel_authenticode"}, {"initramfs.cpio", 200, "tdx", "initrd_sha384"},
    {"initramfs.cpio", 200, "snp", "initrd_hash"},     {"ovmf.fd", 0x84100, "tdx", "mrtd.single_pass"},
    {"ovmf.fd", 0x84100, "snp", "ovmf_hash"},	       {"ovmf.fd", 0x10, "tdx", "cfv"},
};

/* the manifest agrees with the files, and only computing the material again shows what is wrong */
static void
names_the_field_that_no_longer_fits(Fixture *fixture, gconstpointer data)
{
	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autoptr(DstackCheckReport) report = NULL;

		g_test_message("%s: %s", changes[i].file, changes[i].field);
		dstack_image_copy_flip(&fixture->copy, changes[i].file, changes[i].offset);
		dstack_image_copy_sum(&fixture->copy);
		report = check(fixture);
		g_assert_false(report->sound);
		assert_outcome(report, "file", changes[i].file, DSTACK_CHECK_OK);
		g_assert_cmpint(find_item(report, changes[i].kind, changes[i].field)->outcome, !=, DSTACK_CHECK_OK);
		dstack_image_copy_flip(&fixture->copy, changes[i].file, changes[i].offset);
	}
}

static void
edit_metadata(Fixture *fixture, const gchar *from, const gchar *to)
{
	g_autoptr(GBytes) bytes = dstack_image_copy_read(&fixture->copy, "metadata.json");
	g_autoptr(GString) text = g_string_new_len(g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes));

	g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
	dstack_image_copy_write(&fixture->copy, "metadata.json", text->str, text->len);
	dstack_image_copy_sum(&fixture->copy);
}

static void
holds_the_command_line_to_the_material(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) changed = NULL;
	g_autoptr(DstackCheckReport) uncommitted = NULL;

	edit_metadata(fixture, "console=", "quiet console=");
	changed = check(fixture);
	assert_outcome(changed, "tdx", "cmdline_sha384", DSTACK_CHECK_DIFFERS);
	assert_outcome(changed, "snp", "cmdline", DSTACK_CHECK_DIFFERS);
	edit_metadata(fixture, "dstack.rootfs_hash=", "dstack.other=");
	uncommitted = check(fixture);
	g_assert_true(mentions(uncommitted->problems, "rootfs_hash"));
}

static DstackTdxMaterial *
parse_tdx(Fixture *fixture)
{
	g_autoptr(GBytes) cbor = dstack_image_copy_read(&fixture->copy, "measurement.tdx.cbor");
	DstackTdxMaterial *material = dstack_tdx_material_parse(cbor, NULL);

	g_assert_nonnull(material);
	return material;
}

static void
write_tdx(Fixture *fixture, const DstackTdxMaterial *material)
{
	g_autoptr(GBytes) cbor = dstack_tdx_material_build(material);

	dstack_image_copy_write(&fixture->copy, "measurement.tdx.cbor", g_bytes_get_data(cbor, NULL),
				g_bytes_get_size(cbor));
	dstack_image_copy_sum(&fixture->copy);
}

/* bit 6 of xloadflags and not bit 1, and an address limit below what is free: where the reference tool errs */
static void
make_kernel_that_reference_misjudges(Fixture *fixture)
{
	g_autoptr(GBytes) bytes = dstack_image_copy_read(&fixture->copy, "bzImage");
	gsize size = g_bytes_get_size(bytes);
	g_autofree guint8 *kernel = g_memdup2(g_bytes_get_data(bytes, NULL), size);
	static const guint8 limit[4] = {0xff, 0xff, 0xff, 0x37};

	kernel[0x236] = 0x40;
	kernel[0x237] = 0;
	memcpy(kernel + 0x22c, limit, sizeof(limit));
	dstack_image_copy_write(&fixture->copy, "bzImage", (const gchar *)kernel, size);
	dstack_image_copy_sum(&fixture->copy);
}

static void
says_that_the_reference_tool_is_wrong(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackTdxMaterial) material = parse_tdx(fixture);
	g_autoptr(DstackTdxMeasured) measured = NULL;
	g_autoptr(DstackImage) image = NULL;
	g_autoptr(DstackCheckReport) report = NULL;

	make_kernel_that_reference_misjudges(fixture);
	image = dstack_image_open(fixture->copy.path, NULL);
	measured = dstack_measure_tdx_material(image, 3, NULL, NULL);
	g_assert_nonnull(measured);
	g_assert_true(measured->has_reference_kernel);
	material->kernel_authenticode = measured->reference_kernel;
	write_tdx(fixture, material);
	report = check(fixture);
	assert_outcome(report, "tdx", "kernel_authenticode", DSTACK_CHECK_DIFFERS);
	g_assert_true(mentions(report->problems, "would never verify"));
	/* and with QEMU's answer all is well for TDX */
	material->kernel_authenticode = measured->material->kernel_authenticode;
	write_tdx(fixture, material);
	dstack_check_report_free(g_steal_pointer(&report));
	report = check(fixture);
	assert_outcome(report, "tdx", "kernel_authenticode", DSTACK_CHECK_OK);
}

static void
tells_exchanged_page_orders(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackTdxMaterial) material = parse_tdx(fixture);
	g_autoptr(DstackCheckReport) report = NULL;
	DstackSha384 single = material->mrtd_single_pass;

	material->mrtd_single_pass = material->mrtd_two_pass;
	material->mrtd_two_pass = single;
	write_tdx(fixture, material);
	report = check(fixture);
	g_assert_true(mentions(report->problems, "page orders are exchanged"));
}

static void
refuses_a_kernel_that_is_not_normalized(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) report = NULL;

	edit_metadata(fixture, "{", "{\"kernel_header_normalized\": true,");
	report = check(fixture);
	g_assert_false(report->sound);
	g_assert_true(mentions(report->problems, "tdx") || mentions(report->problems, "TDX"));
}

static void
names_what_is_missing(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GBytes) manifest = dstack_image_copy_read(&fixture->copy, "sha256sum.txt");
	g_autofree gchar *longer = g_strdup_printf("%.*s%064d  rootfs.img\n", (int)g_bytes_get_size(manifest),
						   (const gchar *)g_bytes_get_data(manifest, NULL), 0);
	g_autoptr(DstackCheckReport) report = NULL;

	dstack_image_copy_write(&fixture->copy, "sha256sum.txt", longer, strlen(longer));
	dstack_image_copy_remove(&fixture->copy, "digest.txt");
	report = check(fixture);
	assert_outcome(report, "file", "rootfs.img", DSTACK_CHECK_FAILED);
	g_assert_true(mentions(report->problems, "rootfs.img"));
	assert_outcome(report, "tdx", "kernel_authenticode", DSTACK_CHECK_OK);
}

static void
wants_a_flat_manifest(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GBytes) manifest = dstack_image_copy_read(&fixture->copy, "sha256sum.txt");
	g_autoptr(GString) text =
	    g_string_new_len(g_bytes_get_data(manifest, NULL), (gssize)g_bytes_get_size(manifest));
	g_autoptr(DstackCheckReport) report = NULL;

	g_assert_cmpuint(g_string_replace(text, "  bzImage", "  ./bzImage", 1), ==, 1);
	dstack_image_copy_write(&fixture->copy, "sha256sum.txt", text->str, text->len);
	dstack_image_copy_remove(&fixture->copy, "digest.txt");
	report = check(fixture);
	g_assert_false(report->sound);
	g_assert_true(mentions(report->problems, "plain file name"));
}

static void
reads_nothing_the_second_time(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) first = check(fixture);
	g_autoptr(DstackCheckReport) second = NULL;
	g_autoptr(DstackCheckReport) uncached = NULL;
	g_autoptr(DstackCheckReport) changed = NULL;
	g_autofree gchar *first_text = NULL;
	g_autofree gchar *second_text = NULL;
	g_autoptr(JsonNode) first_json = dstack_check_report_to_json(first);
	g_autoptr(JsonNode) second_json = NULL;

	g_assert_cmpuint(fixture->n_read, >, 500000);
	second = check(fixture);
	g_assert_cmpuint(fixture->n_read, ==, 0);
	second_json = dstack_check_report_to_json(second);
	first_text = dstack_json_to_text(first_json, DSTACK_JSON_COMPACT);
	second_text = dstack_json_to_text(second_json, DSTACK_JSON_COMPACT);
	g_assert_cmpstr(first_text, ==, second_text);
	fixture->context.no_cache = TRUE;
	uncached = check(fixture);
	g_assert_cmpuint(fixture->n_read, >, 500000);
	/* a change is a change, cache or not */
	fixture->context.no_cache = FALSE;
	dstack_image_copy_flip(&fixture->copy, "ovmf.fd", 0x84100);
	changed = check(fixture);
	g_assert_false(changed->sound);
}

static void
leaves_out_large_files_unless_known(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(DstackCheckReport) known = NULL;

	fixture->options.skip_above = 100000;
	report = check(fixture);
	g_assert_true(report->sound);
	assert_outcome(report, "file", "ovmf.fd", DSTACK_CHECK_SKIPPED);
	assert_outcome(report, "file", "bzImage", DSTACK_CHECK_OK);
	assert_outcome(report, "tdx", "material", DSTACK_CHECK_SKIPPED);
	g_assert_true(mentions(report->notes, "ovmf.fd"));
	fixture->options.skip_above = 0;
	dstack_check_report_free(check(fixture));
	fixture->options.skip_above = 100000;
	known = check(fixture);
	assert_outcome(known, "file", "ovmf.fd", DSTACK_CHECK_OK);
	assert_outcome(known, "tdx", "mrtd.two_pass", DSTACK_CHECK_OK);
}

static void
looks_at_material_only_where_asked(Fixture *fixture, gconstpointer data)
{
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(DstackCheckReport) unsound = NULL;

	dstack_image_copy_flip(&fixture->copy, "bzImage", 0x1100);
	fixture->options.material_only = TRUE;
	report = check(fixture);
	g_assert_true(report->sound);
	g_assert_cmpuint(fixture->n_read, ==, 0);
	dstack_image_copy_flip(&fixture->copy, "measurement.snp.cbor", 50);
	unsound = check(fixture);
	g_assert_false(unsound->sound);
	assert_outcome(unsound, "snp", "material", DSTACK_CHECK_FAILED);
}

static void
stops_when_cancelled(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(DstackImage) image = dstack_image_open(fixture->copy.path, NULL);
	g_autoptr(GError) error = NULL;

	g_cancellable_cancel(cancellable);
	fixture->options.cancellable = cancellable;
	g_assert_null(dstack_check_image(image, &fixture->context, &fixture->options, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/check/finds-a-sound-image-sound", finds_a_sound_image_sound);
	ADD("/check/names-the-file-that-changed", names_the_file_that_changed);
	ADD("/check/names-the-field-that-no-longer-fits", names_the_field_that_no_longer_fits);
	ADD("/check/holds-the-command-line-to-the-material", holds_the_command_line_to_the_material);
	ADD("/check/says-that-the-reference-tool-is-wrong", says_that_the_reference_tool_is_wrong);
	ADD("/check/tells-exchanged-page-orders", tells_exchanged_page_orders);
	ADD("/check/refuses-a-kernel-that-is-not-normalized", refuses_a_kernel_that_is_not_normalized);
	ADD("/check/names-what-is-missing", names_what_is_missing);
	ADD("/check/wants-a-flat-manifest", wants_a_flat_manifest);
	ADD("/check/reads-nothing-the-second-time", reads_nothing_the_second_time);
	ADD("/check/leaves-out-large-files-unless-known", leaves_out_large_files_unless_known);
	ADD("/check/looks-at-material-only-where-asked", looks_at_material_only_where_asked);
	ADD("/check/stops-when-cancelled", stops_when_cancelled);
	return g_test_run();
}
