/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts: what was checked, in order, and what came of it. Content: formats.md section 9.
 */

#include "config.h"

#include "verify/verdict.h"

#include <string.h>

static void
step_clear(gpointer data)
{
	DstackStep *step = data;

	g_free(step->message);
}

static void
event_debug_free(gpointer data)
{
	DstackEventDebug *self = data;

	g_clear_pointer(&self->payload, g_bytes_unref);
	g_free(self->name);
	g_free(self);
}

/**
 * dstack_register_debug_free:
 * @self: (nullable) (transfer full): a register's entry
 */
void
dstack_register_debug_free(DstackRegisterDebug *self)
{
	if (self == NULL)
		return;
	g_ptr_array_unref(self->events);
	g_free(self);
}

/**
 * dstack_verdict_new:
 * @step_names: (array zero-terminated=1): static strings: the steps in the order they are taken
 *
 * Returns: (transfer full): a verdict that has checked nothing, and so is not valid
 */
DstackVerdict *
dstack_verdict_new(const gchar *const *step_names)
{
	DstackVerdict *self = g_new0(DstackVerdict, 1);

	self->steps = g_array_new(FALSE, TRUE, sizeof(DstackStep));
	g_array_set_clear_func(self->steps, step_clear);
	self->warnings = g_ptr_array_new_with_free_func(g_free);
	self->waivers = g_ptr_array_new_with_free_func(g_free);
	self->advisory_ids = g_ptr_array_new_with_free_func(g_free);
	self->registers_debug = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_register_debug_free);
	for (gsize i = 0; step_names[i] != NULL; i++) {
		DstackStep step = {.name = step_names[i], .state = DSTACK_STEP_NOT_CHECKED};

		g_array_append_val(self->steps, step);
	}
	return self;
}

static void
app_info_clear(DstackAppInfo *self)
{
	g_free(self->app_id);
	g_free(self->compose_hash);
	g_free(self->instance_id);
	g_free(self->device_id);
	g_free(self->mr_system);
	g_free(self->mr_aggregated);
	g_free(self->os_image_hash);
	g_free(self->key_provider_info);
}

/**
 * dstack_verdict_free:
 * @self: (nullable) (transfer full): a verdict
 */
void
dstack_verdict_free(DstackVerdict *self)
{
	if (self == NULL)
		return;
	g_array_unref(self->steps);
	g_ptr_array_unref(self->warnings);
	g_ptr_array_unref(self->waivers);
	g_ptr_array_unref(self->advisory_ids);
	g_ptr_array_unref(self->registers_debug);
	g_free(self->root);
	g_free(self->tee_variant);
	g_free(self->tcb_status);
	g_free(self->key_provider_name);
	g_free(self->key_provider_id);
	app_info_clear(&self->app_info);
	g_free(self);
}

static DstackStep *
find_step(const DstackVerdict *self, const gchar *name)
{
	for (guint i = 0; i < self->steps->len; i++) {
		DstackStep *step = &g_array_index(self->steps, DstackStep, i);

		if (g_str_equal(step->name, name))
			return step;
	}
	g_return_val_if_reached(NULL);
}

/* a step that failed stays failed: nothing that comes later can make it good */
static void
set_step(DstackVerdict *self, const gchar *name, DstackStepState state, gchar *message)
{
	DstackStep *step = find_step(self, name);

	if (step == NULL || step->state == DSTACK_STEP_FAILED) {
		g_free(message);
		return;
	}
	g_free(step->message);
	step->state = state;
	step->message = message;
}

/**
 * dstack_verdict_pass:
 * @self: a verdict
 * @step: name of a step
 * @format: (nullable): what was found, in words
 * @...: arguments of @format
 *
 * The step was taken and holds.
 */
void
dstack_verdict_pass(DstackVerdict *self, const gchar *step, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	set_step(self, step, DSTACK_STEP_OK, format == NULL ? NULL : g_strdup_vprintf(format, args));
	va_end(args);
}

/**
 * dstack_verdict_fail:
 * @self: a verdict
 * @step: name of a step
 * @error: why
 *
 * The step was taken and does not hold.
 *
 * Returns: always %FALSE, so that a step can return it
 */
gboolean
dstack_verdict_fail(DstackVerdict *self, const gchar *step, const GError *error)
{
	set_step(self, step, DSTACK_STEP_FAILED, g_strdup(error != NULL ? error->message : "failed"));
	return FALSE;
}

/**
 * dstack_verdict_waive:
 * @self: a verdict
 * @step: name of a step
 * @format: by what the caller waived it
 * @...: arguments of @format
 *
 * The caller does without the whole step.
 */
void
dstack_verdict_waive(DstackVerdict *self, const gchar *step, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	set_step(self, step, DSTACK_STEP_WAIVED, g_strdup_vprintf(format, args));
	va_end(args);
}

/**
 * dstack_verdict_leave:
 * @self: a verdict
 * @step: name of a step
 * @format: why it cannot be taken
 * @...: arguments of @format
 *
 * The step cannot be taken, so the verdict cannot be valid; the following ones may be taken all the same.
 */
void
dstack_verdict_leave(DstackVerdict *self, const gchar *step, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	set_step(self, step, DSTACK_STEP_NOT_CHECKED, g_strdup_vprintf(format, args));
	va_end(args);
}

/**
 * dstack_verdict_warn:
 * @self: a verdict
 * @format: something that decides nothing, but should be known
 * @...: arguments of @format
 */
void
dstack_verdict_warn(DstackVerdict *self, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(self->warnings, g_strdup_vprintf(format, args));
	va_end(args);
}

