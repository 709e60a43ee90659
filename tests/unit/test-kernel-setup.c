/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The setup header as QEMU fills it. QEMU 7.2 was asked over qtest (fw_cfg item 0x18) for kernels with these
 * fields, and wrote these values.
 */

#include "config.h"

#include "tdx/kernel-setup.h"

#include <string.h>

#include "base/writer.h"
#include "dstack/error.h"
#include "sample-kernel.h"
#include "tdx/authenticode.h"

#define MIB(n) ((guint64)(n) << 20)

static guint32
u32_at(const guint8 *head, gsize at)
{
	guint32 value = 0;

	memcpy(&value, head + at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static guint16
u16_at(const guint8 *head, gsize at)
{
	guint16 value = 0;

	memcpy(&value, head + at, sizeof(value));
	return GUINT16_FROM_LE(value);
}

static void
build_head(guint8 head[DSTACK_KERNEL_HEAD_SIZE])
{
	g_autoptr(GByteArray) kernel = dstack_sample_kernel_build();

	memcpy(head, kernel->data, DSTACK_KERNEL_HEAD_SIZE);
}

/* the address that QEMU gives an initrd of 12345678 bytes, by memory size */
static void
places_the_initrd(void)
{
	static const struct {
		guint64 memory_size;
		guint32 address;
	} cases[] = {
	    {MIB(512), 0x1f411000},  {MIB(1024), 0x3f411000}, {MIB(2048), 0x7f411000},
	    {MIB(2560), 0x9f411000}, {MIB(2815), 0xaf311000}, {MIB(2816), 0x7f411000},
	    {MIB(3072), 0x7f411000}, {MIB(4096), 0x7f411000}, {G_MAXUINT64, 0x7f411000},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const DstackKernelLoad load = {cases[i].memory_size, TRUE, 12345678, "console=ttyS0"};
		g_autoptr(GError) error = NULL;
		guint8 head[DSTACK_KERNEL_HEAD_SIZE];

		build_head(head);
		g_assert_true(dstack_kernel_setup_patch(head, &load, DSTACK_KERNEL_RULES_QEMU, &error));
		g_assert_cmphex(u32_at(head, 0x218), ==, cases[i].address);
		g_assert_cmpuint(u32_at(head, 0x21c), ==, 12345678);
		g_assert_cmphex(head[0x210], ==, 0xb0);
		g_assert_cmphex(head[0x211], ==, 0x81);
		g_assert_cmphex(u16_at(head, 0x224), ==, 0xfe00);
		g_assert_cmphex(u32_at(head, 0x228), ==, 0x20000);
	}
}

/* nothing but the fields named is changed */
static void
changes_nothing_else(void)
{
	static const gsize fields[][2] = {{0x210, 2}, {0x218, 8}, {0x224, 2}, {0x228, 4}};
	const DstackKernelLoad load = {MIB(2048), TRUE, 5000, NULL};
	g_autoptr(GError) error = NULL;
	guint8 before[DSTACK_KERNEL_HEAD_SIZE];
	guint8 after[DSTACK_KERNEL_HEAD_SIZE];

	build_head(before);
	memcpy(after, before, sizeof(after));
	g_assert_true(dstack_kernel_setup_patch(after, &load, DSTACK_KERNEL_RULES_QEMU, &error));
	g_assert_cmpint(memcmp(before, after, sizeof(after)), !=, 0);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
		memcpy(after + fields[i][0], before + fields[i][0], fields[i][1]);
	g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
}

typedef struct {
	guint16 protocol;
	guint8 loadflags;
	guint16 xloadflags;
	guint32 initrd_max;
	guint32 address; /* of an initrd of 5000 bytes in 2 GiB */
	guint32 cmdline; /* u32 at 0x228; for protocols below 2.02 u16 at 0x22 */
	guint16 heap;	 /* u16 at 0x224 */
} ProtocolCase;

static const ProtocolCase protocol_cases[] = {
    {0x20f, 1, 0x02, 0x1fffffff, 0x7ffd6000, 0x20000, 0xfe00},
    {0x20f, 1, 0x00, 0x37ffffff, 0x37ffe000, 0x20000, 0xfe00},
    {0x20f, 1, 0x40, 0x3fffffff, 0x3fffe000, 0x20000, 0xfe00}, /* the bit the reference tool looks at */
    {0x20c, 1, 0x00, 0x37ffffff, 0x37ffe000, 0x20000, 0xfe00},
    {0x20b, 1, 0x02, 0x1fffffff, 0x1fffe000, 0x20000, 0xfe00},
    {0x203, 1, 0x00, 0x37ffffff, 0x37ffe000, 0x20000, 0xfe00},
    {0x202, 1, 0x00, 0x1fffffff, 0x37ffe000, 0x20000, 0xfe00},
    {0x202, 0, 0x00, 0x37ffffff, 0x37ffe000, 0x99fe0, 0x9de0}, /* loaded low: by the command line's length */
    {0x201, 1, 0x00, 0x37ffffff, 0x37ffe000, 0x9fe0, 0x9de0},
    {0x200, 1, 0x00, 0x37ffffff, 0x37ffe000, 0x9fe0, 0x5000},
};

static void
follows_the_protocol(void)
{
	const DstackKernelLoad load = {MIB(2048), TRUE, 5000, "abcdefghijklmnopqrst"};

	for (guint i = 0; i < G_N_ELEMENTS(protocol_cases); i++) {
		const ProtocolCase *c = &protocol_cases[i];
		g_autoptr(GError) error = NULL;
		guint8 head[DSTACK_KERNEL_HEAD_SIZE];

		build_head(head);
		dstack_store_u16le(head + 0x206, c->protocol);
		head[0x211] = c->loadflags;
		dstack_store_u16le(head + 0x236, c->xloadflags);
		dstack_store_u32le(head + 0x22c, c->initrd_max);
		g_assert_true(dstack_kernel_setup_patch(head, &load, DSTACK_KERNEL_RULES_QEMU, &error));
		g_assert_cmphex(u32_at(head, 0x218), ==, c->address);
		g_assert_cmphex(u16_at(head, 0x224), ==, c->heap);
		if (c->protocol >= 0x202) {
			g_assert_cmphex(u32_at(head, 0x228), ==, c->cmdline);
		} else {
			g_assert_cmphex(u16_at(head, 0x20), ==, 0xa33f);
			g_assert_cmphex(u16_at(head, 0x22), ==, c->cmdline);
		}
	}
}

static void
sets_the_video_mode(void)
{
	static const struct {
		const gchar *cmdline;
		guint32 mode; /* G_MAXUINT32: QEMU does not start */
	} cases[] = {
	    {"vga=normal", 0xffff},  {"vga=ext", 0xfffe},
	    {"vga=ask", 0xfffd},     {"a vga=0x317 b", 0x317},
	    {"vga=791", 791},	     {"vga=017", 017},
	    {"nvga=5", 5},	     {"vga= 5", 5},
	    {"vga=-1", 0xffff},	     {"vga=0", 0},
	    {"quiet", 0xffff},	     {"vga=foo", G_MAXUINT32},
	    {"vga=", G_MAXUINT32},   {"vga=5x", G_MAXUINT32},
	    {"vga=0x", G_MAXUINT32}, {"vga=4294967296", G_MAXUINT32},
	    {"vga=08", G_MAXUINT32}, {"vga=5\tx", G_MAXUINT32},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const DstackKernelLoad load = {MIB(2048), TRUE, 5000, cases[i].cmdline};
		g_autoptr(GError) error = NULL;
		guint8 head[DSTACK_KERNEL_HEAD_SIZE];

		build_head(head);
		if (dstack_kernel_setup_patch(head, &load, DSTACK_KERNEL_RULES_QEMU, &error)) {
			g_assert_cmphex(u16_at(head, 0x1fa), ==, cases[i].mode);
		} else {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
			g_assert_cmpuint(cases[i].mode, ==, G_MAXUINT32);
		}
	}
}

static void
refuses_what_does_not_fit(void)
{
	static const struct {
		DstackKernelLoad load;
		guint16 protocol;
		DstackError code;
	} cases[] = {
	    {{MIB(2048), TRUE, 0x7ffd7fff, NULL}, 0x20f, DSTACK_ERROR_UNSOUND}, /* one byte too many */
	    {{MIB(4096), TRUE, G_MAXUINT32, NULL}, 0x20f, DSTACK_ERROR_UNSOUND},
	    {{MIB(4096), TRUE, (guint64)G_MAXUINT32 + 1, NULL}, 0x20f, DSTACK_ERROR_UNSOUND},
	    {{MIB(4096), TRUE, G_MAXUINT64, NULL}, 0x20f, DSTACK_ERROR_UNSOUND},
	    {{MIB(2048), TRUE, 5000, NULL}, 0x1ff, DSTACK_ERROR_UNSOUND},
	    {{0x28000, TRUE, 0, NULL}, 0x20f, DSTACK_ERROR_INVALID_ARGUMENT},
	    {{0, TRUE, 0, NULL}, 0x20f, DSTACK_ERROR_INVALID_ARGUMENT},
	    {{0x28001, TRUE, 0, NULL}, 0x20f, DSTACK_ERROR_UNSOUND},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		guint8 head[DSTACK_KERNEL_HEAD_SIZE];

		build_head(head);
		dstack_store_u16le(head + 0x206, cases[i].protocol);
		g_assert_false(dstack_kernel_setup_patch(head, &cases[i].load, DSTACK_KERNEL_RULES_QEMU, &error));
		g_assert_error(error, DSTACK_ERROR, (gint)cases[i].code);
	}
	{
		const DstackKernelLoad largest = {MIB(2048), TRUE, 0x7ffd7ffe, NULL};
		g_autoptr(GError) error = NULL;
		guint8 head[DSTACK_KERNEL_HEAD_SIZE];

		build_head(head);
		g_assert_true(dstack_kernel_setup_patch(head, &largest, DSTACK_KERNEL_RULES_QEMU, &error));
	}
}

/* where the reference tool's rules give something else, and where not */
static void
tells_the_reference_apart(void)
{
	static const struct {
		guint16 xloadflags;
		guint32 heap;
		const gchar *cmdline;
		gboolean same;
	} cases[] = {
	    {0x007f, 0x5000, "quiet", TRUE},
	    {0x0002, 0x5000, "quiet", FALSE},
	    {0x007f, 0x00015000, "quiet", FALSE}, /* it writes four bytes of the heap's end */
	    {0x007f, 0x5000, "vga=5", FALSE},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) kernel = dstack_sample_kernel_build();
		const DstackKernelLoad load = {MIB(2048), TRUE, 5000, cases[i].cmdline};
		g_autoptr(GError) error = NULL;
		DstackSha384 qemu;
		DstackSha384 reference;

		dstack_store_u16le(kernel->data + 0x236, cases[i].xloadflags);
		dstack_store_u32le(kernel->data + 0x224, cases[i].heap);
		g_assert_true(dstack_kernel_digest_patched(kernel->data, kernel->len, &load, DSTACK_KERNEL_RULES_QEMU,
							   &qemu, &error));
		g_assert_true(dstack_kernel_digest_patched(kernel->data, kernel->len, &load,
							   DSTACK_KERNEL_RULES_REFERENCE, &reference, &error));
		g_assert_cmpint(dstack_sha384_equal(&qemu, &reference), ==, cases[i].same);
	}
}

/* one digest at 2 GiB and from 0xb0000000 on, another in between */
static void
is_the_same_where_lite_holds(void)
{
	static const struct {
		guint64 memory_size;
		gboolean same;
	} cases[] = {
	    {MIB(2048), TRUE},	{MIB(2047), FALSE}, {MIB(2560), FALSE}, {0xafffffff, FALSE},
	    {0xb0000000, TRUE}, {MIB(3072), TRUE},  {MIB(65536), TRUE},
	};
	g_autoptr(GByteArray) kernel = dstack_sample_kernel_build();
	g_autoptr(GError) error = NULL;
	DstackKernelLoad load = {DSTACK_KERNEL_LITE_MEMORY, TRUE, 5000, NULL};
	DstackSha384 expected;

	g_assert_true(dstack_kernel_digest_patched(kernel->data, kernel->len, &load, DSTACK_KERNEL_RULES_QEMU,
						   &expected, &error));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		DstackSha384 found;

		load.memory_size = cases[i].memory_size;
		g_assert_true(dstack_kernel_digest_patched(kernel->data, kernel->len, &load, DSTACK_KERNEL_RULES_QEMU,
							   &found, &error));
		g_assert_cmpint(dstack_sha384_equal(&found, &expected), ==, cases[i].same);
	}
}

