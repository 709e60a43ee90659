/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the library knows of the outside world: the time and the roots it trusts.
 *
 * The library itself reads no clock, no environment and no absolute path; a front end fills a
 * context once and hands it down. A value type: borrowed pointers, nothing to free.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	gint64 now;          /* seconds since 1970, the time to verify at; 0 is 1970, not "ask the clock" */
	GBytes *root_der;    /* (nullable): trust this root instead of the pinned ones, and say so in every output */
	gboolean no_cache;   /* compute digests even where the cache knows them */
	const gchar *cache_dir; /* (nullable): where the digest cache lives; NULL: no cache */
} DstackContext;

G_END_DECLS
