/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral, parsed and authenticated once. What is signed by whom: evidence.md part A, sections 7, 8 and 11.
 */

#include "config.h"

#include "dcap/collateral.h"

#include <string.h>

#include <openssl/core_names.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/openssl.h"
#include "base/x509.h"
#include "dcap/chain.h"
#include "dcap/collateral-parts.h"
#include "dcap/crl.h"

/* one thing that is valid from then to then */
typedef struct {
	const gchar *what;
	gint64 from;
	gint64 to;
} DatedItem;

struct _DstackCollateral {
	gatomicrefcount refs;
	DstackChain *pck_ca_chain;
	DstackChain *tcb_info_chain;
	DstackChain *qe_identity_chain;
	X509_CRL *root_crl;
	X509_CRL *pck_crl;
	GBytes *tcb_info_text;
	GBytes *qe_identity_text;
	guint8 tcb_info_signature[64];
	guint8 qe_identity_signature[64];
	DstackTcbInfo *tcb_info;
	DstackQeIdentity *qe_identity;
	GArray *dated;	  /* (element-type DatedItem) */
	GBytes *root_der; /* (nullable): the caller's root, which anchor was taken from */
	DstackTrustAnchor anchor;
	DstackSha384 root_key_id;
	GError *unsound;	  /* (nullable): why it is not authentic */
	GMutex mutex;		  /* of the next only */
	GHashTable *known_chains; /* certification data (GBytes) -> DstackChain, authentic under anchor */
};

