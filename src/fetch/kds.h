/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and revocation lists of SEV-SNP from AMD's Key Distribution Service, or one that answers like it.
 */
#pragma once

#include <openssl/x509.h>

#include "fetch/http.h"
#include "snp/report.h"

G_BEGIN_DECLS

#define DSTACK_KDS_URL "https://kdsintf.amd.com"

/* borrowed; zero values are the defaults */
typedef struct {
	const gchar *base_url; /* (nullable): DSTACK_KDS_URL; no slash at its end */
	const gchar
	    *cache_dir;	  /* (nullable): where what was fetched is kept, by product, chip and TCB; made if missing */
	gboolean refresh; /* ask also where what is kept is good */
	gint64 now;	  /* seconds since 1970: a kept item that is out of date is fetched again */
	X509 *root;	  /* (nullable): trust this root instead of the pinned ones */
	DstackFetchOptions fetch;
} DstackKdsOptions;

/*
 * (element-type GBytes): the leaf in DER, CA and root in PEM; the product's revocation list in DER. The chain is
 * checked against the report before anything is kept; a verification checks all of it again.
 * NOT_FOUND: KDS does not know the chip or TCB, or the report is signed by a VLEK, which only the provider has.
 */
gboolean dstack_kds_fetch(const DstackSnpReport *report, const DstackKdsOptions *options, GPtrArray **out_certificates,
			  GPtrArray **out_crls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
