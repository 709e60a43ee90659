/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a command of dstack-vmm-prep is, and what it may use.
 *
 * A command lives in cmd-NAME.c, exports one function, and has one line in main.c's table:
 *
 *     gboolean
 *     dstack_cmd_images(DstackCli *cli, GError **error)
 *     {
 *             gboolean all = FALSE;
 *             const GOptionEntry entries[] = {
 *                 {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Also show what cannot launch", NULL},
 *                 {NULL},
 *             };
 *
 *             if (!dstack_cli_parse(cli, entries, 0, DSTACK_CLI_MANY, error))
 *                     return FALSE;
 *             … cli->args holds what is left of the command line …
 *             dstack_cli_print(cli, record);
 *             return TRUE;
 *     }
 *
 * It returns TRUE when it has answered, also when the answer is no (dstack_cli_answer_no()), and FALSE with
 * an error when it could not. It never writes to standard output or standard error by itself.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "base/context.h"
#include "cli/table.h"
#include "launch/settings.h"

G_BEGIN_DECLS

#define DSTACK_CLI_MANY G_MAXUINT

typedef struct _DstackCliPrivate DstackCliPrivate;

/* one run of the program; commands read it and leave it as it is */
typedef struct {
	const gchar *config;	   /* (nullable): --config FILE, instead of the files under /etc */
	gboolean json;		   /* one JSON document on standard output, nothing else */
	gboolean quiet;		   /* -q: no notes */
	guint verbosity;	   /* -v, how often */
	gboolean no_cache;	   /* --no-cache */
	const gchar *via;	   /* (nullable): "bus" where a command takes --via: ask the service instead */
	GCancellable *cancellable; /* cancelled by SIGINT, SIGTERM, SIGHUP; never NULL */
	gchar **args;		   /* arguments that are no options, after dstack_cli_parse(); NULL-terminated */
	guint n_args;
	DstackCliPrivate *priv;
} DstackCli;

typedef gboolean (*DstackCommandFunc)(DstackCli *cli, GError **error);

typedef struct {
	const gchar *name;
	const gchar *args;    /* what follows the options in the usage line */
	const gchar *summary; /* one line, no final stop */
	const gchar *example; /* a command line that works, without the program's name */
	DstackCommandFunc run;
} DstackCommand;

/*
 * Parses the command's own options and the global ones; entries end with {NULL} and their variables belong to the
 * caller. Then cli->args holds between min and max arguments. FALSE without an error means that --help has been
 * answered: return FALSE at once in either case.
 */
gboolean dstack_cli_parse(DstackCli *self, const GOptionEntry *entries, guint min, guint max,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The answer: a record, rendered for people or as JSON. Once a run; what is printed appears when the command returns.
 */
void dstack_cli_print(DstackCli *self, DstackRecord *record);
/* The answer is a list: with --json an array. */
void dstack_cli_print_table(DstackCli *self, DstackTable *table);
/* The answer is JSON for both (a vm_config): the text as it is, and a line feed. */
void dstack_cli_print_json_text(DstackCli *self, const gchar *text);
/* Words for people only; with --json nothing. */
void dstack_cli_print_text(DstackCli *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);

/* A line on standard error, "dstack-vmm-prep: warning: …"; a note is left out with -q, a detail shown with -v only. */
void dstack_cli_warn(DstackCli *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
void dstack_cli_note(DstackCli *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
void dstack_cli_detail(DstackCli *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);

/* The command has answered, and the answer is no (unsound, not valid, refused): exit status 1. */
void dstack_cli_answer_no(DstackCli *self);

/* The configuration, read at the first call (--config, or the files under /etc). Borrowed. */
const DstackSettings *dstack_cli_settings(DstackCli *self, GError **error);
/* (nullable): --image-dir alone */
const gchar *const *dstack_cli_given_image_dirs(DstackCli *self);
/* Where images are looked up: --image-dir where given, else the configuration's. Borrowed. */
const gchar *const *dstack_cli_image_dirs(DstackCli *self, GError **error);
/* The outside world for library calls: now from the clock, the configuration's digest cache. Borrows from self. */
gboolean dstack_cli_fill_context(DstackCli *self, DstackContext *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean dstack_cmd_check(DstackCli *cli, GError **error);
gboolean dstack_cmd_collateral(DstackCli *cli, GError **error);
gboolean dstack_cmd_doctor(DstackCli *cli, GError **error);
gboolean dstack_cmd_domain(DstackCli *cli, GError **error);
gboolean dstack_cmd_expect(DstackCli *cli, GError **error);
gboolean dstack_cmd_explain(DstackCli *cli, GError **error);
gboolean dstack_cmd_images(DstackCli *cli, GError **error);
gboolean dstack_cmd_inspect(DstackCli *cli, GError **error);
gboolean dstack_cmd_label(DstackCli *cli, GError **error);
gboolean dstack_cmd_measure(DstackCli *cli, GError **error);
gboolean dstack_cmd_prepare(DstackCli *cli, GError **error);
gboolean dstack_cmd_verify(DstackCli *cli, GError **error);

G_END_DECLS
