/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The program around its commands: options, help, output, errors, exit status. Commands see command.h only.
 */
#pragma once

#include "cli/color.h"
#include "cli/command.h"

G_BEGIN_DECLS

#define DSTACK_PROGRAM "dstack-vmm-prep"

struct _DstackCliPrivate {
	const DstackCommand *commands; /* ends with an entry without a name */
	const DstackCommand *command;  /* (nullable): the one that runs */
	gchar **rest;		       /* its words, not yet parsed */
	GPtrArray *image_dirs;	       /* --image-dir, in the order given, with a NULL at the end */
	gchar *config;
	DstackSettings *settings; /* (nullable): not read yet */
	gchar *cache_dir;
	DstackColorMode color;
	gboolean want_help;
	gboolean want_version;
	gboolean help_answered;
	gboolean answered_no;
	GString *out; /* what goes to standard output at the end */
};

/* Runs one command line from beginning to end: returns the exit status. */
int dstack_cli_run(const DstackCommand *commands, int argc, char **argv);

/* the options that every command takes, in a group whose variables are self's */
const GOptionEntry *dstack_cli_global_entries(void);
/* Parses what stands before the command; what is left is priv->rest, the command's name first. */
gboolean dstack_cli_parse_global(DstackCli *self, int argc, char **argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gchar *dstack_help_program(const DstackCommand *commands);
gchar *dstack_help_command(const DstackCommand *command, const GOptionEntry *entries);

G_END_DECLS
