/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading TDVF metadata. Rules: tdx-measurement.md, section 1, and where QEMU refuses to start such
 * a firmware, so do we. A descriptor is hostile: everything a later step loops over is bounded here.
 */

#include "config.h"

#include "tdx/tdvf.h"

#include "base/error.h"
#include "base/guid-table.h"
#include "base/limits.h"
#include "base/reader.h"

#define DESCRIPTOR_GUID	 "e47a6535-984a-4798-865e-4685a7bf8ec2"
#define DESCRIPTOR_SIZE	 16
#define DESCRIPTOR_MAGIC "TDVF"
#define SECTION_SIZE	 32
#define PAGE_SIZE	 4096

#define ATTRIBUTE_EXTEND (1u << 0)
#define ATTRIBUTE_AUG	 (1u << 1)

/* a section as it stands in the file */
typedef struct {
	guint32 data_offset;
	guint32 raw_size;
	guint64 address;
	guint64 memory_size;
	guint32 type;
	guint32 attributes;
} WireSection;

/* the table's entry ends in the descriptor's distance from the end of the file */
static gboolean
tdvf_find_descriptor(const DstackReader *file, DstackReader *out, GError **error)
{
	DstackGuid guid = dstack_guid_from_constant(DESCRIPTOR_GUID, DSTACK_GUID_EFI);
	DstackGuidTable table;
	DstackReader entry;
	guint32 distance = 0;

	if (!dstack_guid_table_parse(&table, file->base, file->size, error) ||
	    !dstack_guid_table_find(&table, &guid, "TDVF descriptor offset", &entry, error))
		return FALSE;
	if (entry.size >= sizeof(distance) &&
	    !dstack_reader_seek(&entry, entry.size - sizeof(distance), "distance from the end", error))
		return FALSE;
	if (!dstack_reader_u32le(&entry, "distance from the end", &distance, error))
		return FALSE;
	if (distance > file->size) {
		return dstack_throw(
		    error, DSTACK_ERROR_MALFORMED,
		    "firmware: TDVF descriptor lies %u bytes before the end of a file of %" G_GSIZE_FORMAT, distance,
		    file->size);
	}
	return dstack_reader_slice(file, file->size - distance, distance, "TDVF descriptor", out, error);
}

/* leaves the reader at the first section, with the sections and nothing else in front of it */
static gboolean
tdvf_read_head(DstackReader *reader, guint32 *out_n_sections, GError **error)
{
	const guint8 *magic = NULL;
	guint32 length = 0;
	guint32 version = 0;
	guint32 count = 0;

	if (!dstack_reader_take(reader, 4, "signature", &magic, error) ||
	    !dstack_reader_u32le(reader, "length", &length, error) ||
	    !dstack_reader_u32le(reader, "version", &version, error) ||
	    !dstack_reader_u32le(reader, "section count", &count, error))
		return FALSE;
	if (!dstack_bytes_equal(magic, (const guint8 *)DESCRIPTOR_MAGIC, 4)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF descriptor: expected signature 54445646 ('TDVF'), found %02x%02x%02x%02x",
				    magic[0], magic[1], magic[2], magic[3]);
	}
	if (version != 1)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "TDVF descriptor: expected version 1, found %u",
				    version);
	if (count == 0 || count > DSTACK_TDVF_MAX_SECTIONS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF descriptor: expected 1 to %u sections, found %u", DSTACK_TDVF_MAX_SECTIONS,
				    count);
	}
	if (length != DESCRIPTOR_SIZE + count * SECTION_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF descriptor: expected length %u for %u sections, found %u",
				    DESCRIPTOR_SIZE + count * SECTION_SIZE, count, length);
	}
	*out_n_sections = count;
	return TRUE;
}

