/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of GUIDed entries that OVMF builds carry in front of the reset vector.
 */
#pragma once

#include "base/guid.h"
#include "base/reader.h"

G_BEGIN_DECLS

/* a table whose every entry has been checked; a value type that borrows the firmware's bytes */
typedef struct {
	DstackReader entries; /* the bytes between the table's start and its footer */
} DstackGuidTable;

gboolean dstack_guid_table_parse(DstackGuidTable *self, const guint8 *firmware, gsize size,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the entry's data, without GUID and length; field names it in errors. Absent is NOT_FOUND, twice is MALFORMED */
gboolean dstack_guid_table_find(const DstackGuidTable *self, const DstackGuid *guid, const gchar *field,
				DstackReader *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
