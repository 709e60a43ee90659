/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of any kind to the verifier of its platform.
 */

#include "config.h"

#include "verify/verifier.h"

#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"
#include "snp/report.h"
#include "tdx/quote.h"
#include "verify/snp.h"
#include "verify/tdx-verifier.h"

/**
 * dstack_verify_attestation:
 * @attestation: evidence that has been read
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for options that make no sense
 *
 * Returns: (transfer full) (nullable): the verdict
 */
DstackVerdict *
dstack_verify_attestation(const DstackAttestation *attestation, const DstackVerifyOptions *options, GError **error)
{
	switch (attestation->platform) {
	case DSTACK_PLATFORM_TDX:
		return dstack_verify_tdx(attestation, options, error);
	case DSTACK_PLATFORM_SEV_SNP:
		return dstack_verify_snp(attestation, options, error);
	case DSTACK_PLATFORM_GCP_TDX:
	case DSTACK_PLATFORM_NITRO_ENCLAVE:
	case DSTACK_PLATFORM_AWS_NITRO_TPM:
		break;
	}
	if (!dstack_platform_ensure_supported(attestation->platform, error))
		return NULL;
	g_return_val_if_reached(NULL);
}

/**
 * dstack_verify_evidence:
 * @data: (array length=size): evidence in any form of formats.md section 8
 * @size: number of bytes
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it cannot be read as evidence; %DSTACK_ERROR_REFUSED for a
 *   platform that is not verified here; %DSTACK_ERROR_INVALID_ARGUMENT for options that make no sense
 *
 * Returns: (transfer full) (nullable): the verdict
 */
DstackVerdict *
dstack_verify_evidence(const guint8 *data, gsize size, const DstackVerifyOptions *options, GError **error)
{
	g_autoptr(DstackAttestation) attestation = NULL;
	DstackEvidenceKind kind = dstack_evidence_guess(data, size);

	if (kind == DSTACK_EVIDENCE_QUOTE || kind == DSTACK_EVIDENCE_REPORT) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "evidence: found a bare %s, which says nothing of an image; ask for a verdict on it "
				   "alone (--quote)",
				   kind == DSTACK_EVIDENCE_QUOTE ? "quote" : "report");
		return NULL;
	}
	attestation = dstack_attestation_parse(data, size, error);
	if (attestation == NULL)
		return NULL;
	return dstack_verify_attestation(attestation, options, error);
}

static gboolean
is_hex_text(const gchar *text)
{
	gsize n = 0;

	while (g_ascii_isxdigit(text[n]))
		n++;
	return n > 0 && text[n] == '\0';
}

/**
 * dstack_evidence_decode:
 * @data: (array length=size): a bare quote or report
 * @size: number of bytes
 *
 * Returns: (transfer full): the bytes behind hex text; other bytes as they are
 */
GBytes *
dstack_evidence_decode(const guint8 *data, gsize size)
{
	/* nothing may come as a null pointer, which g_strndup() hands on */
	g_autofree gchar *text = size == 0 ? g_strdup("") : g_strstrip(g_strndup((const gchar *)data, size));
	GBytes *bytes = NULL;

	if (is_hex_text(text))
		bytes = dstack_hex_decode_bytes(text, "evidence", DSTACK_LIMIT_QUOTE, NULL);
	return bytes != NULL ? bytes : g_bytes_new(data, size);
}

/**
 * dstack_evidence_guess:
 * @data: (array length=size): anything
 * @size: number of bytes
 *
 * Returns: what it should be read as
 */
DstackEvidenceKind
dstack_evidence_guess(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) bytes = NULL;

	/* neither is a quote or report, in hex or not: spares a copy of something large */
	if (size > 4 * DSTACK_LIMIT_QUOTE)
		return DSTACK_EVIDENCE_ATTESTATION;
	bytes = dstack_evidence_decode(data, size);
	data = g_bytes_get_data(bytes, &size);
	if (dstack_quote_looks_like(data, size))
		return DSTACK_EVIDENCE_QUOTE;
	/* a report has one size; much else begins with a small number, as it does */
	if (size == DSTACK_SNP_REPORT_SIZE && dstack_snp_report_is_likely(data, size))
		return DSTACK_EVIDENCE_REPORT;
	return DSTACK_EVIDENCE_ATTESTATION;
}

/**
 * dstack_verify_bare:
 * @data: (array length=size): a quote or report, in bytes or hex
 * @size: number of bytes
 * @options: what the caller knows and wants
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is neither; %DSTACK_ERROR_INVALID_ARGUMENT for options that
 *   make no sense
 *
 * Signature, chain, TCB and attributes only: the verdict says nothing about an image.
 *
 * Returns: (transfer full) (nullable): the verdict
 */
DstackVerdict *
dstack_verify_bare(const guint8 *data, gsize size, const DstackVerifyOptions *options, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (size > 4 * DSTACK_LIMIT_QUOTE) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "evidence: expected a quote or report, found %" G_GSIZE_FORMAT " bytes", size);
		return NULL;
	}
	bytes = dstack_evidence_decode(data, size);
	data = g_bytes_get_data(bytes, &size);
	if (dstack_quote_looks_like(data, size))
		return dstack_verify_tdx_quote(data, size, options, error);
	if (dstack_snp_report_is_likely(data, size))
		return dstack_verify_snp_report(data, size, options, error);
	(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
			   "evidence: expected a quote or report, found %" G_GSIZE_FORMAT " bytes of something else",
			   size);
	return NULL;
}
