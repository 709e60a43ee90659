/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A test for each rule of the chain from a report to its root: names, keys, signatures, dates, revocation, and
 * the forms certificates come in.
 */

#include "config.h"

#include "support/snp-rules.h"

#include <string.h>

#include "verify/snp.h"

static DstackSnpForge *forge;

static void
set_cn(gchar **cn, const gchar *value)
{
	g_free(*cn);
	*cn = g_strdup(value);
}

static void
plan_leaf_name(DstackSnpForgePlan *plan)
{
	set_cn(&plan->leaf.cn, "SEV-VCEK-2");
}

static void
plan_vcek_under_asvk(DstackSnpForgePlan *plan)
{
	set_cn(&plan->ca.cn, "SEV-VLEK-Milan");
}

static void
plan_vlek_under_ask(DstackSnpForgePlan *plan)
{
	set_cn(&plan->ca.cn, "SEV-Milan");
}

static void
plan_ca_under_other_root(DstackSnpForgePlan *plan)
{
	set_cn(&plan->root.cn, "ARK-Genoa");
}

static void
plan_ca_unknown(DstackSnpForgePlan *plan)
{
	set_cn(&plan->root.cn, "ARK-Naples");
	set_cn(&plan->ca.cn, "SEV-Naples");
}

static void
plan_ca_not_ca(DstackSnpForgePlan *plan)
{
	plan->ca.is_ca = FALSE;
}

static void
plan_root_not_ca(DstackSnpForgePlan *plan)
{
	plan->root.is_ca = FALSE;
}

static void
plan_ca_by_rogue(DstackSnpForgePlan *plan)
{
	plan->ca.signer = forge->rogue;
}

static void
plan_leaf_by_root(DstackSnpForgePlan *plan)
{
	plan->leaf.signer = forge->ark;
}

static void
plan_root_not_self_signed(DstackSnpForgePlan *plan)
{
	plan->root.signer = forge->rogue;
}

static void
plan_ca_small_key(DstackSnpForgePlan *plan)
{
	plan->ca.key = forge->small;
	plan->leaf.signer = forge->small;
}

static void
plan_root_small_key(DstackSnpForgePlan *plan)
{
	plan->root.key = plan->root.signer = plan->ca.signer = forge->small;
}

static void
plan_ca_ec_key(DstackSnpForgePlan *plan)
{
	plan->ca.key = plan->leaf.signer = forge->vek;
}

static void
plan_ca_pkcs1(DstackSnpForgePlan *plan)
{
	plan->ca.signature = DSTACK_SNP_FORGE_PKCS1;
}

static void
plan_leaf_pkcs1(DstackSnpForgePlan *plan)
{
	plan->leaf.signature = DSTACK_SNP_FORGE_PKCS1;
}

static void
plan_root_pkcs1(DstackSnpForgePlan *plan)
{
	plan->root.signature = DSTACK_SNP_FORGE_PKCS1;
}

static void
plan_ca_sha256(DstackSnpForgePlan *plan)
{
	plan->ca.signature = DSTACK_SNP_FORGE_PSS_SHA256;
}

static void
plan_leaf_mgf1(DstackSnpForgePlan *plan)
{
	plan->leaf.signature = DSTACK_SNP_FORGE_PSS_MGF1_SHA256;
}

static void
plan_leaf_salt(DstackSnpForgePlan *plan)
{
	plan->leaf.signature = DSTACK_SNP_FORGE_PSS_SALT_32;
}

static void
plan_leaf_p256(DstackSnpForgePlan *plan)
{
	plan->leaf.key = forge->p256;
}

static void
plan_leaf_rsa(DstackSnpForgePlan *plan)
{
	plan->leaf.key = forge->small;
}

static void
plan_leaf_critical(DstackSnpForgePlan *plan)
{
	plan->leaf.critical_extension = TRUE;
}

static void
plan_ca_critical(DstackSnpForgePlan *plan)
{
	plan->ca.critical_extension = TRUE;
}

