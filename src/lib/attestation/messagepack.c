/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Attestations in MessagePack, version 1 (formats.md section 8).
 *
 * Members may come in any order, so what a platform needs is read into one collection and checked at the end.
 */

#include "config.h"

#include "attestation/attestation.h"

#include <string.h>

#include "attestation/messagepack-reader.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"

#define MAX_CERTIFICATES 16

typedef struct {
	gboolean has_version;
	gchar *platform;
	gchar *stack;
	GBytes *quote;
	DstackEventLog *event_log;
	GBytes *report;
	GPtrArray *cert_chain;
	gchar *mr_config;
	GBytes *report_data;
	DstackEventLog *runtime_events;
	gchar *config;
} Collected;

static void
collected_clear(Collected *self)
{
	g_free(self->platform);
	g_free(self->stack);
	g_clear_pointer(&self->quote, g_bytes_unref);
	dstack_event_log_free(self->event_log);
	g_clear_pointer(&self->report, g_bytes_unref);
	g_clear_pointer(&self->cert_chain, g_ptr_array_unref);
	g_free(self->mr_config);
	g_clear_pointer(&self->report_data, g_bytes_unref);
	dstack_event_log_free(self->runtime_events);
	g_free(self->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Collected, collected_clear)

/* --- events --- */

/* an entry under way; a member that did not come stays NULL */
typedef struct {
	gboolean has_imr;
	gboolean has_type;
	guint64 imr;
	guint64 type;
	guint64 version;
	gchar *name;
	GBytes *digest;
	GBytes *payload;
	GBytes *preimage;
} Entry;

static void
entry_clear(Entry *self)
{
	g_free(self->name);
	g_clear_pointer(&self->digest, g_bytes_unref);
	g_clear_pointer(&self->payload, g_bytes_unref);
	g_clear_pointer(&self->preimage, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

/* in an entry bytes may also be hexadecimal text, as in the JSON form of a log */
static gboolean
read_entry_bytes(DstackReader *reader, const gchar *key, GBytes **out, GError **error)
{
	g_autofree gchar *text = NULL;

	if (*out != NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: event: '%s' under two names", key);
	if (!dstack_msgpack_is_text(reader))
		return dstack_msgpack_read_bytes(reader, key, out, error);
	if (!dstack_msgpack_read_text(reader, key, &text, error))
		return FALSE;
	*out = dstack_hex_decode_bytes(text, key, DSTACK_LIMIT_ATTESTATION, error);
	return *out != NULL;
}

static gboolean
read_entry_name(DstackReader *reader, const gchar *key, Entry *entry, GError **error)
{
	if (entry->name != NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: event: '%s' under two names", key);
	return dstack_msgpack_read_text(reader, key, &entry->name, error);
}

static gboolean
read_entry_member(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Entry *entry = user_data;

	if (g_str_equal(key, "imr")) {
		entry->has_imr = TRUE;
		return dstack_msgpack_read_uint(reader, key, DSTACK_N_RTMRS - 1, &entry->imr, error);
	}
	if (g_str_equal(key, "event_type")) {
		entry->has_type = TRUE;
		return dstack_msgpack_read_uint(reader, key, G_MAXUINT32, &entry->type, error);
	}
	if (g_str_equal(key, "version"))
		return dstack_msgpack_take_nil(reader) ||
		       dstack_msgpack_read_uint(reader, key, 2, &entry->version, error);
	if (g_str_equal(key, "event") || g_str_equal(key, "name"))
		return read_entry_name(reader, key, entry, error);
	if (g_str_equal(key, "digest"))
		return read_entry_bytes(reader, key, &entry->digest, error);
	if (g_str_equal(key, "event_payload") || g_str_equal(key, "payload"))
		return read_entry_bytes(reader, key, &entry->payload, error);
	if (g_str_equal(key, "preimage"))
		return dstack_msgpack_take_nil(reader) || read_entry_bytes(reader, key, &entry->preimage, error);
	*out_known = FALSE;
	return TRUE;
}

/* the same rules as for an entry of the JSON form */
static DstackEvent *
finish_event(const Entry *entry, GError **error)
{
	g_autoptr(DstackEvent) event = NULL;
	DstackReader digest;

	if (!entry->has_imr || !entry->has_type || entry->name == NULL || entry->payload == NULL ||
	    entry->version == 0) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "attestation: event: expected imr, event_type, event, event_payload, and version 1 "
				   "or 2 where there is one");
		return NULL;
	}
	event = dstack_event_new((guint)entry->imr, (guint32)entry->type, entry->name, entry->payload);
	event->version = (guint)entry->version;
	if (entry->preimage != NULL && entry->version == 2)
		event->preimage = g_bytes_ref(entry->preimage);
	if (dstack_event_is_runtime(event) && (entry->digest == NULL || g_bytes_get_size(entry->digest) == 0))
		return g_steal_pointer(&event);
	if (entry->digest == NULL) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: event: member 'digest' is missing");
		return NULL;
	}
	dstack_reader_init_bytes(&digest, entry->digest, "event digest");
	if (!dstack_reader_copy(&digest, sizeof(event->digest.bytes), "SHA-384", event->digest.bytes, error) ||
	    !dstack_reader_finish(&digest, error))
		return NULL;
	event->has_digest = TRUE;
	return g_steal_pointer(&event);
}

/* runtime: a list of {name, payload}, whose register and type go without saying */
static DstackEventLog *
read_events(DstackReader *reader, const gchar *field, gboolean runtime, GError **error)
{
	g_autoptr(DstackEventLog) log = dstack_event_log_new();
	guint32 n = 0;

	if (!dstack_msgpack_read_array(reader, field, &n, error))
		return NULL;
	if (n > DSTACK_LIMIT_EVENTS) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "attestation: %s: expected at most %u events, found %u", field,
				   (guint)DSTACK_LIMIT_EVENTS, n);
		return NULL;
	}
	for (guint32 i = 0; i < n; i++) {
		g_auto(Entry) entry = {.has_imr = runtime,
				       .has_type = runtime,
				       .imr = runtime ? DSTACK_RUNTIME_REGISTER : 0,
				       .type = runtime ? DSTACK_EVENT_RUNTIME : 0,
				       .version = 1};
		DstackEvent *event = NULL;

		if (!dstack_msgpack_read_members(reader, field, read_entry_member, &entry, error))
			return NULL;
		event = finish_event(&entry, error);
		if (event == NULL)
			return NULL;
		g_ptr_array_add(log->events, event);
	}
	return g_steal_pointer(&log);
}

