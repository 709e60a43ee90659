/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A test for each rule that holds VCEK or VLEK against the report: kind, product, TCB, chip.
 */

#include "config.h"

#include "support/snp-rules.h"

#include <string.h>

#include "base/writer.h"

static DstackSnpForge *forge;

static void
set_cn(gchar **cn, const gchar *value)
{
	g_free(*cn);
	*cn = g_strdup(value);
}

static void
plan_signing_key_none(DstackSnpForgePlan *plan)
{
	dstack_store_u32le(plan->report.key_info, 7U << 2);
}

static void
plan_signing_key_other(DstackSnpForgePlan *plan)
{
	plan->report.key_info[0] ^= 1U << 2;
}

static void
plan_cpuid_other(DstackSnpForgePlan *plan)
{
	plan->report.cpuid[0] = 0x1a;
}

static void
plan_cpuid_unknown(DstackSnpForgePlan *plan)
{
	plan->report.cpuid[0] = 0x17;
}

static void
plan_product_name_other(DstackSnpForgePlan *plan)
{
	set_cn(&plan->vek.product_name, "Genoa");
}

static void
plan_product_name_unknown(DstackSnpForgePlan *plan)
{
	set_cn(&plan->vek.product_name, "Milano");
}

static void
plan_product_name_missing(DstackSnpForgePlan *plan)
{
	g_clear_pointer(&plan->vek.product_name, g_free);
}

static void
plan_struct_version(DstackSnpForgePlan *plan)
{
	plan->vek.struct_version ^= 1;
}

static void
plan_struct_version_missing(DstackSnpForgePlan *plan)
{
	plan->vek.struct_version = -1;
}

static void
plan_hwid_other(DstackSnpForgePlan *plan)
{
	plan->report.chip_id[0] ^= 1;
}

static void
plan_hwid_missing(DstackSnpForgePlan *plan)
{
	g_clear_pointer(&plan->vek.hwid, g_bytes_unref);
}

static void
plan_hwid_short(DstackSnpForgePlan *plan)
{
	g_autoptr(GBytes) whole = plan->vek.hwid;

	plan->vek.hwid = g_bytes_new_from_bytes(whole, 0, g_bytes_get_size(whole) - 1);
}

static void
plan_chip_id_tail(DstackSnpForgePlan *plan)
{
	plan->report.chip_id[63] = 1;
}

static void
plan_chip_id_masked(DstackSnpForgePlan *plan)
{
	memset(plan->report.chip_id, 0, sizeof(plan->report.chip_id));
}

static void
plan_vlek_with_hwid(DstackSnpForgePlan *plan)
{
	plan->vek.hwid = g_bytes_new(plan->report.chip_id, 64);
}

static void
plan_vlek_without_csp(DstackSnpForgePlan *plan)
{
	g_clear_pointer(&plan->vek.csp_id, g_free);
}

static void
holds_the_leaf_against_the_report(void)
{
	static const DstackSnpRule rules[] = {
	    {"no signing key", plan_signing_key_none, "vek-kind", NULL},
	    {"VCEK, report says VLEK", plan_signing_key_other, "vek-kind", NULL, DSTACK_ALLOW_VLEK, 0},
	    {"VLEK, report says VCEK", plan_signing_key_other, "vek-kind", NULL, DSTACK_ALLOW_VLEK, 0, DSTACK_SNP_MILAN,
	     DSTACK_SNP_VLEK},
	    {"VLEK not allowed", NULL, "vek-kind", "*does not allow*", 0, 0, DSTACK_SNP_MILAN, DSTACK_SNP_VLEK},
	    {"processor of another line", plan_cpuid_other, "product", NULL},
	    {"unknown processor", plan_cpuid_unknown, "product", NULL},
	    {"certificate of another line", plan_product_name_other, "product", NULL},
	    {"unknown productName", plan_product_name_unknown, "product", NULL},
	    {"no productName", plan_product_name_missing, "product", "*missing*"},
	    {"structVersion", plan_struct_version, "product", "*structVersion*", 0, 0, DSTACK_SNP_TURIN},
	    {"no structVersion", plan_struct_version_missing, "product", "*missing*"},
	    {"another chip", plan_hwid_other, "vek-hwid", "*differs*"},
	    {"no HWID", plan_hwid_missing, "vek-hwid", "*missing*"},
	    {"short HWID", plan_hwid_short, "vek-hwid", "*expected 64 bytes*"},
	    {"Turin: short HWID", plan_hwid_short, "vek-hwid", "*expected 8 bytes*", 0, 0, DSTACK_SNP_TURIN},
	    {"Turin: rest of CHIP_ID", plan_chip_id_tail, "vek-hwid", "*differs*", 0, 0, DSTACK_SNP_TURIN},
	    {"masked CHIP_ID", plan_chip_id_masked, "vek-hwid", "*masked*"},
	    {"VLEK with a HWID", plan_vlek_with_hwid, "vek-hwid", NULL, DSTACK_ALLOW_VLEK, 0, DSTACK_SNP_MILAN,
	     DSTACK_SNP_VLEK},
	    {"VLEK without CSP_ID", plan_vlek_without_csp, "vek-hwid", NULL, DSTACK_ALLOW_VLEK, 0, DSTACK_SNP_MILAN,
	     DSTACK_SNP_VLEK},
	};

	dstack_snp_rules_check(forge, rules, G_N_ELEMENTS(rules));
}

