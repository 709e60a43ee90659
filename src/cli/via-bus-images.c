/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * `images --via bus` and `check --via bus`: the service's objects as the structs that are printed.
 */

#include "config.h"

#include "cli/via-bus.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/image-row.h"
#include "cli/progress.h"
#include "measure/check-report.h"

#define PROPERTIES    "org.freedesktop.DBus.Properties"
#define IMAGE	      DSTACK_BUS_NAME ".Image"
#define JOB	      DSTACK_BUS_NAME ".Job"
#define POLL_USEC     (50 * 1000)
#define PROGRESS_FULL 10000

static DstackImageRow *
row_from_properties(GVariant *properties)
{
	DstackImageRow *row = g_new0(DstackImageRow, 1);
	const gchar *version = "";
	const gchar *hash = "";

	(void)g_variant_lookup(properties, "Name", "s", &row->name);
	(void)g_variant_lookup(properties, "Path", "s", &row->path);
	(void)g_variant_lookup(properties, "State", "s", &row->state);
	(void)g_variant_lookup(properties, "IsDev", "b", &row->is_dev);
	(void)g_variant_lookup(properties, "Tees", "^as", &row->tees);
	(void)g_variant_lookup(properties, "Problems", "^as", &row->problems);
	(void)g_variant_lookup(properties, "Version", "&s", &version);
	(void)g_variant_lookup(properties, "OsImageHash", "&s", &hash);
	row->version = *version == '\0' ? NULL : g_strdup(version);
	row->has_hash = dstack_sha256_from_hex(hash, "OsImageHash", &row->os_image_hash, NULL);
	return row;
}

static gboolean
row_is_whole(const DstackImageRow *row)
{
	return row->name != NULL && row->path != NULL && row->state != NULL && row->tees != NULL &&
	       row->problems != NULL;
}

static gint
compare_rows(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const DstackImageRow *const *)a)->name, (*(const DstackImageRow *const *)b)->name);
}

/**
 * dstack_via_bus_images:
 * @cli: the run
 * @error: (out) (optional): what the bus says
 *
 * Returns: (transfer full) (nullable) (element-type DstackImageRow): the service's images, in name order
 */
GPtrArray *
dstack_via_bus_images(DstackCli *cli, GError **error)
{
	const DstackBusTarget target = {DSTACK_BUS_PATH, "org.freedesktop.DBus.ObjectManager"};
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_image_row_free);
	g_autoptr(GVariant) answer = dstack_via_bus_call_on(cli, &target, "GetManagedObjects", NULL,
							    G_VARIANT_TYPE("(a{oa{sa{sv}}})"), NULL, error);
	g_autoptr(GVariantIter) objects = NULL;
	GVariant *interfaces = NULL;

	if (answer == NULL)
		return NULL;
	g_variant_get(answer, "(a{oa{sa{sv}}})", &objects);
	while (g_variant_iter_loop(objects, "{&o@a{sa{sv}}}", NULL, &interfaces)) {
		g_autoptr(GVariant) properties = g_variant_lookup_value(interfaces, IMAGE, G_VARIANT_TYPE_VARDICT);
		DstackImageRow *row = properties == NULL ? NULL : row_from_properties(properties);

		if (row != NULL && row_is_whole(row))
			g_ptr_array_add(rows, row);
		else
			dstack_image_row_free(row);
	}
	g_ptr_array_sort(rows, compare_rows);
	return g_steal_pointer(&rows);
}

/* one look at a job; NULL while it runs */
static gboolean
job_look(DstackCli *cli, const gchar *path, gdouble *out_progress, gchar **out_result, GError **error)
{
	const DstackBusTarget target = {path, PROPERTIES};
	g_autoptr(GVariant) answer = dstack_via_bus_call_on(cli, &target, "GetAll", g_variant_new("(s)", JOB),
							    G_VARIANT_TYPE("(a{sv})"), NULL, error);
	g_autoptr(GVariant) properties = NULL;
	const gchar *state = "";

	if (answer == NULL)
		return FALSE;
	properties = g_variant_get_child_value(answer, 0);
	(void)g_variant_lookup(properties, "Progress", "d", out_progress);
	if (!g_variant_lookup(properties, "State", "&s", &state) ||
	    (!g_str_equal(state, "running") && !g_variant_lookup(properties, "Result", "s", out_result)))
		return dstack_throw(error, DSTACK_ERROR_FAILED, "the service's job %s says nothing of its state", path);
	return TRUE;
}

/* waits for the result, showing progress; whoever interrupts leaves the bus, and the service cancels the job */
static gchar *
job_wait(DstackCli *cli, const gchar *path, const gchar *what, GError **error)
{
	g_autoptr(DstackProgress) progress = dstack_progress_new(cli, what);
	gchar *result = NULL;
	gdouble fraction = 0;

	for (;;) {
		if (!job_look(cli, path, &fraction, &result, error))
			return NULL;
		if (result != NULL)
			return result;
		dstack_progress_update(progress, (guint64)(CLAMP(fraction, 0, 1) * PROGRESS_FULL), PROGRESS_FULL);
		g_usleep(POLL_USEC);
	}
}

static gboolean
outcome_parse(const gchar *text, DstackCheckOutcome *out, GError **error)
{
	static const gchar *const names[] = {"ok", "differs", "failed", "skipped"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_equal(text, names[i])) {
			*out = (DstackCheckOutcome)i;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "report: unknown outcome '%s'", text);
}

