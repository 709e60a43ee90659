/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writing what attestation/ reads.
 */

#include "config.h"

#include "support/attestation-builder.h"

#include <string.h>

#include "base/writer.h"

/* --- SCALE --- */

void
dstack_test_scale_append_compact(GByteArray *out, guint64 value)
{
	if (value < (1u << 6)) {
		dstack_append_u8(out, (guint8)(value << 2));
	} else if (value < (1u << 14)) {
		dstack_append_u16le(out, (guint16)(value << 2 | 1));
	} else if (value < (1u << 30)) {
		dstack_append_u32le(out, (guint32)(value << 2 | 2));
	} else {
		guint n = 4;

		while (n < 8 && value >> (8 * n) != 0)
			n++;
		dstack_append_u8(out, (guint8)((n - 4) << 2 | 3));
		for (guint i = 0; i < n; i++)
			dstack_append_u8(out, (guint8)(value >> (8 * i)));
	}
}

static void
append(GByteArray *out, gconstpointer data, gsize size)
{
	if (size > 0)
		g_byte_array_append(out, data, (guint)size);
}

void
dstack_test_scale_append_string(GByteArray *out, gconstpointer data, gsize size)
{
	dstack_test_scale_append_compact(out, size);
	append(out, data, size);
}

static void
scale_text(GByteArray *out, const gchar *text)
{
	dstack_test_scale_append_string(out, text, strlen(text));
}

static void
scale_bytes(GByteArray *out, GBytes *bytes)
{
	dstack_test_scale_append_string(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
scale_event_log(GByteArray *out, const DstackEventLog *log)
{
	dstack_test_scale_append_compact(out, dstack_event_log_size(log));
	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		const DstackEvent *event = dstack_event_log_get(log, i);

		dstack_append_u32le(out, event->imr);
		dstack_append_u32le(out, event->type);
		dstack_test_scale_append_string(out, event->digest.bytes,
						event->has_digest ? sizeof(event->digest.bytes) : 0);
		scale_text(out, event->name);
		scale_bytes(out, event->payload);
	}
}

static void
scale_runtime_events(GByteArray *out, const DstackEventLog *log)
{
	dstack_test_scale_append_compact(out, dstack_event_log_size(log));
	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		scale_text(out, dstack_event_log_get(log, i)->name);
		scale_bytes(out, dstack_event_log_get(log, i)->payload);
	}
}

GBytes *
dstack_test_scale_build(const DstackAttestation *from)
{
	GByteArray *out = g_byte_array_new();

	dstack_append_u8(out, 0);
	dstack_append_u8(out, (guint8)from->platform);
	if (from->platform == DSTACK_PLATFORM_TDX) {
		scale_bytes(out, from->quote);
		scale_event_log(out, from->event_log);
	} else {
		scale_bytes(out, from->report);
		dstack_test_scale_append_compact(out, from->cert_chain->len);
		for (guint i = 0; i < from->cert_chain->len; i++)
			scale_bytes(out, g_ptr_array_index(from->cert_chain, i));
		scale_text(out, from->mr_config);
	}
	scale_runtime_events(out, from->runtime_events);
	append(out, from->report_data, sizeof(from->report_data));
	scale_text(out, from->config);
	return g_byte_array_free_to_bytes(out);
}

/* --- MessagePack --- */

static void
append_be(GByteArray *out, guint64 value, guint width)
{
	for (guint i = width; i > 0; i--)
		dstack_append_u8(out, (guint8)(value >> (8 * (i - 1))));
}

/* the shortest head: fix form below the limit, then 16 and 32 bits (8 where there is one) */
static void
append_head(GByteArray *out, guint8 fix, guint limit, guint8 first8, guint8 first16, gsize n)
{
	if (n < limit) {
		dstack_append_u8(out, (guint8)(fix | n));
	} else if (first8 != 0 && n <= G_MAXUINT8) {
		dstack_append_u8(out, first8);
		append_be(out, n, 1);
	} else if (n <= G_MAXUINT16) {
		dstack_append_u8(out, first16);
		append_be(out, n, 2);
	} else {
		dstack_append_u8(out, (guint8)(first16 + 1));
		append_be(out, n, 4);
	}
}

