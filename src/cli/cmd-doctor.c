/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * doctor: is this host ready, and if not, what to do.
 */

#include "config.h"

#include "cli/command.h"

static void
add_tool(DstackTable *checks, const gchar *program, const gchar *advice)
{
	DstackRecord *row = dstack_table_add_row(checks);
	g_autofree gchar *path = g_find_program_in_path(program);

	dstack_record_add_text(row, "name", "CHECK", program);
	dstack_record_add_toned(row, "state", "STATE", path != NULL ? DSTACK_TONE_GOOD : DSTACK_TONE_WARN,
				path != NULL ? "ok" : "missing");
	dstack_record_add_text(row, "found", "FOUND", path != NULL ? path : advice);
}

gboolean
dstack_cmd_doctor(DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {{NULL}};
	g_autoptr(DstackRecord) report = NULL;
	DstackTable *checks = NULL;

	if (!dstack_cli_parse(cli, entries, 0, 0, error))
		return FALSE;
	report = dstack_record_new();
	checks = dstack_record_add_table(report, "checks", "");
	add_tool(checks, "qemu-system-x86_64", "install qemu-system-x86");
	add_tool(checks, "virsh", "install libvirt-clients");
	dstack_cli_print(cli, report);
	return TRUE;
}
