/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of a verification by itself, on forged evidence that is good but for one thing. Whatever the forge
 * makes is also tried under the pinned root, where none of it may pass.
 */

#include "config.h"

#include <string.h>

#include "dcap/verify.h"
#include "dstack/error.h"
#include "support/tdx-forge.h"

#define DAY 86400

/* the outcome of one verification, as a test asks for it */
typedef struct {
	DstackDcapStep step; /* that fails; DSTACK_N_DCAP_STEPS: valid */
	const gchar *status; /* when valid */
	const gchar *text;   /* (nullable): what the error says */
} Outcome;

#define VALID(status)                                                                                                  \
	{                                                                                                              \
		DSTACK_N_DCAP_STEPS, status, NULL                                                                      \
	}
#define FAILS_AT(step, text)                                                                                           \
	{                                                                                                              \
		step, NULL, text                                                                                       \
	}
/* the collateral does not even load */
#define UNREADABLE(text)                                                                                               \
	{                                                                                                              \
		DSTACK_DCAP_COLLATERAL, NULL, text                                                                     \
	}

static DstackDcapResult *
verify(const DstackForged *forged, const DstackContext *context, guint allow, GError **error)
{
	g_autoptr(DstackCollateral) collateral =
	    dstack_collateral_parse(forged->collateral, strlen(forged->collateral), context, error);
	DstackQuote quote;

	if (collateral == NULL ||
	    !dstack_quote_parse(&quote, g_bytes_get_data(forged->quote, NULL), g_bytes_get_size(forged->quote), error))
		return NULL;
	return dstack_dcap_verify(&quote, collateral, context, allow);
}

static void
assert_refused_under_pinned_root(const DstackForged *forged)
{
	DstackContext context = {.now = forged->context.now};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDcapResult) result = verify(forged, &context, G_MAXUINT, &error);

	if (result == NULL)
		return;
	g_assert_false(dstack_dcap_result_is_valid(result));
	g_assert_false(dstack_dcap_result_is_signed(result));
	g_assert_cmpint(result->state[DSTACK_DCAP_PCK_CHAIN], ==, DSTACK_DCAP_FAILED);
	g_assert_true(result->root_is_pinned);
}

static void
assert_failed_at(const DstackDcapResult *result, DstackDcapStep step)
{
	for (guint i = 0; i < DSTACK_N_DCAP_STEPS; i++) {
		DstackDcapState expected = i < step    ? DSTACK_DCAP_OK
					   : i == step ? DSTACK_DCAP_FAILED
						       : DSTACK_DCAP_NOT_CHECKED;

		g_assert_cmpint(result->state[i], ==, expected);
	}
	g_assert_nonnull(result->error);
}

static DstackDcapResult *
assert_outcome(DstackForge *forge, gint64 now, guint allow, const Outcome *expected, const gchar *name)
{
	g_auto(DstackForged) forged = {0};
	g_autoptr(DstackDcapResult) result = NULL;
	g_autoptr(GError) error = NULL;
	const gchar *message = NULL;

	dstack_forge_build(forge, &forged);
	forged.context.now = now;
	result = verify(&forged, &forged.context, allow, &error);
	message = error != NULL ? error->message : result->error != NULL ? result->error->message : NULL;
	g_test_message("%s: %s", name, message != NULL ? message : dstack_tcb_status_to_string(result->status));
	if (expected->text != NULL) {
		g_assert_nonnull(message);
		g_assert_nonnull(strstr(message, expected->text));
	}
	if (result == NULL) {
		g_assert_cmpint(expected->step, ==, DSTACK_DCAP_COLLATERAL);
	} else if (expected->step != DSTACK_N_DCAP_STEPS) {
		assert_failed_at(result, expected->step);
		g_assert_false(dstack_dcap_result_is_valid(result));
	} else {
		g_assert_no_error(result->error);
		g_assert_true(dstack_dcap_result_is_valid(result));
		g_assert_cmpstr(dstack_tcb_status_to_string(result->status), ==, expected->status);
		g_assert_false(result->root_is_pinned);
	}
	assert_refused_under_pinned_root(&forged);
	return g_steal_pointer(&result);
}

