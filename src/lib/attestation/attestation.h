/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What evidence arrives in: GetQuote JSON, SCALE version 0, MessagePack version 1 (formats.md section 8).
 *
 * Reading decides nothing about trust: every field here is what the sender claims.
 */
#pragma once

#include <glib.h>

#include "eventlog/event-log.h"

G_BEGIN_DECLS

/* the numbers are SCALE's discriminants */
typedef enum {
	DSTACK_PLATFORM_TDX = 0,
	DSTACK_PLATFORM_GCP_TDX = 1,
	DSTACK_PLATFORM_NITRO_ENCLAVE = 2,
	DSTACK_PLATFORM_SEV_SNP = 3,
	DSTACK_PLATFORM_AWS_NITRO_TPM = 4,
} DstackPlatform;

typedef enum {
	DSTACK_FORM_GETQUOTE,	 /* {"quote", "event_log", "vm_config"} */
	DSTACK_FORM_SCALE,	 /* version 0 */
	DSTACK_FORM_MESSAGEPACK, /* version 1 */
} DstackAttestationForm;

/* evidence of a tdx or sev-snp guest; the other platforms are refused by name when it is read */
typedef struct {
	DstackPlatform platform;
	DstackAttestationForm form;
	gchar *config; /* (nullable): the vm_config text */
	gboolean has_report_data;
	guint8 report_data[64];		/* what the sender says stands in the quote or report */
	DstackEventLog *runtime_events; /* (nullable): a container's own list; GetQuote has none beside its log */
	GBytes *quote;			/* tdx */
	DstackEventLog *event_log;	/* tdx: never NULL; often stripped */
	GBytes *report;			/* sev-snp */
	GPtrArray *cert_chain;	/* sev-snp (element-type GBytes): [ASK, VCEK] in PEM or DER, or one kernel table */
	gchar *mr_config;	/* sev-snp (nullable): the MrConfigV3 document */
	gchar *external_config; /* (nullable): "vm_config" beside "attestation"; read for nothing but mr_config */
	gboolean debug;		/* the input asked for "debug" */
	GPtrArray *warnings;	/* (element-type utf8) */
} DstackAttestation;

DstackAttestation *dstack_attestation_new(DstackPlatform platform, DstackAttestationForm form);
void dstack_attestation_free(DstackAttestation *self);

/* any form, told apart by content: JSON, hexadecimal text, SCALE or MessagePack bytes */
DstackAttestation *dstack_attestation_parse(const guint8 *data, gsize size, GError **error);
DstackAttestation *dstack_attestation_parse_json(const gchar *text, gsize size, GError **error);
/* the bytes behind the hex of "attestation" */
DstackAttestation *dstack_attestation_parse_bytes(const guint8 *data, gsize size, GError **error);
DstackAttestation *dstack_attestation_parse_scale(const guint8 *data, gsize size, GError **error);
DstackAttestation *dstack_attestation_parse_messagepack(const guint8 *data, gsize size, GError **error);

const gchar *dstack_platform_to_string(DstackPlatform platform);
gboolean dstack_platform_ensure_supported(DstackPlatform platform, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackAttestation, dstack_attestation_free)

G_END_DECLS
