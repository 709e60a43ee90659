/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's certificate table. Layout and rules: evidence.md, part B, section 3
 * (GHCB specification, "SNP Extended Guest Request"; Linux, Documentation/virt/coco/sev-guest.rst).
 */

#include "config.h"

#include "snp/certificates.h"

#include "base/error.h"
#include "base/guid.h"
#include "base/limits.h"
#include "base/reader.h"

#define ENTRY_SIZE  24
#define MAX_ENTRIES 32 /* four kinds are defined, and hosts may add their own */

#define GUID_ARK  "c0b406a4-a803-4952-9743-3fb6014cd0ae"
#define GUID_ASK  "4ab7b379-bbac-4fe4-a02f-05aef327c782"
#define GUID_VCEK "63da758d-e664-4564-adc5-f4b93be8accd"
#define GUID_VLEK "a8074bc2-a25a-483e-aae6-39c045a0b8a1"

typedef struct {
	DstackGuid guid;
	guint32 offset;
	guint32 length;
} TableEntry;

static gboolean
entry_is_end(const TableEntry *entry)
{
	return dstack_bytes_are_zero(entry->guid.bytes, sizeof(entry->guid.bytes)) && entry->offset == 0 &&
	       entry->length == 0;
}

static gboolean
table_read_entry(DstackReader *reader, TableEntry *out, GError **error)
{
	return dstack_reader_copy(reader, sizeof(out->guid.bytes), "entry GUID", out->guid.bytes, error) &&
	       dstack_reader_u32le(reader, "entry offset", &out->offset, error) &&
	       dstack_reader_u32le(reader, "entry length", &out->length, error);
}

static gboolean
guid_is(const DstackGuid *guid, const gchar *text)
{
	DstackGuid known = dstack_guid_from_constant(text, DSTACK_GUID_RFC4122);

	return dstack_guid_equal(guid, &known);
}

/* where an entry of this kind goes; NULL for one that is not known */
static DstackSnpSlice *
table_find_slot(DstackSnpCertTable *self, const DstackGuid *guid)
{
	if (guid_is(guid, GUID_VCEK))
		return &self->vcek;
	if (guid_is(guid, GUID_ASK))
		return &self->ask;
	return guid_is(guid, GUID_ARK) ? &self->ark : NULL;
}

static gboolean
table_add(DstackSnpCertTable *self, const DstackReader *blob, const TableEntry *entry, GError **error)
{
	DstackReader certificate = {0};
	DstackSnpSlice *slot = NULL;

	if (entry->offset < ENTRY_SIZE || entry->length == 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "certificate table: invalid bounds: %u bytes at offset %u", entry->length,
				    entry->offset);
	}
	if (!dstack_reader_slice(blob, entry->offset, entry->length, "certificate", &certificate, error)) {
		g_prefix_error(error, "invalid bounds: ");
		return FALSE;
	}
	if (guid_is(&entry->guid, GUID_VLEK))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "certificate table: a VLEK is not accepted in a table");
	slot = table_find_slot(self, &entry->guid);
	if (slot == NULL)
		return TRUE;
	if (slot->size != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificate table: an entry is there twice");
	*slot = (DstackSnpSlice){dstack_reader_peek(&certificate), certificate.size};
	return TRUE;
}

/**
 * dstack_snp_cert_table_parse:
 * @self: (out caller-allocates): the certificates, borrowed from @data
 * @data: (array length=size): the table, with or without padding after it
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on bounds that leave the table, no end, or a missing certificate;
 *   %DSTACK_ERROR_REFUSED on a VLEK
 *
 * Entries of an unknown kind are stepped over, once their bounds are known to be good.
 *
 * Returns: %TRUE when the table holds an ASK and a VCEK
 */
gboolean
dstack_snp_cert_table_parse(DstackSnpCertTable *self, const guint8 *data, gsize size, GError **error)
{
	DstackSnpCertTable table = {{NULL, 0}};
	DstackReader reader = {0};
	TableEntry entry = {0};

	dstack_reader_init(&reader, data, size, "certificate table");
	for (guint i = 0;; i++) {
		if (i == MAX_ENTRIES)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "certificate table: no end within %d entries", MAX_ENTRIES);
		if (!table_read_entry(&reader, &entry, error))
			return FALSE;
		if (entry_is_end(&entry))
			break;
		if (!table_add(&table, &reader, &entry, error))
			return FALSE;
	}
	if (table.ask.size == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificate table: missing ASK");
	if (table.vcek.size == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "certificate table: missing VCEK");
	*self = table;
	return TRUE;
}
