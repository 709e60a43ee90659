/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading CBOR strictly (RFC 8949, section 4.2.1, but for the order of keys). libcbor's streaming decoder splits
 * one item off and allocates nothing; what it is too lax about is checked here.
 */

#include "config.h"

#include "base/cbor.h"

#include <string.h>

#include <cbor.h>

#include "base/error.h"
#include "base/limits.h"

typedef enum {
	CBOR_KIND_NONE,
	CBOR_KIND_UINT,
	CBOR_KIND_NEGINT,
	CBOR_KIND_BYTES,
	CBOR_KIND_TEXT,
	CBOR_KIND_ARRAY,
	CBOR_KIND_MAP,
	CBOR_KIND_TAG,
	CBOR_KIND_BOOL,
	CBOR_KIND_NULL,
	CBOR_KIND_FLOAT,
	CBOR_KIND_INDEFINITE,
} CborKind;

typedef struct {
	CborKind kind;
	guint64 number; /* the integer, the count, the length or the tag */
	const guint8 *data;
} CborItem;

static const gchar *
cbor_kind_to_string(CborKind kind)
{
	static const gchar *const names[] = {
	    "nothing",
	    "an unsigned integer",
	    "a negative integer",
	    "a byte string",
	    "a text",
	    "an array",
	    "a map",
	    "a tag",
	    "a boolean",
	    "null",
	    "a float",
	    "an item of indefinite length",
	};

	return names[kind];
}

static void
item_set(gpointer context, CborKind kind, guint64 number)
{
	CborItem *item = context;

	*item = (CborItem){.kind = kind, .number = number};
}

/* libcbor tells the widths of a number apart; the head's length does so for us */
#define DEFINE_ON_NUMBER(name, type, item_kind)                                                                        \
	static void on_##name(void *context, type number)                                                              \
	{                                                                                                              \
		item_set(context, item_kind, number);                                                                  \
	}

DEFINE_ON_NUMBER(uint8, uint8_t, CBOR_KIND_UINT)
DEFINE_ON_NUMBER(uint16, uint16_t, CBOR_KIND_UINT)
DEFINE_ON_NUMBER(uint32, uint32_t, CBOR_KIND_UINT)
DEFINE_ON_NUMBER(uint64, uint64_t, CBOR_KIND_UINT)
DEFINE_ON_NUMBER(negint8, uint8_t, CBOR_KIND_NEGINT)
DEFINE_ON_NUMBER(negint16, uint16_t, CBOR_KIND_NEGINT)
DEFINE_ON_NUMBER(negint32, uint32_t, CBOR_KIND_NEGINT)
DEFINE_ON_NUMBER(negint64, uint64_t, CBOR_KIND_NEGINT)
DEFINE_ON_NUMBER(array, size_t, CBOR_KIND_ARRAY)
DEFINE_ON_NUMBER(map, size_t, CBOR_KIND_MAP)
DEFINE_ON_NUMBER(tag, uint64_t, CBOR_KIND_TAG)

static void
on_bytes(void *context, cbor_data data, size_t size)
{
	item_set(context, CBOR_KIND_BYTES, size);
	((CborItem *)context)->data = data;
}

static void
on_text(void *context, cbor_data data, size_t size)
{
	item_set(context, CBOR_KIND_TEXT, size);
	((CborItem *)context)->data = data;
}

static void
on_bool(void *context, bool value)
{
	item_set(context, CBOR_KIND_BOOL, value ? 1 : 0);
}

static void
on_null(void *context)
{
	item_set(context, CBOR_KIND_NULL, 0);
}

static void
on_float(void *context, float value)
{
	(void)value;
	item_set(context, CBOR_KIND_FLOAT, 0);
}

static void
on_double(void *context, double value)
{
	(void)value;
	item_set(context, CBOR_KIND_FLOAT, 0);
}

static void
on_indefinite(void *context)
{
	item_set(context, CBOR_KIND_INDEFINITE, 0);
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string = on_bytes,
    .byte_string_start = on_indefinite,
    .string = on_text,
    .string_start = on_indefinite,
    .array_start = on_array,
    .indef_array_start = on_indefinite,
    .map_start = on_map,
    .indef_map_start = on_indefinite,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .boolean = on_bool,
    .null = on_null,
    .undefined = on_null,
    .indef_break = on_indefinite,
};

