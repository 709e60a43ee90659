/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * verify: evidence to verdict.
 */

#include "config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/verify-input.h"
#include "cli/via-bus.h"

static gboolean
parse_options(DstackVerifyInput *input, DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {
	    {"quote", 0, 0, G_OPTION_ARG_NONE, &input->quote, "The input is a bare quote or report, binary or hex",
	     NULL},
	    {"root", 0, 0, G_OPTION_ARG_FILENAME, &input->root, "Trust this root instead of the pinned ones", "FILE"},
	    {"min-tcb", 0, 0, G_OPTION_ARG_STRING, &input->min_tcb, "SEV-SNP: the least TCB accepted, per product",
	     "SPEC"},
	    {"allow", 0, 0, G_OPTION_ARG_STRING_ARRAY, &input->allow,
	     "Waive a rule: debug, migratable, sept-ve, service-td, vmpl=N, vlek, simulator", "WHAT"},
	    {"acpi", 0, 0, G_OPTION_ARG_STRING, &input->acpi, "Where ACPI digests come from: log, predict", "SOURCE"},
	    {"collateral", 0, 0, G_OPTION_ARG_FILENAME, &input->collateral,
	     "TCB info, QE identity, revocation lists; or AMD's certificates", "FILE|DIR"},
	    {"time", 0, 0, G_OPTION_ARG_STRING, &input->time, "Verify as of then, not now", "RFC3339"},
	    {"allow-tcb", 0, 0, G_OPTION_ARG_STRING_ARRAY, &input->allow_tcb, "Accept only these TCB statuses",
	     "STATUS"},
	    {"no-collateral", 0, 0, G_OPTION_ARG_NONE, &input->no_collateral,
	     "Chain and signature only; the TCB status stays unknown", NULL},
	    {"report-data", 0, 0, G_OPTION_ARG_STRING, &input->report_data, "The report data must be this", "HEX"},
	    {"boot-time-mr", 0, 0, G_OPTION_ARG_NONE, &input->boot_time_mr, "Identity as of the end of the boot", NULL},
	    {"debug", 0, 0, G_OPTION_ARG_NONE, &input->debug, "Show the registers also where nothing differs", NULL},
	    DSTACK_CLI_VIA_ENTRY(&input->via),
	    {NULL},
	};

	return dstack_cli_parse(cli, entries, 1, 1, error);
}

static DstackVerdict *
verify_bare(DstackVerifyInput *input, const guint8 *data, gsize size, GError **error)
{
	gboolean is_snp = dstack_evidence_guess(data, size) == DSTACK_EVIDENCE_REPORT;

	if (!dstack_verify_input_load_collateral(input, is_snp, error))
		return NULL;
	return dstack_verify_bare(data, size, &input->options, error);
}

static DstackVerdict *
verify_evidence(DstackVerifyInput *input, const guint8 *data, gsize size, GError **error)
{
	g_autoptr(DstackAttestation) attestation = NULL;

	/* says what to do about a bare quote */
	if (dstack_evidence_guess(data, size) != DSTACK_EVIDENCE_ATTESTATION)
		return dstack_verify_evidence(data, size, &input->options, error);
	attestation = dstack_attestation_parse(data, size, error);
	if (attestation == NULL ||
	    !dstack_verify_input_load_collateral(input, attestation->platform == DSTACK_PLATFORM_SEV_SNP, error))
		return NULL;
	return dstack_verify_attestation(attestation, &input->options, error);
}

static void
print_verdict(DstackCli *cli, const DstackVerdict *verdict)
{
	g_autoptr(JsonNode) node = dstack_verdict_to_json(verdict);
	g_autofree gchar *json = dstack_json_to_text(node, DSTACK_JSON_PRETTY);
	g_autofree gchar *text = dstack_verdict_to_text(verdict);

	if (cli->json)
		dstack_cli_print_json_text(cli, json);
	else
		dstack_cli_print_text(cli, "%s", text);
}

static gboolean
verify_here(DstackVerifyInput *input, DstackCli *cli, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(DstackVerdict) verdict = NULL;
	const guint8 *data = NULL;
	gsize size = 0;

	if (!dstack_verify_input_fill(input, cli, error))
		return FALSE;
	bytes = dstack_file_read_path(cli->args[0], DSTACK_LIMIT_EVIDENCE, error);
	if (bytes == NULL)
		return FALSE;
	data = g_bytes_get_data(bytes, &size);
	verdict = input->quote ? verify_bare(input, data, size, error) : verify_evidence(input, data, size, error);
	if (verdict == NULL)
		return FALSE;
	print_verdict(cli, verdict);
	if (!dstack_verdict_is_valid(verdict))
		dstack_cli_answer_no(cli);
	return TRUE;
}

/**
 * dstack_cmd_verify:
 * @cli: this run
 * @error: (out): when the evidence cannot be read, or the options make no sense
 *
 * Returns: %TRUE when there is a verdict, whatever it is
 */
gboolean
dstack_cmd_verify(DstackCli *cli, GError **error)
{
	g_auto(DstackVerifyInput) input = {0};
	gboolean via_bus = FALSE;

	if (!parse_options(&input, cli, error) || !dstack_via_parse(input.via, &via_bus, error))
		return FALSE;
	return via_bus ? dstack_via_bus_verify(cli, &input, error) : verify_here(&input, cli, error);
}
