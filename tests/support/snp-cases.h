/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a case of snp/open/report-cases.json has to end.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * NULL: accepted; else "parse", "chain", "validity", "vek_kind", "product", "vek_tcb", "vek_hwid", "signature",
 * "policy" or "reserved_zero". Where peers disagree, a table says what ours does and why.
 */
const gchar *dstack_snp_case_expected_layer(const gchar *id, JsonObject *expect);

G_END_DECLS