static void
checks_what_a_chain_validation_leaves_out(void)
{
	static const DstackSnpRule rules[] = {
	    {"leaf's name", plan_leaf_name, "chain", NULL},
	    {"VCEK under ASVK", plan_vcek_under_asvk, "chain", "*SEV-VCEK: expected under*"},
	    {"VLEK under ASK", plan_vlek_under_ask, "chain", "*SEV-VLEK: expected under*", DSTACK_ALLOW_VLEK, 0,
	     DSTACK_SNP_MILAN, DSTACK_SNP_VLEK},
	    {"ASK of Milan under ARK of Genoa", plan_ca_under_other_root, "chain", "*expected under*"},
	    {"unknown product", plan_ca_unknown, "chain", "*expected under*"},
	    {"CA flag of the ASK", plan_ca_not_ca, "chain", "CA: not a CA*"},
	    {"CA flag of the ARK", plan_root_not_ca, "chain", "root: not a CA*"},
	    {"ASK by another key", plan_ca_by_rogue, "chain", "CA: signature*"},
	    {"leaf by the root's key", plan_leaf_by_root, "chain", "leaf: signature*"},
	    {"root not self-signed", plan_root_not_self_signed, "chain", "root: signature*"},
	    {"ASK with RSA-2048", plan_ca_small_key, "chain", "leaf: issuer's key*4096*"},
	    {"ARK with RSA-2048", plan_root_small_key, "chain", "root: issuer's key*4096*"},
	    {"ASK with an EC key", plan_ca_ec_key, "chain", "leaf: issuer's key*", DSTACK_ALLOW_SIMULATOR, 0},
	    {"ASK by PKCS#1", plan_ca_pkcs1, "chain", "CA: signature algorithm*"},
	    {"leaf by PKCS#1", plan_leaf_pkcs1, "chain", "leaf: signature algorithm*"},
	    {"ARK by PKCS#1", plan_root_pkcs1, "chain", "root: signature algorithm*"},
	    {"ASK by SHA-256", plan_ca_sha256, "chain", "CA: signature parameters*"},
	    {"leaf with another MGF1", plan_leaf_mgf1, "chain", "leaf: signature parameters*"},
	    {"leaf with 32 bytes of salt", plan_leaf_salt, "chain", "leaf: signature parameters*"},
	    {"leaf on P-256", plan_leaf_p256, "chain", "leaf: key*"},
	    {"leaf with RSA", plan_leaf_rsa, "chain", "leaf: key*"},
	    {"leaf with an unknown critical extension", plan_leaf_critical, "chain", "leaf: an unknown critical*"},
	    {"ASK with an unknown critical extension", plan_ca_critical, "chain", "CA: an unknown critical*"},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
}

static void
plan_leaf_expired(DstackSnpForgePlan *plan)
{
	plan->leaf.not_after = DSTACK_SNP_FORGE_NOW - 1;
}

static void
plan_leaf_early(DstackSnpForgePlan *plan)
{
	plan->leaf.not_before = DSTACK_SNP_FORGE_NOW + 1;
}

static void
plan_ca_expired(DstackSnpForgePlan *plan)
{
	plan->ca.not_after = DSTACK_SNP_FORGE_NOW - 1;
}

static void
plan_ca_early(DstackSnpForgePlan *plan)
{
	plan->ca.not_before = DSTACK_SNP_FORGE_NOW + 1;
}

static void
plan_root_expired(DstackSnpForgePlan *plan)
{
	plan->root.not_after = DSTACK_SNP_FORGE_NOW - 1;
}

static void
plan_root_early(DstackSnpForgePlan *plan)
{
	plan->root.not_before = DSTACK_SNP_FORGE_NOW + 1;
}

static void
plan_bounds_inclusive(DstackSnpForgePlan *plan)
{
	plan->leaf.not_before = plan->leaf.not_after = DSTACK_SNP_FORGE_NOW;
	plan->ca.not_before = plan->ca.not_after = DSTACK_SNP_FORGE_NOW;
	plan->root.not_before = plan->root.not_after = DSTACK_SNP_FORGE_NOW;
}

static void
checks_both_bounds_of_every_date(void)
{
	static const DstackSnpRule rules[] = {
	    {"leaf expired", plan_leaf_expired, "validity", "leaf*out of date*"},
	    {"leaf early", plan_leaf_early, "validity", "leaf*not valid yet*"},
	    {"ASK expired", plan_ca_expired, "validity", "CA*out of date*"},
	    {"ASK early", plan_ca_early, "validity", "CA*not valid yet*"},
	    {"ARK expired", plan_root_expired, "validity", "root*out of date*"},
	    {"ARK early", plan_root_early, "validity", "root*not valid yet*"},
	    {"all bounds met exactly", plan_bounds_inclusive, DSTACK_SNP_RULE_GOOD, NULL},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
}

typedef struct {
	const gchar *name;
	gint64 this_update;
	gint64 next_update;
	gint revoked; /* 0 none, 1 the CA, 2 the leaf, 3 another */
	DstackSnpForgeSignature signature;
	gboolean by_ca;
	DstackStepState state;
} CrlCase;

static void
check_crl(const CrlCase *test_case)
{
	DstackSnpRule rule = {.product = DSTACK_SNP_MILAN};
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
	const guint64 serials[] = {0, plan->ca.serial, plan->leaf.serial, 0x99};
	DstackSnpForgeCrl spec = {
	    .this_update = DSTACK_SNP_FORGE_NOW + test_case->this_update,
	    .next_update = DSTACK_SNP_FORGE_NOW + test_case->next_update,
	    .revoked = &serials[test_case->revoked],
	    .n_revoked = test_case->revoked == 0 ? 0 : 1,
	    .signature = test_case->signature,
	    .signer = test_case->by_ca ? forge->ca : forge->ark,
	};
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make(plan);
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(DstackVerdict) verdict = NULL;
	const DstackStep *step = NULL;

	g_ptr_array_add(crls, dstack_snp_forge_crl(plan, &spec));
	verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, crls);
	step = dstack_verdict_get_step(verdict, "revocation");
	g_test_message("%s: %s", test_case->name, step->message);
	g_assert_cmpint(step->state, ==, test_case->state);
}

static void
looks_certificates_up_in_the_revocation_list(void)
{
	static const CrlCase cases[] = {
	    {"none revoked", -1, 1, 0, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_OK},
	    {"bounds met exactly", 0, 0, 0, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_OK},
	    {"another revoked", -1, 1, 3, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_OK},
	    {"ASK revoked", -1, 1, 1, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_FAILED},
	    {"leaf revoked", -1, 1, 2, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_FAILED},
	    {"too old", -2, -1, 0, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_FAILED},
	    {"too new", 1, 2, 0, DSTACK_SNP_FORGE_PSS, FALSE, DSTACK_STEP_FAILED},
	    {"signed by the ASK", -1, 1, 0, DSTACK_SNP_FORGE_PSS, TRUE, DSTACK_STEP_FAILED},
	    {"signed by PKCS#1", -1, 1, 0, DSTACK_SNP_FORGE_PKCS1, FALSE, DSTACK_STEP_FAILED},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		check_crl(&cases[i]);
}

/* a list of another root says nothing about this one: as if none were given, and said so */
static void
lists_of_other_roots_do_not_count(void)
{
	DstackSnpRule rule = {.product = DSTACK_SNP_MILAN};
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_MILAN, DSTACK_SNP_VCEK);
	g_autoptr(DstackSnpForgePlan) other = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	DstackSnpForgeCrl spec = {
	    DSTACK_SNP_FORGE_NOW - 1, DSTACK_SNP_FORGE_NOW + 1, &plan->ca.serial, 1, DSTACK_SNP_FORGE_PSS, forge->ark};
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make(plan);
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(DstackVerdict) verdict = NULL;

	g_ptr_array_add(crls, dstack_snp_forge_crl(other, &spec));
	verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, crls);
	g_assert_cmpint(dstack_verdict_get_step(verdict, "revocation")->state, ==, DSTACK_STEP_WAIVED);
	g_assert_cmpuint(verdict->warnings->len, ==, 1);
}

