/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CCEL logs for tests, piece by piece, so that a test can also build a wrong one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_TEST_ALG_SHA256 0x000bu
#define DSTACK_TEST_ALG_SHA384 0x000cu

/* the header, declaring these algorithms (32 bytes for SHA-256, 48 for any other) */
void dstack_test_ccel_append_header(GByteArray *out, const guint16 *algorithms, guint n);
/* an event with one digest for each algorithm, all its bytes fill */
void dstack_test_ccel_append_event(GByteArray *out, guint32 index, guint32 type, const guint16 *algorithms, guint n,
				   guint8 fill, const gchar *data);
/* a whole log of dstack's shape: a CFV event, the ACPI three, a kernel; ends in the FF terminator */
GByteArray *dstack_test_ccel_new(void);

G_END_DECLS
