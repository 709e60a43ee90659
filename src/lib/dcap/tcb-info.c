/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TCB info, versions 2 (SGX only, components as members named by number) and 3 (evidence.md part A, section 8).
 * Unknown members are ignored; what we know must be there and be right.
 */

#include "config.h"

#include "dcap/tcb-info.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "dcap/document.h"

#define WHAT "TCB info"

void
dstack_tcb_info_free(DstackTcbInfo *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->levels, g_ptr_array_unref);
	g_clear_pointer(&self->module_identities, g_ptr_array_unref);
	g_free(self);
}

/* version 2: sgxtcbcomp01svn to sgxtcbcomp16svn */
static gboolean
read_numbered_components(JsonObject *tcb, guint8 *out, GError **error)
{
	for (guint i = 0; i < DSTACK_TCB_COMPONENTS; i++) {
		g_autofree gchar *member = g_strdup_printf("sgxtcbcomp%02usvn", i + 1);
		guint64 svn = 0;

		if (!dstack_json_get_uint(tcb, WHAT ": tcb", member, G_MAXUINT8, &svn, error))
			return FALSE;
		out[i] = (guint8)svn;
	}
	return TRUE;
}

/* version 3: exactly 16 objects with an svn */
static gboolean
read_components(JsonObject *tcb, const gchar *member, guint8 *out, GError **error)
{
	g_autofree gchar *what = g_strdup_printf(WHAT ": %s", member);
	JsonArray *array = NULL;

	if (!dstack_json_get_array(tcb, WHAT ": tcb", member, &array, error))
		return FALSE;
	if (json_array_get_length(array) != DSTACK_TCB_COMPONENTS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected %d components, found %u", what,
				    DSTACK_TCB_COMPONENTS, json_array_get_length(array));
	for (guint i = 0; i < DSTACK_TCB_COMPONENTS; i++) {
		JsonObject *component = NULL;
		guint64 svn = 0;

		if (!dstack_document_get_element(array, i, what, &component, error) ||
		    !dstack_json_get_uint(component, what, "svn", G_MAXUINT8, &svn, error))
			return FALSE;
		out[i] = (guint8)svn;
	}
	return TRUE;
}

static DstackPlatformLevel *
parse_level(const DstackTcbInfo *self, JsonObject *object, GError **error)
{
	g_autoptr(DstackPlatformLevel) level = g_new0(DstackPlatformLevel, 1);
	JsonObject *tcb = NULL;
	guint64 pcesvn = 0;

	if (!dstack_json_get_object(object, WHAT ": tcbLevels", "tcb", &tcb, error) ||
	    !dstack_json_get_uint(tcb, WHAT ": tcb", "pcesvn", G_MAXUINT16, &pcesvn, error) ||
	    !dstack_document_get_grade(object, WHAT ": tcbLevels", &level->grade, error))
		return NULL;
	level->pcesvn = (guint16)pcesvn;
	if (self->version == 2 ? !read_numbered_components(tcb, level->sgx, error)
			       : !read_components(tcb, "sgxtcbcomponents", level->sgx, error))
		return NULL;
	if (self->is_tdx && !read_components(tcb, "tdxtcbcomponents", level->tdx, error))
		return NULL;
	return g_steal_pointer(&level);
}

static gboolean
read_levels(DstackTcbInfo *self, JsonObject *object, GError **error)
{
	JsonArray *array = NULL;

	if (!dstack_document_get_levels(object, WHAT, "tcbLevels", &array, error))
		return FALSE;
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *element = NULL;
		DstackPlatformLevel *level = NULL;

		if (dstack_document_get_element(array, i, WHAT ": tcbLevels", &element, error))
			level = parse_level(self, element, error);
		if (level == NULL)
			return FALSE;
		g_ptr_array_add(self->levels, level);
	}
	return dstack_platform_levels_sort(self->levels, error);
}

static gboolean
read_module(JsonObject *object, const gchar *what, DstackTdxModule *out, GError **error)
{
	return dstack_document_get_hex(object, what, "mrsigner", out->mrsigner, sizeof(out->mrsigner), error) &&
	       dstack_document_get_hex(object, what, "attributes", out->attributes, sizeof(out->attributes), error) &&
	       dstack_document_get_hex(object, what, "attributesMask", out->attributes_mask,
				       sizeof(out->attributes_mask), error);
}

static DstackTdxModuleIdentity *
parse_module_identity(JsonObject *object, GError **error)
{
	g_autoptr(DstackTdxModuleIdentity) identity = g_new0(DstackTdxModuleIdentity, 1);
	const gchar *what = WHAT ": tdxModuleIdentities";
	const gchar *id = NULL;

	if (!dstack_json_get_string(object, what, "id", &id, error) ||
	    !read_module(object, what, &identity->module, error))
		return NULL;
	identity->id = g_strdup(id);
	identity->levels = dstack_document_get_isv_levels(object, what, error);
	return identity->levels != NULL ? g_steal_pointer(&identity) : NULL;
}

/* two identities of one version would leave it to their order which of them counts */
static gboolean
ensure_new_identity(const DstackTcbInfo *self, const DstackTdxModuleIdentity *identity, GError **error)
{
	for (guint i = 0; i < self->module_identities->len; i++) {
		const DstackTdxModuleIdentity *other = g_ptr_array_index(self->module_identities, i);

		if (g_ascii_strcasecmp(other->id, identity->id) == 0)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    WHAT ": tdxModuleIdentities: %s is there twice", identity->id);
	}
	return TRUE;
}

