/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From evidence to a verdict, offline.
 */
#pragma once

#include <glib.h>

#include "attestation/attestation.h"
#include "base/context.h"
#include "verify/verdict.h"

G_BEGIN_DECLS

/* checks a caller may do without, each shown in the verdict */
typedef enum {
	DSTACK_ALLOW_DEBUG = 1 << 0,	  /* TDX: DEBUG attribute; SNP: debug policy */
	DSTACK_ALLOW_MIGRATABLE = 1 << 1, /* SNP: migration agent */
	DSTACK_ALLOW_SEPT_VE = 1 << 2,	  /* TDX: SEPT_VE_DISABLE not set */
	DSTACK_ALLOW_SERVICE_TD = 1 << 3, /* TDX: a service TD is bound */
	DSTACK_ALLOW_SIMULATOR = 1 << 4,  /* SNP: a simulator's evidence, under a given root only */
	DSTACK_ALLOW_VLEK = 1 << 5,	  /* SNP: a cloud provider's key, which names no chip */
} DstackAllow;

typedef enum {
	DSTACK_ACPI_LOG, /* take the ACPI digests from the event log, bound by RTMR0 */
	DSTACK_ACPI_PREDICT,
} DstackAcpiMode;

/* what the caller knows and wants; borrowed, read only; zero is the strictest */
typedef struct {
	const DstackContext *context;	      /* the time, and the root where not the pinned one */
	struct _DstackCollateral *collateral; /* (nullable): TDX, of dcap/collateral.h */
	gboolean no_collateral;		      /* TDX: chain and signature are enough */
	guint allow;			      /* DstackAllow */
	guint max_vmpl;			      /* SNP */
	const gchar *const *allow_tcb;	      /* (nullable): the only statuses that pass; NULL: all but Revoked */
	const gchar *min_tcb;		      /* (nullable): SNP, --min-tcb */
	const guint8 *report_data;	      /* (nullable): the 64 bytes that must stand in the evidence */
	GPtrArray *certificates;	      /* (nullable) (element-type GBytes): SNP, where the evidence lacks them */
	GPtrArray *crls;		      /* (nullable) (element-type GBytes): SNP */
	DstackAcpiMode acpi;
	gboolean boot_time_mr; /* derived values as of the event "boot-mr-done" */
	gboolean debug;	       /* also fill rtmr_debug where nothing differs */
} DstackVerifyOptions;

typedef enum {
	DSTACK_EVIDENCE_ATTESTATION, /* or nothing that we know: reading it will say */
	DSTACK_EVIDENCE_QUOTE,	     /* a bare quote, in bytes or hex */
	DSTACK_EVIDENCE_REPORT,	     /* a bare SEV-SNP report, in bytes or hex */
} DstackEvidenceKind;

DstackEvidenceKind dstack_evidence_guess(const guint8 *data, gsize size);
/* the bytes behind the hex text of a bare quote or report; other bytes as they are */
GBytes *dstack_evidence_decode(const guint8 *data, gsize size);

/*
 * Evidence in any form of formats.md section 8. An error means that it cannot be read as evidence, or that the
 * options make no sense; whether it is valid is the verdict's answer.
 */
DstackVerdict *dstack_verify_evidence(const guint8 *data, gsize size, const DstackVerifyOptions *options,
				      GError **error);
DstackVerdict *dstack_verify_attestation(const DstackAttestation *attestation, const DstackVerifyOptions *options,
					 GError **error);
/* a bare quote or report, in bytes or hex: signature, chain, TCB and attributes only */
DstackVerdict *dstack_verify_bare(const guint8 *data, gsize size, const DstackVerifyOptions *options, GError **error);

G_END_DECLS
