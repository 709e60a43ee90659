/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The hook's second half, for domains with our metadata: hook call in, library call, exit status out.
 * libvirt.md, "The libvirt hook". Nothing here may fail but the beginning of a start, and then with one line.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "journal.h"
#include "launch/domain-launch.h"

#define LINE_MAX_BYTES 1000
/* hashing this much takes a third of a second; what is larger must be known to the digest cache */
#define SKIP_ABOVE (256 * 1024 * 1024)
#define TIME_MAX   10 /* seconds, whatever the settings say; the first half may have used some of them */

typedef struct {
	const gchar *config; /* (nullable) */
	const gchar *sysfs;
	const gchar *name;
	gboolean is_release;
	DstackJournalSubject subject;
} HookCall;

/* one line of printable ASCII, whatever the domain's owner put into it */
static void
print_line(const gchar *message)
{
	g_autoptr(GString) line = g_string_new("dstack-vmm-prep: ");
	ssize_t ignored;

	for (const gchar *p = message; *p != '\0' && line->len < LINE_MAX_BYTES; p++)
		g_string_append_c(line, *p < 0x20 || *p > 0x7e ? '?' : *p);
	g_string_append_c(line, '\n');
	ignored = write(STDERR_FILENO, line->str, line->len);
	(void)ignored;
}

/* async-signal-safe; files are whole at any moment, so leaving in the midst is safe */
static void
on_alarm_refuse(int number)
{
	static const char line[] =
	    "dstack-vmm-prep: out of time; run 'dstack-vmm-prep check' on the image once, then start again\n";
	ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)number;
	(void)ignored;
	_exit(EXIT_FAILURE);
}

static void
on_alarm_leave(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

static void
set_deadline(gboolean is_release, guint seconds)
{
	guint left;

	(void)signal(SIGALRM, is_release ? on_alarm_leave : on_alarm_refuse);
	/* an alarm outlives exec: what the first half left of its time is all there is */
	left = alarm(0);
	(void)alarm(MIN(seconds, left != 0 ? left : TIME_MAX));
}

/* options are ours, from the first half; what libvirt said comes after "--", by position */
static gboolean
parse_arguments(int argc, char **argv, HookCall *out)
{
	int at = 1;

	out->sysfs = "/sys";
	for (; at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
		if (strcmp(argv[at], "--config") == 0)
			out->config = argv[at + 1];
		else if (strcmp(argv[at], "--sysfs") == 0)
			out->sysfs = argv[at + 1];
		else
			return FALSE;
	}
	if (argc - at != 5)
		return FALSE;
	out->name = argv[at + 1];
	out->is_release = strcmp(argv[at + 2], "release") == 0;
	out->subject.domain = out->name;
	out->subject.operation = argv[at + 2];
	return out->is_release || (strcmp(argv[at + 2], "prepare") == 0 && strcmp(argv[at + 3], "begin") == 0);
}

static DstackSettings *
load_settings(const HookCall *call, GError **error)
{
	const gchar *path = call->config != NULL ? call->config : dstack_settings_default_path();
	g_autoptr(DstackSettings) settings = dstack_settings_load(path, call->config != NULL, error);

	if (settings != NULL)
		set_deadline(call->is_release, settings->hook_timeout);
	return g_steal_pointer(&settings);
}

static void
tell_journal(const HookCall *call, const DstackDomain *domain, const DstackLaunchResult *result)
{
	DstackJournalSubject subject = call->subject;
	g_autofree gchar *message = g_strdup_printf("prepared %s from image %s: %s", domain->name, result->image,
						    result->reason != NULL ? result->reason : "");

	subject.uuid = domain->uuid;
	subject.image = result->image;
	subject.variant = result->variant;
	dstack_journal_send(DSTACK_JOURNAL_INFO, &subject, message);
	for (guint i = 0; result->warnings[i] != NULL; i++)
		dstack_journal_send(DSTACK_JOURNAL_WARNING, &subject, result->warnings[i]);
}

/* the configuration is read only once the domain is known to be ours: a broken one harms nobody else */
static gboolean
run_prepare(const HookCall *call, const gchar *xml, gsize size, GError **error)
{
	g_autoptr(DstackDomain) domain = dstack_domain_parse(xml, size, call->sysfs, error);
	g_autoptr(DstackSettings) settings = NULL;
	g_autoptr(DstackLaunchResult) result = NULL;
	DstackContext context = {0};
	DstackDomainEnv env = {.context = &context, .sysfs = call->sysfs, .check_skip_above = SKIP_ABOVE};

	if (domain == NULL)
		return FALSE;
	if (!domain->has_metadata)
		return TRUE;
	settings = load_settings(call, error);
	if (settings == NULL)
		return FALSE;
	context.now = g_get_real_time() / G_USEC_PER_SEC;
	context.cache_dir = settings->cache_dir;
	env.settings = settings;
	result = dstack_domain_launch_prepare(domain, &env, error);
	if (result == NULL || !dstack_domain_launch_inject(domain, result, &env, error))
		return FALSE;
	tell_journal(call, domain, result);
	return TRUE;
}

/* a running domain's XML may have changed into what could not start again: only its UUID counts */
static gboolean
run_release(const HookCall *call, const gchar *xml, gsize size, GError **error)
{
	g_autofree gchar *uuid = dstack_domain_read_uuid(xml, size, error);
	g_autoptr(DstackSettings) settings = NULL;
	DstackContext context = {0};
	DstackDomainEnv env = {.context = &context, .sysfs = call->sysfs};

	if (uuid == NULL)
		return FALSE;
	settings = load_settings(call, NULL);
	if (settings == NULL)
		settings = dstack_settings_new();
	env.settings = settings;
	return dstack_domain_launch_release(uuid, &env, error);
}

static int
answer(const HookCall *call, gboolean ok, const GError *error)
{
	if (ok)
		return EXIT_SUCCESS;
	dstack_journal_send(DSTACK_JOURNAL_ERROR, &call->subject, error->message);
	if (call->is_release)
		return EXIT_SUCCESS;
	print_line(error->message);
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) xml = NULL;
	HookCall call = {0};
	gboolean ok;

	if (!parse_arguments(argc, argv, &call)) {
		print_line("internal: called in a way that is not the hook's");
		return EXIT_SUCCESS;
	}
	set_deadline(call.is_release, TIME_MAX);
	xml = dstack_file_read_fd(STDIN_FILENO, "domain XML", DSTACK_LIMIT_DOMAIN_XML, &error);
	if (xml == NULL)
		return answer(&call, FALSE, error);
	if (call.is_release)
		ok = run_release(&call, g_bytes_get_data(xml, NULL), g_bytes_get_size(xml), &error);
	else
		ok = run_prepare(&call, g_bytes_get_data(xml, NULL), g_bytes_get_size(xml), &error);
	return answer(&call, ok, error);
}