static void
recognizes_normal_forms(void)
{
	const DstackKernelLoad load = {0, TRUE, 5000, NULL};
	const DstackKernelLoad other = {0, TRUE, 5000 + 4096, NULL};
	DstackKernelLoad at_lite = load;
	g_autoptr(GByteArray) kernel = dstack_sample_kernel_build();
	g_autoptr(GError) error = NULL;
	DstackKernelNormalized form;

	/* as a distribution ships it: neither */
	g_assert_false(dstack_kernel_ensure_normalized(kernel->data, kernel->len, &load, &form, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);
	dstack_store_u16le(kernel->data + 0x224, 0);
	g_assert_true(dstack_kernel_ensure_normalized(kernel->data, kernel->len, &load, &form, &error));
	g_assert_cmpint(form, ==, DSTACK_KERNEL_NORMALIZED_ZERO);
	at_lite.memory_size = DSTACK_KERNEL_LITE_MEMORY;
	g_assert_true(dstack_kernel_setup_patch(kernel->data, &at_lite, DSTACK_KERNEL_RULES_QEMU, &error));
	g_assert_true(dstack_kernel_ensure_normalized(kernel->data, kernel->len, &load, &form, &error));
	g_assert_cmpint(form, ==, DSTACK_KERNEL_NORMALIZED_FILLED);
	/* filled for another initrd, or only half */
	g_assert_false(dstack_kernel_ensure_normalized(kernel->data, kernel->len, &other, &form, &error));
	g_clear_error(&error);
	dstack_store_u32le(kernel->data + 0x228, 0);
	g_assert_false(dstack_kernel_ensure_normalized(kernel->data, kernel->len, &load, &form, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
refuses_every_truncation(void)
{
	g_autoptr(GByteArray) kernel = dstack_sample_kernel_build();
	const DstackKernelLoad load = {MIB(2048), TRUE, 5000, NULL};

	for (gsize size = 0; size < DSTACK_KERNEL_HEAD_SIZE; size++) {
		g_autofree guint8 *copy = g_memdup2(kernel->data, size);
		g_autoptr(GError) error = NULL;
		DstackKernelNormalized form;
		DstackSha384 digest;

		g_assert_false(
		    dstack_kernel_digest_patched(copy, size, &load, DSTACK_KERNEL_RULES_QEMU, &digest, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_assert_false(dstack_kernel_ensure_normalized(copy, size, &load, &form, NULL));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tdx/kernel-setup/places-the-initrd", places_the_initrd);
	g_test_add_func("/tdx/kernel-setup/changes-nothing-else", changes_nothing_else);
	g_test_add_func("/tdx/kernel-setup/follows-the-protocol", follows_the_protocol);
	g_test_add_func("/tdx/kernel-setup/sets-the-video-mode", sets_the_video_mode);
	g_test_add_func("/tdx/kernel-setup/refuses-what-does-not-fit", refuses_what_does_not_fit);
	g_test_add_func("/tdx/kernel-setup/tells-the-reference-apart", tells_the_reference_apart);
	g_test_add_func("/tdx/kernel-setup/is-the-same-where-lite-holds", is_the_same_where_lite_holds);
	g_test_add_func("/tdx/kernel-setup/recognizes-normal-forms", recognizes_normal_forms);
	g_test_add_func("/tdx/kernel-setup/refuses-every-truncation", refuses_every_truncation);
	return g_test_run();
}
