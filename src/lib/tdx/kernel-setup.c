/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What QEMU writes into the Linux setup header when it loads a kernel for the firmware.
 * Rules: tdx-measurement.md, section 4; offsets: Linux, Documentation/arch/x86/boot.rst.
 */

#include "config.h"

#include "tdx/kernel-setup.h"

#include <string.h>

#include "base/error.h"
#include "base/reader.h"
#include "base/writer.h"
#include "tdx/authenticode.h"

/* offsets in the kernel file */
#define OLD_CMDLINE_MAGIC  0x020
#define OLD_CMDLINE_OFFSET 0x022
#define VID_MODE	   0x1fa
#define PROTOCOL	   0x206
#define TYPE_OF_LOADER	   0x210
#define LOADFLAGS	   0x211
#define RAMDISK_IMAGE	   0x218
#define RAMDISK_SIZE	   0x21c
#define HEAP_END_PTR	   0x224
#define CMD_LINE_PTR	   0x228
#define INITRD_ADDR_MAX	   0x22c
#define XLOADFLAGS	   0x236

#define LOADER_QEMU	    0xb0
#define LOADFLAG_HIGH	    0x01
#define LOADFLAG_CAN_HEAP   0x80
#define XLF_ABOVE_4G	    (1u << 1)
#define XLF_REFERENCE	    (1u << 6) /* the bit the reference tool looks at */
#define OLD_MAGIC	    0xa33f
#define INITRD_MAX_DEFAULT  G_GUINT64_CONSTANT(0x37ffffff)
#define INITRD_MAX_ABOVE_4G G_GUINT64_CONSTANT(0xffffffff)
#define LOW_MEMORY_SMALL    G_GUINT64_CONSTANT(0xb0000000)
#define LOW_MEMORY_LARGE    G_GUINT64_CONSTANT(0x80000000)
#define ACPI_RESERVE	    G_GUINT64_CONSTANT(0x28000)
#define PAGE_MASK	    (~G_GUINT64_CONSTANT(4095))

/* offsets above are constants below DSTACK_KERNEL_HEAD_SIZE, so these two need no check */
static guint16
head_u16(const guint8 head[DSTACK_KERNEL_HEAD_SIZE], gsize at)
{
	guint16 value = 0;

	memcpy(&value, head + at, sizeof(value));
	return GUINT16_FROM_LE(value);
}

static guint32
head_u32(const guint8 head[DSTACK_KERNEL_HEAD_SIZE], gsize at)
{
	guint32 value = 0;

	memcpy(&value, head + at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* the highest address the kernel lets its initrd have */
static guint64
initrd_max_address(const guint8 head[DSTACK_KERNEL_HEAD_SIZE], DstackKernelRules rules)
{
	guint16 protocol = head_u16(head, PROTOCOL);
	guint32 declared = head_u32(head, INITRD_ADDR_MAX);

	if (protocol >= 0x20c) {
		switch (rules) {
		case DSTACK_KERNEL_RULES_QEMU:
			return (head_u16(head, XLOADFLAGS) & XLF_ABOVE_4G) != 0 ? INITRD_MAX_ABOVE_4G : declared;
		case DSTACK_KERNEL_RULES_REFERENCE:
			return (head_u16(head, XLOADFLAGS) & XLF_REFERENCE) != 0 ? INITRD_MAX_ABOVE_4G
										 : INITRD_MAX_DEFAULT;
		}
	}
	if (protocol >= 0x203 && declared != 0)
		return declared;
	return INITRD_MAX_DEFAULT;
}

static gboolean
patch_initrd(guint8 head[DSTACK_KERNEL_HEAD_SIZE], const DstackKernelLoad *load, DstackKernelRules rules,
	     GError **error)
{
	guint64 max = initrd_max_address(head, rules);
	guint64 low_memory = load->memory_size < LOW_MEMORY_SMALL ? LOW_MEMORY_SMALL : LOW_MEMORY_LARGE;
	guint64 below_4g = MIN(load->memory_size, low_memory);

	if (head_u16(head, PROTOCOL) < 0x200) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "kernel: boot protocol 0x%x is too old for an initrd, expected 0x200 or later",
				    head_u16(head, PROTOCOL));
	}
	if (below_4g <= ACPI_RESERVE) {
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "memory: expected more than %" G_GUINT64_FORMAT
				    " bytes to load an initrd, found %" G_GUINT64_FORMAT,
				    ACPI_RESERVE, load->memory_size);
	}
	max = MIN(max, below_4g - ACPI_RESERVE - 1);
	if (load->initrd_size >= max) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "initrd: expected fewer than %" G_GUINT64_FORMAT
				    " bytes, which is what fits below its highest address, found %" G_GUINT64_FORMAT,
				    max, load->initrd_size);
	}
	dstack_store_u32le(head + RAMDISK_IMAGE, (guint32)((max - load->initrd_size) & PAGE_MASK));
	dstack_store_u32le(head + RAMDISK_SIZE, (guint32)load->initrd_size);
	return TRUE;
}

