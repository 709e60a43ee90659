/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * GET with libsoup, in a main context of its own, so that a caller needs no main loop and a clock can end it.
 * Redirects are followed here and not by libsoup, because each one's address must pass the same rule.
 */

#include "config.h"

#include "fetch/http.h"

#include <libsoup/soup.h>

#include "base/error.h"
#include "base/limits.h"

#define DEFAULT_MAX_SIZE DSTACK_MIB(4)
#define DEFAULT_TIMEOUT	 30
#define MAX_REDIRECTS	 3
#define CHUNK_SIZE	 DSTACK_KIB(32)

struct _DstackFetchAnswer {
	GBytes *body;
	SoupMessageHeaders *headers;
};

/* a GET under way */
typedef struct {
	GMainContext *context;
	SoupSession *session;
	GCancellable *cancellable;
	gboolean timed_out;
	gsize max_size;
	/* of the operation that is being waited for */
	GAsyncResult *result;
} Fetch;

void
dstack_fetch_answer_free(DstackFetchAnswer *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->body, g_bytes_unref);
	g_clear_pointer(&self->headers, soup_message_headers_unref);
	g_free(self);
}

/**
 * dstack_fetch_answer_peek_body:
 * @self: an answer
 *
 * Returns: (transfer none): its body
 */
GBytes *
dstack_fetch_answer_peek_body(const DstackFetchAnswer *self)
{
	return self->body;
}

/**
 * dstack_fetch_answer_peek_header:
 * @self: an answer
 * @name: a header's name, in any case
 *
 * Returns: (transfer none) (nullable): its value
 */
const gchar *
dstack_fetch_answer_peek_header(const DstackFetchAnswer *self, const gchar *name)
{
	return soup_message_headers_get_one(self->headers, name);
}

static gboolean
is_loopback(const gchar *host)
{
	g_autoptr(GInetAddress) address = host != NULL ? g_inet_address_new_from_string(host) : NULL;

	return g_strcmp0(host, "localhost") == 0 || (address != NULL && g_inet_address_get_is_loopback(address));
}

static gboolean
ensure_url(GUri *uri, GError **error)
{
	const gchar *scheme = g_uri_get_scheme(uri);
	const gchar *host = g_uri_get_host(uri);

	if (host != NULL && host[0] != '\0' &&
	    (g_str_equal(scheme, "https") || (g_str_equal(scheme, "http") && is_loopback(host))))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
			    "'%s://%s': expected an https address (http only for the machine itself)", scheme,
			    host != NULL ? host : "");
}

static void
on_ready(GObject *source, GAsyncResult *result, gpointer user_data)
{
	Fetch *self = user_data;

	self->result = g_object_ref(result);
}

/* (transfer full): the result of the operation just begun */
static GAsyncResult *
wait_for(Fetch *self)
{
	while (self->result == NULL)
		g_main_context_iteration(self->context, TRUE);
	return g_steal_pointer(&self->result);
}

static gboolean
on_timeout(gpointer user_data)
{
	Fetch *self = user_data;

	self->timed_out = TRUE;
	g_cancellable_cancel(self->cancellable);
	return G_SOURCE_REMOVE;
}

static void
on_cancelled(GCancellable *outer, gpointer user_data)
{
	g_cancellable_cancel(user_data);
}

/* what the network says is a failure of the machine, whatever domain it has */
static gboolean
throw_network(Fetch *self, const gchar *host, GError *cause, GError **error)
{
	g_autoptr(GError) own = cause;

	if (self->timed_out)
		return dstack_throw(error, DSTACK_ERROR_FAILED, "%s: no answer in time", host);
	return dstack_throw(error, DSTACK_ERROR_FAILED, "%s: %s", host, own->message);
}

