/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Attestations in SCALE, version 0 (formats.md section 8). Read only; SCALE's rules are those of
 * https://docs.substrate.io/reference/scale-codec/.
 *
 * A length is compared with what is left before anything is taken, and a list grows as its items are read,
 * so memory is bounded by the input whatever it claims.
 */

#include "config.h"

#include "attestation/attestation.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/reader.h"

#define MAX_CERTIFICATES 16

/* a compact integer: the low two bits say how wide it is; the shortest width only, as its decoders demand */
static gboolean
read_compact(DstackReader *reader, const gchar *field, guint64 *out, GError **error)
{
	DstackReader saved = *reader;
	guint8 first = 0;
	gsize n_more = 0;
	const guint8 *more = NULL;
	guint64 value = 0;
	guint64 least = 0;

	if (!dstack_reader_u8(reader, field, &first, error))
		return FALSE;
	switch (first & 3) {
	case 0:
		*out = first >> 2;
		return TRUE;
	case 1:
		n_more = 1;
		least = 1u << 6;
		break;
	case 2:
		n_more = 3;
		least = 1u << 14;
		break;
	default:
		n_more = (gsize)(first >> 2) + 4;
		least = n_more == 4 ? G_GUINT64_CONSTANT(1) << 30 : G_GUINT64_CONSTANT(1) << (8 * (MIN(n_more, 8) - 1));
		break;
	}
	if (n_more > sizeof(guint64)) {
		*reader = saved;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: %s: a number of %" G_GSIZE_FORMAT " bytes does not fit in 64 bits",
				    field, n_more);
	}
	if (!dstack_reader_take(reader, n_more, field, &more, error)) {
		*reader = saved;
		return FALSE;
	}
	for (gsize i = n_more; i > 0; i--)
		value = (value << 8) | more[i - 1];
	if (n_more < 4)
		value = ((value << 8) | first) >> 2;
	if (value < least) {
		*reader = saved;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: %s: %" G_GUINT64_FORMAT " is not in its shortest form", field, value);
	}
	*out = value;
	return TRUE;
}

/* a byte string: its length, then so many bytes */
static gboolean
take_string(DstackReader *reader, const gchar *field, const guint8 **out, gsize *out_size, GError **error)
{
	DstackReader saved = *reader;
	guint64 size = 0;

	if (!read_compact(reader, field, &size, error))
		return FALSE;
	if (size > dstack_reader_left(reader)) {
		*reader = saved;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: %s: %" G_GUINT64_FORMAT " bytes at offset 0x%" G_GSIZE_MODIFIER
				    "x leave the input",
				    field, size, saved.pos);
	}
	*out_size = (gsize)size;
	return dstack_reader_take(reader, (gsize)size, field, out, error);
}

static gboolean
read_bytes(DstackReader *reader, const gchar *field, GBytes **out, GError **error)
{
	const guint8 *data = NULL;
	gsize size = 0;

	if (!take_string(reader, field, &data, &size, error))
		return FALSE;
	*out = g_bytes_new(data, size);
	return TRUE;
}

static gboolean
read_text(DstackReader *reader, const gchar *field, gchar **out, GError **error)
{
	const guint8 *data = NULL;
	gsize size = 0;

	if (!take_string(reader, field, &data, &size, error))
		return FALSE;
	/* refuses NUL too, which would cut the C string short */
	if (!g_utf8_validate_len((const gchar *)data, size, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: %s: expected UTF-8 without NUL",
				    field);
	*out = g_strndup((const gchar *)data, size);
	return TRUE;
}

/* how many items follow; a list is not allocated ahead, so a large number only means more reading */
static gboolean
read_count(DstackReader *reader, const gchar *field, guint64 max, guint64 *out, GError **error)
{
	if (!read_compact(reader, field, out, error))
		return FALSE;
	if (*out > max)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: %s: expected at most %" G_GUINT64_FORMAT
				    " items, found %" G_GUINT64_FORMAT,
				    field, max, *out);
	return TRUE;
}

