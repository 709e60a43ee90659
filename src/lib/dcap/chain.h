/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificate chains of the Intel SGX PKI: PCK (leaf, CA, root) and TCB signing (leaf, root).
 * Rules: evidence.md part A, "What ours does", sections 7 and 11, and part C for the root's key.
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

#include "base/context.h"
#include "base/digest.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_CHAIN_PCK = 1, /* in a quote: PCK certificate, PCK CA, root */
	DSTACK_CHAIN_PCK_CA,  /* of a PCK revocation list: PCK CA, root */
	DSTACK_CHAIN_SIGNING, /* of a signed document: TCB signing certificate, root */
} DstackChainKind;

#define DSTACK_CHAIN_MAX 3

/* from the first second to the last, inclusive, since 1970 */
typedef struct {
	gint64 from;
	gint64 to;
} DstackValidity;

/* never changes once it is parsed, so threads may share it */
typedef struct {
	gatomicrefcount refs;
	DstackChainKind kind;
	X509 *leaf;
	X509 *ca; /* DSTACK_CHAIN_PCK only */
	X509 *root;
	DstackValidity validity[DSTACK_CHAIN_MAX]; /* of leaf, CA and root */
} DstackChain;

/* the key that a chain must end in */
typedef struct {
	DstackSha256 spki;
	gboolean is_pinned; /* FALSE: the caller gave it */
} DstackTrustAnchor;

gboolean dstack_trust_anchor_init(DstackTrustAnchor *self, const DstackContext *context,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* exactly the certificates of the kind, in any order */
DstackChain *dstack_chain_parse(DstackChainKind kind, const gchar *text, gsize size, const gchar *what, GError **error);
DstackChain *dstack_chain_ref(DstackChain *self);
void dstack_chain_unref(DstackChain *self);
/* names, CA flags, keys, signatures, and the root's key; not the dates */
gboolean dstack_chain_ensure_authentic(const DstackChain *self, const DstackTrustAnchor *anchor,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_chain_ensure_in_date(const DstackChain *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the certificates that a chain of the kind has, for those who go through all: NULL for one it has not */
X509 *dstack_chain_peek(const DstackChain *self, guint i, const gchar **out_what);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackChain, dstack_chain_unref)

G_END_DECLS
