/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AWS material from PCR values. Form: formats.md, section 2.
 */

#include "config.h"

#include "measure/material-aws.h"

/**
 * dstack_aws_measure:
 * @pcr4: boot manager code
 * @pcr7: secure boot state
 * @pcr12: kernel configuration
 *
 * Returns: the material
 */
DstackAwsMaterial
dstack_aws_measure(const DstackSha384 *pcr4, const DstackSha384 *pcr7, const DstackSha384 *pcr12)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	DstackAwsMaterial material;

	dstack_hasher_update(hasher, pcr4->bytes, sizeof(pcr4->bytes));
	dstack_hasher_update(hasher, pcr7->bytes, sizeof(pcr7->bytes));
	dstack_hasher_update(hasher, pcr12->bytes, sizeof(pcr12->bytes));
	material.boot_pcr_digest = dstack_hasher_finish_sha256(hasher);
	return material;
}
