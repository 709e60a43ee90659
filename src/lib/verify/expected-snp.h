/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The MEASUREMENT that a launch of an image will show, from the image's material alone.
 */
#pragma once

#include "image/material.h"

G_BEGIN_DECLS

/* what of a launch is bound by the digest only, and by nothing that the image commits to */
typedef struct {
	guint32 vcpus;
	const gchar *vcpu_type; /* QEMU's model, in any case */
	guint64 guest_features; /* SEV_FEATURES */
} DstackSnpGuest;

/* material that a launch can be verified with: command line, sections, addresses */
gboolean dstack_snp_material_validate(const DstackSnpMaterial *material, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_expected_snp_compute(const DstackSnpMaterial *material, const DstackSnpGuest *guest, DstackSha384 *out,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/*
 * (nullable): a sentence that says which other guest would give this digest: another number of vCPUs, another type,
 * other features, another command line. NULL when none of the neighbours does.
 */
gchar *dstack_expected_snp_explain(const DstackSnpMaterial *material, const DstackSnpGuest *guest,
				   const DstackSha384 *found);

G_END_DECLS
