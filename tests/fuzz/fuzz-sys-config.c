/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * .sys-config.json: what is accepted comes out within the budget, with our members, and the same a second time.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "launch/injection.h"

#define VM_CONFIG "{\"spec_version\":1,\"image\":\"\\\"\"}"

static void
assert_injected(GBytes *text)
{
	gsize size;
	const gchar *data = g_bytes_get_data(text, &size);
	g_autoptr(JsonObject) object = dstack_json_parse_object(data, size, DSTACK_LIMIT_SYS_CONFIG, "result", NULL);

	g_assert_nonnull(object);
	g_assert_cmpstr(json_object_get_string_member(object, "vm_config"), ==, VM_CONFIG);
	g_assert_cmpstr(json_object_get_string_member(object, "mr_config"), ==, "{}");
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) previous = g_bytes_new(data, size);
	g_autoptr(GBytes) once = dstack_sys_config_build(previous, VM_CONFIG, "{}", NULL);
	g_autoptr(GBytes) twice = NULL;
	g_autofree gchar *document = NULL;

	(void)!dstack_sys_config_get_mr_config(previous, &document, NULL);
	if (once == NULL)
		return 0;
	assert_injected(once);
	twice = dstack_sys_config_build(once, VM_CONFIG, "{}", NULL);
	g_assert_true(twice != NULL && g_bytes_equal(once, twice));
	return 0;
}