static gboolean
tdvf_read_section(DstackReader *reader, WireSection *out, GError **error)
{
	return dstack_reader_u32le(reader, "section's data offset", &out->data_offset, error) &&
	       dstack_reader_u32le(reader, "section's raw data size", &out->raw_size, error) &&
	       dstack_reader_u64le(reader, "section's memory address", &out->address, error) &&
	       dstack_reader_u64le(reader, "section's memory size", &out->memory_size, error) &&
	       dstack_reader_u32le(reader, "section's type", &out->type, error) &&
	       dstack_reader_u32le(reader, "section's attributes", &out->attributes, error);
}

static gboolean
section_ensure_kind(const WireSection *wire, guint index, GError **error)
{
	gboolean from_file = wire->type == DSTACK_TDVF_BFV || wire->type == DSTACK_TDVF_CFV;

	if (wire->type > DSTACK_TDVF_TEMP_MEM) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF section %u: expected a type from 0 to 3, found %u", index, wire->type);
	}
	if ((wire->attributes & ~(ATTRIBUTE_EXTEND | ATTRIBUTE_AUG)) != 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF section %u: unknown attributes 0x%x, expected bits 0 and 1 only", index,
				    wire->attributes);
	}
	/* QEMU measures zeros here, other tools what the file holds there: no real firmware asks for it */
	if ((wire->attributes & ATTRIBUTE_EXTEND) != 0 && !from_file) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF section %u: type %u has no contents, but asks to have them measured", index,
				    wire->type);
	}
	return TRUE;
}

static gboolean
section_ensure_memory(const WireSection *wire, guint index, GError **error)
{
	if (wire->address % PAGE_SIZE != 0 || wire->memory_size % PAGE_SIZE != 0 || wire->memory_size == 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF section %u: memory 0x%" G_GINT64_MODIFIER "x of 0x%" G_GINT64_MODIFIER
				    "x bytes, expected whole pages of 4096",
				    index, wire->address, wire->memory_size);
	}
	if (wire->memory_size > G_MAXUINT64 - wire->address) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF section %u: memory 0x%" G_GINT64_MODIFIER "x of 0x%" G_GINT64_MODIFIER
				    "x bytes wraps around",
				    index, wire->address, wire->memory_size);
	}
	if (wire->memory_size < wire->raw_size) {
		return dstack_throw(
		    error, DSTACK_ERROR_MALFORMED,
		    "TDVF section %u: raw data of 0x%x bytes does not fit memory of 0x%" G_GINT64_MODIFIER "x bytes",
		    index, wire->raw_size, wire->memory_size);
	}
	return TRUE;
}

/* what QEMU copies, and so what is measured, is as long as the memory, not as the raw data */
static gboolean
section_build(const WireSection *wire, const DstackReader *file, guint index, DstackTdvfSection *out, GError **error)
{
	gboolean extend = (wire->attributes & ATTRIBUTE_EXTEND) != 0;
	DstackReader data;

	if (!section_ensure_kind(wire, index, error) || !section_ensure_memory(wire, index, error))
		return FALSE;
	if (!dstack_reader_slice(file, wire->data_offset, extend ? wire->memory_size : wire->raw_size, "section data",
				 &data, error)) {
		g_prefix_error(error, "TDVF section %u: ", index);
		return FALSE;
	}
	*out = (DstackTdvfSection){
	    .type = (DstackTdvfType)wire->type,
	    .extend = extend,
	    .aug = (wire->attributes & ATTRIBUTE_AUG) != 0,
	    .address = wire->address,
	    .memory_size = wire->memory_size,
	    .data = data.base,
	    .data_size = data.size,
	};
	return TRUE;
}

static gboolean
sections_overlap(const DstackTdvfSection *a, const DstackTdvfSection *b)
{
	return a->address < b->address + b->memory_size && b->address < a->address + a->memory_size;
}

static gboolean
tdvf_ensure_disjoint(const DstackTdvf *self, GError **error)
{
	for (guint i = 0; i < self->n_sections; i++) {
		for (guint j = 0; j < i; j++) {
			if (sections_overlap(&self->sections[i], &self->sections[j])) {
				return dstack_throw(error, DSTACK_ERROR_MALFORMED,
						    "TDVF sections %u and %u overlap at 0x%" G_GINT64_MODIFIER "x", j,
						    i, MAX(self->sections[i].address, self->sections[j].address));
			}
		}
	}
	return TRUE;
}

