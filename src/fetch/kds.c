/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * KDS requests and the files that spare them: the service limits rates, and what it says of a chip and TCB never
 * changes. Addresses: evidence.md, part B, section 3 (AMD 57230, "VCEK Certificate and KDS Interface").
 */

#include "config.h"

#include "fetch/kds.h"

#include <sys/stat.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/x509.h"
#include "snp/report-chain.h"

#define MAX_CHAIN 2 /* CA, root */

typedef struct {
	const DstackSnpReport *report;
	const DstackKdsOptions *options;
	DstackSnpProduct product;
	DstackSnpCertificates certs;
	gboolean use_kept;
	gboolean used_kept; /* something came from the cache */
	GPtrArray *fresh;   /* (element-type KdsItem): fetched, and to be kept once all of it fits together */
} KdsRun;

typedef struct {
	gchar *name;
	GBytes *content;
} KdsItem;

static void
kds_item_free(gpointer data)
{
	KdsItem *self = data;

	g_free(self->name);
	g_bytes_unref(self->content);
	g_free(self);
}

static void
kds_run_clear(KdsRun *self)
{
	dstack_snp_certificates_clear(&self->certs);
	g_clear_pointer(&self->fresh, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KdsRun, kds_run_clear)

static gchar *
kds_url(const KdsRun *self, const gchar *path)
{
	return g_strdup_printf("%s/vcek/v1/%s/%s",
			       self->options->base_url == NULL ? DSTACK_KDS_URL : self->options->base_url,
			       dstack_snp_product_to_string(self->product), path);
}

/* Turin's chips are named by 8 bytes, the others' by 64 */
static gchar *
chip_hex(const KdsRun *self)
{
	return dstack_hex_encode(self->report->bytes.chip_id, self->product == DSTACK_SNP_TURIN ? 8 : 64);
}

/* "CHIP?fmcSPL=01&blSPL=02…": the parts that the product line has, in KDS's order */
static gchar *
vcek_path(const KdsRun *self)
{
	g_autofree gchar *chip = chip_hex(self);
	GString *path = g_string_new(chip);
	gchar separator = '?';

	for (guint i = 0; i < DSTACK_SNP_N_PARTS; i++) {
		DstackSnpPart part = (DstackSnpPart)i;

		if (!dstack_snp_product_has_part(self->product, part))
			continue;
		g_string_append_printf(path, "%c%sSPL=%02u", separator, dstack_snp_part_to_string(part),
				       dstack_snp_tcb_get(&self->report->reported_tcb, self->product, part));
		separator = '&';
	}
	return g_string_free(path, FALSE);
}

static gchar *
vcek_file_name(const KdsRun *self)
{
	g_autofree gchar *chip = chip_hex(self);
	g_autofree gchar *tcb =
	    dstack_hex_encode(self->report->reported_tcb.bytes, sizeof(self->report->reported_tcb.bytes));

	return g_strdup_printf("%s-%s.der", chip, tcb);
}

/* a descriptor of the product's folder, or -1 where nothing is kept */
static int
cache_open(const KdsRun *self, gboolean make, GError **error)
{
	g_autofree gchar *path = NULL;

	if (self->options->cache_dir == NULL)
		return -1;
	path = g_build_filename(self->options->cache_dir, dstack_snp_product_to_string(self->product), NULL);
	if (make && g_mkdir_with_parents(path, 0755) != 0) {
		dstack_throw_errno(error, "cannot make '%s'", path);
		return -1;
	}
	return dstack_dir_open(path, error);
}

/* NULL where it is not kept or cannot be read: then it is fetched, and a good one takes its place */
static GBytes *
cache_find(const KdsRun *self, const gchar *name, gsize max)
{
	DSTACK_AUTO_FD int dirfd = cache_open(self, FALSE, NULL);

	return dirfd < 0 ? NULL : dstack_file_read_beneath(dirfd, name, max, NULL);
}

static gboolean
cache_keep(const KdsRun *self, GError **error)
{
	DSTACK_AUTO_FD int dirfd = -1;

	if (self->options->cache_dir == NULL || self->fresh->len == 0)
		return TRUE;
	dirfd = cache_open(self, TRUE, error);
	if (dirfd < 0)
		return FALSE;
	for (guint i = 0; i < self->fresh->len; i++) {
		const KdsItem *item = g_ptr_array_index(self->fresh, i);

		if (!dstack_file_replace_at(dirfd, item->name, g_bytes_get_data(item->content, NULL),
					    g_bytes_get_size(item->content), 0644, (gid_t)-1, error))
			return FALSE;
	}
	return TRUE;
}

static GBytes *
kds_get(const KdsRun *self, const gchar *path, gsize max, GError **error)
{
	g_autofree gchar *url = kds_url(self, path);
	DstackFetchOptions options = self->options->fetch;
	g_autoptr(DstackFetchAnswer) answer = NULL;

	options.max_size = max;
	answer = dstack_fetch_get(url, &options, error);
	return answer == NULL ? NULL : g_bytes_ref(dstack_fetch_answer_peek_body(answer));
}

/* judges an item and, where it is a certificate, puts it in its place; also whether it may be kept */
typedef gboolean (*KdsJudge)(KdsRun *self, GBytes *content, GError **error);

static gboolean
judge_vcek(KdsRun *self, GBytes *content, GError **error)
{
	g_autoptr(X509) cert =
	    dstack_x509_parse_der(g_bytes_get_data(content, NULL), g_bytes_get_size(content), "VCEK", error);

	if (cert == NULL || !dstack_snp_vek_ensure_product(cert, self->product, self->report, error) ||
	    !dstack_snp_vek_ensure_tcb(cert, self->product, self->report, error) ||
	    !dstack_snp_vek_ensure_chip(cert, DSTACK_SNP_VCEK, self->product, self->report, error) ||
	    !dstack_x509_ensure_in_date(cert, self->options->now, "VCEK", error))
		return FALSE;
	g_clear_pointer(&self->certs.vek, X509_free);
	self->certs.vek = g_steal_pointer(&cert);
	return TRUE;
}

static gboolean
judge_chain(KdsRun *self, GBytes *content, GError **error)
{
	DstackSnpTrust trust = {.root = self->options->root};
	DstackSnpChain chain = {0};
	gsize size = 0;
	const gchar *text = g_bytes_get_data(content, &size);
	g_autoptr(GPtrArray) certs = dstack_x509_parse_pem(text, size, MAX_CHAIN, "certificate chain", error);

	if (certs == NULL)
		return FALSE;
	if (certs->len != MAX_CHAIN)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificate chain: expected CA and root, found %u",
				    certs->len);
	g_clear_pointer(&self->certs.ca, X509_free);
	g_clear_pointer(&self->certs.root, X509_free);
	self->certs.ca = g_ptr_array_index(certs, 0);
	self->certs.root = g_ptr_array_index(certs, 1);
	X509_up_ref(self->certs.ca);
	X509_up_ref(self->certs.root);
	return dstack_snp_chain_verify(&self->certs, &trust, &chain, error) &&
	       dstack_snp_chain_ensure_in_date(&self->certs, self->options->now, error);
}

