/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A test for each rule of the report itself: signature, policy, reserved bits, TCB; and what a caller may waive.
 */

#include "config.h"

#include "support/snp-rules.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/writer.h"
#include "support/pki.h"
#include "verify/snp.h"

static DstackSnpForge *forge;

static void
plan_root_not_sent(DstackSnpForgePlan *plan)
{
	plan->send_root = FALSE;
}

static void
plan_version_2(DstackSnpForgePlan *plan)
{
	dstack_store_u32le(plan->report.version, 2);
	memset(plan->report.cpuid, 0, sizeof(plan->report.cpuid));
}

static void
plan_version_4(DstackSnpForgePlan *plan)
{
	dstack_store_u32le(plan->report.version, 4);
}

static void
plan_version_5(DstackSnpForgePlan *plan)
{
	dstack_store_u32le(plan->report.version, 5);
	plan->report.launch_mit_vector[0] = 1;
	plan->report.current_mit_vector[7] = 1;
}

static void
plan_hwid_octet_string(DstackSnpForgePlan *plan)
{
	gsize size = g_bytes_get_size(plan->vek.hwid);
	g_autoptr(GByteArray) der = g_byte_array_new();

	dstack_append_u8(der, 4);
	dstack_append_u8(der, (guint8)size);
	g_byte_array_append(der, g_bytes_get_data(plan->vek.hwid, NULL), (guint)size);
	g_bytes_unref(plan->vek.hwid);
	plan->vek.hwid = g_bytes_new(der->data, der->len);
}

static void
plan_unknown_platform_bits(DstackSnpForgePlan *plan)
{
	dstack_store_u64le(plan->report.platform_info, G_GUINT64_CONSTANT(0x8000000000000041));
}

static void
plan_bergamo(DstackSnpForgePlan *plan)
{
	plan->report.cpuid[1] = 0xa0;
}

