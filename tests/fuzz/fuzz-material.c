/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Material of every kind: what is accepted is written, read again, and written to the same bytes.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "image/material.h"

static void
assert_round_trip_tdx(GBytes *cbor)
{
	g_autoptr(DstackTdxMaterial) first = dstack_tdx_material_parse(cbor, NULL);
	g_autoptr(DstackTdxMaterial) second = NULL;
	g_autoptr(GBytes) written = NULL;
	g_autoptr(GBytes) again = NULL;

	if (first == NULL)
		return;
	written = dstack_tdx_material_build(first);
	second = dstack_tdx_material_parse(written, NULL);
	g_assert_nonnull(second);
	again = dstack_tdx_material_build(second);
	g_assert_true(g_bytes_equal(written, again));
}

static void
assert_round_trip_snp(GBytes *cbor)
{
	g_autoptr(DstackSnpMaterial) first = dstack_snp_material_parse(cbor, NULL);
	g_autoptr(DstackSnpMaterial) second = NULL;
	g_autoptr(GBytes) written = NULL;
	g_autoptr(GBytes) again = NULL;

	if (first == NULL)
		return;
	written = dstack_snp_material_build(first);
	second = dstack_snp_material_parse(written, NULL);
	g_assert_nonnull(second);
	again = dstack_snp_material_build(second);
	g_assert_true(g_bytes_equal(written, again));
}

static void
assert_round_trip_clouds(GBytes *cbor)
{
	DstackGcpMaterial gcp = {0};
	DstackGcpMaterial gcp_again = {0};
	DstackAwsMaterial aws = {0};
	DstackAwsMaterial aws_again = {0};

	if (dstack_gcp_material_parse(cbor, &gcp, NULL)) {
		g_autoptr(GBytes) written = dstack_gcp_material_build(&gcp);

		g_assert_true(dstack_gcp_material_parse(written, &gcp_again, NULL));
		g_assert_true(dstack_sha256_equal(&gcp.uki_auth, &gcp_again.uki_auth));
	}
	if (dstack_aws_material_parse(cbor, &aws, NULL)) {
		g_autoptr(GBytes) written = dstack_aws_material_build(&aws);

		g_assert_true(dstack_aws_material_parse(written, &aws_again, NULL));
		g_assert_true(dstack_sha256_equal(&aws.boot_pcr_digest, &aws_again.boot_pcr_digest));
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) cbor = g_bytes_new(data, size);
	DstackMaterialKind kind = DSTACK_N_MATERIALS;

	assert_round_trip_tdx(cbor);
	assert_round_trip_snp(cbor);
	assert_round_trip_clouds(cbor);
	if (dstack_material_guess_kind("input", cbor, &kind, NULL)) {
		g_autoptr(JsonNode) node = dstack_material_inspect(kind, cbor, NULL);

		g_assert_nonnull(node);
	}
	return 0;
}