static gboolean
read_module_identities(DstackTcbInfo *self, JsonObject *object, GError **error)
{
	const gchar *member = "tdxModuleIdentities";
	JsonArray *array = NULL;

	if (!json_object_has_member(object, member))
		return TRUE;
	if (!dstack_document_get_levels(object, WHAT, member, &array, error))
		return FALSE;
	for (guint i = 0; i < json_array_get_length(array); i++) {
		g_autoptr(DstackTdxModuleIdentity) identity = NULL;
		JsonObject *element = NULL;

		if (dstack_document_get_element(array, i, WHAT ": tdxModuleIdentities", &element, error))
			identity = parse_module_identity(element, error);
		if (identity == NULL || !ensure_new_identity(self, identity, error))
			return FALSE;
		g_ptr_array_add(self->module_identities, g_steal_pointer(&identity));
	}
	return TRUE;
}

/* the module belongs to TDX: there it must be, elsewhere it must not */
static gboolean
read_modules(DstackTcbInfo *self, JsonObject *object, GError **error)
{
	JsonObject *module = NULL;

	if (!self->is_tdx) {
		if (json_object_has_member(object, "tdxModule") ||
		    json_object_has_member(object, "tdxModuleIdentities"))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": of SGX, but speaks of a TDX module");
		return TRUE;
	}
	self->has_module = TRUE;
	return dstack_json_get_object(object, WHAT, "tdxModule", &module, error) &&
	       read_module(module, WHAT ": tdxModule", &self->module, error) &&
	       read_module_identities(self, object, error);
}

/* id and version together say which form the rest has */
static gboolean
read_kind(DstackTcbInfo *self, JsonObject *object, GError **error)
{
	guint64 version = 0;
	const gchar *id = NULL;

	if (!dstack_json_get_uint(object, WHAT, "version", G_MAXUINT32, &version, error))
		return FALSE;
	if (version != 2 && version != 3)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": expected version 2 or 3, found %" G_GUINT64_FORMAT, version);
	self->version = (guint)version;
	if (self->version == 2) {
		if (json_object_has_member(object, "id"))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": version 2 has no id");
		return TRUE;
	}
	if (!dstack_json_get_string(object, WHAT, "id", &id, error))
		return FALSE;
	self->is_tdx = g_str_equal(id, "TDX");
	if (!self->is_tdx && !g_str_equal(id, "SGX"))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": expected id SGX or TDX, found '%s'", id);
	return TRUE;
}

static gboolean
read_head(DstackTcbInfo *self, JsonObject *object, GError **error)
{
	guint64 type = 0;
	guint64 number = 0;

	if (!read_kind(self, object, error) ||
	    !dstack_document_get_date(object, WHAT, "issueDate", &self->issue_date, error) ||
	    !dstack_document_get_date(object, WHAT, "nextUpdate", &self->next_update, error) ||
	    !dstack_document_get_hex(object, WHAT, "fmspc", self->fmspc, sizeof(self->fmspc), error) ||
	    !dstack_document_get_hex(object, WHAT, "pceId", self->pceid, sizeof(self->pceid), error) ||
	    !dstack_json_get_uint(object, WHAT, "tcbType", G_MAXUINT32, &type, error) ||
	    !dstack_json_get_uint(object, WHAT, "tcbEvaluationDataNumber", G_MAXUINT32, &number, error))
		return FALSE;
	if (type != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": expected tcbType 0, found %" G_GUINT64_FORMAT
					 ": its components compare in a way we do not know",
				    type);
	self->evaluation_number = (guint32)number;
	return TRUE;
}

/**
 * dstack_tcb_info_parse:
 * @text: (array length=size): the value of "tcbInfo", from its brace to its brace
 * @size: number of bytes, at most %DSTACK_LIMIT_COLLATERAL
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the member
 *
 * Returns: (transfer full) (nullable): the levels and whom they are for
 */
DstackTcbInfo *
dstack_tcb_info_parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_COLLATERAL, WHAT, error);
	g_autoptr(DstackTcbInfo) self = NULL;

	if (object == NULL)
		return NULL;
	self = g_new0(DstackTcbInfo, 1);
	self->levels = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_platform_level_free);
	self->module_identities = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_tdx_module_identity_free);
	if (!read_head(self, object, error) || !read_modules(self, object, error) || !read_levels(self, object, error))
		return NULL;
	return g_steal_pointer(&self);
}

static const gchar *
tee_name(gboolean is_tdx)
{
	return is_tdx ? "TDX" : "SGX";
}

/**
 * dstack_tcb_info_ensure_fits:
 * @self: TCB info
 * @pck: what the platform's certificate says
 * @is_tdx: whether the quote is of a TD
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it is of another TEE, platform family or PCE
 *
 * Returns: %TRUE when its levels are for this platform
 */
gboolean
dstack_tcb_info_ensure_fits(const DstackTcbInfo *self, const DstackPck *pck, gboolean is_tdx, GError **error)
{
	if (self->is_tdx != is_tdx)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, WHAT ": expected that of %s, found that of %s",
				    tee_name(is_tdx), tee_name(self->is_tdx));
	if (memcmp(self->fmspc, pck->fmspc, sizeof(self->fmspc)) != 0) {
		g_autofree gchar *expected = dstack_hex_encode(pck->fmspc, sizeof(pck->fmspc));
		g_autofree gchar *found = dstack_hex_encode(self->fmspc, sizeof(self->fmspc));

		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    WHAT ": expected FMSPC %s of the PCK certificate, found %s", expected, found);
	}
	if (memcmp(self->pceid, pck->pceid, sizeof(self->pceid)) != 0) {
		g_autofree gchar *expected = dstack_hex_encode(pck->pceid, sizeof(pck->pceid));
		g_autofree gchar *found = dstack_hex_encode(self->pceid, sizeof(self->pceid));

		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    WHAT ": expected PCE id %s of the PCK certificate, found %s", expected, found);
	}
	return TRUE;
}
