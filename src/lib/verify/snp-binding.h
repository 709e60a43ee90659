/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a report that is genuine to the image and the application behind it.
 */
#pragma once

#include "base/digest.h"
#include "verify/verdict.h"

G_BEGIN_DECLS

#define DSTACK_SNP_STEP_VM_CONFIG     "vm-config"
#define DSTACK_SNP_STEP_OS_IMAGE_HASH "os-image-hash"
#define DSTACK_SNP_STEP_MATERIAL      "material"
#define DSTACK_SNP_STEP_MEASUREMENT   "measurement"
#define DSTACK_SNP_STEP_HOST_DATA     "host-data"

/* all of them in the order they are taken, for a list of steps */
#define DSTACK_SNP_BINDING_STEPS                                                                                       \
	DSTACK_SNP_STEP_VM_CONFIG, DSTACK_SNP_STEP_OS_IMAGE_HASH, DSTACK_SNP_STEP_MATERIAL,                            \
	    DSTACK_SNP_STEP_MEASUREMENT, DSTACK_SNP_STEP_HOST_DATA

/* what is bound, and to what; borrowed */
typedef struct {
	DstackSha384 measurement; /* of a report whose signature is good, as is all below it */
	DstackSha256 host_data;
	DstackSha256 device_id;
	const gchar *config;	      /* (nullable): vm_config of the evidence */
	const gchar *external_config; /* (nullable): vm_config beside it; read for nothing but mr_config */
	const gchar *mr_config;	      /* (nullable): MrConfigV3 document of the evidence */
} DstackSnpBinding;

/* takes the steps and fills in image hash and identity; stops at the first step that fails */
gboolean dstack_snp_binding_verify(const DstackSnpBinding *self, DstackVerdict *verdict);

G_END_DECLS
