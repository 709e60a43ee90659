/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The launch digest of SEV-SNP: what the firmware of the security processor computes while a guest
 * is put together, and a report later shows as MEASUREMENT.
 */
#pragma once

#include "snp/hashes-page.h"
#include "snp/section.h"
#include "snp/vcpu-type.h"

G_BEGIN_DECLS

#define DSTACK_SNP_MAX_VCPUS 512

typedef enum {
	DSTACK_SNP_PAGE_NORMAL = 1,
	DSTACK_SNP_PAGE_VMSA = 2,
	DSTACK_SNP_PAGE_ZERO = 3,
	DSTACK_SNP_PAGE_SECRETS = 5,
	DSTACK_SNP_PAGE_CPUID = 6,
} DstackSnpPageType;

/* adds one page; contents is its SHA-384, NULL for the types that have none */
void dstack_snp_digest_add(DstackSha384 *self, DstackSnpPageType type, guint64 gpa, const DstackSha384 *contents);

/* the digest after the firmware's pages, which end at 4 GiB: ovmf_hash of the material */
gboolean dstack_snp_ovmf_hash_compute(const guint8 *firmware, gsize size, DstackSha384 *out,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* adds the metadata's pages; without a hashes page the kernel's section is a zero page */
gboolean dstack_snp_digest_add_sections(DstackSha384 *self, const DstackSnpSection *sections, gsize n_sections,
					const DstackSnpPage *hashes_page, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the vCPUs of a launch: only the digest binds them */
typedef struct {
	guint32 count;		/* 1 to DSTACK_SNP_MAX_VCPUS */
	guint32 signature;	/* of the model: dstack_snp_vcpu_type_get_signature() */
	guint32 reset_eip;	/* where all but the first start */
	guint64 guest_features; /* SEV_FEATURES, not zero */
} DstackSnpVcpus;

gboolean dstack_snp_vcpus_validate(const DstackSnpVcpus *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_snp_digest_add_vcpus(DstackSha384 *self, const DstackSnpVcpus *vcpus,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* how many vCPUs lead from self to the digest, 0 when no number up to the maximum does; count is not looked at */
guint32 dstack_snp_digest_find_vcpu_count(const DstackSha384 *self, const DstackSnpVcpus *vcpus,
					  const DstackSha384 *wanted);

G_END_DECLS
