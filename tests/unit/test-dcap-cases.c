/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every case of vectors/dcap. A case's `strict` verdict is ours, but for the policy questions: each has its line
 * here with what we do and why. TD and enclave attributes are waived, as `strict` does not judge them, except in
 * the lines that are about them: there, refused without the waiver and accepted with it.
 */

#include "config.h"

#include <string.h>

#include "dcap/verify.h"
#include "dstack/error.h"
#include "support/dcap-cases.h"
#include "support/vectors.h"

#define N_CASES 726
#define ALLOW_ALL                                                                                                      \
	(DSTACK_DCAP_ALLOW_DEBUG | DSTACK_DCAP_ALLOW_SEPT_VE | DSTACK_DCAP_ALLOW_SERVICE_TD |                          \
	 DSTACK_DCAP_ALLOW_RESERVED)

typedef struct {
	const gchar *id;
	const gchar *status; /* NULL: refused */
	guint needs;	     /* the waiver without which it is refused as well */
	const gchar *why;
} PolicyLine;

static const PolicyLine policy_lines[] = {
    {"a4-inner-certtype-1", NULL, 0, "the type of the certification data does not fit its content"},
    {"a4-inner-certtype-2", NULL, 0, "the type of the certification data does not fit its content"},
    {"a4-inner-certtype-3", NULL, 0, "the type of the certification data does not fit its content"},
    {"a4-inner-certtype-4", NULL, 0, "the type of the certification data does not fit its content"},
    {"a4-chain-noroot", NULL, 0, "a PCK chain is exactly leaf, CA and root"},
    {"a4-chain-dup", NULL, 0, "a certificate twice makes four"},
    {"a4-chain-reversed", "UpToDate", 0, "the names say which certificate is which, not their order"},
    {"a4-trail-1", "UpToDate", 0, "zero bytes after the authentication data are padding"},
    {"a4-trail-garbage", NULL, 0, "bytes after the authentication data must be zero"},
    {"a4-tcb-pretty", NULL, 0, "the signature is over the bytes received, and these are others"},
    {"a4-rootcacrl-trailing", NULL, 0, "a list is one DER structure and no byte after it"},
    {"a4-pckcrl-trailing", NULL, 0, "a list is one DER structure and no byte after it"},
    {"a4-chain-tcb-noroot", NULL, 0, "a signing chain is exactly leaf and root"},
    {"a5-inner-certtype-1", NULL, 0, "the type of the certification data does not fit its content"},
    {"a5-inner-certtype-2", NULL, 0, "the type of the certification data does not fit its content"},
    {"a5-inner-certtype-3", NULL, 0, "the type of the certification data does not fit its content"},
    {"a5-inner-certtype-4", NULL, 0, "the type of the certification data does not fit its content"},
    {"a5-chain-noroot", NULL, 0, "a PCK chain is exactly leaf, CA and root"},
    {"a5-chain-dup", NULL, 0, "a certificate twice makes four"},
    {"a5-chain-reversed", "UpToDate", 0, "the names say which certificate is which, not their order"},
    {"a5-trail-1", "UpToDate", 0, "zero bytes after the authentication data are padding"},
    {"a5-trail-garbage", NULL, 0, "bytes after the authentication data must be zero"},
    {"a3-inner-certtype-1", NULL, 0, "the type of the certification data does not fit its content"},
    {"a3-inner-certtype-2", NULL, 0, "the type of the certification data does not fit its content"},
    {"a3-inner-certtype-3", NULL, 0, "the type of the certification data does not fit its content"},
    {"a3-inner-certtype-4", NULL, 0, "the type of the certification data does not fit its content"},
    {"a3-chain-noroot", NULL, 0, "a PCK chain is exactly leaf, CA and root"},
    {"a3-chain-dup", NULL, 0, "a certificate twice makes four"},
    {"a3-chain-reversed", "SWHardeningNeeded", 0, "the names say which certificate is which, not their order"},
    {"a3-trail-1", "SWHardeningNeeded", 0, "zero bytes after the authentication data are padding"},
    {"a3-trail-garbage", NULL, 0, "bytes after the authentication data must be zero"},
    {"a-cpusvn-vs-comps", "UpToDate", 0, "levels are compared with the 16 components, as Intel does"},
    {"a-levels-unsorted", "UpToDate", 0, "levels are sorted before they are matched"},
    {"a-tcb-date-frac", NULL, 0, "dates have no fraction of a second"},
    {"a-tcb-date-offset", NULL, 0, "dates have no time zone but Z"},
    {"a-tcb-deep", NULL, 0, "JSON nests at most 32 deep"},
    {"a-tcb-deep-5000", NULL, 0, "JSON nests at most 32 deep; and nothing overflows"},
    {"a-tcb-dupkey", NULL, 0, "a member twice leaves it to the reader which one counts"},
    {"a-tcb-dup-fmspc", NULL, 0, "a member twice leaves it to the reader which one counts"},
    {"a-tcb-utf8-bom", NULL, 0, "a byte order mark is no JSON"},
    {"a-tcb-escapes", "UpToDate", 0, "an escape is JSON, and these exact bytes were signed"},
    {"a-rev-root", "UpToDate", 0, "a root is trusted by its key; a list that it signs cannot take that away"},
    {"a-rev-pck-in-rootcrl", "UpToDate", 0,
     "the root's list speaks of what the root issued; the leaf has another issuer"},
    {"a-crl-nonumber", NULL, 0, "a list without a number cannot be told from an older one"},
    {"a-chain-extra", NULL, 0, "a PCK chain is exactly leaf, CA and root"},
    {"a-qe-misc-endian", "UpToDate", 0, "masks are byte strings in the order of the report"},
    {"a-qe-attr-unmasked-id", NULL, 0, "a bit outside the mask can never be met"},
    {"a-qe-version3", NULL, 0, "an identity of a version we do not know"},
    {"a-qe-rd-hi", NULL, 0, "the upper half of the QE report data must be zero"},
    {"a-qeauth-0", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qeauth-1", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qeauth-31", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qeauth-33", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qeauth-64", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qeauth-1000", "UpToDate", 0, "QE authentication data may have any length"},
    {"a-qe-levels-unsorted", "UpToDate", 0, "levels are sorted before they are matched"},
    {"a-certtype4", NULL, 0, "a leaf alone leads nowhere: the chain must be in the quote"},
    {"a-kind-td15ex", "UpToDate", 0, "TD 1.5 Ex is a body that we know"},
    {"a-td-debug", "UpToDate", DSTACK_DCAP_ALLOW_DEBUG, "DEBUG is refused unless waived"},
    {"a-td-noseptve", "UpToDate", DSTACK_DCAP_ALLOW_SEPT_VE, "SEPT_VE_DISABLE is required unless waived"},
    {"a-td-reserved", "UpToDate", DSTACK_DCAP_ALLOW_RESERVED, "reserved bits are refused unless waived"},
    {"a-td-migratable", "UpToDate", DSTACK_DCAP_ALLOW_RESERVED, "MIGRATABLE counts as reserved"},
    {"a-td15-servicetd", "UpToDate", DSTACK_DCAP_ALLOW_SERVICE_TD, "a service TD is refused unless waived"},
    {"a-sgx-debug", "UpToDate", DSTACK_DCAP_ALLOW_DEBUG, "DEBUG is refused unless waived"},
    {"a-relaunch-seamldr-low", "OutOfDate", 0, "the current SVNs reach no better level, so the launch counts"},
    {"a-relaunch-svn2-unsupported", NULL, 0, "the current TCB is not supported, so the whole is not"},
    {"a-relaunch-svn2-revoked", "OutOfDate", 0, "a current level that is no better leaves what was launched"},
    {"a-relaunch-mod0", "TdRelaunchAdvised", 0, "module version 0 has no module level; the platform's moves with svn2"},
    {"a-chain-reversed", "UpToDate", 0, "the names say which certificate is which, not their order"},
};

/* quotes that come without (complete) collateral: what can be known of them all the same */
typedef struct {
	const gchar *id;
	gboolean parses;
	gboolean is_signed;
	gint64 time; /* 0: the case's own */
	const gchar *why;
} SpecialLine;

static const SpecialLine special_lines[] = {
    {"special-970fa0a3", TRUE, TRUE, 1790000000, "complete, but for collateral"},
    {"special-ce9cdba8", TRUE, TRUE, 1790000000, "complete, but for collateral"},
    {"special-ec2858d5", TRUE, TRUE, 1717200000, "complete, but for collateral"},
    {"special-6fb27f35", TRUE, FALSE, 1717200000, "a pre-production root of another key"},
    {"special-72a05bf6", TRUE, FALSE, 1717200000, "certification data of type 3: an encrypted PPID, no chain"},
    {"special-46ca3f90", TRUE, TRUE, 0, "signed; with its collateral, a list that ran out refuses it (below)"},
    {"special-9606fc4c", TRUE, TRUE, 1733000000, "signed; the 32 bytes behind it are zero"},
    {"special-57316ac1", TRUE, FALSE, 1717200000, "one byte of the leaf is damaged: its issuer reads Platform0CA"},
    {"special-7d63357d", TRUE, TRUE, 1717200000,
     "the older root certificate, with the same key: signed (the vectors' note is mistaken)"},
    {"special-6dc7792a", TRUE, FALSE, 1717200000, "the same quote with a damaged signature"},
    {"special-2f59d4cb", TRUE, FALSE, 1717200000, "certification data of type 3: an encrypted PPID, no chain"},
    {"special-91545fa2", TRUE, TRUE, 1790000000, "complete, but for collateral"},
    {"special-0c07f460", TRUE, TRUE, 1790000000, "complete, but for collateral"},
    {"special-8cc428aa", FALSE, FALSE, 0, "certification data of type 1 that is two bytes short"},
    {"special-759b9c77", TRUE, TRUE, 1717200000, "complete, but for collateral"},
    {"special-20d379d8", FALSE, FALSE, 0, "truncated"},
    {"special-9d37356f", FALSE, FALSE, 0, "truncated"},
    {"special-f4f27469", TRUE, FALSE, 1717200000, "a root of another key"},
};

static const PolicyLine *
find_policy_line(const gchar *id)
{
	for (gsize i = 0; i < G_N_ELEMENTS(policy_lines); i++) {
		if (g_str_equal(policy_lines[i].id, id))
			return &policy_lines[i];
	}
	return NULL;
}

/* the outcome in one line: the status, or why not */
static gchar *
describe_outcome(DstackDcapCases *cases, const DstackDcapCase *a_case, guint allow, DstackDcapResult **out_result)
{
	g_autoptr(GBytes) bytes = dstack_dcap_cases_read_quote(cases, a_case);
	g_autoptr(DstackDcapResult) result = NULL;
	g_autoptr(GError) error = NULL;
	DstackCollateral *collateral = dstack_dcap_cases_load_collateral(cases, a_case, &error);
	DstackQuote quote;

	if (collateral == NULL)
		return g_strdup_printf("refused: %s", error->message);
	if (!dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error))
		return g_strdup_printf("refused: %s", error->message);
	result = dstack_dcap_verify(&quote, collateral, &a_case->context, allow);
	if (!dstack_dcap_result_is_valid(result)) {
		g_assert_nonnull(result->error);
		return g_strdup_printf("refused: %s", result->error->message);
	}
	g_assert_no_error(result->error);
	*out_result = g_steal_pointer(&result);
	return g_strdup(dstack_tcb_status_to_string((*out_result)->status));
}

