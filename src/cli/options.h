/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Values people type: sizes, counts, times, switches.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* bytes, or a number with K, M, G, T (powers of 1024; KiB, MiB, GiB, TiB are the same) */
gboolean dstack_option_parse_size(const gchar *text, const gchar *option, guint64 *out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* a decimal number of at most max */
gboolean dstack_option_parse_uint(const gchar *text, const gchar *option, guint64 max, guint64 *out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* RFC 3339 with a zone ("2026-06-08T00:00:00Z", "…+02:00"): seconds since 1970 */
gboolean dstack_option_parse_time(const gchar *text, const gchar *option, gint64 *out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* yes/no and on/off */
gboolean dstack_option_parse_switch(const gchar *text, const gchar *option, gboolean *out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* one word of a NULL-terminated list: its index */
gboolean dstack_option_parse_choice(const gchar *text, const gchar *option, const gchar *const *choices, guint *out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
