/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Quotes, from bytes to fields. Layouts: evidence.md part A, sections 1 to 6.
 */

#include "config.h"

#include "tdx/quote.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define ATT_KEY_ECDSA_P256 2
#define TEE_SGX		   0u
#define TEE_TDX		   0x81u

/* 939a7233-f79c-4ca9-940a-0db3957f0607, in the order it has on the wire */
static const guint8 intel_qe_vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static const gchar pem_start[] = "-----BEGIN CERTIFICATE-----";

static const gsize body_sizes[] = {
    [DSTACK_QUOTE_SGX] = sizeof(DstackSgxBody),
    [DSTACK_QUOTE_TD10] = DSTACK_TD10_SIZE,
    [DSTACK_QUOTE_TD15] = DSTACK_TD15_SIZE,
    [DSTACK_QUOTE_TD15_EX] = DSTACK_TD15EX_SIZE,
};

/* --- layout tables --- */

#define HEADER_ENTRY(name, len) {#name, offsetof(DstackQuoteHeader, name), len},
#define SGX_ENTRY(name, len)	{#name, offsetof(DstackSgxBody, name), len},
#define TD_ENTRY(name, len)	{#name, offsetof(DstackTdBody, name), len},

static const DstackField header_fields[] = {DSTACK_QUOTE_HEADER_FIELDS(HEADER_ENTRY)};
static const DstackField sgx_fields[] = {DSTACK_SGX_BODY_FIELDS(SGX_ENTRY)};
static const DstackField td_fields[] = {DSTACK_TD10_FIELDS(TD_ENTRY) DSTACK_TD15_FIELDS(TD_ENTRY)
					    DSTACK_TD15EX_FIELDS(TD_ENTRY)};

/**
 * dstack_quote_header_fields:
 * @n_out: (out): number of entries
 *
 * Returns: (transfer none): the fields of a #DstackQuoteHeader, in order
 */
const DstackField *
dstack_quote_header_fields(gsize *n_out)
{
	*n_out = G_N_ELEMENTS(header_fields);
	return header_fields;
}

/**
 * dstack_sgx_body_fields:
 * @n_out: (out): number of entries
 *
 * Returns: (transfer none): the fields of a #DstackSgxBody, in order
 */
const DstackField *
dstack_sgx_body_fields(gsize *n_out)
{
	*n_out = G_N_ELEMENTS(sgx_fields);
	return sgx_fields;
}

/**
 * dstack_td_body_fields:
 * @type: a kind of TD report
 * @n_out: (out): number of entries
 *
 * Returns: (transfer none): the fields of a #DstackTdBody that reports of this kind have, in order
 */
const DstackField *
dstack_td_body_fields(DstackQuoteBodyType type, gsize *n_out)
{
	gsize n = 0;

	while (n < G_N_ELEMENTS(td_fields) && td_fields[n].offset < body_sizes[type])
		n++;
	*n_out = n;
	return td_fields;
}

/**
 * dstack_quote_body_type_to_string:
 * @type: a kind of report
 *
 * Returns: (transfer none): its name for people
 */
const gchar *
dstack_quote_body_type_to_string(DstackQuoteBodyType type)
{
	switch (type) {
	case DSTACK_QUOTE_SGX:
		return "SGX";
	case DSTACK_QUOTE_TD10:
		return "TD 1.0";
	case DSTACK_QUOTE_TD15:
		return "TD 1.5";
	case DSTACK_QUOTE_TD15_EX:
		return "TD 1.5 Ex";
	}
	g_return_val_if_reached("?");
}

/**
 * dstack_quote_is_tdx:
 * @self: a parsed quote
 *
 * Returns: %TRUE when its body is a TD report, %FALSE when it is an SGX report
 */
gboolean
dstack_quote_is_tdx(const DstackQuote *self)
{
	return self->body_type != DSTACK_QUOTE_SGX;
}

/**
 * dstack_quote_looks_like:
 * @data: (array length=size): any bytes
 * @size: number of bytes
 *
 * For telling by content what an input holds. The QE vendor id at offset 12 decides, so that a quote
 * of an unknown version is called by its name in the error that follows.
 *
 * Returns: %TRUE when @data should be read as a quote
 */
gboolean
dstack_quote_looks_like(const guint8 *data, gsize size)
{
	DstackReader reader;
	const guint8 *vendor = NULL;

	dstack_reader_init(&reader, data, size, "quote");
	return dstack_reader_skip(&reader, offsetof(DstackQuoteHeader, qe_vendor_id), "header", NULL) &&
	       dstack_reader_take(&reader, sizeof(intel_qe_vendor), "QE vendor id", &vendor, NULL) &&
	       memcmp(vendor, intel_qe_vendor, sizeof(intel_qe_vendor)) == 0;
}

/* --- parsing --- */

