/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What --help prints: within 80 columns, from the same tables that parse the options.
 */

#include "config.h"

#include "cli/cli.h"

#include <string.h>

#include "cli/wrap.h"

#define WIDTH	      80
#define OPTION_COLUMN 30

static void
append_option(GString *out, const GOptionEntry *entry)
{
	g_autoptr(GString) left = g_string_new("  ");

	if (entry->flags & G_OPTION_FLAG_HIDDEN)
		return;
	if (entry->short_name != 0)
		g_string_append_printf(left, "-%c, ", entry->short_name);
	else
		g_string_append(left, "    ");
	g_string_append_printf(left, "--%s", entry->long_name);
	if (entry->arg_description != NULL)
		g_string_append_printf(left, " %s", entry->arg_description);
	dstack_wrap_two_columns(out, left->str, entry->description, OPTION_COLUMN, WIDTH);
}

static void
append_options(GString *out, const gchar *title, const GOptionEntry *entries)
{
	if (entries[0].long_name == NULL)
		return;
	g_string_append_printf(out, "\n%s:\n", title);
	for (; entries->long_name != NULL; entries++)
		append_option(out, entries);
}

gchar *
dstack_help_command(const DstackCommand *command, const GOptionEntry *entries)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "usage: " DSTACK_PROGRAM " %s [OPTIONS]%s%s\n\n", command->name,
			       *command->args != '\0' ? " " : "", command->args);
	dstack_wrap_paragraph(out, command->summary, 0, WIDTH);
	append_options(out, "Options", entries);
	append_options(out, "Global options", dstack_cli_global_entries());
	g_string_append_printf(out, "\nExample:\n  " DSTACK_PROGRAM " %s\n", command->example);
	g_string_append_printf(out, "\nManual: man " DSTACK_PROGRAM "-%s\n", command->name);
	return g_string_free(out, FALSE);
}

gchar *
dstack_help_program(const DstackCommand *commands)
{
	GString *out = g_string_new("usage: " DSTACK_PROGRAM " [GLOBAL OPTIONS] COMMAND [OPTIONS] ...\n\n"
				    "Prepares and checks confidential VMs: what an image can launch, what the guest\n"
				    "will be attested as, and whether evidence that a guest shows holds.\n\n"
				    "Commands:\n");

	for (const DstackCommand *command = commands; command->name != NULL; command++) {
		g_autofree gchar *left = g_strdup_printf("  %-9s %s", command->name, command->args);

		dstack_wrap_two_columns(out, left, command->summary, OPTION_COLUMN, WIDTH);
	}
	dstack_wrap_two_columns(out, "  help      COMMAND", "the options of a command", OPTION_COLUMN, WIDTH);
	append_options(out, "Global options", dstack_cli_global_entries());
	g_string_append(out, "\nExit status: 0 yes, 1 the answer is no, 2 usage, 3 not found, 4 malformed input,\n"
			     "5 the system failed.\n"
			     "\nExample:\n  " DSTACK_PROGRAM " images\n"
			     "\nManual: man " DSTACK_PROGRAM "\n");
	return g_string_free(out, FALSE);
}
