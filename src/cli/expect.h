/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the expect command: what was asked, and an answer for each kind of launch.
 */
#pragma once

#include "cli/command.h"
#include "cli/launch-options.h"
#include "image/image.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_EXPECT_KERNEL_UNSET, /* by the image and QEMU's version */
	DSTACK_EXPECT_KERNEL_PATCHED,
	DSTACK_EXPECT_KERNEL_PLAIN,
} DstackExpectKernel;

typedef struct {
	DstackLaunchRequest *launch; /* owned; qemu_version is filled where it was asked for */
	DstackExpectKernel kernel;
	gboolean has_acpi;
	DstackSha384 acpi[3]; /* loader, rsdp, tables */
} DstackExpectRequest;

DstackRecord *dstack_expect_tdx(DstackCli *cli, const DstackImage *image, const DstackExpectRequest *request,
				GError **error);
DstackRecord *dstack_expect_snp(DstackCli *cli, const DstackImage *image, const DstackExpectRequest *request,
				GError **error);

G_END_DECLS