static gboolean
take_slice(DstackReader *reader, gsize n, const gchar *field, DstackSlice *out, GError **error)
{
	if (!dstack_reader_take(reader, n, field, &out->data, error))
		return FALSE;
	out->size = n;
	return TRUE;
}

/* reads the header's numbers out of its byte arrays */
static gboolean
check_header(const DstackQuoteHeader *header, guint16 *out_version, guint32 *out_tee, GError **error)
{
	DstackReader reader;
	guint16 key_type = 0;

	dstack_reader_init(&reader, (const guint8 *)header, sizeof(*header), "quote header");
	if (!dstack_reader_u16le(&reader, "version", out_version, error) ||
	    !dstack_reader_u16le(&reader, "attestation key type", &key_type, error) ||
	    !dstack_reader_u32le(&reader, "TEE type", out_tee, error))
		return FALSE;
	if (*out_version < 3 || *out_version > 5)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "quote header: expected version 3, 4 or 5, found %u",
				    *out_version);
	if (key_type != ATT_KEY_ECDSA_P256)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "quote header: expected attestation key type 2 (ECDSA P-256), found %u", key_type);
	if (*out_tee != TEE_SGX && (*out_tee != TEE_TDX || *out_version == 3))
		return dstack_throw(
		    error, DSTACK_ERROR_MALFORMED,
		    "quote header: TEE type 0x%x is none of version %u (0 is SGX, 0x81 is TDX from version 4)",
		    *out_tee, *out_version);
	if (memcmp(header->qe_vendor_id, intel_qe_vendor, sizeof(intel_qe_vendor)) != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "quote header: the QE vendor id is not Intel's");
	return TRUE;
}

/* version 5 says which body follows; it must fit the TEE type and have the size of its kind */
static gboolean
read_body_descriptor(DstackReader *reader, guint32 tee, DstackQuoteBodyType *out, GError **error)
{
	guint16 type = 0;
	guint32 size = 0;

	if (!dstack_reader_u16le(reader, "body type", &type, error) ||
	    !dstack_reader_u32le(reader, "body size", &size, error))
		return FALSE;
	if (type < DSTACK_QUOTE_SGX || type > DSTACK_QUOTE_TD15_EX)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "quote: expected body type 1 to 4, found %u", type);
	if ((type == DSTACK_QUOTE_SGX) != (tee == TEE_SGX))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "quote: body type %u does not fit TEE type 0x%x",
				    type, tee);
	if (size != body_sizes[type])
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "quote: expected %" G_GSIZE_FORMAT " bytes for body type %u, found %u",
				    body_sizes[type], type, size);
	*out = (DstackQuoteBodyType)type;
	return TRUE;
}

static gboolean
read_body(DstackQuote *self, DstackReader *reader, guint32 tee, GError **error)
{
	const guint8 *start = reader->base;
	gsize size = 0;

	self->body_type = tee == TEE_TDX ? DSTACK_QUOTE_TD10 : DSTACK_QUOTE_SGX;
	if (self->version == 5 && !read_body_descriptor(reader, tee, &self->body_type, error))
		return FALSE;
	size = body_sizes[self->body_type];
	if (!take_slice(reader, size, "body", &self->body, error))
		return FALSE;
	memcpy(self->body_type == DSTACK_QUOTE_SGX ? (void *)&self->sgx : (void *)&self->td, self->body.data, size);
	self->signed_bytes = (DstackSlice){.data = start, .size = reader->pos};
	return TRUE;
}

/* types 1 to 3: the PPID, then the TCB it was seen with */
static gboolean
read_ppid(DstackCertification *self, gsize ppid_size, GError **error)
{
	DstackReader reader;

	dstack_reader_init(&reader, self->data.data, self->data.size, "certification data");
	return take_slice(&reader, ppid_size, "PPID", &self->ppid, error) &&
	       dstack_reader_copy(&reader, sizeof(self->cpusvn), "CPUSVN", self->cpusvn, error) &&
	       dstack_reader_u16le(&reader, "PCESVN", &self->pcesvn, error) &&
	       dstack_reader_u16le(&reader, "PCEID", &self->pceid, error) && dstack_reader_finish(&reader, error);
}

static gboolean
ensure_starts_with(const DstackSlice *data, const gchar *start, const gchar *what, GError **error)
{
	gsize size = strlen(start);

	if (data->size >= size && memcmp(data->data, start, size) == 0)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "certification data: expected %s, found %" G_GSIZE_FORMAT " bytes that do not start as one",
			    what, data->size);
}