/* --- the whole --- */

static const struct {
	guint16 version;
	DstackQuoteBodyType body;
} kinds[] = {
    {4, DSTACK_QUOTE_TD10}, {5, DSTACK_QUOTE_TD10}, {5, DSTACK_QUOTE_TD15}, {5, DSTACK_QUOTE_TD15_EX},
    {3, DSTACK_QUOTE_SGX},  {4, DSTACK_QUOTE_SGX},  {5, DSTACK_QUOTE_SGX},
};

static void
accepts_good_quotes_of_every_kind(void)
{
	const Outcome expected = VALID("UpToDate");

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_auto(DstackForge) forge = {0};
		g_autoptr(DstackDcapResult) result = NULL;

		dstack_forge_init(&forge);
		if (kinds[i].body == DSTACK_QUOTE_SGX)
			dstack_forge_make_sgx(&forge, kinds[i].version);
		forge.version = kinds[i].version;
		forge.body_type = kinds[i].body;
		result = assert_outcome(&forge, DSTACK_FORGE_NOW, 0, &expected,
					dstack_quote_body_type_to_string(kinds[i].body));
	}
}

static void
tells_what_users_read_in_supplemental_data(void)
{
	const Outcome expected = VALID("UpToDate");
	g_auto(DstackForge) forge = {0};
	g_autoptr(DstackDcapResult) result = NULL;
	DstackDcapSupplement *supplement = NULL;
	DstackSha384 root_key_id;

	dstack_forge_init(&forge);
	result = assert_outcome(&forge, DSTACK_FORGE_NOW, 0, &expected, "supplement");
	supplement = &result->supplement;
	g_assert_true(result->has_supplement);
	g_assert_cmpint(supplement->earliest_issue_date, ==, forge.dates[DSTACK_FORGE_ROOT].from);
	g_assert_cmpint(supplement->latest_issue_date, ==, forge.dates[DSTACK_FORGE_TCB_INFO].from);
	g_assert_cmpint(supplement->earliest_expiration_date, ==, forge.dates[DSTACK_FORGE_PCK_CRL].to);
	g_assert_cmpint(supplement->tcb_level_date_tag, ==, 1743465600); /* 2025-04-01, the QE's */
	g_assert_cmpuint(supplement->root_ca_crl_number, ==, 3);
	g_assert_cmpuint(supplement->pck_crl_number, ==, 57);
	g_assert_cmpuint(supplement->tcb_eval_ref_num, ==, 17);
	root_key_id = supplement->root_key_id;
	g_assert_false(dstack_sha384_is_zero(&root_key_id));
	g_assert_true(result->has_pck);
	g_assert_cmpmem(result->pck.ppid, 16, forge.pck.ppid, 16);
	g_assert_cmpmem(result->pck.cpusvn, 16, forge.pck.cpusvn, 16);
	g_assert_cmpmem(result->pck.platform_instance_id, 16, forge.pck.platform_instance_id, 16);
	g_assert_cmpint(result->pck.dynamic_platform, ==, DSTACK_FLAG_TRUE);
	g_assert_cmpint(result->pck.cached_keys, ==, DSTACK_FLAG_FALSE);
	g_assert_cmpint(result->pck.smt_enabled, ==, DSTACK_FLAG_TRUE);
	g_assert_cmpint(result->pck.sgx_type, ==, DSTACK_SGX_SCALABLE);
	g_assert_cmpuint(result->pck.pcesvn, ==, 11);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/rules/accepts-good-quotes-of-every-kind", accepts_good_quotes_of_every_kind);
	g_test_add_func("/dcap/rules/tells-what-users-read-in-supplemental-data",
			tells_what_users_read_in_supplemental_data);
	return g_test_run();
}
