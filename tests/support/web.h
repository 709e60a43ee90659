/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A web server on a loopback port of the system's choice, in a thread of its own, for tests of src/fetch.
 * Header only, so that only the tests that use it link libsoup.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct {
	SoupServer *server;
	GMainContext *context;
	GMainLoop *loop;
	GThread *thread;
	gchar *base; /* "http://127.0.0.1:PORT", no slash at its end */
	SoupServerCallback handler;
	gpointer user_data;
	GTlsCertificate *certificate; /* (nullable): https */
	GMutex mutex;
	GCond cond;
	gboolean ready;
} DstackTestWeb;

static inline gpointer
dstack_test_web_thread(gpointer data)
{
	DstackTestWeb *self = data;
	g_autoptr(GError) error = NULL;
	GSList *uris = NULL;

	g_main_context_push_thread_default(self->context);
	self->server = soup_server_new("tls-certificate", self->certificate, NULL);
	soup_server_add_handler(self->server, NULL, self->handler, self->user_data, NULL);
	soup_server_listen_local(
	    self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY | (self->certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0),
	    &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(self->server);
	self->base = g_strdup_printf("%s://127.0.0.1:%d", self->certificate != NULL ? "https" : "http",
				     g_uri_get_port(uris->data));
	g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
	g_mutex_lock(&self->mutex);
	self->ready = TRUE;
	g_cond_signal(&self->cond);
	g_mutex_unlock(&self->mutex);
	g_main_loop_run(self->loop);
	soup_server_disconnect(self->server);
	g_clear_object(&self->server);
	while (g_main_context_iteration(self->context, FALSE))
		;
	g_main_context_pop_thread_default(self->context);
	return NULL;
}

/* handler runs in the server's thread */
static inline void
dstack_test_web_start(DstackTestWeb *self, SoupServerCallback handler, gpointer user_data)
{
	self->handler = handler;
	self->user_data = user_data;
	self->context = g_main_context_new();
	self->loop = g_main_loop_new(self->context, FALSE);
	g_mutex_init(&self->mutex);
	g_cond_init(&self->cond);
	self->thread = g_thread_new("web", dstack_test_web_thread, self);
	g_mutex_lock(&self->mutex);
	while (!self->ready)
		g_cond_wait(&self->cond, &self->mutex);
	g_mutex_unlock(&self->mutex);
}

static inline gboolean
dstack_test_web_quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_REMOVE;
}

static inline void
dstack_test_web_stop(DstackTestWeb *self)
{
	GSource *quit = NULL;

	if (self->thread == NULL)
		return;
	/* from within the loop: quitting one that does not run yet would be lost */
	quit = g_idle_source_new();
	g_source_set_callback(quit, dstack_test_web_quit, self->loop, NULL);
	g_source_attach(quit, self->context);
	g_source_unref(quit);
	g_thread_join(g_steal_pointer(&self->thread));
	g_main_loop_unref(self->loop);
	g_main_context_unref(self->context);
	g_clear_object(&self->certificate);
	g_free(self->base);
	g_mutex_clear(&self->mutex);
	g_cond_clear(&self->cond);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackTestWeb, dstack_test_web_stop)

G_END_DECLS
