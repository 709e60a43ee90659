/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One command line from beginning to end: find the command, run it, print its answer or its error.
 */

#include "config.h"

#include "cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/exit.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/text.h"

static void
cli_init(DstackCli *self, DstackCliPrivate *priv, const DstackCommand *commands)
{
	priv->commands = commands;
	priv->image_dirs = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(priv->image_dirs, NULL);
	priv->out = g_string_new(NULL);
	self->priv = priv;
	self->cancellable = g_cancellable_new();
}

static void
cli_clear(DstackCli *self)
{
	DstackCliPrivate *priv = self->priv;

	g_strfreev(priv->rest);
	g_ptr_array_unref(priv->image_dirs);
	g_free(priv->config);
	dstack_settings_free(priv->settings);
	g_free(priv->cache_dir);
	g_string_free(priv->out, TRUE);
	g_object_unref(self->cancellable);
}

/* a failing command line must be reported in JSON even where parsing never came to --json */
static gboolean
asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && !g_str_equal(argv[i], "--"); i++) {
		if (g_str_equal(argv[i], "--json"))
			return TRUE;
	}
	return FALSE;
}

static void
append_json(GString *out, JsonNode *node)
{
	g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_PRETTY);

	g_string_append(out, text);
	g_string_append_c(out, '\n');
}

static DstackLayout
output_layout(DstackCli *self)
{
	DstackLayout layout = {
	    .width = dstack_terminal_width(STDOUT_FILENO),
	    .color = dstack_color_wanted(self->priv->color, STDOUT_FILENO),
	};

	return layout;
}

void
dstack_cli_print(DstackCli *self, DstackRecord *record)
{
	DstackLayout layout = output_layout(self);
	g_autofree gchar *text = NULL;

	if (self->json) {
		g_autoptr(JsonNode) node = dstack_record_to_json(record);

		append_json(self->priv->out, node);
		return;
	}
	text = dstack_record_to_text(record, &layout);
	g_string_append(self->priv->out, text);
}

void
dstack_cli_print_table(DstackCli *self, DstackTable *table)
{
	DstackLayout layout = output_layout(self);
	g_autofree gchar *text = NULL;

	if (self->json) {
		g_autoptr(JsonNode) node = dstack_table_to_json(table);

		append_json(self->priv->out, node);
		return;
	}
	text = dstack_table_to_text(table, &layout);
	g_string_append(self->priv->out, text);
}

void
dstack_cli_print_json_text(DstackCli *self, const gchar *text)
{
	g_string_append(self->priv->out, text);
	if (!g_str_has_suffix(text, "\n"))
		g_string_append_c(self->priv->out, '\n');
}

void
dstack_cli_print_text(DstackCli *self, const gchar *format, ...)
{
	g_autofree gchar *text = NULL;
	g_autofree gchar *printable = NULL;
	va_list args;

	if (self->json)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	printable = dstack_text_printable(text, "\n\t");
	g_string_append(self->priv->out, printable);
}

static void
print_line(DstackCli *self, DstackTone tone, const gchar *kind, const gchar *text)
{
	g_autofree gchar *printable = dstack_text_printable(text, "");
	gboolean color = dstack_color_wanted(self->priv->color, STDERR_FILENO);

	g_printerr(DSTACK_PROGRAM ": %s%s%s%s\n", color ? dstack_color_begin(tone) : "", kind,
		   color ? dstack_color_end(tone) : "", printable);
}

void
dstack_cli_warn(DstackCli *self, const gchar *format, ...)
{
	g_autofree gchar *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	print_line(self, DSTACK_TONE_WARN, "warning: ", text);
}

void
dstack_cli_note(DstackCli *self, const gchar *format, ...)
{
	g_autofree gchar *text = NULL;
	va_list args;

	if (self->quiet)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	print_line(self, DSTACK_TONE_DIM, "note: ", text);
}

void
dstack_cli_detail(DstackCli *self, const gchar *format, ...)
{
	g_autofree gchar *text = NULL;
	va_list args;

	if (self->verbosity == 0)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	print_line(self, DSTACK_TONE_DIM, "", text);
}

void
dstack_cli_answer_no(DstackCli *self)
{
	self->priv->answered_no = TRUE;
}

const DstackSettings *
dstack_cli_settings(DstackCli *self, GError **error)
{
	const gchar *path = self->config != NULL ? self->config : dstack_settings_default_path();

	if (self->priv->settings == NULL)
		self->priv->settings = dstack_settings_load(path, self->config != NULL, error);
	return self->priv->settings;
}

const gchar *const *
dstack_cli_given_image_dirs(DstackCli *self)
{
	/* the array ends with NULL */
	return self->priv->image_dirs->len > 1 ? (const gchar *const *)self->priv->image_dirs->pdata : NULL;
}

const gchar *const *
dstack_cli_image_dirs(DstackCli *self, GError **error)
{
	const DstackSettings *settings = NULL;

	if (self->priv->image_dirs->len > 1)
		return dstack_cli_given_image_dirs(self);
	settings = dstack_cli_settings(self, error);
	return settings != NULL ? (const gchar *const *)settings->image_dirs : NULL;
}

