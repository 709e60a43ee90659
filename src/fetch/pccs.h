/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral from a service that speaks as Intel's Provisioning Certification Service does, version 4: Intel's
 * own, or a caching service (PCCS) in its place.
 */
#pragma once

#include "dcap/pck.h"
#include "fetch/http.h"
#include "tdx/quote.h"

G_BEGIN_DECLS

#define DSTACK_PCCS_INTEL "https://api.trustedservices.intel.com"

typedef enum {
	DSTACK_PCK_CA_PLATFORM,
	DSTACK_PCK_CA_PROCESSOR,
} DstackPckCa;

/* whose collateral; a value type */
typedef struct {
	guint8 fmspc[6];
	DstackPckCa ca;
	gboolean is_tdx;
} DstackPlatformId;

const gchar *dstack_pck_ca_to_string(DstackPckCa ca);
gboolean dstack_pck_ca_parse(const gchar *text, DstackPckCa *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* what a quote says of its platform; nothing of it is verified, it is only what to ask for */
gboolean dstack_platform_id_from_quote(DstackPlatformId *self, const DstackQuote *quote,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* a file name: "tdx-00806f050000-platform.json" */
gchar *dstack_platform_id_to_file_name(const DstackPlatformId *self);

/* (transfer full): QuoteCollateralV3 as JSON text, not yet checked by anybody; base without or with a slash at its end
 */
gchar *dstack_pccs_fetch(const gchar *base, const DstackPlatformId *id, const DstackFetchOptions *options,
			 GError **error);

G_END_DECLS
