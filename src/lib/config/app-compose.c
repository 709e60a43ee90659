/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one requirement of app-compose.json that decides how a launch is attested. formats.md, section 4.
 */

#include "config.h"

#include "config/app-compose.h"

#include "base/json.h"
#include "base/limits.h"

#define WHAT "app-compose.json"

/**
 * dstack_app_requirements_parse:
 * @text: (array length=size): app-compose.json
 * @size: bytes of @text
 * @out: (out): the requirements; unset where the file says nothing
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads `requirements.tdx_measure_acpi_tables`. Everything else in the file is the guest's business.
 *
 * Returns: %TRUE when the file is sound JSON and the requirement, where stated, a boolean
 */
gboolean
dstack_app_requirements_parse(const gchar *text, gsize size, DstackAppRequirements *out, GError **error)
{
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_APP_COMPOSE, WHAT, error);
	DstackAppRequirements requirements = {DSTACK_TRISTATE_UNSET};
	JsonObject *inner = NULL;
	gboolean value = FALSE;
	gboolean present = FALSE;

	if (object == NULL || !dstack_json_get_object_optional(object, WHAT, "requirements", &inner, error))
		return FALSE;
	if (inner != NULL && !dstack_json_get_bool_optional(inner, WHAT ": requirements", "tdx_measure_acpi_tables",
							    &value, &present, error))
		return FALSE;
	if (present)
		requirements.tdx_measure_acpi_tables = value ? DSTACK_TRISTATE_TRUE : DSTACK_TRISTATE_FALSE;
	*out = requirements;
	return TRUE;
}