/* every SPL of every layout, off by one and missing */
static void
compares_every_part_of_the_tcb(void)
{
	for (guint product = 0; product < DSTACK_SNP_N_PRODUCTS; product++) {
		for (guint i = 1; i <= 9; i++) {
			for (guint missing = 0; missing < 2; missing++) {
				DstackSnpRule rule = {.product = (DstackSnpProduct)product};
				g_autoptr(DstackSnpForgePlan) plan =
				    dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
				g_auto(DstackSnpForged) forged = {NULL, NULL};
				g_autoptr(DstackVerdict) verdict = NULL;

				if (plan->vek.spl[i] < 0)
					continue;
				plan->vek.spl[i] = missing ? -1 : plan->vek.spl[i] + 1;
				forged = dstack_snp_forge_make(plan);
				verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, NULL);
				g_assert_cmpstr(dstack_snp_rule_failed_step(verdict)->name, ==, "vek-tcb");
			}
		}
	}
}

/* the microcode's SPL is 77, 0x4d */
static void
reads_whole_integers(void)
{
	static const struct {
		const gchar *der;
		const gchar *step;
	} cases[] = {
	    {"02014d", DSTACK_SNP_RULE_GOOD},
	    {"0202014d", "vek-tcb"}, /* 333 is not 77 */
	    {"0202004d", "vek-tcb"},
	    {"02024d00", "vek-tcb"},
	    {"0203004d00", "vek-tcb"},
	    {"0200", "vek-tcb"},
	    {"0201cd", "vek-tcb"},
	    {"0a014d", "vek-tcb"},
	    {"02014d00", "vek-tcb"},
	    {"02024d", "vek-tcb"},
	    {"0281014d", "vek-tcb"},
	    {"02", "vek-tcb"},
	    {"4d", "vek-tcb"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		DstackSnpRule rule = {.product = DSTACK_SNP_MILAN};
		g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, rule.product, DSTACK_SNP_VCEK);
		g_auto(DstackSnpForged) forged = {NULL, NULL};
		g_autoptr(DstackVerdict) verdict = NULL;

		plan->vek.raw_spl = cases[i].der;
		forged = dstack_snp_forge_make(plan);
		verdict = dstack_snp_rule_judge(forged.attestation, forged.root, &rule, NULL);
		g_test_message("%s", cases[i].der);
		g_assert_cmpstr(dstack_snp_rule_failed_step(verdict)->name, ==, cases[i].step);
	}
}

int
main(int argc, char **argv)
{
	int status = 0;

	g_test_init(&argc, &argv, NULL);
	forge = dstack_snp_forge_new();
	g_test_add_func("/snp-leaf-rules/holds-the-leaf-against-the-report", holds_the_leaf_against_the_report);
	g_test_add_func("/snp-leaf-rules/compares-every-part-of-the-tcb", compares_every_part_of_the_tcb);
	g_test_add_func("/snp-leaf-rules/reads-whole-integers", reads_whole_integers);
	status = g_test_run();
	dstack_snp_forge_free(forge);
	return status;
}
