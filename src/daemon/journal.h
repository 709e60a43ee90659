/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the service says to the host's log, with fields to search by.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void dstack_journal_prepared(const gchar *image, const gchar *os_image_hash, const gchar *variant, const gchar *domain,
			     const gchar *caller);
void dstack_journal_refused(const gchar *image, const gchar *reason, const gchar *domain, const gchar *caller);
void dstack_journal_image(const gchar *image, const gchar *state, const gchar *problem);

G_END_DECLS