/* --- platform and stack --- */

static GPtrArray *
read_certificates(DstackReader *reader, GError **error)
{
	g_autoptr(GPtrArray) certs = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	guint32 n = 0;

	if (!dstack_msgpack_read_array(reader, "cert_chain", &n, error))
		return NULL;
	if (n > MAX_CERTIFICATES) {
		(void)dstack_throw(error, DSTACK_ERROR_MALFORMED,
				   "attestation: cert_chain: expected at most %u certificates, found %u",
				   (guint)MAX_CERTIFICATES, n);
		return NULL;
	}
	for (guint32 i = 0; i < n; i++) {
		GBytes *cert = NULL;

		if (!dstack_msgpack_read_bytes(reader, "certificate", &cert, error))
			return NULL;
		g_ptr_array_add(certs, cert);
	}
	return g_steal_pointer(&certs);
}

/* members of tdx's and of sev-snp's data do not overlap, so "data" may come before "kind" */
static gboolean
read_platform_data(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Collected *self = user_data;

	if (g_str_equal(key, "quote"))
		return dstack_msgpack_read_bytes(reader, key, &self->quote, error);
	if (g_str_equal(key, "event_log")) {
		self->event_log = read_events(reader, key, FALSE, error);
		return self->event_log != NULL;
	}
	if (g_str_equal(key, "report"))
		return dstack_msgpack_read_bytes(reader, key, &self->report, error);
	if (g_str_equal(key, "cert_chain")) {
		self->cert_chain = read_certificates(reader, error);
		return self->cert_chain != NULL;
	}
	if (g_str_equal(key, "mr_config"))
		return dstack_msgpack_take_nil(reader) ||
		       dstack_msgpack_read_text(reader, key, &self->mr_config, error);
	*out_known = FALSE;
	return TRUE;
}

static gboolean
read_stack_data(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Collected *self = user_data;

	if (g_str_equal(key, "report_data"))
		return dstack_msgpack_read_bytes(reader, key, &self->report_data, error);
	if (g_str_equal(key, "runtime_events")) {
		self->runtime_events = read_events(reader, key, TRUE, error);
		return self->runtime_events != NULL;
	}
	if (g_str_equal(key, "config"))
		return dstack_msgpack_read_text(reader, key, &self->config, error);
	*out_known = FALSE; /* report_data_payload is the application's own */
	return TRUE;
}

static DstackPlatform
find_platform(const gchar *kind)
{
	DstackPlatform platform = DSTACK_PLATFORM_TDX;

	while (platform <= DSTACK_PLATFORM_AWS_NITRO_TPM && !g_str_equal(kind, dstack_platform_to_string(platform)))
		platform++;
	return platform;
}

static gboolean
read_platform_member(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Collected *self = user_data;

	if (g_str_equal(key, "kind"))
		return dstack_msgpack_read_text(reader, "platform kind", &self->platform, error);
	if (g_str_equal(key, "data"))
		return dstack_msgpack_read_members(reader, "platform data", read_platform_data, self, error);
	*out_known = FALSE;
	return TRUE;
}

