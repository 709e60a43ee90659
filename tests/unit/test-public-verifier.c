/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification as users of the library see it: through <dstack/dstack.h> alone.
 */

#include "config.h"

#include <dstack/dstack.h>

#include <string.h>

#include "support/tdx-forge.h"
#include "support/vectors.h"

#define WHEN G_GINT64_CONSTANT(1782215795) /* inside the collateral's interval */

static const gchar evidence_name[] = "tdx/dstack/tdx-lite-getquote.json";
static const gchar collateral_name[] = "dcap/collateral/f91c5545cef798cf.json";

static DstackVerifier *
verifier_for_vectors(void)
{
	DstackVerifier *verifier = dstack_verifier_new(WHEN);
	g_autoptr(GBytes) collateral = dstack_test_vector_read(collateral_name);
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_verifier_set_collateral(verifier, collateral, &error));
	g_assert_no_error(error);
	return verifier;
}

static gboolean
is_valid(const DstackVerifier *verifier)
{
	g_autoptr(GBytes) evidence = dstack_test_vector_read(evidence_name);
	g_autoptr(GError) error = NULL;
	gboolean valid = 42;
	g_autofree gchar *json = dstack_verifier_verify(verifier, evidence, &valid, &error);

	g_assert_no_error(error);
	g_assert_cmpint(g_str_has_prefix(json, "{\"is_valid\":true,"), ==, valid);
	return valid;
}

static void
verifies_real_evidence(void)
{
	g_autoptr(DstackVerifier) verifier = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	verifier = verifier_for_vectors();
	g_assert_true(is_valid(verifier));
}

static void
is_strict_until_told_otherwise(void)
{
	g_autoptr(DstackVerifier) verifier = dstack_verifier_new(WHEN);

	if (dstack_test_vectors_dir() == NULL)
		return;
	g_assert_false(is_valid(verifier));
	dstack_verifier_set_no_collateral(verifier, TRUE);
	g_assert_true(is_valid(verifier));
}

static void
heeds_what_the_caller_wants(void)
{
	guint8 report_data[DSTACK_REPORT_DATA_SIZE] = {0};
	g_autoptr(DstackVerifier) verifier = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	verifier = verifier_for_vectors();
	dstack_verifier_allow_tcb(verifier, "OutOfDate");
	g_assert_false(is_valid(verifier));
	dstack_verifier_allow_tcb(verifier, "UpToDate");
	g_assert_true(is_valid(verifier));
	dstack_verifier_set_report_data(verifier, report_data);
	g_assert_false(is_valid(verifier));
	dstack_verifier_set_report_data(verifier, NULL);
	dstack_verifier_set_boot_time_mr(verifier, TRUE);
	g_assert_true(is_valid(verifier));
}

/* forged evidence verifies under the forge's root only, and the verdict says so */
static void
trusts_another_root_only_when_told(void)
{
	for (guint given = 0; given < 2; given++) {
		g_auto(DstackForge) forge = {0};
		g_auto(DstackForged) forged = {0};
		g_autoptr(DstackVerifier) verifier = dstack_verifier_new(DSTACK_FORGE_NOW);
		g_autoptr(GBytes) collateral = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree gchar *json = NULL;
		gboolean valid = FALSE;

		dstack_forge_init(&forge);
		dstack_forge_build(&forge, &forged);
		collateral = g_bytes_new(forged.collateral, strlen(forged.collateral));
		if (given == 1)
			g_assert_true(dstack_verifier_set_root(verifier, forged.root_der, &error));
		g_assert_true(dstack_verifier_set_collateral(verifier, collateral, &error));
		json = dstack_verifier_verify_bare(verifier, forged.quote, &valid, &error);
		g_assert_no_error(error);
		g_assert_cmpint(valid, ==, given == 1);
		g_assert_cmpint(strstr(json, "\"root\":\"given by the caller") != NULL, ==, given == 1);
		g_assert_false(dstack_verifier_set_root(verifier, forged.root_der, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	}
}

static void
says_why_there_is_no_verdict(void)
{
	g_autoptr(DstackVerifier) verifier = dstack_verifier_new(WHEN);
	g_autoptr(GBytes) nothing = g_bytes_new_static("{}", 2);
	g_autoptr(GError) error = NULL;
	gboolean valid = 42;

	g_assert_null(dstack_verifier_verify(verifier, nothing, &valid, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_cmpint(valid, ==, 42);
	g_clear_error(&error);
	g_assert_null(dstack_verifier_verify_bare(verifier, nothing, &valid, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_clear_error(&error);
	g_assert_false(dstack_verifier_allow(verifier, "everything", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_clear_error(&error);
	g_assert_false(dstack_verifier_set_collateral(verifier, nothing, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/public-verifier/verifies-real-evidence", verifies_real_evidence);
	g_test_add_func("/public-verifier/is-strict-until-told-otherwise", is_strict_until_told_otherwise);
	g_test_add_func("/public-verifier/heeds-what-the-caller-wants", heeds_what_the_caller_wants);
	g_test_add_func("/public-verifier/trusts-another-root-only-when-told", trusts_another_root_only_when_told);
	g_test_add_func("/public-verifier/says-why-there-is-no-verdict", says_why_there_is_no_verdict);
	return g_test_run();
}
