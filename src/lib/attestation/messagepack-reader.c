/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MessagePack, value by value.
 */

#include "config.h"

#include "attestation/messagepack-reader.h"

#include "base/error.h"

#define MAX_DEPTH   16 /* attestations nest 6 deep */
#define MAX_MEMBERS 64 /* of one map with text keys: ours have up to 8 */

/* the kinds of values that we tell apart */
typedef enum {
	KIND_NIL,
	KIND_BOOL,
	KIND_UINT,
	KIND_NEGATIVE,
	KIND_FLOAT,
	KIND_TEXT,
	KIND_BIN,
	KIND_ARRAY,
	KIND_MAP,
	KIND_EXT,
	KIND_INVALID,
} Kind;

/* how the first byte of a value is read: its kind, and how many bytes of length or number follow */
typedef struct {
	Kind kind;
	guint width;
} Head;

static const Head heads[] = {
    /* 0xc0 to 0xdf */
    {KIND_NIL, 0},	{KIND_INVALID, 0},  {KIND_BOOL, 0}, {KIND_BOOL, 0}, {KIND_BIN, 1},	{KIND_BIN, 2},
    {KIND_BIN, 4},	{KIND_EXT, 1},	    {KIND_EXT, 2},  {KIND_EXT, 4},  {KIND_FLOAT, 4},	{KIND_FLOAT, 8},
    {KIND_UINT, 1},	{KIND_UINT, 2},	    {KIND_UINT, 4}, {KIND_UINT, 8}, {KIND_NEGATIVE, 1}, {KIND_NEGATIVE, 2},
    {KIND_NEGATIVE, 4}, {KIND_NEGATIVE, 8}, {KIND_EXT, 0},  {KIND_EXT, 0},  {KIND_EXT, 0},	{KIND_EXT, 0},
    {KIND_EXT, 0},	{KIND_TEXT, 1},	    {KIND_TEXT, 2}, {KIND_TEXT, 4}, {KIND_ARRAY, 2},	{KIND_ARRAY, 4},
    {KIND_MAP, 2},	{KIND_MAP, 4},
};

G_STATIC_ASSERT(G_N_ELEMENTS(heads) == 0x20);

static gboolean
read_big_endian(DstackReader *self, const gchar *field, guint width, guint64 *out, GError **error)
{
	const guint8 *bytes = NULL;
	guint64 value = 0;

	if (!dstack_reader_take(self, width, field, &bytes, error))
		return FALSE;
	for (guint i = 0; i < width; i++)
		value = (value << 8) | bytes[i];
	*out = value;
	return TRUE;
}

/* the number that the first byte itself holds, for the kinds that have one */
static gboolean
read_fix(guint8 first, Kind *kind, guint64 *value)
{
	if (first < 0x80) {
		*kind = KIND_UINT;
		*value = first;
	} else if (first < 0x90) {
		*kind = KIND_MAP;
		*value = first & 0x0f;
	} else if (first < 0xa0) {
		*kind = KIND_ARRAY;
		*value = first & 0x0f;
	} else if (first < 0xc0) {
		*kind = KIND_TEXT;
		*value = first & 0x1f;
	} else if (first >= 0xe0) {
		*kind = KIND_NEGATIVE;
		*value = first;
	} else {
		return FALSE;
	}
	return TRUE;
}

/* steps over a value's head: its kind, and its number or length */
static gboolean
read_head(DstackReader *self, const gchar *field, Kind *out_kind, guint64 *out_value, GError **error)
{
	DstackReader saved = *self;
	guint8 first = 0;
	Head head = {0};

	if (!dstack_reader_u8(self, field, &first, error))
		return FALSE;
	if (read_fix(first, out_kind, out_value))
		return TRUE;
	head = heads[first - 0xc0];
	*out_kind = head.kind;
	*out_value = first;
	/* fixext 1, 2, 4, 8, 16: the length is in the first byte, and a type byte follows as for every ext */
	if (head.kind == KIND_EXT && head.width == 0) {
		*out_value = G_GUINT64_CONSTANT(1) << (first - 0xd4);
		return TRUE;
	}
	if (head.width == 0 || read_big_endian(self, field, head.width, out_value, error))
		return TRUE;
	*self = saved;
	return FALSE;
}

