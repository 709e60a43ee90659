/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged evidence that is good but for one thing, and the step that has to notice.
 */
#pragma once

#include "support/snp-forge.h"
#include "verify/snp-binding.h"
#include "verify/verifier.h"

G_BEGIN_DECLS

/* a good report without vm_config ends here */
#define DSTACK_SNP_RULE_GOOD DSTACK_SNP_STEP_VM_CONFIG

typedef struct {
	const gchar *name;
	void (*change)(DstackSnpForgePlan *plan); /* (nullable) */
	const gchar *step;
	const gchar *message; /* (nullable): a pattern for what the step says */
	guint allow;
	guint max_vmpl;
	DstackSnpProduct product;
	DstackSnpVekKind kind;
} DstackSnpRule;

/* each ends at its step under the forged root, and none leads to a pinned one */
void dstack_snp_rules_check(const DstackSnpForge *forge, const DstackSnpRule *rules, gsize n);
/* root NULL: the pinned ones; crls (nullable) (element-type GBytes) */
DstackVerdict *dstack_snp_rule_judge(const DstackAttestation *attestation, GBytes *root, const DstackSnpRule *rule,
				     GPtrArray *crls);
/* NULL when no step failed */
const DstackStep *dstack_snp_rule_failed_step(const DstackVerdict *verdict);

G_END_DECLS
