/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Firmware made from nothing: TDVF and SEV metadata as OVMF has them, around code that halts.
 * Used for the sample image and, bent, by tests.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_SAMPLE_STORE_SIZE 0x84000 /* variable store of OVMF's 4 MiB builds */

/* as they stand in the file; tests put nonsense here */
typedef struct {
	guint32 data_offset;
	guint32 raw_size;
	guint64 address;
	guint64 memory_size;
	guint32 type;
	guint32 attributes;
} DstackSampleTdvfSection;

typedef struct {
	guint32 gpa;
	guint32 size;
	guint32 type;
} DstackSampleSevSection;

typedef struct {
	guint32 size;	    /* of the file */
	gboolean has_store; /* an empty variable store at the file's start */
	const DstackSampleTdvfSection *tdvf;
	guint n_tdvf;
	const DstackSampleSevSection *sev;
	guint n_sev; /* 0: no SEV metadata at all */
	guint32 hashes_gpa;
	guint32 reset_eip;
} DstackSampleFirmware;

GByteArray *dstack_sample_firmware_build(const DstackSampleFirmware *spec);
/* the firmware of the sample image */
GByteArray *dstack_sample_firmware_default(void);
/* an empty variable store, whose digest RTMR0's layout takes for granted */
GByteArray *dstack_sample_variable_store(void);

G_END_DECLS
