/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * prepare: build a vm_config, and with --inject put it where the guest reads it.
 */
#include "config.h"

#include "cli/command.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/launch-options.h"
#include "cli/progress.h"
#include "cli/via-bus.h"
#include "launch/injection.h"
#include "launch/prepare.h"

#define OUTPUT_MODE 0644

typedef struct {
	DstackLaunchOptions launch;
	gchar *check;
	gchar *inject;
	gchar *output;
	gchar *via;
	gchar **attach;
} PrepareOptions;

static void
prepare_options_clear(PrepareOptions *self)
{
	dstack_launch_options_clear(&self->launch);
	g_free(self->check);
	g_free(self->inject);
	g_free(self->output);
	g_free(self->via);
	g_strfreev(self->attach);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PrepareOptions, prepare_options_clear)

static GArray *
make_entries(PrepareOptions *self)
{
	GArray *entries = dstack_launch_options_entries(&self->launch);
	const GOptionEntry own[] = {
	    {"check", 0, 0, G_OPTION_ARG_STRING, &self->check, "How much of the image is checked first (default: full)",
	     "material|full"},
	    {"inject", 0, 0, G_OPTION_ARG_FILENAME, &self->inject, "Put the vm_config into this shared directory",
	     "DIR"},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &self->output, "Write the vm_config there", "FILE"},
	    {"attach", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->attach,
	     "Attach material of another platform as well (may be repeated)", "gcp|aws"},
	    DSTACK_CLI_VIA_ENTRY(&self->via),
	};

	return g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

static gboolean
write_output(const gchar *path, const gchar *text, GError **error)
{
	g_autofree gchar *dir = g_path_get_dirname(path);
	g_autofree gchar *name = g_path_get_basename(path);
	g_autofree gchar *line = g_strconcat(text, "\n", NULL);
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, error);

	return dirfd >= 0 &&
	       dstack_file_replace_at(dirfd, name, (const guint8 *)line, strlen(line), OUTPUT_MODE, (gid_t)-1, error);
}

static gboolean
inject(const PrepareOptions *options, const DstackLaunchResult *result, int share_fd, gboolean *out_changed,
       GError **error)
{
	if (share_fd < 0)
		return TRUE;
	if (dstack_inject(share_fd, result->vm_config, result->mr_config, out_changed, error))
		return TRUE;
	g_prefix_error(error, "%s: ", options->inject);
	return FALSE;
}

static void
tell(DstackCli *cli, const DstackLaunchResult *result)
{
	for (guint i = 0; result->warnings[i] != NULL; i++)
		dstack_cli_warn(cli, "%s", result->warnings[i]);
	dstack_cli_note(cli, "%s: %s%s%s: %s", result->image, dstack_launch_tee_to_string(result->tee),
			result->variant != NULL ? ", " : "", result->variant != NULL ? result->variant : "",
			result->reason);
}

static gboolean
finish(DstackCli *cli, const PrepareOptions *options, const DstackLaunchResult *result, gboolean changed,
       GError **error)
{
	tell(cli, result);
	if (options->inject != NULL)
		dstack_cli_note(cli, "%s/%s: %s", options->inject, DSTACK_SYS_CONFIG_NAME,
				changed ? "vm_config injected" : "says so already, left alone");
	if (options->output != NULL)
		return write_output(options->output, result->vm_config, error);
	dstack_cli_print_json_text(cli, result->vm_config);
	return TRUE;
}

static void
on_progress(guint64 done, guint64 total, gpointer user_data)
{
	dstack_progress_update(user_data, done, total);
}

static DstackLaunchResult *
prepare_here(DstackCli *cli, DstackLaunchRequest *request, const DstackSettings *settings, int share_fd, GError **error)
{
	g_autoptr(DstackProgress) progress = dstack_progress_new(cli, request->image);
	DstackContext context;

	if (!dstack_cli_fill_context(cli, &context, error))
		return NULL;
	request->check_progress = on_progress;
	request->check_progress_data = progress;
	return dstack_launch_prepare(request, settings, &context, share_fd, cli->cancellable, error);
}

static gboolean
run_here(DstackCli *cli, const PrepareOptions *options, DstackLaunchRequest *request, int share_fd, GError **error)
{
	const DstackSettings *settings = dstack_cli_settings(cli, error);
	g_autoptr(DstackLaunchResult) result = NULL;
	gboolean changed = FALSE;

	if (settings == NULL)
		return FALSE;
	request->image_dirs = dstack_cli_image_dirs(cli, error);
	if (request->image_dirs == NULL)
		return FALSE;
	result = prepare_here(cli, request, settings, share_fd, error);
	return result != NULL && inject(options, result, share_fd, &changed, error) &&
	       finish(cli, options, result, changed, error);
}

static gboolean
run_via_bus(DstackCli *cli, const PrepareOptions *options, const DstackLaunchRequest *request, int share_fd,
	    GError **error)
{
	gboolean changed = FALSE;
	g_autoptr(DstackLaunchResult) result = dstack_via_bus_prepare(cli, request, share_fd, &changed, error);

	return result != NULL && finish(cli, options, result, changed, error);
}

static gboolean
run(DstackCli *cli, const PrepareOptions *options, GError **error)
{
	g_autoptr(DstackLaunchRequest) request =
	    dstack_launch_options_to_request(&options->launch, cli->args[0], error);
	DSTACK_AUTO_FD int share_fd = -1;
	gboolean via_bus = FALSE;

	if (request == NULL || !dstack_via_parse(options->via, &via_bus, error) ||
	    (options->check != NULL && !dstack_check_level_parse(options->check, &request->check, error)))
		return FALSE;
	request->attach = g_strdupv(options->attach);
	if (options->inject != NULL) {
		share_fd = dstack_dir_open(options->inject, error);
		if (share_fd < 0)
			return FALSE;
	}
	return via_bus ? run_via_bus(cli, options, request, share_fd, error)
		       : run_here(cli, options, request, share_fd, error);
}

gboolean
dstack_cmd_prepare(DstackCli *cli, GError **error)
{
	g_auto(PrepareOptions) options = {0};
	g_autoptr(GArray) entries = make_entries(&options);

	return dstack_cli_parse(cli, (const GOptionEntry *)(gpointer)entries->data, 1, 1, error) &&
	       run(cli, &options, error);
}
