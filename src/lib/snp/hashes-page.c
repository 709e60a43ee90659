/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of kernel hashes, at the same place in its page as QEMU puts it.
 * Layout: snp-measurement.md, section 2.
 */

#include "config.h"

#include "snp/hashes-page.h"

#include <string.h>

#include "base/error.h"
#include "base/guid.h"
#include "base/writer.h"

#define GUID_TABLE   "9438d606-4f22-4cc9-b479-a793d411fd21"
#define GUID_CMDLINE "97d02dd8-bd20-4c94-aa78-e7714d36ab2a"
#define GUID_INITRD  "44baf731-3a2f-4bd7-9af1-41e29169781d"
#define GUID_KERNEL  "4de79437-abd2-427f-b835-d5b172d2045b"

#define ENTRY_SIZE  50	/* GUID, u16, 32 bytes of hash */
#define TABLE_SIZE  168 /* GUID, u16 and three entries: the length the table states */
#define PADDED_SIZE 176 /* what it takes up: QEMU pads it to a multiple of 16 */

static void
append_head(GByteArray *out, const gchar *guid_text, guint16 size)
{
	DstackGuid guid = dstack_guid_from_constant(guid_text, DSTACK_GUID_EFI);

	g_byte_array_append(out, guid.bytes, sizeof(guid.bytes));
	dstack_append_u16le(out, size);
}

static void
append_entry(GByteArray *out, const gchar *guid_text, const DstackSha256 *hash)
{
	append_head(out, guid_text, ENTRY_SIZE);
	g_byte_array_append(out, hash->bytes, sizeof(hash->bytes));
}

/**
 * dstack_snp_cmdline_hash:
 * @cmdline: the kernel command line
 *
 * Returns: SHA-256 of @cmdline and its trailing NUL
 */
DstackSha256
dstack_snp_cmdline_hash(const gchar *cmdline)
{
	return dstack_sha256((const guint8 *)cmdline, strlen(cmdline) + 1);
}

/**
 * dstack_snp_hashes_page_build:
 * @hashes: the three hashes
 * @table_gpa: where the firmware wants the table; only its place in the page matters here
 * @out_page: (out caller-allocates): the page as it is measured
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when the table would leave its page
 *
 * Returns: %TRUE when the table fits
 */
gboolean
dstack_snp_hashes_page_build(const DstackSnpKernelHashes *hashes, guint64 table_gpa, DstackSnpPage *out_page,
			     GError **error)
{
	g_autoptr(GByteArray) table = g_byte_array_sized_new(TABLE_SIZE);
	gsize offset = table_gpa % DSTACK_SNP_PAGE_SIZE;

	if (offset > DSTACK_SNP_PAGE_SIZE - PADDED_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "SEV hash table at 0x%" G_GINT64_MODIFIER "x: its %d bytes do not fit in the page",
				    table_gpa, PADDED_SIZE);
	}
	append_head(table, GUID_TABLE, TABLE_SIZE);
	append_entry(table, GUID_CMDLINE, &hashes->cmdline);
	append_entry(table, GUID_INITRD, &hashes->initrd);
	append_entry(table, GUID_KERNEL, &hashes->kernel);
	*out_page = (DstackSnpPage){{0}};
	memcpy(out_page->bytes + offset, table->data, table->len);
	return TRUE;
}