/* what strtoul() with base 0 takes, up to a space or the end; QEMU refuses to start on anything else */
static gboolean
video_mode_parse(const gchar *text, guint64 *out, GError **error)
{
	const gchar *number = text + strspn(text, " \t\n\v\f\r");
	gboolean negative = *number == '-';
	const gchar *digits = number + (*number == '-' || *number == '+');
	g_autofree gchar *word = NULL;
	guint64 value = 0;
	guint base = 10;

	if (g_str_has_prefix(digits, "0x") || g_str_has_prefix(digits, "0X")) {
		base = 16;
		digits += 2;
	} else if (digits[0] == '0') {
		base = 8;
	}
	word = g_strndup(digits, strcspn(digits, " "));
	if (!g_ascii_string_to_unsigned(word, base, 0, G_MAXUINT32, &value, NULL))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "command line: 'vga=%s' is no video mode, QEMU would not start with it", text);
	*out = negative ? 0 - value : value;
	return TRUE;
}

static gboolean
patch_video_mode(guint8 head[DSTACK_KERNEL_HEAD_SIZE], const gchar *cmdline, GError **error)
{
	const gchar *mode = cmdline != NULL ? strstr(cmdline, "vga=") : NULL;
	guint64 value = 0;

	if (mode == NULL)
		return TRUE;
	mode += strlen("vga=");
	if (g_str_has_prefix(mode, "normal"))
		value = 0xffff;
	else if (g_str_has_prefix(mode, "ext"))
		value = 0xfffe;
	else if (g_str_has_prefix(mode, "ask"))
		value = 0xfffd;
	else if (!video_mode_parse(mode, &value, error))
		return FALSE;
	dstack_store_u16le(head + VID_MODE, (guint16)value);
	return TRUE;
}

/* where QEMU puts the boot sector and the command line */
typedef struct {
	guint32 real;
	guint32 cmdline;
} LoadAddresses;

/*
 * Kernels of this century are loaded high and speak protocol 2.02 or later. For the others QEMU puts the command line
 * at the end of the low area, by its length; the reference tool does not look at the length.
 */
static LoadAddresses
load_addresses(const guint8 head[DSTACK_KERNEL_HEAD_SIZE], const gchar *cmdline, DstackKernelRules rules)
{
	guint16 protocol = head_u16(head, PROTOCOL);
	gboolean is_low = protocol < 0x200 || (head[LOADFLAGS] & LOADFLAG_HIGH) == 0;
	gsize length = cmdline != NULL ? strlen(cmdline) : 0;

	switch (rules) {
	case DSTACK_KERNEL_RULES_QEMU:
		if (is_low || protocol < 0x202)
			return (LoadAddresses){0x90000, 0x9a000 - (guint32)((length + 16) & ~(gsize)15)};
		break;
	case DSTACK_KERNEL_RULES_REFERENCE:
		if (is_low)
			return (LoadAddresses){0x90000, 0x9a000};
		break;
	}
	return (LoadAddresses){0x10000, 0x20000};
}

static void
patch_loader(guint8 head[DSTACK_KERNEL_HEAD_SIZE], const DstackKernelLoad *load, DstackKernelRules rules)
{
	guint16 protocol = head_u16(head, PROTOCOL);
	LoadAddresses at = load_addresses(head, load->cmdline, rules);

	if (protocol >= 0x202) {
		dstack_store_u32le(head + CMD_LINE_PTR, at.cmdline);
	} else {
		dstack_store_u16le(head + OLD_CMDLINE_MAGIC, OLD_MAGIC);
		dstack_store_u16le(head + OLD_CMDLINE_OFFSET, (guint16)(at.cmdline - at.real));
	}
	if (protocol >= 0x200)
		head[TYPE_OF_LOADER] = LOADER_QEMU;
	if (protocol < 0x201)
		return;
	head[LOADFLAGS] |= LOADFLAG_CAN_HEAP;
	if (rules == DSTACK_KERNEL_RULES_REFERENCE)
		dstack_store_u32le(head + HEAP_END_PTR, at.cmdline - at.real - 0x200);
	else
		dstack_store_u16le(head + HEAP_END_PTR, (guint16)(at.cmdline - at.real - 0x200));
}

/**
 * dstack_kernel_setup_patch:
 * @head: (inout): the first bytes of a kernel file
 * @load: how it is loaded
 * @rules: whose rules
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when QEMU would not load this kernel, initrd or command line,
 *   %DSTACK_ERROR_INVALID_ARGUMENT when the memory size is too small for anything
 *
 * Changes the setup header as QEMU does up to version 10.1. On failure @head holds no meaning.
 *
 * Returns: %TRUE and the patched head
 */
