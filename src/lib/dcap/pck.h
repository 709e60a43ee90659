/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a PCK certificate says of its platform: the SGX extension 1.2.840.113741.1.13.1
 * (evidence.md part A, section 10).
 */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

#define DSTACK_TCB_COMPONENTS 16

typedef enum {
	DSTACK_SGX_STANDARD = 0,
	DSTACK_SGX_SCALABLE = 1,
	DSTACK_SGX_SCALABLE_WITH_INTEGRITY = 2,
} DstackSgxType;

/* only multi-package platforms say these: a processor's certificate leaves them out */
typedef enum {
	DSTACK_FLAG_ABSENT = 0,
	DSTACK_FLAG_FALSE,
	DSTACK_FLAG_TRUE,
} DstackFlag;

/* a value type */
typedef struct {
	guint8 ppid[16];
	guint8 components[DSTACK_TCB_COMPONENTS]; /* what levels are compared with */
	guint16 pcesvn;
	guint8 cpusvn[16]; /* raw; shown, never compared */
	guint8 pceid[2];
	guint8 fmspc[6];
	DstackSgxType sgx_type;
	gboolean has_platform_instance_id;
	guint8 platform_instance_id[16];
	DstackFlag dynamic_platform;
	DstackFlag cached_keys;
	DstackFlag smt_enabled;
} DstackPck;

gboolean dstack_pck_parse(DstackPck *self, const guint8 *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* of a certificate's extension */
gboolean dstack_pck_from_certificate(DstackPck *self, X509 *cert, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const gchar *dstack_sgx_type_to_string(DstackSgxType type);

G_END_DECLS