static gboolean
read_stack_member(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Collected *self = user_data;

	if (g_str_equal(key, "kind"))
		return dstack_msgpack_read_text(reader, "stack kind", &self->stack, error);
	if (g_str_equal(key, "data"))
		return dstack_msgpack_read_members(reader, "stack data", read_stack_data, self, error);
	*out_known = FALSE;
	return TRUE;
}

static gboolean
read_top_member(DstackReader *reader, const gchar *key, gpointer user_data, gboolean *out_known, GError **error)
{
	Collected *self = user_data;
	guint64 version = 0;

	if (g_str_equal(key, "version")) {
		if (!dstack_msgpack_read_uint(reader, key, G_MAXUINT64, &version, error))
			return FALSE;
		if (version != 1)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "attestation: expected MessagePack version 1, found %" G_GUINT64_FORMAT,
					    version);
		self->has_version = TRUE;
		return TRUE;
	}
	if (g_str_equal(key, "platform"))
		return dstack_msgpack_read_members(reader, key, read_platform_member, self, error);
	if (g_str_equal(key, "stack"))
		return dstack_msgpack_read_members(reader, key, read_stack_member, self, error);
	*out_known = FALSE;
	return TRUE;
}

/* --- all there? --- */

static gboolean
ensure_there(gboolean there, const gchar *member, GError **error)
{
	if (there)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: member '%s' is missing", member);
}

static gboolean
check_kinds(const Collected *self, DstackPlatform *out_platform, GError **error)
{
	DstackPlatform platform = DSTACK_PLATFORM_TDX;

	if (!ensure_there(self->has_version, "version", error) ||
	    !ensure_there(self->platform != NULL, "platform", error) ||
	    !ensure_there(self->stack != NULL, "stack", error))
		return FALSE;
	platform = find_platform(self->platform);
	if (platform > DSTACK_PLATFORM_AWS_NITRO_TPM)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "attestation: unknown platform '%s'",
				    self->platform);
	if (!dstack_platform_ensure_supported(platform, error))
		return FALSE;
	if (!g_str_equal(self->stack, "dstack") && !g_str_equal(self->stack, "dstack-pod"))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: expected stack 'dstack' or 'dstack-pod', found '%s'", self->stack);
	*out_platform = platform;
	return TRUE;
}

static gboolean
check_members(const Collected *self, DstackPlatform platform, GError **error)
{
	gboolean tdx = platform == DSTACK_PLATFORM_TDX;

	if (!ensure_there(!tdx || self->quote != NULL, "quote", error) ||
	    !ensure_there(!tdx || self->event_log != NULL, "event_log", error) ||
	    !ensure_there(tdx || self->report != NULL, "report", error) ||
	    !ensure_there(tdx || self->cert_chain != NULL, "cert_chain", error) ||
	    !ensure_there(self->report_data != NULL, "report_data", error) ||
	    !ensure_there(self->runtime_events != NULL, "runtime_events", error) ||
	    !ensure_there(self->config != NULL, "config", error))
		return FALSE;
	if (g_bytes_get_size(self->report_data) != 64)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "attestation: report_data: expected 64 bytes, found %" G_GSIZE_FORMAT,
				    g_bytes_get_size(self->report_data));
	return TRUE;
}

static DstackAttestation *
finish(Collected *self, DstackPlatform platform)
{
	DstackAttestation *out = dstack_attestation_new(platform, DSTACK_FORM_MESSAGEPACK);

	if (platform == DSTACK_PLATFORM_TDX) {
		out->quote = g_steal_pointer(&self->quote);
		out->event_log = g_steal_pointer(&self->event_log);
	} else {
		out->report = g_steal_pointer(&self->report);
		out->mr_config = g_steal_pointer(&self->mr_config);
		g_ptr_array_unref(out->cert_chain);
		out->cert_chain = g_steal_pointer(&self->cert_chain);
	}
	out->runtime_events = g_steal_pointer(&self->runtime_events);
	out->config = g_steal_pointer(&self->config);
	memcpy(out->report_data, g_bytes_get_data(self->report_data, NULL), sizeof(out->report_data));
	out->has_report_data = TRUE;
	return out;
}

/**
 * dstack_attestation_parse_messagepack:
 * @data: (array length=size): a MessagePack map
 * @size: number of bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED; %DSTACK_ERROR_REFUSED for a platform that is not verified here
 *
 * Returns: (transfer full) (nullable): the attestation
 */
DstackAttestation *
dstack_attestation_parse_messagepack(const guint8 *data, gsize size, GError **error)
{
	g_auto(Collected) collected = {0};
	DstackPlatform platform = DSTACK_PLATFORM_TDX;
	DstackReader reader;

	dstack_reader_init(&reader, data, size, "attestation");
	if (!dstack_msgpack_read_members(&reader, "map", read_top_member, &collected, error) ||
	    !dstack_reader_finish(&reader, error) || !check_kinds(&collected, &platform, error) ||
	    !check_members(&collected, platform, error))
		return NULL;
	return finish(&collected, platform);
}