static gboolean
report_take_items(DstackCheckReport *report, JsonObject *object, GError **error)
{
	JsonArray *items = NULL;

	if (!dstack_json_get_array(object, "report", "items", &items, error))
		return FALSE;
	for (guint i = 0; i < json_array_get_length(items); i++) {
		JsonNode *node = json_array_get_element(items, i);
		JsonObject *item = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
		DstackCheckItem *row = NULL;
		const gchar *kind = NULL;
		const gchar *name = NULL;
		const gchar *outcome = NULL;
		DstackCheckOutcome value = DSTACK_CHECK_FAILED;

		if (item == NULL)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "report: item %u is no object", i);
		if (!dstack_json_get_string(item, "report item", "kind", &kind, error) ||
		    !dstack_json_get_string(item, "report item", "name", &name, error) ||
		    !dstack_json_get_string(item, "report item", "outcome", &outcome, error) ||
		    !outcome_parse(outcome, &value, error))
			return FALSE;
		row = g_new0(DstackCheckItem, 1);
		*row = (DstackCheckItem){.outcome = value, .kind = g_strdup(kind), .name = g_strdup(name)};
		g_ptr_array_add(report->items, row);
	}
	return TRUE;
}

static gboolean
report_take_sentences(GPtrArray *out, JsonObject *object, const gchar *member, GError **error)
{
	JsonArray *sentences = NULL;

	if (!dstack_json_get_array(object, "report", member, &sentences, error))
		return FALSE;
	for (guint i = 0; i < json_array_get_length(sentences); i++) {
		const gchar *sentence = json_node_get_string(json_array_get_element(sentences, i));

		if (sentence == NULL)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "report: '%s' holds no sentences", member);
		g_ptr_array_add(out, g_strdup(sentence));
	}
	return TRUE;
}

static gboolean
report_take(DstackCheckReport *report, JsonObject *object, GError **error)
{
	const gchar *image = NULL;
	const gchar *path = NULL;
	const gchar *version = NULL;
	const gchar *hash = NULL;
	gboolean present = FALSE;

	if (!dstack_json_get_string(object, "report", "image", &image, error) ||
	    !dstack_json_get_string(object, "report", "path", &path, error) ||
	    !dstack_json_get_string_optional(object, "report", "version", &version, error) ||
	    !dstack_json_get_string(object, "report", "os_image_hash", &hash, error) ||
	    !dstack_sha256_from_hex(hash, "os_image_hash", &report->os_image_hash, error) ||
	    !dstack_json_get_bool_optional(object, "report", "sound", &report->sound, &present, error))
		return FALSE;
	report->image = g_strdup(image);
	report->path = g_strdup(path);
	report->version = g_strdup(version);
	return report_take_items(report, object, error) &&
	       report_take_sentences(report->problems, object, "problems", error) &&
	       report_take_sentences(report->notes, object, "notes", error);
}

/* the result of a job that failed is an error of the library's */
static gboolean
throw_job_error(JsonObject *object, GError **error)
{
	JsonObject *inner = json_object_get_object_member(object, "error");
	const gchar *code = NULL;
	const gchar *message = NULL;

	if (!dstack_json_get_string(inner, "error", "code", &code, error) ||
	    !dstack_json_get_string(inner, "error", "message", &message, error))
		return FALSE;
	for (guint i = 0; i < DSTACK_N_ERRORS; i++) {
		if (g_str_equal(code, dstack_error_to_string((DstackError)i)))
			return dstack_throw(error, (DstackError)i, "%s", message);
	}
	return dstack_throw(error, DSTACK_ERROR_FAILED, "%s", message);
}

static DstackCheckReport *
report_parse(const gchar *text, GError **error)
{
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(text, strlen(text), DSTACK_LIMIT_EVIDENCE, "report of the service", error);
	g_autoptr(DstackCheckReport) report = NULL;

	if (object == NULL)
		return NULL;
	if (json_object_has_member(object, "error") &&
	    JSON_NODE_HOLDS_OBJECT(json_object_get_member(object, "error"))) {
		(void)throw_job_error(object, error);
		return NULL;
	}
	report = dstack_check_report_new_empty();
	return report_take(report, object, error) ? g_steal_pointer(&report) : NULL;
}

/**
 * dstack_via_bus_check:
 * @cli: the run, with the image's name as its one argument
 * @out_json: (out) (transfer full): the report as the service gave it, for people to read too
 * @error: (out) (optional): why there is no report
 *
 * Returns: (transfer full) (nullable): the report, as far as people are shown it
 */
DstackCheckReport *
dstack_via_bus_check(DstackCli *cli, gchar **out_json, GError **error)
{
	g_autoptr(GDBusConnection) stay = dstack_via_bus_connect(cli, error);
	g_autoptr(GVariant) answer = NULL;
	g_autoptr(DstackCheckReport) report = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autofree gchar *json = NULL;
	const gchar *path = NULL;

	if (stay == NULL)
		return NULL;
	answer = dstack_via_bus_call(cli, "CheckImage", g_variant_new("(s)", cli->args[0]), G_VARIANT_TYPE("(o)"), NULL,
				     error);
	if (answer == NULL)
		return NULL;
	g_variant_get(answer, "(&o)", &path);
	json = job_wait(cli, path, cli->args[0], error);
	report = json == NULL ? NULL : report_parse(json, error);
	node = report == NULL ? NULL : dstack_json_parse(json, strlen(json), DSTACK_LIMIT_EVIDENCE, "report", error);
	if (node == NULL)
		return NULL;
	*out_json = dstack_json_to_text(node, DSTACK_JSON_PRETTY);
	return g_steal_pointer(&report);
}
