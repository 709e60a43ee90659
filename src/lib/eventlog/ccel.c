/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The CCEL table's log area: a TCG crypto-agile log whose index is a measurement register, not a PCR.
 * Layout: TCG PC Client Platform Firmware Profile, "Event Logging"; terminators and registers:
 * tdx-measurement.md section 6, formats.md section 7.
 */

#include "config.h"

#include "eventlog/event-log.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/reader.h"

#define ALG_SHA384	    0x000c
#define INDEX_END	    0xffffffffu
#define MAX_ALGORITHMS	    16u /* the TCG registry has fewer hashes */
#define SHA1_SIZE	    20
#define LAST_REGISTER	    4
#define SPEC_ID_FIXED_BYTES 8

static const gchar spec_id_signature[16] = "Spec ID Event03";

typedef struct {
	guint16 id;
	guint16 digest_size;
} Algorithm;

/* what the header declares: every event must list just these */
typedef struct {
	Algorithm algorithms[MAX_ALGORITHMS];
	guint n;
} SpecId;

static gboolean
read_algorithm(DstackReader *reader, SpecId *spec, GError **error)
{
	Algorithm alg = {0};

	if (!dstack_reader_u16le(reader, "algorithm", &alg.id, error) ||
	    !dstack_reader_u16le(reader, "digest size", &alg.digest_size, error))
		return FALSE;
	for (guint i = 0; i < spec->n; i++) {
		if (spec->algorithms[i].id == alg.id)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "event log header: algorithm 0x%x is declared twice", alg.id);
	}
	if (alg.id == ALG_SHA384 && alg.digest_size != sizeof(DstackSha384))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log header: expected 48 bytes for SHA-384, found %u", alg.digest_size);
	spec->algorithms[spec->n++] = alg;
	return TRUE;
}

static gboolean
has_sha384(const SpecId *spec)
{
	for (guint i = 0; i < spec->n; i++) {
		if (spec->algorithms[i].id == ALG_SHA384)
			return TRUE;
	}
	return FALSE;
}

