/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Attestations for tests: SCALE and MessagePack written piece by piece.
 */
#pragma once

#include <glib.h>

#include "attestation/attestation.h"

G_BEGIN_DECLS

void dstack_test_scale_append_compact(GByteArray *out, guint64 value);
void dstack_test_scale_append_string(GByteArray *out, gconstpointer data, gsize size);
/* a whole attestation with the fields of @from (quote and event_log, or report, cert_chain and mr_config) */
GBytes *dstack_test_scale_build(const DstackAttestation *from);

void dstack_test_msgpack_append_map(GByteArray *out, guint n);
void dstack_test_msgpack_append_array(GByteArray *out, guint n);
void dstack_test_msgpack_append_text(GByteArray *out, const gchar *text);
void dstack_test_msgpack_append_uint(GByteArray *out, guint64 value);
/* as "bin", or as an array of integers */
void dstack_test_msgpack_append_bytes(GByteArray *out, gconstpointer data, gsize size, gboolean as_array);
GBytes *dstack_test_msgpack_build(const DstackAttestation *from, gboolean bytes_as_arrays);

/* small made-up evidence of either platform: nothing in it verifies */
DstackAttestation *dstack_test_attestation_new(DstackPlatform platform);

G_END_DECLS
