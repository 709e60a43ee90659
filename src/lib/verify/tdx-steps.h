/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A verification of TDX evidence under way, and the steps it takes.
 */
#pragma once

#include "config/vm-config.h"
#include "dcap/verify.h"
#include "image/manifest.h"
#include "verify/tdx-registers.h"
#include "verify/verifier.h"

G_BEGIN_DECLS

/* the steps in their order: of evidence all of them, of a bare quote the first three, report data */
#define DSTACK_TDX_STEP_QUOTE	      "quote"
#define DSTACK_TDX_STEP_TCB	      "tcb"
#define DSTACK_TDX_STEP_ATTRIBUTES    "attributes"
#define DSTACK_TDX_STEP_RTMR3	      "rtmr3"
#define DSTACK_TDX_STEP_REPORT_DATA   "report-data"
#define DSTACK_TDX_STEP_CHECKSUM_FILE "checksum-file"
#define DSTACK_TDX_STEP_MANIFEST      "manifest"
#define DSTACK_TDX_STEP_OVMF_VARIANT  "ovmf-variant"
#define DSTACK_TDX_STEP_ACPI	      "acpi-digests"
#define DSTACK_TDX_STEP_MEMORY	      "memory"
#define DSTACK_TDX_STEP_REGISTERS     "registers"
#define DSTACK_TDX_STEP_IDENTITY      "identity"

typedef struct {
	const DstackAttestation *attestation; /* (nullable): of a bare quote */
	const DstackVerifyOptions *options;
	DstackVerdict *verdict; /* borrowed while the steps are taken */
	DstackQuote quote;	/* borrows the quote's bytes */
	DstackDcapResult *dcap;
	const DstackEventLog *runtime; /* whose RTMR3 counts */
	DstackVmConfig *config;
	DstackManifest *manifest;
	DstackTdxMaterial *material;
	DstackSha384 acpi_loader;
	DstackSha384 acpi_rsdp;
	DstackSha384 acpi_tables;
	gboolean has_expected;
	DstackTdxExpected expected;
} DstackTdxVerification;

/* a step passes, waives or leaves itself in the verdict and returns TRUE, or returns FALSE with why it failed */
typedef gboolean (*DstackTdxStepFunc)(DstackTdxVerification *self, GError **error);

/* tdx-quote-steps.c */
gboolean dstack_tdx_step_quote(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_tcb(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_attributes(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_report_data(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* tdx-image-steps.c */
gboolean dstack_tdx_step_rtmr3(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_checksum_file(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_manifest(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_ovmf_variant(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_acpi(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_memory(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_registers(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_tdx_step_identity(DstackTdxVerification *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
