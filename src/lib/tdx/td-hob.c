/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TD HOB list as QEMU builds it for TDVF, and its witness. Rules: tdx-measurement.md, section 3;
 * block layouts: UEFI PI 1.7 volume 3, "HOB Code Definitions".
 */

#include "config.h"

#include "tdx/td-hob.h"

#include "base/error.h"
#include "base/reader.h"
#include "base/writer.h"

#define PAGE_SIZE 4096
#define MAX_PAGE  (G_MAXUINT64 / PAGE_SIZE) /* the last page number whose address fits 64 bits */

#define HOB_HANDOFF	    1
#define HOB_HANDOFF_SIZE    56
#define HOB_HANDOFF_VERSION 9
#define HOB_RESOURCE	    3
#define HOB_RESOURCE_SIZE   48
#define HOB_END_SIZE	    8
#define RESOURCE_ACCEPTED   0
#define RESOURCE_UNACCEPTED 7
#define RESOURCE_ATTRIBUTES 7 /* present, initialized, tested */
#define END_OF_LIST_OFFSET  48

#define MEMORY_SPLIT_FROM G_GUINT64_CONSTANT(0xb0000000) /* from this size on, QEMU leaves a hole below 4 GiB */
#define MEMORY_HOLE	  G_GUINT64_CONSTANT(0x80000000)
#define MEMORY_HIGH	  G_GUINT64_CONSTANT(0x100000000)

static gint
range_compare(gconstpointer a, gconstpointer b)
{
	const DstackTdHobRange *left = (const DstackTdHobRange *)a;
	const DstackTdHobRange *right = (const DstackTdHobRange *)b;

	return (left->start > right->start) - (left->start < right->start);
}

/**
 * dstack_td_hob_witness_from_tdvf:
 * @self: (out caller-allocates): the witness
 * @tdvf: a parsed firmware
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it has no TD HOB
 *
 * The ranges that the VMM hands to the TD as accepted: the TD HOB itself and temporary memory.
 *
 * Returns: %TRUE and the witness
 */
gboolean
dstack_td_hob_witness_from_tdvf(DstackTdHobWitness *self, const DstackTdvf *tdvf, GError **error)
{
	DstackTdHobWitness witness = {0};
	gboolean found = FALSE;

	for (guint i = 0; i < tdvf->n_sections; i++) {
		const DstackTdvfSection *section = &tdvf->sections[i];

		if (section->type != DSTACK_TDVF_TD_HOB && section->type != DSTACK_TDVF_TEMP_MEM)
			continue;
		if (section->type == DSTACK_TDVF_TD_HOB) {
			witness.td_hob_address = section->address;
			found = TRUE;
		}
		witness.ranges[witness.n_ranges++] =
		    (DstackTdHobRange){.start = section->address, .size = section->memory_size};
	}
	if (!found)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "TDVF descriptor: expected one TD_HOB section, found 0");
	qsort(witness.ranges, witness.n_ranges, sizeof(witness.ranges[0]), range_compare);
	*self = witness;
	return TRUE;
}

/* the next range: it must lie behind the one before and end within 64 bits */
static gboolean
witness_read_range(DstackReader *reader, guint64 base_page, guint64 first_free, DstackTdHobRange *out, GError **error)
{
	guint64 delta = 0;
	guint64 count = 0;
	guint64 page = 0;

	if (!dstack_reader_uleb128(reader, "range's start", &delta, error) ||
	    !dstack_reader_uleb128(reader, "range's page count", &count, error))
		return FALSE;
	if (delta > MAX_PAGE - base_page || count > MAX_PAGE - base_page - delta) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: range of %" G_GUINT64_FORMAT " pages at page %" G_GUINT64_FORMAT
				    " + %" G_GUINT64_FORMAT " does not fit 64 bits",
				    count, base_page, delta);
	}
	page = base_page + delta;
	if (count == 0) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: range at page 0x%" G_GINT64_MODIFIER "x is empty", page);
	}
	if (page < first_free) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: range at page 0x%" G_GINT64_MODIFIER
				    "x overlaps or precedes the one before, which ends at 0x%" G_GINT64_MODIFIER "x",
				    page, first_free);
	}
	*out = (DstackTdHobRange){.start = page * PAGE_SIZE, .size = count * PAGE_SIZE};
	return TRUE;
}

