/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An image's self-check: every file against the manifest, every measurement computed again and compared with the
 * image's material field by field.
 */
#pragma once

#include <gio/gio.h>

#include "base/context.h"
#include "image/image.h"
#include "measure/hash-file.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_CHECK_OK,
	DSTACK_CHECK_DIFFERS, /* expected and found say how */
	DSTACK_CHECK_FAILED,  /* could not be read or computed: problem says why */
	DSTACK_CHECK_SKIPPED, /* left out as options->skip_above asks; not a problem */
} DstackCheckOutcome;

/* a file of the manifest, or a field of a kind of material */
typedef struct {
	DstackCheckOutcome outcome;
	gchar *kind;	 /* "file", "tdx", "snp", "gcp", "aws" */
	gchar *name;	 /* "bzImage", "kernel_authenticode" */
	gchar *expected; /* (nullable): by the manifest; computed from the files */
	gchar *found;	 /* (nullable): of the file; in the material */
	gchar *problem;	 /* (nullable): a sentence */
	guint64 size;	 /* of a file, bytes */
} DstackCheckItem;

typedef struct {
	gchar *image;
	gchar *path;
	gchar *version; /* (nullable) */
	DstackSha256 os_image_hash;
	gboolean sound;
	GPtrArray *items;    /* (element-type DstackCheckItem) */
	GPtrArray *problems; /* (element-type utf8): why it is not sound, one sentence each */
	GPtrArray *notes;    /* (element-type utf8): what else is worth knowing */
} DstackCheckReport;

typedef struct {
	gboolean material_only; /* look at no file but those that opening the image has read */
	/* leave out a file larger than this (bytes) that the cache does not know; 0: leave out none */
	guint64 skip_above;
	DstackHashProgress progress; /* (nullable) */
	gpointer user_data;
	GCancellable *cancellable; /* (nullable) */
} DstackCheckOptions;

/* an error only where nothing can be said: cancelled, or out of order as a whole; what is unsound is in the report */
DstackCheckReport *dstack_check_image(const DstackImage *image, const DstackContext *context,
				      const DstackCheckOptions *options, GError **error);
void dstack_check_report_free(DstackCheckReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackCheckReport, dstack_check_report_free)

/* UNSOUND with the first problem, and how many more there are */
gboolean dstack_check_report_ensure_sound(const DstackCheckReport *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
JsonNode *dstack_check_report_to_json(const DstackCheckReport *self);

G_END_DECLS
