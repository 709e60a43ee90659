/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * expect, for SEV-SNP: the launch digest.
 */

#include "config.h"

#include "cli/expect.h"
#include "measure/material-snp.h"
#include "verify/expected-snp.h"

#define DEFAULT_VCPU_TYPE      "EPYC-v4"
#define DEFAULT_GUEST_FEATURES 1

static DstackRecord *
render(const DstackImage *image, const DstackSnpGuest *guest, const DstackSnpMaterial *material,
       const DstackSha384 *measurement)
{
	DstackRecord *record = dstack_record_new();

	dstack_record_add_text(record, "image", "Image", image->name);
	dstack_record_add_text(record, "tee", "TEE", "snp");
	dstack_record_add_uint(record, "vcpus", "vCPUs", guest->vcpus);
	dstack_record_add_text(record, "vcpu_type", "vCPU type", guest->vcpu_type);
	dstack_record_add_address(record, "guest_features", "Guest features", guest->guest_features);
	dstack_record_add_hex(record, "measurement", "MEASUREMENT", measurement->bytes, sizeof(measurement->bytes));
	dstack_record_add_hex(record, "ovmf_hash", "Firmware", material->ovmf_hash.bytes,
			      sizeof(material->ovmf_hash.bytes));
	dstack_record_add_hex(record, "kernel_hash", "Kernel", material->kernel_hash.bytes,
			      sizeof(material->kernel_hash.bytes));
	dstack_record_add_hex(record, "initrd_hash", "Initrd", material->initrd_hash.bytes,
			      sizeof(material->initrd_hash.bytes));
	return record;
}

/**
 * dstack_expect_snp:
 * @cli: the run
 * @image: an open image
 * @request: what is launched
 * @error: (out) (optional): why nothing can be expected
 *
 * Returns: (transfer full): the answer
 */
DstackRecord *
dstack_expect_snp(DstackCli *cli, const DstackImage *image, const DstackExpectRequest *request, GError **error)
{
	const DstackLaunchRequest *launch = request->launch;
	const DstackSnpGuest guest = {
	    .vcpus = launch->cpu_count,
	    .vcpu_type = launch->vcpu_type != NULL ? launch->vcpu_type : DEFAULT_VCPU_TYPE,
	    .guest_features = launch->guest_features != 0 ? launch->guest_features : DEFAULT_GUEST_FEATURES,
	};
	g_autoptr(DstackSnpMaterial) material = dstack_measure_snp_material(image, cli->cancellable, error);
	DstackSha384 measurement;

	if (material == NULL || !dstack_expected_snp_compute(material, &guest, &measurement, error))
		return NULL;
	return render(image, &guest, material, &measurement);
}