static DstackEvent *
read_event(DstackReader *reader, GError **error)
{
	g_autoptr(DstackEvent) event = NULL;
	g_autoptr(GBytes) digest = NULL;
	g_autoptr(GBytes) payload = NULL;
	g_autofree gchar *name = NULL;
	guint32 imr = 0;
	guint32 type = 0;
	DstackReader bytes;

	if (!dstack_reader_u32le(reader, "imr", &imr, error) ||
	    !dstack_reader_u32le(reader, "event type", &type, error) ||
	    !read_bytes(reader, "event digest", &digest, error) || !read_text(reader, "event name", &name, error) ||
	    !read_bytes(reader, "event payload", &payload, error))
		return NULL;
	if (imr >= DSTACK_N_RTMRS) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: imr: expected 0 to 3, found %u", imr);
		return NULL;
	}
	event = dstack_event_new(imr, type, name, payload);
	if (g_bytes_get_size(digest) == 0 && dstack_event_is_runtime(event))
		return g_steal_pointer(&event);
	dstack_reader_init_bytes(&bytes, digest, "event digest");
	if (!dstack_reader_copy(&bytes, sizeof(event->digest.bytes), "SHA-384", event->digest.bytes, error) ||
	    !dstack_reader_finish(&bytes, error))
		return NULL;
	event->has_digest = TRUE;
	return g_steal_pointer(&event);
}

static DstackEventLog *
read_event_log(DstackReader *reader, GError **error)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	guint64 n = 0;

	if (!read_count(reader, "event_log", DSTACK_LIMIT_EVENTS, &n, error))
		return NULL;
	for (guint64 i = 0; i < n; i++) {
		DstackEvent *event = read_event(reader, error);

		if (event == NULL)
			return NULL;
		g_ptr_array_add(log->events, event);
	}
	return g_steal_pointer(&log);
}

static gboolean
read_tdx(DstackAttestation *self, DstackReader *reader, GError **error)
{
	if (!read_bytes(reader, "quote", &self->quote, error))
		return FALSE;
	self->event_log = read_event_log(reader, error);
	return self->event_log != NULL;
}

static gboolean
read_snp(DstackAttestation *self, DstackReader *reader, GError **error)
{
	guint64 n = 0;

	if (!read_bytes(reader, "report", &self->report, error) ||
	    !read_count(reader, "cert_chain", MAX_CERTIFICATES, &n, error))
		return FALSE;
	for (guint64 i = 0; i < n; i++) {
		GBytes *cert = NULL;

		if (!read_bytes(reader, "certificate", &cert, error))
			return FALSE;
		g_ptr_array_add(self->cert_chain, cert);
	}
	return read_text(reader, "mr_config", &self->mr_config, error);
}

static DstackEventLog *
read_runtime_events(DstackReader *reader, GError **error)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	guint64 n = 0;

	if (!read_count(reader, "runtime_events", DSTACK_LIMIT_EVENTS, &n, error))
		return NULL;
	for (guint64 i = 0; i < n; i++) {
		g_autofree gchar *name = NULL;
		g_autoptr(GBytes) payload = NULL;

		if (!read_text(reader, "runtime event name", &name, error) ||
		    !read_bytes(reader, "runtime event payload", &payload, error))
			return NULL;
		g_ptr_array_add(log->events,
				dstack_event_new(DSTACK_RUNTIME_REGISTER, DSTACK_EVENT_RUNTIME, name, payload));
	}
	return g_steal_pointer(&log);
}

static gboolean
read_platform(DstackReader *reader, DstackPlatform *out, GError **error)
{
	guint8 version = 0;
	guint8 platform = 0;

	if (!dstack_reader_u8(reader, "version", &version, error) ||
	    !dstack_reader_u8(reader, "platform", &platform, error))
		return FALSE;
	if (version != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: expected SCALE version 0, found %u",
				    version);
	if (platform > DSTACK_PLATFORM_AWS_NITRO_TPM)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: expected platform 0 to 4, found %u",
				    platform);
	*out = (DstackPlatform)platform;
	return dstack_platform_ensure_supported(*out, error);
}

/**
 * dstack_attestation_parse_scale:
 * @data: (array length=size): a SCALE-encoded attestation
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_REFUSED for a platform that is not verified here
 *
 * Returns: (transfer full) (nullable): the attestation
 */
DstackAttestation *
dstack_attestation_parse_scale(const guint8 *data, gsize size, GError **error)
{
	g_autoptr(DstackAttestation) self = NULL;
	DstackPlatform platform = DSTACK_PLATFORM_TDX;
	DstackReader reader;

	dstack_reader_init(&reader, data, size, "attestation");
	if (!read_platform(&reader, &platform, error))
		return NULL;
	self = dstack_attestation_new(platform, DSTACK_FORM_SCALE);
	if (!(platform == DSTACK_PLATFORM_TDX ? read_tdx : read_snp)(self, &reader, error))
		return NULL;
	self->runtime_events = read_runtime_events(&reader, error);
	if (self->runtime_events == NULL ||
	    !dstack_reader_copy(&reader, sizeof(self->report_data), "report_data", self->report_data, error) ||
	    !read_text(&reader, "config", &self->config, error) || !dstack_reader_finish(&reader, error))
		return NULL;
	self->has_report_data = TRUE;
	return g_steal_pointer(&self);
}
