/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which way a TDX guest will be attested: formats.md, section 4, as a pure function.
 */
#pragma once

#include <glib.h>

#include "launch/settings.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_REQUIREMENT_NONE,
	DSTACK_REQUIREMENT_LITE,   /* the application's tdx_measure_acpi_tables is false */
	DSTACK_REQUIREMENT_LEGACY, /* … is true */
} DstackRequirement;

/* of the image's measurement.tdx.cbor */
typedef enum {
	DSTACK_MATERIAL_ABSENT,
	DSTACK_MATERIAL_SOUND,
	DSTACK_MATERIAL_UNSOUND,
} DstackMaterialState;

typedef struct {
	DstackPolicy policy; /* not UNSET */
	DstackRequirement requirement;
	guint64 memory_size;
	DstackMaterialState material;
	const gchar *material_problem; /* (nullable): why it is unsound, in words */
	gboolean kernel_normalized;    /* the material holds at every memory size */
	guint qemu_major, qemu_minor;  /* 0.0: unknown */
} DstackPolicyQuestion;

typedef struct {
	gboolean lite;	/* otherwise legacy */
	gchar *reason;	/* why, a sentence without a full stop */
	gchar *warning; /* (nullable) */
} DstackPolicyAnswer;

/* lite material of a patched kernel holds for these sizes, and for no other (tdx-measurement.md, section 4) */
gboolean dstack_policy_memory_allows_lite(guint64 memory_size);

/* %DSTACK_ERROR_REFUSED names the reason and what would help; %DSTACK_ERROR_UNSOUND for unsound material */
gboolean dstack_policy_decide(const DstackPolicyQuestion *question, DstackPolicyAnswer *out,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void dstack_policy_answer_clear(DstackPolicyAnswer *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackPolicyAnswer, dstack_policy_answer_clear)

G_END_DECLS
