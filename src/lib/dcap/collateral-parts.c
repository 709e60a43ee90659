/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Collateral comes as one JSON object (QuoteCollateralV3: nine strings) or as a directory with a file a piece.
 * Either way what comes out is the bytes that were signed, untouched (evidence.md part A, sections 7 and 8).
 */

#include "config.h"

#include "dcap/collateral-parts.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

/* in a directory, a piece's file is its name with one of these endings; the first that is there counts */
static const struct {
	const gchar *name;
	const gchar *endings[4];
	const gchar *envelope; /* (nullable): the file may be Intel's answer, with the document in this member */
} parts[DSTACK_N_PARTS] = {
    [DSTACK_PART_PCK_CRL_ISSUER_CHAIN] = {"pck_crl_issuer_chain", {".pem"}, NULL},
    [DSTACK_PART_ROOT_CA_CRL] = {"root_ca_crl", {".der", ".pem", ".crl", ".hex"}, NULL},
    [DSTACK_PART_PCK_CRL] = {"pck_crl", {".der", ".pem", ".crl", ".hex"}, NULL},
    [DSTACK_PART_TCB_INFO_ISSUER_CHAIN] = {"tcb_info_issuer_chain", {".pem"}, NULL},
    [DSTACK_PART_TCB_INFO] = {"tcb_info", {".json"}, "tcbInfo"},
    [DSTACK_PART_TCB_INFO_SIGNATURE] = {"tcb_info_signature", {".hex"}, NULL},
    [DSTACK_PART_QE_IDENTITY_ISSUER_CHAIN] = {"qe_identity_issuer_chain", {".pem"}, NULL},
    [DSTACK_PART_QE_IDENTITY] = {"qe_identity", {".json"}, "enclaveIdentity"},
    [DSTACK_PART_QE_IDENTITY_SIGNATURE] = {"qe_identity_signature", {".hex"}, NULL},
};

void
dstack_collateral_parts_clear(DstackCollateralParts *self)
{
	for (guint i = 0; i < DSTACK_N_PARTS; i++)
		g_clear_pointer(&self->part[i], g_bytes_unref);
}

/**
 * dstack_part_to_string:
 * @part: a piece of collateral
 *
 * Returns: (transfer none): its member in QuoteCollateralV3
 */
const gchar *
dstack_part_to_string(DstackPart part)
{
	g_return_val_if_fail(part < DSTACK_N_PARTS, NULL);
	return parts[part].name;
}

/**
 * dstack_collateral_parts_from_json:
 * @self: (out caller-allocates): the pieces; clear it also after a failure
 * @text: (array length=size): a JSON object with the nine strings; other members are ignored
 * @size: number of bytes, at most %DSTACK_LIMIT_COLLATERAL
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when one is missing or no string
 *
 * Returns: %TRUE when all nine are there
 */
gboolean
dstack_collateral_parts_from_json(DstackCollateralParts *self, const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(text, size, DSTACK_LIMIT_COLLATERAL, "collateral", error);

	memset(self, 0, sizeof(*self));
	if (object == NULL)
		return FALSE;
	for (guint i = 0; i < DSTACK_N_PARTS; i++) {
		const gchar *value = NULL;

		if (!dstack_json_get_string(object, "collateral", parts[i].name, &value, error))
			return FALSE;
		self->part[i] = g_bytes_new(value, strlen(value));
	}
	return TRUE;
}

/**
 * dstack_collateral_split_document:
 * @envelope: a JSON object with a signed document and its signature
 * @member: where the document is: "tcbInfo" or "enclaveIdentity"
 * @out_document: (out): the bytes of the member's value, as they were signed
 * @out_signature: (out): the text of "signature"
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when either is missing
 *
 * Returns: %TRUE when both were found
 */
gboolean
dstack_collateral_split_document(GBytes *envelope, const gchar *member, GBytes **out_document, GBytes **out_signature,
				 GError **error)
{
	gsize size = 0;
	const gchar *text = g_bytes_get_data(envelope, &size);
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_COLLATERAL, member, error);
	const gchar *signature = NULL;
	gsize start = 0;
	gsize length = 0;

	if (object == NULL || !dstack_json_get_string(object, member, "signature", &signature, error) ||
	    !dstack_json_find_member(text, size, member, member, &start, &length, error))
		return FALSE;
	*out_document = g_bytes_new_from_bytes(envelope, start, length);
	*out_signature = g_bytes_new(signature, strlen(signature));
	return TRUE;
}

/* NULL without an error: there is no such file */
static GBytes *
read_part(int dirfd, DstackPart part, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(parts[part].endings) && parts[part].endings[i] != NULL; i++) {
		g_autofree gchar *name = g_strconcat(parts[part].name, parts[part].endings[i], NULL);
		g_autoptr(GError) local_error = NULL;
		GBytes *bytes = dstack_file_read_beneath(dirfd, name, DSTACK_LIMIT_COLLATERAL, &local_error);

		if (bytes != NULL)
			return bytes;
		if (!g_error_matches(local_error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
	}
	return NULL;
}

static gboolean
is_space(gchar c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* an editor's newline at the end of a text is not part of what was signed */
static GBytes *
trim_end(GBytes *bytes)
{
	gsize size = 0;
	const gchar *text = g_bytes_get_data(bytes, &size);

	while (size > 0 && is_space(text[size - 1]))
		size--;
	return g_bytes_new_from_bytes(bytes, 0, size);
}

/* Intel's answer holds document and signature in one file; a bare document has its signature beside it */
static gboolean
unwrap_document(DstackCollateralParts *self, DstackPart part, GError **error)
{
	DstackPart signature = part + 1;
	GBytes *document = NULL;

	if (self->part[signature] == NULL) {
		g_autoptr(GBytes) envelope = g_steal_pointer(&self->part[part]);

		return dstack_collateral_split_document(envelope, parts[part].envelope, &self->part[part],
							&self->part[signature], error);
	}
	document = trim_end(self->part[part]);
	g_bytes_unref(self->part[part]);
	self->part[part] = document;
	document = trim_end(self->part[signature]);
	g_bytes_unref(self->part[signature]);
	self->part[signature] = document;
	return TRUE;
}

/**
 * dstack_collateral_parts_from_directory:
 * @self: (out caller-allocates): the pieces; clear it also after a failure
 * @dirfd: a directory with files named after the nine members: chains and lists in PEM, lists also in DER or
 *   hex, documents as Intel's service answers or bare with a `_signature.hex` beside them
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when one is missing
 *
 * Returns: %TRUE when all nine are there
 */
gboolean
dstack_collateral_parts_from_directory(DstackCollateralParts *self, int dirfd, GError **error)
{
	memset(self, 0, sizeof(*self));
	for (guint i = 0; i < DSTACK_N_PARTS; i++) {
		g_autoptr(GError) local_error = NULL;
		gboolean in_envelope = i > 0 && parts[i - 1].envelope != NULL;

		self->part[i] = read_part(dirfd, i, &local_error);
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		if (self->part[i] == NULL && !in_envelope)
			return dstack_throw(error, DSTACK_ERROR_NOT_FOUND,
					    "collateral: expected a file %s%s, found none", parts[i].name,
					    parts[i].endings[0]);
	}
	return unwrap_document(self, DSTACK_PART_TCB_INFO, error) &&
	       unwrap_document(self, DSTACK_PART_QE_IDENTITY, error);
}
