/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The forge: quotes. Layouts: evidence.md part A, sections 1 to 5 and 7.
 */

#include "config.h"

#include <string.h>

#include "base/digest.h"
#include "base/writer.h"
#include "support/pki.h"
#include "support/tdx-forge-internal.h"

static void
append(GByteArray *out, gconstpointer data, gsize size)
{
	if (size > 0)
		g_byte_array_append(out, data, (guint)size);
}

static void
append_bytes(GByteArray *out, GBytes *bytes)
{
	append(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static gsize
body_size(DstackQuoteBodyType type)
{
	switch (type) {
	case DSTACK_QUOTE_SGX:
		return sizeof(DstackSgxBody);
	case DSTACK_QUOTE_TD10:
		return DSTACK_TD10_SIZE;
	case DSTACK_QUOTE_TD15:
		return DSTACK_TD15_SIZE;
	case DSTACK_QUOTE_TD15_EX:
		return DSTACK_TD15EX_SIZE;
	}
	g_assert_not_reached();
}

/* header, version 5's type and size, body */
static GByteArray *
signed_part(const DstackForge *self)
{
	static const guint8 vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					  0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	gboolean is_sgx = self->body_type == DSTACK_QUOTE_SGX;
	gsize size = body_size(self->body_type);
	GByteArray *out = g_byte_array_new();

	dstack_append_u16le(out, self->version);
	dstack_append_u16le(out, 2);
	dstack_append_u32le(out, is_sgx ? 0 : 0x81);
	dstack_append_u16le(out, self->version == 3 ? 8 : 0);
	dstack_append_u16le(out, self->version == 3 ? 11 : 0);
	append(out, vendor, sizeof(vendor));
	dstack_append_zero(out, 20);
	if (self->version == 5) {
		dstack_append_u16le(out, (guint16)self->body_type);
		dstack_append_u32le(out, (guint32)size);
	}
	append(out, is_sgx ? (gconstpointer)&self->sgx : (gconstpointer)&self->td, size);
	return out;
}

/* the QE says whose key it certifies */
static DstackSgxBody
qe_report(const DstackForge *self, const guint8 xy[64])
{
	DstackSgxBody report = self->qe_report;
	g_autoptr(GByteArray) hashed = g_byte_array_new();
	DstackSha256 digest;

	append(hashed, xy, 64);
	append_bytes(hashed, self->qe_auth_data);
	digest = dstack_sha256(hashed->data, hashed->len);
	if (!self->keep_qe_report_data)
		memcpy(report.report_data, digest.bytes, sizeof(digest.bytes));
	return report;
}

static GByteArray *
qe_part(const DstackForge *self, const guint8 xy[64], const gchar *chain)
{
	GByteArray *out = g_byte_array_new();
	DstackSgxBody report = qe_report(self, xy);
	guint8 signature[64];
	g_autoptr(GBytes) data = self->certification_data != NULL ? g_bytes_ref(self->certification_data)
								  : g_bytes_new(chain, strlen(chain));

	dstack_pki_sign_raw(dstack_forge_signing_key(self, DSTACK_FORGE_QE_REPORT, self->keys[DSTACK_FORGE_PCK]),
			    (const guint8 *)&report, sizeof(report), signature);
	append(out, &report, sizeof(report));
	append(out, signature, sizeof(signature));
	dstack_append_u16le(out, (guint16)g_bytes_get_size(self->qe_auth_data));
	append_bytes(out, self->qe_auth_data);
	dstack_append_u16le(out, self->certification_type);
	dstack_append_u32le(out, (guint32)g_bytes_get_size(data));
	append_bytes(out, data);
	return out;
}

GBytes *
dstack_forge_quote(const DstackForge *self, const gchar *chain)
{
	g_autoptr(GByteArray) head = signed_part(self);
	g_autoptr(GByteArray) tail = g_byte_array_new();
	g_autoptr(GByteArray) qe = NULL;
	GByteArray *out = g_byte_array_new();
	guint8 signature[64];
	guint8 xy[64];

	dstack_pki_key_xy(self->attestation_key, xy);
	dstack_pki_sign_raw(dstack_forge_signing_key(self, DSTACK_FORGE_QUOTE, self->attestation_key), head->data,
			    head->len, signature);
	qe = qe_part(self, xy, chain);
	append(tail, signature, sizeof(signature));
	append(tail, xy, sizeof(xy));
	if (self->version != 3) {
		dstack_append_u16le(tail, DSTACK_CERTIFICATION_QE_REPORT);
		dstack_append_u32le(tail, qe->len);
	}
	append(tail, qe->data, qe->len);
	append(out, head->data, head->len);
	dstack_append_u32le(out, tail->len);
	append(out, tail->data, tail->len);
	if (self->padding != NULL)
		append(out, self->padding, self->n_padding);
	else
		dstack_append_zero(out, self->n_padding);
	return g_byte_array_free_to_bytes(out);
}
