/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Authenticode over a PE image (Microsoft "Windows Authenticode Portable Executable Signature Format"; PE/COFF
 * 8.3; tdx-measurement.md, section 4). The headers are hostile: they are turned into a short list of ranges
 * inside the file first, and only then is anything hashed.
 */

#include "config.h"

#include "tdx/authenticode.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/reader.h"

#define PE_OFFSET_AT	      0x3c
#define COFF_SIZE	      20
#define COFF_SECTIONS_AT      2
#define COFF_OPTIONAL_SIZE_AT 16
#define OPTIONAL_HEADERS_AT   60
#define OPTIONAL_CHECKSUM_AT  64
#define DIRECTORY_ENTRY_SIZE  8
#define DIRECTORY_CERTIFICATE 4
#define SECTION_HEADER_SIZE   40
#define SECTION_RAW_SIZE_AT   16
#define MAGIC_PE32	      0x10b
#define MAGIC_PE32_PLUS	      0x20b
#define FILE_ALIGNMENT	      8

/* three of headers, one a section, one of what follows them */
#define MAX_RANGES (3 + DSTACK_LIMIT_PE_SECTIONS + 1)

typedef struct {
	guint64 offset;
	guint64 size;
} FileRange;

/* what is hashed, in this order, then padding; every range lies inside the file */
typedef struct {
	guint n_ranges;
	FileRange ranges[MAX_RANGES];
	gsize padding;
} HashPlan;

/* where things stand in the headers */
typedef struct {
	guint64 checksum_at;
	guint64 certificate_at; /* of the directory entry; 0: there is none */
	guint64 certificate_size;
	guint64 headers_size;
	guint64 sections_at;
	guint n_sections;
} PeHeaders;

/* the first bytes of a file may be given apart, as a patched kernel's are */
typedef struct {
	DstackReader file;
	DstackReader head;
} PeImage;

/* a field across the end of the head is read from the file: nothing is changed that close to it */
static gboolean
pe_seek(const PeImage *image, guint64 offset, gsize size, DstackReader *out, const gchar *what, GError **error)
{
	if (offset <= image->head.size && size <= image->head.size - offset)
		return dstack_reader_slice(&image->head, offset, size, what, out, error);
	return dstack_reader_slice(&image->file, offset, size, what, out, error);
}

static gboolean
pe_u16(const PeImage *image, guint64 offset, const gchar *field, guint16 *out, GError **error)
{
	DstackReader reader;

	return pe_seek(image, offset, sizeof(*out), &reader, field, error) &&
	       dstack_reader_u16le(&reader, field, out, error);
}

static gboolean
pe_u32(const PeImage *image, guint64 offset, const gchar *field, guint32 *out, GError **error)
{
	DstackReader reader;

	return pe_seek(image, offset, sizeof(*out), &reader, field, error) &&
	       dstack_reader_u32le(&reader, field, out, error);
}

static gboolean
pe_ensure_signature(const PeImage *image, guint64 pe_at, GError **error)
{
	guint16 dos = 0;
	guint32 pe = 0;

	if (!pe_u16(image, 0, "DOS signature", &dos, error))
		return FALSE;
	if (dos != 0x5a4d)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: expected it to start with 'MZ', found 0x%04x", dos);
	if (!pe_u32(image, pe_at, "PE signature", &pe, error))
		return FALSE;
	if (pe != 0x00004550) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: expected the PE signature at 0x%" G_GINT64_MODIFIER "x, found 0x%08x",
				    pe_at, pe);
	}
	return TRUE;
}

/* the certificate table's directory entry, if the optional header is long enough to have one */
static gboolean
pe_read_certificate(const PeImage *image, guint64 optional_at, guint64 optional_size, PeHeaders *headers,
		    GError **error)
{
	guint16 magic = 0;
	guint32 n_directories = 0;
	guint32 size = 0;
	guint64 count_at = 0;
	guint64 entry_at = 0;

	if (!pe_u16(image, optional_at, "optional header magic", &magic, error))
		return FALSE;
	if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: expected optional header magic 0x10b or 0x20b, found 0x%x", magic);
	count_at = magic == MAGIC_PE32 ? 92 : 108;
	entry_at = count_at + 4 + DIRECTORY_CERTIFICATE * DIRECTORY_ENTRY_SIZE;
	if (optional_size < count_at + 4)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: optional header of %" G_GUINT64_FORMAT
				    " bytes, expected at least %" G_GUINT64_FORMAT,
				    optional_size, count_at + 4);
	if (!pe_u32(image, optional_at + count_at, "number of data directories", &n_directories, error))
		return FALSE;
	if (n_directories <= DIRECTORY_CERTIFICATE)
		return TRUE;
	if (optional_size < entry_at + DIRECTORY_ENTRY_SIZE)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: %u data directories do not fit an optional header of %" G_GUINT64_FORMAT
				    " bytes",
				    n_directories, optional_size);
	if (!pe_u32(image, optional_at + entry_at + 4, "certificate table size", &size, error))
		return FALSE;
	headers->certificate_at = optional_at + entry_at;
	headers->certificate_size = size;
	return TRUE;
}

