/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An SEV-SNP attestation report, versions 2 to 5: parsed, not trusted.
 */
#pragma once

#include "base/digest.h"
#include "snp/tcb.h"

G_BEGIN_DECLS

#define DSTACK_SNP_REPORT_SIZE	      1184
#define DSTACK_SNP_REPORT_SIGNED_SIZE 0x2a0

/* in the order of the report; numbers are little-endian */
#define DSTACK_SNP_REPORT_FIELDS(F)                                                                                    \
	F(version, 4)                                                                                                  \
	F(guest_svn, 4)                                                                                                \
	F(policy, 8)                                                                                                   \
	F(family_id, 16)                                                                                               \
	F(image_id, 16)                                                                                                \
	F(vmpl, 4)                                                                                                     \
	F(signature_algo, 4)                                                                                           \
	F(current_tcb, 8)                                                                                              \
	F(platform_info, 8)                                                                                            \
	F(key_info, 4)                                                                                                 \
	F(reserved_04c, 4)                                                                                             \
	F(report_data, 64)                                                                                             \
	F(measurement, 48)                                                                                             \
	F(host_data, 32)                                                                                               \
	F(id_key_digest, 48)                                                                                           \
	F(author_key_digest, 48)                                                                                       \
	F(report_id, 32)                                                                                               \
	F(report_id_ma, 32)                                                                                            \
	F(reported_tcb, 8)                                                                                             \
	F(cpuid, 3) /* family, model, stepping; reserved in version 2 */                                               \
	F(reserved_18b, 21)                                                                                            \
	F(chip_id, 64)                                                                                                 \
	F(committed_tcb, 8)                                                                                            \
	F(current_version, 3) /* build, minor, major */                                                                \
	F(reserved_1eb, 1)                                                                                             \
	F(committed_version, 3)                                                                                        \
	F(reserved_1ef, 1)                                                                                             \
	F(launch_tcb, 8)                                                                                               \
	F(launch_mit_vector, 8) /* reserved before version 5, as is the next */                                        \
	F(current_mit_vector, 8)                                                                                       \
	F(reserved_208, 152)                                                                                           \
	F(signature_r, 72)                                                                                             \
	F(signature_s, 72)                                                                                             \
	F(signature_reserved, 368)

/* the bytes as received: what is signed is its first DSTACK_SNP_REPORT_SIGNED_SIZE bytes */
typedef struct {
#define F(name, size) guint8 name[size];
	DSTACK_SNP_REPORT_FIELDS(F)
#undef F
} DstackSnpReportBytes;

G_STATIC_ASSERT(sizeof(DstackSnpReportBytes) == DSTACK_SNP_REPORT_SIZE);
G_STATIC_ASSERT(G_STRUCT_OFFSET(DstackSnpReportBytes, signature_r) == DSTACK_SNP_REPORT_SIGNED_SIZE);

/* KEY_INFO bits 4:2 */
typedef enum {
	DSTACK_SNP_SIGNED_BY_VCEK = 0,
	DSTACK_SNP_SIGNED_BY_VLEK = 1,
	DSTACK_SNP_SIGNED_BY_NONE = 7,
} DstackSnpSigningKey;

#define DSTACK_SNP_KEY_INFO_MASK_CHIP_KEY (1U << 1)

/* a value type: copied by assignment, nothing to free */
typedef struct {
	DstackSnpReportBytes bytes;
	guint32 version; /* 2 to 5 */
	guint32 vmpl;
	guint32 key_info;
	guint64 policy;
	guint64 platform_info;
	DstackSnpTcb current_tcb;
	DstackSnpTcb reported_tcb;
	DstackSnpTcb committed_tcb;
	DstackSnpTcb launch_tcb;
} DstackSnpReport;

gboolean dstack_snp_report_parse(DstackSnpReport *self, const guint8 *data, gsize size,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* what the report's version leaves unused is zero; unsigned bytes behind the signature included */
gboolean dstack_snp_report_ensure_reserved_zero(const DstackSnpReport *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* version 2 does not say which processor it comes from */
gboolean dstack_snp_report_has_cpuid(const DstackSnpReport *self);
/* FALSE also where the processor is unknown */
gboolean dstack_snp_report_get_product(const DstackSnpReport *self, DstackSnpProduct *out);
guint dstack_snp_report_get_signing_key(const DstackSnpReport *self);
DstackSha384 dstack_snp_report_get_measurement(const DstackSnpReport *self);
DstackSha256 dstack_snp_report_get_host_data(const DstackSnpReport *self);
/* "UpToDate" exactly when all four TCB versions agree, else "OutOfDate" */
const gchar *dstack_snp_report_get_tcb_status(const DstackSnpReport *self);

/* every field as text, in order; fields that the version does not have are left out */
typedef void (*DstackSnpFieldFunc)(const gchar *name, const gchar *value, gpointer user_data);

void dstack_snp_report_foreach_field(const DstackSnpReport *self, DstackSnpFieldFunc func, gpointer user_data);

G_END_DECLS