static gint
compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const gchar *const *)a, *(const gchar *const *)b);
}

static void
check_advisories(const DstackDcapCase *a_case, const DstackDcapResult *result)
{
	g_autoptr(GString) expected = g_string_new(NULL);
	g_autoptr(GString) found = g_string_new(NULL);
	JsonArray *array = NULL;

	if (!json_object_has_member(a_case->json, "advisory_ids_qvl"))
		return;
	array = json_object_get_array_member(a_case->json, "advisory_ids_qvl");
	for (guint i = 0; i < json_array_get_length(array); i++)
		g_string_append_printf(expected, "%s ", json_array_get_string_element(array, i));
	g_ptr_array_sort(result->advisories, compare_strings);
	for (guint i = 0; i < result->advisories->len; i++)
		g_string_append_printf(found, "%s ", (const gchar *)g_ptr_array_index(result->advisories, i));
	if (!g_str_equal(expected->str, found->str)) {
		g_test_message("%s: expected advisories %s, found %s", a_case->id, expected->str, found->str);
		g_test_fail();
	}
}

static void
check_case(DstackDcapCases *cases, const DstackDcapCase *a_case, const gchar *expected, guint allow)
{
	g_autoptr(DstackDcapResult) result = NULL;
	g_autofree gchar *outcome = describe_outcome(cases, a_case, allow, &result);

	g_test_message("%s: %s", a_case->id, outcome);
	if (expected == NULL ? !g_str_has_prefix(outcome, "refused: ") : !g_str_equal(outcome, expected)) {
		g_test_message("%s: expected %s", a_case->id, expected != NULL ? expected : "a refusal");
		g_test_fail();
	}
	if (result == NULL)
		return;
	check_advisories(a_case, result);
	g_assert_cmpint(result->root_is_pinned, ==, a_case->context.root_der == NULL);
}