static gboolean
pe_ensure_headers_size(const PeImage *image, const PeHeaders *headers, GError **error)
{
	guint64 sections_end = headers->sections_at + (guint64)headers->n_sections * SECTION_HEADER_SIZE;

	if (headers->headers_size < sections_end || headers->headers_size > image->file.size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: size of headers is 0x%" G_GINT64_MODIFIER
				    "x, expected from the section table's end 0x%" G_GINT64_MODIFIER
				    "x to the file's size 0x%" G_GSIZE_MODIFIER "x",
				    headers->headers_size, sections_end, image->file.size);
	}
	return TRUE;
}

static gboolean
pe_read_headers(const PeImage *image, PeHeaders *out, GError **error)
{
	PeHeaders headers = {0};
	guint32 pe_at = 0;
	guint16 n_sections = 0;
	guint16 optional_size = 0;
	guint32 headers_size = 0;
	guint64 coff_at = 0;
	guint64 optional_at = 0;

	if (!pe_u32(image, PE_OFFSET_AT, "offset of the PE header", &pe_at, error) ||
	    !pe_ensure_signature(image, pe_at, error))
		return FALSE;
	coff_at = (guint64)pe_at + 4;
	optional_at = coff_at + COFF_SIZE;
	if (!pe_u16(image, coff_at + COFF_SECTIONS_AT, "number of sections", &n_sections, error) ||
	    !pe_u16(image, coff_at + COFF_OPTIONAL_SIZE_AT, "size of optional header", &optional_size, error) ||
	    !pe_read_certificate(image, optional_at, optional_size, &headers, error) ||
	    !pe_u32(image, optional_at + OPTIONAL_HEADERS_AT, "size of headers", &headers_size, error))
		return FALSE;
	if (n_sections == 0 || n_sections > DSTACK_LIMIT_PE_SECTIONS) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "PE image: expected 1 to %u sections, found %u",
				    DSTACK_LIMIT_PE_SECTIONS, n_sections);
	}
	headers.checksum_at = optional_at + OPTIONAL_CHECKSUM_AT;
	headers.headers_size = headers_size;
	headers.sections_at = optional_at + optional_size;
	headers.n_sections = n_sections;
	if (!pe_ensure_headers_size(image, &headers, error))
		return FALSE;
	*out = headers;
	return TRUE;
}

static void
plan_add(HashPlan *plan, guint64 start, guint64 end)
{
	if (end > start)
		plan->ranges[plan->n_ranges++] = (FileRange){.offset = start, .size = end - start};
}

/* the headers but for the checksum and the certificate table's directory entry */
static void
plan_add_headers(HashPlan *plan, const PeHeaders *headers)
{
	guint64 after_checksum = headers->checksum_at + 4;

	plan_add(plan, 0, headers->checksum_at);
	if (headers->certificate_at == 0) {
		plan_add(plan, after_checksum, headers->headers_size);
		return;
	}
	plan_add(plan, after_checksum, headers->certificate_at);
	plan_add(plan, headers->certificate_at + DIRECTORY_ENTRY_SIZE, headers->headers_size);
}

static gint
range_compare(gconstpointer a, gconstpointer b)
{
	const FileRange *left = (const FileRange *)a;
	const FileRange *right = (const FileRange *)b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* a section counts as far as the file goes; one without data in the file is no range */
static gboolean
pe_read_section(const PeImage *image, guint64 at, FileRange *out, GError **error)
{
	guint32 size = 0;
	guint32 offset = 0;

	if (!pe_u32(image, at + SECTION_RAW_SIZE_AT, "section's raw data size", &size, error) ||
	    !pe_u32(image, at + SECTION_RAW_SIZE_AT + 4, "section's raw data offset", &offset, error))
		return FALSE;
	out->offset = offset;
	out->size = offset < image->file.size ? MIN(size, image->file.size - offset) : 0;
	return TRUE;
}

/* overlapping sections would be hashed more than once: work without bound, and no linker makes them */
static gboolean
plan_add_sections(HashPlan *plan, const PeImage *image, const PeHeaders *headers, guint64 *inout_hashed, GError **error)
{
	FileRange sections[DSTACK_LIMIT_PE_SECTIONS];
	guint n = 0;

	for (guint i = 0; i < headers->n_sections; i++) {
		FileRange section = {0};

		if (!pe_read_section(image, headers->sections_at + (guint64)i * SECTION_HEADER_SIZE, &section, error))
			return FALSE;
		if (section.size > 0)
			sections[n++] = section;
	}
	qsort(sections, n, sizeof(sections[0]), range_compare);
	for (guint i = 0; i < n; i++) {
		if (i > 0 && sections[i].offset < sections[i - 1].offset + sections[i - 1].size) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "PE image: two sections share the bytes at 0x%" G_GINT64_MODIFIER
					    "x of the file",
					    sections[i].offset);
		}
		plan_add(plan, sections[i].offset, sections[i].offset + sections[i].size);
		*inout_hashed += sections[i].size;
	}
	return TRUE;
}

