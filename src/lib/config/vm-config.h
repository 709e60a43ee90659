/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * vm_config: what a guest is told about its own launch, and what a verifier recomputes registers from.
 * formats.md, section 3.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"
#include "config/tristate.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_TDX_VARIANT_LEGACY, /* the wire's default */
	DSTACK_TDX_VARIANT_LITE,
} DstackTdxVariant;

const gchar *dstack_tdx_variant_to_string(DstackTdxVariant variant);

/* which events a firmware measures, see tdx-measurement.md, section 6 */
typedef enum {
	DSTACK_OVMF_VARIANT_UNSET,
	DSTACK_OVMF_VARIANT_PRE202505,
} DstackOvmfVariant;

/* split material as vm_config carries it: both files' exact bytes */
typedef struct {
	GBytes *checksum_file;
	GBytes *measurement;
} DstackMeasurement;

DstackMeasurement *dstack_measurement_new(GBytes *checksum_file, GBytes *measurement);
void dstack_measurement_free(DstackMeasurement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackMeasurement, dstack_measurement_free)

/* sev_snp_measurement: the JSON text inside vm_config's string */
typedef struct {
	GBytes *checksum_file;
	GBytes *measurement;
	guint32 vcpus;
	gchar *vcpu_type; /* (nullable): absent or null on the wire, which a verifier must refuse */
	guint64 guest_features;
} DstackSnpDocument;

DstackSnpDocument *dstack_snp_document_parse(const gchar *text, GError **error);
gchar *dstack_snp_document_build(const DstackSnpDocument *self);
void dstack_snp_document_free(DstackSnpDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackSnpDocument, dstack_snp_document_free)

typedef struct {
	gboolean has_os_image_hash;
	DstackSha256 os_image_hash;
	guint32 cpu_count;
	guint64 memory_size; /* bytes */
	DstackTristate qemu_single_pass_add_pages;
	DstackTristate pic;
	gchar *qemu_version; /* (nullable) */
	guint64 pci_hole64_size;
	gboolean hugepages;
	guint32 num_gpus;
	guint32 num_nvswitches;
	guint32 num_nics; /* 1 unless said otherwise: dstack_vm_config_new() */
	guint32 num_verity_volumes;
	gboolean swtpm;
	gboolean hotplug_off;
	gchar *image;		/* (nullable) */
	gchar *host_share_mode; /* never NULL, may be empty */
	DstackOvmfVariant ovmf_variant;
	DstackTdxVariant tdx_attestation_variant;
	DstackMeasurement *tdx_measurement; /* (nullable) */
	DstackMeasurement *gcp_measurement; /* (nullable) */
	DstackMeasurement *aws_measurement; /* (nullable) */
	guint32 spec_version;
	gchar *mr_config;	    /* (nullable): an MrConfigV3 document, exact bytes */
	gchar *sev_snp_measurement; /* (nullable): see dstack_snp_document_parse(), exact bytes */
} DstackVmConfig;

DstackVmConfig *dstack_vm_config_new(void);
void dstack_vm_config_free(DstackVmConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackVmConfig, dstack_vm_config_free)

/* the three members of SEV-SNP are also found one level deeper, in a string under "vm_config" */
DstackVmConfig *dstack_vm_config_parse(const gchar *text, gsize size, GError **error);
JsonNode *dstack_vm_config_build(const DstackVmConfig *self);
/* dstack_vm_config_build() as compact text: what stands in .sys-config.json */
gchar *dstack_vm_config_to_text(const DstackVmConfig *self);

G_END_DECLS
