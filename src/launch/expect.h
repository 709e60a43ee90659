/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The registers that a launch of an image will show, computed from its files: what the command line and the
 * service both answer.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "image/image.h"
#include "launch/request.h"
#include "verify/expected-tdx.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_EXPECT_KERNEL_UNSET, /* by the image and QEMU's version */
	DSTACK_EXPECT_KERNEL_PATCHED,
	DSTACK_EXPECT_KERNEL_PLAIN,
} DstackExpectKernel;

/* what is launched; borrowed */
typedef struct {
	DstackLaunchTee tee;	   /* UNSET: what the image has material for, TDX first */
	guint64 memory_size;	   /* bytes; TDX needs it */
	const gchar *qemu_version; /* (nullable): as 9.1.0 */
	DstackSwitch single_pass_add_pages;
	DstackExpectKernel kernel;
	const gchar *acpi[3];	/* (nullable): hex of acpi-loader, acpi-rsdp, acpi-tables: all or none */
	guint32 vcpus;		/* SEV-SNP needs it */
	const gchar *vcpu_type; /* SEV-SNP (nullable): EPYC-v4 */
	guint64 guest_features; /* SEV-SNP; 0: 1 */
} DstackExpectRequest;

typedef struct {
	gchar *image;
	DstackLaunchTee tee; /* TDX or SNP */
	GPtrArray *notes;    /* (element-type utf8): what else is worth knowing */

	/* TDX */
	guint64 memory_size;
	gchar *qemu_version; /* (nullable) */
	gboolean kernel_plain;
	DstackTdxExpected tdx;

	/* SEV-SNP */
	guint32 vcpus;
	gchar *vcpu_type;
	guint64 guest_features;
	DstackSnpMaterial *snp;
	DstackSha384 measurement;
} DstackExpectation;

DstackExpectation *dstack_launch_expect(const DstackImage *image, const DstackExpectRequest *request,
					GCancellable *cancellable, GError **error);
JsonNode *dstack_expectation_to_json(const DstackExpectation *self);
void dstack_expectation_free(DstackExpectation *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackExpectation, dstack_expectation_free)

G_END_DECLS
