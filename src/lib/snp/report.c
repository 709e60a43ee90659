/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An SEV-SNP attestation report: layout, versions, reserved bytes, and its fields for people.
 * Layout and rules: evidence.md, part B, section 1 (SEV-SNP firmware ABI, "ATTESTATION_REPORT").
 */

#include "config.h"

#include "snp/report.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/reader.h"

#define SIGNATURE_ALGO_ECDSA_P384 1
#define KEY_INFO_RESERVED	  (~0x1fU)

#define FIRST_VERSION		  2
#define FIRST_VERSION_WITH_CPUID  3
#define FIRST_VERSION_WITH_VECTOR 5
#define LAST_VERSION		  5

static guint64
load_le(const guint8 *bytes, gsize size)
{
	guint64 value = 0;

	for (gsize i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

#define LOAD_LE(field) load_le((field), sizeof(field))

static DstackSnpTcb
load_tcb(const guint8 bytes[8])
{
	DstackSnpTcb tcb;

	memcpy(tcb.bytes, bytes, sizeof(tcb.bytes));
	return tcb;
}

/**
 * dstack_snp_report_parse:
 * @self: (out caller-allocates): the report
 * @data: (array length=size): bytes of a report
 * @size: number of bytes, exactly %DSTACK_SNP_REPORT_SIZE
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on another size, version or signature algorithm
 *
 * Reserved bytes are judged by dstack_snp_report_ensure_reserved_zero(), which comes after the signature:
 * a changed byte is a broken signature first.
 *
 * Returns: %TRUE when the bytes can be read as a report
 */
gboolean
dstack_snp_report_parse(DstackSnpReport *self, const guint8 *data, gsize size, GError **error)
{
	DstackSnpReport report;
	DstackReader reader;
	guint64 algorithm = 0;

	if (size != DSTACK_SNP_REPORT_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "SEV-SNP report: length: expected %d bytes, found %" G_GSIZE_FORMAT,
				    DSTACK_SNP_REPORT_SIZE, size);
	}
	dstack_reader_init(&reader, data, size, "SEV-SNP report");
	if (!dstack_reader_copy(&reader, sizeof(report.bytes), "report", &report.bytes, error))
		return FALSE;
	report.version = (guint32)LOAD_LE(report.bytes.version);
	if (report.version < FIRST_VERSION || report.version > LAST_VERSION) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "SEV-SNP report: version: expected %d to %d, found %u", FIRST_VERSION, LAST_VERSION,
				    report.version);
	}
	algorithm = LOAD_LE(report.bytes.signature_algo);
	if (algorithm != SIGNATURE_ALGO_ECDSA_P384) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "SEV-SNP report: signature algorithm: expected 1 (ECDSA P-384 with SHA-384), found "
				    "%" G_GUINT64_FORMAT,
				    algorithm);
	}
	report.vmpl = (guint32)LOAD_LE(report.bytes.vmpl);
	report.key_info = (guint32)LOAD_LE(report.bytes.key_info);
	report.policy = LOAD_LE(report.bytes.policy);
	report.platform_info = LOAD_LE(report.bytes.platform_info);
	report.current_tcb = load_tcb(report.bytes.current_tcb);
	report.reported_tcb = load_tcb(report.bytes.reported_tcb);
	report.committed_tcb = load_tcb(report.bytes.committed_tcb);
	report.launch_tcb = load_tcb(report.bytes.launch_tcb);
	*self = report;
	return TRUE;
}

/* a field that must be zero up to, but not including, a version */
typedef struct {
	const gchar *name;
	gsize offset;
	gsize size;
	guint32 until;
} ReservedField;

#define RESERVED(field, until_version)                                                                                 \
	{                                                                                                              \
#field, G_STRUCT_OFFSET(DstackSnpReportBytes, field), sizeof(((DstackSnpReportBytes *)NULL)->field),   \
		    (until_version)                                                                                    \
	}

