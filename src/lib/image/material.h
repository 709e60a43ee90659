/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Split measurement material: what an image commits to for each kind of TEE. formats.md, section 2.
 *
 * parse reads key order and unknown keys liberally and all else strictly; build writes the bytes that the
 * reference tool writes. The decoded forms hold facts as they stand in the file; whether they make sense together
 * is the business of tdx/ and snp/.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_MATERIAL_TDX,
	DSTACK_MATERIAL_SNP,
	DSTACK_MATERIAL_GCP,
	DSTACK_MATERIAL_AWS,
	DSTACK_N_MATERIALS,
} DstackMaterialKind;

const gchar *dstack_material_kind_to_string(DstackMaterialKind kind);	 /* "tdx" */
const gchar *dstack_material_kind_to_file_name(DstackMaterialKind kind); /* "measurement.tdx.cbor" */

typedef struct {
	guint version;		     /* 3 or 4 */
	DstackSha384 cmdline_sha384; /* version 3: of cmdline + " initrd=initrd" as measured */
	gchar *cmdline;		     /* version 4: as metadata.json has it; NULL in version 3 */
	DstackSha384 kernel_authenticode;
	gboolean kernel_header_normalized; /* version 4 only */
	DstackSha384 initrd_sha384;
	DstackSha384 mrtd_single_pass;
	DstackSha384 mrtd_two_pass;
	GBytes *td_hob; /* the witness, see tdx/td-hob.h */
} DstackTdxMaterial;	/* the one OVMF layout, pre202505, is implied */

DstackTdxMaterial *dstack_tdx_material_new(void);
DstackTdxMaterial *dstack_tdx_material_parse(GBytes *cbor, GError **error);
GBytes *dstack_tdx_material_build(const DstackTdxMaterial *self);
JsonNode *dstack_tdx_material_to_json(const DstackTdxMaterial *self);
void dstack_tdx_material_free(DstackTdxMaterial *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTdxMaterial, dstack_tdx_material_free)

#define DSTACK_SNP_MAX_SECTIONS 64

typedef struct {
	guint64 gpa;
	guint64 size;
	guint32 type; /* any value: snp/ knows the types */
} DstackSnpSection;

typedef struct {
	gchar *cmdline;
	DstackSha384 ovmf_hash;
	DstackSha256 kernel_hash;
	DstackSha256 initrd_hash;
	guint64 hashes_table_gpa;
	guint32 reset_eip;
	guint n_sections;
	DstackSnpSection sections[DSTACK_SNP_MAX_SECTIONS];
} DstackSnpMaterial;

DstackSnpMaterial *dstack_snp_material_new(void);
DstackSnpMaterial *dstack_snp_material_parse(GBytes *cbor, GError **error);
GBytes *dstack_snp_material_build(const DstackSnpMaterial *self);
JsonNode *dstack_snp_material_to_json(const DstackSnpMaterial *self);
void dstack_snp_material_free(DstackSnpMaterial *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackSnpMaterial, dstack_snp_material_free)

/* value types: nothing to free */
typedef struct {
	DstackSha256 uki_auth; /* SHA-256 Authenticode of the UKI */
} DstackGcpMaterial;

gboolean dstack_gcp_material_parse(GBytes *cbor, DstackGcpMaterial *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *dstack_gcp_material_build(const DstackGcpMaterial *self);
JsonNode *dstack_gcp_material_to_json(const DstackGcpMaterial *self);

typedef struct {
	DstackSha256 boot_pcr_digest; /* sha256(PCR4 || PCR7 || PCR12) */
} DstackAwsMaterial;

gboolean dstack_aws_material_parse(GBytes *cbor, DstackAwsMaterial *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *dstack_aws_material_build(const DstackAwsMaterial *self);
JsonNode *dstack_aws_material_to_json(const DstackAwsMaterial *self);

/* material of a kind to the JSON that people read; parses it first */
JsonNode *dstack_material_inspect(DstackMaterialKind kind, GBytes *cbor, GError **error);
/* "measurement.tdx.cbor" by name or, where the name says nothing, by what the bytes hold */
gboolean dstack_material_guess_kind(const gchar *file_name, GBytes *cbor, DstackMaterialKind *out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
