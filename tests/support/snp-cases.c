/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a case of snp/open/report-cases.json has to end.
 */

#include "config.h"

#include "support/snp-cases.h"

#include "support/vector-case.h"

/* peers disagree on these: what we do, and which rule of evidence.md says so */
static const struct {
	const gchar *id;
	const gchar *fails_at; /* NULL: accepted */
	const gchar *why;
} ours[] = {
    {"real-a20e02a2-ark-is-ask", "chain", "a root that is sent must have the pinned key, although it need not be sent"},
    {"real-a20e02a2-sig-tail-nonzero", "reserved_zero", "the 368 unsigned bytes behind r and s must be zero"},
    {"synth-version-4", NULL, "versions 2, 3, 4 and 5 are read; 4 is laid out as 3"},
    {"synth-reserved-4c", "reserved_zero", "a field that no version defines says something that we cannot judge"},
    {"synth-reserved-208", "reserved_zero", "the same: fail closed until the field is specified"},
    {"synth-chip-id-zero", "vek_hwid", "HWID equals CHIP_ID; a masked CHIP_ID proves no chip"},
};

/* "vek_tcb: ucode missing" names the layer; a parse failure is named by its field */
static const gchar *
expected_layer(JsonObject *expect)
{
	static const gchar *const parse_failures[] = {"length", "version", "sig_algo", NULL};
	static const gchar *const layers[] = {"chain",	  "validity",  "vek_kind", "product", "vek_tcb",
					      "vek_hwid", "signature", "policy",   NULL};
	const gchar *failure = dstack_case_string(expect, "first_failure");

	if (g_str_equal(dstack_case_string(expect, "overall"), "accept"))
		return NULL;
	if (failure == NULL) /* policy_must_be_one and policy_mbz, which no peer counts as its first */
		return "policy";
	if (g_str_equal(failure, "certificate does not parse"))
		return "chain";
	if (g_strv_contains(parse_failures, failure))
		return "parse";
	for (gsize i = 0; layers[i] != NULL; i++) {
		if (g_str_has_prefix(failure, layers[i]))
			return layers[i];
	}
	g_error("unknown failure '%s'", failure);
}

const gchar *
dstack_snp_case_expected_layer(const gchar *id, JsonObject *expect)
{
	if (!g_str_equal(dstack_case_string(expect, "overall"), "implementation-defined"))
		return expected_layer(expect);
	for (gsize i = 0; i < G_N_ELEMENTS(ours); i++) {
		if (g_str_equal(ours[i].id, id)) {
			g_test_message("%s: ours: %s", id, ours[i].why);
			return ours[i].fails_at;
		}
	}
	g_error("%s: peers disagree, and nothing says what ours does", id);
}
