/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Unpacking the arguments of the service's methods. Whatever a caller packs, the outcome is a
 * request or an error that names the option.
 */
#pragma once

#include <gio/gio.h>

#include "launch/request.h"
#include "verify/verifier.h"

G_BEGIN_DECLS

#define DSTACK_OPTIONS_MAX 64 /* of one call; there are 24 known ones */

/* of Prepare, PrepareDomain and Expect */
typedef struct {
	DstackLaunchRequest *request;
	gint32 inject;	/* index into the message's descriptors, -1: none */
	gchar *domain;	/* (nullable): for the signals */
	gchar *acpi[3]; /* (nullable): hex of acpi-loader, acpi-rsdp, acpi-tables */
} DstackPrepareOptions;

/* of Verify; strings and arrays are owned */
typedef struct {
	gboolean bare;
	gint32 collateral; /* index into the message's descriptors, -1: none */
	gint32 root;
	GArray *certificates; /* (nullable) (element-type gint32): likewise, each */
	gboolean text;
	gboolean no_collateral;
	gint64 time;
	gboolean has_time;
	guint allow; /* DstackAllow */
	guint max_vmpl;
	gchar **allow_tcb;   /* (nullable) */
	gchar *min_tcb;	     /* (nullable) */
	GBytes *report_data; /* (nullable): 64 bytes */
	gboolean boot_time_mr;
	gboolean debug;
} DstackVerifyCall;

typedef enum {
	DSTACK_OPTIONS_PREPARE,
	DSTACK_OPTIONS_PREPARE_DOMAIN,
	DSTACK_OPTIONS_EXPECT,
} DstackOptionsMethod;

gboolean dstack_prepare_options_unpack(DstackPrepareOptions *self, DstackOptionsMethod method, const gchar *image,
				       GVariant *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_prepare_options_clear(DstackPrepareOptions *self);

gboolean dstack_verify_call_unpack(DstackVerifyCall *self, GVariant *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_verify_call_clear(DstackVerifyCall *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackPrepareOptions, dstack_prepare_options_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackVerifyCall, dstack_verify_call_clear)

G_END_DECLS
