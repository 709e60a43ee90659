/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The cases of vectors/dcap, read once, with their collateral loaded once for each root.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/context.h"
#include "dcap/collateral.h"

G_BEGIN_DECLS

typedef struct _DstackDcapCases DstackDcapCases;

/* a case; everything is borrowed from the set */
typedef struct {
	const gchar *id;
	const gchar *family;
	JsonObject *json;
	JsonObject *strict;	 /* (nullable): the special ones have no verdict */
	const gchar *quote;	 /* file names in the vectors */
	const gchar *collateral; /* (nullable) */
	DstackContext context;	 /* the case's time and root */
} DstackDcapCase;

DstackDcapCases *dstack_dcap_cases_new(void);
void dstack_dcap_cases_free(DstackDcapCases *self);
guint dstack_dcap_cases_count(DstackDcapCases *self);
DstackDcapCase dstack_dcap_cases_get(DstackDcapCases *self, guint i);
/* aborts the test when there is no such case */
DstackDcapCase dstack_dcap_cases_find(DstackDcapCases *self, const gchar *id);
GBytes *dstack_dcap_cases_read_quote(DstackDcapCases *self, const DstackDcapCase *a_case);
/* (transfer none) (nullable): NULL when it cannot be loaded, with error */
DstackCollateral *dstack_dcap_cases_load_collateral(DstackDcapCases *self, const DstackDcapCase *a_case,
						    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackDcapCases, dstack_dcap_cases_free)

G_END_DECLS