/* the same names, other keys: only the given root's key counts */
static void
another_root_of_the_same_name_is_not_trusted(void)
{
	DstackSnpRule rule = {.product = DSTACK_SNP_MILAN};

	for (guint sent = 0; sent < 2; sent++) {
		g_autoptr(DstackSnpForgePlan) good = dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
		g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
		g_auto(DstackSnpForged) trusted = dstack_snp_forge_make(good);
		g_auto(DstackSnpForged) forged = {NULL, NULL};
		g_autoptr(DstackVerdict) verdict = NULL;

		plan->send_root = sent != 0;
		plan->root.key = plan->root.signer = plan->ca.signer = forge->rogue;
		forged = dstack_snp_forge_make(plan);
		verdict = dstack_snp_rule_judge(forged.attestation, trusted.root, &rule, NULL);
		g_assert_cmpstr(dstack_snp_rule_failed_step(verdict)->name, ==, "chain");
	}
}

static void
replace_chain(DstackAttestation *attestation, GBytes *first, GBytes *second)
{
	g_ptr_array_set_size(attestation->cert_chain, 0);
	if (first != NULL)
		g_ptr_array_add(attestation->cert_chain, first);
	if (second != NULL)
		g_ptr_array_add(attestation->cert_chain, second);
}

static void
takes_certificates_in_every_form_and_order(void)
{
	DstackSnpRule rule = {.product = DSTACK_SNP_GENOA};
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = {NULL, NULL};
	g_autoptr(GBytes) ca = NULL;
	g_autoptr(GBytes) leaf = NULL;
	g_autoptr(GBytes) table = NULL;

	plan->send_root = FALSE;
	forged = dstack_snp_forge_make(plan);
	ca = g_bytes_ref(g_ptr_array_index(forged.attestation->cert_chain, 0));
	leaf = g_bytes_ref(g_ptr_array_index(forged.attestation->cert_chain, 1));
	table = dstack_snp_forge_cert_table(forged.attestation->cert_chain);
	for (guint form = 0; form < 5; form++) {
		g_autoptr(DstackVerdict) verdict = NULL;
		static const gchar *const steps[] = {DSTACK_SNP_RULE_GOOD, DSTACK_SNP_RULE_GOOD, "chain", "chain",
						     "chain"};

		if (form == 0)
			replace_chain(forged.attestation, g_bytes_ref(leaf), g_bytes_ref(ca));
		else if (form == 1)
			replace_chain(forged.attestation, g_bytes_ref(table), NULL);
		else if (form == 2)
			replace_chain(forged.attestation, g_bytes_ref(leaf), g_bytes_ref(leaf));
		else if (form == 3)
			replace_chain(forged.attestation, g_bytes_ref(leaf), NULL);
		else
			replace_chain(forged.attestation, NULL, NULL);
		verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, NULL);
		g_assert_cmpstr(dstack_snp_rule_failed_step(verdict)->name, ==, steps[form]);
	}
}

