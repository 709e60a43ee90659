/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * collateral fetch for SEV-SNP evidence.
 */

#include "config.h"

#include "cli/collateral-snp.h"

#include <string.h>

#include "attestation/attestation.h"
#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/x509.h"
#include "fetch/kds.h"

#define CACHE_FOLDER "amd" /* below the directory of collateral */

static gboolean
parse_report(GBytes *bytes, DstackSnpReport *out)
{
	return bytes != NULL &&
	       dstack_snp_report_parse(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
}

/**
 * dstack_collateral_find_report:
 * @input: a bare report in bytes or hex, or evidence that has one inside
 * @out: (out): the report
 *
 * Returns: whether there is one
 */
gboolean
dstack_collateral_find_report(GBytes *input, DstackSnpReport *out)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(input, &size);
	g_autofree gchar *text = g_strstrip(g_strndup(size > 0 ? (const gchar *)data : "", size));
	g_autoptr(GBytes) decoded = NULL;
	g_autoptr(DstackAttestation) attestation = NULL;

	if (parse_report(input, out))
		return TRUE;
	decoded = dstack_hex_decode_bytes(text, "report", DSTACK_SNP_REPORT_SIZE, NULL);
	if (parse_report(decoded, out))
		return TRUE;
	attestation = dstack_attestation_parse(data, size, NULL);
	return attestation != NULL && attestation->platform == DSTACK_PLATFORM_SEV_SNP &&
	       parse_report(attestation->report, out);
}

static gboolean
load_root(DstackCli *cli, const gchar *path, X509 **out, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GBytes) der = NULL;

	if (path == NULL)
		return TRUE;
	bytes = dstack_file_read_path(path, DSTACK_LIMIT_CERTIFICATE, error);
	der = bytes == NULL ? NULL : dstack_x509_to_der(bytes, path, error);
	if (der == NULL)
		return FALSE;
	*out = dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), path, error);
	if (*out == NULL)
		return FALSE;
	dstack_cli_warn(cli, "certificates are checked under the root in '%s', not under AMD's", path);
	return TRUE;
}

/* files that `verify --collateral DIR` reads; told apart by content there, so that the names are for people */
static gboolean
write_output(const gchar *path, GPtrArray *certificates, GPtrArray *crls, GError **error)
{
	const struct {
		const gchar *name;
		GBytes *content;
	} files[] = {
	    {"vcek.der", g_ptr_array_index(certificates, 0)},
	    {"cert_chain.pem", g_ptr_array_index(certificates, 1)},
	    {"crl.der", g_ptr_array_index(crls, 0)},
	};
	DSTACK_AUTO_FD int dirfd = -1;

	if (g_mkdir_with_parents(path, 0755) != 0)
		return dstack_throw_errno(error, "cannot make '%s'", path);
	dirfd = dstack_dir_open(path, error);
	for (gsize i = 0; dirfd >= 0 && i < G_N_ELEMENTS(files); i++) {
		if (!dstack_file_replace_at(dirfd, files[i].name, g_bytes_get_data(files[i].content, NULL),
					    g_bytes_get_size(files[i].content), 0644, (gid_t)-1, error))
			return FALSE;
	}
	return dirfd >= 0;
}

/* the product as the leaf's issuer names it: a version 2 report does not say */
static gchar *
find_product(GPtrArray *certificates, GError **error)
{
	GBytes *chain = g_ptr_array_index(certificates, 1);
	g_autoptr(GPtrArray) certs = dstack_x509_parse_pem(g_bytes_get_data(chain, NULL), g_bytes_get_size(chain), 2,
							   "certificate chain", error);

	return certs == NULL ? NULL : dstack_x509_dup_subject_cn(g_ptr_array_index(certs, 0));
}

static gboolean
show(DstackCli *cli, const DstackSnpReport *report, GPtrArray *certificates, GPtrArray *crls, GError **error)
{
	g_autoptr(DstackRecord) record = NULL;
	g_autofree gchar *product = find_product(certificates, error);
	GBytes *list = g_ptr_array_index(crls, 0);
	g_autoptr(X509_CRL) crl =
	    dstack_x509_crl_parse_der(g_bytes_get_data(list, NULL), g_bytes_get_size(list), "revocation list", error);
	g_autofree gchar *expires = NULL;
	g_autoptr(GDateTime) date = NULL;
	gint64 from = 0;
	gint64 to = 0;

	if (product == NULL || crl == NULL || !dstack_x509_crl_get_validity(crl, &from, &to, error))
		return FALSE;
	date = g_date_time_new_from_unix_utc(to);
	expires = date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
	record = dstack_record_new();
	dstack_record_add_text(record, "tee", "TEE", "snp");
	dstack_record_add_text(record, "ca", "CA", product);
	dstack_record_add_hex(record, "chip_id", "Chip", report->bytes.chip_id, sizeof(report->bytes.chip_id));
	dstack_record_add_hex(record, "reported_tcb", "Reported TCB", report->reported_tcb.bytes,
			      sizeof(report->reported_tcb.bytes));
	dstack_record_add_text(record, "expires", "Expires", expires);
	dstack_cli_print(cli, record);
	return TRUE;
}

static gboolean
fetch(DstackCli *cli, const DstackSnpReport *report, const DstackCollateralSnp *options, DstackKdsOptions *kds,
      GError **error)
{
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GPtrArray) crls = NULL;

	return dstack_kds_fetch(report, kds, &certificates, &crls, error) &&
	       (options->output == NULL || write_output(options->output, certificates, crls, error)) &&
	       show(cli, report, certificates, crls, error);
}

/**
 * dstack_collateral_fetch_snp:
 * @cli: this run
 * @report: the report whose certificates are wanted
 * @options: what was typed
 * @error: (out): as dstack_kds_fetch(), or why nothing could be written
 *
 * Returns: %TRUE when everything is there and shown
 */
gboolean
dstack_collateral_fetch_snp(DstackCli *cli, const DstackSnpReport *report, const DstackCollateralSnp *options,
			    GError **error)
{
	const DstackSettings *settings = dstack_cli_settings(cli, error);
	DstackContext context = {0};
	DstackKdsOptions kds = {.base_url = options->kds, .fetch = {.cancellable = cli->cancellable}};
	g_autoptr(X509) root = NULL;
	g_autofree gchar *cache = NULL;

	if (settings == NULL || !dstack_cli_fill_context(cli, &context, error) ||
	    !load_root(cli, options->root, &root, error))
		return FALSE;
	cache = g_build_filename(settings->collateral_dir, CACHE_FOLDER, NULL);
	kds.cache_dir = cache;
	kds.refresh = options->refresh;
	kds.now = context.now;
	kds.root = root;
	return fetch(cli, report, options, &kds, error);
}
