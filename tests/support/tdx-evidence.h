/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The real lite evidence of vectors/tdx with real collateral of its platform, and how a test changes parts of it.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "dcap/collateral.h"
#include "verify/verifier.h"

G_BEGIN_DECLS

#define DSTACK_TEST_LITE_CASE "tdx-v4-90c06f000000-1d0342e3-eval19-v3-20260608"

typedef struct {
	DstackContext context; /* a time at which the collateral is in date */
	gint64 from;	       /* the first and last second of that */
	gint64 to;
	DstackCollateral *collateral;
	DstackVerifyOptions options; /* with all of this */
} DstackTestLite;

/* the test must have called dstack_test_vectors_dir() */
void dstack_test_lite_init(DstackTestLite *self);
void dstack_test_lite_clear(DstackTestLite *self);
/* a vector's verdict under the fixture's options; error as dstack_verify_evidence() */
DstackVerdict *dstack_test_lite_verify(const DstackTestLite *self, const gchar *text, gsize size, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackTestLite, dstack_test_lite_clear)

G_END_DECLS