/* what follows the sections is found by counting, as firmware does, and without the certificate table */
static gboolean
plan_add_rest(HashPlan *plan, const PeImage *image, const PeHeaders *headers, guint64 hashed, GError **error)
{
	guint64 size = image->file.size;

	if (headers->certificate_size > size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: certificate table of 0x%" G_GINT64_MODIFIER
				    "x bytes in a file of 0x%" G_GINT64_MODIFIER "x",
				    headers->certificate_size, size);
	}
	if (hashed < size && headers->certificate_size > size - hashed) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "PE image: certificate table of 0x%" G_GINT64_MODIFIER
				    "x bytes, but only 0x%" G_GINT64_MODIFIER "x follow headers and sections",
				    headers->certificate_size, size - hashed);
	}
	if (hashed < size)
		plan_add(plan, hashed, size - headers->certificate_size);
	plan->padding = (gsize)(FILE_ALIGNMENT - size % FILE_ALIGNMENT) % FILE_ALIGNMENT;
	return TRUE;
}

static gboolean
plan_build(const PeImage *image, HashPlan *out, GError **error)
{
	HashPlan plan = {0};
	PeHeaders headers = {0};
	guint64 hashed = 0;

	if (!pe_read_headers(image, &headers, error))
		return FALSE;
	plan_add_headers(&plan, &headers);
	hashed = headers.headers_size;
	if (!plan_add_sections(&plan, image, &headers, &hashed, error) ||
	    !plan_add_rest(&plan, image, &headers, hashed, error))
		return FALSE;
	*out = plan;
	return TRUE;
}

/* a range may begin in the bytes given apart and end in the file */
static gboolean
plan_hash_range(const PeImage *image, const FileRange *range, DstackHasher *hasher, GError **error)
{
	guint64 from_head = range->offset < image->head.size ? MIN(range->size, image->head.size - range->offset) : 0;
	DstackReader part;

	if (from_head > 0) {
		if (!dstack_reader_slice(&image->head, range->offset, from_head, "PE image", &part, error))
			return FALSE;
		dstack_hasher_update(hasher, part.base, part.size);
	}
	if (!dstack_reader_slice(&image->file, range->offset + from_head, range->size - from_head, "PE image", &part,
				 error))
		return FALSE;
	dstack_hasher_update(hasher, part.base, part.size);
	return TRUE;
}

static gboolean
image_hash(const PeImage *image, DstackHasher *hasher, GError **error)
{
	static const guint8 zeros[FILE_ALIGNMENT];
	HashPlan plan = {0};

	if (!plan_build(image, &plan, error))
		return FALSE;
	for (guint i = 0; i < plan.n_ranges; i++) {
		if (!plan_hash_range(image, &plan.ranges[i], hasher, error))
			return FALSE;
	}
	dstack_hasher_update(hasher, zeros, plan.padding);
	return TRUE;
}

static PeImage
image_init(const guint8 *data, gsize size, const guint8 *head, gsize head_size)
{
	PeImage image;

	dstack_reader_init(&image.file, data, size, "PE image");
	dstack_reader_init(&image.head, head, MIN(head_size, size), "PE image");
	return image;
}

/**
 * dstack_authenticode_sha256:
 * @data: (array length=size): a PE file
 * @size: number of bytes
 * @out: (out): the digest
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is no PE image, its headers or sections lie outside the
 *   file, or two sections overlap
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_authenticode_sha256(const guint8 *data, gsize size, DstackSha256 *out, GError **error)
{
	PeImage image = image_init(data, size, NULL, 0);
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();

	if (!image_hash(&image, hasher, error))
		return FALSE;
	*out = dstack_hasher_finish_sha256(hasher);
	return TRUE;
}

/**
 * dstack_authenticode_sha384:
 * @data: (array length=size): a PE file
 * @size: number of bytes
 * @out: (out): the digest
 * @error: (out) (optional): as dstack_authenticode_sha256()
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_authenticode_sha384(const guint8 *data, gsize size, DstackSha384 *out, GError **error)
{
	return dstack_authenticode_sha384_with_head(data, size, NULL, 0, out, error);
}

/**
 * dstack_authenticode_sha384_with_head:
 * @data: (array length=size): a PE file
 * @size: number of bytes
 * @head: (array length=head_size) (nullable): what its first bytes have become; more than the file has are ignored
 * @head_size: number of bytes
 * @out: (out): the digest
 * @error: (out) (optional): as dstack_authenticode_sha256()
 *
 * The digest of a file whose beginning was changed on its way to the firmware, without copying the whole.
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_authenticode_sha384_with_head(const guint8 *data, gsize size, const guint8 *head, gsize head_size,
				     DstackSha384 *out, GError **error)
{
	PeImage image = image_init(data, size, head, head_size);
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha384();

	if (!image_hash(&image, hasher, error))
		return FALSE;
	*out = dstack_hasher_finish_sha384(hasher);
	return TRUE;
}
