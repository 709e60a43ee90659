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

/* --- dates: every item, both bounds, inclusive --- */

static const struct {
	DstackForgeItem item;
	DstackDcapStep step;
	const gchar *what;
} dated[] = {
    {DSTACK_FORGE_ROOT, DSTACK_DCAP_PCK_CHAIN, "root certificate"},
    {DSTACK_FORGE_PCK_CA, DSTACK_DCAP_PCK_CHAIN, "PCK CA certificate"},
    {DSTACK_FORGE_PCK, DSTACK_DCAP_PCK_CHAIN, "PCK certificate"},
    {DSTACK_FORGE_SIGNER, DSTACK_DCAP_DATES, "TCB signing certificate"},
    {DSTACK_FORGE_ROOT_CRL, DSTACK_DCAP_DATES, "root revocation list"},
    {DSTACK_FORGE_PCK_CRL, DSTACK_DCAP_DATES, "PCK revocation list"},
    {DSTACK_FORGE_TCB_INFO, DSTACK_DCAP_DATES, "TCB info"},
    {DSTACK_FORGE_QE_IDENTITY, DSTACK_DCAP_DATES, "QE identity"},
};

static void
checks_both_dates_of_every_item(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(dated); i++) {
		g_auto(DstackForge) forge = {0};
		const Outcome good = VALID("UpToDate");
		const Outcome bad = FAILS_AT(dated[i].step, dated[i].what);
		const gint64 from = DSTACK_FORGE_NOW - 5;
		const gint64 to = DSTACK_FORGE_NOW + 5;
		const gint64 times[] = {from - 1, from, to, to + 1};

		dstack_forge_init(&forge);
		forge.dates[dated[i].item].from = from;
		forge.dates[dated[i].item].to = to;
		for (gsize k = 0; k < G_N_ELEMENTS(times); k++) {
			g_autoptr(DstackDcapResult) result G_GNUC_UNUSED =
			    assert_outcome(&forge, times[k], 0, k == 0 || k == 3 ? &bad : &good, dated[i].what);
		}
	}
}

/* --- signatures: each by the wrong key in turn --- */

static const struct {
	DstackForgeItem item;
	DstackDcapStep step;
	const gchar *text;
} signatures[] = {
    {DSTACK_FORGE_ROOT, DSTACK_DCAP_PCK_CHAIN, "root certificate: signature"},
    {DSTACK_FORGE_PCK_CA, DSTACK_DCAP_PCK_CHAIN, "PCK CA certificate: signature"},
    {DSTACK_FORGE_PCK, DSTACK_DCAP_PCK_CHAIN, "PCK certificate: signature"},
    {DSTACK_FORGE_SIGNER, DSTACK_DCAP_COLLATERAL, "TCB signing certificate: signature"},
    {DSTACK_FORGE_ROOT_CRL, DSTACK_DCAP_COLLATERAL, "root revocation list: signature"},
    {DSTACK_FORGE_PCK_CRL, DSTACK_DCAP_COLLATERAL, "PCK revocation list: signature"},
    {DSTACK_FORGE_TCB_INFO, DSTACK_DCAP_COLLATERAL, "signature of the TCB info"},
    {DSTACK_FORGE_QE_IDENTITY, DSTACK_DCAP_COLLATERAL, "signature of the QE identity"},
    {DSTACK_FORGE_QE_REPORT, DSTACK_DCAP_QE_REPORT, "QE report signature"},
    {DSTACK_FORGE_QUOTE, DSTACK_DCAP_QUOTE_SIGNATURE, "quote signature"},
};

static void
checks_every_signature(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(signatures); i++) {
		const Outcome expected = FAILS_AT(signatures[i].step, signatures[i].text);
		g_auto(DstackForge) forge = {0};
		g_autoptr(DstackDcapResult) result = NULL;

		dstack_forge_init(&forge);
		forge.evil = 1u << signatures[i].item;
		result = assert_outcome(&forge, DSTACK_FORGE_NOW, 0, &expected, signatures[i].text);
	}
}

/* --- one thing wrong at a time --- */

static void
name_root(DstackForge *forge)
{
	forge->names[DSTACK_FORGE_ROOT] = "Intel SGX Root CB";
}

static void
name_ca(DstackForge *forge)
{
	forge->names[DSTACK_FORGE_PCK_CA] = "Intel SGX PCK Something CA";
}

