/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A verdict: every step a verifier takes, in order, and what became of each (formats.md section 9).
 *
 * Fails closed by construction: a new verdict, a verdict with a step that was not reached, and a verdict
 * without steps are all "not valid". Nothing can be set valid; it follows from the steps.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_STEP_NOT_CHECKED = 0, /* not reached, or its input is missing */
	DSTACK_STEP_OK,
	DSTACK_STEP_FAILED,
	DSTACK_STEP_WAIVED, /* the caller said that it does without */
} DstackStepState;

typedef struct {
	const gchar *name; /* "tcb": static, of the verifier's table */
	DstackStepState state;
	gchar *message; /* (nullable): what was found, or why not */
} DstackStep;

typedef enum {
	DSTACK_EVENT_MATCH,
	DSTACK_EVENT_MISMATCH,
	DSTACK_EVENT_EXTRA,   /* in the log, not expected */
	DSTACK_EVENT_MISSING, /* expected, not in the log */
} DstackEventStatus;

/* an event of a register: what the log has there, and what was expected there */
typedef struct {
	guint index; /* place in the register's own sequence, from 0 */
	guint32 type;
	gchar *name;
	gboolean has_actual;
	DstackSha384 actual;
	gboolean has_expected;
	DstackSha384 expected;
	gsize payload_len;
	DstackEventStatus status;
	const gchar *meaning; /* (nullable): what is measured there, in words; static */
	GBytes *payload;      /* (nullable) */
} DstackEventDebug;

/* a register: what it should hold, what it holds; events (element-type DstackEventDebug) may be empty */
typedef struct {
	const gchar *name; /* "mrtd", "rtmr0" … "rtmr3", "measurement" */
	DstackSha384 expected;
	DstackSha384 actual;
	gboolean has_expected; /* FALSE only where there was nothing to compute it from */
	gboolean has_replayed;
	DstackSha384 replayed; /* from the event log */
	GPtrArray *events;
} DstackRegisterDebug;

/* derived identity: lower-case hex, "" where there is none */
typedef struct {
	gchar *app_id;
	gchar *compose_hash;
	gchar *instance_id;
	gchar *device_id;
	gchar *mr_system;
	gchar *mr_aggregated;
	gchar *os_image_hash;
	gchar *key_provider_info; /* hex of the key-provider payload */
} DstackAppInfo;

typedef struct {
	GArray *steps;	     /* (element-type DstackStep) */
	GPtrArray *warnings; /* (element-type utf8) */
	GPtrArray *waivers;  /* (element-type utf8): each check the caller waived, in words */
	gchar *root;	     /* (nullable): a root the caller gave instead of the pinned ones, in words */

	/* details; a verifier sets these as it goes, and they are true only as far as the steps say */
	gboolean quote_verified;
	gboolean event_log_verified;
	gboolean os_image_hash_verified;
	gboolean acpi_tables_verified;
	gchar *tee_variant; /* (nullable): "dstack-tdx", … */
	gboolean has_report_data;
	guint8 report_data[64];
	gchar *tcb_status;	  /* (nullable) */
	GPtrArray *advisory_ids;  /* (element-type utf8) */
	gchar *key_provider_name; /* (nullable), as is the next */
	gchar *key_provider_id;
	DstackAppInfo app_info;	    /* shown only where the verdict is valid */
	gboolean has_app_info;	    /* FALSE for a bare quote or report, which has no identity */
	GPtrArray *registers_debug; /* (element-type DstackRegisterDebug) */
} DstackVerdict;

/* step_names: NULL-terminated, in the order they are taken; static strings */
DstackVerdict *dstack_verdict_new(const gchar *const *step_names);
void dstack_verdict_free(DstackVerdict *self);

void dstack_verdict_pass(DstackVerdict *self, const gchar *step, const gchar *format, ...) G_GNUC_PRINTF(3, 4);
/* takes the error's message; always returns FALSE */
gboolean dstack_verdict_fail(DstackVerdict *self, const gchar *step, const GError *error);
void dstack_verdict_waive(DstackVerdict *self, const gchar *step, const gchar *format, ...) G_GNUC_PRINTF(3, 4);
/* stays not checked, and says why */
void dstack_verdict_leave(DstackVerdict *self, const gchar *step, const gchar *format, ...) G_GNUC_PRINTF(3, 4);
void dstack_verdict_warn(DstackVerdict *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);
void dstack_verdict_add_waiver(DstackVerdict *self, const gchar *format, ...) G_GNUC_PRINTF(2, 3);

gboolean dstack_verdict_is_valid(const DstackVerdict *self);
const DstackStep *dstack_verdict_get_step(const DstackVerdict *self, const gchar *step);
/* why not: of the first step that is neither ok nor waived; NULL when valid */
gchar *dstack_verdict_dup_reason(const DstackVerdict *self);

DstackRegisterDebug *dstack_verdict_add_register(DstackVerdict *self, const gchar *name, const DstackSha384 *expected,
						 const DstackSha384 *actual);
void dstack_verdict_take_register(DstackVerdict *self, DstackRegisterDebug *entry);
/* expected (nullable) */
DstackRegisterDebug *dstack_register_debug_new(const gchar *name, const DstackSha384 *expected,
					       const DstackSha384 *actual);
void dstack_register_debug_free(DstackRegisterDebug *self);
DstackEventDebug *dstack_register_debug_add_event(DstackRegisterDebug *self, guint index, guint32 type,
						  const gchar *name, DstackEventStatus status);

const gchar *dstack_step_state_to_string(DstackStepState state);
const gchar *dstack_event_status_to_string(DstackEventStatus status);
/* formats.md section 9, then "steps", "warnings", "waivers" and, where one was given, "root" */
JsonNode *dstack_verdict_to_json(const DstackVerdict *self);
/* for people; ends in a newline */
gchar *dstack_verdict_to_text(const DstackVerdict *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackVerdict, dstack_verdict_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackRegisterDebug, dstack_register_debug_free)

G_END_DECLS
