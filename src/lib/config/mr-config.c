/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MrConfigV3 and what of it the hardware carries. formats.md, section 6.
 */

#include "config.h"

#include "config/mr-config.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/keccak.h"
#include "base/limits.h"

#define WHAT "mr_config"

/* the hash's domain; the NUL after it is part of it */
static const gchar hash_domain[] = "dstack-mr-config-v3:";

static const struct {
	const gchar *name;
	const gchar *display;
} key_providers[] = {
    [DSTACK_KEY_PROVIDER_NONE] = {"none", "none"},
    [DSTACK_KEY_PROVIDER_LOCAL] = {"local", "local-sgx"},
    [DSTACK_KEY_PROVIDER_KMS] = {"kms", "kms"},
    [DSTACK_KEY_PROVIDER_TPM] = {"tpm", "tpm"},
};

/**
 * dstack_key_provider_to_string:
 * @kind: a key provider
 *
 * Returns: (transfer none): its name in documents
 */
const gchar *
dstack_key_provider_to_string(DstackKeyProvider kind)
{
	return key_providers[kind].name;
}

/**
 * dstack_key_provider_to_display:
 * @kind: a key provider
 *
 * Returns: (transfer none): its name in verdicts
 */
const gchar *
dstack_key_provider_to_display(DstackKeyProvider kind)
{
	return key_providers[kind].display;
}

/**
 * dstack_mr_config_free:
 * @self: (nullable): the document
 */
void
dstack_mr_config_free(DstackMrConfig *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->app_id, g_bytes_unref);
	g_clear_pointer(&self->key_provider_id, g_bytes_unref);
	g_clear_pointer(&self->instance_id, g_bytes_unref);
	g_free(self);
}

/* size 0: any length; absent leaves *out alone */
static gboolean
read_hex(JsonObject *object, const gchar *member, gsize size, GBytes **out, GError **error)
{
	g_autofree gchar *where = g_strdup_printf(WHAT ": '%s'", member);
	g_autoptr(GBytes) bytes = NULL;
	const gchar *hex = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, member, &hex, error))
		return FALSE;
	if (hex == NULL)
		return TRUE;
	bytes = dstack_hex_decode_bytes(hex, where, DSTACK_LIMIT_MR_CONFIG, error);
	if (bytes == NULL)
		return FALSE;
	if (size != 0 && g_bytes_get_size(bytes) != size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: expected %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT, where, size,
				    g_bytes_get_size(bytes));
	}
	*out = g_steal_pointer(&bytes);
	return TRUE;
}

/* absent and empty are the same for an app id: an app that has none yet */
static gboolean
read_app_id(JsonObject *object, DstackMrConfig *self, GError **error)
{
	const gchar *hex = NULL;

	if (!dstack_json_get_string_optional(object, WHAT, "app_id", &hex, error))
		return FALSE;
	return hex == NULL || hex[0] == '\0' || read_hex(object, "app_id", 20, &self->app_id, error);
}

static gboolean
read_hashes(JsonObject *object, DstackMrConfig *self, GError **error)
{
	const gchar *compose = NULL;
	const gchar *gpu = NULL;

	if (!dstack_json_get_string(object, WHAT, "compose_hash", &compose, error) ||
	    !dstack_sha256_from_hex(compose, WHAT ": 'compose_hash'", &self->compose_hash, error) ||
	    !dstack_json_get_string_optional(object, WHAT, "gpu_policy_hash", &gpu, error))
		return FALSE;
	self->has_gpu_policy_hash = gpu != NULL;
	return gpu == NULL || dstack_sha256_from_hex(gpu, WHAT ": 'gpu_policy_hash'", &self->gpu_policy_hash, error);
}