static void
name_processor_ca(DstackForge *forge)
{
	forge->names[DSTACK_FORGE_PCK_CA] = "Intel SGX PCK Processor CA";
}

static void
name_pck(DstackForge *forge)
{
	forge->names[DSTACK_FORGE_PCK] = "Intel SGX TCB Signing";
}

static void
name_signer(DstackForge *forge)
{
	forge->names[DSTACK_FORGE_SIGNER] = "Intel SGX PCK Certificate";
}

static void
make_leaf_a_ca(DstackForge *forge)
{
	forge->leaf_is_ca = TRUE;
}

static void
revoke_pck(DstackForge *forge)
{
	forge->revoked = 1u << DSTACK_FORGE_PCK;
}

static void
revoke_ca(DstackForge *forge)
{
	forge->revoked = 1u << DSTACK_FORGE_PCK_CA;
}

static void
revoke_signer(DstackForge *forge)
{
	forge->revoked = 1u << DSTACK_FORGE_SIGNER;
}

static void
revoke_root(DstackForge *forge)
{
	forge->revoked = 1u << DSTACK_FORGE_ROOT;
}

static void
list_of_another_ca(DstackForge *forge)
{
	forge->crl_ca_name = "Intel SGX PCK Processor CA";
}

static void
list_without_number(DstackForge *forge)
{
	forge->no_crl_number = TRUE;
}

static void
fmspc_of_another(DstackForge *forge)
{
	forge->fmspc = "00806f050001";
}

static void
pceid_of_another(DstackForge *forge)
{
	forge->pceid = "0001";
}

static void
fmspc_in_upper_case(DstackForge *forge)
{
	forge->fmspc = "00806F050000";
}

static void
tcb_info_of_sgx(DstackForge *forge)
{
	forge->tcb_info_id = "SGX";
}

static void
tcb_info_of_version_2(DstackForge *forge)
{
	forge->tcb_info_id = NULL;
}

static void
sgx_with_version_2(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 3);
	forge->tcb_info_id = NULL;
}

static void
sgx_with_info_of_tdx(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 3);
	forge->tcb_info_id = "TDX";
}

static void
sgx_with_identity_of_tdx(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 3);
	forge->qe_id = "TD_QE";
}

static void
identity_of_sgx(DstackForge *forge)
{
	forge->qe_id = "QE";
}

static void
identity_of_qve(DstackForge *forge)
{
	forge->qe_id = "QVE";
}

static void
qe_of_another_signer(DstackForge *forge)
{
	forge->qe_report.mrsigner[31] ^= 1;
}

static void
qe_of_another_product(DstackForge *forge)
{
	forge->qe_report.isvprodid[1] = 1;
}

static void
qe_with_other_miscselect(DstackForge *forge)
{
	forge->qe_report.miscselect[0] = 1;
}

static void
qe_with_debug(DstackForge *forge)
{
	forge->qe_report.attributes[0] |= 2;
}

static void
qe_with_bit_outside_mask(DstackForge *forge)
{
	forge->qe_report.attributes[0] |= 4;
}

static void
qe_report_data_of_another(DstackForge *forge)
{
	forge->keep_qe_report_data = TRUE;
}

static void
qe_report_data_upper_half(DstackForge *forge)
{
	forge->qe_report.report_data[63] = 1;
}

static void
replace_auth_data(DstackForge *forge, gsize size)
{
	g_bytes_unref(forge->qe_auth_data);
	forge->qe_auth_data = g_bytes_new_take(g_malloc0(size + 1), size);
}

static void
auth_data_empty(DstackForge *forge)
{
	replace_auth_data(forge, 0);
}

static void
auth_data_long(DstackForge *forge)
{
	replace_auth_data(forge, 5000);
}

static void
platform_manifest(DstackForge *forge)
{
	forge->certification_type = DSTACK_CERTIFICATION_PLATFORM_MANIFEST;
}

static void
pck_revoked_level(DstackForge *forge)
{
	forge->levels[0].status = "Revoked";
}

static void
qe_revoked_level(DstackForge *forge)
{
	forge->qe_levels[0].status = "Revoked";
}

static void
module_revoked_level(DstackForge *forge)
{
	forge->modules[0].levels[0].status = "Revoked";
}

static void
td_debug(DstackForge *forge)
{
	forge->td.tdattributes[0] = 1;
}

static void
td_without_sept_ve_disable(DstackForge *forge)
{
	forge->td.tdattributes[3] = 0;
}

