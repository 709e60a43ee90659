/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Comparing material: what differs, and the likely cause where one can be shown (tdx-measurement.md, section 4).
 */

#include "config.h"

#include "measure/check-material.h"

#include "base/error.h"
#include "base/hex.h"
#include "measure/check-report.h"

static void
compare_sha384(DstackCheckReport *report, const gchar *kind, const gchar *name, const DstackSha384 *expected,
	       const DstackSha384 *found, const gchar *cause)
{
	g_autofree gchar *expected_hex = dstack_sha384_to_hex(expected);
	g_autofree gchar *found_hex = dstack_sha384_to_hex(found);

	dstack_check_report_add_comparison(report, kind, name, expected_hex, found_hex, 0, cause);
}

static void
compare_sha256(DstackCheckReport *report, const gchar *kind, const gchar *name, const DstackSha256 *expected,
	       const DstackSha256 *found)
{
	g_autofree gchar *expected_hex = dstack_sha256_to_hex(expected);
	g_autofree gchar *found_hex = dstack_sha256_to_hex(found);

	dstack_check_report_add_comparison(report, kind, name, expected_hex, found_hex, 0, NULL);
}

static void
compare_number(DstackCheckReport *report, const gchar *kind, const gchar *name, guint64 expected, guint64 found)
{
	g_autofree gchar *expected_text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", expected);
	g_autofree gchar *found_text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", found);

	dstack_check_report_add_comparison(report, kind, name, expected_text, found_text, 0, NULL);
}

/* why a kernel digest is another one than QEMU and the firmware will give */
static const gchar *
explain_kernel(const DstackTdxMaterial *found, const DstackTdxMeasured *measured, const DstackTdxInputs *inputs)
{
	DstackSha384 other = {{0}};

	if (measured->has_reference_kernel &&
	    dstack_sha384_equal(&found->kernel_authenticode, &measured->reference_kernel)) {
		return "it is what the reference tool computes, but QEMU patches this kernel in another way: a launch "
		       "of this "
		       "image would never verify";
	}
	if (inputs == NULL)
		return NULL;
	if (dstack_tdx_inputs_kernel_plain(inputs, &other, NULL) &&
	    dstack_sha384_equal(&found->kernel_authenticode, &other))
		return "it is the digest of the plain file, without QEMU's patches, and metadata.json does not declare "
		       "kernel_header_normalized";
	if (dstack_tdx_inputs_kernel_patched(inputs, DSTACK_KERNEL_LITE_MEMORY, &other, NULL) &&
	    dstack_sha384_equal(&found->kernel_authenticode, &other))
		return "it is the digest of the kernel as QEMU patches it, but the image declares "
		       "kernel_header_normalized";
	return NULL;
}

static const gchar *
explain_mrtd(const DstackTdxMaterial *found, const DstackTdxMaterial *expected)
{
	if (dstack_sha384_equal(&found->mrtd_single_pass, &expected->mrtd_two_pass) &&
	    dstack_sha384_equal(&found->mrtd_two_pass, &expected->mrtd_single_pass) &&
	    !dstack_sha384_equal(&found->mrtd_two_pass, &found->mrtd_single_pass))
		return "the two page orders are exchanged";
	return NULL;
}

static void
compare_cmdline(DstackCheckReport *report, const DstackTdxMaterial *found, const DstackTdxMaterial *expected)
{
	if (found->version == 4) {
		dstack_check_report_add_comparison(report, "tdx", "cmdline", expected->cmdline, found->cmdline, 0,
						   NULL);
		return;
	}
	compare_sha384(report, "tdx", "cmdline_sha384", &expected->cmdline_sha384, &found->cmdline_sha384,
		       "metadata.json has another command line than the material was made for");
}

static void
compare_normalized(DstackCheckReport *report, const DstackTdxMaterial *found, const DstackTdxMeasured *measured)
{
	gboolean expected = measured->material->kernel_header_normalized;

	dstack_check_report_add_comparison(report, "tdx", "kernel_header_normalized", expected ? "true" : "false",
					   found->kernel_header_normalized ? "true" : "false", 0,
					   "metadata.json declares otherwise");
	if (expected) {
		dstack_check_report_add_note(report, "the kernel's header is normalized: %s",
					     dstack_kernel_normalized_to_string(measured->normalized));
	}
}

