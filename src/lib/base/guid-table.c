/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of GUIDed entries that OVMF builds carry in front of the reset vector, read from its end.
 * Layout: tdx-measurement.md, section 1; bounds: snp-measurement.md, section 1.
 */

#include "config.h"

#include "base/guid-table.h"

#include "base/error.h"

#define RESET_VECTOR_SIZE 32
#define ENTRY_HEAD_SIZE	  18 /* u16 length, then the GUID: both stand behind the entry's data */

#define FOOTER_GUID "96b582de-1fb2-45f7-baea-a366c55a082d"

typedef struct {
	DstackGuid guid;
	gsize start;
	gsize data_size;
} TableEntry;

/* reads the entry that ends at @end; entries lie back to back, so the next one ends at its start */
static gboolean
table_read_entry(const DstackReader *entries, gsize end, TableEntry *out, GError **error)
{
	DstackReader head = {0};
	TableEntry entry = {0};
	guint16 length = 0;

	if (end < ENTRY_HEAD_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %" G_GSIZE_FORMAT " bytes left over in front of the entries, expected none",
				    entries->what, end);
	}
	if (!dstack_reader_slice(entries, end - ENTRY_HEAD_SIZE, ENTRY_HEAD_SIZE, "entry head", &head, error) ||
	    !dstack_reader_u16le(&head, "entry length", &length, error) ||
	    !dstack_reader_copy(&head, sizeof(entry.guid.bytes), "entry GUID", entry.guid.bytes, error))
		return FALSE;
	if (length < ENTRY_HEAD_SIZE || length > end) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: entry ending at 0x%" G_GSIZE_MODIFIER
				    "x is %u bytes long, expected 18 to %" G_GSIZE_FORMAT,
				    entries->what, end, length, end);
	}
	entry.start = end - length;
	entry.data_size = (gsize)length - ENTRY_HEAD_SIZE;
	*out = entry;
	return TRUE;
}

/**
 * dstack_guid_table_parse:
 * @self: (out caller-allocates): the table
 * @firmware: (array length=size): a whole firmware image, borrowed by @self
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there is no table, an entry is shorter than its head or
 *   leaves the table, or bytes are left over
 *
 * Returns: %TRUE when the whole table holds together
 */
gboolean
dstack_guid_table_parse(DstackGuidTable *self, const guint8 *firmware, gsize size, GError **error)
{
	DstackGuid expected = dstack_guid_from_constant(FOOTER_GUID, DSTACK_GUID_EFI);
	DstackGuid found = {{0}};
	DstackReader file = {0};
	DstackReader footer = {0};
	DstackReader entries = {0};
	gsize footer_start = 0;
	gsize left = 0;
	guint16 total = 0;

	dstack_reader_init(&file, firmware, size, "firmware");
	if (size < RESET_VECTOR_SIZE + ENTRY_HEAD_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "firmware: %" G_GSIZE_FORMAT " bytes are too few for a GUID table", size);
	}
	footer_start = size - RESET_VECTOR_SIZE - ENTRY_HEAD_SIZE;
	if (!dstack_reader_slice(&file, footer_start, ENTRY_HEAD_SIZE, "GUID table footer", &footer, error) ||
	    !dstack_reader_u16le(&footer, "table length", &total, error) ||
	    !dstack_reader_copy(&footer, sizeof(found.bytes), "footer GUID", found.bytes, error))
		return FALSE;
	if (!dstack_guid_equal(&found, &expected)) {
		g_autofree gchar *text = dstack_guid_to_string(&found, DSTACK_GUID_EFI);

		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "firmware: expected GUID table footer " FOOTER_GUID ", found %s", text);
	}
	if (total < ENTRY_HEAD_SIZE || (gsize)total - ENTRY_HEAD_SIZE > footer_start) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "firmware: GUID table is %u bytes long, expected 18 to %" G_GSIZE_FORMAT, total,
				    footer_start + ENTRY_HEAD_SIZE);
	}
	left = (gsize)total - ENTRY_HEAD_SIZE;
	if (!dstack_reader_slice(&file, footer_start - left, left, "firmware GUID table", &entries, error))
		return FALSE;
	while (left > 0) {
		TableEntry entry = {0};

		if (!table_read_entry(&entries, left, &entry, error))
			return FALSE;
		left = entry.start;
	}
	self->entries = entries;
	return TRUE;
}

/**
 * dstack_guid_table_find:
 * @self: the table
 * @guid: the entry wanted, in EFI byte order
 * @field: name of the entry for errors, borrowed: it becomes the name of @out
 * @out: (out caller-allocates): a reader over the entry's data
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when it is absent, %DSTACK_ERROR_MALFORMED when it is there twice
 *
 * Returns: %TRUE when the entry is there exactly once
 */
gboolean
dstack_guid_table_find(const DstackGuidTable *self, const DstackGuid *guid, const gchar *field, DstackReader *out,
		       GError **error)
{
	TableEntry match = {0};
	gboolean found = FALSE;

	for (gsize end = self->entries.size; end > 0;) {
		TableEntry entry = {0};

		if (!table_read_entry(&self->entries, end, &entry, error))
			return FALSE;
		end = entry.start;
		if (!dstack_guid_equal(&entry.guid, guid))
			continue;
		if (found)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: entry '%s' is there twice",
					    self->entries.what, field);
		match = entry;
		found = TRUE;
	}
	if (!found)
		return dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "%s: no entry '%s'", self->entries.what, field);
	return dstack_reader_slice(&self->entries, match.start, match.data_size, field, out, error);
}
