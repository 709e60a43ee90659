/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a domain shares files with its guest: a directory, and perhaps a disk made from it.
 */
#pragma once

#include <glib.h>

#include "launch/domain.h"
#include "launch/settings.h"

G_BEGIN_DECLS

typedef struct {
	gchar *dir;
	int dirfd;
	gchar *disk; /* (nullable): the guest reads a FAT disk, not the directory itself */
} DstackShare;

/*
 * The directory of the metadata, else of the 9p filesystem; where both are named they must be one.
 * A domain that has none, or none that the settings allow, is refused.
 */
DstackShare *dstack_share_open(const DstackDomain *domain, const DstackSettings *settings, GError **error);
void dstack_share_free(DstackShare *self);

/* an open directory lies below one of the roots; no roots allow everything */
gboolean dstack_share_ensure_allowed(int dirfd, const gchar *path, const DstackSettings *settings,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackShare, dstack_share_free)

G_END_DECLS
