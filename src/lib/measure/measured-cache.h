/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Results of measuring, kept in the digest cache by the digests of everything that went into them.
 */
#pragma once

#include "image/digest-cache.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"

G_BEGIN_DECLS

/* a measurement by its inputs: files by their digests */
typedef struct {
	DstackSha256 firmware;
	DstackSha256 kernel;
	DstackSha256 initrd;
	guint64 initrd_size;
	const gchar *cmdline;
	gboolean kernel_header_normalized; /* TDX only */
	guint version;			   /* of the material */
} DstackMeasuredKey;

DstackTdxMeasured *dstack_measured_cache_lookup_tdx(const DstackDigestCache *cache, const DstackMeasuredKey *key);
void dstack_measured_cache_store_tdx(DstackDigestCache *cache, const DstackMeasuredKey *key,
				     const DstackTdxMeasured *measured);
DstackSnpMaterial *dstack_measured_cache_lookup_snp(const DstackDigestCache *cache, const DstackMeasuredKey *key);
void dstack_measured_cache_store_snp(DstackDigestCache *cache, const DstackMeasuredKey *key,
				     const DstackSnpMaterial *material);

G_END_DECLS
