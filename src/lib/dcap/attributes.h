/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Policy on the attributes of a TD or an enclave: what a relying party does not want to see at all.
 */
#pragma once

#include <glib.h>

#include "tdx/quote.h"

G_BEGIN_DECLS

/* rules that a caller may do without */
typedef enum {
	DSTACK_DCAP_ALLOW_DEBUG = 1 << 0,
	DSTACK_DCAP_ALLOW_SEPT_VE = 1 << 1,    /* SEPT_VE_DISABLE not set */
	DSTACK_DCAP_ALLOW_SERVICE_TD = 1 << 2, /* a service TD is bound */
	DSTACK_DCAP_ALLOW_RESERVED = 1 << 3,   /* reserved bits, MIGRATABLE among them: for tests of the machinery */
} DstackDcapAllow;

/* allow: DstackDcapAllow; waived (element-type utf8) gets a sentence for each rule that only @allow let pass */
gboolean dstack_quote_ensure_attributes(const DstackQuote *quote, guint allow, GPtrArray *waived,
					GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
