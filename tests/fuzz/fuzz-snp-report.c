/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A report: what parses can be judged and shown.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "snp/policy.h"
#include "snp/report.h"

static void
check_field(const gchar *name, const gchar *value, gpointer user_data)
{
	guint *n = user_data;

	g_assert_true(g_utf8_validate(value, -1, NULL));
	g_assert_cmpuint(strlen(name), >, 0);
	*n += 1;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackSnpReport report;
	DstackSnpWaivers waivers = {0};
	guint n = 0;

	if (!dstack_snp_report_parse(&report, data, size, NULL))
		return 0;
	g_assert_cmpmem(&report.bytes, (int)sizeof(report.bytes), data, (int)size);
	dstack_snp_report_foreach_field(&report, check_field, &n);
	g_assert_cmpuint(n, >, 20);
	(void)!dstack_snp_policy_ensure(&report, &waivers, NULL);
	(void)!dstack_snp_report_ensure_reserved_zero(&report, NULL);
	return 0;
}
