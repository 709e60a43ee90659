/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Launch digests of SEV-SNP against vectors, and the bounds of what is measured.
 */

#include "config.h"

#include "snp/launch.h"

#include <string.h>

#include "base/hex.h"
#include "dstack/error.h"
#include "snp/ovmf-footer.h"
#include "snp/vmsa.h"
#include "support/vector-case.h"
#include "support/vectors.h"

/* other machines than QEMU, and SVSM: dstack launches neither */
static gboolean
is_foreign_machine(JsonObject *test_case)
{
	return g_strcmp0(dstack_case_string(test_case, "vmm"), "qemu") != 0 ||
	       g_strcmp0(dstack_case_string(test_case, "mode"), "snp") != 0;
}

typedef struct {
	DstackSha384 digest; /* after the firmware's pages */
	guint64 hashes_table_gpa;
	guint32 reset_eip;
	gsize n_sections;
	DstackSnpSection sections[DSTACK_SNP_MAX_SECTIONS];
} LaunchFirmware;

static void
firmware_from_file(LaunchFirmware *self, JsonObject *test_case)
{
	g_autofree gchar *name = g_strconcat("snp/", dstack_case_string(test_case, "ovmf"), NULL);
	g_autoptr(GBytes) file = dstack_test_vector_read(name);
	g_autoptr(GError) error = NULL;
	DstackOvmfFooter footer = {0};
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(file, &size);

	g_assert_true(dstack_ovmf_footer_parse(&footer, data, size, &error));
	g_assert_true(dstack_snp_ovmf_hash_compute(data, size, &self->digest, &error));
	g_assert_no_error(error);
	if (dstack_case_string(test_case, "ovmf_seed") != NULL) {
		DstackSha384 seed = dstack_case_sha384(test_case, "ovmf_seed");

		g_assert_true(dstack_sha384_equal(&seed, &self->digest));
	}
	self->hashes_table_gpa = footer.hashes_table_gpa;
	self->reset_eip = footer.reset_eip;
	self->n_sections = footer.n_sections;
	memcpy(self->sections, footer.sections, sizeof(self->sections));
}

static void
firmware_from_case(LaunchFirmware *self, JsonObject *test_case)
{
	JsonArray *sections = json_object_get_array_member(test_case, "sections");

	self->digest = dstack_case_sha384(test_case, "ovmf_seed");
	self->hashes_table_gpa = dstack_case_uint(test_case, "hashes_table_gpa");
	self->reset_eip = (guint32)dstack_case_uint(test_case, "reset_eip");
	self->n_sections = json_array_get_length(sections);
	for (guint i = 0; i < self->n_sections; i++) {
		JsonObject *section = json_array_get_object_element(sections, i);

		self->sections[i] = (DstackSnpSection){
		    .gpa = dstack_case_uint(section, "gpa"),
		    .size = dstack_case_uint(section, "size"),
		    .type = (guint32)dstack_case_uint(section, "type"),
		};
	}
}

static gboolean
compute_case(JsonObject *test_case, DstackSha384 *out, GError **error)
{
	LaunchFirmware firmware = {0};
	DstackSnpPage page;
	const DstackSnpVcpuType *type = dstack_snp_vcpu_type_find(dstack_case_string(test_case, "vcpu_type"), NULL);
	gboolean with_kernel = dstack_case_string(test_case, "kernel_sha256") != NULL;
	DstackSnpVcpus vcpus = {
	    .count = (guint32)dstack_case_uint(test_case, "vcpus"),
	    .guest_features = dstack_case_uint(test_case, "guest_features"),
	};

	if (dstack_case_string(test_case, "ovmf") != NULL)
		firmware_from_file(&firmware, test_case);
	else
		firmware_from_case(&firmware, test_case);
	vcpus.reset_eip = firmware.reset_eip;
	vcpus.signature = dstack_snp_vcpu_type_get_signature(type);
	if (with_kernel) {
		DstackSnpKernelHashes hashes = {
		    .kernel = dstack_case_sha256(test_case, "kernel_sha256"),
		    .initrd = dstack_case_sha256(test_case, "initrd_sha256"),
		    .cmdline = dstack_snp_cmdline_hash(dstack_case_string(test_case, "cmdline")),
		};

		if (!dstack_snp_hashes_page_build(&hashes, firmware.hashes_table_gpa, &page, error))
			return FALSE;
	}
	*out = firmware.digest;
	return dstack_snp_digest_add_sections(out, firmware.sections, firmware.n_sections, with_kernel ? &page : NULL,
					      error) &&
	       dstack_snp_digest_add_vcpus(out, &vcpus, error);
}

