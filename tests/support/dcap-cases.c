/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "support/dcap-cases.h"

#include "support/vectors.h"

struct _DstackDcapCases {
	JsonNode *root;
	JsonArray *cases;
	GHashTable *roots;	 /* file name -> GBytes */
	GHashTable *collaterals; /* "collateral|root" -> DstackCollateral, or GError */
	GHashTable *failures;
};

static void
collateral_free(gpointer data)
{
	dstack_collateral_unref(data);
}

DstackDcapCases *
dstack_dcap_cases_new(void)
{
	DstackDcapCases *self = g_new0(DstackDcapCases, 1);

	self->root = dstack_test_vector_read_json("dcap/cases.json");
	self->cases = json_object_get_array_member(json_node_get_object(self->root), "cases");
	self->roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	self->collaterals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, collateral_free);
	self->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_error_free);
	return self;
}

void
dstack_dcap_cases_free(DstackDcapCases *self)
{
	g_hash_table_unref(self->failures);
	g_hash_table_unref(self->collaterals);
	g_hash_table_unref(self->roots);
	json_node_unref(self->root);
	g_free(self);
}

guint
dstack_dcap_cases_count(DstackDcapCases *self)
{
	return json_array_get_length(self->cases);
}

static const gchar *
string_or_null(JsonObject *object, const gchar *member)
{
	return json_object_has_member(object, member) && !json_object_get_null_member(object, member)
		   ? json_object_get_string_member(object, member)
		   : NULL;
}

/* "intel" is the pinned root; else the file of a root to trust */
static GBytes *
root_of(DstackDcapCases *self, JsonObject *json)
{
	const gchar *name = string_or_null(json, "root_ca");
	g_autofree gchar *path = NULL;
	GBytes *bytes = NULL;

	if (name == NULL || g_str_equal(name, "intel"))
		return NULL;
	bytes = g_hash_table_lookup(self->roots, name);
	if (bytes != NULL)
		return bytes;
	path = g_strconcat("dcap/", name, NULL);
	bytes = dstack_test_vector_read(path);
	g_hash_table_insert(self->roots, g_strdup(name), bytes);
	return bytes;
}

DstackDcapCase
dstack_dcap_cases_get(DstackDcapCases *self, guint i)
{
	JsonObject *json = json_array_get_object_element(self->cases, i);
	DstackDcapCase result = {
	    .id = json_object_get_string_member(json, "id"),
	    .family = json_object_get_string_member(json, "family"),
	    .json = json,
	    .strict = json_object_has_member(json, "strict") ? json_object_get_object_member(json, "strict") : NULL,
	    .quote = json_object_get_string_member(json, "quote"),
	    .collateral = string_or_null(json, "collateral"),
	};

	result.context.now = json_object_has_member(json, "time") ? json_object_get_int_member(json, "time") : 0;
	result.context.root_der = root_of(self, json);
	return result;
}

DstackDcapCase
dstack_dcap_cases_find(DstackDcapCases *self, const gchar *id)
{
	for (guint i = 0; i < dstack_dcap_cases_count(self); i++) {
		DstackDcapCase found = dstack_dcap_cases_get(self, i);

		if (g_str_equal(found.id, id))
			return found;
	}
	g_error("no case %s in the vectors", id);
}

GBytes *
dstack_dcap_cases_read_quote(DstackDcapCases *self, const DstackDcapCase *a_case)
{
	g_autofree gchar *path = g_strconcat("dcap/", a_case->quote, NULL);

	return dstack_test_vector_read(path);
}

DstackCollateral *
dstack_dcap_cases_load_collateral(DstackDcapCases *self, const DstackDcapCase *a_case, GError **error)
{
	g_autofree gchar *key = g_strdup_printf("%s|%p", a_case->collateral, (const void *)a_case->context.root_der);
	g_autofree gchar *path = g_strconcat("dcap/", a_case->collateral, NULL);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) local_error = NULL;
	DstackCollateral *collateral = g_hash_table_lookup(self->collaterals, key);
	GError *failure = g_hash_table_lookup(self->failures, key);

	if (collateral != NULL)
		return collateral;
	if (failure == NULL) {
		bytes = dstack_test_vector_read(path);
		collateral = dstack_collateral_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
						     &a_case->context, &local_error);
		if (collateral != NULL) {
			g_hash_table_insert(self->collaterals, g_steal_pointer(&key), collateral);
			return collateral;
		}
		failure = g_steal_pointer(&local_error);
		g_hash_table_insert(self->failures, g_steal_pointer(&key), failure);
	}
	g_propagate_error(error, g_error_copy(failure));
	return NULL;
}