/* whether it revokes anything is for a verification to say: a list that does is what one wants to have */
static gboolean
judge_crl(KdsRun *self, GBytes *content, GError **error)
{
	g_autoptr(X509_CRL) crl = dstack_x509_crl_parse_der(g_bytes_get_data(content, NULL), g_bytes_get_size(content),
							    "revocation list", error);

	return crl != NULL && dstack_x509_crl_ensure_issued_by(crl, self->certs.root, "revocation list", error) &&
	       dstack_x509_crl_ensure_in_date(crl, self->options->now, "revocation list", error);
}

/* what is kept and still good, else what the service says */
static GBytes *
kds_obtain(KdsRun *self, const gchar *name, const gchar *path, gsize max, KdsJudge judge, GError **error)
{
	g_autoptr(GBytes) kept = self->use_kept ? cache_find(self, name, max) : NULL;
	g_autoptr(GBytes) fetched = NULL;
	KdsItem *item = NULL;

	if (kept != NULL && judge(self, kept, NULL)) {
		self->used_kept = TRUE;
		return g_steal_pointer(&kept);
	}
	fetched = kds_get(self, path, max, error);
	if (fetched == NULL)
		return NULL;
	if (!judge(self, fetched, error)) {
		g_prefix_error(error, "%s of %s from KDS: ", name, dstack_snp_product_to_string(self->product));
		return NULL;
	}
	item = g_new0(KdsItem, 1);
	item->name = g_strdup(name);
	item->content = g_bytes_ref(fetched);
	g_ptr_array_add(self->fresh, item);
	return g_steal_pointer(&fetched);
}

