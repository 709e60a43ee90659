/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "fetch/http.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "support/pki.h"
#include "support/web.h"

#define MAX_SIZE 4096

/* LeakSanitizer of Clang 14 crashes at exit once GnuTLS has been loaded as a module */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN TRUE
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN FALSE
#endif

/* /SIZE/n: n bytes; /status/n; /hop/n: n redirects; /to?URL; /hang: headers and silence; /plain */
static void
handle(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
	SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
	SoupMessageBody *body = soup_server_message_get_response_body(message);
	guint64 n = 0;

	soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
	soup_message_headers_append(headers, "X-Chain", "%2d%2dBEGIN");
	if (g_str_has_prefix(path, "/size/") && g_ascii_string_to_unsigned(path + 6, 10, 0, 1 << 24, &n, NULL)) {
		gchar *bytes = g_malloc(n + 1);

		memset(bytes, 'x', n + 1);
		soup_message_body_append(body, SOUP_MEMORY_TAKE, bytes, n);
	} else if (g_str_has_prefix(path, "/status/") && g_ascii_string_to_unsigned(path + 8, 10, 0, 999, &n, NULL)) {
		soup_server_message_set_status(message, (guint)n, NULL);
	} else if (g_str_has_prefix(path, "/hop/") && g_ascii_string_to_unsigned(path + 5, 10, 0, 99, &n, NULL)) {
		g_autofree gchar *next = n > 1 ? g_strdup_printf("/hop/%u", (guint)n - 1) : g_strdup("/plain");

		soup_server_message_set_redirect(message, SOUP_STATUS_FOUND, next);
	} else if (g_str_has_prefix(path, "/to/")) {
		soup_server_message_set_redirect(message, SOUP_STATUS_FOUND, path + 4);
	} else if (g_str_equal(path, "/hang")) {
		soup_server_message_pause(message);
	} else {
		soup_message_body_append(body, SOUP_MEMORY_STATIC, "hello", 5);
	}
}

static DstackFetchAnswer *
get(DstackTestWeb *web, const gchar *path, const DstackFetchOptions *options, GError **error)
{
	g_autofree gchar *url = g_strconcat(web->base, path, NULL);

	return dstack_fetch_get(url, options, error);
}

static void
gets_body_and_headers(void)
{
	g_auto(DstackTestWeb) web = {0};
	g_autoptr(DstackFetchAnswer) answer = NULL;
	g_autoptr(GError) error = NULL;
	DstackFetchOptions options = {0};
	GBytes *body = NULL;

	dstack_test_web_start(&web, handle, NULL);
	answer = get(&web, "/plain", &options, &error);
	g_assert_no_error(error);
	body = dstack_fetch_answer_peek_body(answer);
	g_assert_cmpmem(g_bytes_get_data(body, NULL), (int)g_bytes_get_size(body), "hello", 5);
	g_assert_cmpstr(dstack_fetch_answer_peek_header(answer, "x-chain"), ==, "%2d%2dBEGIN");
	g_assert_null(dstack_fetch_answer_peek_header(answer, "X-Other"));
}

static const struct {
	const gchar *path;
	gint code; /* -1: good */
} answers[] = {
    {"/size/0", -1},
    {"/size/4096", -1},
    {"/size/4097", DSTACK_ERROR_MALFORMED},
    {"/size/1000000", DSTACK_ERROR_MALFORMED},
    {"/hop/1", -1},
    {"/hop/3", -1},
    {"/hop/4", DSTACK_ERROR_FAILED},
    {"/status/404", DSTACK_ERROR_NOT_FOUND},
    {"/status/429", DSTACK_ERROR_FAILED},
    {"/status/500", DSTACK_ERROR_FAILED},
    {"/status/204", DSTACK_ERROR_FAILED},
    {"/to/http://192.0.2.1/plain", DSTACK_ERROR_INVALID_ARGUMENT},
    {"/to/file:///etc/passwd", DSTACK_ERROR_INVALID_ARGUMENT},
};

