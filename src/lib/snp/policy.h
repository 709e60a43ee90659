/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a guest's policy and its platform must look like for its report to be worth anything.
 */
#pragma once

#include "snp/report.h"

G_BEGIN_DECLS

#define DSTACK_SNP_POLICY_SMT		    (G_GUINT64_CONSTANT(1) << 16)
#define DSTACK_SNP_POLICY_MUST_BE_ONE	    (G_GUINT64_CONSTANT(1) << 17)
#define DSTACK_SNP_POLICY_MIGRATE_MA	    (G_GUINT64_CONSTANT(1) << 18)
#define DSTACK_SNP_POLICY_DEBUG		    (G_GUINT64_CONSTANT(1) << 19)
#define DSTACK_SNP_POLICY_SINGLE_SOCKET	    (G_GUINT64_CONSTANT(1) << 20)
#define DSTACK_SNP_POLICY_CXL		    (G_GUINT64_CONSTANT(1) << 21)
#define DSTACK_SNP_POLICY_AES_256_XTS	    (G_GUINT64_CONSTANT(1) << 22)
#define DSTACK_SNP_POLICY_RAPL_DIS	    (G_GUINT64_CONSTANT(1) << 23)
#define DSTACK_SNP_POLICY_CIPHERTEXT_HIDING (G_GUINT64_CONSTANT(1) << 24)
#define DSTACK_SNP_POLICY_PAGE_SWAP_DISABLE (G_GUINT64_CONSTANT(1) << 25)

#define DSTACK_SNP_PLATFORM_SMT		      (G_GUINT64_CONSTANT(1) << 0)
#define DSTACK_SNP_PLATFORM_TSME	      (G_GUINT64_CONSTANT(1) << 1)
#define DSTACK_SNP_PLATFORM_ECC		      (G_GUINT64_CONSTANT(1) << 2)
#define DSTACK_SNP_PLATFORM_RAPL_DIS	      (G_GUINT64_CONSTANT(1) << 3)
#define DSTACK_SNP_PLATFORM_CIPHERTEXT_HIDING (G_GUINT64_CONSTANT(1) << 4)
#define DSTACK_SNP_PLATFORM_ALIAS_CHECK	      (G_GUINT64_CONSTANT(1) << 5)
#define DSTACK_SNP_PLATFORM_TIO		      (G_GUINT64_CONSTANT(1) << 7)

/* what a caller puts up with; zero is the strictest */
typedef struct {
	gboolean allow_debug;
	gboolean allow_migratable;
	guint32 max_vmpl;
} DstackSnpWaivers;

gboolean dstack_snp_policy_ensure(const DstackSnpReport *report, const DstackSnpWaivers *waivers,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "SMT allowed, debug": names of the bits that are set; unknown ones by number */
gchar *dstack_snp_policy_to_string(guint64 policy);
gchar *dstack_snp_platform_info_to_string(guint64 platform_info);

G_END_DECLS
