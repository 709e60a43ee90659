/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line, in two steps: global options up to the command's name, then the command's own options
 * together with the global ones.
 */

#include "config.h"

#include "cli/cli.h"

#include <string.h>

#include "base/error.h"

static gboolean
on_image_dir(const gchar *option, const gchar *value, gpointer user_data, GError **error)
{
	DstackCli *self = user_data;

	g_ptr_array_insert(self->priv->image_dirs, (gint)self->priv->image_dirs->len - 1, g_strdup(value));
	return TRUE;
}

static gboolean
on_config(const gchar *option, const gchar *value, gpointer user_data, GError **error)
{
	DstackCli *self = user_data;

	g_free(self->priv->config);
	self->priv->config = g_strdup(value);
	self->config = self->priv->config;
	return TRUE;
}

static gboolean
on_color(const gchar *option, const gchar *value, gpointer user_data, GError **error)
{
	DstackCli *self = user_data;

	return dstack_color_mode_parse(value, &self->priv->color, error);
}

static gboolean
on_flag(const gchar *option, const gchar *value, gpointer user_data, GError **error)
{
	DstackCli *self = user_data;

	if (g_str_equal(option, "--json"))
		self->json = TRUE;
	else if (g_str_equal(option, "--no-cache"))
		self->no_cache = TRUE;
	else if (g_str_equal(option, "--quiet") || g_str_equal(option, "-q"))
		self->quiet = TRUE;
	else if (g_str_equal(option, "--verbose") || g_str_equal(option, "-v"))
		self->verbosity++;
	else if (g_str_equal(option, "--version"))
		self->priv->want_version = TRUE;
	else
		self->priv->want_help = TRUE;
	return TRUE;
}

#define FLAG(name, letter, callback, text)                                                                             \
	{                                                                                                              \
		name, letter, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (gpointer)callback, text, NULL              \
	}
#define VALUE(name, kind, callback, text, arg)                                                                         \
	{                                                                                                              \
		name, 0, kind, G_OPTION_ARG_CALLBACK, (gpointer)callback, text, arg                                    \
	}

static const GOptionEntry global_entries[] = {
    VALUE("config", G_OPTION_FLAG_FILENAME, on_config, "Read this configuration instead of the one under /etc", "FILE"),
    VALUE("image-dir", G_OPTION_FLAG_FILENAME, on_image_dir, "Look for images here (may be repeated)", "DIR"),
    FLAG("json", 0, on_flag, "Print one JSON document"),
    VALUE("color", 0, on_color, "Colour: auto, always or never", "WHEN"),
    FLAG("no-cache", 0, on_flag, "Compute every digest anew"),
    FLAG("quiet", 'q', on_flag, "Print no notes and no progress"),
    FLAG("verbose", 'v', on_flag, "Say more (may be repeated)"),
    FLAG("version", 0, on_flag, "Print the version"),
    FLAG("help", 'h', on_flag, "Print this help"),
    {NULL},
};

const GOptionEntry *
dstack_cli_global_entries(void)
{
	return global_entries;
}

static GOptionContext *
context_new(DstackCli *self)
{
	GOptionContext *context = g_option_context_new(NULL);
	GOptionGroup *group = g_option_group_new("global", "Global options", "Global options", self, NULL);

	g_option_group_add_entries(group, global_entries);
	g_option_context_set_main_group(context, group);
	g_option_context_set_help_enabled(context, FALSE);
	return context;
}

/* GLib's message, begun in lower case as all of ours */
static gboolean
propagate_usage_error(GError **error, GError *found, const gchar *where)
{
	if (found->domain != G_OPTION_ERROR) {
		g_propagate_error(error, found);
		return FALSE;
	}
	*found->message = g_ascii_tolower(*found->message);
	dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s%s%s; see '" DSTACK_PROGRAM " %s%s--help'", where,
		     *where != '\0' ? ": " : "", found->message, where, *where != '\0' ? " " : "");
	g_error_free(found);
	return FALSE;
}

gboolean
dstack_cli_parse_global(DstackCli *self, int argc, char **argv, GError **error)
{
	g_autoptr(GOptionContext) context = context_new(self);
	GError *found = NULL;
	gchar **rest = NULL;

	self->priv->rest = g_new0(gchar *, (gsize)argc + 1);
	rest = self->priv->rest;
	for (int i = 0; i < argc; i++)
		rest[i] = g_strdup(argv[i]);
	g_option_context_set_strict_posix(context, TRUE);
	if (!g_option_context_parse_strv(context, &self->priv->rest, &found))
		return propagate_usage_error(error, found, "");
	return TRUE;
}

/* "--" has done its work; GLib leaves it where a word that looks like an option follows */
static void
strip_separator(gchar **words)
{
	for (; *words != NULL; words++) {
		if (g_str_equal(*words, "--")) {
			g_free(*words);
			do
				words[0] = words[1];
			while (*words++ != NULL);
			return;
		}
	}
}

static gboolean
ensure_argument_count(DstackCli *self, guint min, guint max, GError **error)
{
	const DstackCommand *command = self->priv->command;

	if (self->n_args < min) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: expected %s, found nothing there; see '" DSTACK_PROGRAM " %s --help'",
				    command->name, command->args, command->name);
	}
	if (self->n_args > max) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%s: unexpected argument '%s'; see '" DSTACK_PROGRAM " %s --help'", command->name,
				    self->args[max], command->name);
	}
	return TRUE;
}

gboolean
dstack_cli_parse(DstackCli *self, const GOptionEntry *entries, guint min, guint max, GError **error)
{
	g_autoptr(GOptionContext) context = context_new(self);
	GError *found = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, &self->priv->rest, &found))
		return propagate_usage_error(error, found, self->priv->command->name);
	if (self->priv->want_help) {
		g_autofree gchar *help = dstack_help_command(self->priv->command, entries);

		g_string_assign(self->priv->out, help);
		self->priv->help_answered = TRUE;
		return FALSE;
	}
	strip_separator(self->priv->rest + 1);
	self->args = self->priv->rest + 1;
	self->n_args = g_strv_length(self->args);
	return ensure_argument_count(self, min, max, error);
}
