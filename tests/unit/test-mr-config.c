/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "config/mr-config.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "base/hex.h"
#include "dstack/error.h"
#include "support/vectors.h"

#define H20 "1111111111111111111111111111111111111111"
#define H32 "2222222222222222222222222222222222222222222222222222222222222222"

static DstackMrConfig *
parse(const gchar *text, GError **error)
{
	return dstack_mr_config_parse(text, strlen(text), error);
}

static const gchar full[] = "{\"app_id\":\"" H20 "\",\"compose_hash\":\"" H32 "\",\"gpu_policy_hash\":\"" H32
			    "\",\"init_script_hashes\":[\"" H32 "\"],\"instance_id\":\"" H20
			    "\",\"key_provider\":\"kms\",\"key_provider_id\":\"abcd\",\"version\":3}";

static void
writes_the_canonical_form(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackMrConfig) config = parse(full, &error);
	g_autofree gchar *text = NULL;

	g_assert_no_error(error);
	text = dstack_mr_config_build(config);
	g_assert_cmpstr(text, ==, full);
}

#define REQUIRED "\"compose_hash\":\"" H32 "\",\"key_provider\":\"none\""

static const gchar *const accepted[] = {
    "{" REQUIRED "}",
    "{" REQUIRED ",\"app_id\":\"\"}",
    "{" REQUIRED ",\"app_id\":null,\"gpu_policy_hash\":null,\"init_script_hashes\":null}",
    "{" REQUIRED ",\"init_script_hashes\":[]}",
    "{" REQUIRED ",\"key_provider_id\":\"\"}",
};

static const gchar *const refused[] = {
    "",
    "[]",
    "{}",
    "{\"compose_hash\":\"" H32 "\"}",
    "{\"key_provider\":\"none\"}",
    "{" REQUIRED ",\"version\":2}",
    "{" REQUIRED ",\"version\":\"3\"}",
    "{" REQUIRED ",\"version\":3.0}",
    "{" REQUIRED ",\"extra\":1}",
    "{" REQUIRED ",\"app_id\":\"11\"}",
    "{" REQUIRED ",\"instance_id\":\"\"}",
    "{" REQUIRED ",\"gpu_policy_hash\":\"\"}",
    "{" REQUIRED ",\"key_provider_id\":\"abc\"}",
    "{" REQUIRED ",\"key_provider_id\":\"xx\"}",
    "{" REQUIRED ",\"init_script_hashes\":[1]}",
    "{" REQUIRED ",\"init_script_hashes\":[null]}",
    "{" REQUIRED ",\"init_script_hashes\":[\"11\"]}",
    "{" REQUIRED ",\"init_script_hashes\":[\"" H32 "\",\"" H32 "\",\"" H32 "\",\"" H32 "\",\"" H32 "\",\"" H32 "\"]}",
    "{" REQUIRED ",\"compose_hash\":\"" H32 "\"}",
    "{\"compose_hash\":\"" H32 "\",\"key_provider\":\"local-sgx\"}",
    "{\"compose_hash\":\"" H32 "\",\"key_provider\":\"\"}",
};

static void
is_strict_about_members(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(accepted); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackMrConfig) config = parse(accepted[i], &error);

		g_assert_no_error(error);
		g_assert_nonnull(config);
	}
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%s", refused[i]);
		g_assert_null(parse(refused[i], &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_every_truncation(void)
{
	for (gsize size = 0; size < strlen(full); size++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_mr_config_parse(full, size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
puts_the_hash_after_the_version_byte(void)
{
	DstackSha256 compose = {{0}};
	DstackSha256 hash = dstack_mr_config_hash(full, strlen(full));
	DstackMrConfigId v1 = {{0}};
	DstackMrConfigId v3 = dstack_mr_config_id_v3(full, strlen(full));
	guint8 zeros[15] = {0};

	memset(compose.bytes, 0x22, sizeof(compose.bytes));
	v1 = dstack_mr_config_id_v1(&compose);
	g_assert_cmpuint(v1.bytes[0], ==, 1);
	g_assert_cmpmem(v1.bytes + 1, 32, compose.bytes, 32);
	g_assert_cmpmem(v1.bytes + 33, 15, zeros, 15);
	g_assert_cmpuint(v3.bytes[0], ==, 3);
	g_assert_cmpmem(v3.bytes + 1, 32, hash.bytes, 32);
	g_assert_cmpmem(v3.bytes + 33, 15, zeros, 15);
}

/* with everything but the compose hash's first bytes empty, the input is 32 zero bytes and a kind byte */
static void
tells_key_providers_apart_in_version_2(void)
{
	DstackSha256 compose = {{0}};
	g_autoptr(GBytes) app_id = g_bytes_new_static("aaaaaaaaaaaaaaaaaaaa", 20);
	DstackMrConfigId seen[DSTACK_KEY_PROVIDER_TPM + 1];

	for (guint kind = 0; kind <= DSTACK_KEY_PROVIDER_TPM; kind++) {
		seen[kind] = dstack_mr_config_id_v2(&compose, app_id, (DstackKeyProvider)kind, NULL);
		g_assert_cmpuint(seen[kind].bytes[0], ==, 2);
		for (guint other = 0; other < kind; other++)
			g_assert_cmpint(memcmp(&seen[kind], &seen[other], sizeof(seen[kind])), !=, 0);
	}
}

static void
agrees_with_every_case(void)
{
	g_autoptr(JsonNode) node = NULL;
	JsonArray *cases = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	node = dstack_test_vector_read_json("snp/open/mrconfig-cases.json");
	cases = json_object_get_array_member(json_node_get_object(node), "cases");
	g_assert_cmpuint(json_array_get_length(cases), ==, 15);
	for (guint i = 0; i < json_array_get_length(cases); i++) {
		JsonObject *one = json_array_get_object_element(cases, i);
		JsonObject *expect = json_object_get_object_member(one, "expect");
		g_autoptr(GBytes) document = dstack_hex_decode_bytes(json_object_get_string_member(one, "document_hex"),
								     "document", 65536, NULL);
		gsize size = 0;
		const gchar *text = g_bytes_get_data(document, &size);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackMrConfig) config = dstack_mr_config_parse(text, size, &error);
		DstackSha256 hash = dstack_mr_config_hash(text, size);
		g_autofree gchar *hex = dstack_sha256_to_hex(&hash);

		g_test_message("%s", json_object_get_string_member(one, "id"));
		g_assert_cmpint(config != NULL, ==,
				g_str_equal(json_object_get_string_member(expect, "result"), "accept"));
		g_assert_cmpstr(hex, ==, json_object_get_string_member(one, "host_data"));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mr-config/writes-the-canonical-form", writes_the_canonical_form);
	g_test_add_func("/mr-config/is-strict-about-members", is_strict_about_members);
	g_test_add_func("/mr-config/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/mr-config/puts-the-hash-after-the-version-byte", puts_the_hash_after_the_version_byte);
	g_test_add_func("/mr-config/tells-key-providers-apart-in-version-2", tells_key_providers_apart_in_version_2);
	g_test_add_func("/mr-config/agrees-with-every-case", agrees_with_every_case);
	return g_test_run();
}
