/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a launch binds besides the image: MrConfigV3 and its older TDX forms. formats.md, section 6.
 */
#pragma once

#include "base/digest.h"

G_BEGIN_DECLS

#define DSTACK_MR_CONFIG_MAX_INIT_SCRIPTS 5

typedef enum {
	DSTACK_KEY_PROVIDER_NONE, /* values are the kind bytes of V2 */
	DSTACK_KEY_PROVIDER_LOCAL,
	DSTACK_KEY_PROVIDER_KMS,
	DSTACK_KEY_PROVIDER_TPM,
} DstackKeyProvider;

/* as documents name it: "none", "local", "kms", "tpm" */
const gchar *dstack_key_provider_to_string(DstackKeyProvider kind);
/* as verdicts name it: "none", "local-sgx", "kms", "tpm" */
const gchar *dstack_key_provider_to_display(DstackKeyProvider kind);

typedef struct {
	GBytes *app_id; /* (nullable): 20 bytes */
	DstackSha256 compose_hash;
	gboolean has_gpu_policy_hash;
	DstackSha256 gpu_policy_hash;
	DstackKeyProvider key_provider;
	GBytes *key_provider_id; /* (nullable) */
	GBytes *instance_id;	 /* (nullable): 20 bytes */
	guint n_init_script_hashes;
	gboolean has_init_script_hashes; /* an empty list is still written */
	DstackSha256 init_script_hashes[DSTACK_MR_CONFIG_MAX_INIT_SCRIPTS];
} DstackMrConfig;

DstackMrConfig *dstack_mr_config_parse(const gchar *text, gsize size, GError **error);
/* the JCS text that hosts write */
gchar *dstack_mr_config_build(const DstackMrConfig *self);
void dstack_mr_config_free(DstackMrConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackMrConfig, dstack_mr_config_free)

/* H of a document's bytes as they stand; also SEV-SNP's HOST_DATA */
DstackSha256 dstack_mr_config_hash(const gchar *document, gsize size);

/* MRCONFIGID's 48 bytes */
typedef struct {
	guint8 bytes[48];
} DstackMrConfigId;

DstackMrConfigId dstack_mr_config_id_v1(const DstackSha256 *compose_hash);
DstackMrConfigId dstack_mr_config_id_v2(const DstackSha256 *compose_hash, GBytes *app_id, DstackKeyProvider kind,
					GBytes *key_provider_id);
DstackMrConfigId dstack_mr_config_id_v3(const gchar *document, gsize size);

G_END_DECLS