static GBytes *
read_body(Fetch *self, GInputStream *stream, const gchar *host, GError **error)
{
	g_autoptr(GByteArray) body = g_byte_array_new();

	for (;;) {
		g_autoptr(GAsyncResult) result = NULL;
		g_autoptr(GBytes) chunk = NULL;
		GError *cause = NULL;

		g_input_stream_read_bytes_async(stream, CHUNK_SIZE, G_PRIORITY_DEFAULT, self->cancellable, on_ready,
						self);
		result = wait_for(self);
		chunk = g_input_stream_read_bytes_finish(stream, result, &cause);
		if (chunk == NULL) {
			throw_network(self, host, cause, error);
			return NULL;
		}
		if (g_bytes_get_size(chunk) == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&body));
		if (g_bytes_get_size(chunk) > self->max_size - body->len) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED,
				     "%s: answer of more than %" G_GSIZE_FORMAT " bytes, which is the most accepted",
				     host, self->max_size);
			return NULL;
		}
		g_byte_array_append(body, g_bytes_get_data(chunk, NULL), (guint)g_bytes_get_size(chunk));
	}
}

static GInputStream *
send_message(Fetch *self, SoupMessage *message, const gchar *host, GError **error)
{
	g_autoptr(GAsyncResult) result = NULL;
	GInputStream *stream = NULL;
	GError *cause = NULL;

	soup_session_send_async(self->session, message, G_PRIORITY_DEFAULT, self->cancellable, on_ready, self);
	result = wait_for(self);
	stream = soup_session_send_finish(self->session, result, &cause);
	if (stream == NULL)
		throw_network(self, host, cause, error);
	return stream;
}

/* the address that a redirect leads to; NULL without an error when the message is no redirect */
static GUri *
next_uri(SoupMessage *message, GError **error)
{
	const gchar *location = soup_message_headers_get_one(soup_message_get_response_headers(message), "Location");
	guint status = soup_message_get_status(message);
	g_autoptr(GError) cause = NULL;
	GUri *uri = NULL;

	if (status != SOUP_STATUS_MOVED_PERMANENTLY && status != SOUP_STATUS_FOUND &&
	    status != SOUP_STATUS_TEMPORARY_REDIRECT && status != SOUP_STATUS_PERMANENT_REDIRECT)
		return NULL;
	if (location == NULL) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "redirect without an address");
		return NULL;
	}
	uri = g_uri_parse_relative(soup_message_get_uri(message), location, SOUP_HTTP_URI_FLAGS, &cause);
	if (uri == NULL)
		dstack_throw(error, DSTACK_ERROR_FAILED, "redirect to an address that cannot be read: %s",
			     cause->message);
	return uri;
}

static gboolean
ensure_status(SoupMessage *message, const gchar *host, GError **error)
{
	guint status = soup_message_get_status(message);
	g_autofree gchar *path = g_uri_to_string_partial(soup_message_get_uri(message), G_URI_HIDE_PASSWORD);

	if (status == SOUP_STATUS_OK)
		return TRUE;
	return dstack_throw(error, status == SOUP_STATUS_NOT_FOUND ? DSTACK_ERROR_NOT_FOUND : DSTACK_ERROR_FAILED,
			    "%s: expected status 200, found %u (%s)", path, status, soup_status_get_phrase(status));
}

/* one request; out_next gets the address of a redirect instead */
static DstackFetchAnswer *
fetch_once(Fetch *self, GUri *uri, GUri **out_next, GError **error)
{
	g_autoptr(SoupMessage) message = soup_message_new_from_uri("GET", uri);
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GError) local_error = NULL;
	const gchar *host = g_uri_get_host(uri);
	DstackFetchAnswer *answer = NULL;
	GBytes *body = NULL;

	soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
	stream = send_message(self, message, host, error);
	if (stream == NULL)
		return NULL;
	*out_next = next_uri(message, &local_error);
	if (*out_next != NULL)
		return NULL;
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (!ensure_status(message, host, error))
		return NULL;
	body = read_body(self, stream, host, error);
	if (body == NULL)
		return NULL;
	answer = g_new0(DstackFetchAnswer, 1);
	answer->body = body;
	answer->headers = soup_message_headers_ref(soup_message_get_response_headers(message));
	return answer;
}

