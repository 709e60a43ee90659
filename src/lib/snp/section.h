/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stretches of guest memory that OVMF's metadata asks the launcher to measure: which make sense.
 */
#pragma once

#include "image/material.h"

G_BEGIN_DECLS

#define DSTACK_SNP_PAGE_SIZE 4096

typedef enum {
	DSTACK_SNP_SECTION_SEC_MEMORY = 0x01,
	DSTACK_SNP_SECTION_SECRETS = 0x02,
	DSTACK_SNP_SECTION_CPUID = 0x03,
	DSTACK_SNP_SECTION_SVSM_CAA = 0x04,
	DSTACK_SNP_SECTION_KERNEL_HASHES = 0x10,
} DstackSnpSectionType; /* what the type of a DstackSnpSection may be */

/* known types, page-aligned, non-empty, inside the address space, and few enough pages to hash */
gboolean dstack_snp_sections_validate(const DstackSnpSection *sections, gsize n_sections,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
