/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * doctor: is this host ready, and if not, what to do.
 */

#include "config.h"

#include "cli/command.h"

#include "base/error.h"
#include "cli/doctor.h"

static const gchar *
health_to_string(DstackHealth health)
{
	switch (health) {
	case DSTACK_HEALTH_OK:
		return "ok";
	case DSTACK_HEALTH_WARN:
		return "warn";
	case DSTACK_HEALTH_MISSING:
		return "missing";
	}
	g_return_val_if_reached(NULL);
}

static DstackTone
health_tone(DstackHealth health)
{
	switch (health) {
	case DSTACK_HEALTH_OK:
		return DSTACK_TONE_GOOD;
	case DSTACK_HEALTH_WARN:
		return DSTACK_TONE_WARN;
	case DSTACK_HEALTH_MISSING:
		return DSTACK_TONE_BAD;
	}
	g_return_val_if_reached(DSTACK_TONE_PLAIN);
}

void
dstack_doctor_add(DstackDoctor *self, const gchar *check, DstackHealth health, const gchar *found, const gchar *advice)
{
	DstackRecord *row = dstack_table_add_row(self->rows);

	dstack_record_add_toned(row, "state", "STATE", health_tone(health), health_to_string(health));
	dstack_record_add_text(row, "check", "CHECK", check);
	dstack_record_add_text(row, "found", "FOUND", found);
	dstack_record_add_text(row, "advice", NULL, advice);
	if (advice != NULL) {
		g_autofree gchar *note = g_strdup_printf("-> %s", advice);

		dstack_record_add_note(row, DSTACK_TONE_PLAIN, note);
	}
	if (health == DSTACK_HEALTH_MISSING)
		self->missing = TRUE;
}

gchar *
dstack_doctor_path(const DstackDoctor *self, const gchar *path)
{
	return g_strconcat(self->root, path, NULL);
}

gboolean
dstack_doctor_is_live(const DstackDoctor *self)
{
	return *self->root == '\0';
}

gchar *
dstack_doctor_ask(const DstackDoctor *self, const gchar *path, const gchar *argument)
{
	g_autoptr(GSubprocess) process = NULL;
	g_autofree gchar *output = NULL;

	if (!dstack_doctor_is_live(self))
		return NULL;
	process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, path,
				   argument, NULL);
	if (process == NULL ||
	    !g_subprocess_communicate_utf8(process, NULL, self->cli->cancellable, &output, NULL, NULL) ||
	    !g_subprocess_get_successful(process))
		return NULL;
	return g_steal_pointer(&output);
}

gchar *
dstack_doctor_find_program(const DstackDoctor *self, const gchar *name)
{
	static const gchar *const folders[] = {"/usr/local/bin",  "/usr/bin",  "/bin",
					       "/usr/local/sbin", "/usr/sbin", "/sbin"};

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree gchar *path = g_strconcat(self->root, folders[i], "/", name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test(path, G_FILE_TEST_IS_DIR))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* (nullable): the settings; what is wrong with them is a row, and the rest is judged by the defaults */
static DstackSettings *
load_settings(DstackDoctor *self)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *rooted = dstack_doctor_path(self, dstack_settings_default_path());
	const gchar *path = self->cli->config != NULL ? self->cli->config : rooted;
	g_autofree gchar *folder = g_strconcat(path, ".d", NULL);
	DstackSettings *settings = dstack_settings_load(path, self->cli->config != NULL, &error);

	if (settings == NULL) {
		dstack_doctor_add(self, "configuration", DSTACK_HEALTH_MISSING, error->message,
				  "correct the file: until then every launch is refused");
		return dstack_settings_new();
	}
	if (g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(folder, G_FILE_TEST_IS_DIR))
		dstack_doctor_add(self, "configuration", DSTACK_HEALTH_OK, path, NULL);
	else
		dstack_doctor_add(self, "configuration", DSTACK_HEALTH_OK, "no file: the defaults hold", NULL);
	return settings;
}

static void
add_policy(DstackDoctor *self, const DstackSettings *settings)
{
	g_autofree gchar *found =
	    g_strdup_printf("TDX variant %s, images checked: %s", dstack_policy_to_string(settings->policy),
			    dstack_check_level_to_string(settings->check));

	if (settings->policy == DSTACK_POLICY_LITE)
		dstack_doctor_add(self, "policy", DSTACK_HEALTH_OK, found, NULL);
	else
		dstack_doctor_add(self, "policy", DSTACK_HEALTH_WARN, found,
				  "lite (the default) refuses what could not be attested by the image's material");
}

static void
examine(DstackDoctor *self, const gchar *const *dirs)
{
	g_autoptr(DstackSettings) settings = load_settings(self);

	add_policy(self, settings);
	dstack_doctor_devices(self);
	dstack_doctor_tools(self, settings);
	dstack_doctor_images(self, dirs != NULL ? dirs : (const gchar *const *)settings->image_dirs);
	dstack_doctor_hook(self);
	dstack_doctor_service(self);
}

gboolean
dstack_cmd_doctor(DstackCli *cli, GError **error)
{
	g_autofree gchar *root = NULL;
	const GOptionEntry entries[] = {
	    {"root", 0, 0, G_OPTION_ARG_FILENAME, &root, "Look at the host whose root directory this is", "DIR"},
	    {NULL},
	};
	g_autoptr(DstackRecord) report = NULL;
	DstackDoctor doctor = {.cli = cli, .root = ""};

	if (!dstack_cli_parse(cli, entries, 0, 0, error))
		return FALSE;
	if (root != NULL && !g_file_test(root, G_FILE_TEST_IS_DIR))
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "--root: '%s' is no directory", root);
	if (root != NULL && g_strcmp0(root, "/") != 0)
		doctor.root = root;
	report = dstack_record_new();
	doctor.rows = dstack_record_add_table(report, "checks", "");
	examine(&doctor, dstack_cli_given_image_dirs(cli));
	dstack_record_add_bool(report, "ready", NULL, !doctor.missing);
	if (doctor.missing) {
		dstack_record_add_note(report, DSTACK_TONE_BAD, "Not ready: see what is missing above.");
		dstack_cli_answer_no(cli);
	} else {
		dstack_record_add_note(report, DSTACK_TONE_GOOD, "Ready.");
	}
	dstack_cli_print(cli, report);
	return TRUE;
}