static void
accepts_what_is_good(void)
{
	static const DstackSnpRule rules[] = {
	    {"Milan", NULL, DSTACK_SNP_RULE_GOOD, NULL},
	    {"Genoa", NULL, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_GENOA},
	    {"Turin", NULL, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_TURIN},
	    {"VLEK", NULL, DSTACK_SNP_RULE_GOOD, NULL, DSTACK_ALLOW_VLEK, 0, DSTACK_SNP_MILAN, DSTACK_SNP_VLEK},
	    {"root not sent", plan_root_not_sent, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_GENOA},
	    {"version 2", plan_version_2, DSTACK_SNP_RULE_GOOD, NULL},
	    {"version 4", plan_version_4, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_GENOA},
	    {"version 5", plan_version_5, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_TURIN},
	    {"HWID wrapped", plan_hwid_octet_string, DSTACK_SNP_RULE_GOOD, NULL},
	    {"Turin's HWID wrapped", plan_hwid_octet_string, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_TURIN},
	    {"unknown platform bits", plan_unknown_platform_bits, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_TURIN},
	    {"Bergamo", plan_bergamo, DSTACK_SNP_RULE_GOOD, NULL, 0, 0, DSTACK_SNP_GENOA},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
}

static void
plan_signed_by_another(DstackSnpForgePlan *plan)
{
	plan->report_signer = forge->p256;
}

static void
plan_signed_with_sha256(DstackSnpForgePlan *plan)
{
	plan->report_digest = "SHA256";
}

static void
plan_signature_zero(DstackSnpForgePlan *plan)
{
	plan->report.signature_r[0] = 1;
}

static void
plan_signature_huge(DstackSnpForgePlan *plan)
{
	memset(plan->report.signature_r, 0xff, sizeof(plan->report.signature_r));
	plan->report.signature_s[0] = 1;
}

static void
plan_policy_debug(DstackSnpForgePlan *plan)
{
	plan->report.policy[2] |= 1U << 3;
}

static void
plan_policy_migrate(DstackSnpForgePlan *plan)
{
	plan->report.policy[2] |= 1U << 2;
}

static void
plan_policy_bit_17(DstackSnpForgePlan *plan)
{
	plan->report.policy[2] &= (guint8) ~(1U << 1);
}

static void
plan_policy_bit_26(DstackSnpForgePlan *plan)
{
	plan->report.policy[3] |= 1U << 2;
}

static void
plan_policy_bit_63(DstackSnpForgePlan *plan)
{
	plan->report.policy[7] |= 1U << 7;
}

static void
plan_policy_all_known(DstackSnpForgePlan *plan)
{
	/* single socket, CXL, AES-256-XTS, RAPL off, ciphertext hiding, no page swap; the platform agrees */
	dstack_store_u64le(plan->report.policy, 0x3f30000);
	dstack_store_u64le(plan->report.platform_info, 0x19);
}

static void
plan_smt(DstackSnpForgePlan *plan)
{
	plan->report.policy[2] &= (guint8)~1U;
	plan->report.platform_info[0] = 1;
}

static void
plan_rapl(DstackSnpForgePlan *plan)
{
	plan->report.policy[2] |= 1U << 7;
}

static void
plan_ciphertext_hiding(DstackSnpForgePlan *plan)
{
	plan->report.policy[3] |= 1;
}

static void
plan_vmpl_1(DstackSnpForgePlan *plan)
{
	plan->report.vmpl[0] = 1;
}

static void
plan_vmpl_host(DstackSnpForgePlan *plan)
{
	memset(plan->report.vmpl, 0xff, sizeof(plan->report.vmpl));
}

static void
plan_mask_chip_key(DstackSnpForgePlan *plan)
{
	plan->report.key_info[0] |= 1U << 1;
}

static void
plan_key_info_reserved(DstackSnpForgePlan *plan)
{
	plan->report.key_info[3] = 0x80;
}

static void
plan_author_key(DstackSnpForgePlan *plan)
{
	plan->report.key_info[0] |= 1;
}

static void
judges_signature_and_policy(void)
{
	static const DstackSnpRule rules[] = {
	    {"signed with SHA-256", plan_signed_with_sha256, "signature", NULL},
	    {"signed by another key", plan_signed_by_another, "signature", NULL},
	    {"s is zero", plan_signature_zero, "signature", "*out of range*"},
	    {"r is huge", plan_signature_huge, "signature", "*out of range*"},
	    {"debug", plan_policy_debug, "policy", "*debug*"},
	    {"debug waived", plan_policy_debug, DSTACK_SNP_RULE_GOOD, NULL, DSTACK_ALLOW_DEBUG, 0},
	    {"debug, another waiver", plan_policy_debug, "policy", "*debug*", DSTACK_ALLOW_MIGRATABLE, 0},
	    {"migratable", plan_policy_migrate, "policy", "*migrate_ma*"},
	    {"migratable waived", plan_policy_migrate, DSTACK_SNP_RULE_GOOD, NULL, DSTACK_ALLOW_MIGRATABLE, 0},
	    {"bit 17", plan_policy_bit_17, "policy", "*bit 17*"},
	    {"bit 26", plan_policy_bit_26, "policy", "*63:26*"},
	    {"bit 63", plan_policy_bit_63, "policy", "*63:26*"},
	    {"every protection", plan_policy_all_known, DSTACK_SNP_RULE_GOOD, NULL},
	    {"SMT", plan_smt, "policy", "smt*"},
	    {"RAPL", plan_rapl, "policy", "rapl*"},
	    {"ciphertext hiding", plan_ciphertext_hiding, "policy", "ciphertext*"},
	    {"VMPL 1", plan_vmpl_1, "policy", "vmpl*"},
	    {"VMPL 1 allowed", plan_vmpl_1, DSTACK_SNP_RULE_GOOD, NULL, 0, 1},
	    {"asked for by the host", plan_vmpl_host, "policy", "vmpl*", 0, 3},
	    {"masked chip key", plan_mask_chip_key, "policy", "mask_chip_key*"},
	    {"reserved bit of KEY_INFO", plan_key_info_reserved, "reserved", "*KEY_INFO*"},
	    {"author key", plan_author_key, DSTACK_SNP_RULE_GOOD, NULL},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
}

static void
plan_committed_behind(DstackSnpForgePlan *plan)
{
	plan->report.committed_tcb[7]--;
}

static void
plan_current_behind(DstackSnpForgePlan *plan)
{
	plan->report.current_tcb[0]--;
}

static void
plan_current_ahead(DstackSnpForgePlan *plan)
{
	plan->report.current_tcb[7]++;
	plan->report.committed_tcb[7]++;
}

static void
orders_the_tcbs_of_a_report(void)
{
	static const DstackSnpRule rules[] = {
	    {"committed behind reported", plan_committed_behind, "tcb", "committed TCB: ucode*"},
	    {"current behind committed", plan_current_behind, "tcb", "current TCB: bl*", 0, 0, DSTACK_SNP_GENOA},
	    {"Turin: current behind committed", plan_current_behind, "tcb", "current TCB: fmc*", 0, 0,
	     DSTACK_SNP_TURIN},
	    {"current ahead", plan_current_ahead, DSTACK_SNP_RULE_GOOD, NULL},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
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

/* ECDSA all the way, no AMD extensions */
static void
make_simulator(GBytes **out_root, DstackAttestation *attestation)
{
	g_autoptr(EVP_PKEY) root_key = dstack_pki_key_new("P-384");
	g_autoptr(EVP_PKEY) ca_key = dstack_pki_key_new("P-384");
	const gint64 from = DSTACK_SNP_FORGE_NOW - 1;
	const gint64 to = DSTACK_SNP_FORGE_NOW + 1;
	DstackPkiSpec root_spec = {.cn = "ARK-Milan", .not_before = from, .not_after = to, .serial = 1, .is_ca = TRUE};
	DstackPkiSpec ca_spec = {.cn = "SEV-Milan", .not_before = from, .not_after = to, .serial = 2, .is_ca = TRUE};
	DstackPkiSpec leaf_spec = {.cn = "SEV-VCEK", .not_before = from, .not_after = to, .serial = 3};
	g_autoptr(X509) root = dstack_pki_cert_new(&root_spec, root_key, NULL, root_key);
	g_autoptr(X509) ca = dstack_pki_cert_new(&ca_spec, ca_key, root, root_key);
	g_autoptr(X509) leaf = dstack_pki_cert_new(&leaf_spec, forge->vek, ca, ca_key);

	*out_root = dstack_pki_cert_to_der(root);
	replace_chain(attestation, dstack_pki_cert_to_der(ca), dstack_pki_cert_to_der(leaf));
}

static void
a_simulator_needs_a_root_and_a_waiver(void)
{
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_MILAN, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make(plan);
	g_autoptr(GBytes) root = NULL;
	DstackSnpRule strict = {.allow = 0};
	DstackSnpRule waived = {.allow = DSTACK_ALLOW_SIMULATOR};
	g_autoptr(DstackVerdict) without_waiver = NULL;
	g_autoptr(DstackVerdict) without_root = NULL;
	g_autoptr(DstackVerdict) with_both = NULL;
	g_autofree gchar *text = NULL;

	make_simulator(&root, forged.attestation);
	without_waiver = dstack_snp_rule_judge(forged.attestation, root, &strict, NULL);
	g_assert_cmpstr(dstack_snp_rule_failed_step(without_waiver)->name, ==, "chain");
	without_root = dstack_snp_rule_judge(forged.attestation, NULL, &waived, NULL);
	g_assert_cmpstr(dstack_snp_rule_failed_step(without_root)->name, ==, "chain");
	with_both = dstack_snp_rule_judge(forged.attestation, root, &waived, NULL);
	g_assert_cmpstr(dstack_snp_rule_failed_step(with_both)->name, ==, DSTACK_SNP_RULE_GOOD);
	g_assert_cmpint(dstack_verdict_get_step(with_both, "vek-tcb")->state, ==, DSTACK_STEP_WAIVED);
	text = dstack_verdict_to_text(with_both);
	g_assert_nonnull(strstr(text, "simulator"));
}

static void
every_waiver_is_shown(void)
{
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_MILAN, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make(plan);
	DstackSnpRule rule = {
	    .allow = DSTACK_ALLOW_DEBUG | DSTACK_ALLOW_MIGRATABLE | DSTACK_ALLOW_VLEK | DSTACK_ALLOW_SIMULATOR,
	    .max_vmpl = 2,
	};
	g_autoptr(DstackVerdict) verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, NULL);

	g_assert_cmpuint(verdict->waivers->len, ==, 5);
}

/* own material, own mr_config, own report: valid under the forge's root, with every step */
static void
whole_evidence_is_valid_under_its_own_root_only(void)
{
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_TURIN, DSTACK_SNP_VCEK);
	DstackSnpRule rule = {.product = DSTACK_SNP_TURIN};
	g_auto(DstackSnpForged) forged = dstack_snp_forge_make_whole(plan);
	g_autoptr(DstackVerdict) verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, NULL);
	g_autoptr(DstackVerdict) pinned = dstack_snp_rule_judge(forged.attestation, NULL, &rule, NULL);

	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_true(verdict->has_app_info);
	g_assert_cmpstr(verdict->app_info.app_id, ==, "");
	g_assert_cmpstr(verdict->key_provider_name, ==, "none");
	g_assert_cmpstr(verdict->tcb_status, ==, "UpToDate");
	g_assert_cmpstr(dstack_snp_rule_failed_step(pinned)->name, ==, "chain");
}

int
main(int argc, char **argv)
{
	int status = 0;

	g_test_init(&argc, &argv, NULL);
	forge = dstack_snp_forge_new();
	g_test_add_func("/snp-report-rules/accepts-what-is-good", accepts_what_is_good);
	g_test_add_func("/snp-report-rules/judges-signature-and-policy", judges_signature_and_policy);
	g_test_add_func("/snp-report-rules/orders-the-tcbs-of-a-report", orders_the_tcbs_of_a_report);
	g_test_add_func("/snp-report-rules/a-simulator-needs-a-root-and-a-waiver",
			a_simulator_needs_a_root_and_a_waiver);
	g_test_add_func("/snp-report-rules/every-waiver-is-shown", every_waiver_is_shown);
	g_test_add_func("/snp-report-rules/whole-evidence-is-valid-under-its-own-root-only",
			whole_evidence_is_valid_under_its_own_root_only);
	status = g_test_run();
	dstack_snp_forge_free(forge);
	return status;
}