gboolean
dstack_kernel_setup_patch(guint8 head[DSTACK_KERNEL_HEAD_SIZE], const DstackKernelLoad *load, DstackKernelRules rules,
			  GError **error)
{
	if (rules == DSTACK_KERNEL_RULES_QEMU && !patch_video_mode(head, load->cmdline, error))
		return FALSE;
	patch_loader(head, load, rules);
	return !load->has_initrd || patch_initrd(head, load, rules, error);
}

static gboolean
kernel_read_head(const guint8 *kernel, gsize size, guint8 head[DSTACK_KERNEL_HEAD_SIZE], GError **error)
{
	DstackReader reader;

	dstack_reader_init(&reader, kernel, size, "kernel");
	return dstack_reader_copy(&reader, DSTACK_KERNEL_HEAD_SIZE, "setup header", head, error);
}

/**
 * dstack_kernel_digest_patched:
 * @kernel: (array length=size): a kernel file, at least %DSTACK_KERNEL_HEAD_SIZE bytes
 * @size: number of bytes
 * @load: how it is loaded
 * @rules: whose rules
 * @out: (out): Authenticode SHA-384
 * @error: (out) (optional): as dstack_kernel_setup_patch() and dstack_authenticode_sha384()
 *
 * The digest of the kernel event in RTMR1 where QEMU patches the header. For a kernel that reaches the firmware
 * as it is, that digest is dstack_authenticode_sha384() of the file.
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_kernel_digest_patched(const guint8 *kernel, gsize size, const DstackKernelLoad *load, DstackKernelRules rules,
			     DstackSha384 *out, GError **error)
{
	guint8 head[DSTACK_KERNEL_HEAD_SIZE];

	return kernel_read_head(kernel, size, head, error) && dstack_kernel_setup_patch(head, load, rules, error) &&
	       dstack_authenticode_sha384_with_head(kernel, size, head, sizeof(head), out, error);
}

/* the fields that every QEMU fills for a kernel with an initrd */
static gboolean
head_fields_are_zero(const guint8 head[DSTACK_KERNEL_HEAD_SIZE])
{
	return head[TYPE_OF_LOADER] == 0 && (head[LOADFLAGS] & LOADFLAG_CAN_HEAP) == 0 &&
	       head_u16(head, HEAP_END_PTR) == 0 && head_u32(head, CMD_LINE_PTR) == 0 &&
	       head_u32(head, RAMDISK_IMAGE) == 0 && head_u32(head, RAMDISK_SIZE) == 0;
}

/**
 * dstack_kernel_ensure_normalized:
 * @kernel: (array length=size): a kernel file
 * @size: number of bytes
 * @load: its initrd and command line
 * @out: (out): which of the two normal forms it has
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it has neither
 *
 * Checks what an image claims with kernel_header_normalized. A command line with vga= makes QEMU write one field
 * more, which must hold that value in the file already.
 *
 * Returns: %TRUE and the form
 */
gboolean
dstack_kernel_ensure_normalized(const guint8 *kernel, gsize size, const DstackKernelLoad *load,
				DstackKernelNormalized *out, GError **error)
{
	guint8 plain[DSTACK_KERNEL_HEAD_SIZE];
	guint8 filled[DSTACK_KERNEL_HEAD_SIZE];
	DstackKernelLoad at_lite = *load;

	at_lite.memory_size = DSTACK_KERNEL_LITE_MEMORY;
	if (!kernel_read_head(kernel, size, plain, error))
		return FALSE;
	memcpy(filled, plain, sizeof(filled));
	if (!dstack_kernel_setup_patch(filled, &at_lite, DSTACK_KERNEL_RULES_QEMU, error))
		return FALSE;
	if (memcmp(plain, filled, sizeof(plain)) == 0) {
		*out = DSTACK_KERNEL_NORMALIZED_FILLED;
		return TRUE;
	}
	if (head_u16(plain, PROTOCOL) >= 0x202 && head_fields_are_zero(plain) &&
	    head_u16(plain, VID_MODE) == head_u16(filled, VID_MODE)) {
		*out = DSTACK_KERNEL_NORMALIZED_ZERO;
		return TRUE;
	}
	return dstack_throw(
	    error, DSTACK_ERROR_UNSOUND,
	    "kernel: declared kernel_header_normalized, but its setup header is neither as QEMU fills it "
	    "for 0xb0000000 bytes and this initrd (expected ramdisk_image 0x%x of 0x%x bytes, found 0x%x of "
	    "0x%x) nor zero",
	    head_u32(filled, RAMDISK_IMAGE), head_u32(filled, RAMDISK_SIZE), head_u32(plain, RAMDISK_IMAGE),
	    head_u32(plain, RAMDISK_SIZE));
}

/**
 * dstack_kernel_normalized_to_string:
 * @form: a form
 *
 * Returns: its name
 */
const gchar *
dstack_kernel_normalized_to_string(DstackKernelNormalized form)
{
	switch (form) {
	case DSTACK_KERNEL_NORMALIZED_FILLED:
		return "filled";
	case DSTACK_KERNEL_NORMALIZED_ZERO:
		return "zero";
	}
	g_return_val_if_reached(NULL);
}
