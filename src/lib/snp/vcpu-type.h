/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * QEMU's vCPU models and the CPU signature each of them starts with.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	const gchar *name;
	guint8 family;
	guint8 model;
	guint8 stepping;
} DstackSnpVcpuType;

/* case does not matter */
const DstackSnpVcpuType *dstack_snp_vcpu_type_find(const gchar *name, GError **error);
/* NULL-terminated by a row without name; one row a model, so several share a signature */
const DstackSnpVcpuType *dstack_snp_vcpu_types(void);
guint32 dstack_snp_vcpu_type_get_signature(const DstackSnpVcpuType *self);

G_END_DECLS