static void
td_migratable(DstackForge *forge)
{
	forge->td.tdattributes[3] |= 0x20;
}

static void
td_reserved(DstackForge *forge)
{
	forge->td.tdattributes[6] = 0x40;
}

static void
td_pks_kl_perfmon(DstackForge *forge)
{
	forge->td.tdattributes[3] |= 0xc0;
	forge->td.tdattributes[7] = 0x80;
}

static void
td_with_service_td(DstackForge *forge)
{
	forge->version = 5;
	forge->body_type = DSTACK_QUOTE_TD15;
	forge->td.mrservicetd[47] = 1;
}

static void
sgx_debug(DstackForge *forge)
{
	dstack_forge_make_sgx(forge, 4);
	forge->sgx.attributes[0] |= 2;
}

static void
pad(DstackForge *forge)
{
	forge->n_padding = 3000;
}

static const struct {
	const gchar *name;
	void (*twist)(DstackForge *forge);
	Outcome expected;
} twists[] = {
    {"root of another name", name_root, FAILS_AT(DSTACK_DCAP_PCK_CHAIN, "expected subject 'Intel SGX Root CA'")},
    {"CA of another name", name_ca, FAILS_AT(DSTACK_DCAP_PCK_CHAIN, "PCK CA certificate: expected subject")},
    {"processor CA", name_processor_ca, VALID("UpToDate")},
    {"leaf of another name", name_pck, FAILS_AT(DSTACK_DCAP_PCK_CHAIN, "expected subject 'Intel SGX PCK Certificate'")},
    {"signer of another name", name_signer,
     FAILS_AT(DSTACK_DCAP_COLLATERAL, "expected subject 'Intel SGX TCB Signing'")},
    {"leaf that may issue", make_leaf_a_ca, FAILS_AT(DSTACK_DCAP_PCK_CHAIN, "may not issue")},
    {"PCK revoked", revoke_pck, FAILS_AT(DSTACK_DCAP_REVOCATION, "PCK certificate: revoked")},
    {"CA revoked", revoke_ca, FAILS_AT(DSTACK_DCAP_REVOCATION, "PCK CA certificate: revoked")},
    {"signer revoked", revoke_signer, FAILS_AT(DSTACK_DCAP_REVOCATION, "TCB info: revoked")},
    {"root in its own list", revoke_root, VALID("UpToDate")},
    {"list of another CA", list_of_another_ca, FAILS_AT(DSTACK_DCAP_REVOCATION, "of another CA")},
    {"list without number", list_without_number, UNREADABLE("CRL number")},
    {"another FMSPC", fmspc_of_another, FAILS_AT(DSTACK_DCAP_TCB_INFO, "00806f050001")},
    {"another PCE id", pceid_of_another, FAILS_AT(DSTACK_DCAP_TCB_INFO, "PCE id 0000")},
    {"FMSPC in upper case", fmspc_in_upper_case, VALID("UpToDate")},
    {"TCB info of SGX", tcb_info_of_sgx, FAILS_AT(DSTACK_DCAP_TCB_INFO, "expected that of TDX")},
    {"TCB info of version 2", tcb_info_of_version_2, FAILS_AT(DSTACK_DCAP_TCB_INFO, "expected that of TDX")},
    {"SGX with version 2", sgx_with_version_2, VALID("UpToDate")},
    {"SGX with TCB info of TDX", sgx_with_info_of_tdx, FAILS_AT(DSTACK_DCAP_TCB_INFO, "expected that of SGX")},
    {"SGX with identity of TDX", sgx_with_identity_of_tdx, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "expected that of QE")},
    {"identity of SGX", identity_of_sgx, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "expected that of TD_QE, found that of QE")},
    {"identity of QVE", identity_of_qve, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "found that of QVE")},
    {"QE of another signer", qe_of_another_signer, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "MRSIGNER")},
    {"QE of another product", qe_of_another_product, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "expected 2, found 258")},
    {"QE with other MISCSELECT", qe_with_other_miscselect, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "MISCSELECT: byte 0")},
    {"QE with DEBUG", qe_with_debug, FAILS_AT(DSTACK_DCAP_QE_IDENTITY, "ATTRIBUTES: byte 0")},
    {"QE with a bit outside the mask", qe_with_bit_outside_mask, VALID("UpToDate")},
    {"QE report of another key", qe_report_data_of_another,
     FAILS_AT(DSTACK_DCAP_ATTESTATION_KEY, "report data is not")},
    {"QE report data's upper half", qe_report_data_upper_half, FAILS_AT(DSTACK_DCAP_ATTESTATION_KEY, "upper half")},
    {"no QE auth data", auth_data_empty, VALID("UpToDate")},
    {"long QE auth data", auth_data_long, VALID("UpToDate")},
    {"no chain in the quote", platform_manifest, FAILS_AT(DSTACK_DCAP_PCK_CHAIN, "found type 7")},
    {"platform level Revoked", pck_revoked_level, FAILS_AT(DSTACK_DCAP_TCB_STATUS, "Revoked")},
    {"QE level Revoked", qe_revoked_level, FAILS_AT(DSTACK_DCAP_TCB_STATUS, "Revoked")},
    {"module level Revoked", module_revoked_level, FAILS_AT(DSTACK_DCAP_TCB_STATUS, "Revoked")},
    {"TD with DEBUG", td_debug, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "DEBUG")},
    {"TD without SEPT_VE_DISABLE", td_without_sept_ve_disable, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "SEPT_VE_DISABLE")},
    {"migratable TD", td_migratable, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "0x20000000")},
    {"TD with a reserved bit", td_reserved, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "0x40000000000000")},
    {"TD with PKS, KL and PERFMON", td_pks_kl_perfmon, VALID("UpToDate")},
    {"TD with a service TD", td_with_service_td, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "MRSERVICETD")},
    {"enclave with DEBUG", sgx_debug, FAILS_AT(DSTACK_DCAP_ATTRIBUTES, "DEBUG")},
    {"zero padding", pad, VALID("UpToDate")},
};

