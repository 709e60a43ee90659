/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral: what Intel publishes about its platforms, loaded once and used for many quotes.
 *
 * Form: a JSON object of nine strings (QuoteCollateralV3, evidence.md part A, section 8), or a directory
 * with one file for each.
 *
 * Loading parses everything and checks everything that depends neither on the time nor on the quote: the
 * chains to the root, the signatures of both documents and of both revocation lists. What it says never changes
 * afterwards; the chains of quotes that it remembers are behind a lock. So threads may share it, and references are
 * counted atomically.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

#include "base/context.h"
#include "base/digest.h"
#include "dcap/chain.h"
#include "dcap/qe-identity.h"
#include "dcap/tcb-info.h"

G_BEGIN_DECLS

typedef struct _DstackCollateral DstackCollateral;

/* the root of context: its own, or the pinned one. An error is %MALFORMED, never a bad signature: see below */
DstackCollateral *dstack_collateral_parse(const gchar *text, gsize size, const DstackContext *context, GError **error);
/* a file or a directory that the operator named */
DstackCollateral *dstack_collateral_load(const gchar *path, const DstackContext *context, GError **error);
DstackCollateral *dstack_collateral_ref(DstackCollateral *self);
void dstack_collateral_unref(DstackCollateral *self);

/* that chains and signatures hold, as found when it was loaded (%DSTACK_ERROR_UNSOUND) */
gboolean dstack_collateral_ensure_authentic(const DstackCollateral *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* that every item is in date (%DSTACK_ERROR_UNSOUND names the item and its dates) */
gboolean dstack_collateral_ensure_in_date(const DstackCollateral *self, gint64 now,
					  GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
	gint64 earliest_issue;
	gint64 latest_issue;
	gint64 earliest_expiration;
} DstackCollateralDates;

DstackCollateralDates dstack_collateral_get_dates(const DstackCollateral *self);
const DstackTcbInfo *dstack_collateral_peek_tcb_info(const DstackCollateral *self);
const DstackQeIdentity *dstack_collateral_peek_qe_identity(const DstackCollateral *self);
X509 *dstack_collateral_peek_pck_ca(const DstackCollateral *self); /* who issued the PCK revocation list */
X509 *dstack_collateral_peek_tcb_info_signer(const DstackCollateral *self);
X509 *dstack_collateral_peek_qe_identity_signer(const DstackCollateral *self);
X509_CRL *dstack_collateral_peek_pck_crl(const DstackCollateral *self);
X509_CRL *dstack_collateral_peek_root_crl(const DstackCollateral *self);
DstackSha384 dstack_collateral_get_root_key_id(const DstackCollateral *self);
/* PCK chains of quotes that were authentic under its root: what saves a platform's second quote the work */
#define DSTACK_LIMIT_KNOWN_CHAINS 64 /* about 10 KiB each */
DstackChain *dstack_collateral_find_chain(DstackCollateral *self, const guint8 *data, gsize size);
void dstack_collateral_remember_chain(DstackCollateral *self, const guint8 *data, gsize size, DstackChain *chain);
gboolean dstack_collateral_has_root(const DstackCollateral *self, const DstackContext *context,
				    DstackTrustAnchor *out_anchor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackCollateral, dstack_collateral_unref)

G_END_DECLS