static void
gives_the_strict_verdict(void)
{
	g_autoptr(DstackDcapCases) cases = NULL;
	guint n = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cases = dstack_dcap_cases_new();
	g_assert_cmpuint(dstack_dcap_cases_count(cases), ==, N_CASES);
	for (guint i = 0; i < N_CASES; i++) {
		DstackDcapCase a_case = dstack_dcap_cases_get(cases, i);
		gboolean accept = FALSE;

		if (a_case.strict == NULL || json_object_has_member(a_case.strict, "policy_question"))
			continue;
		accept = g_str_equal(json_object_get_string_member(a_case.strict, "verdict"), "accept");
		check_case(cases, &a_case, accept ? json_object_get_string_member(a_case.strict, "status") : NULL,
			   ALLOW_ALL);
		n++;
	}
	g_assert_cmpuint(n, ==, N_CASES - G_N_ELEMENTS(policy_lines) - G_N_ELEMENTS(special_lines));
}

static void
answers_every_policy_question(void)
{
	g_autoptr(DstackDcapCases) cases = NULL;
	guint n = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cases = dstack_dcap_cases_new();
	for (guint i = 0; i < N_CASES; i++) {
		DstackDcapCase a_case = dstack_dcap_cases_get(cases, i);
		const PolicyLine *line = NULL;

		if (a_case.strict == NULL || !json_object_has_member(a_case.strict, "policy_question"))
			continue;
		line = find_policy_line(a_case.id);
		g_assert_nonnull(line);
		check_case(cases, &a_case, line->status, ALLOW_ALL);
		if (line->needs != 0)
			check_case(cases, &a_case, NULL, ALLOW_ALL & ~line->needs);
		n++;
	}
	g_assert_cmpuint(n, ==, G_N_ELEMENTS(policy_lines));
}