static void
keeps_to_its_bounds(void)
{
	g_auto(DstackTestWeb) web = {0};
	DstackFetchOptions options = {.max_size = MAX_SIZE};

	dstack_test_web_start(&web, handle, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackFetchAnswer) answer = get(&web, answers[i].path, &options, &error);

		g_test_message("%s: %s", answers[i].path, error != NULL ? error->message : "good");
		if (answers[i].code < 0)
			g_assert_no_error(error);
		else
			g_assert_error(error, DSTACK_ERROR, answers[i].code);
		g_assert_cmpint(answer != NULL, ==, answers[i].code < 0);
	}
}

static void
ends_when_its_time_is_up(void)
{
	g_auto(DstackTestWeb) web = {0};
	g_autoptr(GError) error = NULL;
	DstackFetchOptions options = {.timeout = 1};
	gint64 start = g_get_monotonic_time();

	dstack_test_web_start(&web, handle, NULL);
	g_assert_null(get(&web, "/hang", &options, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "no answer in time"));
	g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
}

static gpointer
cancel_soon(gpointer data)
{
	g_usleep(50 * 1000);
	g_cancellable_cancel(data);
	return NULL;
}

static void
can_be_cancelled(void)
{
	g_auto(DstackTestWeb) web = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	DstackFetchOptions options = {.cancellable = cancellable};
	GThread *thread = NULL;

	dstack_test_web_start(&web, handle, NULL);
	thread = g_thread_new("cancel", cancel_soon, cancellable);
	g_assert_null(get(&web, "/hang", &options, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_thread_join(thread);
	g_clear_error(&error);
	/* and what was cancelled before it began does not begin */
	g_assert_null(get(&web, "/plain", &options, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
}

static const gchar *const bad_urls[] = {
    "http://192.0.2.1/", "ftp://example.com/", "file:///etc/passwd",	    "",
    "nonsense",		 "https://",	       "http://localhost.example/",
};

static void
takes_https_only(void)
{
	DstackFetchOptions options = {.timeout = 1};

	for (gsize i = 0; i < G_N_ELEMENTS(bad_urls); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_fetch_get(bad_urls[i], &options, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	}
}

/* a certificate for 127.0.0.1 from nobody, with its key */
static GTlsCertificate *
self_signed(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *pem = dstack_pki_server_pem("127.0.0.1");
	GTlsCertificate *certificate = g_tls_certificate_new_from_pem(pem, -1, &error);

	g_assert_no_error(error);
	return certificate;
}

static void
validates_the_servers_certificate(void)
{
	g_auto(DstackTestWeb) web = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackFetchAnswer) answer = NULL;
	g_autoptr(GTlsDatabase) trusted = NULL;
	g_autofree gchar *pem = NULL;
	g_autofree gchar *path = NULL;
	DstackFetchOptions options = {.timeout = 10};
	int fd = -1;

	if (UNDER_ASAN) {
		g_test_skip("not under AddressSanitizer");
		return;
	}
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_test_skip("GIO has no TLS here (glib-networking)");
		return;
	}
	web.certificate = self_signed();
	dstack_test_web_start(&web, handle, NULL);
	g_assert_null(get(&web, "/plain", &options, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_FAILED);
	g_test_message("%s", error->message);
	g_clear_error(&error);

	/* and it is the certificate alone that was wrong */
	fd = g_file_open_tmp("test-fetch-XXXXXX", &path, &error);
	g_assert_no_error(error);
	g_close(fd, NULL);
	g_object_get(web.certificate, "certificate-pem", &pem, NULL);
	g_assert_true(g_file_set_contents(path, pem, -1, NULL));
	trusted = g_tls_file_database_new(path, &error);
	g_assert_no_error(error);
	options.tls_database = trusted;
	answer = get(&web, "/plain", &options, &error);
	g_assert_no_error(error);
	g_assert_nonnull(answer);
	g_unlink(path);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fetch/http/gets-body-and-headers", gets_body_and_headers);
	g_test_add_func("/fetch/http/keeps-to-its-bounds", keeps_to_its_bounds);
	g_test_add_func("/fetch/http/ends-when-its-time-is-up", ends_when_its_time_is_up);
	g_test_add_func("/fetch/http/can-be-cancelled", can_be_cancelled);
	g_test_add_func("/fetch/http/takes-https-only", takes_https_only);
	g_test_add_func("/fetch/http/validates-the-servers-certificate", validates_the_servers_certificate);
	return g_test_run();
}
