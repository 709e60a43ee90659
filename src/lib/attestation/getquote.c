/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as a JSON object: {"attestation"}, or {"quote", "event_log", "vm_config"} (formats.md section 8).
 */

#include "config.h"

#include "attestation/attestation.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"

#define WHAT "evidence"

static const gchar *const ignored_beside_attestation[] = {"quote", "event_log", "vm_config", "report_data"};

static gboolean
has_value(JsonObject *object, const gchar *member)
{
	return json_object_has_member(object, member) && !json_object_get_null_member(object, member);
}

/* what an attestation says may not be mixed with what stands beside it */
static void
warn_of_ignored(DstackAttestation *self, JsonObject *object)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ignored_beside_attestation); i++) {
		const gchar *member = ignored_beside_attestation[i];

		if (has_value(object, member))
			g_ptr_array_add(self->warnings,
					g_strdup_printf("'%s' beside 'attestation' is ignored", member));
	}
}

/* NULL also where it is no string: it is ignored anyway */
static gchar *
dup_string_member(JsonObject *object, const gchar *member)
{
	JsonNode *node = json_object_get_member(object, member);

	if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_dup_string(node);
}

static DstackAttestation *
read_attestation(JsonObject *object, GError **error)
{
	g_autoptr(DstackAttestation) self = NULL;
	g_autoptr(GBytes) bytes = NULL;
	const gchar *hex = NULL;

	if (!dstack_json_get_string(object, WHAT, "attestation", &hex, error))
		return NULL;
	bytes = dstack_hex_decode_bytes(hex, "attestation", DSTACK_LIMIT_ATTESTATION, error);
	if (bytes == NULL)
		return NULL;
	self = dstack_attestation_parse_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	if (self == NULL)
		return NULL;
	warn_of_ignored(self, object);
	self->external_config = dup_string_member(object, "vm_config");
	return g_steal_pointer(&self);
}

static gboolean
read_report_data(DstackAttestation *self, JsonObject *object, GError **error)
{
	const gchar *hex = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, "report_data", &hex, error))
		return FALSE;
	if (hex == NULL)
		return TRUE;
	if (!dstack_hex_decode(hex, "report_data", self->report_data, sizeof(self->report_data), error))
		return FALSE;
	self->has_report_data = TRUE;
	return TRUE;
}

static DstackAttestation *
read_quote(JsonObject *object, GError **error)
{
	g_autoptr(DstackAttestation) self = dstack_attestation_new(DSTACK_PLATFORM_TDX, DSTACK_FORM_GETQUOTE);
	const gchar *quote = NULL;
	const gchar *log = NULL;
	const gchar *config = NULL;

	if (!dstack_json_get_string(object, WHAT, "quote", &quote, error) ||
	    !dstack_json_get_string(object, WHAT, "event_log", &log, error) ||
	    !dstack_json_get_string_optional(object, WHAT, "vm_config", &config, error) ||
	    !read_report_data(self, object, error))
		return NULL;
	self->quote = dstack_hex_decode_bytes(quote, "quote", DSTACK_LIMIT_QUOTE, error);
	if (self->quote == NULL)
		return NULL;
	self->event_log = dstack_event_log_parse_json(log, strlen(log), error);
	if (self->event_log == NULL)
		return NULL;
	self->config = g_strdup(config);
	return g_steal_pointer(&self);
}

/**
 * dstack_attestation_parse_json:
 * @text: (array length=size): a JSON object
 * @size: number of bytes, at most %DSTACK_LIMIT_EVIDENCE
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_REFUSED for a platform that is not verified here
 *
 * Where "attestation" is present the other members are ignored, with a warning. Unknown members are ignored.
 *
 * Returns: (transfer full) (nullable): the attestation
 */
DstackAttestation *
dstack_attestation_parse_json(const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_EVIDENCE, WHAT, error);
	g_autoptr(DstackAttestation) self = NULL;
	gboolean debug = FALSE;

	if (object == NULL || !dstack_json_get_bool_optional(object, WHAT, "debug", &debug, NULL, error))
		return NULL;
	if (has_value(object, "attestation")) {
		self = read_attestation(object, error);
	} else if (has_value(object, "quote")) {
		self = read_quote(object, error);
	} else {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   WHAT ": expected a member 'attestation', or 'quote' with 'event_log' and "
					"'vm_config'");
	}
	if (self == NULL)
		return NULL;
	self->debug = debug;
	return g_steal_pointer(&self);
}
