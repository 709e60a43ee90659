/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Derived identity values of TDX (formats.md sections 6 and 9).
 */

#include "config.h"

#include "verify/derived.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "config/mr-config.h"

#define PPID_SIZE 16

/* MRCONFIGID's first byte says what the rest is */
typedef enum {
	MR_CONFIG_V1 = 1, /* the compose hash */
	MR_CONFIG_V2 = 2, /* a hash over compose hash, app id and key provider */
	MR_CONFIG_V3 = 3, /* the hash of a document */
} MrConfigForm;

static gchar *
payload_hex(const DstackEventLog *log, const gchar *name)
{
	const DstackEvent *event = dstack_event_log_find_runtime(log, name);

	return event == NULL ? g_strdup("") : dstack_hex_encode_bytes(event->payload);
}

static void
update_bytes(DstackHasher *hasher, GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	dstack_hasher_update(hasher, data, size);
}

static void
update_boot_registers(DstackHasher *hasher, const DstackTdBody *td)
{
	dstack_hasher_update(hasher, td->mrtd, sizeof(td->mrtd));
	dstack_hasher_update(hasher, td->rtmr0, sizeof(td->rtmr0));
	dstack_hasher_update(hasher, td->rtmr1, sizeof(td->rtmr1));
	dstack_hasher_update(hasher, td->rtmr2, sizeof(td->rtmr2));
}

/* the key provider is measured after the boot is done, so it is no part of boot-time values */
static gchar *
derive_mr_system(const DstackTdxIdentity *self)
{
	const DstackEvent *provider = dstack_event_log_find_runtime(self->runtime, "key-provider");
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	DstackSha256 key = {{0}};
	DstackSha256 value;

	if (provider != NULL && !self->boot_time && g_bytes_get_size(provider->payload) > 0) {
		g_autoptr(DstackHasher) payload = dstack_hasher_new_sha256();

		update_bytes(payload, provider->payload);
		key = dstack_hasher_finish_sha256(payload);
	}
	update_boot_registers(hasher, self->td);
	dstack_hasher_update(hasher, key.bytes, sizeof(key.bytes));
	value = dstack_hasher_finish_sha256(hasher);
	return dstack_sha256_to_hex(&value);
}

static gboolean
derive_mr_aggregated(const DstackTdxIdentity *self, gchar **out, GError **error)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	const DstackTdBody *td = self->td;
	DstackSha384 rtmr3 = {{0}};
	DstackSha256 value;

	if (self->boot_time) {
		if (!dstack_event_log_replay_boot(self->runtime, &rtmr3, error))
			return FALSE;
	} else if (!dstack_event_log_replay(self->runtime, DSTACK_RUNTIME_REGISTER, &rtmr3, error)) {
		return FALSE;
	}
	update_boot_registers(hasher, td);
	dstack_hasher_update(hasher, rtmr3.bytes, sizeof(rtmr3.bytes));
	if (!dstack_bytes_are_zero(td->mrconfigid, sizeof(td->mrconfigid)) ||
	    !dstack_bytes_are_zero(td->mrowner, sizeof(td->mrowner)) ||
	    !dstack_bytes_are_zero(td->mrownerconfig, sizeof(td->mrownerconfig))) {
		dstack_hasher_update(hasher, td->mrconfigid, sizeof(td->mrconfigid));
		dstack_hasher_update(hasher, td->mrowner, sizeof(td->mrowner));
		dstack_hasher_update(hasher, td->mrownerconfig, sizeof(td->mrownerconfig));
	}
	value = dstack_hasher_finish_sha256(hasher);
	*out = dstack_sha256_to_hex(&value);
	return TRUE;
}

/* {"name", "id"}; what the guest measured stands as it is, so another form is only worth a warning */
static void
read_key_provider(const DstackTdxIdentity *self, DstackVerdict *verdict)
{
	const DstackEvent *event = dstack_event_log_find_runtime(self->runtime, "key-provider");
	g_autoptr(JsonObject) object = NULL;
	const gchar *name = NULL;
	const gchar *id = NULL;
	gsize size = 0;
	const gchar *text = NULL;

	if (event == NULL)
		return;
	text = g_bytes_get_data(event->payload, &size);
	object = dstack_json_parse_object(text, size, DSTACK_LIMIT_EVENT_LOG, "key-provider event", NULL);
	if (object == NULL || !dstack_json_get_string(object, "key-provider event", "name", &name, NULL) ||
	    !dstack_json_get_string_optional(object, "key-provider event", "id", &id, NULL)) {
		dstack_verdict_warn(verdict, "the payload of the key-provider event is not {\"name\", \"id\"} in JSON");
		return;
	}
	verdict->key_provider_name = g_strdup(name);
	verdict->key_provider_id = g_strdup(id != NULL ? id : "");
}

/* --- MRCONFIGID --- */