void
dstack_test_msgpack_append_map(GByteArray *out, guint n)
{
	append_head(out, 0x80, 16, 0, 0xde, n);
}

void
dstack_test_msgpack_append_array(GByteArray *out, guint n)
{
	append_head(out, 0x90, 16, 0, 0xdc, n);
}

void
dstack_test_msgpack_append_text(GByteArray *out, const gchar *text)
{
	append_head(out, 0xa0, 32, 0xd9, 0xda, strlen(text));
	append(out, text, strlen(text));
}

void
dstack_test_msgpack_append_uint(GByteArray *out, guint64 value)
{
	if (value < 0x80) {
		dstack_append_u8(out, (guint8)value);
	} else if (value <= G_MAXUINT8) {
		dstack_append_u8(out, 0xcc);
		append_be(out, value, 1);
	} else if (value <= G_MAXUINT16) {
		dstack_append_u8(out, 0xcd);
		append_be(out, value, 2);
	} else if (value <= G_MAXUINT32) {
		dstack_append_u8(out, 0xce);
		append_be(out, value, 4);
	} else {
		dstack_append_u8(out, 0xcf);
		append_be(out, value, 8);
	}
}

void
dstack_test_msgpack_append_bytes(GByteArray *out, gconstpointer data, gsize size, gboolean as_array)
{
	const guint8 *bytes = data;

	if (!as_array) {
		append_head(out, 0, 0, 0xc4, 0xc5, size);
		append(out, data, size);
		return;
	}
	dstack_test_msgpack_append_array(out, (guint)size);
	for (gsize i = 0; i < size; i++)
		dstack_test_msgpack_append_uint(out, bytes[i]);
}

static void
pack_bytes(GByteArray *out, const gchar *key, GBytes *bytes, gboolean as_array)
{
	dstack_test_msgpack_append_text(out, key);
	dstack_test_msgpack_append_bytes(out, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), as_array);
}

static void
pack_text(GByteArray *out, const gchar *key, const gchar *text)
{
	dstack_test_msgpack_append_text(out, key);
	dstack_test_msgpack_append_text(out, text);
}

static void
pack_uint(GByteArray *out, const gchar *key, guint64 value)
{
	dstack_test_msgpack_append_text(out, key);
	dstack_test_msgpack_append_uint(out, value);
}

static void
pack_event_log(GByteArray *out, const DstackEventLog *log, gboolean as_array)
{
	dstack_test_msgpack_append_array(out, dstack_event_log_size(log));
	for (guint i = 0; i < dstack_event_log_size(log); i++) {
		const DstackEvent *event = dstack_event_log_get(log, i);

		dstack_test_msgpack_append_map(out, 5);
		pack_uint(out, "imr", event->imr);
		pack_uint(out, "event_type", event->type);
		dstack_test_msgpack_append_text(out, "digest");
		dstack_test_msgpack_append_bytes(out, event->digest.bytes,
						 event->has_digest ? sizeof(event->digest.bytes) : 0, as_array);
		pack_text(out, "event", event->name);
		pack_bytes(out, "event_payload", event->payload, as_array);
	}
}