/* a directory of many chips' certificates: the one for this chip and TCB is found */
static void
finds_missing_certificates_among_those_given(void)
{
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	g_autoptr(DstackSnpForgePlan) other = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make(plan);
	g_auto(DstackSnpForged) noise = {NULL, NULL};
	g_autoptr(GPtrArray) pool = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	DstackContext context = {.now = DSTACK_SNP_FORGE_NOW, .root_der = forged.root};
	DstackVerifyOptions options = {.context = &context, .certificates = pool};
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autoptr(DstackVerdict) without = NULL;
	g_autoptr(DstackVerdict) unfit = NULL;
	GBytes *report = forged.attestation->report;

	other->vek.spl[8]++;
	noise = dstack_snp_forge_make(other);
	g_ptr_array_add(pool, g_bytes_ref(g_ptr_array_index(noise.attestation->cert_chain, 1)));
	without = dstack_verify_snp_report(g_bytes_get_data(report, NULL), g_bytes_get_size(report), &options, NULL);
	g_assert_cmpstr(dstack_snp_rule_failed_step(without)->name, ==, "chain");
	/* the only leaf there is: taken, and found to be of another TCB */
	g_ptr_array_add(pool, g_bytes_ref(g_ptr_array_index(noise.attestation->cert_chain, 0)));
	unfit = dstack_verify_snp_report(g_bytes_get_data(report, NULL), g_bytes_get_size(report), &options, NULL);
	g_assert_cmpstr(dstack_snp_rule_failed_step(unfit)->name, ==, "vek-tcb");
	for (guint i = 0; i < forged.attestation->cert_chain->len; i++)
		g_ptr_array_add(pool, g_bytes_ref(g_ptr_array_index(forged.attestation->cert_chain, i)));
	verdict = dstack_verify_snp_report(g_bytes_get_data(report, NULL), g_bytes_get_size(report), &options, NULL);
	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_false(verdict->has_app_info);
}

int
main(int argc, char **argv)
{
	int status = 0;

	g_test_init(&argc, &argv, NULL);
	forge = dstack_snp_forge_new();
	g_test_add_func("/snp-chain-rules/checks-what-a-chain-validation-leaves-out",
			checks_what_a_chain_validation_leaves_out);
	g_test_add_func("/snp-chain-rules/checks-both-bounds-of-every-date", checks_both_bounds_of_every_date);
	g_test_add_func("/snp-chain-rules/looks-certificates-up-in-the-revocation-list",
			looks_certificates_up_in_the_revocation_list);
	g_test_add_func("/snp-chain-rules/lists-of-other-roots-do-not-count", lists_of_other_roots_do_not_count);
	g_test_add_func("/snp-chain-rules/another-root-of-the-same-name-is-not-trusted",
			another_root_of_the_same_name_is_not_trusted);
	g_test_add_func("/snp-chain-rules/takes-certificates-in-every-form-and-order",
			takes_certificates_in_every_form_and_order);
	g_test_add_func("/snp-chain-rules/finds-missing-certificates-among-those-given",
			finds_missing_certificates_among_those_given);
	status = g_test_run();
	dstack_snp_forge_free(forge);
	return status;
}
