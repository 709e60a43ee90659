/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * collateral fetch: what verification needs to know of a platform, from a PCCS- or KDS-compatible service to a file.
 */

#include "config.h"

#include "cli/command.h"

#include <string.h>

#include "attestation/attestation.h"
#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/collateral-snp.h"
#include "fetch/keep.h"
#include "fetch/pccs.h"

/* one run of the command */
typedef struct {
	gchar *pccs;
	gchar *kds;
	gchar *fmspc;
	gchar *ca;
	gchar *tee;
	gchar *root;
	gchar *output;
	gboolean refresh;
} Options;

static void
options_clear(Options *self)
{
	g_free(self->pccs);
	g_free(self->kds);
	g_free(self->fmspc);
	g_free(self->ca);
	g_free(self->tee);
	g_free(self->root);
	g_free(self->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* a bare quote in bytes or hex, or evidence that has one inside */
static GBytes *
take_quote(GBytes *input, GError **error)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(input, &size);
	g_autoptr(DstackAttestation) attestation = NULL;
	g_autofree gchar *text = NULL;
	GBytes *decoded = NULL;

	if (dstack_quote_looks_like(data, size))
		return g_bytes_ref(input);
	text = g_strndup(size > 0 ? (const gchar *)data : "", size);
	decoded = dstack_hex_decode_bytes(g_strstrip(text), "quote", DSTACK_LIMIT_QUOTE, NULL);
	if (decoded != NULL && dstack_quote_looks_like(g_bytes_get_data(decoded, NULL), g_bytes_get_size(decoded)))
		return decoded;
	g_clear_pointer(&decoded, g_bytes_unref);
	attestation = dstack_attestation_parse(data, size, error);
	if (attestation == NULL)
		return NULL;
	if (attestation->quote == NULL) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
			     "evidence of %s: only TDX and SEV-SNP have collateral",
			     dstack_platform_to_string(attestation->platform));
		return NULL;
	}
	return g_bytes_ref(attestation->quote);
}

static gboolean
id_from_evidence(GBytes *input, DstackPlatformId *out, GError **error)
{
	g_autoptr(GBytes) bytes = take_quote(input, error);
	DstackQuote quote;

	return bytes != NULL &&
	       dstack_quote_parse(&quote, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error) &&
	       dstack_platform_id_from_quote(out, &quote, error);
}

static gboolean
id_from_options(const Options *options, DstackPlatformId *out, GError **error)
{
	const gchar *tee = options->tee != NULL ? options->tee : "tdx";
	g_autoptr(GError) cause = NULL;

	if (!dstack_hex_decode(options->fmspc, "--fmspc", out->fmspc, sizeof(out->fmspc), &cause))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s", cause->message);
	if (!g_str_equal(tee, "tdx") && !g_str_equal(tee, "sgx"))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "--tee: expected tdx or sgx, found '%s'",
				    tee);
	out->is_tdx = g_str_equal(tee, "tdx");
	return dstack_pck_ca_parse(options->ca != NULL ? options->ca : "platform", &out->ca, error);
}

static gboolean
check_options(DstackCli *cli, const Options *options, GError **error)
{
	if (!g_str_equal(cli->args[0], "fetch"))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "collateral: expected fetch, found '%s'",
				    cli->args[0]);
	if ((cli->n_args == 2) == (options->fmspc != NULL))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "collateral fetch: expected a file with a quote, or --fmspc");
	if (options->fmspc == NULL && (options->ca != NULL || options->tee != NULL))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "collateral fetch: --ca and --tee go with --fmspc; a quote says them itself");
	return TRUE;
}

/* (transfer full): the text, from the disk or from the service; always checked */
static gchar *
get_collateral(DstackCli *cli, const Options *options, const DstackPlatformId *id, const DstackContext *context,
	       gboolean *out_kept, GError **error)
{
	const DstackSettings *settings = dstack_cli_settings(cli, error);
	DstackFetchOptions fetch = {.cancellable = cli->cancellable};
	g_autoptr(DstackCollateral) checked = NULL;
	g_autoptr(GError) unkept = NULL;
	g_autofree gchar *text = NULL;
	const gchar *pccs = options->pccs;

	if (settings == NULL)
		return NULL;
	if (pccs == NULL)
		pccs = settings->collateral_pccs != NULL ? settings->collateral_pccs : DSTACK_PCCS_INTEL;
	text = options->refresh ? NULL : dstack_collateral_find_kept(settings->collateral_dir, id, context);
	*out_kept = text != NULL;
	if (text != NULL)
		return g_steal_pointer(&text);
	text = dstack_pccs_fetch(pccs, id, &fetch, error);
	if (text == NULL)
		return NULL;
	checked = dstack_collateral_check(text, id, context, error);
	if (checked == NULL) {
		g_prefix_error(error, "%s: ", pccs);
		return NULL;
	}
	if (!dstack_collateral_keep(settings->collateral_dir, id, text, &unkept)) {
		if (options->output == NULL) {
			g_propagate_error(error, g_steal_pointer(&unkept));
			return NULL;
		}
		dstack_cli_warn(cli, "not kept: %s", unkept->message);
	}
	return g_steal_pointer(&text);
}

