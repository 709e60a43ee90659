/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Linux setup header as QEMU fills it before the firmware sees the kernel, and the digest of the kernel
 * that the firmware then measures.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* the first bytes of a kernel, of which QEMU changes a few */
#define DSTACK_KERNEL_HEAD_SIZE 0x1000

/* a memory size from which on, and at 2 GiB exactly, the patched header is the same */
#define DSTACK_KERNEL_LITE_MEMORY G_GUINT64_CONSTANT(0xb0000000)

typedef struct {
	guint64 memory_size; /* of the VM, bytes */
	gboolean has_initrd;
	guint64 initrd_size; /* bytes */
	const gchar
	    *cmdline; /* (nullable), borrowed: QEMU looks for vga= in it, and at its length for ancient kernels */
} DstackKernelLoad;

typedef enum {
	DSTACK_KERNEL_RULES_QEMU,      /* what QEMU writes, so what is measured */
	DSTACK_KERNEL_RULES_REFERENCE, /* what the reference tool takes QEMU to write: differs in corners */
} DstackKernelRules;

gboolean dstack_kernel_setup_patch(guint8 head[DSTACK_KERNEL_HEAD_SIZE], const DstackKernelLoad *load,
				   DstackKernelRules rules, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Authenticode SHA-384 of the kernel file patched for this load */
gboolean dstack_kernel_digest_patched(const guint8 *kernel, gsize size, const DstackKernelLoad *load,
				      DstackKernelRules rules, DstackSha384 *out,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* how a kernel declared kernel_header_normalized is normalized */
typedef enum {
	DSTACK_KERNEL_NORMALIZED_FILLED, /* the fields are as QEMU writes them for DSTACK_KERNEL_LITE_MEMORY */
	DSTACK_KERNEL_NORMALIZED_ZERO,	 /* they are all zero */
} DstackKernelNormalized;

/* load gives the initrd and command line; its memory size is not looked at */
gboolean dstack_kernel_ensure_normalized(const guint8 *kernel, gsize size, const DstackKernelLoad *load,
					 DstackKernelNormalized *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const gchar *dstack_kernel_normalized_to_string(DstackKernelNormalized form);

G_END_DECLS
