/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Authenticode digests: of images put together here, piece by piece, and of headers that lie.
 */

#include "config.h"

#include "tdx/authenticode.h"

#include <string.h>

#include "base/writer.h"
#include "dstack/error.h"

#define PE_AT	      0x80
#define OPTIONAL_AT   (PE_AT + 24)
#define CHECKSUM_AT   (OPTIONAL_AT + 64)
#define HEADERS_AT    (OPTIONAL_AT + 60)
#define HEADERS_SIZE  0x200
#define PLUS_COUNT_AT (OPTIONAL_AT + 108)
#define PLUS_CERT_AT  (OPTIONAL_AT + 112 + 32)
#define PLUS_SIZE     240

typedef struct {
	guint32 offset;
	guint32 size;
} Section;

static GByteArray *
build(const Section *sections, guint n, guint32 file_size)
{
	GByteArray *out = g_byte_array_new();

	dstack_append_zero(out, file_size);
	for (guint i = 0; i < file_size; i++)
		out->data[i] = (guint8)(i * 7 + i / 256);
	memcpy(out->data, "MZ", 2);
	dstack_store_u32le(out->data + 0x3c, PE_AT);
	memcpy(out->data + PE_AT, "PE\0\0", 4);
	dstack_store_u16le(out->data + PE_AT + 6, (guint16)n);
	dstack_store_u16le(out->data + PE_AT + 20, PLUS_SIZE);
	dstack_store_u16le(out->data + OPTIONAL_AT, 0x20b);
	dstack_store_u32le(out->data + HEADERS_AT, HEADERS_SIZE);
	dstack_store_u32le(out->data + PLUS_COUNT_AT, 16);
	dstack_store_u64le(out->data + PLUS_CERT_AT, 0);
	for (guint i = 0; i < n; i++) {
		guint8 *header = out->data + OPTIONAL_AT + PLUS_SIZE + (gsize)i * 40;

		dstack_store_u32le(header + 16, sections[i].size);
		dstack_store_u32le(header + 20, sections[i].offset);
	}
	return out;
}

/* hashes [from, to) pairs, ended by {0, 0}, then zeros */
static DstackSha384
hash_pieces(const GByteArray *file, const guint32 (*pieces)[2], gsize padding)
{
	static const guint8 zeros[8];
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha384();

	for (guint i = 0; pieces[i][1] != 0; i++)
		dstack_hasher_update(hasher, file->data + pieces[i][0], pieces[i][1] - pieces[i][0]);
	dstack_hasher_update(hasher, zeros, padding);
	return dstack_hasher_finish_sha384(hasher);
}

#define HEADER_PIECES                                                                                                  \
	{0, CHECKSUM_AT}, {CHECKSUM_AT + 4, PLUS_CERT_AT},                                                             \
	{                                                                                                              \
		PLUS_CERT_AT + 8, HEADERS_SIZE                                                                         \
	}

typedef struct {
	const gchar *what;
	guint32 file_size;
	guint32 certificate_size;
	guint n_sections;
	Section sections[3];
	gsize padding;
	guint32 pieces[9][2];
} PieceCase;

