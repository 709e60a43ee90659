/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * `verify --via bus`: files become descriptors, options keep their names.
 */

#include "config.h"

#include "cli/via-bus.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gio/gunixfdlist.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/options.h"

/* a call under way: its options, and the descriptors they name */
typedef struct {
	GVariantBuilder options;
	GUnixFDList *fds;
} Packing;

/* the index of a file among the descriptors, -1 with an error */
static gint
pack_file(Packing *self, const gchar *path, GError **error)
{
	DSTACK_AUTO_FD int fd = -1;
	gint handle = -1;

	if (g_str_equal(path, "-"))
		return g_unix_fd_list_append(self->fds, STDIN_FILENO, error);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		dstack_throw_errno(error, "cannot open '%s'", path);
		return -1;
	}
	handle = g_unix_fd_list_append(self->fds, fd, error);
	return handle;
}

static gboolean
pack_file_option(Packing *self, const gchar *option, const gchar *path, GError **error)
{
	gint handle = 0;

	if (path == NULL)
		return TRUE;
	handle = pack_file(self, path, error);
	if (handle < 0)
		return FALSE;
	g_variant_builder_add(&self->options, "{sv}", option, g_variant_new_handle(handle));
	return TRUE;
}

static gboolean
pack_directory(Packing *self, const gchar *path, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);
	const gchar *name = NULL;
	GVariantBuilder handles;

	if (dir == NULL)
		return FALSE;
	g_variant_builder_init(&handles, G_VARIANT_TYPE("ah"));
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *file = g_build_filename(path, name, NULL);
		gint handle = pack_file(self, file, error);

		if (handle < 0) {
			g_variant_builder_clear(&handles);
			return FALSE;
		}
		g_variant_builder_add(&handles, "h", handle);
	}
	g_variant_builder_add(&self->options, "{sv}", "certificates", g_variant_builder_end(&handles));
	return TRUE;
}

/* a JSON file is Intel's collateral; a directory, or a file of another kind, holds certificates */
static gboolean
pack_collateral(Packing *self, const gchar *path, GError **error)
{
	g_autoptr(GBytes) head = NULL;
	GVariantBuilder handles;
	gint handle = 0;

	if (path == NULL)
		return TRUE;
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return pack_directory(self, path, error);
	head = dstack_file_read_path(path, DSTACK_LIMIT_COLLATERAL, error);
	if (head == NULL)
		return FALSE;
	if (memchr(g_bytes_get_data(head, NULL), '{', MIN(g_bytes_get_size(head), 16)) != NULL)
		return pack_file_option(self, "collateral", path, error);
	handle = pack_file(self, path, error);
	if (handle < 0)
		return FALSE;
	g_variant_builder_init(&handles, G_VARIANT_TYPE("ah"));
	g_variant_builder_add(&handles, "h", handle);
	g_variant_builder_add(&self->options, "{sv}", "certificates", g_variant_builder_end(&handles));
	return TRUE;
}

static void
pack_flag(Packing *self, const gchar *option, gboolean value)
{
	if (value)
		g_variant_builder_add(&self->options, "{sv}", option, g_variant_new_boolean(TRUE));
}

static void
pack_text(Packing *self, const gchar *option, const gchar *value)
{
	if (value != NULL)
		g_variant_builder_add(&self->options, "{sv}", option, g_variant_new_string(value));
}

static void
pack_list(Packing *self, const gchar *option, gchar **values)
{
	if (values != NULL)
		g_variant_builder_add(&self->options, "{sv}", option,
				      g_variant_new_strv((const gchar *const *)values, -1));
}

static gboolean
pack_options(Packing *self, const DstackVerifyInput *input, GError **error)
{
	gint64 time = 0;

	if (input->acpi != NULL && !g_str_equal(input->acpi, "log"))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "--acpi %s: the service takes ACPI digests from the log only", input->acpi);
	if (input->time != NULL) {
		if (!dstack_option_parse_time(input->time, "--time", &time, error))
			return FALSE;
		g_variant_builder_add(&self->options, "{sv}", "time", g_variant_new_int64(time));
	}
	pack_flag(self, "quote", input->quote);
	pack_flag(self, "no_collateral", input->no_collateral);
	pack_flag(self, "boot_time_mr", input->boot_time_mr);
	pack_flag(self, "debug", input->debug);
	pack_flag(self, "text", TRUE);
	pack_text(self, "min_tcb", input->min_tcb);
	pack_text(self, "report_data", input->report_data);
	pack_list(self, "allow", input->allow);
	pack_list(self, "allow_tcb", input->allow_tcb);
	return pack_file_option(self, "root", input->root, error) && pack_collateral(self, input->collateral, error);
}

static gboolean
print_answer(DstackCli *cli, GVariant *answer, GError **error)
{
	g_autoptr(JsonObject) report = NULL;
	g_autoptr(JsonNode) root = NULL;
	g_autofree gchar *json = NULL;
	gboolean valid = FALSE;
	const gchar *text = NULL;
	const gchar *words = NULL;

	g_variant_get(answer, "(b&s)", &valid, &text);
	report = dstack_json_parse_object(text, strlen(text), DSTACK_LIMIT_EVIDENCE, "answer of the service", error);
	if (report == NULL || !dstack_json_get_string(report, "answer of the service", "text", &words, error))
		return FALSE;
	if (cli->json) {
		json_object_remove_member(report, "text");
		root = json_node_init_object(json_node_alloc(), report);
		json = dstack_json_to_text(root, DSTACK_JSON_PRETTY);
		dstack_cli_print_json_text(cli, json);
	} else {
		dstack_cli_print_text(cli, "%s", words);
	}
	if (!valid)
		dstack_cli_answer_no(cli);
	return TRUE;
}

/**
 * dstack_via_bus_verify:
 * @cli: the run, with the evidence as its one argument
 * @input: the options as they were typed
 * @error: (out) (optional): as the service says
 *
 * Prints the verdict that the service comes to.
 *
 * Returns: %TRUE when there is a verdict, whatever it is
 */
gboolean
dstack_via_bus_verify(DstackCli *cli, const DstackVerifyInput *input, GError **error)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(GVariant) answer = NULL;
	Packing packing = {.fds = fds};
	gint evidence = pack_file(&packing, cli->args[0], error);

	if (evidence < 0)
		return FALSE;
	g_variant_builder_init(&packing.options, G_VARIANT_TYPE_VARDICT);
	if (!pack_options(&packing, input, error)) {
		g_variant_builder_clear(&packing.options);
		return FALSE;
	}
	answer = dstack_via_bus_call(cli, "Verify", g_variant_new("(ha{sv})", evidence, &packing.options),
				     G_VARIANT_TYPE("(bs)"), fds, error);
	return answer != NULL && print_answer(cli, answer, error);
}
