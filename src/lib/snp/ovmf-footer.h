/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What OVMF says about an SEV-SNP launch: where it wants the kernel's hashes, where further vCPUs
 * start, and which pages of guest memory are measured besides its own.
 */
#pragma once

#include "snp/section.h"

G_BEGIN_DECLS

/* a value type: nothing to free */
typedef struct {
	guint32 hashes_table_gpa; /* 0: the firmware measures no kernel */
	guint32 reset_eip;	  /* not zero */
	gsize n_sections;	  /* 1 to DSTACK_SNP_MAX_SECTIONS */
	DstackSnpSection
	    sections[DSTACK_SNP_MAX_SECTIONS]; /* in the firmware's order, which is the order of measuring */
} DstackOvmfFooter;

gboolean dstack_ovmf_footer_parse(DstackOvmfFooter *self, const guint8 *firmware, gsize size,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the kernel's hashes have a place, and it is measured: what a direct boot needs */
gboolean dstack_ovmf_footer_ensure_kernel_hashes(const DstackOvmfFooter *self,
						 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