DstackCollateral *
dstack_collateral_ref(DstackCollateral *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
dstack_collateral_unref(DstackCollateral *self)
{
	if (self == NULL || !g_atomic_ref_count_dec(&self->refs))
		return;
	dstack_chain_unref(self->pck_ca_chain);
	dstack_chain_unref(self->tcb_info_chain);
	dstack_chain_unref(self->qe_identity_chain);
	X509_CRL_free(self->root_crl);
	X509_CRL_free(self->pck_crl);
	g_clear_pointer(&self->tcb_info_text, g_bytes_unref);
	g_clear_pointer(&self->qe_identity_text, g_bytes_unref);
	dstack_tcb_info_free(self->tcb_info);
	dstack_qe_identity_free(self->qe_identity);
	g_clear_pointer(&self->dated, g_array_unref);
	g_clear_pointer(&self->root_der, g_bytes_unref);
	g_clear_error(&self->unsound);
	g_clear_pointer(&self->known_chains, g_hash_table_unref);
	g_mutex_clear(&self->mutex);
	g_free(self);
}

static DstackChain *
parse_chain(const DstackCollateralParts *parts, DstackPart part, DstackChainKind kind, GError **error)
{
	gsize size = 0;
	const gchar *text = g_bytes_get_data(parts->part[part], &size);

	return dstack_chain_parse(kind, text, size, dstack_part_to_string(part), error);
}

static X509_CRL *
parse_crl(const DstackCollateralParts *parts, DstackPart part, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(parts->part[part], &size);

	return dstack_crl_parse(data, size, dstack_part_to_string(part), error);
}

static gboolean
parse_signature(const DstackCollateralParts *parts, DstackPart part, guint8 out[64], GError **error)
{
	gsize size = 0;
	const gchar *data = g_bytes_get_data(parts->part[part], &size);
	g_autofree gchar *text = g_strndup(size > 0 ? data : "", size);

	return dstack_hex_decode(text, dstack_part_to_string(part), out, 64, error);
}

static gboolean
parse_certificates(DstackCollateral *self, const DstackCollateralParts *parts, GError **error)
{
	self->pck_ca_chain = parse_chain(parts, DSTACK_PART_PCK_CRL_ISSUER_CHAIN, DSTACK_CHAIN_PCK_CA, error);
	if (self->pck_ca_chain == NULL)
		return FALSE;
	self->tcb_info_chain = parse_chain(parts, DSTACK_PART_TCB_INFO_ISSUER_CHAIN, DSTACK_CHAIN_SIGNING, error);
	if (self->tcb_info_chain == NULL)
		return FALSE;
	self->qe_identity_chain = parse_chain(parts, DSTACK_PART_QE_IDENTITY_ISSUER_CHAIN, DSTACK_CHAIN_SIGNING, error);
	if (self->qe_identity_chain == NULL)
		return FALSE;
	self->root_crl = parse_crl(parts, DSTACK_PART_ROOT_CA_CRL, error);
	if (self->root_crl == NULL)
		return FALSE;
	self->pck_crl = parse_crl(parts, DSTACK_PART_PCK_CRL, error);
	return self->pck_crl != NULL;
}

static gboolean
parse_documents(DstackCollateral *self, const DstackCollateralParts *parts, GError **error)
{
	self->tcb_info_text = g_bytes_ref(parts->part[DSTACK_PART_TCB_INFO]);
	self->qe_identity_text = g_bytes_ref(parts->part[DSTACK_PART_QE_IDENTITY]);
	if (!parse_signature(parts, DSTACK_PART_TCB_INFO_SIGNATURE, self->tcb_info_signature, error) ||
	    !parse_signature(parts, DSTACK_PART_QE_IDENTITY_SIGNATURE, self->qe_identity_signature, error))
		return FALSE;
	self->tcb_info = dstack_tcb_info_parse(g_bytes_get_data(self->tcb_info_text, NULL),
					       g_bytes_get_size(self->tcb_info_text), error);
	if (self->tcb_info == NULL)
		return FALSE;
	self->qe_identity = dstack_qe_identity_parse(g_bytes_get_data(self->qe_identity_text, NULL),
						     g_bytes_get_size(self->qe_identity_text), error);
	return self->qe_identity != NULL;
}

static void
add_dated(DstackCollateral *self, const gchar *what, gint64 from, gint64 to)
{
	DatedItem item = {.what = what, .from = from, .to = to};

	g_array_append_val(self->dated, item);
}

static void
add_dated_chain(DstackCollateral *self, const DstackChain *chain)
{
	for (guint i = 0; i < DSTACK_CHAIN_MAX; i++) {
		const gchar *what = NULL;

		if (dstack_chain_peek(chain, i, &what) != NULL)
			add_dated(self, what, chain->validity[i].from, chain->validity[i].to);
	}
}

static gboolean
add_dated_crl(DstackCollateral *self, X509_CRL *crl, const gchar *what, GError **error)
{
	gint64 from = 0;
	gint64 to = 0;

	if (!dstack_x509_crl_get_validity(crl, &from, &to, error))
		return FALSE;
	add_dated(self, what, from, to);
	return TRUE;
}

static gboolean
collect_dates(DstackCollateral *self, GError **error)
{
	self->dated = g_array_new(FALSE, FALSE, sizeof(DatedItem));
	add_dated(self, "TCB info", self->tcb_info->issue_date, self->tcb_info->next_update);
	add_dated(self, "QE identity", self->qe_identity->issue_date, self->qe_identity->next_update);
	if (!add_dated_crl(self, self->pck_crl, "PCK revocation list", error) ||
	    !add_dated_crl(self, self->root_crl, "root revocation list", error))
		return FALSE;
	add_dated_chain(self, self->tcb_info_chain);
	add_dated_chain(self, self->qe_identity_chain);
	add_dated_chain(self, self->pck_ca_chain);
	return TRUE;
}

static gboolean
verify_document(const DstackChain *chain, const guint8 signature[64], GBytes *text, const gchar *what, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(text, &size);

	return dstack_p256_verify(X509_get0_pubkey(chain->leaf), signature, data, size, what, error);
}

/* everything that needs neither the time nor a quote */
static gboolean
authenticate(const DstackCollateral *self, GError **error)
{
	return dstack_chain_ensure_authentic(self->tcb_info_chain, &self->anchor, error) &&
	       verify_document(self->tcb_info_chain, self->tcb_info_signature, self->tcb_info_text,
			       "signature of the TCB info", error) &&
	       dstack_chain_ensure_authentic(self->qe_identity_chain, &self->anchor, error) &&
	       verify_document(self->qe_identity_chain, self->qe_identity_signature, self->qe_identity_text,
			       "signature of the QE identity", error) &&
	       dstack_chain_ensure_authentic(self->pck_ca_chain, &self->anchor, error) &&
	       dstack_x509_crl_ensure_issued_by(self->root_crl, self->tcb_info_chain->root, "root revocation list",
						error) &&
	       dstack_x509_crl_ensure_issued_by(self->pck_crl, self->pck_ca_chain->leaf, "PCK revocation list", error);
}

/* the point's coordinates, without the byte that says "uncompressed" */
static DstackSha384
key_id(X509 *root)
{
	guint8 point[65] = {0};
	gsize size = 0;
	DstackSha384 none = {{0}};

	if (EVP_PKEY_get_octet_string_param(X509_get0_pubkey(root), OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &size) != 1 ||
	    size != sizeof(point))
		return none;
	return dstack_sha384(point + 1, sizeof(point) - 1);
}

static DstackCollateral *
collateral_new(const DstackCollateralParts *parts, const DstackContext *context, GError **error)
{
	g_autoptr(DstackCollateral) self = g_new0(DstackCollateral, 1);
	g_autoptr(GError) unsound = NULL;

	g_atomic_ref_count_init(&self->refs);
	g_mutex_init(&self->mutex);
	self->known_chains = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
						   (GDestroyNotify)dstack_chain_unref);
	self->root_der = context->root_der != NULL ? g_bytes_ref(context->root_der) : NULL;
	if (!dstack_trust_anchor_init(&self->anchor, context, error) || !parse_certificates(self, parts, error) ||
	    !parse_documents(self, parts, error) || !collect_dates(self, error)) {
		g_prefix_error(error, "collateral: ");
		return NULL;
	}
	self->root_key_id = key_id(self->tcb_info_chain->root);
	if (!authenticate(self, &unsound))
		self->unsound = g_steal_pointer(&unsound);
	return g_steal_pointer(&self);
}