static const PieceCase piece_cases[] = {
    {"two sections", 0x600, 0, 2, {{0x200, 0x200}, {0x400, 0x200}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"in the other order", 0x600, 0, 2, {{0x400, 0x200}, {0x200, 0x200}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"one without data", 0x600, 0, 2, {{0, 0}, {0x200, 0x400}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"something behind", 0x700, 0, 1, {{0x200, 0x400}}, 0, {HEADER_PIECES, {0x200, 0x700}}},
    {"a certificate behind", 0x700, 0x100, 1, {{0x200, 0x400}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"both behind", 0x800, 0x100, 1, {{0x200, 0x400}}, 0, {HEADER_PIECES, {0x200, 0x700}}},
    {"not a multiple of 8", 0x603, 0, 1, {{0x200, 0x400}}, 5, {HEADER_PIECES, {0x200, 0x603}}},
    {"a section past the end", 0x600, 0, 1, {{0x200, 0x10000}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"a section of 2^32", 0x600, 0, 1, {{0x200, G_MAXUINT32}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    {"a section at 2^32", 0x600, 0, 2, {{0x200, 0x400}, {G_MAXUINT32, 0x400}}, 0, {HEADER_PIECES, {0x200, 0x600}}},
    /* what follows is found by counting, as firmware does: the gap's size is hashed again at the end */
    {"a gap", 0x700, 0, 1, {{0x300, 0x400}}, 0, {HEADER_PIECES, {0x300, 0x700}, {0x600, 0x700}}},
};

static void
hashes_what_firmware_hashes(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(piece_cases); i++) {
		const PieceCase *c = &piece_cases[i];
		g_autoptr(GByteArray) file = build(c->sections, c->n_sections, c->file_size);
		g_autoptr(GError) error = NULL;
		DstackSha384 expected;
		DstackSha384 found;

		dstack_store_u32le(file->data + PLUS_CERT_AT + 4, c->certificate_size);
		expected = hash_pieces(file, c->pieces, c->padding);
		g_assert_true(dstack_authenticode_sha384(file->data, file->len, &found, &error));
		if (!dstack_sha384_equal(&found, &expected))
			g_error("another digest: %s", c->what);
	}
}

/* neither the checksum nor the certificate's place counts; every other byte does, or is refused (a size past the file)
 */
static void
leaves_out_checksum_and_certificate(void)
{
	static const Section section = {0x200, 0x200};
	g_autoptr(GByteArray) file = build(&section, 1, 0x400);
	g_autoptr(GError) error = NULL;
	DstackSha384 expected;

	g_assert_true(dstack_authenticode_sha384(file->data, file->len, &expected, &error));
	for (guint at = 0; at < file->len; at++) {
		gboolean free =
		    (at >= CHECKSUM_AT && at < CHECKSUM_AT + 4) || (at >= PLUS_CERT_AT && at < PLUS_CERT_AT + 6);
		DstackSha384 found = {{0}};
		gboolean same = FALSE;

		file->data[at] ^= 1;
		same = dstack_authenticode_sha384(file->data, file->len, &found, NULL) &&
		       dstack_sha384_equal(&found, &expected);
		file->data[at] ^= 1;
		g_assert_cmpint(same, ==, free);
	}
}

static void
reads_pe32(void)
{
	static const Section section = {0x200, 0x200};
	static const guint32 pieces[][2] = {
	    {0, CHECKSUM_AT}, {CHECKSUM_AT + 4, OPTIONAL_AT + 96 + 32}, {OPTIONAL_AT + 96 + 40, 0x400}, {0, 0}};
	static const guint32 no_directory[][2] = {{0, CHECKSUM_AT}, {CHECKSUM_AT + 4, 0x400}, {0, 0}};
	g_autoptr(GByteArray) file = build(&section, 1, 0x400);
	g_autoptr(GError) error = NULL;
	DstackSha384 expected;
	DstackSha384 found;

	dstack_store_u16le(file->data + OPTIONAL_AT, 0x10b);
	dstack_store_u32le(file->data + OPTIONAL_AT + 92, 16);
	dstack_store_u64le(file->data + OPTIONAL_AT + 96 + 32, 0);
	expected = hash_pieces(file, pieces, 0);
	g_assert_true(dstack_authenticode_sha384(file->data, file->len, &found, &error));
	g_assert_true(dstack_sha384_equal(&found, &expected));
	/* four directories: there is no entry to leave out */
	dstack_store_u32le(file->data + OPTIONAL_AT + 92, 4);
	expected = hash_pieces(file, no_directory, 0);
	g_assert_true(dstack_authenticode_sha384(file->data, file->len, &found, &error));
	g_assert_true(dstack_sha384_equal(&found, &expected));
}

static void
reads_the_head_given_apart(void)
{
	static const Section section = {0x200, 0x200};
	g_autoptr(GByteArray) file = build(&section, 1, 0x400);
	g_autofree guint8 *head = g_memdup2(file->data, 0x300);
	g_autoptr(GError) error = NULL;
	DstackSha384 expected;
	DstackSha384 found;

	file->data[0x2ff] ^= 0xff;
	g_assert_true(dstack_authenticode_sha384(file->data, file->len, &expected, &error));
	head[0x2ff] ^= 0xff;
	file->data[0x2ff] ^= 0xff;
	file->data[0x10] ^= 0xff;
	g_assert_true(dstack_authenticode_sha384_with_head(file->data, file->len, head, 0x300, &found, &error));
	g_assert_true(dstack_sha384_equal(&found, &expected));
}

typedef struct {
	const gchar *what;
	gsize at;
	guint width;
	guint32 value;
} HeaderCase;

static const HeaderCase header_cases[] = {
    {"no MZ", 0, 2, 0},
    {"PE header at the end", 0x3c, 4, 0x400},
    {"PE header at 2^32", 0x3c, 4, G_MAXUINT32},
    {"PE header inside the code", 0x3c, 4, 0x300},
    {"PE header before the end", 0x3c, 4, 0x3fc},
    {"no PE", PE_AT, 4, 0},
    {"no sections", PE_AT + 6, 2, 0},
    {"97 sections", PE_AT + 6, 2, 97},
    {"65535 sections", PE_AT + 6, 2, G_MAXUINT16},
    {"sections behind the headers", PE_AT + 6, 2, 5},
    {"no optional header", PE_AT + 20, 2, 0},
    {"optional header cut before the directories", PE_AT + 20, 2, 111},
    {"optional header cut in the directory", PE_AT + 20, 2, 151},
    {"optional header past the file", PE_AT + 20, 2, G_MAXUINT16},
    {"unknown magic", OPTIONAL_AT, 2, 0x107},
    {"headers of nothing", HEADERS_AT, 4, 0},
    {"headers end in the section table", HEADERS_AT, 4, 0x1a0},
    {"headers past the file", HEADERS_AT, 4, 0x401},
    {"headers of 2^32", HEADERS_AT, 4, G_MAXUINT32},
    {"certificate larger than the file", PLUS_CERT_AT + 4, 4, 0x401},
    {"certificate of 2^32", PLUS_CERT_AT + 4, 4, G_MAXUINT32},
    {"certificate over a section", PLUS_CERT_AT + 4, 4, 0x101},
};

static void
refuses_headers_that_lie(void)
{
	static const Section section = {0x200, 0x100};

	for (guint i = 0; i < G_N_ELEMENTS(header_cases); i++) {
		g_autoptr(GByteArray) file = build(&section, 1, 0x400);
		g_autoptr(GError) error = NULL;
		guint8 value[4];
		DstackSha384 digest;

		dstack_store_u32le(value, header_cases[i].value);
		memcpy(file->data + header_cases[i].at, value, header_cases[i].width);
		if (dstack_authenticode_sha384(file->data, file->len, &digest, &error))
			g_error("accepted: %s", header_cases[i].what);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_overlapping_sections(void)
{
	static const Section cases[][2] = {
	    {{0x200, 0x200}, {0x200, 0x200}},
	    {{0x200, 0x200}, {0x3ff, 0x10}},
	    {{0x300, 0x10}, {0x200, G_MAXUINT32}},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) file = build(cases[i], 2, 0x600);
		g_autoptr(GError) error = NULL;
		DstackSha384 digest;

		g_assert_false(dstack_authenticode_sha384(file->data, file->len, &digest, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

/* what is cut off a section is not there; what is cut off the headers is an error */
static void
survives_every_truncation(void)
{
	static const Section section = {0x200, 0x200};
	g_autoptr(GByteArray) file = build(&section, 1, 0x400);

	for (guint size = 0; size <= file->len; size++) {
		g_autofree guint8 *copy = g_memdup2(file->data, size);
		DstackSha256 digest;

		g_assert_cmpint(dstack_authenticode_sha256(copy, size, &digest, NULL), ==, size >= HEADERS_SIZE);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx/authenticode/hashes-what-firmware-hashes", hashes_what_firmware_hashes);
	g_test_add_func("/tdx/authenticode/leaves-out-checksum-and-certificate", leaves_out_checksum_and_certificate);
	g_test_add_func("/tdx/authenticode/reads-pe32", reads_pe32);
	g_test_add_func("/tdx/authenticode/reads-the-head-given-apart", reads_the_head_given_apart);
	g_test_add_func("/tdx/authenticode/refuses-headers-that-lie", refuses_headers_that_lie);
	g_test_add_func("/tdx/authenticode/refuses-overlapping-sections", refuses_overlapping_sections);
	g_test_add_func("/tdx/authenticode/survives-every-truncation", survives_every_truncation);
	return g_test_run();
}
