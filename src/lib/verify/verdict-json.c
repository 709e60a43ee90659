/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A verdict as JSON: the members of formats.md section 9 in their order, then what only we say.
 */

#include "config.h"

#include "base/hex.h"
#include "verify/verdict.h"

static void
set_string_or_null(JsonObject *object, const gchar *member, const gchar *value)
{
	if (value == NULL)
		json_object_set_null_member(object, member);
	else
		json_object_set_string_member(object, member, value);
}

static const gchar *
or_empty(const gchar *value)
{
	return value != NULL ? value : "";
}

static JsonArray *
strings_to_json(const GPtrArray *strings)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < strings->len; i++)
		json_array_add_string_element(array, g_ptr_array_index(strings, i));
	return array;
}

static JsonObject *
app_info_to_json(const DstackAppInfo *info)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "app_id", or_empty(info->app_id));
	json_object_set_string_member(object, "compose_hash", or_empty(info->compose_hash));
	json_object_set_string_member(object, "instance_id", or_empty(info->instance_id));
	json_object_set_string_member(object, "device_id", or_empty(info->device_id));
	json_object_set_string_member(object, "mr_system", or_empty(info->mr_system));
	json_object_set_string_member(object, "mr_aggregated", or_empty(info->mr_aggregated));
	json_object_set_string_member(object, "os_image_hash", or_empty(info->os_image_hash));
	json_object_set_string_member(object, "key_provider_info", or_empty(info->key_provider_info));
	return object;
}

/* the same values under the names that authorisation services read */
static JsonObject *
boot_info_to_json(const DstackVerdict *self)
{
	const DstackAppInfo *info = &self->app_info;
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "teeVariant", or_empty(self->tee_variant));
	json_object_set_string_member(object, "mrAggregated", or_empty(info->mr_aggregated));
	json_object_set_string_member(object, "osImageHash", or_empty(info->os_image_hash));
	json_object_set_string_member(object, "mrSystem", or_empty(info->mr_system));
	json_object_set_string_member(object, "appId", or_empty(info->app_id));
	json_object_set_string_member(object, "composeHash", or_empty(info->compose_hash));
	json_object_set_string_member(object, "instanceId", or_empty(info->instance_id));
	json_object_set_string_member(object, "deviceId", or_empty(info->device_id));
	json_object_set_string_member(object, "keyProviderInfo", or_empty(info->key_provider_info));
	json_object_set_string_member(object, "tcbStatus", or_empty(self->tcb_status));
	json_object_set_array_member(object, "advisoryIds", strings_to_json(self->advisory_ids));
	return object;
}

static void
set_digest_or_null(JsonObject *object, const gchar *member, gboolean present, const DstackSha384 *digest)
{
	g_autofree gchar *hex = present ? dstack_sha384_to_hex(digest) : NULL;

	set_string_or_null(object, member, hex);
}

static JsonObject *
event_debug_to_json(const DstackEventDebug *event)
{
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "index", event->index);
	json_object_set_int_member(object, "event_type", event->type);
	json_object_set_string_member(object, "event_name", event->name);
	set_digest_or_null(object, "actual_digest", event->has_actual, &event->actual);
	set_digest_or_null(object, "expected_digest", event->has_expected, &event->expected);
	json_object_set_int_member(object, "payload_len", (gint64)event->payload_len);
	json_object_set_string_member(object, "status", dstack_event_status_to_string(event->status));
	return object;
}

static JsonArray *
registers_debug_to_json(const GPtrArray *registers)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < registers->len; i++) {
		const DstackRegisterDebug *entry = g_ptr_array_index(registers, i);
		JsonObject *object = json_object_new();
		JsonArray *events = json_array_new();

		json_object_set_string_member(object, "rtmr", entry->name);
		set_digest_or_null(object, "expected", entry->has_expected, &entry->expected);
		set_digest_or_null(object, "actual", TRUE, &entry->actual);
		for (guint j = 0; j < entry->events->len; j++)
			json_array_add_object_element(events, event_debug_to_json(g_ptr_array_index(entry->events, j)));
		json_object_set_array_member(object, "events", events);
		json_array_add_object_element(array, object);
	}
	return array;
}

static void
set_key_provider(JsonObject *details, const DstackVerdict *self)
{
	JsonObject *object = NULL;

	if (self->key_provider_name == NULL) {
		json_object_set_null_member(details, "key_provider");
		return;
	}
	object = json_object_new();
	json_object_set_string_member(object, "name", self->key_provider_name);
	json_object_set_string_member(object, "id", or_empty(self->key_provider_id));
	json_object_set_object_member(details, "key_provider", object);
}

static JsonObject *
details_to_json(const DstackVerdict *self)
{
	JsonObject *object = json_object_new();
	g_autofree gchar *report_data =
	    self->has_report_data ? dstack_hex_encode(self->report_data, sizeof(self->report_data)) : NULL;

	json_object_set_boolean_member(object, "quote_verified", self->quote_verified);
	json_object_set_boolean_member(object, "event_log_verified", self->event_log_verified);
	json_object_set_boolean_member(object, "os_image_hash_verified", self->os_image_hash_verified);
	json_object_set_boolean_member(object, "acpi_tables_verified", self->acpi_tables_verified);
	/* both are known only to a verifier that has the image at hand */
	json_object_set_null_member(object, "os_image_is_dev");
	json_object_set_null_member(object, "os_image_version");
	set_string_or_null(object, "tee_variant", self->tee_variant);
	set_string_or_null(object, "report_data", report_data);
	set_string_or_null(object, "tcb_status", self->tcb_status);
	json_object_set_array_member(object, "advisory_ids", strings_to_json(self->advisory_ids));
	set_key_provider(object, self);
	if (dstack_verdict_is_valid(self) && self->has_app_info) {
		json_object_set_object_member(object, "app_info", app_info_to_json(&self->app_info));
		json_object_set_object_member(object, "boot_info", boot_info_to_json(self));
	}
	if (self->registers_debug->len > 0)
		json_object_set_array_member(object, "rtmr_debug", registers_debug_to_json(self->registers_debug));
	return object;
}

static JsonArray *
steps_to_json(const DstackVerdict *self)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < self->steps->len; i++) {
		const DstackStep *step = &g_array_index(self->steps, DstackStep, i);
		JsonObject *object = json_object_new();

		json_object_set_string_member(object, "name", step->name);
		json_object_set_string_member(object, "state", dstack_step_state_to_string(step->state));
		set_string_or_null(object, "message", step->message);
		json_array_add_object_element(array, object);
	}
	return array;
}

/**
 * dstack_verdict_to_json:
 * @self: a verdict
 *
 * Returns: (transfer full): the object of formats.md section 9, then "steps", "warnings", "waivers", and "root"
 *   where the caller gave one
 */
JsonNode *
dstack_verdict_to_json(const DstackVerdict *self)
{
	g_autofree gchar *reason = dstack_verdict_dup_reason(self);
	g_autoptr(JsonObject) object = json_object_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_object_set_boolean_member(object, "is_valid", dstack_verdict_is_valid(self));
	json_object_set_object_member(object, "details", details_to_json(self));
	set_string_or_null(object, "reason", reason);
	json_object_set_array_member(object, "steps", steps_to_json(self));
	json_object_set_array_member(object, "warnings", strings_to_json(self->warnings));
	json_object_set_array_member(object, "waivers", strings_to_json(self->waivers));
	if (self->root != NULL)
		json_object_set_string_member(object, "root", self->root);
	json_node_set_object(node, object);
	return node;
}