/* data whose type does not fit its content is refused here, whatever a verifier would make of it */
static gboolean
check_certification(DstackCertification *self, guint16 type, GError **error)
{
	self->type = (DstackCertificationType)type;
	switch (type) {
	case DSTACK_CERTIFICATION_PPID_CLEAR:
		return read_ppid(self, 16, error);
	case DSTACK_CERTIFICATION_PPID_RSA2048:
		return read_ppid(self, 256, error);
	case DSTACK_CERTIFICATION_PPID_RSA3072:
		return read_ppid(self, 384, error);
	case DSTACK_CERTIFICATION_PCK_LEAF:
		/* PEM, or DER: a SEQUENCE with a two-byte length */
		return ensure_starts_with(&self->data, "\x30\x82", "a certificate", NULL) ||
		       ensure_starts_with(&self->data, pem_start, "a certificate", error);
	case DSTACK_CERTIFICATION_PCK_CHAIN:
		return ensure_starts_with(&self->data, pem_start, "a PEM chain", error);
	case DSTACK_CERTIFICATION_PLATFORM_MANIFEST:
		return TRUE; /* opaque to us; it has no certificate, so no verdict can rest on it */
	default:
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "certification data: expected type 1 to 5 or 7, found %u", type);
	}
}

/* the QE's report, who signed it, and what certifies that key: the same in every version */
static gboolean
read_qe_part(DstackQuote *self, DstackReader *reader, GError **error)
{
	guint16 auth_size = 0;
	guint16 type = 0;
	guint32 size = 0;

	if (!take_slice(reader, sizeof(self->qe_report), "QE report", &self->qe_report_bytes, error))
		return FALSE;
	memcpy(&self->qe_report, self->qe_report_bytes.data, sizeof(self->qe_report));
	return dstack_reader_copy(reader, sizeof(self->qe_report_signature), "QE report signature",
				  self->qe_report_signature, error) &&
	       dstack_reader_u16le(reader, "QE authentication data length", &auth_size, error) &&
	       take_slice(reader, auth_size, "QE authentication data", &self->qe_auth_data, error) &&
	       dstack_reader_u16le(reader, "certification data type", &type, error) &&
	       dstack_reader_u32le(reader, "certification data length", &size, error) &&
	       take_slice(reader, size, "certification data", &self->certification.data, error) &&
	       check_certification(&self->certification, type, error) && dstack_reader_finish(reader, error);
}

/* from version 4 the QE part is itself certification data, of type 6 */
static gboolean
read_outer_certification(DstackReader *reader, DstackReader *out, GError **error)
{
	guint16 type = 0;
	guint32 size = 0;

	if (!dstack_reader_u16le(reader, "certification data type", &type, error) ||
	    !dstack_reader_u32le(reader, "certification data length", &size, error))
		return FALSE;
	if (type != DSTACK_CERTIFICATION_QE_REPORT)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "quote authentication data: expected certification data of type 6, found %u", type);
	return dstack_reader_sub(reader, size, "QE report certification data", out, error) &&
	       dstack_reader_finish(reader, error);
}

static gboolean
read_authentication(DstackQuote *self, DstackReader *reader, GError **error)
{
	DstackReader qe_part;

	if (!dstack_reader_copy(reader, sizeof(self->signature), "quote signature", self->signature, error) ||
	    !dstack_reader_copy(reader, sizeof(self->attestation_key), "attestation key", self->attestation_key, error))
		return FALSE;
	if (self->version == 3)
		return read_qe_part(self, reader, error);
	return read_outer_certification(reader, &qe_part, error) && read_qe_part(self, &qe_part, error);
}

/**
 * dstack_quote_parse:
 * @self: (out caller-allocates): the quote; untouched on failure
 * @data: (array length=size): the bytes, which must outlive @self
 * @size: number of bytes, at most %DSTACK_LIMIT_QUOTE
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the field and offset
 *
 * Everything inside the authentication data is consumed exactly; bytes after it must be zero
 * (some platforms hand out a fixed buffer). No signature is looked at.
 *
 * Returns: %TRUE when @data is a quote of a version and kind we know
 */
gboolean
dstack_quote_parse(DstackQuote *self, const guint8 *data, gsize size, GError **error)
{
	DstackQuote quote = {0};
	DstackReader reader;
	DstackReader authentication;
	guint32 tee = 0;
	guint32 authentication_size = 0;

	if (size > DSTACK_LIMIT_QUOTE)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "quote: expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT,
				    DSTACK_LIMIT_QUOTE, size);
	dstack_reader_init(&reader, data, size, "quote");
	if (!dstack_reader_copy(&reader, sizeof(quote.header), "header", &quote.header, error) ||
	    !check_header(&quote.header, &quote.version, &tee, error) || !read_body(&quote, &reader, tee, error) ||
	    !dstack_reader_u32le(&reader, "authentication data length", &authentication_size, error) ||
	    !dstack_reader_sub(&reader, authentication_size, "quote authentication data", &authentication, error) ||
	    !read_authentication(&quote, &authentication, error))
		return FALSE;
	quote.n_padding = dstack_reader_left(&reader);
	if (!dstack_reader_skip_zero(&reader, quote.n_padding, "bytes after the authentication data", error))
		return FALSE;
	*self = quote;
	return TRUE;
}