static void
pack_platform(GByteArray *out, const DstackAttestation *from, gboolean as_array)
{
	dstack_test_msgpack_append_text(out, "platform");
	dstack_test_msgpack_append_map(out, 2);
	pack_text(out, "kind", dstack_platform_to_string(from->platform));
	dstack_test_msgpack_append_text(out, "data");
	if (from->platform == DSTACK_PLATFORM_TDX) {
		dstack_test_msgpack_append_map(out, 2);
		pack_bytes(out, "quote", from->quote, as_array);
		dstack_test_msgpack_append_text(out, "event_log");
		pack_event_log(out, from->event_log, as_array);
		return;
	}
	dstack_test_msgpack_append_map(out, 3);
	pack_bytes(out, "report", from->report, as_array);
	dstack_test_msgpack_append_text(out, "cert_chain");
	dstack_test_msgpack_append_array(out, from->cert_chain->len);
	for (guint i = 0; i < from->cert_chain->len; i++) {
		GBytes *cert = g_ptr_array_index(from->cert_chain, i);

		dstack_test_msgpack_append_bytes(out, g_bytes_get_data(cert, NULL), g_bytes_get_size(cert), as_array);
	}
	pack_text(out, "mr_config", from->mr_config);
}

static void
pack_stack(GByteArray *out, const DstackAttestation *from, gboolean as_array)
{
	const DstackEventLog *events = from->runtime_events;

	dstack_test_msgpack_append_text(out, "stack");
	dstack_test_msgpack_append_map(out, 2);
	pack_text(out, "kind", "dstack");
	dstack_test_msgpack_append_text(out, "data");
	dstack_test_msgpack_append_map(out, 4);
	dstack_test_msgpack_append_text(out, "report_data");
	dstack_test_msgpack_append_bytes(out, from->report_data, sizeof(from->report_data), as_array);
	dstack_test_msgpack_append_text(out, "runtime_events");
	dstack_test_msgpack_append_array(out, dstack_event_log_size(events));
	for (guint i = 0; i < dstack_event_log_size(events); i++) {
		dstack_test_msgpack_append_map(out, 2);
		pack_text(out, "event", dstack_event_log_get(events, i)->name);
		pack_bytes(out, "payload", dstack_event_log_get(events, i)->payload, as_array);
	}
	pack_text(out, "config", from->config);
	pack_text(out, "report_data_payload", "of the application");
}

GBytes *
dstack_test_msgpack_build(const DstackAttestation *from, gboolean bytes_as_arrays)
{
	GByteArray *out = g_byte_array_new();

	dstack_test_msgpack_append_map(out, 3);
	pack_uint(out, "version", 1);
	pack_platform(out, from, bytes_as_arrays);
	pack_stack(out, from, bytes_as_arrays);
	return g_byte_array_free_to_bytes(out);
}

/* --- evidence --- */

static void
add_event(DstackEventLog *log, guint imr, guint32 type, const gchar *name, const gchar *payload)
{
	g_autoptr(GBytes) bytes = g_bytes_new(payload, strlen(payload));
	DstackEvent *event = dstack_event_new(imr, type, name, bytes);

	event->has_digest = type != DSTACK_EVENT_RUNTIME;
	g_ptr_array_add(log->events, event);
}

DstackAttestation *
dstack_test_attestation_new(DstackPlatform platform)
{
	DstackAttestation *self = dstack_attestation_new(platform, DSTACK_FORM_SCALE);

	self->config = g_strdup("{\"os_image_hash\":\"00\"}");
	self->has_report_data = TRUE;
	memset(self->report_data, 0x5a, sizeof(self->report_data));
	self->runtime_events = dstack_event_log_new();
	add_event(self->runtime_events, 3, DSTACK_EVENT_RUNTIME, "app-id", "\xab\xcd");
	if (platform == DSTACK_PLATFORM_TDX) {
		self->quote = g_bytes_new_static("no real quote", 13);
		self->event_log = dstack_event_log_new();
		add_event(self->event_log, 0, DSTACK_EVENT_ACPI_DATA, DSTACK_LABEL_ACPI_LOADER, "ACPI DATA");
		add_event(self->event_log, 3, DSTACK_EVENT_RUNTIME, "app-id", "\xab\xcd");
	} else {
		self->report = g_bytes_new_static("no real report", 14);
		g_ptr_array_add(self->cert_chain, g_bytes_new_static("ask", 3));
		g_ptr_array_add(self->cert_chain, g_bytes_new_static("vcek", 4));
		self->mr_config = g_strdup("{}");
	}
	return self;
}