/* bounds the work of measuring: contents by the file's size, pages by a number */
static gboolean
tdvf_ensure_bounded(const DstackTdvf *self, gsize file_size, GError **error)
{
	guint64 left = (guint64)DSTACK_LIMIT_TDVF_PAGES * PAGE_SIZE;
	guint64 contents_left = file_size;

	for (guint i = 0; i < self->n_sections; i++) {
		const DstackTdvfSection *section = &self->sections[i];

		if (section->memory_size > left) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "TDVF section %u: expected at most %u pages in all sections, found more", i,
					    DSTACK_LIMIT_TDVF_PAGES);
		}
		left -= section->memory_size;
		if (!section->extend)
			continue;
		if (section->memory_size > contents_left) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "TDVF section %u: the measured sections together are larger than the file "
					    "of 0x%" G_GSIZE_MODIFIER "x bytes",
					    i, file_size);
		}
		contents_left -= section->memory_size;
	}
	return TRUE;
}

static gboolean
tdvf_ensure_one(const DstackTdvf *self, DstackTdvfType type, const gchar *name, const DstackTdvfSection **out,
		GError **error)
{
	const DstackTdvfSection *found = NULL;
	guint count = 0;

	for (guint i = 0; i < self->n_sections; i++) {
		if (self->sections[i].type != type)
			continue;
		found = &self->sections[i];
		count++;
	}
	if (count != 1)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "TDVF descriptor: expected one %s section, found %u",
				    name, count);
	if (out != NULL)
		*out = found;
	return TRUE;
}

/**
 * dstack_tdvf_parse:
 * @self: (out caller-allocates): the sections, which borrow @firmware
 * @firmware: (array length=size): a whole firmware file
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, or %DSTACK_ERROR_NOT_FOUND where the firmware's table has no
 *   TDVF entry: not a TDX firmware
 *
 * Finds and checks the TDVF descriptor (tdx-measurement.md, section 1). Sections that overlap in memory, exceed
 * %DSTACK_LIMIT_TDVF_PAGES together, or measure more than the file holds are refused.
 *
 * Returns: %TRUE when every section can be measured
 */
gboolean
dstack_tdvf_parse(DstackTdvf *self, const guint8 *firmware, gsize size, GError **error)
{
	DstackTdvf tdvf = {0};
	DstackReader file;
	DstackReader reader;
	guint32 count = 0;

	dstack_reader_init(&file, firmware, size, "firmware");
	if (!tdvf_find_descriptor(&file, &reader, error) || !tdvf_read_head(&reader, &count, error))
		return FALSE;
	for (guint i = 0; i < count; i++) {
		WireSection wire = {0};

		if (!tdvf_read_section(&reader, &wire, error) ||
		    !section_build(&wire, &file, i, &tdvf.sections[i], error))
			return FALSE;
		tdvf.n_sections++;
	}
	if (!tdvf_ensure_disjoint(&tdvf, error) || !tdvf_ensure_bounded(&tdvf, size, error) ||
	    !tdvf_ensure_one(&tdvf, DSTACK_TDVF_TD_HOB, "TD_HOB", NULL, error))
		return FALSE;
	*self = tdvf;
	return TRUE;
}

/**
 * dstack_tdvf_cfv_digest:
 * @self: the sections
 * @out: (out): SHA-384 of the variable store
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when there is not exactly one CFV section
 *
 * What the firmware extends into RTMR0 for its own configuration volume.
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_tdvf_cfv_digest(const DstackTdvf *self, DstackSha384 *out, GError **error)
{
	const DstackTdvfSection *cfv = NULL;

	if (!tdvf_ensure_one(self, DSTACK_TDVF_CFV, "CFV", &cfv, error))
		return FALSE;
	*out = dstack_sha384(cfv->data, cfv->data_size);
	return TRUE;
}
