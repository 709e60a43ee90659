/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Expected launch digest of SEV-SNP, and what to make of one that differs (snp-measurement.md, sections 2 and 3).
 */

#include "config.h"

#include "verify/expected-snp.h"

#include <string.h>

#include "base/error.h"
#include "snp/launch.h"

#define ROOTFS_PARAMETER "dstack.rootfs_hash="
#define ROOTFS_DIGITS	 64

/* more pages than any firmware asks for are not hashed again for each neighbour */
#define MAX_PAGES_TO_RETRY 65536

static gboolean
is_rootfs_parameter(const gchar *word)
{
	const gchar *hex = word + strlen(ROOTFS_PARAMETER);

	if (!g_str_has_prefix(word, ROOTFS_PARAMETER) || strlen(hex) != ROOTFS_DIGITS)
		return FALSE;
	for (gsize i = 0; i < ROOTFS_DIGITS; i++) {
		if (!g_ascii_isxdigit(hex[i]))
			return FALSE;
	}
	return TRUE;
}

static gboolean
cmdline_ensure_rootfs(const gchar *cmdline, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(cmdline, " \t\n", -1);

	for (gsize i = 0; words[i] != NULL; i++) {
		if (is_rootfs_parameter(words[i]))
			return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "cmdline: expected " ROOTFS_PARAMETER
			    "<64 hex digits>, which is what commits the image's root file "
			    "system");
}

/**
 * dstack_snp_material_validate:
 * @material: decoded material
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the field
 *
 * Asked before anything is hashed, so that a hostile section costs nothing.
 *
 * Returns: %TRUE when a launch of this image can be verified
 */
gboolean
dstack_snp_material_validate(const DstackSnpMaterial *material, GError **error)
{
	gboolean hashes = FALSE;

	if (!cmdline_ensure_rootfs(material->cmdline, error) ||
	    !dstack_snp_sections_validate(material->sections, material->n_sections, error))
		return FALSE;
	for (guint i = 0; i < material->n_sections; i++)
		hashes = hashes || material->sections[i].type == DSTACK_SNP_SECTION_KERNEL_HASHES;
	if (!hashes)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "ovmf_sections: none of type 0x10 (kernel hashes)");
	if (material->reset_eip == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "reset_eip: zero is no address a vCPU can start at");
	if (material->hashes_table_gpa == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "hashes_table_gpa: zero: the firmware measures no kernel");
	return TRUE;
}

/* the digest before the vCPUs */
static gboolean
compute_base(const DstackSnpMaterial *material, const gchar *cmdline, DstackSha384 *out, GError **error)
{
	DstackSnpKernelHashes hashes = {
	    .kernel = material->kernel_hash,
	    .initrd = material->initrd_hash,
	    .cmdline = dstack_snp_cmdline_hash(cmdline),
	};
	DstackSnpPage page;
	DstackSha384 digest = material->ovmf_hash;

	if (!dstack_snp_hashes_page_build(&hashes, material->hashes_table_gpa, &page, error) ||
	    !dstack_snp_digest_add_sections(&digest, material->sections, material->n_sections, &page, error))
		return FALSE;
	*out = digest;
	return TRUE;
}

static gchar *
trimmed_cmdline(const DstackSnpMaterial *material)
{
	return g_strstrip(g_strdup(material->cmdline));
}

/**
 * dstack_expected_snp_compute:
 * @material: decoded material
 * @guest: the vCPUs
 * @out: (out): the launch digest
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the field that cannot be
 *
 * Returns: %TRUE when such a guest can be launched from such an image
 */
gboolean
dstack_expected_snp_compute(const DstackSnpMaterial *material, const DstackSnpGuest *guest, DstackSha384 *out,
			    GError **error)
{
	g_autofree gchar *cmdline = trimmed_cmdline(material);
	const DstackSnpVcpuType *type = NULL;
	DstackSnpVcpus vcpus = {
	    .count = guest->vcpus,
	    .reset_eip = material->reset_eip,
	    .guest_features = guest->guest_features,
	};
	DstackSha384 digest;

	if (guest->vcpu_type == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "vcpu_type is required");
	type = dstack_snp_vcpu_type_find(guest->vcpu_type, error);
	if (type == NULL)
		return FALSE;
	vcpus.signature = dstack_snp_vcpu_type_get_signature(type);
	if (!dstack_snp_vcpus_validate(&vcpus, error) || !dstack_snp_material_validate(material, error) ||
	    !compute_base(material, cmdline, &digest, error) || !dstack_snp_digest_add_vcpus(&digest, &vcpus, error))
		return FALSE;
	*out = digest;
	return TRUE;
}

