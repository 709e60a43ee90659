/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Matching levels and converging statuses: evidence.md part A, section 9, and the mistakes that verifiers are
 * known to make there (section 12), each of which would change the outcome of a line here.
 */

#include "config.h"

#include "dcap/tcb-status.h"

#include <string.h>

#include "base/error.h"
#include "dcap/qe-identity.h"
#include "dcap/tcb-info.h"
#include "support/tdx-forge-internal.h"

#define UP_TO_DATE	 DSTACK_TCB_UP_TO_DATE
#define SW_HARDENING	 DSTACK_TCB_SW_HARDENING_NEEDED
#define CONFIGURATION	 DSTACK_TCB_CONFIGURATION_NEEDED
#define CONFIGURATION_SW DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED
#define OUT_OF_DATE	 DSTACK_TCB_OUT_OF_DATE
#define OUT_OF_DATE_CONF DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED
#define REVOKED		 DSTACK_TCB_REVOKED
#define RELAUNCH	 DSTACK_TCB_TD_RELAUNCH_ADVISED
#define RELAUNCH_CONF	 DSTACK_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED

/* --- converging --- */

static const struct {
	DstackTcbStatus platform;
	DstackTcbStatus when_part_is_old;
} converged[] = {
    {UP_TO_DATE, OUT_OF_DATE},
    {SW_HARDENING, OUT_OF_DATE},
    {CONFIGURATION, OUT_OF_DATE_CONF},
    {CONFIGURATION_SW, OUT_OF_DATE_CONF},
    {OUT_OF_DATE, OUT_OF_DATE},
    {OUT_OF_DATE_CONF, OUT_OF_DATE_CONF},
    {REVOKED, REVOKED},
};

static void
converges_by_the_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(converged); i++) {
		DstackTcbStatus platform = converged[i].platform;
		DstackTcbStatus old = converged[i].when_part_is_old;

		/* good parts change nothing, in particular they do not make an old platform good */
		g_assert_cmpint(dstack_tcb_converge(platform, UP_TO_DATE, UP_TO_DATE), ==, platform);
		g_assert_cmpint(dstack_tcb_converge(platform, DSTACK_TCB_NONE, UP_TO_DATE), ==, platform);
		g_assert_cmpint(dstack_tcb_converge(platform, UP_TO_DATE, CONFIGURATION), ==, platform);
		g_assert_cmpint(dstack_tcb_converge(platform, UP_TO_DATE, OUT_OF_DATE_CONF), ==, platform);
		g_assert_cmpint(dstack_tcb_converge(platform, OUT_OF_DATE, UP_TO_DATE), ==, old);
		g_assert_cmpint(dstack_tcb_converge(platform, UP_TO_DATE, OUT_OF_DATE), ==, old);
		g_assert_cmpint(dstack_tcb_converge(platform, DSTACK_TCB_NONE, OUT_OF_DATE), ==, old);
		g_assert_cmpint(dstack_tcb_converge(platform, OUT_OF_DATE, OUT_OF_DATE), ==, old);
		g_assert_cmpint(dstack_tcb_converge(platform, REVOKED, UP_TO_DATE), ==, REVOKED);
		g_assert_cmpint(dstack_tcb_converge(platform, UP_TO_DATE, REVOKED), ==, REVOKED);
	}
	g_assert_cmpint(dstack_tcb_converge(DSTACK_TCB_NONE, UP_TO_DATE, UP_TO_DATE), ==, DSTACK_TCB_NONE);
}

