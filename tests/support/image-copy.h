/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The sample image, copied into a directory of its own so that a test may break it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	gchar *top;  /* holds the image and nothing else */
	gchar *path; /* of the image, "…/dstack-sample-0.1.0" */
} DstackImageCopy;

void dstack_image_copy_init(DstackImageCopy *self);
void dstack_image_copy_clear(DstackImageCopy *self);

void dstack_image_copy_write(const DstackImageCopy *self, const gchar *name, const gchar *data, gsize size);
GBytes *dstack_image_copy_read(const DstackImageCopy *self, const gchar *name);
void dstack_image_copy_remove(const DstackImageCopy *self, const gchar *name);
/* xors one byte of a file */
void dstack_image_copy_flip(const DstackImageCopy *self, const gchar *name, gsize offset);
/* writes sha256sum.txt and digest.txt anew, over the files that are there now */
void dstack_image_copy_sum(const DstackImageCopy *self);
/* a file or directory with all below */
void dstack_remove_tree(const gchar *path);

G_END_DECLS
