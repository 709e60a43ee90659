/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The SGX extension of PCK certificates: a SEQUENCE of pairs of OID and value, two of which are such
 * sequences themselves (evidence.md part A, section 10). Three levels, each opened by its own function.
 */

#include "config.h"

#include "dcap/pck.h"

#include <string.h>

#include "base/error.h"
#include "base/reader.h"
#include "base/x509.h"
#include "dcap/der.h"

#define SGX_EXTENSION_OID "1.2.840.113741.1.13.1"

/* 1.2.840.113741.1.13.1; each member's OID adds one or two numbers below 128, a byte each */
static const guint8 oid_prefix[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum {
	PCK_PPID = 1,
	PCK_TCB = 2,
	PCK_PCEID = 3,
	PCK_FMSPC = 4,
	PCK_SGX_TYPE = 5,
	PCK_PLATFORM_INSTANCE_ID = 6,
	PCK_CONFIGURATION = 7,
};

enum {
	TCB_PCESVN = 17, /* 1 to 16 are the components */
	TCB_CPUSVN = 18,
};

enum {
	CONFIGURATION_DYNAMIC_PLATFORM = 1,
	CONFIGURATION_CACHED_KEYS = 2,
	CONFIGURATION_SMT_ENABLED = 3,
};

/* a sequence of pairs under way: which members it had so far */
typedef struct {
	DstackReader reader;
	guint8 parent; /* 0 at the top, else the member that this sequence is */
	guint32 seen;  /* bit per number */
} PairCursor;

/* the last number of a pair's OID; 0 when the OID is none of ours */
static guint
oid_number(const DstackReader *oid, guint8 parent)
{
	gsize prefix_size = sizeof(oid_prefix) + (parent != 0 ? 1 : 0);

	if (oid->size != prefix_size + 1 || memcmp(oid->base, oid_prefix, sizeof(oid_prefix)) != 0)
		return 0;
	if (parent != 0 && oid->base[sizeof(oid_prefix)] != parent)
		return 0;
	return oid->base[prefix_size] < 32 ? oid->base[prefix_size] : 0;
}

/* the next pair's number and a reader at its value; the value must be all that is left in the pair */
static gboolean
next_pair(PairCursor *self, guint *out_number, DstackReader *out_value, GError **error)
{
	DstackReader oid;
	guint number = 0;

	if (!dstack_der_take(&self->reader, DSTACK_DER_SEQUENCE, "SGX extension member", out_value, error) ||
	    !dstack_der_take(out_value, DSTACK_DER_OID, "OID", &oid, error))
		return FALSE;
	number = oid_number(&oid, self->parent);
	if (number != 0 && (self->seen & 1u << number) != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PCK certificate: SGX extension has member %u.%u twice", self->parent, number);
	self->seen |= 1u << number;
	*out_number = number;
	return TRUE;
}

static gboolean
ensure_seen(const PairCursor *self, guint32 wanted, GError **error)
{
	guint32 missing = wanted & ~self->seen;

	if (missing == 0)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "PCK certificate: SGX extension lacks member %u.%u",
			    self->parent, (guint)g_bit_nth_lsf(missing, -1));
}

static gboolean
read_tcb_member(DstackPck *self, guint number, DstackReader *value, GError **error)
{
	guint32 svn = 0;

	if (number == 0)
		return TRUE;
	if (number == TCB_CPUSVN)
		return dstack_der_octets(value, "CPUSVN", self->cpusvn, sizeof(self->cpusvn), error) &&
		       dstack_reader_finish(value, error);
	if (number == TCB_PCESVN) {
		if (!dstack_der_uint(value, DSTACK_DER_INTEGER, "PCESVN", G_MAXUINT16, &svn, error))
			return FALSE;
		self->pcesvn = (guint16)svn;
		return dstack_reader_finish(value, error);
	}
	if (number > DSTACK_TCB_COMPONENTS)
		return TRUE;
	if (!dstack_der_uint(value, DSTACK_DER_INTEGER, "TCB component", G_MAXUINT8, &svn, error))
		return FALSE;
	self->components[number - 1] = (guint8)svn;
	return dstack_reader_finish(value, error);
}

static gboolean
read_tcb(DstackPck *self, DstackReader *value, GError **error)
{
	PairCursor cursor = {.parent = PCK_TCB};

	if (!dstack_der_take(value, DSTACK_DER_SEQUENCE, "TCB", &cursor.reader, error))
		return FALSE;
	while (dstack_reader_left(&cursor.reader) > 0) {
		DstackReader member;
		guint number = 0;

		if (!next_pair(&cursor, &number, &member, error) || !read_tcb_member(self, number, &member, error))
			return FALSE;
	}
	/* members 1 to 18 */
	return ensure_seen(&cursor, (1u << (TCB_CPUSVN + 1)) - 2, error);
}

static gboolean
read_flag(DstackReader *value, const gchar *field, DstackFlag *out, GError **error)
{
	gboolean flag = FALSE;

	if (!dstack_der_boolean(value, field, &flag, error))
		return FALSE;
	*out = flag ? DSTACK_FLAG_TRUE : DSTACK_FLAG_FALSE;
	return dstack_reader_finish(value, error);
}

static gboolean
read_configuration(DstackPck *self, DstackReader *value, GError **error)
{
	PairCursor cursor = {.parent = PCK_CONFIGURATION};
	gboolean ok = dstack_der_take(value, DSTACK_DER_SEQUENCE, "configuration", &cursor.reader, error);

	while (ok && dstack_reader_left(&cursor.reader) > 0) {
		DstackReader member;
		guint number = 0;

		ok = next_pair(&cursor, &number, &member, error);
		if (ok && number == CONFIGURATION_DYNAMIC_PLATFORM)
			ok = read_flag(&member, "dynamic platform", &self->dynamic_platform, error);
		else if (ok && number == CONFIGURATION_CACHED_KEYS)
			ok = read_flag(&member, "cached keys", &self->cached_keys, error);
		else if (ok && number == CONFIGURATION_SMT_ENABLED)
			ok = read_flag(&member, "SMT enabled", &self->smt_enabled, error);
	}
	return ok;
}

static gboolean
read_sgx_type(DstackPck *self, DstackReader *value, GError **error)
{
	guint32 type = 0;

	if (!dstack_der_uint(value, DSTACK_DER_ENUMERATED, "SGX type", DSTACK_SGX_SCALABLE_WITH_INTEGRITY, &type,
			     error))
		return FALSE;
	self->sgx_type = (DstackSgxType)type;
	return TRUE;
}

static gboolean
read_member(DstackPck *self, guint number, DstackReader *value, GError **error)
{
	switch (number) {
	case PCK_PPID:
		return dstack_der_octets(value, "PPID", self->ppid, sizeof(self->ppid), error);
	case PCK_TCB:
		return read_tcb(self, value, error);
	case PCK_PCEID:
		return dstack_der_octets(value, "PCEID", self->pceid, sizeof(self->pceid), error);
	case PCK_FMSPC:
		return dstack_der_octets(value, "FMSPC", self->fmspc, sizeof(self->fmspc), error);
	case PCK_SGX_TYPE:
		return read_sgx_type(self, value, error);
	case PCK_PLATFORM_INSTANCE_ID:
		self->has_platform_instance_id = TRUE;
		return dstack_der_octets(value, "platform instance id", self->platform_instance_id,
					 sizeof(self->platform_instance_id), error);
	case PCK_CONFIGURATION:
		return read_configuration(self, value, error);
	default:
		/* a member of a later edition: of no interest, but it must not hide anything behind it */
		return dstack_reader_skip(value, dstack_reader_left(value), "unknown member", error);
	}
}

/**
 * dstack_pck_parse:
 * @self: (out caller-allocates): what the platform says; undefined on failure
 * @data: (array length=size): content of the extension's OCTET STRING
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when a member is missing, there twice or not as it should be
 *
 * PPID, TCB with all 18 members, PCEID, FMSPC and SGX type must be there; members we do not know are skipped.
 *
 * Returns: %TRUE when the extension could be read
 */
gboolean
dstack_pck_parse(DstackPck *self, const guint8 *data, gsize size, GError **error)
{
	DstackReader outer;
	PairCursor cursor = {.parent = 0};

	memset(self, 0, sizeof(*self));
	dstack_reader_init(&outer, data, size, "PCK certificate: SGX extension");
	if (!dstack_der_take(&outer, DSTACK_DER_SEQUENCE, "SGX extension", &cursor.reader, error) ||
	    !dstack_reader_finish(&outer, error))
		return FALSE;
	while (dstack_reader_left(&cursor.reader) > 0) {
		DstackReader value;
		guint number = 0;

		if (!next_pair(&cursor, &number, &value, error) || !read_member(self, number, &value, error) ||
		    !dstack_reader_finish(&value, error))
			return FALSE;
	}
	return ensure_seen(
	    &cursor, 1u << PCK_PPID | 1u << PCK_TCB | 1u << PCK_PCEID | 1u << PCK_FMSPC | 1u << PCK_SGX_TYPE, error);
}

/**
 * dstack_pck_from_certificate:
 * @self: (out caller-allocates): what the platform says; undefined on failure
 * @cert: a PCK leaf certificate
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when the extension is absent, there twice or cannot be read
 *
 * Returns: %TRUE when the certificate has a readable SGX extension
 */
gboolean
dstack_pck_from_certificate(DstackPck *self, X509 *cert, GError **error)
{
	const guint8 *data = NULL;
	gsize size = 0;

	return dstack_x509_peek_extension(cert, SGX_EXTENSION_OID, &data, &size, error) &&
	       dstack_pck_parse(self, data, size, error);
}

/**
 * dstack_sgx_type_to_string:
 * @type: a platform's kind of SGX
 *
 * Returns: (transfer none): its name
 */
const gchar *
dstack_sgx_type_to_string(DstackSgxType type)
{
	switch (type) {
	case DSTACK_SGX_STANDARD:
		return "Standard";
	case DSTACK_SGX_SCALABLE:
		return "Scalable";
	case DSTACK_SGX_SCALABLE_WITH_INTEGRITY:
		return "ScalableWithIntegrity";
	}
	g_return_val_if_reached(NULL);
}
