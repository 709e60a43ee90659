/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Words for the journal, where there is one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	DSTACK_JOURNAL_ERROR = 3, /* syslog's numbers */
	DSTACK_JOURNAL_WARNING = 4,
	DSTACK_JOURNAL_INFO = 6,
} DstackJournalPriority;

/* what an entry is about; members may be NULL */
typedef struct {
	const gchar *domain;
	const gchar *uuid;
	const gchar *operation;
	const gchar *image;
	const gchar *variant;
} DstackJournalSubject;

/* one entry; a host without journal, or with a full one, loses it */
void dstack_journal_send(DstackJournalPriority priority, const DstackJournalSubject *subject, const gchar *message);

G_END_DECLS
