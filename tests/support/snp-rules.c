/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged evidence that is good but for one thing, and the step that has to notice.
 */

#include "config.h"

#include "support/snp-rules.h"

#include "verify/snp.h"

const DstackStep *
dstack_snp_rule_failed_step(const DstackVerdict *verdict)
{
	for (guint i = 0; i < verdict->steps->len; i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		if (step->state == DSTACK_STEP_FAILED)
			return step;
	}
	return NULL;
}

DstackVerdict *
dstack_snp_rule_judge(const DstackAttestation *attestation, GBytes *root, const DstackSnpRule *rule, GPtrArray *crls)
{
	DstackContext context = {.now = DSTACK_SNP_FORGE_NOW, .root_der = root};
	DstackVerifyOptions options = {
	    .context = &context, .allow = rule->allow, .max_vmpl = rule->max_vmpl, .crls = crls};
	g_autoptr(GError) error = NULL;
	DstackVerdict *verdict = dstack_verify_snp(attestation, &options, &error);

	g_assert_no_error(error);
	return verdict;
}

static void
check_rule(const DstackSnpForge *forge, const DstackSnpRule *rule)
{
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, rule->product, rule->kind);
	g_auto(DstackSnpForged) forged = {NULL, NULL};
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autoptr(DstackVerdict) pinned = NULL;
	const DstackStep *failed = NULL;

	if (rule->change != NULL)
		rule->change(plan);
	forged = dstack_snp_forge_make(plan);
	verdict = dstack_snp_rule_judge(forged.attestation, forged.root, rule, NULL);
	failed = dstack_snp_rule_failed_step(verdict);
	g_assert_nonnull(failed);
	g_test_message("%s: %s: %s", rule->name, failed->name, failed->message);
	g_assert_cmpstr(failed->name, ==, rule->step);
	if (rule->message != NULL)
		g_assert_true(g_pattern_match_simple(rule->message, failed->message));
	g_assert_nonnull(verdict->root);
	pinned = dstack_snp_rule_judge(forged.attestation, NULL, rule, NULL);
	failed = dstack_snp_rule_failed_step(pinned);
	g_assert_true(g_str_equal(failed->name, "chain") || g_str_equal(failed->name, "report"));
	g_assert_false(dstack_verdict_is_valid(pinned));
}

void
dstack_snp_rules_check(const DstackSnpForge *forge, const DstackSnpRule *rules, gsize n)
{
	for (gsize i = 0; i < n; i++)
		check_rule(forge, &rules[i]);
}