/**
 * dstack_collateral_parse:
 * @text: (array length=size): a JSON object with the nine strings of QuoteCollateralV3
 * @size: number of bytes, at most %DSTACK_LIMIT_COLLATERAL
 * @context: the root to trust; its time is not looked at
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when a piece is missing or cannot be read
 *
 * A signature that does not hold is no error here: dstack_collateral_ensure_authentic() tells.
 *
 * Returns: (transfer full) (nullable): the collateral; free with dstack_collateral_unref()
 */
DstackCollateral *
dstack_collateral_parse(const gchar *text, gsize size, const DstackContext *context, GError **error)
{
	g_auto(DstackCollateralParts) parts = {{NULL}};

	if (!dstack_collateral_parts_from_json(&parts, text, size, error))
		return NULL;
	return collateral_new(&parts, context, error);
}

/**
 * dstack_collateral_load:
 * @path: a file as dstack_collateral_parse() reads it, or a directory with a file for each piece
 * @context: the root to trust; its time is not looked at
 * @error: (out) (optional): also %DSTACK_ERROR_NOT_FOUND and %DSTACK_ERROR_FAILED
 *
 * Returns: (transfer full) (nullable): the collateral; free with dstack_collateral_unref()
 */
DstackCollateral *
dstack_collateral_load(const gchar *path, const DstackContext *context, GError **error)
{
	g_auto(DstackCollateralParts) parts = {{NULL}};
	g_autoptr(GBytes) bytes = NULL;
	DSTACK_AUTO_FD int dirfd = -1;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		bytes = dstack_file_read_path(path, DSTACK_LIMIT_COLLATERAL, error);
		if (bytes == NULL)
			return NULL;
		return dstack_collateral_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), context, error);
	}
	dirfd = dstack_dir_open(path, error);
	if (dirfd < 0 || !dstack_collateral_parts_from_directory(&parts, dirfd, error))
		return NULL;
	return collateral_new(&parts, context, error);
}

/**
 * dstack_collateral_ensure_authentic:
 * @self: collateral
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND with what does not hold
 *
 * Returns: %TRUE when, at loading, every chain led to the root and every signature verified
 */
gboolean
dstack_collateral_ensure_authentic(const DstackCollateral *self, GError **error)
{
	if (self->unsound == NULL)
		return TRUE;
	g_propagate_error(error, g_error_copy(self->unsound));
	return FALSE;
}

/**
 * dstack_collateral_ensure_in_date:
 * @self: collateral
 * @now: seconds since 1970
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND naming the item and its dates
 *
 * Returns: %TRUE when documents, lists and certificates are all valid at @now, both bounds inclusive
 */