static guint n_measured;

static void
check_measurement(const gchar *id, JsonObject *test_case)
{
	JsonObject *expect = dstack_case_expect(test_case);
	g_autoptr(GError) error = NULL;
	DstackSha384 digest = {{0}};

	if (is_foreign_machine(test_case)) {
		g_assert_cmpstr(dstack_case_string(expect, "level"), ==, "optional");
		return;
	}
	n_measured++;
	g_test_message("%s", id);
	if (g_str_equal(dstack_case_string(expect, "result"), "accept")) {
		DstackSha384 expected = dstack_case_sha384(expect, "launch_digest");

		g_assert_true(compute_case(test_case, &digest, &error));
		g_assert_no_error(error);
		g_assert_true(dstack_sha384_equal(&digest, &expected));
		return;
	}
	g_assert_false(compute_case(test_case, &digest, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
computes_known_launch_digests(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	n_measured = 0;
	dstack_case_foreach("snp/open/measurement-cases.json", 18, check_measurement);
	g_assert_cmpuint(n_measured, ==, 13);
}

static GBytes *
page_op_build(JsonObject *op)
{
	gsize size = dstack_case_uint(op, "size");
	g_autofree guint8 *data = g_malloc0(size);
	const gchar *prefix = dstack_case_string(op, "repeat_prefix_hex");
	const gchar *suffix = dstack_case_string(op, "repeat_suffix_hex");
	gsize n = prefix == NULL ? 0 : strlen(prefix) / 2;
	gsize m = suffix == NULL ? 0 : strlen(suffix) / 2;

	if (n > 0)
		g_assert_true(dstack_hex_decode(prefix, "prefix", data, n, NULL));
	if (m > 0)
		g_assert_true(dstack_hex_decode(suffix, "suffix", data + size - m, m, NULL));
	return g_bytes_new(data, size);
}

static void
apply_page_op(DstackSha384 *digest, JsonObject *op)
{
	guint64 gpa = dstack_case_uint(op, "gpa");
	gboolean normal = g_str_equal(dstack_case_string(op, "type"), "normal");
	g_autoptr(GBytes) pages = NULL;
	const guint8 *data = NULL;
	gsize size = 0;

	if (dstack_case_string(op, "contents_sha384") != NULL) {
		DstackSha384 contents = dstack_case_sha384(op, "contents_sha384");

		dstack_snp_digest_add(digest, DSTACK_SNP_PAGE_NORMAL, gpa, &contents);
		return;
	}
	pages = page_op_build(op);
	data = g_bytes_get_data(pages, &size);
	for (gsize at = 0; at < size; at += DSTACK_SNP_PAGE_SIZE) {
		DstackSha384 contents = dstack_sha384(data + at, DSTACK_SNP_PAGE_SIZE);

		dstack_snp_digest_add(digest, normal ? DSTACK_SNP_PAGE_NORMAL : DSTACK_SNP_PAGE_ZERO, gpa + at,
				      normal ? &contents : NULL);
	}
}

static void
check_page_info(const gchar *id, JsonObject *test_case)
{
	DstackSha384 expected;
	DstackSha384 found = {{0}};
	DstackSnpPage page;

	g_test_message("%s", id);
	if (json_object_has_member(test_case, "ops")) {
		JsonArray *ops = json_object_get_array_member(test_case, "ops");

		for (guint i = 0; i < json_array_get_length(ops); i++)
			apply_page_op(&found, json_array_get_object_element(ops, i));
		expected = dstack_case_sha384(test_case, "launch_digest");
	} else {
		page = dstack_snp_vmsa_build(g_str_equal(id, "vmsa-EPYC-v4-fffffff0-1") ? 0xfffffff0U : 0x80b004U,
					     0x800f12, 1);
		found = dstack_sha384(page.bytes, sizeof(page.bytes));
		expected = dstack_case_sha384(test_case, "vmsa_sha384");
	}
	g_assert_true(dstack_sha384_equal(&found, &expected));
}

static void
builds_known_pages(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/pageinfo-cases.json", 5, check_page_info);
}

static void
check_ovmf(const gchar *id, JsonObject *test_case)
{
	g_autofree gchar *name = g_strconcat("snp/", dstack_case_string(test_case, "file"), NULL);
	g_autoptr(GBytes) file = dstack_test_vector_read(name);
	g_autoptr(GError) error = NULL;
	JsonObject *expect = dstack_case_expect(test_case);
	JsonArray *sections = NULL;
	DstackOvmfFooter footer = {0};
	DstackSha384 hash = {{0}};
	DstackSha384 seed;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(file, &size);
	gboolean sound = dstack_ovmf_footer_parse(&footer, data, size, &error) &&
			 dstack_ovmf_footer_ensure_kernel_hashes(&footer, &error);

	g_test_message("%s: %s", id, error == NULL ? "accepted" : error->message);
	if (!g_str_equal(dstack_case_string(expect, "result"), "accept")) {
		g_assert_false(sound);
		return;
	}
	g_assert_no_error(error);
	g_assert_true(dstack_snp_ovmf_hash_compute(data, size, &hash, &error));
	seed = dstack_case_sha384(expect, "ovmf_seed");
	g_assert_true(dstack_sha384_equal(&hash, &seed));
	g_assert_cmpuint(footer.hashes_table_gpa, ==, dstack_case_uint(expect, "hashes_table_gpa"));
	g_assert_cmpuint(footer.reset_eip, ==, dstack_case_uint(expect, "reset_eip"));
	sections = json_object_get_array_member(expect, "sections");
	g_assert_cmpuint(footer.n_sections, ==, json_array_get_length(sections));
	for (guint i = 0; i < footer.n_sections; i++) {
		JsonObject *section = json_array_get_object_element(sections, i);

		g_assert_cmpuint(footer.sections[i].gpa, ==, dstack_case_uint(section, "gpa"));
		g_assert_cmpuint(footer.sections[i].size, ==, dstack_case_uint(section, "size"));
		g_assert_cmpuint(footer.sections[i].type, ==, dstack_case_uint(section, "type"));
	}
}

static void
reads_known_firmware(void)
{
	if (dstack_test_vectors_dir() != NULL)
		dstack_case_foreach("snp/open/ovmf-cases.json", 13, check_ovmf);
}

static void
rejects_sections_that_cannot_be_measured(void)
{
	static const struct {
		DstackSnpSection section;
		const gchar *message;
	} cases[] = {
	    {{0x1000, 0x1000, 0}, "*unknown type 0x0*"},
	    {{0x1000, 0x1000, 5}, "*unknown type 0x5*"},
	    {{0x1000, 0x1000, 0x110}, "*unknown type 0x110*"},
	    {{0x1000, 0, 1}, "*size is zero*"},
	    {{0x1000, 0x1001, 1}, "*no whole pages*"},
	    {{0x1001, 0x1000, 2}, "*no whole pages*"},
	    {{G_GUINT64_CONSTANT(0xfffffffffffff000), 0x2000, 1}, "*leave the address space*"},
	    {{0, G_GUINT64_CONSTANT(0x1000001000), 1}, "*16777217 pages*"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(dstack_snp_sections_validate(&cases[i].section, 1, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
		g_assert_true(g_pattern_match_simple(cases[i].message, error->message));
	}
}

static void
bounds_the_pages_of_all_sections_together(void)
{
	DstackSnpSection sections[DSTACK_SNP_MAX_SECTIONS + 1];
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(sections); i++)
		sections[i] = (DstackSnpSection){.gpa = 0x1000, .size = 0x1000, .type = DSTACK_SNP_SECTION_SEC_MEMORY};
	g_assert_true(dstack_snp_sections_validate(sections, DSTACK_SNP_MAX_SECTIONS, NULL));
	g_assert_false(dstack_snp_sections_validate(sections, DSTACK_SNP_MAX_SECTIONS + 1, &error));
	g_clear_error(&error);
	sections[0].size = sections[1].size = G_GUINT64_CONSTANT(0x800000000);
	g_assert_true(dstack_snp_sections_validate(sections, 2, &error));
	g_assert_false(dstack_snp_sections_validate(sections, 3, &error));
}

static void
rejects_vcpus_out_of_bounds(void)
{
	static const DstackSnpVcpus cases[] = {
	    {0, 0x800f12, 0x80b004, 1},
	    {513, 0x800f12, 0x80b004, 1},
	    {1, 0x800f12, 0x80b004, 0},
	    {1, 0x800f12, 0, 1},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		DstackSha384 digest = {{0}};

		g_assert_false(dstack_snp_digest_add_vcpus(&digest, &cases[i], &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
		g_assert_true(dstack_sha384_is_zero(&digest));
	}
}

static void
finds_the_number_of_vcpus(void)
{
	DstackSha384 start = dstack_sha384((const guint8 *)"start", 5);
	DstackSnpVcpus vcpus = {.signature = 0x800f12, .reset_eip = 0x80b004, .guest_features = 1};
	DstackSha384 other;

	for (guint32 count = 1; count <= DSTACK_SNP_MAX_VCPUS; count += 73) {
		DstackSha384 digest = start;

		vcpus.count = count;
		g_assert_true(dstack_snp_digest_add_vcpus(&digest, &vcpus, NULL));
		g_assert_cmpuint(dstack_snp_digest_find_vcpu_count(&start, &vcpus, &digest), ==, count);
	}
	other = dstack_sha384((const guint8 *)"other", 5);
	g_assert_cmpuint(dstack_snp_digest_find_vcpu_count(&start, &vcpus, &other), ==, 0);
}

static void
hash_table_must_fit_in_its_page(void)
{
	DstackSnpKernelHashes hashes = {{{1}}, {{2}}, {{3}}};
	g_autoptr(GError) error = NULL;
	DstackSnpPage page;

	g_assert_true(dstack_snp_hashes_page_build(&hashes, 0x800000 + 4096 - 176, &page, &error));
	g_assert_cmpint(page.bytes[4096 - 176], !=, 0);
	g_assert_false(dstack_snp_hashes_page_build(&hashes, 0x800000 + 4096 - 175, &page, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
knows_vcpu_types_in_any_case(void)
{
	static const struct {
		const gchar *name;
		guint32 signature;
	} cases[] = {
	    {"EPYC", 0x800f12},	      {"epyc-V4", 0x800f12},	   {"EPYC-IBPB", 0x800f12},  {"EPYC-Rome", 0x830f10},
	    {"EPYC-Milan", 0xa00f11}, {"EPYC-Genoa-v1", 0xa10f10}, {"epyc-turin", 0xb00f00},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const DstackSnpVcpuType *type = dstack_snp_vcpu_type_find(cases[i].name, NULL);

		g_assert_nonnull(type);
		g_assert_cmphex(dstack_snp_vcpu_type_get_signature(type), ==, cases[i].signature);
	}
	g_assert_null(dstack_snp_vcpu_type_find("EPYC-v5", NULL));
	g_assert_null(dstack_snp_vcpu_type_find("", NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snp-launch/computes-known-launch-digests", computes_known_launch_digests);
	g_test_add_func("/snp-launch/builds-known-pages", builds_known_pages);
	g_test_add_func("/snp-launch/reads-known-firmware", reads_known_firmware);
	g_test_add_func("/snp-launch/rejects-sections-that-cannot-be-measured",
			rejects_sections_that_cannot_be_measured);
	g_test_add_func("/snp-launch/bounds-the-pages-of-all-sections-together",
			bounds_the_pages_of_all_sections_together);
	g_test_add_func("/snp-launch/rejects-vcpus-out-of-bounds", rejects_vcpus_out_of_bounds);
	g_test_add_func("/snp-launch/finds-the-number-of-vcpus", finds_the_number_of_vcpus);
	g_test_add_func("/snp-launch/hash-table-must-fit-in-its-page", hash_table_must_fit_in_its_page);
	g_test_add_func("/snp-launch/knows-vcpu-types-in-any-case", knows_vcpu_types_in_any_case);
	return g_test_run();
}
