/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a command answers, built once and rendered twice: as aligned text for people and as JSON for scripts.
 * Both come from the same cells, so they cannot disagree.
 *
 * A record is an object: fields in order, each with a JSON key and a label for people. A table is an array of
 * records that people see as columns, headed by the labels. A field without a label (NULL) is for scripts only;
 * a note is for people only.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _DstackRecord DstackRecord;
typedef struct _DstackTable DstackTable;

/* how a piece of text is meant: its colour on a terminal */
typedef enum {
	DSTACK_TONE_PLAIN,
	DSTACK_TONE_GOOD,
	DSTACK_TONE_WARN,
	DSTACK_TONE_BAD,
	DSTACK_TONE_DIM,
} DstackTone;

DstackRecord *dstack_record_new(void);
void dstack_record_free(DstackRecord *self);
DstackTable *dstack_table_new(void);
void dstack_table_free(DstackTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackRecord, dstack_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTable, dstack_table_free)

/* JSON null, and "-" for people */
void dstack_record_add_null(DstackRecord *self, const gchar *key, const gchar *label);
/* a NULL value is as dstack_record_add_null() */
void dstack_record_add_text(DstackRecord *self, const gchar *key, const gchar *label, const gchar *value);
void dstack_record_add_toned(DstackRecord *self, const gchar *key, const gchar *label, DstackTone tone,
			     const gchar *value);
/* JSON: lower-case hex; people: the same in groups of eight digits */
void dstack_record_add_hex(DstackRecord *self, const gchar *key, const gchar *label, const guint8 *data, gsize size);
void dstack_record_add_hex_bytes(DstackRecord *self, const gchar *key, const gchar *label, GBytes *bytes);
void dstack_record_add_uint(DstackRecord *self, const gchar *key, const gchar *label, guint64 value);
/* JSON: the number; people: 0x… */
void dstack_record_add_address(DstackRecord *self, const gchar *key, const gchar *label, guint64 value);
/* JSON: bytes; people: "2 GiB", and the number where that is not exact */
void dstack_record_add_size(DstackRecord *self, const gchar *key, const gchar *label, guint64 bytes);
/* people: yes, no */
void dstack_record_add_bool(DstackRecord *self, const gchar *key, const gchar *label, gboolean value);
/* JSON: the array; people: the words with commas, "-" where there is none; NULL is empty */
void dstack_record_add_strv(DstackRecord *self, const gchar *key, const gchar *label, const gchar *const *values);
/* JSON: the node as it is; people: its compact text (label NULL for scripts only) */
void dstack_record_add_json(DstackRecord *self, const gchar *key, const gchar *label, JsonNode *node);
/* A sentence for people only, wrapped. */
void dstack_record_add_note(DstackRecord *self, DstackTone tone, const gchar *text);

/* Parts: borrowed, they live as long as self. For people the label is the heading of what follows. */
DstackRecord *dstack_record_add_record(DstackRecord *self, const gchar *key, const gchar *label);
DstackTable *dstack_record_add_table(DstackRecord *self, const gchar *key, const gchar *label);

/* A row: borrowed. Its fields' labels are the columns; rows need not have them all. */
DstackRecord *dstack_table_add_row(DstackTable *self);

JsonNode *dstack_record_to_json(const DstackRecord *self);
JsonNode *dstack_table_to_json(const DstackTable *self);

/* how text is laid out */
typedef struct {
	guint width; /* columns, 0: never wrap */
	gboolean color;
} DstackLayout;

gchar *dstack_record_to_text(const DstackRecord *self, const DstackLayout *layout);
gchar *dstack_table_to_text(const DstackTable *self, const DstackLayout *layout);

G_END_DECLS
