/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line of `images`, wherever it comes from: the disk, or the service.
 */
#pragma once

#include "base/digest.h"
#include "cli/command.h"

G_BEGIN_DECLS

typedef struct {
	gchar *name;
	gchar *path;
	gchar *version; /* (nullable) */
	gchar *state;	/* sound, unsound, unchecked */
	gchar **tees;
	gchar **problems;
	gboolean is_dev;
	gboolean has_hash;
	DstackSha256 os_image_hash;
} DstackImageRow;

void dstack_image_row_free(DstackImageRow *self);
void dstack_image_row_print(const DstackImageRow *self, DstackCli *cli, DstackTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackImageRow, dstack_image_row_free)

G_END_DECLS
