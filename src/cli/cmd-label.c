/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * label: an event log to labelled JSON.
 */

#include "config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "eventlog/event-log.h"

/**
 * dstack_cmd_label:
 * @cli: this run
 * @error: (out): when the log cannot be read or labelled
 *
 * Returns: %TRUE when it is printed
 */
gboolean
dstack_cmd_label(DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {{NULL}};
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(DstackEventLog) log = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autofree gchar *text = NULL;

	if (!dstack_cli_parse(cli, entries, 1, 1, error))
		return FALSE;
	bytes = dstack_file_read_path(cli->args[0], DSTACK_LIMIT_EVENT_LOG, error);
	if (bytes == NULL)
		return FALSE;
	log = dstack_event_log_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	if (log == NULL || !dstack_event_log_label(log, error)) {
		g_prefix_error(error, "'%s': ", cli->args[0]);
		return FALSE;
	}
	node = dstack_event_log_to_json(log);
	text = dstack_json_to_text(node, DSTACK_JSON_PRETTY);
	dstack_cli_print_json_text(cli, text);
	return TRUE;
}
