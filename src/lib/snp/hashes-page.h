/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The page in which QEMU hands OVMF the hashes of kernel, initrd and command line.
 */
#pragma once

#include "base/digest.h"
#include "snp/section.h"

G_BEGIN_DECLS

typedef struct {
	guint8 bytes[DSTACK_SNP_PAGE_SIZE];
} DstackSnpPage;

typedef struct {
	DstackSha256 kernel;
	DstackSha256 initrd;  /* of nothing, where there is none */
	DstackSha256 cmdline; /* of the text with its trailing NUL */
} DstackSnpKernelHashes;

/* the command line as the firmware is given it */
DstackSha256 dstack_snp_cmdline_hash(const gchar *cmdline);
gboolean dstack_snp_hashes_page_build(const DstackSnpKernelHashes *hashes, guint64 table_gpa, DstackSnpPage *out_page,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
