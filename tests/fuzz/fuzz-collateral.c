/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral. The first byte says which member of forged collateral the rest replaces; '{' says that all of it is
 * the JSON. Nothing that was replaced may be found authentic but what is the same again.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "dcap/collateral-parts.h"
#include "dcap/collateral.h"
#include "support/tdx-forge.h"

/* made at the first input and kept: keys take longer than parsing */
static DstackForged *
good(void)
{
	static DstackForged forged;

	if (forged.collateral == NULL) {
		DstackTdxRegisters registers = {0};
		guint8 report_data[64] = {0};

		dstack_forge_evidence(&registers, report_data, NULL, &forged);
	}
	return &forged;
}

static gchar *
replace_member(const DstackForged *forged, guint8 which, const guint8 *data, gsize size)
{
	g_autoptr(JsonNode) root = json_from_string(forged->collateral, NULL);
	g_autofree gchar *text = g_strndup((const gchar *)data, size);
	g_autofree gchar *valid = g_utf8_make_valid(text, -1);

	json_object_set_string_member(json_node_get_object(root), dstack_part_to_string(which % DSTACK_N_PARTS), valid);
	return json_to_string(root, FALSE);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackForged *forged = good();
	DstackContext pinned = {.now = forged->context.now};
	g_autofree gchar *text = NULL;
	g_autoptr(DstackCollateral) own = NULL;
	g_autoptr(DstackCollateral) intel = NULL;

	if (size == 0)
		return 0;
	text =
	    data[0] == '{' ? g_strndup((const gchar *)data, size) : replace_member(forged, data[0], data + 1, size - 1);
	own = dstack_collateral_parse(text, strlen(text), &forged->context, NULL);
	if (own != NULL)
		(void)!dstack_collateral_ensure_in_date(own, forged->context.now, NULL);
	intel = dstack_collateral_parse(text, strlen(text), &pinned, NULL);
	g_assert_true(intel == NULL || !dstack_collateral_ensure_authentic(intel, NULL));
	return 0;
}
