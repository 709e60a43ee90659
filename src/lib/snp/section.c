/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Bounds of the measured sections, whether they come from firmware or from measurement material.
 * Rules: snp-measurement.md, sections 1 and 2.
 */

#include "config.h"

#include "snp/section.h"

#include "base/error.h"

#define MAX_MEASURED_PAGES 16777216 /* 64 GiB of sections: nobody launches that, and hashing must end */

static gboolean
section_count_pages(const DstackSnpSection *self, gsize index, guint64 *out_pages, GError **error)
{
	switch (self->type) {
	case DSTACK_SNP_SECTION_SEC_MEMORY:
	case DSTACK_SNP_SECTION_SVSM_CAA:
		*out_pages = self->size / DSTACK_SNP_PAGE_SIZE;
		return TRUE;
	case DSTACK_SNP_SECTION_SECRETS:
	case DSTACK_SNP_SECTION_CPUID:
	case DSTACK_SNP_SECTION_KERNEL_HASHES:
		*out_pages = 1;
		return TRUE;
	default: /* a wire value, not an enum: anything may stand here */
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV section %" G_GSIZE_FORMAT ": unknown type 0x%x, expected 1, 2, 3, 4 or 0x10",
				    index, self->type);
	}
}

static gboolean
section_validate(const DstackSnpSection *self, gsize index, GError **error)
{
	if (self->size == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "SEV section %" G_GSIZE_FORMAT ": size is zero",
				    index);
	if (self->gpa % DSTACK_SNP_PAGE_SIZE != 0 || self->size % DSTACK_SNP_PAGE_SIZE != 0) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV section %" G_GSIZE_FORMAT ": 0x%" G_GINT64_MODIFIER
				    "x bytes at 0x%" G_GINT64_MODIFIER "x are no whole pages",
				    index, self->size, self->gpa);
	}
	if (self->size > G_MAXUINT64 - self->gpa) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV section %" G_GSIZE_FORMAT ": 0x%" G_GINT64_MODIFIER
				    "x bytes at 0x%" G_GINT64_MODIFIER "x leave the address space",
				    index, self->size, self->gpa);
	}
	return TRUE;
}

/**
 * dstack_snp_sections_validate:
 * @sections: (array length=n_sections): the sections in the order of measuring
 * @n_sections: how many
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the section and its fault
 *
 * To be asked before anything is hashed: the number of pages bounds the work.
 *
 * Returns: %TRUE when every section can be measured
 */
gboolean
dstack_snp_sections_validate(const DstackSnpSection *sections, gsize n_sections, GError **error)
{
	guint64 total = 0;

	if (n_sections > DSTACK_SNP_MAX_SECTIONS) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "%" G_GSIZE_FORMAT " SEV sections, at most %d accepted", n_sections,
				    DSTACK_SNP_MAX_SECTIONS);
	}
	for (gsize i = 0; i < n_sections; i++) {
		guint64 pages = 0;

		if (!section_count_pages(&sections[i], i, &pages, error) || !section_validate(&sections[i], i, error))
			return FALSE;
		/* each count is below 2^52 and there are at most 64: the sum cannot wrap */
		total += pages;
	}
	if (total > MAX_MEASURED_PAGES) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV sections of %" G_GUINT64_FORMAT " pages, at most %d are measured", total,
				    MAX_MEASURED_PAGES);
	}
	return TRUE;
}
