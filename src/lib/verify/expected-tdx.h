/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The registers that a TDX launch will show, and the events behind them: from material and the launch's parameters.
 */
#pragma once

#include "config/tristate.h"
#include "image/material.h"
#include "tdx/layout.h"
#include "tdx/mrtd.h"

G_BEGIN_DECLS

/* what the registers depend on besides the image; borrowed */
typedef struct {
	guint64 memory_size;			   /* bytes */
	const gchar *qemu_version;		   /* (nullable): "X.Y.Z"; NULL counts as 9.1.0 */
	DstackTristate qemu_single_pass_add_pages; /* means the opposite of its name: see tdx/mrtd.h */
	/* (nullable), all three or none: without them RTMR0 is not known */
	const DstackSha384 *acpi_loader;
	const DstackSha384 *acpi_rsdp;
	const DstackSha384 *acpi_tables;
	/* (nullable): known from the image's files, to be used instead of what material says or takes for granted */
	const DstackSha384 *kernel;
	const DstackSha384 *cfv;
} DstackTdxLaunch;

/* a value type; layout is static */
typedef struct {
	const DstackTdxLayout *layout;
	DstackPageOrder page_order; /* of this launch */
	DstackSha384 mrtd;	    /* in that order */
	DstackSha384 mrtd_single_pass;
	DstackSha384 mrtd_two_pass;
	DstackTdxEventSet events; /* every digest that is known */
	gboolean has_rtmr0;	  /* only with the three ACPI digests */
	DstackSha384 rtmr[DSTACK_TDX_N_BOOT_RTMRS];
} DstackTdxExpected;

gboolean dstack_tdx_expected_compute(DstackTdxExpected *self, const DstackTdxMaterial *material,
				     const DstackTdxLaunch *launch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The material's kernel digest holds at this memory size: 2 GiB exactly, or 0xb0000000 bytes and more, or any where
 * the kernel's header is normalized. formats.md, section 4.
 */
gboolean dstack_tdx_material_holds_at(const DstackTdxMaterial *material, guint64 memory_size);

G_END_DECLS