static gboolean
read_algorithms(DstackReader *reader, SpecId *spec, GError **error)
{
	guint32 n = 0;

	if (!dstack_reader_u32le(reader, "number of algorithms", &n, error))
		return FALSE;
	if (n == 0 || n > MAX_ALGORITHMS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log header: expected 1 to %u algorithms, found %u", MAX_ALGORITHMS, n);
	for (guint32 i = 0; i < n; i++) {
		if (!read_algorithm(reader, spec, error))
			return FALSE;
	}
	if (!has_sha384(spec))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log header: SHA-384 is not among its %u algorithms, and RTMRs need it", n);
	return TRUE;
}

static gboolean
read_spec_id(DstackReader *reader, SpecId *spec, GError **error)
{
	const guint8 *signature = NULL;
	guint8 vendor_size = 0;

	if (!dstack_reader_take(reader, sizeof(spec_id_signature), "signature", &signature, error))
		return FALSE;
	if (memcmp(signature, spec_id_signature, sizeof(spec_id_signature)) != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log header: expected 'Spec ID Event03', which every crypto-agile log has");
	/* platform class, version, size of a native integer: nothing depends on them */
	return dstack_reader_skip(reader, SPEC_ID_FIXED_BYTES, "platform and version", error) &&
	       read_algorithms(reader, spec, error) &&
	       dstack_reader_u8(reader, "vendor information length", &vendor_size, error) &&
	       dstack_reader_skip(reader, vendor_size, "vendor information", error) &&
	       dstack_reader_finish(reader, error);
}

/* the first entry has the old format, so that readers of old logs can step over it */
static gboolean
read_header(DstackReader *reader, SpecId *spec, GError **error)
{
	DstackReader body;
	guint32 index = 0;
	guint32 type = 0;
	guint32 size = 0;

	if (!dstack_reader_u32le(reader, "register", &index, error) ||
	    !dstack_reader_u32le(reader, "event type", &type, error))
		return FALSE;
	if (type != DSTACK_EVENT_NO_ACTION)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log: expected a header event of type 3 first, found type 0x%x", type);
	return dstack_reader_skip(reader, SHA1_SIZE, "header digest", error) &&
	       dstack_reader_u32le(reader, "header size", &size, error) &&
	       dstack_reader_sub(reader, size, "event log header", &body, error) && read_spec_id(&body, spec, error);
}

static gboolean
read_digest(DstackReader *reader, const SpecId *spec, guint32 *seen, DstackEvent *event, GError **error)
{
	gsize start = reader->pos;
	guint16 id = 0;

	if (!dstack_reader_u16le(reader, "digest algorithm", &id, error))
		return FALSE;
	for (guint i = 0; i < spec->n; i++) {
		const guint8 *digest = NULL;

		if (spec->algorithms[i].id != id || (*seen & (1u << i)) != 0)
			continue;
		*seen |= 1u << i;
		if (!dstack_reader_take(reader, spec->algorithms[i].digest_size, "digest", &digest, error))
			return FALSE;
		if (id == ALG_SHA384) {
			memcpy(event->digest.bytes, digest, sizeof(event->digest.bytes));
			event->has_digest = TRUE;
		}
		return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "event log: algorithm 0x%x at offset 0x%" G_GSIZE_MODIFIER
			    "x is not declared in the header, or comes twice",
			    id, start);
}

/* every event has one digest for each declared algorithm: count first, so that no loop runs by a hostile number */
static gboolean
read_digests(DstackReader *reader, const SpecId *spec, DstackEvent *event, GError **error)
{
	guint32 n = 0;
	guint32 seen = 0;

	if (!dstack_reader_u32le(reader, "digest count", &n, error))
		return FALSE;
	if (n != spec->n)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log: expected %u digests at offset 0x%" G_GSIZE_MODIFIER
				    "x, as the header declares, found %u",
				    spec->n, reader->pos - sizeof(n), n);
	for (guint i = 0; i < spec->n; i++) {
		if (!read_digest(reader, spec, &seen, event, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_event(DstackReader *reader, const SpecId *spec, guint32 index, DstackEventLog *log, GError **error)
{
	g_autoptr(GBytes) nothing = g_bytes_new_static(NULL, 0);
	g_autoptr(GBytes) payload = NULL;
	g_autoptr(DstackEvent) event = dstack_event_new(0, 0, "", nothing);
	guint32 size = 0;

	if (index > LAST_REGISTER)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "event log: expected register 0 to 4 at offset 0x%" G_GSIZE_MODIFIER
				    "x, found %u (a TPM's log, perhaps)",
				    reader->pos - sizeof(index), index);
	if (!dstack_reader_u32le(reader, "event type", &event->type, error) ||
	    !read_digests(reader, spec, event, error) || !dstack_reader_u32le(reader, "event size", &size, error) ||
	    !dstack_reader_take_bytes(reader, size, "event data", &payload, error))
		return FALSE;
	/* 0 is MRTD, which software cannot extend; EV_NO_ACTION is never extended */
	if (index == 0 || event->type == DSTACK_EVENT_NO_ACTION)
		return TRUE;
	if (dstack_event_log_size(log) >= DSTACK_LIMIT_EVENTS)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "event log: more than %u events",
				    (guint)DSTACK_LIMIT_EVENTS);
	event->imr = index - 1;
	g_bytes_unref(event->payload);
	event->payload = g_steal_pointer(&payload);
	g_ptr_array_add(log->events, g_steal_pointer(&event));
	return TRUE;
}

/* where the zeros begin that reach to the end: one pass, however many events look like their start */
static gsize
find_trailing_zeros(const guint8 *data, gsize size)
{
	gsize end = size;

	while (end > 0 && data[end - 1] == 0)
		end--;
	return end;
}

/**
 * dstack_event_log_parse_ccel:
 * @data: (array length=size): the log area, padding and all
 * @size: number of bytes, at most %DSTACK_LIMIT_EVENT_LOG
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED with the offset
 *
 * The log ends at register 0xFFFFFFFF, at the end of the data, or where the rest is all zero. Entries for
 * register 0 (MRTD) and of type EV_NO_ACTION extend nothing and are left out.
 *
 * Returns: (transfer full) (nullable): the events, each with its SHA-384 digest and data
 */
DstackEventLog *
dstack_event_log_parse_ccel(const guint8 *data, gsize size, GError **error)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	SpecId spec = {0};
	DstackReader reader;
	gsize zeros = 0;

	if (size > DSTACK_LIMIT_EVENT_LOG) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "event log: expected at most %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT,
				   DSTACK_LIMIT_EVENT_LOG, size);
		return NULL;
	}
	dstack_reader_init(&reader, data, size, "event log");
	if (!read_header(&reader, &spec, error))
		return NULL;
	zeros = find_trailing_zeros(data, size);
	while (reader.pos < zeros) {
		guint32 index = 0;

		if (!dstack_reader_u32le(&reader, "register", &index, error))
			return NULL;
		if (index == INDEX_END)
			break;
		if (!read_event(&reader, &spec, index, log, error))
			return NULL;
	}
	return g_steal_pointer(&log);
}