static gboolean
expect(DstackReader *self, const gchar *field, Kind kind, const gchar *name, guint64 *out, GError **error)
{
	DstackReader saved = *self;
	Kind found = KIND_INVALID;
	guint64 value = 0;

	if (!read_head(self, field, &found, &value, error))
		return FALSE;
	if (found != kind) {
		*self = saved;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected %s at offset 0x%" G_GSIZE_MODIFIER
				    "x, found another kind of value",
				    self->what, field, name, saved.pos);
	}
	*out = value;
	return TRUE;
}

/**
 * dstack_msgpack_read_map:
 * @self: the reader
 * @field: name for errors
 * @out_n_pairs: (out): number of pairs, each at least two bytes of what is left
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE and steps over the map's head
 */
gboolean
dstack_msgpack_read_map(DstackReader *self, const gchar *field, guint32 *out_n_pairs, GError **error)
{
	guint64 n = 0;

	if (!expect(self, field, KIND_MAP, "a map", &n, error))
		return FALSE;
	if (n > dstack_reader_left(self) / 2)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: a map of %" G_GUINT64_FORMAT " pairs leaves the input", self->what, field,
				    n);
	*out_n_pairs = (guint32)n;
	return TRUE;
}

/**
 * dstack_msgpack_read_array:
 * @self: the reader
 * @field: name for errors
 * @out_n_items: (out): number of items, each at least one byte of what is left
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE and steps over the array's head
 */
gboolean
dstack_msgpack_read_array(DstackReader *self, const gchar *field, guint32 *out_n_items, GError **error)
{
	guint64 n = 0;

	if (!expect(self, field, KIND_ARRAY, "an array", &n, error))
		return FALSE;
	if (n > dstack_reader_left(self))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: an array of %" G_GUINT64_FORMAT " items leaves the input", self->what,
				    field, n);
	*out_n_items = (guint32)n;
	return TRUE;
}

/**
 * dstack_msgpack_read_uint:
 * @self: the reader
 * @field: name for errors
 * @max: largest value accepted
 * @out: (out): the number
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when an integer from 0 to @max comes next
 */
gboolean
dstack_msgpack_read_uint(DstackReader *self, const gchar *field, guint64 max, guint64 *out, GError **error)
{
	guint64 value = 0;

	if (!expect(self, field, KIND_UINT, "a non-negative integer", &value, error))
		return FALSE;
	if (value > max)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: expected at most %" G_GUINT64_FORMAT ", found %" G_GUINT64_FORMAT,
				    self->what, field, max, value);
	*out = value;
	return TRUE;
}

/* takes so many bytes; compares before it narrows */
static gboolean
take_sized(DstackReader *self, const gchar *field, guint64 size, const guint8 **out, GError **error)
{
	if (size > dstack_reader_left(self))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: %" G_GUINT64_FORMAT " bytes leave the input", self->what, field, size);
	return dstack_reader_take(self, (gsize)size, field, out, error);
}

/**
 * dstack_msgpack_read_text:
 * @self: the reader
 * @field: name for errors
 * @out: (out) (transfer full): the text
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a string in UTF-8 without NUL comes next
 */