static const struct {
	DstackTcbStatus launch;
	DstackTcbStatus current;
	DstackTcbStatus expected;
} relaunches[] = {
    {OUT_OF_DATE, UP_TO_DATE, RELAUNCH},
    {OUT_OF_DATE, SW_HARDENING, RELAUNCH},
    {OUT_OF_DATE, CONFIGURATION, RELAUNCH_CONF},
    {OUT_OF_DATE, CONFIGURATION_SW, RELAUNCH_CONF},
    {OUT_OF_DATE_CONF, UP_TO_DATE, RELAUNCH_CONF},
    {OUT_OF_DATE_CONF, SW_HARDENING, RELAUNCH_CONF},
    {OUT_OF_DATE_CONF, CONFIGURATION, RELAUNCH_CONF},
    {OUT_OF_DATE, OUT_OF_DATE, OUT_OF_DATE},
    {OUT_OF_DATE, OUT_OF_DATE_CONF, OUT_OF_DATE},
    {OUT_OF_DATE, REVOKED, OUT_OF_DATE},
    {UP_TO_DATE, OUT_OF_DATE, UP_TO_DATE},
    {UP_TO_DATE, UP_TO_DATE, UP_TO_DATE},
    {SW_HARDENING, UP_TO_DATE, SW_HARDENING},
    {CONFIGURATION, UP_TO_DATE, CONFIGURATION},
    {REVOKED, UP_TO_DATE, REVOKED},
};

static void
advises_relaunch_by_the_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(relaunches); i++)
		g_assert_cmpint(dstack_tcb_relaunch(relaunches[i].launch, relaunches[i].current), ==,
				relaunches[i].expected);
}

