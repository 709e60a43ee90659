/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * vm_config, the document of SEV-SNP and app-compose.json: what is accepted is written, read, and written the same.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "config/app-compose.h"
#include "config/vm-config.h"

static void
assert_round_trip_snp(const gchar *text)
{
	g_autoptr(DstackSnpDocument) first = dstack_snp_document_parse(text, NULL);
	g_autoptr(DstackSnpDocument) second = NULL;
	g_autofree gchar *written = NULL;
	g_autofree gchar *again = NULL;

	if (first == NULL)
		return;
	written = dstack_snp_document_build(first);
	second = dstack_snp_document_parse(written, NULL);
	g_assert_nonnull(second);
	again = dstack_snp_document_build(second);
	g_assert_cmpstr(written, ==, again);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree gchar *text = g_strndup((const gchar *)data, size);
	g_autoptr(DstackVmConfig) first = dstack_vm_config_parse((const gchar *)data, size, NULL);
	g_autoptr(DstackVmConfig) second = NULL;
	g_autofree gchar *written = NULL;
	g_autofree gchar *again = NULL;
	DstackAppRequirements requirements = {DSTACK_TRISTATE_UNSET};

	(void)!dstack_app_requirements_parse((const gchar *)data, size, &requirements, NULL);
	assert_round_trip_snp(text);
	if (first == NULL)
		return 0;
	written = dstack_vm_config_to_text(first);
	second = dstack_vm_config_parse(written, strlen(written), NULL);
	g_assert_nonnull(second);
	again = dstack_vm_config_to_text(second);
	g_assert_cmpstr(written, ==, again);
	return 0;
}
