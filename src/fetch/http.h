/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One HTTPS GET, bounded in every direction: bytes, seconds, redirects. Blocks; the front ends call it from
 * where that harms nobody.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* zero values are the defaults */
typedef struct {
	gsize max_size;		    /* bytes of body, after decompression; 0: 4 MiB */
	guint timeout;		    /* seconds for the whole of it, redirects included; 0: 30 */
	GTlsDatabase *tls_database; /* (nullable): trust these CAs instead of the system's */
	GCancellable *cancellable;  /* (nullable) */
} DstackFetchOptions;

typedef struct _DstackFetchAnswer DstackFetchAnswer;

/*
 * https only; http for a loopback address, where there is nobody in between.
 * NOT_FOUND: the server says so (404); MALFORMED: too large; FAILED: network, TLS, any other status, time out.
 */
DstackFetchAnswer *dstack_fetch_get(const gchar *url, const DstackFetchOptions *options, GError **error);
void dstack_fetch_answer_free(DstackFetchAnswer *self);
GBytes *dstack_fetch_answer_peek_body(const DstackFetchAnswer *self);
/* (nullable): first header of the name, in any case */
const gchar *dstack_fetch_answer_peek_header(const DstackFetchAnswer *self, const gchar *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackFetchAnswer, dstack_fetch_answer_free)

G_END_DECLS