gboolean
dstack_msgpack_read_text(DstackReader *self, const gchar *field, gchar **out, GError **error)
{
	const guint8 *data = NULL;
	guint64 size = 0;

	if (!expect(self, field, KIND_TEXT, "a string", &size, error) || !take_sized(self, field, size, &data, error))
		return FALSE;
	if (!g_utf8_validate_len((const gchar *)data, (gsize)size, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: expected UTF-8 without NUL", self->what,
				    field);
	*out = g_strndup((const gchar *)data, (gsize)size);
	return TRUE;
}

static gboolean
read_byte_array(DstackReader *self, const gchar *field, GBytes **out, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint32 n = 0;

	if (!dstack_msgpack_read_array(self, field, &n, error))
		return FALSE;
	for (guint32 i = 0; i < n; i++) {
		guint64 value = 0;
		guint8 byte = 0;

		if (!dstack_msgpack_read_uint(self, field, G_MAXUINT8, &value, error))
			return FALSE;
		byte = (guint8)value;
		g_byte_array_append(bytes, &byte, 1);
	}
	*out = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	return TRUE;
}

static Kind
peek_kind(const DstackReader *self)
{
	DstackReader copy = *self;
	Kind kind = KIND_INVALID;
	guint64 value = 0;

	return read_head(&copy, "value", &kind, &value, NULL) ? kind : KIND_INVALID;
}

/**
 * dstack_msgpack_read_bytes:
 * @self: the reader
 * @field: name for errors
 * @out: (out) (transfer full): the bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Encoders differ in how they write a byte vector; both ways are read.
 *
 * Returns: %TRUE when "bin" or an array of bytes comes next
 */
gboolean
dstack_msgpack_read_bytes(DstackReader *self, const gchar *field, GBytes **out, GError **error)
{
	const guint8 *data = NULL;
	guint64 size = 0;

	if (peek_kind(self) == KIND_ARRAY)
		return read_byte_array(self, field, out, error);
	if (!expect(self, field, KIND_BIN, "bytes", &size, error) || !take_sized(self, field, size, &data, error))
		return FALSE;
	*out = g_bytes_new(data, (gsize)size);
	return TRUE;
}

/**
 * dstack_msgpack_take_nil:
 * @self: the reader
 *
 * Returns: %TRUE and steps over it when nil comes next
 */
gboolean
dstack_msgpack_take_nil(DstackReader *self)
{
	return peek_kind(self) == KIND_NIL && dstack_reader_skip(self, 1, "nil", NULL);
}

/**
 * dstack_msgpack_is_text:
 * @self: the reader
 *
 * Returns: %TRUE when a string comes next
 */
gboolean
dstack_msgpack_is_text(const DstackReader *self)
{
	return peek_kind(self) == KIND_TEXT;
}

static gboolean skip_value(DstackReader *self, const gchar *field, guint depth, GError **error);

static gboolean
skip_values(DstackReader *self, const gchar *field, guint64 n, guint depth, GError **error)
{
	if (n > dstack_reader_left(self))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: %s: %" G_GUINT64_FORMAT " values leave the input", self->what, field, n);
	for (guint64 i = 0; i < n; i++) {
		if (!skip_value(self, field, depth, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
skip_value(DstackReader *self, const gchar *field, guint depth, GError **error)
{
	const guint8 *data = NULL;
	Kind kind = KIND_INVALID;
	guint64 value = 0;

	if (depth == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: nested deeper than %u", self->what, field,
				    (guint)MAX_DEPTH);
	if (!read_head(self, field, &kind, &value, error))
		return FALSE;
	switch (kind) {
	case KIND_NIL:
	case KIND_BOOL:
	case KIND_UINT:
	case KIND_NEGATIVE:
	case KIND_FLOAT:
		return TRUE;
	case KIND_TEXT:
	case KIND_BIN:
		return take_sized(self, field, value, &data, error);
	case KIND_EXT:
		return dstack_reader_skip(self, 1, "extension type", error) &&
		       take_sized(self, field, value, &data, error);
	case KIND_ARRAY:
		return skip_values(self, field, value, depth - 1, error);
	case KIND_MAP:
		return skip_values(self, field, 2 * value, depth - 1, error);
	case KIND_INVALID:
		break;
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: 0xc1 starts no value", self->what, field);
}

/**
 * dstack_msgpack_skip:
 * @self: the reader
 * @field: name for errors
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE and steps over one value of any kind
 */
gboolean
dstack_msgpack_skip(DstackReader *self, const gchar *field, GError **error)
{
	return skip_value(self, field, MAX_DEPTH, error);
}

/**
 * dstack_msgpack_read_members:
 * @self: the reader
 * @field: name for errors
 * @member: (scope call): reads one value
 * @user_data: for @member
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Returns: %TRUE when a map with distinct text keys came next and @member took every value it knows
 */
gboolean
dstack_msgpack_read_members(DstackReader *self, const gchar *field, DstackMsgpackMember member, gpointer user_data,
			    GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guint32 n = 0;

	if (!dstack_msgpack_read_map(self, field, &n, error))
		return FALSE;
	if (n > MAX_MEMBERS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: expected at most %u members, found %u",
				    self->what, field, (guint)MAX_MEMBERS, n);
	for (guint32 i = 0; i < n; i++) {
		g_autofree gchar *key = NULL;
		gboolean known = TRUE;

		if (!dstack_msgpack_read_text(self, field, &key, error))
			return FALSE;
		if (!g_hash_table_add(seen, g_strdup(key)))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s: member '%s' comes twice",
					    self->what, field, key);
		if (!member(self, key, user_data, &known, error))
			return FALSE;
		if (!known && !dstack_msgpack_skip(self, key, error))
			return FALSE;
	}
	return TRUE;
}
