/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The launch digest, page by page (SEV-SNP firmware ABI, "PAGE_INFO"; snp-measurement.md, section 2).
 */

#include "config.h"

#include "snp/launch.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"
#include "snp/vmsa.h"

#define PAGE_INFO_SIZE	  112
#define PAGE_INFO_CONTENT 48
#define PAGE_INFO_LENGTH  96
#define PAGE_INFO_TYPE	  98
#define PAGE_INFO_GPA	  104

#define FOUR_GIB G_GUINT64_CONSTANT(0x100000000)
#define VMSA_GPA G_GUINT64_CONSTANT(0xfffffffff000)

/**
 * dstack_snp_digest_add:
 * @self: (inout): the digest so far; 48 zero bytes before the first page
 * @type: type of the page
 * @gpa: where the page lies in guest memory
 * @contents: (nullable): SHA-384 of the page; %NULL for zero, secrets and CPUID pages
 */
void
dstack_snp_digest_add(DstackSha384 *self, DstackSnpPageType type, guint64 gpa, const DstackSha384 *contents)
{
	guint8 info[PAGE_INFO_SIZE] = {0};

	memcpy(info, self->bytes, sizeof(self->bytes));
	if (contents != NULL)
		memcpy(info + PAGE_INFO_CONTENT, contents->bytes, sizeof(contents->bytes));
	dstack_store_u16le(info + PAGE_INFO_LENGTH, PAGE_INFO_SIZE);
	info[PAGE_INFO_TYPE] = (guint8)type;
	dstack_store_u64le(info + PAGE_INFO_GPA, gpa);
	*self = dstack_sha384(info, sizeof(info));
}

/**
 * dstack_snp_ovmf_hash_compute:
 * @firmware: (array length=size): a whole firmware image
 * @size: number of bytes
 * @out: (out): the digest after the firmware's pages
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the firmware is no whole number of pages
 *
 * Returns: %TRUE when the firmware can be measured
 */
gboolean
dstack_snp_ovmf_hash_compute(const guint8 *firmware, gsize size, DstackSha384 *out, GError **error)
{
	DstackSha384 digest = {{0}};
	DstackReader file = {0};
	guint64 gpa = FOUR_GIB - size;

	if (size == 0 || size > DSTACK_LIMIT_FIRMWARE || size % DSTACK_SNP_PAGE_SIZE != 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "firmware: %" G_GSIZE_FORMAT
				    " bytes, expected a multiple of 4096 up to %" G_GSIZE_FORMAT,
				    size, DSTACK_LIMIT_FIRMWARE);
	}
	dstack_reader_init(&file, firmware, size, "firmware");
	while (dstack_reader_left(&file) > 0) {
		const guint8 *page = NULL;
		DstackSha384 contents;

		if (!dstack_reader_take(&file, DSTACK_SNP_PAGE_SIZE, "page", &page, error))
			return FALSE;
		contents = dstack_sha384(page, DSTACK_SNP_PAGE_SIZE);
		dstack_snp_digest_add(&digest, DSTACK_SNP_PAGE_NORMAL, gpa, &contents);
		gpa += DSTACK_SNP_PAGE_SIZE;
	}
	*out = digest;
	return TRUE;
}

static void
digest_add_zero_pages(DstackSha384 *self, const DstackSnpSection *section)
{
	for (guint64 done = 0; done < section->size; done += DSTACK_SNP_PAGE_SIZE)
		dstack_snp_digest_add(self, DSTACK_SNP_PAGE_ZERO, section->gpa + done, NULL);
}

static void
digest_add_section(DstackSha384 *self, const DstackSnpSection *section, const DstackSha384 *hashes)
{
	switch ((DstackSnpSectionType)section->type) {
	case DSTACK_SNP_SECTION_SEC_MEMORY:
	case DSTACK_SNP_SECTION_SVSM_CAA:
		digest_add_zero_pages(self, section);
		return;
	case DSTACK_SNP_SECTION_SECRETS:
		dstack_snp_digest_add(self, DSTACK_SNP_PAGE_SECRETS, section->gpa, NULL);
		return;
	case DSTACK_SNP_SECTION_CPUID:
		dstack_snp_digest_add(self, DSTACK_SNP_PAGE_CPUID, section->gpa, NULL);
		return;
	case DSTACK_SNP_SECTION_KERNEL_HASHES:
		dstack_snp_digest_add(self, hashes == NULL ? DSTACK_SNP_PAGE_ZERO : DSTACK_SNP_PAGE_NORMAL,
				      section->gpa, hashes);
		return;
	}
}

