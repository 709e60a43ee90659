/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Layouts: PE/COFF 8.3; Linux, Documentation/arch/x86/boot.rst and
 * Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
 */

#include "config.h"

#include "sample-kernel.h"

#include <string.h>

#include "base/writer.h"

#define PE_AT	       0x40
#define SECTION_AT     (PE_AT + 4 + 20 + 240)
#define CODE_SIZE      0x200
#define IMAGE_SIZE     0x2000
#define ENTRY_POINT    0x1000
#define BLOCK_SIZE     512
#define FILE_MODE_EXEC 0100755

static const gchar init_script[] = "#!/bin/sh\n"
				   "# The sample image has no programs: it shows preparation, not a running guest.\n"
				   "exit 0\n";

/* x86-64 EFI application: one section of code */
static void
write_pe(guint8 *head)
{
	guint8 *coff = head + PE_AT + 4;
	guint8 *optional = coff + 20;
	guint8 *section = head + SECTION_AT;

	memcpy(head, "MZ", 2);
	dstack_store_u32le(head + 0x3c, PE_AT);
	memcpy(head + PE_AT, "PE\0\0", 4);
	dstack_store_u16le(coff, 0x8664);
	dstack_store_u16le(coff + 2, 1);    /* sections */
	dstack_store_u16le(coff + 16, 240); /* optional header */
	dstack_store_u16le(coff + 18, 0x0206);
	dstack_store_u16le(optional, 0x20b);
	dstack_store_u32le(optional + 4, CODE_SIZE);
	dstack_store_u32le(optional + 16, ENTRY_POINT);
	dstack_store_u32le(optional + 20, ENTRY_POINT);
	dstack_store_u32le(optional + 32, 0x1000); /* section alignment */
	dstack_store_u32le(optional + 36, 0x200);  /* file alignment */
	dstack_store_u32le(optional + 56, IMAGE_SIZE);
	dstack_store_u32le(optional + 60, DSTACK_SAMPLE_KERNEL_HEAD);
	dstack_store_u16le(optional + 68, 10);	/* EFI application */
	dstack_store_u32le(optional + 108, 16); /* data directories */
	memcpy(section, ".text", 5);
	dstack_store_u32le(section + 8, CODE_SIZE);
	dstack_store_u32le(section + 12, ENTRY_POINT);
	dstack_store_u32le(section + 16, CODE_SIZE);
	dstack_store_u32le(section + 20, DSTACK_SAMPLE_KERNEL_HEAD);
	dstack_store_u32le(section + 36, 0x60000020); /* code, execute, read */
}

static void
write_setup_header(guint8 *head)
{
	head[0x1f1] = DSTACK_SAMPLE_KERNEL_HEAD / 512 - 1; /* setup sectors after the first */
	dstack_store_u32le(head + 0x1f4, CODE_SIZE / 16);
	dstack_store_u16le(head + 0x1fa, 0xffff); /* normal video mode */
	dstack_store_u16le(head + 0x1fe, 0xaa55);
	memcpy(head + 0x200,
	       "\xeb\x6a"
	       "HdrS",
	       6);
	dstack_store_u16le(head + 0x206, 0x020f);
	head[0x211] = 1;			      /* loaded high */
	dstack_store_u32le(head + 0x214, 0x100000);   /* 32-bit entry */
	dstack_store_u16le(head + 0x224, 0x5000);     /* heap end */
	dstack_store_u32le(head + 0x22c, 0x7fffffff); /* highest initrd address */
	dstack_store_u32le(head + 0x230, 0x200000);
	head[0x234] = 1; /* relocatable */
	head[0x235] = 21;
	dstack_store_u16le(head + 0x236, 0x007f); /* 64 bit, above 4 GiB, EFI handover, 5 levels */
	dstack_store_u32le(head + 0x238, 2047);	  /* longest command line */
	dstack_store_u64le(head + 0x258, 0x1000000);
	dstack_store_u32le(head + 0x260, 0x200000);
}

/**
 * dstack_sample_kernel_build:
 *
 * Returns: (transfer full): the file
 */
GByteArray *
dstack_sample_kernel_build(void)
{
	static const guint8 code[] = {0x31, 0xc0, 0xc3}; /* xor eax, eax; ret: EFI_SUCCESS */
	GByteArray *out = g_byte_array_new();

	dstack_append_zero(out, DSTACK_SAMPLE_KERNEL_HEAD + CODE_SIZE);
	write_pe(out->data);
	write_setup_header(out->data);
	memcpy(out->data + DSTACK_SAMPLE_KERNEL_HEAD, code, sizeof(code));
	return out;
}

static void
append_padding(GByteArray *out, guint to)
{
	dstack_append_zero(out, (to - out->len % to) % to);
}

/* a header's thirteen numbers, in order; those not named are 0: owner, times, devices, checksum */
static void
append_head(GByteArray *out, guint mode, guint size, guint name_size)
{
	const guint fields[13] = {[0] = mode != 0 ? 1 : 0, [1] = mode, [4] = 1, [6] = size, [11] = name_size};

	g_byte_array_append(out, (const guint8 *)"070701", 6);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree gchar *text = g_strdup_printf("%08X", fields[i]);

		g_byte_array_append(out, (const guint8 *)text, 8);
	}
}

static void
append_entry(GByteArray *out, const gchar *name, guint mode, const gchar *data)
{
	guint size = (guint)strlen(data);
	guint name_size = (guint)strlen(name) + 1;

	append_head(out, mode, size, name_size);
	g_byte_array_append(out, (const guint8 *)name, name_size);
	append_padding(out, 4);
	g_byte_array_append(out, (const guint8 *)data, size);
	append_padding(out, 4);
}

/**
 * dstack_sample_initrd_build:
 *
 * Returns: (transfer full): the file
 */
GByteArray *
dstack_sample_initrd_build(void)
{
	GByteArray *out = g_byte_array_new();

	append_entry(out, "init", FILE_MODE_EXEC, init_script);
	append_entry(out, "TRAILER!!!", 0, "");
	append_padding(out, BLOCK_SIZE);
	return out;
}