/**
 * dstack_snp_report_ensure_reserved_zero:
 * @self: the report
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND names the field
 *
 * The 368 bytes behind the signature are not signed: anything in them would be the sender's own.
 *
 * Returns: %TRUE when every byte and bit that this version leaves unused is zero
 */
gboolean
dstack_snp_report_ensure_reserved_zero(const DstackSnpReport *self, GError **error)
{
	static const ReservedField fields[] = {
	    RESERVED(reserved_04c, G_MAXUINT32),
	    RESERVED(cpuid, FIRST_VERSION_WITH_CPUID),
	    RESERVED(reserved_18b, G_MAXUINT32),
	    RESERVED(reserved_1eb, G_MAXUINT32),
	    RESERVED(reserved_1ef, G_MAXUINT32),
	    RESERVED(launch_mit_vector, FIRST_VERSION_WITH_VECTOR),
	    RESERVED(current_mit_vector, FIRST_VERSION_WITH_VECTOR),
	    RESERVED(reserved_208, G_MAXUINT32),
	    RESERVED(signature_reserved, G_MAXUINT32),
	};
	const guint8 *base = (const guint8 *)&self->bytes;

	if ((self->key_info & KEY_INFO_RESERVED) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "SEV-SNP report: KEY_INFO: reserved bits in 0x%x",
				    self->key_info);
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (self->version >= fields[i].until || dstack_bytes_are_zero(base + fields[i].offset, fields[i].size))
			continue;
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV-SNP report: %s at 0x%" G_GSIZE_MODIFIER "x is not zero in a version %u report",
				    fields[i].name, fields[i].offset, self->version);
	}
	return TRUE;
}

gboolean
dstack_snp_report_has_cpuid(const DstackSnpReport *self)
{
	return self->version >= FIRST_VERSION_WITH_CPUID;
}

gboolean
dstack_snp_report_get_product(const DstackSnpReport *self, DstackSnpProduct *out)
{
	return dstack_snp_report_has_cpuid(self) &&
	       dstack_snp_product_from_cpuid(self->bytes.cpuid[0], self->bytes.cpuid[1], out);
}

/**
 * dstack_snp_report_get_signing_key:
 * @self: the report
 *
 * Returns: SIGNING_KEY as it stands there, which need not be a #DstackSnpSigningKey
 */
guint
dstack_snp_report_get_signing_key(const DstackSnpReport *self)
{
	return self->key_info >> 2 & 7;
}

DstackSha384
dstack_snp_report_get_measurement(const DstackSnpReport *self)
{
	DstackSha384 digest;

	memcpy(digest.bytes, self->bytes.measurement, sizeof(digest.bytes));
	return digest;
}

DstackSha256
dstack_snp_report_get_host_data(const DstackSnpReport *self)
{
	DstackSha256 digest;

	memcpy(digest.bytes, self->bytes.host_data, sizeof(digest.bytes));
	return digest;
}

/**
 * dstack_snp_report_get_tcb_status:
 * @self: the report
 *
 * The reference's word for it (evidence.md, part B, section 5); it says nothing about AMD's minimum.
 *
 * Returns: "UpToDate" or "OutOfDate"
 */
const gchar *
dstack_snp_report_get_tcb_status(const DstackSnpReport *self)
{
	gboolean agree = dstack_snp_tcb_equal(&self->current_tcb, &self->reported_tcb) &&
			 dstack_snp_tcb_equal(&self->current_tcb, &self->committed_tcb) &&
			 dstack_snp_tcb_equal(&self->current_tcb, &self->launch_tcb);

	return agree ? "UpToDate" : "OutOfDate";
}

typedef enum {
	FIELD_HEX,
	FIELD_NUMBER, /* decimal */
	FIELD_BITS,   /* hexadecimal */
	FIELD_TCB,
	FIELD_VERSION, /* build, minor, major */
	FIELD_CPUID,
} FieldKind;

typedef struct {
	const gchar *name;
	gsize offset;
	gsize size;
	FieldKind kind;
	guint32 since;
} ReportField;