/**
 * dstack_snp_digest_add_sections:
 * @self: (inout): the digest after the firmware's pages
 * @sections: (array length=n_sections): the sections in the firmware's order
 * @n_sections: how many
 * @hashes_page: (nullable): the kernel's hashes; %NULL where no kernel is handed over
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when a section is wrong, or a kernel would not be measured
 *
 * Returns: %TRUE when every section is measured
 */
gboolean
dstack_snp_digest_add_sections(DstackSha384 *self, const DstackSnpSection *sections, gsize n_sections,
			       const DstackSnpPage *hashes_page, GError **error)
{
	DstackSha384 hashes = {{0}};
	gboolean found = FALSE;

	if (!dstack_snp_sections_validate(sections, n_sections, error))
		return FALSE;
	for (gsize i = 0; i < n_sections; i++)
		found = found || sections[i].type == DSTACK_SNP_SECTION_KERNEL_HASHES;
	if (hashes_page != NULL && !found)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV sections: none of type 0x10, so the kernel's hashes would not be measured");
	if (hashes_page != NULL)
		hashes = dstack_sha384(hashes_page->bytes, sizeof(hashes_page->bytes));
	for (gsize i = 0; i < n_sections; i++)
		digest_add_section(self, &sections[i], hashes_page == NULL ? NULL : &hashes);
	return TRUE;
}

/**
 * dstack_snp_vcpus_validate:
 * @self: the vCPUs
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the field, its bounds and what it holds
 *
 * Returns: %TRUE when such a guest can be launched
 */
gboolean
dstack_snp_vcpus_validate(const DstackSnpVcpus *self, GError **error)
{
	if (self->count == 0 || self->count > DSTACK_SNP_MAX_VCPUS)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "vcpus: expected 1 to %d, found %u",
				    DSTACK_SNP_MAX_VCPUS, self->count);
	if (self->guest_features == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "guest_features: expected at least bit 0 (SNP), found 0");
	if (self->reset_eip == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "reset_eip: zero is no address a vCPU can start at");
	return TRUE;
}

static DstackSha384
vmsa_contents(const DstackSnpVcpus *vcpus, guint32 eip)
{
	DstackSnpPage page = dstack_snp_vmsa_build(eip, vcpus->signature, vcpus->guest_features);

	return dstack_sha384(page.bytes, sizeof(page.bytes));
}

/**
 * dstack_snp_digest_add_vcpus:
 * @self: (inout): the digest after the sections
 * @vcpus: the guest's vCPUs
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND as dstack_snp_vcpus_validate()
 *
 * Returns: %TRUE, with the launch digest in @self
 */
gboolean
dstack_snp_digest_add_vcpus(DstackSha384 *self, const DstackSnpVcpus *vcpus, GError **error)
{
	DstackSha384 first;
	DstackSha384 other;

	if (!dstack_snp_vcpus_validate(vcpus, error))
		return FALSE;
	first = vmsa_contents(vcpus, DSTACK_SNP_BSP_EIP);
	other = vmsa_contents(vcpus, vcpus->reset_eip);
	for (guint32 i = 0; i < vcpus->count; i++)
		dstack_snp_digest_add(self, DSTACK_SNP_PAGE_VMSA, VMSA_GPA, i == 0 ? &first : &other);
	return TRUE;
}

/**
 * dstack_snp_digest_find_vcpu_count:
 * @self: the digest after the sections
 * @vcpus: the guest's vCPUs, but for their number
 * @wanted: a launch digest
 *
 * A launch with more vCPUs goes on where one with fewer ends, so one walk tries every number.
 *
 * Returns: the number that gives @wanted, or 0
 */
guint32
dstack_snp_digest_find_vcpu_count(const DstackSha384 *self, const DstackSnpVcpus *vcpus, const DstackSha384 *wanted)
{
	DstackSha384 first = vmsa_contents(vcpus, DSTACK_SNP_BSP_EIP);
	DstackSha384 other = vmsa_contents(vcpus, vcpus->reset_eip);
	DstackSha384 digest = *self;

	for (guint32 i = 1; i <= DSTACK_SNP_MAX_VCPUS; i++) {
		dstack_snp_digest_add(&digest, DSTACK_SNP_PAGE_VMSA, VMSA_GPA, i == 1 ? &first : &other);
		if (dstack_sha384_equal(&digest, wanted))
			return i;
	}
	return 0;
}
