/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Opening a name that must resolve below a directory, also through symlinks.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* returns a descriptor, or -1 with errno set: EXDEV when the name leads out of the directory */
int dstack_open_beneath(int dirfd, const gchar *name);
/* the same for kernels without openat2() */
int dstack_open_beneath_walk(int dirfd, const gchar *name);

G_END_DECLS