static gboolean
ensure_mr_config(const DstackTdBody *td, const DstackMrConfigId *expected, const gchar *what, GError **error)
{
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (dstack_bytes_equal(td->mrconfigid, expected->bytes, sizeof(expected->bytes)))
		return TRUE;
	expected_hex = dstack_hex_encode(expected->bytes, sizeof(expected->bytes));
	found_hex = dstack_hex_encode(td->mrconfigid, sizeof(td->mrconfigid));
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "MRCONFIGID: expected %s from %s, found %s", expected_hex,
			    what, found_hex);
}

/* the compose hash that the guest measured, where it has the length of one */
static gboolean
find_compose_hash(const DstackEventLog *log, DstackSha256 *out)
{
	const DstackEvent *event = dstack_event_log_find_runtime(log, "compose-hash");

	if (event == NULL || g_bytes_get_size(event->payload) != sizeof(out->bytes))
		return FALSE;
	memcpy(out->bytes, g_bytes_get_data(event->payload, NULL), sizeof(out->bytes));
	return TRUE;
}

static gboolean
check_mr_config_v1(const DstackTdxIdentity *self, DstackVerdict *verdict, GError **error)
{
	DstackSha256 compose_hash;
	DstackMrConfigId expected;

	if (!find_compose_hash(self->runtime, &compose_hash)) {
		dstack_verdict_warn(verdict, "MRCONFIGID holds a compose hash, and the event log has none to compare");
		return TRUE;
	}
	expected = dstack_mr_config_id_v1(&compose_hash);
	return ensure_mr_config(self->td, &expected, "the compose-hash event", error);
}

static gboolean
check_mr_config_v3(const DstackTdxIdentity *self, DstackVerdict *verdict, GError **error)
{
	DstackMrConfigId expected;

	if (self->config->mr_config == NULL) {
		dstack_verdict_warn(verdict,
				    "MRCONFIGID binds an MrConfigV3 document, and vm_config has none to compare");
		return TRUE;
	}
	expected = dstack_mr_config_id_v3(self->config->mr_config, strlen(self->config->mr_config));
	return ensure_mr_config(self->td, &expected, "vm_config's mr_config", error);
}

static gboolean
check_mr_config(const DstackTdxIdentity *self, DstackVerdict *verdict, GError **error)
{
	const DstackTdBody *td = self->td;

	if (dstack_bytes_are_zero(td->mrconfigid, sizeof(td->mrconfigid)))
		return TRUE;
	switch (td->mrconfigid[0]) {
	case MR_CONFIG_V1:
		return check_mr_config_v1(self, verdict, error);
	case MR_CONFIG_V2:
		/* the key provider it was made for need not be the one that answered, so nothing here determines it */
		dstack_verdict_warn(verdict, "MRCONFIGID is of version 2, which the event log does not determine");
		return TRUE;
	case MR_CONFIG_V3:
		return check_mr_config_v3(self, verdict, error);
	default:
		dstack_verdict_warn(verdict, "MRCONFIGID is in no form that is known (first byte 0x%02x)",
				    td->mrconfigid[0]);
		return TRUE;
	}
}

/* an image is told apart by the registers; what the guest says of it is only worth a warning */
static void
compare_os_image_event(const DstackTdxIdentity *self, DstackVerdict *verdict)
{
	const DstackEvent *event = dstack_event_log_find_runtime(self->runtime, "os-image-hash");
	g_autofree gchar *found = NULL;

	if (event == NULL || g_bytes_get_size(event->payload) == 0)
		return;
	found = dstack_hex_encode_bytes(event->payload);
	if (!g_str_equal(found, verdict->app_info.os_image_hash))
		dstack_verdict_warn(verdict,
				    "the guest measured os-image-hash %s, and vm_config's image is %s: the registers "
				    "are those of vm_config's",
				    found, verdict->app_info.os_image_hash);
}

/**
 * dstack_tdx_identity_derive:
 * @self: what it follows from
 * @verdict: whose app_info and key provider are filled
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when MRCONFIGID binds something else
 *
 * Returns: %TRUE when nothing contradicts
 */
gboolean
dstack_tdx_identity_derive(const DstackTdxIdentity *self, DstackVerdict *verdict, GError **error)
{
	DstackAppInfo *info = &verdict->app_info;
	DstackSha256 device = dstack_sha256(self->ppid, PPID_SIZE);

	if (!check_mr_config(self, verdict, error) || !derive_mr_aggregated(self, &info->mr_aggregated, error))
		return FALSE;
	info->app_id = payload_hex(self->runtime, "app-id");
	info->compose_hash = payload_hex(self->runtime, "compose-hash");
	info->instance_id = payload_hex(self->runtime, "instance-id");
	info->key_provider_info = payload_hex(self->runtime, "key-provider");
	info->device_id = dstack_sha256_to_hex(&device);
	info->mr_system = derive_mr_system(self);
	info->os_image_hash = dstack_sha256_to_hex(&self->config->os_image_hash);
	read_key_provider(self, verdict);
	compare_os_image_event(self, verdict);
	verdict->has_app_info = TRUE;
	return TRUE;
}
