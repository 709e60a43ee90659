/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * VCEK and VLEK certificates against a report. Extensions and match rules: evidence.md, part B, section 3.
 */

#include "config.h"

#include "snp/vek.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/openssl.h"
#include "base/reader.h"
#include "base/x509.h"

#define OID_PREFIX	   "1.3.6.1.4.1.3704.1."
#define OID_STRUCT_VERSION OID_PREFIX "1"
#define OID_PRODUCT_NAME   OID_PREFIX "2"
#define OID_HWID	   OID_PREFIX "4"
#define OID_CSP_ID	   OID_PREFIX "5"

#define TAG_INTEGER	 0x02
#define TAG_OCTET_STRING 0x04
#define TAG_IA5_STRING	 0x16

const gchar *
dstack_snp_vek_kind_to_string(DstackSnpVekKind kind)
{
	switch (kind) {
	case DSTACK_SNP_VCEK:
		return "SEV-VCEK";
	case DSTACK_SNP_VLEK:
		return "SEV-VLEK";
	}
	g_return_val_if_reached("unknown");
}

gboolean
dstack_snp_vek_get_kind(X509 *vek, DstackSnpVekKind *out)
{
	g_autofree gchar *cn = dstack_x509_dup_subject_cn(vek);

	if (g_strcmp0(cn, "SEV-VCEK") == 0)
		*out = DSTACK_SNP_VCEK;
	else if (g_strcmp0(cn, "SEV-VLEK") == 0)
		*out = DSTACK_SNP_VLEK;
	else
		return FALSE;
	return TRUE;
}

/**
 * dstack_snp_vek_has_amd_extensions:
 * @vek: a leaf certificate
 *
 * Returns: whether it has an extension below AMD's arc
 */
gboolean
dstack_snp_vek_has_amd_extensions(X509 *vek)
{
	for (int i = 0; i < X509_get_ext_count(vek); i++) {
		gchar oid[80] = "";

		if (OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(X509_get_ext(vek, i)), 1) > 0 &&
		    g_str_has_prefix(oid, OID_PREFIX))
			return TRUE;
	}
	return FALSE;
}

/* the content of a DER value that fills the extension: short form of length only, all of ours are small */
static gboolean
extension_read_der(X509 *vek, const gchar *oid, const gchar *what, guint8 tag, DstackReader *out, GError **error)
{
	const guint8 *data = NULL;
	DstackReader reader = {0};
	guint8 found = 0;
	guint8 length = 0;
	gsize size = 0;

	if (!dstack_x509_peek_extension(vek, oid, &data, &size, error)) {
		g_prefix_error(error, "%s missing: ", what);
		return FALSE;
	}
	dstack_reader_init(&reader, data, size, what);
	if (!dstack_reader_u8(&reader, "tag", &found, error) || !dstack_reader_u8(&reader, "length", &length, error))
		return FALSE;
	if (found != tag)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected DER tag 0x%02x, found 0x%02x", what,
				    tag, found);
	if (length >= 0x80)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: DER length 0x%02x, expected under 128 bytes",
				    what, length);
	return dstack_reader_sub(&reader, length, what, out, error) && dstack_reader_finish(&reader, error);
}

/* an INTEGER of 0 to 255 in the one encoding DER allows: 263 must not be read as 7 */
static gboolean
extension_read_u8(X509 *vek, const gchar *oid, const gchar *what, guint8 *out, GError **error)
{
	DstackReader content = {0};
	guint8 first = 0;
	guint8 value = 0;

	if (!extension_read_der(vek, oid, what, TAG_INTEGER, &content, error) ||
	    !dstack_reader_u8(&content, "value", &first, error))
		return FALSE;
	value = first;
	if (dstack_reader_left(&content) > 0 && !dstack_reader_u8(&content, "value", &value, error))
		return FALSE;
	if (dstack_reader_left(&content) > 0 || (content.size == 2 ? first != 0 || value < 0x80 : value >= 0x80))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: no DER INTEGER from 0 to 255", what);
	*out = value;
	return TRUE;
}

static gboolean
extension_read_product(X509 *vek, DstackSnpProduct *out, GError **error)
{
	DstackReader content = {0};
	g_autofree gchar *name = NULL;

	if (!extension_read_der(vek, OID_PRODUCT_NAME, "certificate's productName", TAG_IA5_STRING, &content, error))
		return FALSE;
	name = g_strndup((const gchar *)dstack_reader_peek(&content), dstack_reader_left(&content));
	if (strlen(name) == dstack_reader_left(&content) && g_str_is_ascii(name) &&
	    dstack_snp_product_from_extension(name, out))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "the certificate names no known product line");
}

/**
 * dstack_snp_vek_ensure_kind:
 * @kind: kind of the leaf certificate
 * @report: a report
 * @allow_vlek: whether the caller takes a cloud provider's key
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the report says another kind, %DSTACK_ERROR_REFUSED for a VLEK
 *   that the caller does not take
 *
 * Returns: %TRUE when report and certificate agree on the kind of key
 */