/**
 * dstack_check_tdx_material:
 * @report: where to add
 * @found: the image's material
 * @measured: what its files give, for material of the same version
 * @inputs: (nullable): the files themselves, where they are at hand
 *
 * Compares every field, and the firmware's variable store with the one that material takes for granted.
 */
void
dstack_check_tdx_material(DstackCheckReport *report, const DstackTdxMaterial *found, const DstackTdxMeasured *measured,
			  const DstackTdxInputs *inputs)
{
	const DstackTdxMaterial *expected = measured->material;
	g_autofree gchar *expected_hob = dstack_hex_encode_bytes(expected->td_hob);
	g_autofree gchar *found_hob = dstack_hex_encode_bytes(found->td_hob);
	const gchar *mrtd_cause = explain_mrtd(found, expected);
	g_autoptr(GError) cfv = NULL;

	compare_cmdline(report, found, expected);
	compare_sha384(report, "tdx", "kernel_authenticode", &expected->kernel_authenticode,
		       &found->kernel_authenticode, explain_kernel(found, measured, inputs));
	compare_normalized(report, found, measured);
	compare_sha384(report, "tdx", "initrd_sha384", &expected->initrd_sha384, &found->initrd_sha384, NULL);
	compare_sha384(report, "tdx", "mrtd.single_pass", &expected->mrtd_single_pass, &found->mrtd_single_pass,
		       mrtd_cause);
	compare_sha384(report, "tdx", "mrtd.two_pass", &expected->mrtd_two_pass, &found->mrtd_two_pass, mrtd_cause);
	dstack_check_report_add_comparison(report, "tdx", "td_hob", expected_hob, found_hob, 0, NULL);
	if (!dstack_tdx_measured_ensure_default_cfv(measured, &cfv))
		dstack_check_report_add_failure(report, "tdx", "cfv", cfv->message);
}

static gchar *
describe_section(const DstackSnpSection *section)
{
	return g_strdup_printf("gpa 0x%" G_GINT64_MODIFIER "x size 0x%" G_GINT64_MODIFIER "x type 0x%x", section->gpa,
			       section->size, section->type);
}

static void
compare_sections(DstackCheckReport *report, const DstackSnpMaterial *found, const DstackSnpMaterial *expected)
{
	compare_number(report, "snp", "number of ovmf_sections", expected->n_sections, found->n_sections);
	for (guint i = 0; i < MIN(found->n_sections, expected->n_sections); i++) {
		g_autofree gchar *name = g_strdup_printf("ovmf_sections[%u]", i);
		g_autofree gchar *expected_text = describe_section(&expected->sections[i]);
		g_autofree gchar *found_text = describe_section(&found->sections[i]);

		dstack_check_report_add_comparison(report, "snp", name, expected_text, found_text, 0, NULL);
	}
}

/**
 * dstack_check_snp_material:
 * @report: where to add
 * @found: the image's material
 * @expected: what its files give
 *
 * Compares every field.
 */
void
dstack_check_snp_material(DstackCheckReport *report, const DstackSnpMaterial *found, const DstackSnpMaterial *expected)
{
	dstack_check_report_add_comparison(report, "snp", "cmdline", expected->cmdline, found->cmdline, 0,
					   "metadata.json has another command line than the material was made for");
	compare_sha384(report, "snp", "ovmf_hash", &expected->ovmf_hash, &found->ovmf_hash, NULL);
	compare_sha256(report, "snp", "kernel_hash", &expected->kernel_hash, &found->kernel_hash);
	compare_sha256(report, "snp", "initrd_hash", &expected->initrd_hash, &found->initrd_hash);
	compare_number(report, "snp", "hashes_table_gpa", expected->hashes_table_gpa, found->hashes_table_gpa);
	compare_number(report, "snp", "reset_eip", expected->reset_eip, found->reset_eip);
	compare_sections(report, found, expected);
}
