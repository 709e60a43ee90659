/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel made from nothing: a PE image with a Linux setup header whose code returns at once, and an initrd.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* where the fields that QEMU fills stand is fixed by Linux; tests change others */
#define DSTACK_SAMPLE_KERNEL_HEAD 0x1000 /* headers, then one section of code */

/* boot protocol 2.15, can be loaded above 4 GiB */
GByteArray *dstack_sample_kernel_build(void);
/* an archive that holds one file: init */
GByteArray *dstack_sample_initrd_build(void);

G_END_DECLS