gboolean
dstack_collateral_ensure_in_date(const DstackCollateral *self, gint64 now, GError **error)
{
	for (guint i = 0; i < self->dated->len; i++) {
		const DatedItem *item = &g_array_index(self->dated, DatedItem, i);

		if (!dstack_ensure_in_date(item->from, item->to, now, item->what, error))
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_collateral_get_dates:
 * @self: collateral
 *
 * Returns: the earliest and latest of its items' issue dates, and the first date at which one of them expires
 */
DstackCollateralDates
dstack_collateral_get_dates(const DstackCollateral *self)
{
	DstackCollateralDates dates = {G_MAXINT64, G_MININT64, G_MAXINT64};

	for (guint i = 0; i < self->dated->len; i++) {
		const DatedItem *item = &g_array_index(self->dated, DatedItem, i);

		dates.earliest_issue = MIN(dates.earliest_issue, item->from);
		dates.latest_issue = MAX(dates.latest_issue, item->from);
		dates.earliest_expiration = MIN(dates.earliest_expiration, item->to);
	}
	return dates;
}

const DstackTcbInfo *
dstack_collateral_peek_tcb_info(const DstackCollateral *self)
{
	return self->tcb_info;
}

const DstackQeIdentity *
dstack_collateral_peek_qe_identity(const DstackCollateral *self)
{
	return self->qe_identity;
}

X509 *
dstack_collateral_peek_pck_ca(const DstackCollateral *self)
{
	return self->pck_ca_chain->leaf;
}

X509 *
dstack_collateral_peek_tcb_info_signer(const DstackCollateral *self)
{
	return self->tcb_info_chain->leaf;
}

X509 *
dstack_collateral_peek_qe_identity_signer(const DstackCollateral *self)
{
	return self->qe_identity_chain->leaf;
}

X509_CRL *
dstack_collateral_peek_pck_crl(const DstackCollateral *self)
{
	return self->pck_crl;
}

X509_CRL *
dstack_collateral_peek_root_crl(const DstackCollateral *self)
{
	return self->root_crl;
}

/**
 * dstack_collateral_has_root:
 * @self: collateral
 * @context: what a caller trusts
 * @out_anchor: (out): the key that both trust
 *
 * Returns: %TRUE when @self was loaded under the very root of @context
 */
gboolean
dstack_collateral_has_root(const DstackCollateral *self, const DstackContext *context, DstackTrustAnchor *out_anchor)
{
	if (self->root_der != context->root_der &&
	    (self->root_der == NULL || context->root_der == NULL || !g_bytes_equal(self->root_der, context->root_der)))
		return FALSE;
	*out_anchor = self->anchor;
	return TRUE;
}

/**
 * dstack_collateral_get_root_key_id:
 * @self: collateral
 *
 * Returns: SHA-384 of the root's public key, x then y
 */
DstackSha384
dstack_collateral_get_root_key_id(const DstackCollateral *self)
{
	return self->root_key_id;
}

/**
 * dstack_collateral_find_chain:
 * @self: collateral
 * @data: (array length=size): certification data of a quote
 * @size: number of bytes
 *
 * Quotes of one platform carry the same chain, byte for byte. That it leads to the root is then known; dates and
 * revocation are not remembered.
 *
 * Returns: (transfer full) (nullable): the chain that dstack_collateral_remember_chain() was given for these bytes
 */
DstackChain *
dstack_collateral_find_chain(DstackCollateral *self, const guint8 *data, gsize size)
{
	g_autoptr(GBytes) key = g_bytes_new_static(data, size);
	DstackChain *chain = NULL;

	g_mutex_lock(&self->mutex);
	chain = g_hash_table_lookup(self->known_chains, key);
	if (chain != NULL)
		dstack_chain_ref(chain);
	g_mutex_unlock(&self->mutex);
	return chain;
}

/**
 * dstack_collateral_remember_chain:
 * @self: collateral
 * @data: (array length=size): certification data of a quote
 * @size: number of bytes
 * @chain: what it says, found authentic under the root of @self
 *
 * At most %DSTACK_LIMIT_KNOWN_CHAINS are kept; then all are dropped and remembering begins anew.
 */
void
dstack_collateral_remember_chain(DstackCollateral *self, const guint8 *data, gsize size, DstackChain *chain)
{
	g_mutex_lock(&self->mutex);
	if (g_hash_table_size(self->known_chains) >= DSTACK_LIMIT_KNOWN_CHAINS)
		g_hash_table_remove_all(self->known_chains);
	g_hash_table_replace(self->known_chains, g_bytes_new(data, size), dstack_chain_ref(chain));
	g_mutex_unlock(&self->mutex);
}
