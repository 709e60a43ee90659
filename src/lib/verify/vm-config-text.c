/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Guests put either vm_config or all of .sys-config.json, which holds it as a string, into their evidence.
 */

#include "config.h"

#include "verify/vm-config-text.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

/**
 * dstack_vm_config_text_unwrap:
 * @config: what evidence carries as its config
 *
 * Whether it can be parsed is for the parser to say: text that is not wrapped, or is nothing at all, comes back
 * as it is. Nothing is trusted by unwrapping it: a verdict rests on the registers.
 *
 * Returns: (transfer full): the vm_config text
 */
gchar *
dstack_vm_config_text_unwrap(const gchar *config)
{
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(config, strlen(config), DSTACK_LIMIT_VM_CONFIG, "config", NULL);
	const gchar *inner = NULL;

	if (object == NULL || json_object_has_member(object, "os_image_hash") ||
	    !dstack_json_get_string_optional(object, "config", "vm_config", &inner, NULL) || inner == NULL)
		return g_strdup(config);
	return g_strdup(inner);
}
