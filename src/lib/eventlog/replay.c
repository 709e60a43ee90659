/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a register must hold if a log is true: R starts as 48 zero bytes; R = sha384(R || digest) an event.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include "base/error.h"

#define BOOT_DONE_EVENT "boot-mr-done"

static gboolean
replay_until(const DstackEventLog *self, guint imr, const gchar *last, DstackSha384 *out, GError **error)
{
	DstackSha384 value = {0};

	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		const DstackEvent *event = dstack_event_log_get(self, i);
		DstackSha384 digest = {0};

		if (event->imr != imr)
			continue;
		if (!dstack_event_get_digest(event, &digest, error)) {
			g_prefix_error(error, "event log, entry %u: ", i);
			return FALSE;
		}
		dstack_register_extend(&value, &digest);
		if (last != NULL && dstack_event_is_runtime(event) && g_str_equal(event->name, last))
			break;
	}
	*out = value;
	return TRUE;
}

/**
 * dstack_event_log_replay:
 * @self: a log
 * @imr: 0 to 3
 * @out: (out): the register's value after every event of the log
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when an event has no digest or contradicts itself
 *
 * Returns: %TRUE when every event of that register has a digest
 */
gboolean
dstack_event_log_replay(const DstackEventLog *self, guint imr, DstackSha384 *out, GError **error)
{
	return replay_until(self, imr, NULL, out, error);
}

/**
 * dstack_event_log_replay_boot:
 * @self: a log
 * @out: (out): RTMR3 as it was when the boot was done
 * @error: (out) (optional): as for dstack_event_log_replay()
 *
 * A log without the event "boot-mr-done" gives the whole register.
 *
 * Returns: %TRUE when every event up to that one has a digest
 */
gboolean
dstack_event_log_replay_boot(const DstackEventLog *self, DstackSha384 *out, GError **error)
{
	return replay_until(self, DSTACK_RUNTIME_REGISTER, BOOT_DONE_EVENT, out, error);
}

/**
 * dstack_event_log_has_register:
 * @self: a log
 * @imr: 0 to 3
 *
 * Returns: %TRUE when an event of that register is in the log
 */
gboolean
dstack_event_log_has_register(const DstackEventLog *self, guint imr)
{
	for (guint i = 0; i < dstack_event_log_size(self); i++) {
		if (dstack_event_log_get(self, i)->imr == imr)
			return TRUE;
	}
	return FALSE;
}