static gsize
shortest_head(guint64 number)
{
	if (number < 24)
		return 1;
	if (number <= G_MAXUINT8)
		return 2;
	if (number <= G_MAXUINT16)
		return 3;
	return number <= G_MAXUINT32 ? 5 : 9;
}

static gboolean
kind_has_number(CborKind kind)
{
	return kind != CBOR_KIND_BOOL && kind != CBOR_KIND_NULL && kind != CBOR_KIND_FLOAT;
}

static gboolean
throw_at(const DstackCborReader *self, const gchar *field, const gchar *problem, GError **error)
{
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s at offset %" G_GSIZE_FORMAT ": %s", self->what,
			    field, self->pos, problem);
}

/* one head, with its bytes for a string; nothing is stepped over unless all is well */
static gboolean
take_item(DstackCborReader *self, const gchar *field, CborItem *out, GError **error)
{
	CborItem item = {CBOR_KIND_NONE, 0, NULL};
	struct cbor_decoder_result result = {0};
	gsize head = 0;

	if (self->pos >= self->size)
		return throw_at(self, field, "the input ends here", error);
	result = cbor_stream_decode(self->base + self->pos, self->size - self->pos, &callbacks, &item);
	if (result.status == CBOR_DECODER_NEDATA)
		return throw_at(self, field, "the input ends inside this item", error);
	if (result.status != CBOR_DECODER_FINISHED || item.kind == CBOR_KIND_NONE)
		return throw_at(self, field, "not a well-formed item", error);
	if (item.kind == CBOR_KIND_INDEFINITE)
		return throw_at(self, field, "a definite length is required", error);
	head = item.data != NULL ? (gsize)(item.data - (self->base + self->pos)) : result.read;
	if (kind_has_number(item.kind) && head != shortest_head(item.number))
		return throw_at(self, field, "not in its shortest form", error);
	self->pos += result.read;
	*out = item;
	return TRUE;
}

static gboolean
take_kind(DstackCborReader *self, const gchar *field, CborKind kind, CborItem *out, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_item(&ahead, field, &item, error))
		return FALSE;
	if (item.kind != kind) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s at offset %" G_GSIZE_FORMAT ": expected %s, found %s", self->what, field,
				    self->pos, cbor_kind_to_string(kind), cbor_kind_to_string(item.kind));
	}
	*self = ahead;
	*out = item;
	return TRUE;
}

/* as many items as the count promises need at least that many bytes */
static gboolean
ensure_count(const DstackCborReader *self, const gchar *field, const CborItem *item, GError **error)
{
	guint64 least = item->kind == CBOR_KIND_MAP ? 2 : 1;

	if (item->number <= DSTACK_LIMIT_CBOR_ITEMS && item->number * least <= self->size - self->pos)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "%s: %s before offset %" G_GSIZE_FORMAT ": count of %" G_GUINT64_FORMAT
			    " is above %d or beyond the input",
			    self->what, field, self->pos, item->number, DSTACK_LIMIT_CBOR_ITEMS);
}

static gboolean
take_count(DstackCborReader *self, const gchar *field, CborKind kind, guint *out, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(&ahead, field, kind, &item, error) || !ensure_count(&ahead, field, &item, error))
		return FALSE;
	*self = ahead;
	*out = (guint)item.number;
	return TRUE;
}

/**
 * dstack_cbor_reader_init:
 * @self: the reader
 * @base: (array length=size) (nullable): the bytes, borrowed
 * @size: number of bytes
 * @what: name of the input for errors, borrowed
 *
 * Starts reading at the first byte of @base.
 */
void
dstack_cbor_reader_init(DstackCborReader *self, const guint8 *base, gsize size, const gchar *what)
{
	*self = (DstackCborReader){.base = base, .size = size, .what = what};
}

/**
 * dstack_cbor_read_map:
 * @self: the reader
 * @field: name of the field for errors
 * @out_n_pairs: (out): number of pairs that follow
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads a map's head. Most callers want dstack_cbor_read_members(), which refuses duplicates.
 *
 * Returns: %TRUE when a map starts here whose pairs may fit into the input
 */