gboolean
dstack_snp_vek_ensure_kind(DstackSnpVekKind kind, const DstackSnpReport *report, gboolean allow_vlek, GError **error)
{
	guint signing_key = dstack_snp_report_get_signing_key(report);
	guint expected = kind == DSTACK_SNP_VCEK ? DSTACK_SNP_SIGNED_BY_VCEK : DSTACK_SNP_SIGNED_BY_VLEK;

	if (signing_key != expected) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "signing key: the report says %u (0 VCEK, 1 VLEK, 7 none), the certificate is %s",
				    signing_key, dstack_snp_vek_kind_to_string(kind));
	}
	if (kind == DSTACK_SNP_VLEK && !allow_vlek)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "signing key: a VLEK names a cloud provider and no chip, and the caller does not allow it");
	return TRUE;
}

/**
 * dstack_snp_vek_ensure_product:
 * @vek: the leaf certificate
 * @chain_product: product line of the certificates above it
 * @report: a report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when they differ or the processor is unknown
 *
 * A version 2 report does not say its processor; then chain and certificate must agree.
 *
 * Returns: %TRUE when all are of one product line
 */
gboolean
dstack_snp_vek_ensure_product(X509 *vek, DstackSnpProduct chain_product, const DstackSnpReport *report, GError **error)
{
	DstackSnpProduct product = DSTACK_SNP_N_PRODUCTS;
	guint8 expected_version = chain_product == DSTACK_SNP_TURIN ? 1 : 0;
	guint8 version = 0;

	if (dstack_snp_report_has_cpuid(report)) {
		if (!dstack_snp_report_get_product(report, &product)) {
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "the report's processor (family %02xh, model %02xh) is unknown",
					    report->bytes.cpuid[0], report->bytes.cpuid[1]);
		}
		if (product != chain_product) {
			return dstack_throw(error, DSTACK_ERROR_UNSOUND, "report of %s, certificates of %s",
					    dstack_snp_product_to_string(product),
					    dstack_snp_product_to_string(chain_product));
		}
	}
	if (!extension_read_product(vek, &product, error) ||
	    !extension_read_u8(vek, OID_STRUCT_VERSION, "certificate's structVersion", &version, error))
		return FALSE;
	if (product != chain_product) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "certificate for %s under the CA of %s",
				    dstack_snp_product_to_string(product), dstack_snp_product_to_string(chain_product));
	}
	if (version != expected_version) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "certificate's structVersion: expected %u, found %u",
				    expected_version, version);
	}
	return TRUE;
}

typedef struct {
	const gchar *oid;
	const gchar *name;
} SplName;

#define SPL(n, name)                                                                                                   \
	{                                                                                                              \
		OID_PREFIX "3." n, name                                                                                \
	}

/* which extension stands for which byte of a TCB version; the reserved ones count too */
static const SplName spl_of_byte[] = {
    SPL("1", "bl"),   SPL("2", "tee"),	SPL("4", "spl4"), SPL("5", "spl5"),
    SPL("6", "spl6"), SPL("7", "spl7"), SPL("3", "snp"),  SPL("8", "ucode"),
};
static const SplName spl_of_byte_turin[] = {
    SPL("9", "fmc"),  SPL("1", "bl"),	SPL("2", "tee"),  SPL("3", "snp"),
    SPL("5", "spl5"), SPL("6", "spl6"), SPL("7", "spl7"), SPL("8", "ucode"),
};

G_STATIC_ASSERT(G_N_ELEMENTS(spl_of_byte) == sizeof(DstackSnpTcb));
G_STATIC_ASSERT(G_N_ELEMENTS(spl_of_byte_turin) == sizeof(DstackSnpTcb));

/**
 * dstack_snp_vek_ensure_tcb:
 * @vek: the leaf certificate
 * @product: product line of both
 * @report: a report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND or %DSTACK_ERROR_MALFORMED names the part
 *
 * The signing key is derived from the reported TCB: a certificate for another one is another key's.
 *
 * Returns: %TRUE when every SPL is there and equals its byte of REPORTED_TCB
 */
gboolean
dstack_snp_vek_ensure_tcb(X509 *vek, DstackSnpProduct product, const DstackSnpReport *report, GError **error)
{
	const SplName *names = product == DSTACK_SNP_TURIN ? spl_of_byte_turin : spl_of_byte;

	for (gsize i = 0; i < sizeof(report->reported_tcb.bytes); i++) {
		g_autofree gchar *what = g_strdup_printf("certificate's TCB: %s", names[i].name);
		guint8 expected = report->reported_tcb.bytes[i];
		guint8 found = 0;

		if (!extension_read_u8(vek, names[i].oid, what, &found, error))
			return FALSE;
		if (found != expected)
			return dstack_throw(error, DSTACK_ERROR_UNSOUND, "%s is %u, the report's reported TCB has %u",
					    what, found, expected);
	}
	return TRUE;
}

