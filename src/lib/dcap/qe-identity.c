/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * QE identity, version 2, and the comparison of a QE report with it (evidence.md part A, section 8).
 * Masks and values are byte strings in the report's own order.
 */

#include "config.h"

#include "dcap/qe-identity.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "dcap/document.h"

#define WHAT "QE identity"

static const struct {
	const gchar *id;
	DstackQeKind kind;
} kinds[] = {
    {"QE", DSTACK_QE_SGX},
    {"QVE", DSTACK_QE_QVE},
    {"TD_QE", DSTACK_QE_TDX},
};

static const gchar *
kind_to_string(DstackQeKind kind)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (kinds[i].kind == kind)
			return kinds[i].id;
	}
	return NULL;
}

void
dstack_qe_identity_free(DstackQeIdentity *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->levels, g_ptr_array_unref);
	g_free(self);
}

static gboolean
read_kind(DstackQeIdentity *self, JsonObject *object, GError **error)
{
	guint64 version = 0;
	const gchar *id = NULL;

	if (!dstack_json_get_uint(object, WHAT, "version", G_MAXUINT32, &version, error))
		return FALSE;
	if (version != 2)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": expected version 2, found %" G_GUINT64_FORMAT, version);
	if (!dstack_json_get_string(object, WHAT, "id", &id, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_str_equal(kinds[i].id, id)) {
			self->kind = kinds[i].kind;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": expected id QE, QVE or TD_QE, found '%s'", id);
}

static gboolean
read_head(DstackQeIdentity *self, JsonObject *object, GError **error)
{
	guint64 number = 0;

	if (!read_kind(self, object, error) ||
	    !dstack_document_get_date(object, WHAT, "issueDate", &self->issue_date, error) ||
	    !dstack_document_get_date(object, WHAT, "nextUpdate", &self->next_update, error) ||
	    !dstack_json_get_uint(object, WHAT, "tcbEvaluationDataNumber", G_MAXUINT32, &number, error))
		return FALSE;
	self->evaluation_number = (guint32)number;
	return TRUE;
}

static gboolean
read_enclave(DstackQeIdentity *self, JsonObject *object, GError **error)
{
	guint64 prodid = 0;

	if (!dstack_document_get_hex(object, WHAT, "miscselect", self->miscselect, sizeof(self->miscselect), error) ||
	    !dstack_document_get_hex(object, WHAT, "miscselectMask", self->miscselect_mask,
				     sizeof(self->miscselect_mask), error) ||
	    !dstack_document_get_hex(object, WHAT, "attributes", self->attributes, sizeof(self->attributes), error) ||
	    !dstack_document_get_hex(object, WHAT, "attributesMask", self->attributes_mask,
				     sizeof(self->attributes_mask), error) ||
	    !dstack_document_get_hex(object, WHAT, "mrsigner", self->mrsigner, sizeof(self->mrsigner), error) ||
	    !dstack_json_get_uint(object, WHAT, "isvprodid", G_MAXUINT16, &prodid, error))
		return FALSE;
	self->isvprodid = (guint16)prodid;
	return TRUE;
}

/**
 * dstack_qe_identity_parse:
 * @text: (array length=size): the value of "enclaveIdentity", from its brace to its brace
 * @size: number of bytes, at most %DSTACK_LIMIT_COLLATERAL
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the member
 *
 * Returns: (transfer full) (nullable): the enclave and its levels
 */
DstackQeIdentity *
dstack_qe_identity_parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_COLLATERAL, WHAT, error);
	g_autoptr(DstackQeIdentity) self = NULL;

	if (object == NULL)
		return NULL;
	self = g_new0(DstackQeIdentity, 1);
	if (!read_head(self, object, error) || !read_enclave(self, object, error))
		return NULL;
	self->levels = dstack_document_get_isv_levels(object, WHAT, error);
	return self->levels != NULL ? g_steal_pointer(&self) : NULL;
}

/* bits outside the mask do not count in the report; one set in the identity can therefore never be met */
static gboolean
ensure_masked(const guint8 *found, const guint8 *expected, const guint8 *mask, gsize size, const gchar *field,
	      GError **error)
{
	for (gsize i = 0; i < size; i++) {
		if ((found[i] & mask[i]) != expected[i])
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "QE report: %s: byte %" G_GSIZE_FORMAT
					    ": expected 0x%02x under mask 0x%02x, found 0x%02x",
					    field, i, expected[i], mask[i], found[i]);
	}
	return TRUE;
}

/**
 * dstack_qe_identity_ensure_fits:
 * @self: a QE identity
 * @qe_report: the QE report of a quote
 * @is_tdx: whether the quote is of a TD
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND naming the field that differs
 *
 * Returns: %TRUE when the report is of this enclave, and the enclave the one that signs such quotes
 */
gboolean
dstack_qe_identity_ensure_fits(const DstackQeIdentity *self, const DstackSgxBody *qe_report, gboolean is_tdx,
			       GError **error)
{
	DstackQeKind kind = is_tdx ? DSTACK_QE_TDX : DSTACK_QE_SGX;
	guint16 prodid = (guint16)(qe_report->isvprodid[0] | qe_report->isvprodid[1] << 8);

	if (self->kind != kind)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, WHAT ": expected that of %s, found that of %s",
				    kind_to_string(kind), kind_to_string(self->kind));
	if (!ensure_masked(qe_report->miscselect, self->miscselect, self->miscselect_mask, sizeof(self->miscselect),
			   "MISCSELECT", error) ||
	    !ensure_masked(qe_report->attributes, self->attributes, self->attributes_mask, sizeof(self->attributes),
			   "ATTRIBUTES", error))
		return FALSE;
	if (memcmp(qe_report->mrsigner, self->mrsigner, sizeof(self->mrsigner)) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "QE report: MRSIGNER is not that of the QE identity");
	if (prodid != self->isvprodid)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "QE report: ISVPRODID: expected %u, found %u",
				    self->isvprodid, prodid);
	return TRUE;
}