gboolean
dstack_cbor_read_map(DstackCborReader *self, const gchar *field, guint *out_n_pairs, GError **error)
{
	return take_count(self, field, CBOR_KIND_MAP, out_n_pairs, error);
}

/**
 * dstack_cbor_read_array:
 * @self: the reader
 * @field: name of the field for errors
 * @out_n_items: (out): number of items that follow
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when an array starts here whose items may fit into the input
 */
gboolean
dstack_cbor_read_array(DstackCborReader *self, const gchar *field, guint *out_n_items, GError **error)
{
	return take_count(self, field, CBOR_KIND_ARRAY, out_n_items, error);
}

/**
 * dstack_cbor_read_text:
 * @self: the reader
 * @field: name of the field for errors
 * @out: (out) (transfer full): the text, valid UTF-8 without NUL
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a text stands here
 */
gboolean
dstack_cbor_read_text(DstackCborReader *self, const gchar *field, gchar **out, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(&ahead, field, CBOR_KIND_TEXT, &item, error))
		return FALSE;
	if (!g_utf8_validate_len((const gchar *)item.data, (gsize)item.number, NULL))
		return throw_at(self, field, "text is not UTF-8 without NUL", error);
	*self = ahead;
	*out = g_strndup((const gchar *)item.data, (gsize)item.number);
	return TRUE;
}

/**
 * dstack_cbor_read_bytes:
 * @self: the reader
 * @field: name of the field for errors
 * @max: largest length accepted
 * @out: (out) (transfer full): a copy of the bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a byte string of at most @max bytes stands here
 */
gboolean
dstack_cbor_read_bytes(DstackCborReader *self, const gchar *field, gsize max, GBytes **out, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(&ahead, field, CBOR_KIND_BYTES, &item, error))
		return FALSE;
	if (item.number > max) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GUINT64_FORMAT,
				    self->what, field, max, item.number);
	}
	*self = ahead;
	*out = g_bytes_new(item.data, (gsize)item.number);
	return TRUE;
}

/**
 * dstack_cbor_read_fixed:
 * @self: the reader
 * @field: name of the field for errors
 * @out: (out caller-allocates): room for @size bytes
 * @size: the exact length expected
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a byte string of exactly @size bytes stands here
 */
gboolean
dstack_cbor_read_fixed(DstackCborReader *self, const gchar *field, void *out, gsize size, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(&ahead, field, CBOR_KIND_BYTES, &item, error))
		return FALSE;
	if (item.number != size) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected %" G_GSIZE_FORMAT " bytes, found %" G_GUINT64_FORMAT, self->what,
				    field, size, item.number);
	}
	*self = ahead;
	if (size > 0)
		memcpy(out, item.data, size);
	return TRUE;
}

/**
 * dstack_cbor_read_uint:
 * @self: the reader
 * @field: name of the field for errors
 * @max: largest value accepted
 * @out: (out): the number
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when an unsigned integer of at most @max stands here
 */
gboolean
dstack_cbor_read_uint(DstackCborReader *self, const gchar *field, guint64 max, guint64 *out, GError **error)
{
	DstackCborReader ahead = *self;
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(&ahead, field, CBOR_KIND_UINT, &item, error))
		return FALSE;
	if (item.number > max) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected at most %" G_GUINT64_FORMAT ", found %" G_GUINT64_FORMAT,
				    self->what, field, max, item.number);
	}
	*self = ahead;
	*out = item.number;
	return TRUE;
}

/**
 * dstack_cbor_read_bool:
 * @self: the reader
 * @field: name of the field for errors
 * @out: (out): the value
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a boolean stands here
 */
gboolean
dstack_cbor_read_bool(DstackCborReader *self, const gchar *field, gboolean *out, GError **error)
{
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (!take_kind(self, field, CBOR_KIND_BOOL, &item, error))
		return FALSE;
	*out = item.number != 0;
	return TRUE;
}

static gboolean skip_nested(DstackCborReader *self, const gchar *field, guint depth, GError **error);