static void
tells_what_can_be_known_without_collateral(void)
{
	g_autoptr(DstackDcapCases) cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cases = dstack_dcap_cases_new();
	for (gsize i = 0; i < G_N_ELEMENTS(special_lines); i++) {
		const SpecialLine *line = &special_lines[i];
		DstackDcapCase a_case = dstack_dcap_cases_find(cases, line->id);
		g_autoptr(GBytes) bytes = dstack_dcap_cases_read_quote(cases, &a_case);
		g_autoptr(DstackDcapResult) result = NULL;
		g_autoptr(GError) error = NULL;
		DstackQuote quote;
		gboolean parses =
		    dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error);

		g_assert_null(a_case.strict);
		if (!parses)
			g_test_message("%s: %s", line->id, error->message);
		g_assert_cmpint(parses, ==, line->parses);
		if (!parses)
			continue;
		if (line->time != 0)
			a_case.context.now = line->time;
		result = dstack_dcap_verify(&quote, NULL, &a_case.context, ALLOW_ALL);
		g_test_message("%s: %s", line->id, result->error != NULL ? result->error->message : "signed");
		if (dstack_dcap_result_is_signed(result) != line->is_signed)
			g_test_fail();
		/* whatever is known, without collateral it is not enough */
		g_assert_false(dstack_dcap_result_is_valid(result));
		g_assert_cmpint(result->status, ==, DSTACK_TCB_NONE);
	}
}

/* these two have collateral, all of it good but for a list that had run out; the second quote's platform was not
 * even certified at that time */
static void
refuses_incomplete_collateral_at_its_time(void)
{
	static const struct {
		const gchar *id;
		const gchar *outcome;
	} lines[] = {
	    {"special-46ca3f90", "refused: PCK revocation list: out of date: valid from 2024-07-"},
	    {"special-9606fc4c", "refused: PCK certificate: not valid yet: valid from 2024-09-20"},
	};
	g_autoptr(DstackDcapCases) cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cases = dstack_dcap_cases_new();
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		DstackDcapCase a_case = dstack_dcap_cases_find(cases, lines[i].id);
		g_autoptr(DstackDcapResult) result = NULL;
		g_autofree gchar *outcome = describe_outcome(cases, &a_case, ALLOW_ALL, &result);

		g_assert_true(g_str_has_prefix(outcome, lines[i].outcome));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/cases/gives-the-strict-verdict", gives_the_strict_verdict);
	g_test_add_func("/dcap/cases/answers-every-policy-question", answers_every_policy_question);
	g_test_add_func("/dcap/cases/tells-what-can-be-known-without-collateral",
			tells_what_can_be_known_without_collateral);
	g_test_add_func("/dcap/cases/refuses-incomplete-collateral-at-its-time",
			refuses_incomplete_collateral_at_its_time);
	return g_test_run();
}
