/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The setup header: the first bytes say how the kernel is loaded, the rest is the kernel.
 */

#include "config.h"

#include "base/reader.h"
#include "fuzz/fuzz.h"
#include "tdx/kernel-setup.h"

#define CMDLINE_SIZE 16

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	DstackReader reader;
	DstackKernelLoad load = {.has_initrd = TRUE};
	DstackKernelNormalized form;
	DstackSha384 digest;
	gchar cmdline[CMDLINE_SIZE + 1] = {0};

	dstack_reader_init(&reader, data, size, "fuzz");
	if (!dstack_reader_u64le(&reader, "memory size", &load.memory_size, NULL) ||
	    !dstack_reader_u64le(&reader, "initrd size", &load.initrd_size, NULL) ||
	    !dstack_reader_copy(&reader, CMDLINE_SIZE, "command line", cmdline, NULL))
		return 0;
	load.cmdline = cmdline;
	data = dstack_reader_peek(&reader);
	size = dstack_reader_left(&reader);
	(void)!dstack_kernel_ensure_normalized(data, size, &load, &form, NULL);
	(void)!dstack_kernel_digest_patched(data, size, &load, DSTACK_KERNEL_RULES_REFERENCE, &digest, NULL);
	load.has_initrd = dstack_kernel_digest_patched(data, size, &load, DSTACK_KERNEL_RULES_QEMU, &digest, NULL);
	(void)!dstack_kernel_digest_patched(data, size, &load, DSTACK_KERNEL_RULES_QEMU, &digest, NULL);
	return 0;
}
