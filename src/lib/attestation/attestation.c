/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Telling by content what evidence comes in (formats.md section 8).
 */

#include "config.h"

#include "attestation/attestation.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"

/**
 * dstack_attestation_new:
 * @platform: what it is of
 * @form: what it came in
 *
 * Returns: (transfer full): an attestation without evidence
 */
DstackAttestation *
dstack_attestation_new(DstackPlatform platform, DstackAttestationForm form)
{
	DstackAttestation *self = g_new0(DstackAttestation, 1);

	self->platform = platform;
	self->form = form;
	self->cert_chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	self->warnings = g_ptr_array_new_with_free_func(g_free);
	return self;
}

/**
 * dstack_attestation_free:
 * @self: (nullable) (transfer full): an attestation
 */
void
dstack_attestation_free(DstackAttestation *self)
{
	if (self == NULL)
		return;
	g_free(self->config);
	dstack_event_log_free(self->runtime_events);
	g_clear_pointer(&self->quote, g_bytes_unref);
	dstack_event_log_free(self->event_log);
	g_clear_pointer(&self->report, g_bytes_unref);
	g_ptr_array_unref(self->cert_chain);
	g_free(self->mr_config);
	g_free(self->external_config);
	g_ptr_array_unref(self->warnings);
	g_free(self);
}

/**
 * dstack_platform_to_string:
 * @platform: a platform
 *
 * Returns: (transfer none): its name, as MessagePack evidence spells it
 */
const gchar *
dstack_platform_to_string(DstackPlatform platform)
{
	switch (platform) {
	case DSTACK_PLATFORM_TDX:
		return "tdx";
	case DSTACK_PLATFORM_GCP_TDX:
		return "gcp-tdx";
	case DSTACK_PLATFORM_NITRO_ENCLAVE:
		return "nitro-enclave";
	case DSTACK_PLATFORM_SEV_SNP:
		return "sev-snp";
	case DSTACK_PLATFORM_AWS_NITRO_TPM:
		return "aws-nitro-tpm";
	}
	g_return_val_if_reached("?");
}

/**
 * dstack_platform_ensure_supported:
 * @platform: a platform
 * @error: (out) (optional): %DSTACK_ERROR_REFUSED, naming it
 *
 * Returns: %TRUE when its evidence is read here
 */
gboolean
dstack_platform_ensure_supported(DstackPlatform platform, GError **error)
{
	if (platform == DSTACK_PLATFORM_TDX || platform == DSTACK_PLATFORM_SEV_SNP)
		return TRUE;
	return dstack_throw(
	    error, DSTACK_ERROR_REFUSED,
	    "attestation: evidence of platform %s is recognised, but only tdx and sev-snp are verified here",
	    dstack_platform_to_string(platform));
}

/**
 * dstack_attestation_parse_bytes:
 * @data: (array length=size): an attestation in binary
 * @size: number of bytes, at most %DSTACK_LIMIT_ATTESTATION
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_REFUSED for a platform that is not verified here
 *
 * First byte zero: SCALE version 0; a MessagePack map: version 1; anything else is an error.
 *
 * Returns: (transfer full) (nullable): the attestation
 */
DstackAttestation *
dstack_attestation_parse_bytes(const guint8 *data, gsize size, GError **error)
{
	guint8 first = size > 0 ? data[0] : 0xff;

	if (size > DSTACK_LIMIT_ATTESTATION) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "attestation: expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT,
				   DSTACK_LIMIT_ATTESTATION, size);
		return NULL;
	}
	if (first == 0x00)
		return dstack_attestation_parse_scale(data, size, error);
	if ((first & 0xf0) == 0x80 || first == 0xde || first == 0xdf)
		return dstack_attestation_parse_messagepack(data, size, error);
	if (size == 0)
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: expected bytes, found none");
	else
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "attestation: expected 0x00 (SCALE) or a MessagePack map first, found 0x%02x",
				   first);
	return NULL;
}

/* where the text begins and ends, white space aside */
static void
strip_space(const guint8 **data, gsize *size)
{
	while (*size > 0 && g_ascii_isspace((*data)[0])) {
		(*data)++;
		(*size)--;
	}
	while (*size > 0 && g_ascii_isspace((*data)[*size - 1]))
		(*size)--;
}

static gboolean
is_hex_text(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isxdigit(data[i]))
			return FALSE;
	}
	return size > 0;
}

static DstackAttestation *
parse_hex(const guint8 *data, gsize size, GError **error)
{
	g_autofree gchar *text = g_strndup((const gchar *)data, size);
	g_autoptr(GBytes) bytes = dstack_hex_decode_bytes(text, "attestation", DSTACK_LIMIT_ATTESTATION, error);

	if (bytes == NULL)
		return NULL;
	return dstack_attestation_parse_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

/**
 * dstack_attestation_parse:
 * @data: (array length=size): evidence in any form
 * @size: number of bytes, at most %DSTACK_LIMIT_EVIDENCE
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_REFUSED for a platform that is not verified here
 *
 * A JSON object, the hexadecimal text of an attestation, or its bytes. A bare quote or report is none of them.
 *
 * Returns: (transfer full) (nullable): the attestation
 */
DstackAttestation *
dstack_attestation_parse(const guint8 *data, gsize size, GError **error)
{
	const guint8 *text = data;
	gsize text_size = size;

	if (size > DSTACK_LIMIT_EVIDENCE) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "evidence: expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT,
				   DSTACK_LIMIT_EVIDENCE, size);
		return NULL;
	}
	strip_space(&text, &text_size);
	if (text_size > 0 && text[0] == '{')
		return dstack_attestation_parse_json((const gchar *)data, size, error);
	if (is_hex_text(text, text_size))
		return parse_hex(text, text_size, error);
	return dstack_attestation_parse_bytes(data, size, error);
}