/* newer certificates wrap the bytes in an OCTET STRING, others have them bare */
static gboolean
extension_peek_hwid(X509 *vek, gsize expected, const guint8 **out, GError **error)
{
	const guint8 *data = NULL;
	gsize size = 0;

	if (!dstack_x509_peek_extension(vek, OID_HWID, &data, &size, error)) {
		g_prefix_error(error, "chip: HWID missing: ");
		return FALSE;
	}
	if (size == expected) {
		*out = data;
		return TRUE;
	}
	if (size == expected + 2) {
		DstackReader content = {0};

		if (!extension_read_der(vek, OID_HWID, "chip: HWID", TAG_OCTET_STRING, &content, error))
			return FALSE;
		*out = dstack_reader_peek(&content);
		return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "chip: HWID: expected %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT, expected, size);
}

static gboolean
vlek_ensure_no_chip(X509 *vek, GError **error)
{
	const guint8 *data = NULL;
	gsize size = 0;

	if (dstack_x509_peek_extension(vek, OID_HWID, &data, &size, NULL))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "chip: a VLEK certificate with a HWID");
	if (!dstack_x509_peek_extension(vek, OID_CSP_ID, &data, &size, error)) {
		g_prefix_error(error, "chip: a VLEK certificate without CSP_ID: ");
		return FALSE;
	}
	return TRUE;
}

/**
 * dstack_snp_vek_ensure_chip:
 * @vek: the leaf certificate
 * @kind: its kind
 * @product: its product line
 * @report: a report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the report is of another chip, or hides its chip
 *
 * Turin's HWID is 8 bytes, and the rest of its CHIP_ID zero. A masked CHIP_ID proves no chip, so it is refused.
 *
 * Returns: %TRUE when the certificate is that of the report's chip
 */
gboolean
dstack_snp_vek_ensure_chip(X509 *vek, DstackSnpVekKind kind, DstackSnpProduct product, const DstackSnpReport *report,
			   GError **error)
{
	const guint8 *chip_id = report->bytes.chip_id;
	gsize size = product == DSTACK_SNP_TURIN ? 8 : sizeof(report->bytes.chip_id);
	const guint8 *hwid = NULL;

	if (kind == DSTACK_SNP_VLEK)
		return vlek_ensure_no_chip(vek, error);
	if (!extension_peek_hwid(vek, size, &hwid, error))
		return FALSE;
	if (dstack_bytes_are_zero(chip_id, sizeof(report->bytes.chip_id)))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "chip: the report's CHIP_ID is all zero (masked)");
	if (!dstack_bytes_equal(chip_id, hwid, size) ||
	    !dstack_bytes_are_zero(chip_id + size, sizeof(report->bytes.chip_id) - size))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "chip: the report's CHIP_ID differs from the certificate's HWID");
	return TRUE;
}

/* order of the group of P-384 (SEC 2, section 2.5.1), little-endian as a report's numbers are */
static const guint8 p384_order_le[48] = {
    0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec, 0x7a, 0xa7, 0xb0, 0x48, 0xb2, 0x0d, 0x1a, 0x58,
    0xdf, 0x2d, 0x37, 0xf4, 0x81, 0x4d, 0x63, 0xc7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/* 0 < x < n for all 72 bytes: a parser that drops the upper ones would take r + 2^384 for r */
static gboolean
number_in_range(const guint8 le[72])
{
	if (dstack_bytes_are_zero(le, 72) ||
	    !dstack_bytes_are_zero(le + sizeof(p384_order_le), 72 - sizeof(p384_order_le)))
		return FALSE;
	for (gsize i = sizeof(p384_order_le); i > 0; i--) {
		if (le[i - 1] != p384_order_le[i - 1])
			return le[i - 1] < p384_order_le[i - 1];
	}
	return FALSE;
}

/**
 * dstack_snp_vek_ensure_signature:
 * @vek: the leaf certificate
 * @report: a report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the signature is not good
 *
 * Returns: %TRUE when @vek's key signed the report
 */
gboolean
dstack_snp_vek_ensure_signature(X509 *vek, const DstackSnpReport *report, GError **error)
{
	EVP_PKEY *key = X509_get0_pubkey(vek);

	if (key == NULL || !dstack_key_is_p384(key))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "report signature: the certificate has no P-384 key");
	if (!number_in_range(report->bytes.signature_r) || !number_in_range(report->bytes.signature_s))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "report signature: r or s is out of range");
	return dstack_p384_verify_le(key, report->bytes.signature_r, report->bytes.signature_s,
				     (const guint8 *)&report->bytes, DSTACK_SNP_REPORT_SIGNED_SIZE, "report signature",
				     error);
}
