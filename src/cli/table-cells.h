/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How records and tables are kept: what table.c builds and table-text.c lays out.
 */
#pragma once

#include "cli/table.h"

G_BEGIN_DECLS

/*
 * One of: a cell (json and text), a note (text alone, no key, no label), a record, a table.
 * key NULL: not in JSON. label NULL: not for people, unless a note.
 */
typedef struct {
	gchar *key;
	gchar *label;
	DstackTone tone;
	JsonNode *json;
	gchar *text; /* printable */
	DstackRecord *record;
	DstackTable *table;
} DstackField;

struct _DstackRecord {
	GPtrArray *fields;
};

struct _DstackTable {
	GPtrArray *rows;
};

G_END_DECLS
