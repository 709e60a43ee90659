/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV entries of OVMF's GUID table, and the SEV metadata they point to.
 * Layout and rules: snp-measurement.md, section 1.
 */

#include "config.h"

#include "snp/ovmf-footer.h"

#include <string.h>

#include "base/error.h"
#include "base/guid-table.h"
#include "base/limits.h"

#define GUID_HASH_TABLE	  "7255371f-3a3b-4b04-927b-1da6efa8d454"
#define GUID_RESET_BLOCK  "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
#define GUID_SEV_METADATA "dc886566-984a-4798-a75e-5585a7bf67cc"

#define METADATA_VERSION 1

static gboolean
footer_read_u32(const DstackGuidTable *table, const gchar *guid_text, const gchar *field, guint32 *out, GError **error)
{
	DstackGuid guid = dstack_guid_from_constant(guid_text, DSTACK_GUID_EFI);
	DstackReader data = {0};

	return dstack_guid_table_find(table, &guid, field, &data, error) &&
	       dstack_reader_u32le(&data, field, out, error);
}

static gboolean
metadata_read_sections(DstackOvmfFooter *self, DstackReader *metadata, GError **error)
{
	for (gsize i = 0; i < self->n_sections; i++) {
		guint32 gpa = 0;
		guint32 size = 0;

		if (!dstack_reader_u32le(metadata, "section address", &gpa, error) ||
		    !dstack_reader_u32le(metadata, "section size", &size, error) ||
		    !dstack_reader_u32le(metadata, "section type", &self->sections[i].type, error))
			return FALSE;
		self->sections[i].gpa = gpa;
		self->sections[i].size = size;
	}
	return dstack_snp_sections_validate(self->sections, self->n_sections, error);
}

static gboolean
metadata_parse(DstackOvmfFooter *self, const DstackReader *file, guint32 distance, GError **error)
{
	DstackReader metadata = {0};
	const guint8 *signature = NULL;
	guint32 version = 0;
	guint32 count = 0;

	if (distance > file->size) {
		return dstack_throw(
		    error, DSTACK_ERROR_MALFORMED,
		    "firmware: SEV metadata 0x%x bytes before the end, but there are only 0x%" G_GSIZE_MODIFIER "x",
		    distance, file->size);
	}
	if (!dstack_reader_slice(file, file->size - distance, distance, "SEV metadata", &metadata, error) ||
	    !dstack_reader_take(&metadata, 4, "signature", &signature, error) ||
	    /* the stated size is not used: firmware in the field leaves it zero, and the count says all */
	    !dstack_reader_skip(&metadata, 4, "size", error) ||
	    !dstack_reader_u32le(&metadata, "version", &version, error) ||
	    !dstack_reader_u32le(&metadata, "section count", &count, error))
		return FALSE;
	if (memcmp(signature, "ASEV", 4) != 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "SEV metadata: expected signature ASEV, found %02x%02x%02x%02x", signature[0],
				    signature[1], signature[2], signature[3]);
	}
	if (version != METADATA_VERSION)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "SEV metadata: expected version 1, found %u",
				    version);
	if (count == 0 || count > DSTACK_SNP_MAX_SECTIONS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "SEV metadata: %u sections, expected 1 to %d", count,
				    DSTACK_SNP_MAX_SECTIONS);
	}
	self->n_sections = count;
	return metadata_read_sections(self, &metadata, error);
}

/**
 * dstack_ovmf_footer_parse:
 * @self: (out caller-allocates): what the firmware says
 * @firmware: (array length=size): a whole firmware image
 * @size: number of bytes, a multiple of 4096
 * @error: (out) (optional): %DSTACK_ERROR_NOT_FOUND when an SEV entry is missing, %DSTACK_ERROR_MALFORMED or
 *   %DSTACK_ERROR_UNSOUND when something is there and wrong
 *
 * Returns: %TRUE when the firmware can be launched and measured under SEV-SNP
 */
gboolean
dstack_ovmf_footer_parse(DstackOvmfFooter *self, const guint8 *firmware, gsize size, GError **error)
{
	DstackGuidTable table = {0};
	DstackOvmfFooter footer = {0};
	DstackReader file = {0};
	guint32 distance = 0;

	dstack_reader_init(&file, firmware, size, "firmware");
	if (size == 0 || size > DSTACK_LIMIT_FIRMWARE || size % DSTACK_SNP_PAGE_SIZE != 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "firmware: %" G_GSIZE_FORMAT
				    " bytes, expected a multiple of 4096 up to %" G_GSIZE_FORMAT,
				    size, DSTACK_LIMIT_FIRMWARE);
	}
	if (!dstack_guid_table_parse(&table, firmware, size, error) ||
	    !footer_read_u32(&table, GUID_HASH_TABLE, "SEV hash table", &footer.hashes_table_gpa, error) ||
	    !footer_read_u32(&table, GUID_RESET_BLOCK, "SEV-ES reset block", &footer.reset_eip, error) ||
	    !footer_read_u32(&table, GUID_SEV_METADATA, "SEV metadata", &distance, error))
		return FALSE;
	if (footer.reset_eip == 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "firmware: SEV-ES reset EIP is zero");
	if (!metadata_parse(&footer, &file, distance, error))
		return FALSE;
	*self = footer;
	return TRUE;
}

/**
 * dstack_ovmf_footer_ensure_kernel_hashes:
 * @self: what the firmware says
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when a kernel would not be measured
 *
 * OvmfPkgX64 builds carry the entry with a zero address: they boot a kernel and measure none.
 *
 * Returns: %TRUE when the table of kernel hashes lies inside a measured section
 */
gboolean
dstack_ovmf_footer_ensure_kernel_hashes(const DstackOvmfFooter *self, GError **error)
{
	const guint64 table = self->hashes_table_gpa;

	if (table == 0)
		return dstack_throw(
		    error, DSTACK_ERROR_UNSOUND,
		    "firmware: SEV hash table address is zero: this build measures no kernel; an AmdSev build of "
		    "OVMF does");
	for (gsize i = 0; i < self->n_sections; i++) {
		const DstackSnpSection *section = &self->sections[i];

		if (section->type == DSTACK_SNP_SECTION_KERNEL_HASHES && table >= section->gpa &&
		    table - section->gpa < section->size)
			return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "firmware: SEV hash table at 0x%" G_GINT64_MODIFIER "x lies in no section of type 0x10",
			    table);
}