static gboolean
write_output(const gchar *path, const gchar *text, GError **error)
{
	g_autofree gchar *dir = g_path_get_dirname(path);
	g_autofree gchar *name = g_path_get_basename(path);
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, error);

	return dirfd >= 0 &&
	       dstack_file_replace_at(dirfd, name, (const guint8 *)text, strlen(text), 0644, (gid_t)-1, error);
}

static gchar *
format_time(gint64 when)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(when);

	return date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
}

static void
report(DstackCli *cli, const DstackPlatformId *id, const DstackCollateral *collateral, gboolean kept)
{
	const DstackTcbInfo *info = dstack_collateral_peek_tcb_info(collateral);
	DstackCollateralDates dates = dstack_collateral_get_dates(collateral);
	g_autofree gchar *expires = format_time(dates.earliest_expiration);
	g_autoptr(DstackRecord) record = dstack_record_new();

	dstack_record_add_text(record, "tee", "TEE", id->is_tdx ? "tdx" : "sgx");
	dstack_record_add_hex(record, "fmspc", "FMSPC", id->fmspc, sizeof(id->fmspc));
	dstack_record_add_text(record, "ca", "CA", dstack_pck_ca_to_string(id->ca));
	dstack_record_add_uint(record, "tcb_evaluation_data_number", "TCB evaluation", info->evaluation_number);
	dstack_record_add_text(record, "expires", "Expires", expires);
	dstack_record_add_bool(record, "kept", "Was kept", kept);
	dstack_cli_print(cli, record);
}

/* input NULL: the platform was named instead */
static gboolean
fetch_tdx(DstackCli *cli, const Options *options, GBytes *input, GError **error)
{
	DstackContext context = {0};
	DstackPlatformId id = {{0}};
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(GBytes) root = NULL;
	g_autofree gchar *text = NULL;
	gboolean kept = FALSE;

	if ((input != NULL ? !id_from_evidence(input, &id, error) : !id_from_options(options, &id, error)) ||
	    !dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	if (options->root != NULL) {
		root = dstack_file_read_path(options->root, DSTACK_LIMIT_CERTIFICATE, error);
		if (root == NULL)
			return FALSE;
		context.root_der = root;
		dstack_cli_warn(cli, "collateral is checked under the root in '%s', not under Intel's", options->root);
	}
	text = get_collateral(cli, options, &id, &context, &kept, error);
	if (text == NULL || (options->output != NULL && !write_output(options->output, text, error)))
		return FALSE;
	collateral = dstack_collateral_check(text, &id, &context, error);
	if (collateral == NULL)
		return FALSE;
	report(cli, &id, collateral, kept);
	return TRUE;
}

static gboolean
fetch_snp(DstackCli *cli, const Options *options, const DstackSnpReport *snp, GError **error)
{
	DstackCollateralSnp snp_options = {
	    .kds = options->kds, .root = options->root, .output = options->output, .refresh = options->refresh};

	return dstack_collateral_fetch_snp(cli, snp, &snp_options, error);
}

/* evidence says itself whose collateral it needs */
static gboolean
fetch(DstackCli *cli, const Options *options, GError **error)
{
	g_autoptr(GBytes) input = NULL;
	DstackSnpReport snp;

	if (!check_options(cli, options, error))
		return FALSE;
	if (options->fmspc != NULL)
		return fetch_tdx(cli, options, NULL, error);
	input = dstack_file_read_path(cli->args[1], DSTACK_LIMIT_EVIDENCE, error);
	if (input == NULL)
		return FALSE;
	return dstack_collateral_find_report(input, &snp) ? fetch_snp(cli, options, &snp, error)
							  : fetch_tdx(cli, options, input, error);
}

gboolean
dstack_cmd_collateral(DstackCli *cli, GError **error)
{
	g_auto(Options) options = {0};
	const GOptionEntry entries[] = {
	    {"pccs", 0, 0, G_OPTION_ARG_STRING, &options.pccs, "Service to ask for TDX", "URL"},
	    {"kds", 0, 0, G_OPTION_ARG_STRING, &options.kds, "Service to ask for SEV-SNP", "URL"},
	    {"fmspc", 0, 0, G_OPTION_ARG_STRING, &options.fmspc, "Platform, instead of a quote", "HEX"},
	    {"ca", 0, 0, G_OPTION_ARG_STRING, &options.ca, "Its PCK CA: platform, processor", "CA"},
	    {"tee", 0, 0, G_OPTION_ARG_STRING, &options.tee, "Its TEE: tdx, sgx", "TEE"},
	    {"root", 0, 0, G_OPTION_ARG_FILENAME, &options.root, "Trust this root, not the pinned one", "FILE"},
	    {"refresh", 0, 0, G_OPTION_ARG_NONE, &options.refresh, "Ask also where what is kept is good", NULL},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Write it there as well", "FILE"},
	    {NULL},
	};

	return dstack_cli_parse(cli, entries, 1, 2, error) && fetch(cli, &options, error);
}
