/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The VMSA page. Offsets: AMD64 Architecture Programmer's Manual vol. 2, appendix B, table B-4;
 * values as QEMU leaves them: snp-measurement.md, section 2.
 */

#include "config.h"

#include "snp/vmsa.h"

#include "base/writer.h"

typedef struct {
	guint16 offset;
	guint16 selector;
	guint16 attributes;
} VmsaSegment;

/* limit 0xffff and base 0 for all; the code segment's base comes from the EIP */
static const VmsaSegment segments[] = {
    {0x000, 0, 0x93},	   /* ES */
    {0x010, 0xf000, 0x9b}, /* CS */
    {0x020, 0, 0x93},	   /* SS */
    {0x030, 0, 0x93},	   /* DS */
    {0x040, 0, 0x93},	   /* FS */
    {0x050, 0, 0x93},	   /* GS */
    {0x060, 0, 0},	   /* GDTR */
    {0x070, 0, 0x82},	   /* LDTR */
    {0x080, 0, 0},	   /* IDTR */
    {0x090, 0, 0x8b},	   /* TR */
};

#define CS_BASE 0x018

/* registers that have the same value in every launch */
static const struct {
	guint16 offset;
	guint64 value;
} registers[] = {
    {0x0d0, 0x1000},		 /* EFER: SVME */
    {0x148, 0x40},		 /* CR4: MCE */
    {0x158, 0x10},		 /* CR0: ET */
    {0x160, 0x400},		 /* DR7 */
    {0x168, 0xffff0ff0},	 /* DR6 */
    {0x170, 0x2},		 /* RFLAGS */
    {0x268, 0x0007040600070406}, /* PAT */
    {0x3e8, 0x1},		 /* XCR0 */
};

#define VMSA_RIP	  0x178
#define VMSA_RDX	  0x310
#define VMSA_SEV_FEATURES 0x3b0
#define VMSA_MXCSR	  0x408
#define VMSA_FCW	  0x410

/**
 * dstack_snp_vmsa_build:
 * @eip: where the vCPU starts
 * @cpu_signature: its CPUID signature
 * @sev_features: SEV_FEATURES of the guest
 *
 * Returns: the page as it is measured
 */
DstackSnpPage
dstack_snp_vmsa_build(guint32 eip, guint32 cpu_signature, guint64 sev_features)
{
	DstackSnpPage page = {{0}};

	for (gsize i = 0; i < G_N_ELEMENTS(segments); i++) {
		guint8 *at = page.bytes + segments[i].offset;

		dstack_store_u16le(at, segments[i].selector);
		dstack_store_u16le(at + 2, segments[i].attributes);
		dstack_store_u32le(at + 4, 0xffff);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(registers); i++)
		dstack_store_u64le(page.bytes + registers[i].offset, registers[i].value);
	dstack_store_u64le(page.bytes + CS_BASE, eip & 0xffff0000U);
	dstack_store_u64le(page.bytes + VMSA_RIP, eip & 0xffffU);
	dstack_store_u64le(page.bytes + VMSA_RDX, cpu_signature);
	dstack_store_u64le(page.bytes + VMSA_SEV_FEATURES, sev_features);
	dstack_store_u32le(page.bytes + VMSA_MXCSR, 0x1f80);
	dstack_store_u16le(page.bytes + VMSA_FCW, 0x037f);
	return page;
}
