/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Events and logs as values: making, freeing, reaching them.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include "base/error.h"
#include "base/limits.h"

/**
 * dstack_event_new:
 * @imr: 0 to 3
 * @type: TCG event type, or %DSTACK_EVENT_RUNTIME
 * @name: its name, copied
 * @payload: (transfer none): its data
 *
 * Returns: (transfer full): an event of version 1 without a digest
 */
DstackEvent *
dstack_event_new(guint imr, guint32 type, const gchar *name, GBytes *payload)
{
	DstackEvent *self = g_new0(DstackEvent, 1);

	self->imr = imr;
	self->type = type;
	self->name = g_strdup(name);
	self->payload = g_bytes_ref(payload);
	self->version = 1;
	return self;
}

/**
 * dstack_event_free:
 * @self: (nullable) (transfer full): an event
 */
void
dstack_event_free(DstackEvent *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_bytes_unref(self->payload);
	g_clear_pointer(&self->preimage, g_bytes_unref);
	g_free(self);
}

/**
 * dstack_event_is_runtime:
 * @self: an event
 *
 * Returns: %TRUE when dstack measured it: the type decides, not the register
 */
gboolean
dstack_event_is_runtime(const DstackEvent *self)
{
	return self->type == DSTACK_EVENT_RUNTIME;
}

/**
 * dstack_event_log_new:
 *
 * Returns: (transfer full): an empty log
 */
DstackEventLog *
dstack_event_log_new(void)
{
	DstackEventLog *self = g_new0(DstackEventLog, 1);

	self->events = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_event_free);
	return self;
}

/**
 * dstack_event_log_free:
 * @self: (nullable) (transfer full): a log
 */
void
dstack_event_log_free(DstackEventLog *self)
{
	if (self == NULL)
		return;
	g_ptr_array_unref(self->events);
	g_free(self);
}

/**
 * dstack_event_log_size:
 * @self: a log
 *
 * Returns: how many events it has
 */
guint
dstack_event_log_size(const DstackEventLog *self)
{
	return self->events->len;
}

/**
 * dstack_event_log_get:
 * @self: a log
 * @index: below dstack_event_log_size()
 *
 * Returns: (transfer none): the event
 */
const DstackEvent *
dstack_event_log_get(const DstackEventLog *self, guint index)
{
	g_return_val_if_fail(index < self->events->len, NULL);
	return g_ptr_array_index(self->events, index);
}

static gboolean
starts_as_json(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isspace(data[i]))
			return data[i] == '[';
	}
	return FALSE;
}

/**
 * dstack_event_log_parse:
 * @data: (array length=size): a CCEL log area, or a JSON array
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * A binary log starts with a register index, which is never '['.
 *
 * Returns: (transfer full) (nullable): the log
 */
DstackEventLog *
dstack_event_log_parse(const guint8 *data, gsize size, GError **error)
{
	if (starts_as_json(data, size))
		return dstack_event_log_parse_json((const gchar *)data, size, error);
	return dstack_event_log_parse_ccel(data, size, error);
}