static void
reads_only_statuses_of_documents(void)
{
	static const gchar *const bad[] = {"uptodate", "Perfect", "", "TdRelaunchAdvised", "UpToDate "};
	DstackTcbStatus status = DSTACK_TCB_NONE;

	for (guint i = DSTACK_TCB_UP_TO_DATE; i <= DSTACK_TCB_REVOKED; i++) {
		gboolean on_the_wire = i != RELAUNCH && i != RELAUNCH_CONF;

		g_assert_cmpint(dstack_tcb_status_parse(dstack_tcb_status_to_string(i), &status, NULL), ==,
				on_the_wire);
		if (on_the_wire)
			g_assert_cmpint(status, ==, i);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(dstack_tcb_status_parse(bad[i], &status, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* --- matching: the documents of a forge, through the real parsers --- */

static gboolean
evaluate(const DstackForge *forge, DstackTcbStatus *out_status, gint64 *out_date, GPtrArray **out_advisories,
	 GError **error)
{
	g_autofree gchar *info_text = dstack_forge_tcb_info(forge);
	g_autofree gchar *identity_text = dstack_forge_qe_identity(forge);
	g_autoptr(DstackTcbInfo) info = dstack_tcb_info_parse(info_text, strlen(info_text), error);
	g_autoptr(DstackQeIdentity) identity = NULL;
	DstackTcbLevels levels = {0};
	DstackTcbSubject subject = {.pck = &forge->pck, .is_tdx = forge->body_type != DSTACK_QUOTE_SGX};
	DstackTcbEvaluation evaluation = {0};

	if (info == NULL)
		return FALSE;
	identity = dstack_qe_identity_parse(identity_text, strlen(identity_text), error);
	if (identity == NULL)
		return FALSE;
	levels.platform_levels = info->levels;
	levels.qe_levels = identity->levels;
	levels.module = info->has_module ? &info->module : NULL;
	levels.module_identities = info->module_identities;
	subject.qe_isvsvn = (guint16)(forge->qe_report.isvsvn[0] | forge->qe_report.isvsvn[1] << 8);
	memcpy(subject.tee_tcb_svn, forge->td.tee_tcb_svn, 16);
	memcpy(subject.mrsignerseam, forge->td.mrsignerseam, 48);
	memcpy(subject.seamattributes, forge->td.seamattributes, 8);
	if (!dstack_tcb_evaluate(&levels, &subject, &evaluation, error))
		return FALSE;
	*out_status = evaluation.status;
	*out_date = evaluation.date;
	*out_advisories = dstack_tcb_evaluation_dup_advisories(&evaluation);
	return TRUE;
}

static void
as_it_is(DstackForge *forge)
{
}

static void
worst_level_first(DstackForge *forge)
{
	DstackForgeLevel best = forge->levels[0];
	DstackForgeIsvLevel best_qe = forge->qe_levels[0];
	DstackForgeIsvLevel best_module = forge->modules[0].levels[0];

	forge->levels[0] = forge->levels[1];
	forge->levels[1] = best;
	forge->qe_levels[0] = forge->qe_levels[1];
	forge->qe_levels[1] = best_qe;
	forge->modules[0].levels[0] = forge->modules[0].levels[1];
	forge->modules[0].levels[1] = best_module;
}

/* lexicographically above the best level, and below it in one component */
static void
one_component_higher_one_lower(DstackForge *forge)
{
	forge->pck.components[0] = 200;
	forge->pck.components[9] = 4;
}

static void
last_component_lower(DstackForge *forge)
{
	forge->pck.components[15] = 4;
}

static void
component_below_every_level(DstackForge *forge)
{
	forge->pck.components[15] = 1;
}

static void
pcesvn_lower(DstackForge *forge)
{
	forge->pck.pcesvn = 10;
}

static void
pcesvn_higher(DstackForge *forge)
{
	forge->pck.pcesvn = 300;
}

static void
pcesvn_below_every_level(DstackForge *forge)
{
	forge->pck.pcesvn = 4;
}

/* between levels that differ in nothing else, PCESVN decides before the TDX components */
static void
levels_differ_in_pcesvn_only(DstackForge *forge)
{
	forge->levels[1] = forge->levels[0];
	forge->levels[1].pcesvn = 9;
	forge->levels[1].tdx[2] = 0;
	forge->levels[1].status = "ConfigurationNeeded";
	forge->pck.pcesvn = 9;
}

static void
tdx_component_2_lower(DstackForge *forge)
{
	forge->td.tee_tcb_svn[2] = 4;
}

static void
tdx_component_15_lower(DstackForge *forge)
{
	forge->levels[0].tdx[15] = 1;
}

/* components 0 and 1 are the module's business where it has a version */
static void
tdx_components_0_and_1_skipped(DstackForge *forge)
{
	forge->levels[0].tdx[0] = 9;
	forge->levels[0].tdx[1] = 9;
}

/* a TD's components are compared with the TD's SVNs, not with the platform's */
static void
tdx_components_above_sgx(DstackForge *forge)
{
	forge->levels[0].tdx[4] = 50;
	forge->td.tee_tcb_svn[4] = 50;
}

static void
module_version_0(DstackForge *forge)
{
	forge->td.tee_tcb_svn[1] = 0;
	forge->modules[0].levels[0].status = "Revoked"; /* must not matter */
}

static void
module_version_0_component_0_lower(DstackForge *forge)
{
	module_version_0(forge);
	forge->td.tee_tcb_svn[0] = 2;
}

static void
module_version_0_without_identities(DstackForge *forge)
{
	module_version_0(forge);
	forge->modules[0].id = NULL;
}

static void
module_version_0_other_signer(DstackForge *forge)
{
	module_version_0(forge);
	forge->module_mrsigner[0] = 1;
}

static void
module_id_in_hex(DstackForge *forge)
{
	forge->td.tee_tcb_svn[1] = 0x1f;
	forge->modules[0].id = "TDX_1F";
}

static void
module_id_in_decimal(DstackForge *forge)
{
	forge->td.tee_tcb_svn[1] = 0x1f;
	forge->modules[0].id = "TDX_31";
}

static void
module_id_in_lower_case(DstackForge *forge)
{
	forge->td.tee_tcb_svn[1] = 0x0a;
	forge->modules[0].id = "tdx_0a";
}

static void
module_id_absent(DstackForge *forge)
{
	forge->td.tee_tcb_svn[1] = 2;
}

static void
module_signer_of_identity(DstackForge *forge)
{
	forge->modules[0].mrsigner[5] = 1;
	forge->td.mrsignerseam[5] = 1;
}

static void
module_signer_of_base_only(DstackForge *forge)
{
	forge->module_mrsigner[5] = 1;
	forge->td.mrsignerseam[5] = 1;
}

static void
module_attributes_differ(DstackForge *forge)
{
	forge->td.seamattributes[7] = 0x80;
}

static void
module_old(DstackForge *forge)
{
	forge->td.tee_tcb_svn[0] = 2;
}

static void
module_below_every_level(DstackForge *forge)
{
	forge->td.tee_tcb_svn[0] = 1;
}

static void
module_with_status_of_platforms(DstackForge *forge)
{
	forge->modules[0].levels[0].status = "SWHardeningNeeded";
}

static void
module_good_platform_not(DstackForge *forge)
{
	forge->levels[0].status = "ConfigurationAndSWHardeningNeeded";
}

static void
qe_old(DstackForge *forge)
{
	forge->qe_report.isvsvn[0] = 7;
}

static void
qe_below_every_level(DstackForge *forge)
{
	forge->qe_report.isvsvn[0] = 3;
}

static void
qe_isvsvn_of_two_bytes(DstackForge *forge)
{
	forge->qe_report.isvsvn[0] = 0;
	forge->qe_report.isvsvn[1] = 1;
}

static void
qe_with_status_of_platforms(DstackForge *forge)
{
	forge->qe_levels[0].status = "SWHardeningNeeded";
}

static void
qe_needs_configuration(DstackForge *forge)
{
	forge->qe_levels[0].status = "ConfigurationNeeded";
}

static void
everything_old(DstackForge *forge)
{
	forge->pck.components[3] = 4;
	forge->td.tee_tcb_svn[0] = 2;
	forge->qe_report.isvsvn[0] = 5;
}

static void
sgx_without_tdx_components(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 3);
	memset(forge->td.tee_tcb_svn, 0, 16);
}

static void
sgx_of_version_2(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 3);
	forge->tcb_info_id = NULL;
	forge->pck.components[15] = 4;
}

#define PLATFORM_DATE 1746057600 /* 2025-05-01 */
#define QE_DATE	      1743465600 /* 2025-04-01 */

static const struct {
	const gchar *name;
	void (*twist)(DstackForge *forge);
	DstackTcbStatus status;	 /* NONE: not supported, or another module */
	const gchar *advisories; /* joined by spaces */
} matches[] = {
    {"as it is", as_it_is, UP_TO_DATE, ""},
    {"worst level first", worst_level_first, UP_TO_DATE, ""},
    {"one component higher, one lower", one_component_higher_one_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"last component lower", last_component_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"component below every level", component_below_every_level, DSTACK_TCB_NONE, NULL},
    {"PCESVN lower", pcesvn_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"PCESVN higher", pcesvn_higher, UP_TO_DATE, ""},
    {"PCESVN below every level", pcesvn_below_every_level, DSTACK_TCB_NONE, NULL},
    {"levels differ in PCESVN only", levels_differ_in_pcesvn_only, CONFIGURATION, ""},
    {"TDX component 2 lower", tdx_component_2_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"TDX component 15 lower", tdx_component_15_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"TDX components 0 and 1 skipped", tdx_components_0_and_1_skipped, UP_TO_DATE, ""},
    {"TDX components above SGX's", tdx_components_above_sgx, UP_TO_DATE, ""},
    {"module version 0", module_version_0, UP_TO_DATE, ""},
    {"module version 0, component 0 lower", module_version_0_component_0_lower, OUT_OF_DATE, "INTEL-SA-00001"},
    {"module version 0, no identities", module_version_0_without_identities, UP_TO_DATE, ""},
    {"module version 0, another signer", module_version_0_other_signer, DSTACK_TCB_NONE, NULL},
    {"module id in hex", module_id_in_hex, UP_TO_DATE, ""},
    {"module id in decimal", module_id_in_decimal, DSTACK_TCB_NONE, NULL},
    {"module id in lower case", module_id_in_lower_case, UP_TO_DATE, ""},
    {"module id absent", module_id_absent, DSTACK_TCB_NONE, NULL},
    {"module signer of the identity", module_signer_of_identity, UP_TO_DATE, ""},
    {"module signer of tdxModule only", module_signer_of_base_only, DSTACK_TCB_NONE, NULL},
    {"module attributes differ", module_attributes_differ, DSTACK_TCB_NONE, NULL},
    {"module old", module_old, OUT_OF_DATE, "INTEL-SA-00002"},
    {"module below every level", module_below_every_level, DSTACK_TCB_NONE, NULL},
    {"module with a platform's status", module_with_status_of_platforms, DSTACK_TCB_NONE, NULL},
    {"module good, platform not", module_good_platform_not, CONFIGURATION_SW, ""},
    {"QE old", qe_old, OUT_OF_DATE, "INTEL-SA-00003"},
    {"QE below every level", qe_below_every_level, DSTACK_TCB_NONE, NULL},
    {"QE ISVSVN of two bytes", qe_isvsvn_of_two_bytes, UP_TO_DATE, ""},
    {"QE with a platform's status", qe_with_status_of_platforms, DSTACK_TCB_NONE, NULL},
    {"QE needs configuration", qe_needs_configuration, UP_TO_DATE, ""},
    {"everything old", everything_old, OUT_OF_DATE, "INTEL-SA-00001 INTEL-SA-00003 INTEL-SA-00002"},
    {"SGX has no TDX components", sgx_without_tdx_components, UP_TO_DATE, ""},
    {"SGX, version 2", sgx_of_version_2, OUT_OF_DATE, "INTEL-SA-00001"},
};

static void
matches_levels_by_the_rules(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(matches); i++) {
		g_auto(DstackForge) forge = {0};
		g_autoptr(GPtrArray) advisories = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree gchar *joined = NULL;
		DstackTcbStatus status = DSTACK_TCB_NONE;
		gint64 date = 0;
		gboolean ok = FALSE;

		dstack_forge_init(&forge);
		matches[i].twist(&forge);
		ok = evaluate(&forge, &status, &date, &advisories, &error);
		g_test_message("%s: %s", matches[i].name, ok ? dstack_tcb_status_to_string(status) : error->message);
		g_assert_cmpint(status, ==, matches[i].status);
		if (!ok) {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
			continue;
		}
		g_ptr_array_add(advisories, NULL);
		joined = g_strjoinv(" ", (gchar **)advisories->pdata);
		g_assert_cmpstr(joined, ==, matches[i].advisories);
	}
}

static void
reports_the_earliest_date_of_the_matched_levels(void)
{
	g_auto(DstackForge) forge = {0};
	g_autoptr(GPtrArray) one = NULL;
	g_autoptr(GPtrArray) two = NULL;
	g_autoptr(GPtrArray) three = NULL;
	DstackTcbStatus status = DSTACK_TCB_NONE;
	gint64 date = 0;

	dstack_forge_init(&forge);
	g_assert_true(evaluate(&forge, &status, &date, &one, NULL));
	g_assert_cmpint(date, ==, QE_DATE);
	forge.qe_levels[0].date = "2025-12-01T00:00:00Z";
	g_assert_true(evaluate(&forge, &status, &date, &two, NULL));
	g_assert_cmpint(date, ==, PLATFORM_DATE);
	forge.modules[0].levels[0].date = "2020-01-01T00:00:00Z";
	g_assert_true(evaluate(&forge, &status, &date, &three, NULL));
	g_assert_cmpint(date, ==, 1577836800);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/tcb-status/converges-by-the-table", converges_by_the_table);
	g_test_add_func("/dcap/tcb-status/advises-relaunch-by-the-table", advises_relaunch_by_the_table);
	g_test_add_func("/dcap/tcb-status/reads-only-statuses-of-documents", reads_only_statuses_of_documents);
	g_test_add_func("/dcap/tcb-status/matches-levels-by-the-rules", matches_levels_by_the_rules);
	g_test_add_func("/dcap/tcb-status/reports-the-earliest-date-of-the-matched-levels",
			reports_the_earliest_date_of_the_matched_levels);
	return g_test_run();
}
