/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDVF metadata: which parts of a firmware file go where in a TD's memory, and what is measured.
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* most sections a descriptor may list: OVMF has six; the SEV metadata has the same bound */
#define DSTACK_TDVF_MAX_SECTIONS 64u

typedef enum {
	DSTACK_TDVF_BFV = 0,	  /* boot firmware volume: code */
	DSTACK_TDVF_CFV = 1,	  /* configuration firmware volume: the variable store */
	DSTACK_TDVF_TD_HOB = 2,	  /* where the VMM puts the memory map */
	DSTACK_TDVF_TEMP_MEM = 3, /* stack, heap, mailbox */
} DstackTdvfType;

typedef struct {
	DstackTdvfType type;
	gboolean extend;     /* MR.EXTEND: contents are measured */
	gboolean aug;	     /* PAGE.AUG: pages are added later, by the guest */
	guint64 address;     /* guest physical, a multiple of 4096 */
	guint64 memory_size; /* a multiple of 4096; address + memory_size does not wrap */
	const guint8 *data;  /* borrowed: data_size bytes of the file */
	gsize data_size;     /* memory_size where extend, else the raw data's size */
} DstackTdvfSection;

/* a checked descriptor: no two sections share memory, exactly one is the TD HOB; borrows the firmware's bytes */
typedef struct {
	guint n_sections;
	DstackTdvfSection sections[DSTACK_TDVF_MAX_SECTIONS];
} DstackTdvf;

gboolean dstack_tdvf_parse(DstackTdvf *self, const guint8 *firmware, gsize size,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* SHA-384 of the one CFV section's raw data */
gboolean dstack_tdvf_cfv_digest(const DstackTdvf *self, DstackSha384 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
