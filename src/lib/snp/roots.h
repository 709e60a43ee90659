/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The root keys that SEV-SNP evidence is trusted by, unless a caller gives another.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/digest.h"
#include "snp/product.h"

G_BEGIN_DECLS

DstackSha256 dstack_snp_root_spki_sha256(DstackSnpProduct product);
EVP_PKEY *dstack_snp_root_key(DstackSnpProduct product, GError **error);

G_END_DECLS