/* the system's cache is private to root: other users keep their own, unless the configuration names a place */
static const gchar *
choose_cache_dir(DstackCli *self, const DstackSettings *settings)
{
	g_autoptr(DstackSettings) defaults = dstack_settings_new();

	if (geteuid() == 0 || !g_str_equal(settings->cache_dir, defaults->cache_dir))
		return settings->cache_dir;
	g_free(self->priv->cache_dir);
	self->priv->cache_dir = g_build_filename(g_get_user_cache_dir(), DSTACK_PROGRAM, NULL);
	return self->priv->cache_dir;
}

gboolean
dstack_cli_fill_context(DstackCli *self, DstackContext *out, GError **error)
{
	const DstackSettings *settings = dstack_cli_settings(self, error);

	if (settings == NULL)
		return FALSE;
	*out = (DstackContext){
	    .now = g_get_real_time() / G_USEC_PER_SEC,
	    .no_cache = self->no_cache,
	    .cache_dir = choose_cache_dir(self, settings),
	};
	return TRUE;
}

static const DstackCommand *
find_command(const DstackCommand *commands, const gchar *name, GError **error)
{
	for (const DstackCommand *command = commands; command->name != NULL; command++) {
		if (g_str_equal(command->name, name))
			return command;
	}
	dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "unknown command '%s'; see '" DSTACK_PROGRAM " --help'",
		     name);
	return NULL;
}

/* "help" and "help COMMAND" become "--help" and "COMMAND --help" */
static void
translate_help(DstackCli *self)
{
	gchar **words = self->priv->rest + 1;

	if (words[0] == NULL || !g_str_equal(words[0], "help"))
		return;
	self->priv->want_help = TRUE;
	g_free(words[0]);
	do
		words[0] = words[1];
	while (*words++ != NULL);
}

static gboolean
run_command(DstackCli *self, GError **error)
{
	DstackCliPrivate *priv = self->priv;
	const gchar *name = NULL;

	translate_help(self);
	name = priv->rest[1];
	if (priv->want_version) {
		g_string_append(priv->out, DSTACK_PROGRAM " " PACKAGE_VERSION "\n");
		return TRUE;
	}
	if (name == NULL && priv->want_help) {
		g_autofree gchar *help = dstack_help_program(priv->commands);

		g_string_append(priv->out, help);
		return TRUE;
	}
	if (name == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "expected a command, found none; see '" DSTACK_PROGRAM " --help'");
	priv->command = find_command(priv->commands, name, error);
	if (priv->command == NULL)
		return FALSE;
	/* the command's name takes the place of the program's */
	g_free(priv->rest[0]);
	memmove(priv->rest, priv->rest + 1, g_strv_length(priv->rest + 1) * sizeof(gchar *) + sizeof(gchar *));
	return priv->command->run(self, error);
}

static DstackExit
report_error(DstackCli *self, const GError *error)
{
	DstackError code = dstack_exit_error_code(error);

	print_line(self, DSTACK_TONE_PLAIN, "", error->message);
	if (self->json) {
		g_autoptr(DstackRecord) document = dstack_record_new();
		DstackRecord *details = dstack_record_add_record(document, "error", NULL);

		dstack_record_add_text(details, "code", NULL, dstack_error_to_string(code));
		dstack_record_add_text(details, "message", NULL, error->message);
		g_string_truncate(self->priv->out, 0);
		dstack_cli_print(self, document);
	}
	return dstack_exit_from_code(code);
}

static DstackExit
flush(DstackCli *self, DstackExit status)
{
	g_autoptr(GError) error = NULL;

	if (dstack_output_write(STDOUT_FILENO, self->priv->out->str, self->priv->out->len, &error))
		return status;
	print_line(self, DSTACK_TONE_PLAIN, "", error->message);
	return DSTACK_EXIT_SYSTEM;
}

static DstackExit
run(DstackCli *self, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	DstackExit status = DSTACK_EXIT_OK;

	self->json = asks_for_json(argc, argv);
	if (dstack_interrupt_watch(self->cancellable, &error) && dstack_cli_parse_global(self, argc, argv, &error) &&
	    run_command(self, &error)) {
		status = self->priv->answered_no ? DSTACK_EXIT_NO : DSTACK_EXIT_OK;
	} else if (!self->priv->help_answered) {
		if (g_cancellable_is_cancelled(self->cancellable))
			dstack_interrupt_finish();
		status = report_error(self, error);
	}
	return flush(self, status);
}

int
dstack_cli_run(const DstackCommand *commands, int argc, char **argv)
{
	DstackCliPrivate priv = {0};
	DstackCli self = {0};
	DstackExit status = DSTACK_EXIT_OK;

	(void)setlocale(LC_ALL, "");
	(void)signal(SIGPIPE, SIG_IGN);
	g_set_prgname(DSTACK_PROGRAM);
	cli_init(&self, &priv, commands);
	status = run(&self, argc, argv);
	cli_clear(&self);
	return (int)status;
}
