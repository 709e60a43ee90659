/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCB info, and matching a platform against whatever levels it has.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "dcap/tcb-info.h"

static void
evaluate(const DstackTcbInfo *info, guint8 version)
{
	DstackPck pck = {.pcesvn = 11};
	g_autoptr(GPtrArray) qe_levels = g_ptr_array_new();
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	DstackIsvLevel qe = {.grade = {.status = DSTACK_TCB_UP_TO_DATE, .advisories = none}};
	DstackTcbLevels levels = {.platform_levels = info->levels,
				  .qe_levels = qe_levels,
				  .module = info->has_module ? &info->module : NULL,
				  .module_identities = info->module_identities};
	DstackTcbSubject subject = {.pck = &pck, .is_tdx = info->is_tdx, .tee_tcb_svn = {3, version, 5}};
	DstackTcbEvaluation evaluation = {0};

	memset(pck.components, 5, sizeof(pck.components));
	g_ptr_array_add(qe_levels, &qe);
	if (dstack_tcb_evaluate(&levels, &subject, &evaluation, NULL)) {
		g_autoptr(GPtrArray) advisories = dstack_tcb_evaluation_dup_advisories(&evaluation);

		g_assert_cmpint(evaluation.status, !=, DSTACK_TCB_NONE);
		g_assert_cmpuint(advisories->len, <=, 3 * 256);
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackTcbInfo) info = dstack_tcb_info_parse((const gchar *)data, size, NULL);

	if (info == NULL)
		return 0;
	g_assert_cmpuint(info->levels->len, >, 0);
	for (guint8 version = 0; version < 3; version++)
		evaluate(info, version);
	return 0;
}