static DstackFetchAnswer *
fetch_following(Fetch *self, GUri *first, GError **error)
{
	g_autoptr(GUri) uri = g_uri_ref(first);

	for (guint i = 0; i <= MAX_REDIRECTS; i++) {
		GUri *next = NULL;
		DstackFetchAnswer *answer = NULL;

		if (!ensure_url(uri, error))
			return NULL;
		answer = fetch_once(self, uri, &next, error);
		if (next == NULL)
			return answer;
		g_uri_unref(uri);
		uri = next;
	}
	dstack_throw(error, DSTACK_ERROR_FAILED, "%s: more than %d redirects", g_uri_get_host(first), MAX_REDIRECTS);
	return NULL;
}

/* this machine is not reached by way of another: neither its name nor what it says is a proxy's business */
static SoupSession *
session_new(const DstackFetchOptions *options, GUri *uri)
{
	SoupSession *session = soup_session_new_with_options("user-agent", PACKAGE_NAME "/" PACKAGE_VERSION,
							     "max-conns", 1, "idle-timeout", 1, NULL);

	/* nobody asked for cookies or passwords; what is compressed is unpacked below the limit on size */
	soup_session_remove_feature_by_type(session, SOUP_TYPE_COOKIE_JAR);
	soup_session_remove_feature_by_type(session, SOUP_TYPE_AUTH_MANAGER);
	if (is_loopback(g_uri_get_host(uri)))
		soup_session_set_proxy_resolver(session, NULL);
	if (options->tls_database != NULL)
		soup_session_set_tls_database(session, options->tls_database);
	return session;
}

static DstackFetchAnswer *
fetch_in_context(Fetch *self, GUri *uri, const DstackFetchOptions *options, GError **error)
{
	guint seconds = options->timeout != 0 ? options->timeout : DEFAULT_TIMEOUT;
	GSource *clock = g_timeout_source_new_seconds(seconds);
	gulong handler = 0;
	DstackFetchAnswer *answer = NULL;

	self->cancellable = g_cancellable_new();
	self->session = session_new(options, uri);
	self->max_size = options->max_size != 0 ? options->max_size : DEFAULT_MAX_SIZE;
	g_source_set_callback(clock, on_timeout, self, NULL);
	g_source_attach(clock, self->context);
	if (options->cancellable != NULL)
		handler = g_cancellable_connect(options->cancellable, G_CALLBACK(on_cancelled),
						g_object_ref(self->cancellable), g_object_unref);
	answer = fetch_following(self, uri, error);
	if (handler != 0)
		g_cancellable_disconnect(options->cancellable, handler);
	g_source_destroy(clock);
	g_source_unref(clock);
	soup_session_abort(self->session);
	g_clear_object(&self->session);
	g_clear_object(&self->cancellable);
	return answer;
}

/**
 * dstack_fetch_get:
 * @url: an https address; http for a loopback address
 * @options: bounds
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT on another address, %DSTACK_ERROR_NOT_FOUND on status
 *   404, %DSTACK_ERROR_MALFORMED on too large an answer, %DSTACK_ERROR_FAILED on anything the network does
 *
 * Certificates of the server are validated, always. At most three redirects are followed, each under the same
 * rule for addresses. Returns after @options' timeout at the latest.
 *
 * Returns: (transfer full) (nullable): the answer; free with dstack_fetch_answer_free()
 */
DstackFetchAnswer *
dstack_fetch_get(const gchar *url, const DstackFetchOptions *options, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, &cause);
	Fetch self = {0};
	DstackFetchAnswer *answer = NULL;

	if (uri == NULL) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s': %s", url, cause->message);
		return NULL;
	}
	self.context = g_main_context_new();
	g_main_context_push_thread_default(self.context);
	answer = fetch_in_context(&self, uri, options, error);
	/* what was aborted ends here, while its context is still there */
	while (g_main_context_iteration(self.context, FALSE))
		;
	g_main_context_pop_thread_default(self.context);
	g_main_context_unref(self.context);
	return answer;
}