/**
 * dstack_verdict_add_waiver:
 * @self: a verdict
 * @format: what the caller does without
 * @...: arguments of @format
 */
void
dstack_verdict_add_waiver(DstackVerdict *self, const gchar *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(self->waivers, g_strdup_vprintf(format, args));
	va_end(args);
}

static gboolean
step_is_good(const DstackStep *step)
{
	return step->state == DSTACK_STEP_OK || step->state == DSTACK_STEP_WAIVED;
}

/* the first step that keeps the verdict from being valid; a failed one before one that was left out */
static const DstackStep *
find_obstacle(const DstackVerdict *self)
{
	const DstackStep *left_out = NULL;

	for (guint i = 0; i < self->steps->len; i++) {
		const DstackStep *step = &g_array_index(self->steps, DstackStep, i);

		if (step->state == DSTACK_STEP_FAILED)
			return step;
		if (!step_is_good(step) && left_out == NULL)
			left_out = step;
	}
	return left_out;
}

/**
 * dstack_verdict_is_valid:
 * @self: a verdict
 *
 * Returns: %TRUE when there are steps, and each is ok or was waived
 */
gboolean
dstack_verdict_is_valid(const DstackVerdict *self)
{
	return self->steps->len > 0 && find_obstacle(self) == NULL;
}

/**
 * dstack_verdict_get_step:
 * @self: a verdict
 * @step: name of a step
 *
 * Returns: (transfer none): the step
 */
const DstackStep *
dstack_verdict_get_step(const DstackVerdict *self, const gchar *step)
{
	return find_step(self, step);
}

/**
 * dstack_verdict_dup_reason:
 * @self: a verdict
 *
 * Returns: (transfer full) (nullable): why it is not valid, or %NULL when it is
 */
gchar *
dstack_verdict_dup_reason(const DstackVerdict *self)
{
	const DstackStep *step = find_obstacle(self);

	if (self->steps->len == 0)
		return g_strdup("nothing was checked");
	if (step == NULL)
		return NULL;
	if (step->state == DSTACK_STEP_FAILED)
		return g_strdup_printf("%s: %s", step->name, step->message);
	return g_strdup_printf("%s: not checked: %s", step->name,
			       step->message != NULL ? step->message : "it was not reached");
}

/**
 * dstack_verdict_add_register:
 * @self: a verdict
 * @name: static name of the register
 * @expected: what it should hold
 * @actual: what it holds
 *
 * Returns: (transfer none): the entry, to add events to
 */
DstackRegisterDebug *
dstack_verdict_add_register(DstackVerdict *self, const gchar *name, const DstackSha384 *expected,
			    const DstackSha384 *actual)
{
	DstackRegisterDebug *entry = dstack_register_debug_new(name, expected, actual);

	dstack_verdict_take_register(self, entry);
	return entry;
}

/**
 * dstack_verdict_take_register:
 * @self: a verdict
 * @entry: (transfer full): a register's entry
 */
void
dstack_verdict_take_register(DstackVerdict *self, DstackRegisterDebug *entry)
{
	g_ptr_array_add(self->registers_debug, entry);
}

/**
 * dstack_register_debug_new:
 * @name: static name of the register
 * @expected: (nullable): what it should hold
 * @actual: what it holds
 *
 * Returns: (transfer full): an entry without events
 */
DstackRegisterDebug *
dstack_register_debug_new(const gchar *name, const DstackSha384 *expected, const DstackSha384 *actual)
{
	DstackRegisterDebug *self = g_new0(DstackRegisterDebug, 1);

	self->name = name;
	self->actual = *actual;
	self->has_expected = expected != NULL;
	if (expected != NULL)
		self->expected = *expected;
	self->events = g_ptr_array_new_with_free_func(event_debug_free);
	return self;
}

/**
 * dstack_register_debug_add_event:
 * @self: a register's entry
 * @index: place of the event in the register's own sequence, from 0
 * @type: its TCG type
 * @name: its name
 * @status: how it compares
 *
 * Returns: (transfer none): the event, to set digests in
 */
DstackEventDebug *
dstack_register_debug_add_event(DstackRegisterDebug *self, guint index, guint32 type, const gchar *name,
				DstackEventStatus status)
{
	DstackEventDebug *event = g_new0(DstackEventDebug, 1);

	event->index = index;
	event->type = type;
	event->name = g_strdup(name);
	event->status = status;
	g_ptr_array_add(self->events, event);
	return event;
}

/**
 * dstack_step_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): the word that stands in every output
 */
const gchar *
dstack_step_state_to_string(DstackStepState state)
{
	switch (state) {
	case DSTACK_STEP_NOT_CHECKED:
		return "not checked";
	case DSTACK_STEP_OK:
		return "ok";
	case DSTACK_STEP_FAILED:
		return "failed";
	case DSTACK_STEP_WAIVED:
		return "waived";
	}
	g_return_val_if_reached("not checked");
}

/**
 * dstack_event_status_to_string:
 * @status: how an event compares
 *
 * Returns: (transfer none): the word of formats.md section 9
 */
const gchar *
dstack_event_status_to_string(DstackEventStatus status)
{
	switch (status) {
	case DSTACK_EVENT_MATCH:
		return "match";
	case DSTACK_EVENT_MISMATCH:
		return "mismatch";
	case DSTACK_EVENT_EXTRA:
		return "extra";
	case DSTACK_EVENT_MISSING:
		return "missing";
	}
	g_return_val_if_reached("mismatch");
}