/* keys of any kind; in the shortest form, equal bytes and equal keys are the same thing */
static gboolean
skip_pairs(DstackCborReader *self, const gchar *field, guint64 n, guint depth, GError **error)
{
	g_autoptr(GHashTable) seen =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);

	for (guint64 i = 0; i < n; i++) {
		gsize start = self->pos;

		if (!skip_nested(self, field, depth, error))
			return FALSE;
		if (!g_hash_table_add(seen, g_bytes_new_static(self->base + start, self->pos - start)))
			return throw_at(self, field, "a key comes twice before this", error);
		if (!skip_nested(self, field, depth, error))
			return FALSE;
	}
	return TRUE;
}

/* recursion ends at DSTACK_LIMIT_CBOR_DEPTH */
static gboolean
skip_nested(DstackCborReader *self, const gchar *field, guint depth, GError **error)
{
	CborItem item = {CBOR_KIND_NONE, 0, NULL};

	if (depth >= DSTACK_LIMIT_CBOR_DEPTH)
		return throw_at(self, field, "nested too deep", error);
	if (!take_item(self, field, &item, error))
		return FALSE;
	if (item.kind == CBOR_KIND_TEXT && !g_utf8_validate_len((const gchar *)item.data, (gsize)item.number, NULL))
		return throw_at(self, field, "text before this is not UTF-8 without NUL", error);
	if (item.kind == CBOR_KIND_TAG)
		return skip_nested(self, field, depth + 1, error);
	if (item.kind != CBOR_KIND_MAP && item.kind != CBOR_KIND_ARRAY)
		return TRUE;
	if (!ensure_count(self, field, &item, error))
		return FALSE;
	if (item.kind == CBOR_KIND_MAP)
		return skip_pairs(self, field, item.number, depth + 1, error);
	for (guint64 i = 0; i < item.number; i++) {
		if (!skip_nested(self, field, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_cbor_skip:
 * @self: the reader
 * @field: name of the field for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Steps over one item of any kind with all that it contains, to a depth of %DSTACK_LIMIT_CBOR_DEPTH. What is
 * ignored must be as sound as what is read: definite lengths, shortest forms, no key twice.
 *
 * Returns: %TRUE when a sound item stands here
 */
gboolean
dstack_cbor_skip(DstackCborReader *self, const gchar *field, GError **error)
{
	DstackCborReader ahead = *self;

	if (!skip_nested(&ahead, field, 0, error))
		return FALSE;
	*self = ahead;
	return TRUE;
}

/**
 * dstack_cbor_finish:
 * @self: the reader
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when bytes are left
 *
 * Returns: %TRUE when everything has been read
 */
gboolean
dstack_cbor_finish(const DstackCborReader *self, GError **error)
{
	if (self->pos == self->size)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "%s: %" G_GSIZE_FORMAT " trailing bytes at offset %" G_GSIZE_FORMAT, self->what,
			    self->size - self->pos, self->pos);
}

/**
 * dstack_cbor_read_members:
 * @self: the reader
 * @field: name of the field for errors
 * @member: called for each pair, with the reader at the value
 * @user_data: for @member
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, or what @member set
 *
 * Reads a map with text keys in any order and refuses a key that comes twice. @member must read or skip exactly
 * the value, which dstack_cbor_skip() does for a key it does not know.
 *
 * Returns: %TRUE when every pair has been read
 */
gboolean
dstack_cbor_read_members(DstackCborReader *self, const gchar *field, DstackCborMember member, gpointer user_data,
			 GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	DstackCborReader ahead = *self;
	guint n = 0;

	if (!dstack_cbor_read_map(&ahead, field, &n, error))
		return FALSE;
	for (guint i = 0; i < n; i++) {
		gchar *key = NULL;

		if (!dstack_cbor_read_text(&ahead, field, &key, error))
			return FALSE;
		if (!g_hash_table_add(seen, key)) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "%s: %s: a key comes twice, again before offset %" G_GSIZE_FORMAT,
					    self->what, field, ahead.pos);
		}
		if (!member(&ahead, key, user_data, error))
			return FALSE;
	}
	*self = ahead;
	return TRUE;
}
