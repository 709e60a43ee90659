/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged SEV-SNP evidence with everything that a verdict is made of.
 */

#include "config.h"

#include <string.h>

#include "config/mr-config.h"
#include "config/vm-config.h"
#include "image/material.h"
#include "support/snp-forge.h"
#include "verify/expected-snp.h"

#define ROOTFS "dstack.rootfs_hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MR_CONFIG                                                                                                      \
	"{\"compose_hash\":\"2222222222222222222222222222222222222222222222222222222222222222\","                      \
	"\"key_provider\":\"none\",\"version\":3}"

static DstackSnpMaterial *
build_material(void)
{
	DstackSnpMaterial *material = dstack_snp_material_new();

	g_free(material->cmdline);
	material->cmdline = g_strdup("console=ttyS0 " ROOTFS);
	material->hashes_table_gpa = 0x810c00;
	material->reset_eip = 0x80b004;
	material->n_sections = 3;
	material->sections[0] = (DstackSnpSection){0x800000, 0x9000, 1};
	material->sections[1] = (DstackSnpSection){0x80d000, 0x1000, 2};
	material->sections[2] = (DstackSnpSection){0x810000, 0x1000, 0x10};
	return material;
}

static GBytes *
build_checksum_file(GBytes *measurement)
{
	DstackSha256 hash = dstack_sha256_bytes(measurement);
	g_autofree gchar *hex = dstack_sha256_to_hex(&hash);
	gchar *text = g_strconcat(hex, "  measurement.snp.cbor\n", NULL);

	return g_bytes_new_take(text, strlen(text));
}

static gchar *
build_config(const DstackSnpMaterial *material, const DstackSnpGuest *guest)
{
	g_autoptr(DstackVmConfig) config = dstack_vm_config_new();
	g_autoptr(DstackSnpDocument) document = g_new0(DstackSnpDocument, 1);

	document->vcpus = guest->vcpus;
	document->vcpu_type = g_strdup(guest->vcpu_type);
	document->guest_features = guest->guest_features;
	document->measurement = dstack_snp_material_build(material);
	document->checksum_file = build_checksum_file(document->measurement);
	config->has_os_image_hash = TRUE;
	config->os_image_hash = dstack_sha256_bytes(document->checksum_file);
	config->sev_snp_measurement = dstack_snp_document_build(document);
	return dstack_vm_config_to_text(config);
}

DstackSnpForged
dstack_snp_forge_make_whole(DstackSnpForgePlan *plan)
{
	const DstackSnpGuest guest = {3, "EPYC-Genoa", 0x21};
	g_autoptr(DstackSnpMaterial) material = build_material();
	DstackSha256 host_data = dstack_mr_config_hash(MR_CONFIG, strlen(MR_CONFIG));
	DstackSha384 measurement;
	DstackSnpForged forged = {NULL, NULL};

	g_assert_true(dstack_expected_snp_compute(material, &guest, &measurement, NULL));
	memcpy(plan->report.host_data, host_data.bytes, sizeof(host_data.bytes));
	memcpy(plan->report.measurement, measurement.bytes, sizeof(measurement.bytes));
	forged = dstack_snp_forge_make(plan);
	forged.attestation->config = build_config(material, &guest);
	forged.attestation->mr_config = g_strdup(MR_CONFIG);
	return forged;
}
