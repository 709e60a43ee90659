/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An event log: what was measured into which register, in order.
 * Rules: formats.md section 7, tdx-measurement.md section 6.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/digest.h"
#include "base/register.h"

G_BEGIN_DECLS

#define DSTACK_EVENT_NO_ACTION	3u	    /* EV_NO_ACTION: informative, never extended */
#define DSTACK_EVENT_ACPI_DATA	10u	    /* EV_PLATFORM_CONFIG_FLAGS, which OVMF uses for ACPI data */
#define DSTACK_EVENT_RUNTIME	0x08000001u /* measured by dstack itself, always into RTMR3 */
#define DSTACK_RUNTIME_REGISTER 3u

/* the labels of the three ACPI events, in firmware order */
#define DSTACK_LABEL_ACPI_LOADER "acpi-loader"
#define DSTACK_LABEL_ACPI_RSDP	 "acpi-rsdp"
#define DSTACK_LABEL_ACPI_TABLES "acpi-tables"

typedef struct {
	guint imr; /* 0 to 3: RTMR0 to RTMR3 */
	guint32 type;
	gboolean has_digest; /* a runtime event may come without: its digest follows from name and payload */
	DstackSha384 digest;
	gchar *name;	  /* never NULL; "" for firmware events that nobody labelled */
	GBytes *payload;  /* never NULL */
	guint version;	  /* 1 or 2: how a runtime event's digest is computed */
	GBytes *preimage; /* (nullable): of version 2 */
} DstackEvent;

DstackEvent *dstack_event_new(guint imr, guint32 type, const gchar *name, GBytes *payload);
void dstack_event_free(DstackEvent *self);
gboolean dstack_event_is_runtime(const DstackEvent *self);

/* (element-type DstackEvent), in log order; built by one thread, then only read */
typedef struct {
	GPtrArray *events;
} DstackEventLog;

DstackEventLog *dstack_event_log_new(void);
void dstack_event_log_free(DstackEventLog *self);
guint dstack_event_log_size(const DstackEventLog *self);
const DstackEvent *dstack_event_log_get(const DstackEventLog *self, guint index);

/* reading and writing: ccel.c and json.c */
DstackEventLog *dstack_event_log_parse_ccel(const guint8 *data, gsize size, GError **error);
DstackEventLog *dstack_event_log_parse_json(const gchar *text, gsize size, GError **error);
/* either of the two, told apart by content */
DstackEventLog *dstack_event_log_parse(const guint8 *data, gsize size, GError **error);
JsonNode *dstack_event_log_to_json(const DstackEventLog *self);

/* labels.c */
gboolean dstack_event_log_label(DstackEventLog *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const DstackEvent *dstack_event_log_find_label(const DstackEventLog *self, const gchar *label, GError **error);
/* only the labelled and the runtime events, as quotes carry them; a new log */
DstackEventLog *dstack_event_log_strip(const DstackEventLog *self);
gboolean dstack_event_log_is_stripped(const DstackEventLog *self);

/* runtime-event.c */
DstackSha384 dstack_runtime_event_digest_v1(const gchar *name, GBytes *payload);
gchar *dstack_runtime_event_preimage_v2(const gchar *name, GBytes *payload);
/* the digest to extend with: the entry's own, or a runtime event's recomputed one, which the entry must not contradict
 */
gboolean dstack_event_get_digest(const DstackEvent *self, DstackSha384 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* first runtime event of that name before "system-ready"; NULL: there is none */
const DstackEvent *dstack_event_log_find_runtime(const DstackEventLog *self, const gchar *name);

/* event-data.c */
const gchar *dstack_event_type_to_string(guint32 type);
gboolean dstack_event_ensure_data(const DstackEvent *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* replay.c */
gboolean dstack_event_log_replay(const DstackEventLog *self, guint imr, DstackSha384 *out,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* RTMR3 up to and including the event "boot-mr-done" */
gboolean dstack_event_log_replay_boot(const DstackEventLog *self, DstackSha384 *out,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_event_log_has_register(const DstackEventLog *self, guint imr);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackEvent, dstack_event_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackEventLog, dstack_event_log_free)

G_END_DECLS