static gboolean
witness_read_head(DstackReader *reader, guint64 *out_base, guint64 *out_hob_page, guint64 *out_count, GError **error)
{
	guint64 base = 0;
	guint64 delta = 0;
	guint64 count = 0;

	if (!dstack_reader_uleb128(reader, "base page", &base, error) ||
	    !dstack_reader_uleb128(reader, "TD HOB's page", &delta, error) ||
	    !dstack_reader_uleb128(reader, "range count", &count, error))
		return FALSE;
	if (base > MAX_PAGE || delta > MAX_PAGE - base) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: TD HOB at page %" G_GUINT64_FORMAT " + %" G_GUINT64_FORMAT
				    " does not fit 64 bits",
				    base, delta);
	}
	/* a range takes two bytes at least, which bounds the count by the input too */
	if (count == 0 || count > DSTACK_TDVF_MAX_SECTIONS || count > dstack_reader_left(reader) / 2) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: expected 1 to %u ranges, found %" G_GUINT64_FORMAT
				    " in %" G_GSIZE_FORMAT " bytes",
				    DSTACK_TDVF_MAX_SECTIONS, count, dstack_reader_left(reader));
	}
	*out_base = base;
	*out_hob_page = base + delta;
	*out_count = count;
	return TRUE;
}

static gboolean
witness_ensure_hob_listed(const DstackTdHobWitness *self, GError **error)
{
	for (guint i = 0; i < self->n_ranges; i++) {
		if (self->ranges[i].start == self->td_hob_address)
			return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "td_hob witness: no range starts at the TD HOB, 0x%" G_GINT64_MODIFIER "x",
			    self->td_hob_address);
}

/**
 * dstack_td_hob_witness_parse:
 * @self: (out caller-allocates): the witness
 * @data: (array length=size): the packed form
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads what dstack_td_hob_witness_build() writes, all of it and nothing more.
 *
 * Returns: %TRUE and the witness
 */
gboolean
dstack_td_hob_witness_parse(DstackTdHobWitness *self, const guint8 *data, gsize size, GError **error)
{
	DstackTdHobWitness witness = {0};
	DstackReader reader;
	guint64 base = 0;
	guint64 hob_page = 0;
	guint64 count = 0;
	guint64 first_free = 0;

	dstack_reader_init(&reader, data, size, "td_hob witness");
	if (!witness_read_head(&reader, &base, &hob_page, &count, error))
		return FALSE;
	witness.td_hob_address = hob_page * PAGE_SIZE;
	for (guint i = 0; i < count; i++) {
		DstackTdHobRange *range = &witness.ranges[i];

		if (!witness_read_range(&reader, base, first_free, range, error))
			return FALSE;
		first_free = (range->start + range->size) / PAGE_SIZE;
		witness.n_ranges++;
	}
	if (witness.ranges[0].start != base * PAGE_SIZE) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "td_hob witness: expected the first range at the base page 0x%" G_GINT64_MODIFIER
				    "x, found 0x%" G_GINT64_MODIFIER "x",
				    base, witness.ranges[0].start / PAGE_SIZE);
	}
	if (!witness_ensure_hob_listed(&witness, error) || !dstack_reader_finish(&reader, error))
		return FALSE;
	*self = witness;
	return TRUE;
}

/**
 * dstack_td_hob_witness_build:
 * @self: the witness
 *
 * Returns: (transfer full): the packed form, as material carries it
 */