static void
refuses_one_wrong_thing_at_a_time(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(twists); i++) {
		g_auto(DstackForge) forge = {0};
		g_autoptr(DstackDcapResult) result = NULL;

		dstack_forge_init(&forge);
		twists[i].twist(&forge);
		result = assert_outcome(&forge, DSTACK_FORGE_NOW, 0, &twists[i].expected, twists[i].name);
	}
}

/* --- waivers --- */

static const struct {
	void (*twist)(DstackForge *forge);
	guint allow;
} waivers[] = {
    {td_debug, DSTACK_DCAP_ALLOW_DEBUG},
    {sgx_debug, DSTACK_DCAP_ALLOW_DEBUG},
    {td_without_sept_ve_disable, DSTACK_DCAP_ALLOW_SEPT_VE},
    {td_with_service_td, DSTACK_DCAP_ALLOW_SERVICE_TD},
    {td_migratable, DSTACK_DCAP_ALLOW_RESERVED},
};

static void
shows_what_was_waived(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(waivers); i++) {
		const Outcome good = VALID("UpToDate");
		const Outcome bad = FAILS_AT(DSTACK_DCAP_ATTRIBUTES, NULL);
		g_auto(DstackForge) forge = {0};
		g_autoptr(DstackDcapResult) waived = NULL;
		g_autoptr(DstackDcapResult) refused = NULL;

		dstack_forge_init(&forge);
		waivers[i].twist(&forge);
		waived = assert_outcome(&forge, DSTACK_FORGE_NOW, waivers[i].allow, &good, "waived");
		g_assert_cmpint(waived->state[DSTACK_DCAP_ATTRIBUTES], ==, DSTACK_DCAP_WAIVED);
		g_assert_cmpuint(waived->waived->len, ==, 1);
		/* every other waiver is of no use */
		refused = assert_outcome(&forge, DSTACK_FORGE_NOW, 0xf & ~waivers[i].allow, &bad, "another waived");
	}
}

/* --- without collateral, and with somebody else's --- */

static void
is_signed_but_not_valid_without_collateral(void)
{
	g_auto(DstackForge) forge = {0};
	g_auto(DstackForged) forged = {0};
	g_autoptr(DstackDcapResult) result = NULL;
	DstackQuote quote;

	dstack_forge_init(&forge);
	dstack_forge_build(&forge, &forged);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(forged.quote, NULL), g_bytes_get_size(forged.quote), NULL));
	result = dstack_dcap_verify(&quote, NULL, &forged.context, 0);
	g_assert_no_error(result->error);
	g_assert_true(dstack_dcap_result_is_signed(result));
	g_assert_false(dstack_dcap_result_is_valid(result));
	g_assert_cmpint(result->status, ==, DSTACK_TCB_NONE);
	g_assert_null(dstack_tcb_status_to_string(result->status));
	for (guint i = DSTACK_DCAP_COLLATERAL; i <= DSTACK_DCAP_TCB_STATUS; i++)
		g_assert_cmpint(result->state[i], ==, DSTACK_DCAP_NOT_CHECKED);
	g_assert_cmpint(result->state[DSTACK_DCAP_ATTRIBUTES], ==, DSTACK_DCAP_OK);
}

