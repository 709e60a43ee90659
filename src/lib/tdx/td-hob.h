/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TD HOB list, QEMU's memory map for TDVF, and the witness from which material lets it be rebuilt
 * for any memory size.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"
#include "tdx/tdvf.h"

G_BEGIN_DECLS

typedef struct {
	guint64 start; /* guest physical, a multiple of 4096 */
	guint64 size;  /* a multiple of 4096, never 0; start + size does not wrap */
} DstackTdHobRange;

/* the accepted ranges of a firmware: ascending, none overlaps, none empty; a value type */
typedef struct {
	guint64 td_hob_address;
	guint n_ranges;
	DstackTdHobRange ranges[DSTACK_TDVF_MAX_SECTIONS];
} DstackTdHobWitness;

gboolean dstack_td_hob_witness_from_tdvf(DstackTdHobWitness *self, const DstackTdvf *tdvf,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_td_hob_witness_parse(DstackTdHobWitness *self, const guint8 *data, gsize size,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *dstack_td_hob_witness_build(const DstackTdHobWitness *self);

/* the list for a VM with memory_size bytes, and its digest: the first event of RTMR0 */
GBytes *dstack_td_hob_build(const DstackTdHobWitness *self, guint64 memory_size);
DstackSha384 dstack_td_hob_digest(const DstackTdHobWitness *self, guint64 memory_size);

G_END_DECLS