GBytes *
dstack_td_hob_witness_build(const DstackTdHobWitness *self)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	guint64 base = self->n_ranges > 0 ? self->ranges[0].start / PAGE_SIZE : 0;

	dstack_append_uleb128(out, base);
	dstack_append_uleb128(out, self->td_hob_address / PAGE_SIZE - base);
	dstack_append_uleb128(out, self->n_ranges);
	for (guint i = 0; i < self->n_ranges; i++) {
		dstack_append_uleb128(out, self->ranges[i].start / PAGE_SIZE - base);
		dstack_append_uleb128(out, self->ranges[i].size / PAGE_SIZE);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static void
hob_append_handoff(GByteArray *out)
{
	dstack_append_u16le(out, HOB_HANDOFF);
	dstack_append_u16le(out, HOB_HANDOFF_SIZE);
	dstack_append_u32le(out, 0);
	dstack_append_u32le(out, HOB_HANDOFF_VERSION);
	dstack_append_zero(out, HOB_HANDOFF_SIZE - out->len);
}

static void
hob_append_resource(GByteArray *out, guint32 type, guint64 start, guint64 size)
{
	dstack_append_u16le(out, HOB_RESOURCE);
	dstack_append_u16le(out, HOB_RESOURCE_SIZE);
	dstack_append_u32le(out, 0);
	dstack_append_zero(out, 16); /* owner */
	dstack_append_u32le(out, type);
	dstack_append_u32le(out, RESOURCE_ATTRIBUTES);
	dstack_append_u64le(out, start);
	dstack_append_u64le(out, size);
}

/* QEMU counts RAM as one run; the last range is where the part above 4 GiB is split off */
static void
hob_append_last(GByteArray *out, guint64 start, guint64 end, guint64 memory_size)
{
	if (memory_size < MEMORY_SPLIT_FROM) {
		hob_append_resource(out, RESOURCE_UNACCEPTED, start, end - start);
		return;
	}
	if (start < MEMORY_HOLE)
		hob_append_resource(out, RESOURCE_UNACCEPTED, start, MEMORY_HOLE - start);
	if (end > MEMORY_HOLE)
		hob_append_resource(out, RESOURCE_UNACCEPTED, MEMORY_HIGH, end - MEMORY_HOLE);
}

/* accepted ranges with the unaccepted rest of [0, memory_size) between them, in ascending order */
static void
hob_append_ranges(GByteArray *out, const DstackTdHobWitness *self, guint64 memory_size)
{
	guint64 next = 0; /* everything below is listed */

	for (guint i = 0; i < self->n_ranges; i++) {
		const DstackTdHobRange *range = &self->ranges[i];
		guint64 gap_end = MIN(range->start, memory_size);
		gboolean is_last = i + 1 == self->n_ranges && range->start + range->size >= memory_size;

		if (gap_end > next)
			hob_append_resource(out, RESOURCE_UNACCEPTED, next, gap_end - next);
		next = range->start + range->size;
		if (is_last)
			hob_append_last(out, range->start, next, memory_size);
		else
			hob_append_resource(out, RESOURCE_ACCEPTED, range->start, range->size);
	}
	if (next < memory_size)
		hob_append_last(out, next, memory_size, memory_size);
}

/**
 * dstack_td_hob_build:
 * @self: the witness
 * @memory_size: of the VM, bytes
 *
 * Returns: (transfer full): the list as the firmware measures it, without its end-of-list block
 */
GBytes *
dstack_td_hob_build(const DstackTdHobWitness *self, guint64 memory_size)
{
	g_autoptr(GByteArray) out = g_byte_array_new();

	hob_append_handoff(out);
	hob_append_ranges(out, self, memory_size);
	dstack_store_u64le(out->data + END_OF_LIST_OFFSET, self->td_hob_address + out->len + HOB_END_SIZE);
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/**
 * dstack_td_hob_digest:
 * @self: the witness
 * @memory_size: of the VM, bytes
 *
 * Returns: SHA-384 of the list: the first event of RTMR0
 */
DstackSha384
dstack_td_hob_digest(const DstackTdHobWitness *self, guint64 memory_size)
{
	g_autoptr(GBytes) list = dstack_td_hob_build(self, memory_size);

	return dstack_sha384_bytes(list);
}