static gboolean
kds_fetch_product(KdsRun *self, GPtrArray *certificates, GPtrArray *crls, GError **error)
{
	g_autofree gchar *name = vcek_file_name(self);
	g_autofree gchar *path = vcek_path(self);
	GBytes *item = kds_obtain(self, name, path, DSTACK_LIMIT_CERTIFICATE, judge_vcek, error);

	if (item == NULL)
		return FALSE;
	g_ptr_array_add(certificates, item);
	item = kds_obtain(self, "cert_chain.pem", "cert_chain", DSTACK_LIMIT_CERTIFICATE, judge_chain, error);
	if (item == NULL)
		return FALSE;
	g_ptr_array_add(certificates, item);
	item = kds_obtain(self, "crl.der", "crl", DSTACK_LIMIT_CRL, judge_crl, error);
	if (item == NULL)
		return FALSE;
	g_ptr_array_add(crls, item);
	return cache_keep(self, error);
}

static gboolean
ensure_fetchable(const DstackSnpReport *report, GError **error)
{
	if (dstack_snp_report_get_signing_key(report) != DSTACK_SNP_SIGNED_BY_VCEK)
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND,
				    "KDS has certificates of VCEKs only: a VLEK's is the cloud provider's to give");
	if (dstack_bytes_are_zero(report->bytes.chip_id, sizeof(report->bytes.chip_id)))
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND,
				    "the report's CHIP_ID is masked, and KDS finds certificates by it");
	return TRUE;
}

static gboolean
kds_run(KdsRun *self, GPtrArray *certificates, GPtrArray *crls, GError **error)
{
	self->fresh = g_ptr_array_new_with_free_func(kds_item_free);
	g_ptr_array_set_size(certificates, 0);
	g_ptr_array_set_size(crls, 0);
	return kds_fetch_product(self, certificates, crls, error);
}

/* a file that was spoiled must not stand in the way for ever: where kept items do not fit, all are fetched anew */
static gboolean
kds_try_product(const DstackSnpReport *report, const DstackKdsOptions *options, DstackSnpProduct product,
		GPtrArray *certificates, GPtrArray *crls, GError **error)
{
	g_auto(KdsRun) run = {.report = report, .options = options, .product = product, .use_kept = !options->refresh};
	g_auto(KdsRun) again = {.report = report, .options = options, .product = product};
	g_autoptr(GError) local = NULL;

	if (kds_run(&run, certificates, crls, &local))
		return TRUE;
	if (run.used_kept && g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_UNSOUND))
		return kds_run(&again, certificates, crls, error);
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/**
 * dstack_kds_fetch:
 * @report: a report that parses; its signature need not have been checked
 * @options: where to ask and where to keep
 * @out_certificates: (out) (transfer full) (element-type GBytes): leaf, and CA with root
 * @out_crls: (out) (transfer full) (element-type GBytes): the product's revocation list
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND, %DSTACK_ERROR_FAILED from the network,
 *   %DSTACK_ERROR_MALFORMED or %DSTACK_ERROR_UNSOUND when the service gives something else than was asked for
 *
 * A version 2 report does not say its processor: the product lines of that time are asked in turn.
 *
 * Returns: %TRUE when all three items are there
 */
gboolean
dstack_kds_fetch(const DstackSnpReport *report, const DstackKdsOptions *options, GPtrArray **out_certificates,
		 GPtrArray **out_crls, GError **error)
{
	DstackSnpProduct first = DSTACK_SNP_MILAN;
	DstackSnpProduct last = DSTACK_SNP_GENOA;

	if (!ensure_fetchable(report, error))
		return FALSE;
	if (dstack_snp_report_has_cpuid(report)) {
		if (!dstack_snp_report_get_product(report, &first))
			return dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "the report's processor is unknown");
		last = first;
	}
	for (guint i = first; i <= (guint)last; i++) {
		g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
		g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
		g_autoptr(GError) local = NULL;

		if (kds_try_product(report, options, (DstackSnpProduct)i, certificates, crls, &local)) {
			*out_certificates = g_steal_pointer(&certificates);
			*out_crls = g_steal_pointer(&crls);
			return TRUE;
		}
		if (i == (guint)last || !g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
	}
	g_return_val_if_reached(FALSE);
}