static gboolean
read_key_provider(JsonObject *object, DstackMrConfig *self, GError **error)
{
	const gchar *name = NULL;

	if (!dstack_json_get_string(object, WHAT, "key_provider", &name, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(key_providers); i++) {
		if (g_str_equal(name, key_providers[i].name)) {
			self->key_provider = (DstackKeyProvider)i;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    WHAT ": 'key_provider': expected none, local, kms or tpm, found '%s'", name);
}

static gboolean
read_init_script_hash(JsonArray *array, guint i, DstackSha256 *out, GError **error)
{
	JsonNode *node = json_array_get_element(array, i);

	if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'init_script_hashes': element %u is not a string", i);
	}
	return dstack_sha256_from_hex(json_node_get_string(node), WHAT ": 'init_script_hashes'", out, error);
}

static gboolean
read_init_script_hashes(JsonObject *object, DstackMrConfig *self, GError **error)
{
	JsonArray *array = NULL;

	if (!dstack_json_get_array_optional(object, WHAT, "init_script_hashes", &array, error))
		return FALSE;
	if (array == NULL)
		return TRUE;
	self->has_init_script_hashes = TRUE;
	self->n_init_script_hashes = json_array_get_length(array);
	if (self->n_init_script_hashes > DSTACK_MR_CONFIG_MAX_INIT_SCRIPTS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'init_script_hashes': expected at most %d, found %u",
				    DSTACK_MR_CONFIG_MAX_INIT_SCRIPTS, self->n_init_script_hashes);
	}
	for (guint i = 0; i < self->n_init_script_hashes; i++) {
		if (!read_init_script_hash(array, i, &self->init_script_hashes[i], error))
			return FALSE;
	}
	return TRUE;
}

/* a document without a version is one of version 3 */
static gboolean
ensure_version(JsonObject *object, GError **error)
{
	guint64 version = 3;

	if (!dstack_json_get_uint_optional(object, WHAT, "version", G_MAXUINT32, &version, NULL, error))
		return FALSE;
	if (version == 3)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": 'version': expected 3, found %" G_GUINT64_FORMAT,
			    version);
}

/**
 * dstack_mr_config_parse:
 * @text: (array length=size): the document
 * @size: bytes of @text
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, also for an unknown member
 *
 * Reads a document in whatever form it was written; hash the bytes, not the result.
 *
 * Returns: (transfer full): the document, or %NULL
 */
DstackMrConfig *
dstack_mr_config_parse(const gchar *text, gsize size, GError **error)
{
	static const gchar *const known[] = {"version",
					     "app_id",
					     "compose_hash",
					     "gpu_policy_hash",
					     "key_provider",
					     "key_provider_id",
					     "instance_id",
					     "init_script_hashes",
					     NULL};
	g_autoptr(DstackMrConfig) self = g_new0(DstackMrConfig, 1);
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_MR_CONFIG, WHAT, error);

	if (object == NULL || !dstack_json_ensure_known(object, WHAT, known, error) || !ensure_version(object, error) ||
	    !read_app_id(object, self, error) || !read_hashes(object, self, error) ||
	    !read_key_provider(object, self, error) ||
	    !read_hex(object, "key_provider_id", 0, &self->key_provider_id, error) ||
	    !read_hex(object, "instance_id", 20, &self->instance_id, error) ||
	    !read_init_script_hashes(object, self, error))
		return NULL;
	return g_steal_pointer(&self);
}

static void
write_bytes(JsonObject *object, const gchar *member, GBytes *bytes)
{
	g_autofree gchar *hex = NULL;

	if (bytes == NULL)
		return;
	hex = dstack_hex_encode_bytes(bytes);
	json_object_set_string_member(object, member, hex);
}

static void
write_sha256(JsonObject *object, const gchar *member, const DstackSha256 *digest)
{
	g_autofree gchar *hex = dstack_sha256_to_hex(digest);

	json_object_set_string_member(object, member, hex);
}