#define FIELD(field, kind, since)                                                                                      \
	{                                                                                                              \
#field, G_STRUCT_OFFSET(DstackSnpReportBytes, field), sizeof(((DstackSnpReportBytes *)NULL)->field),   \
		    (kind), (since)                                                                                    \
	}

static const ReportField report_fields[] = {
    FIELD(version, FIELD_NUMBER, 0),
    FIELD(guest_svn, FIELD_NUMBER, 0),
    FIELD(policy, FIELD_BITS, 0),
    FIELD(family_id, FIELD_HEX, 0),
    FIELD(image_id, FIELD_HEX, 0),
    FIELD(vmpl, FIELD_NUMBER, 0),
    FIELD(signature_algo, FIELD_NUMBER, 0),
    FIELD(current_tcb, FIELD_TCB, 0),
    FIELD(platform_info, FIELD_BITS, 0),
    FIELD(key_info, FIELD_BITS, 0),
    FIELD(report_data, FIELD_HEX, 0),
    FIELD(measurement, FIELD_HEX, 0),
    FIELD(host_data, FIELD_HEX, 0),
    FIELD(id_key_digest, FIELD_HEX, 0),
    FIELD(author_key_digest, FIELD_HEX, 0),
    FIELD(report_id, FIELD_HEX, 0),
    FIELD(report_id_ma, FIELD_HEX, 0),
    FIELD(reported_tcb, FIELD_TCB, 0),
    FIELD(cpuid, FIELD_CPUID, FIRST_VERSION_WITH_CPUID),
    FIELD(chip_id, FIELD_HEX, 0),
    FIELD(committed_tcb, FIELD_TCB, 0),
    FIELD(current_version, FIELD_VERSION, 0),
    FIELD(committed_version, FIELD_VERSION, 0),
    FIELD(launch_tcb, FIELD_TCB, 0),
    FIELD(launch_mit_vector, FIELD_BITS, FIRST_VERSION_WITH_VECTOR),
    FIELD(current_mit_vector, FIELD_BITS, FIRST_VERSION_WITH_VECTOR),
    FIELD(signature_r, FIELD_HEX, 0),
    FIELD(signature_s, FIELD_HEX, 0),
};

static gchar *
field_to_string(const DstackSnpReport *self, const ReportField *field)
{
	const guint8 *bytes = (const guint8 *)&self->bytes + field->offset;
	DstackSnpProduct product = DSTACK_SNP_N_PRODUCTS;
	DstackSnpTcb tcb;

	switch (field->kind) {
	case FIELD_HEX:
		return dstack_hex_encode(bytes, field->size);
	case FIELD_NUMBER:
		return g_strdup_printf("%" G_GUINT64_FORMAT, load_le(bytes, field->size));
	case FIELD_BITS:
		return g_strdup_printf("0x%" G_GINT64_MODIFIER "x", load_le(bytes, field->size));
	case FIELD_TCB:
		/* without CPUID the parts' places are unknown; the bytes as they stand are not */
		if (!dstack_snp_report_get_product(self, &product))
			return dstack_hex_encode(bytes, field->size);
		tcb = load_tcb(bytes);
		return dstack_snp_tcb_to_string(&tcb, product);
	case FIELD_VERSION:
		return g_strdup_printf("%u.%u.%u", bytes[2], bytes[1], bytes[0]);
	case FIELD_CPUID:
		return g_strdup_printf("family %02xh, model %02xh, stepping %u", bytes[0], bytes[1], bytes[2]);
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_snp_report_foreach_field:
 * @self: the report
 * @func: (scope call): called for each field in the order of the report
 * @user_data: for @func
 */
void
dstack_snp_report_foreach_field(const DstackSnpReport *self, DstackSnpFieldFunc func, gpointer user_data)
{
	for (gsize i = 0; i < G_N_ELEMENTS(report_fields); i++) {
		g_autofree gchar *value = NULL;

		if (self->version < report_fields[i].since)
			continue;
		value = field_to_string(self, &report_fields[i]);
		func(report_fields[i].name, value, user_data);
	}
}