/* without TCB info nobody can say that a module of another signer is good */
static void
wants_intels_module_without_collateral(void)
{
	g_auto(DstackForge) forge = {0};
	g_auto(DstackForged) forged = {0};
	g_autoptr(DstackDcapResult) result = NULL;
	DstackQuote quote;

	dstack_forge_init(&forge);
	forge.td.mrsignerseam[0] = 1;
	dstack_forge_build(&forge, &forged);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(forged.quote, NULL), g_bytes_get_size(forged.quote), NULL));
	result = dstack_dcap_verify(&quote, NULL, &forged.context, 0xf);
	g_assert_error(result->error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	g_assert_true(dstack_dcap_result_is_signed(result));
}

static void
refuses_collateral_of_another_root(void)
{
	g_auto(DstackForge) one = {0};
	g_auto(DstackForge) two = {0};
	g_auto(DstackForged) quote_of = {0};
	g_auto(DstackForged) collateral_of = {0};
	g_autoptr(DstackCollateral) own = NULL;
	g_autoptr(DstackCollateral) foreign = NULL;
	g_autoptr(DstackDcapResult) under_foreign = NULL;
	g_autoptr(DstackDcapResult) under_own = NULL;
	DstackQuote quote;

	dstack_forge_init(&one);
	dstack_forge_init(&two);
	dstack_forge_build(&one, &quote_of);
	dstack_forge_build(&two, &collateral_of);
	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(quote_of.quote, NULL), g_bytes_get_size(quote_of.quote), NULL));
	/* good under its own root, which is not the one the quote is verified under */
	foreign = dstack_collateral_parse(collateral_of.collateral, strlen(collateral_of.collateral),
					  &collateral_of.context, NULL);
	g_assert_true(dstack_collateral_ensure_authentic(foreign, NULL));
	under_foreign = dstack_dcap_verify(&quote, foreign, &quote_of.context, 0);
	g_assert_cmpint(under_foreign->state[DSTACK_DCAP_COLLATERAL], ==, DSTACK_DCAP_FAILED);
	/* and loaded under the quote's root it is not authentic */
	own = dstack_collateral_parse(collateral_of.collateral, strlen(collateral_of.collateral), &quote_of.context,
				      NULL);
	g_assert_false(dstack_collateral_ensure_authentic(own, NULL));
	under_own = dstack_dcap_verify(&quote, own, &quote_of.context, 0);
	g_assert_cmpint(under_own->state[DSTACK_DCAP_COLLATERAL], ==, DSTACK_DCAP_FAILED);
}

static void
never_trusts_the_zero_value(void)
{
	DstackDcapResult result = {0};

	g_assert_false(dstack_dcap_result_is_valid(&result));
	g_assert_false(dstack_dcap_result_is_signed(&result));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/rules/accepts-good-quotes-of-every-kind", accepts_good_quotes_of_every_kind);
	g_test_add_func("/dcap/rules/tells-what-users-read-in-supplemental-data",
			tells_what_users_read_in_supplemental_data);
	g_test_add_func("/dcap/rules/checks-both-dates-of-every-item", checks_both_dates_of_every_item);
	g_test_add_func("/dcap/rules/checks-every-signature", checks_every_signature);
	g_test_add_func("/dcap/rules/refuses-one-wrong-thing-at-a-time", refuses_one_wrong_thing_at_a_time);
	g_test_add_func("/dcap/rules/shows-what-was-waived", shows_what_was_waived);
	g_test_add_func("/dcap/rules/is-signed-but-not-valid-without-collateral",
			is_signed_but_not_valid_without_collateral);
	g_test_add_func("/dcap/rules/wants-intels-module-without-collateral", wants_intels_module_without_collateral);
	g_test_add_func("/dcap/rules/refuses-collateral-of-another-root", refuses_collateral_of_another_root);
	g_test_add_func("/dcap/rules/never-trusts-the-zero-value", never_trusts_the_zero_value);
	return g_test_run();
}