static JsonArray *
init_script_hashes_to_json(const DstackMrConfig *self)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < self->n_init_script_hashes; i++) {
		g_autofree gchar *hex = dstack_sha256_to_hex(&self->init_script_hashes[i]);

		json_array_add_string_element(array, hex);
	}
	return array;
}

/**
 * dstack_mr_config_build:
 * @self: the document
 *
 * Returns: (transfer full): its text in the canonical form of RFC 8785
 */
gchar *
dstack_mr_config_build(const DstackMrConfig *self)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

	json_object_set_int_member(object, "version", 3);
	write_bytes(object, "app_id", self->app_id);
	write_sha256(object, "compose_hash", &self->compose_hash);
	if (self->has_gpu_policy_hash)
		write_sha256(object, "gpu_policy_hash", &self->gpu_policy_hash);
	json_object_set_string_member(object, "key_provider", dstack_key_provider_to_string(self->key_provider));
	write_bytes(object, "key_provider_id", self->key_provider_id);
	write_bytes(object, "instance_id", self->instance_id);
	if (self->has_init_script_hashes)
		json_object_set_array_member(object, "init_script_hashes", init_script_hashes_to_json(self));
	return dstack_json_to_text(node, DSTACK_JSON_JCS);
}

/**
 * dstack_mr_config_hash:
 * @document: (array length=size): the document as it stands
 * @size: bytes of @document
 *
 * Returns: SHA-256 of the domain, a zero byte and the document; HOST_DATA of an SEV-SNP guest
 */
DstackSha256
dstack_mr_config_hash(const gchar *document, gsize size)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();

	dstack_hasher_update(hasher, (const guint8 *)hash_domain, sizeof(hash_domain));
	dstack_hasher_update(hasher, (const guint8 *)document, size);
	return dstack_hasher_finish_sha256(hasher);
}

static DstackMrConfigId
id_of(guint8 version, const DstackSha256 *hash)
{
	DstackMrConfigId id = {{0}};

	id.bytes[0] = version;
	memcpy(id.bytes + 1, hash->bytes, sizeof(hash->bytes));
	return id;
}

/**
 * dstack_mr_config_id_v1:
 * @compose_hash: SHA-256 of app-compose.json
 *
 * Returns: MRCONFIGID of a TD that binds only its compose file
 */
DstackMrConfigId
dstack_mr_config_id_v1(const DstackSha256 *compose_hash)
{
	return id_of(1, compose_hash);
}

static void
append_bytes(GByteArray *out, GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = bytes == NULL ? NULL : g_bytes_get_data(bytes, &size);

	if (size > 0)
		g_byte_array_append(out, data, (guint)size);
}

/**
 * dstack_mr_config_id_v2:
 * @compose_hash: SHA-256 of app-compose.json
 * @app_id: (nullable): the app's id
 * @kind: the key provider
 * @key_provider_id: (nullable): its id
 *
 * Returns: MRCONFIGID of version 2, which hashes with Keccak-256
 */
DstackMrConfigId
dstack_mr_config_id_v2(const DstackSha256 *compose_hash, GBytes *app_id, DstackKeyProvider kind,
		       GBytes *key_provider_id)
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	guint8 kind_byte = (guint8)kind;
	DstackSha256 hash = {{0}};

	g_byte_array_append(input, compose_hash->bytes, sizeof(compose_hash->bytes));
	append_bytes(input, app_id);
	g_byte_array_append(input, &kind_byte, 1);
	append_bytes(input, key_provider_id);
	dstack_keccak256(input->data, input->len, hash.bytes);
	return id_of(2, &hash);
}

/**
 * dstack_mr_config_id_v3:
 * @document: (array length=size): an MrConfigV3 document as it stands
 * @size: bytes of @document
 *
 * Returns: MRCONFIGID of version 3
 */
DstackMrConfigId
dstack_mr_config_id_v3(const gchar *document, gsize size)
{
	DstackSha256 hash = dstack_mr_config_hash(document, size);

	return id_of(3, &hash);
}
