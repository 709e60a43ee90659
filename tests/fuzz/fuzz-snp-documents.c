/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * sev_snp_measurement and the material inside it; as vm_config text, through the binding of a report.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "config/vm-config.h"
#include "image/material.h"
#include "snp/section.h"
#include "verify/expected-snp.h"
#include "verify/snp-binding.h"

static gboolean
is_small(const DstackSnpMaterial *material)
{
	for (guint i = 0; i < material->n_sections; i++) {
		if (material->sections[i].size > 1024 * DSTACK_SNP_PAGE_SIZE)
			return FALSE;
	}
	return TRUE;
}

static void
compute(const gchar *text)
{
	g_autoptr(DstackSnpDocument) document = dstack_snp_document_parse(text, NULL);
	g_autoptr(DstackSnpMaterial) material = NULL;
	DstackSnpGuest guest = {0};
	DstackSha384 digest = {{0}};

	if (document == NULL)
		return;
	material = dstack_snp_material_parse(document->measurement, NULL);
	if (material == NULL || !is_small(material))
		return;
	guest = (DstackSnpGuest){document->vcpus, document->vcpu_type, document->guest_features};
	if (dstack_expected_snp_compute(material, &guest, &digest, NULL))
		g_assert_false(dstack_sha384_is_zero(&digest));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const gchar *const steps[] = {DSTACK_SNP_BINDING_STEPS, NULL};
	g_autofree gchar *text = g_strndup((const gchar *)data, size);
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(steps);
	DstackSnpBinding binding = {.config = text};

	compute(text);
	/* no input hashes to a measurement of zeros */
	g_assert_false(dstack_snp_binding_verify(&binding, verdict));
	g_assert_false(dstack_verdict_is_valid(verdict));
	return 0;
}