/* what differs between the guest that was claimed and the one that fits, in words */
static gchar *
describe_fit(const DstackSnpGuest *claimed, const DstackSnpVcpus *fit, const gchar *type, const gchar *cmdline)
{
	GString *text = g_string_new("it would fit a launch with");
	const gchar *separator = " ";
	const DstackSnpVcpuType *claimed_type = dstack_snp_vcpu_type_find(claimed->vcpu_type, NULL);

	if (fit->count != claimed->vcpus) {
		g_string_append_printf(text, "%s%u vCPUs instead of %u", separator, fit->count, claimed->vcpus);
		separator = ", ";
	}
	if (claimed_type == NULL || fit->signature != dstack_snp_vcpu_type_get_signature(claimed_type)) {
		g_string_append_printf(text, "%svCPU type %s instead of %s", separator, type, claimed->vcpu_type);
		separator = ", ";
	}
	if (fit->guest_features != claimed->guest_features) {
		g_string_append_printf(
		    text, "%sguest features 0x%" G_GINT64_MODIFIER "x instead of 0x%" G_GINT64_MODIFIER "x", separator,
		    fit->guest_features, claimed->guest_features);
		separator = ", ";
	}
	if (cmdline != NULL)
		g_string_append_printf(text, "%sthe command line '%s'", separator, cmdline);
	return g_string_free(text, FALSE);
}

/* every type, features as claimed and the usual two, every number of vCPUs; cmdline NULL: as in the material */
static gchar *
search_vcpus(const DstackSha384 *base, const DstackSnpMaterial *material, const DstackSnpGuest *guest,
	     const gchar *cmdline, const DstackSha384 *found)
{
	const guint64 features[] = {guest->guest_features, 0x1, 0x21};
	guint32 last_signature = 0;

	for (const DstackSnpVcpuType *type = dstack_snp_vcpu_types(); type->name != NULL; type++) {
		DstackSnpVcpus vcpus = {
		    .signature = dstack_snp_vcpu_type_get_signature(type),
		    .reset_eip = material->reset_eip,
		};

		if (vcpus.signature == last_signature) /* another name for the same */
			continue;
		last_signature = vcpus.signature;
		for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
			vcpus.guest_features = features[i];
			vcpus.count = dstack_snp_digest_find_vcpu_count(base, &vcpus, found);
			if (vcpus.count != 0)
				return describe_fit(guest, &vcpus, type->name, cmdline);
		}
	}
	return NULL;
}

/* command lines that launchers make of the image's own; (transfer full), NULL after the last */
static gchar *
cmdline_neighbour(const DstackSnpMaterial *material, guint index)
{
	g_autofree gchar *cmdline = trimmed_cmdline(material);

	switch (index) {
	case 0: /* as QEMU is told for TDX */
		return g_strconcat(cmdline, " initrd=initrd", NULL);
	case 1: /* joined with an empty rest */
		return g_strconcat(cmdline, " ", NULL);
	case 2: /* not trimmed */
		return g_strdup(material->cmdline);
	case 3: /* -append forgotten */
		return g_strdup("");
	default:
		return NULL;
	}
}

static guint64
count_pages(const DstackSnpMaterial *material)
{
	guint64 pages = 0;

	for (guint i = 0; i < material->n_sections; i++)
		pages += material->sections[i].size / DSTACK_SNP_PAGE_SIZE;
	return pages;
}

/**
 * dstack_expected_snp_explain:
 * @material: the material that a guest claims
 * @guest: the vCPUs that it claims
 * @found: the launch digest that it shows
 *
 * Returns: (transfer full) (nullable): which neighbour of the claim would show @found, as a sentence's end
 */
gchar *
dstack_expected_snp_explain(const DstackSnpMaterial *material, const DstackSnpGuest *guest, const DstackSha384 *found)
{
	g_autofree gchar *cmdline = trimmed_cmdline(material);
	g_autofree gchar *other = NULL;
	DstackSha384 base;
	gchar *fit = NULL;

	if (!dstack_snp_material_validate(material, NULL) || count_pages(material) > MAX_PAGES_TO_RETRY ||
	    !compute_base(material, cmdline, &base, NULL))
		return NULL;
	fit = search_vcpus(&base, material, guest, NULL, found);
	for (guint i = 0; fit == NULL && (other = cmdline_neighbour(material, i)) != NULL; i++) {
		if (!g_str_equal(other, cmdline) && compute_base(material, other, &base, NULL))
			fit = search_vcpus(&base, material, guest, other, found);
		g_clear_pointer(&other, g_free);
	}
	return fit;
}
