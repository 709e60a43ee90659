/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A result's key names the program's version too, so that a correction of the computation finds nothing of the old
 * one. What is read back is parsed as strictly as material from an image.
 */

#include "config.h"

#include "measure/measured-cache.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

static DstackSha256
key_digest(const gchar *computation, const DstackMeasuredKey *key)
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	const gchar *domain = PACKAGE_NAME " " PACKAGE_VERSION;

	g_byte_array_append(input, (const guint8 *)domain, (guint)strlen(domain) + 1);
	g_byte_array_append(input, (const guint8 *)computation, (guint)strlen(computation) + 1);
	g_byte_array_append(input, key->firmware.bytes, sizeof(key->firmware.bytes));
	g_byte_array_append(input, key->kernel.bytes, sizeof(key->kernel.bytes));
	g_byte_array_append(input, key->initrd.bytes, sizeof(key->initrd.bytes));
	dstack_append_u64le(input, key->initrd_size);
	dstack_append_u8(input, key->kernel_header_normalized ? 1 : 0);
	dstack_append_u32le(input, key->version);
	g_byte_array_append(input, (const guint8 *)key->cmdline, (guint)strlen(key->cmdline));
	return dstack_sha256(input->data, input->len);
}

static DstackTdxMaterial *
read_material(DstackReader *reader)
{
	g_autoptr(GBytes) cbor = NULL;

	if (!dstack_reader_take_bytes(reader, dstack_reader_left(reader), "material", &cbor, NULL))
		return NULL;
	return dstack_tdx_material_parse(cbor, NULL);
}

static gboolean
read_tdx(DstackReader *reader, DstackTdxMeasured *out)
{
	guint8 normalized = 0;
	guint8 has_reference = 0;

	if (!dstack_reader_copy(reader, sizeof(out->cfv.bytes), "cfv", out->cfv.bytes, NULL) ||
	    !dstack_reader_u8(reader, "normalized", &normalized, NULL) ||
	    !dstack_reader_u8(reader, "has reference", &has_reference, NULL) ||
	    !dstack_reader_copy(reader, sizeof(out->reference_kernel.bytes), "reference", out->reference_kernel.bytes,
				NULL))
		return FALSE;
	if (normalized > DSTACK_KERNEL_NORMALIZED_ZERO)
		return FALSE;
	out->normalized = (DstackKernelNormalized)normalized;
	out->has_reference_kernel = has_reference != 0;
	out->material = read_material(reader);
	return out->material != NULL;
}

/**
 * dstack_measured_cache_lookup_tdx:
 * @cache: the cache
 * @key: what was measured
 *
 * Returns: (transfer full) (nullable): the result, where the cache has it
 */
DstackTdxMeasured *
dstack_measured_cache_lookup_tdx(const DstackDigestCache *cache, const DstackMeasuredKey *key)
{
	g_autoptr(DstackTdxMeasured) measured = g_new0(DstackTdxMeasured, 1);
	DstackSha256 digest = key_digest("tdx", key);
	g_autoptr(GBytes) bytes = dstack_digest_cache_lookup_result(cache, &digest);
	DstackReader reader;

	if (bytes == NULL)
		return NULL;
	dstack_reader_init_bytes(&reader, bytes, "cached measurement");
	return read_tdx(&reader, measured) ? g_steal_pointer(&measured) : NULL;
}

/**
 * dstack_measured_cache_store_tdx:
 * @cache: the cache
 * @key: what was measured
 * @measured: the result
 */
void
dstack_measured_cache_store_tdx(DstackDigestCache *cache, const DstackMeasuredKey *key,
				const DstackTdxMeasured *measured)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GBytes) material = dstack_tdx_material_build(measured->material);
	g_autoptr(GBytes) result = NULL;
	DstackSha256 digest = key_digest("tdx", key);

	g_byte_array_append(out, measured->cfv.bytes, sizeof(measured->cfv.bytes));
	dstack_append_u8(out, (guint8)measured->normalized);
	dstack_append_u8(out, measured->has_reference_kernel ? 1 : 0);
	g_byte_array_append(out, measured->reference_kernel.bytes, sizeof(measured->reference_kernel.bytes));
	g_byte_array_append(out, g_bytes_get_data(material, NULL), (guint)g_bytes_get_size(material));
	result = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	dstack_digest_cache_store_result(cache, &digest, result);
}

/**
 * dstack_measured_cache_lookup_snp:
 * @cache: the cache
 * @key: what was measured
 *
 * Returns: (transfer full) (nullable): the result, where the cache has it
 */
DstackSnpMaterial *
dstack_measured_cache_lookup_snp(const DstackDigestCache *cache, const DstackMeasuredKey *key)
{
	DstackSha256 digest = key_digest("snp", key);
	g_autoptr(GBytes) bytes = dstack_digest_cache_lookup_result(cache, &digest);

	return bytes == NULL ? NULL : dstack_snp_material_parse(bytes, NULL);
}

/**
 * dstack_measured_cache_store_snp:
 * @cache: the cache
 * @key: what was measured
 * @material: the result
 */
void
dstack_measured_cache_store_snp(DstackDigestCache *cache, const DstackMeasuredKey *key,
				const DstackSnpMaterial *material)
{
	DstackSha256 digest = key_digest("snp", key);
	g_autoptr(GBytes) bytes = dstack_snp_material_build(material);

	dstack_digest_cache_store_result(cache, &digest, bytes);
}
