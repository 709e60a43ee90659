/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * vCPU models of QEMU that can run under SEV-SNP. The type is the guest's model, not the host's CPU.
 * Table and encoding: snp-measurement.md, section 2.
 */

#include "config.h"

#include "snp/vcpu-type.h"

#include "base/error.h"

/* EPYC-Turin is our own addition: the reference does not know it */
static const DstackSnpVcpuType vcpu_types[] = {
    {"EPYC", 23, 1, 2},
    {"EPYC-v1", 23, 1, 2},
    {"EPYC-v2", 23, 1, 2},
    {"EPYC-v3", 23, 1, 2},
    {"EPYC-v4", 23, 1, 2},
    {"EPYC-IBPB", 23, 1, 2},
    {"EPYC-Rome", 23, 49, 0},
    {"EPYC-Rome-v1", 23, 49, 0},
    {"EPYC-Rome-v2", 23, 49, 0},
    {"EPYC-Rome-v3", 23, 49, 0},
    {"EPYC-Milan", 25, 1, 1},
    {"EPYC-Milan-v1", 25, 1, 1},
    {"EPYC-Milan-v2", 25, 1, 1},
    {"EPYC-Genoa", 25, 17, 0},
    {"EPYC-Genoa-v1", 25, 17, 0},
    {"EPYC-Turin", 26, 0, 0},
    {NULL, 0, 0, 0},
};

/**
 * dstack_snp_vcpu_types:
 *
 * Returns: (transfer none): every known model, ended by a row without name
 */
const DstackSnpVcpuType *
dstack_snp_vcpu_types(void)
{
	return vcpu_types;
}

/**
 * dstack_snp_vcpu_type_find:
 * @name: a model's name, in any case
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it is unknown
 *
 * Returns: (transfer none) (nullable): the model
 */
const DstackSnpVcpuType *
dstack_snp_vcpu_type_find(const gchar *name, GError **error)
{
	for (const DstackSnpVcpuType *type = vcpu_types; type->name != NULL; type++) {
		if (g_ascii_strcasecmp(type->name, name) == 0)
			return type;
	}
	dstack_throw(
	    error, DSTACK_ERROR_UNSOUND,
	    "vcpu_type: '%s' is unknown, expected EPYC, EPYC-v4, EPYC-Rome, EPYC-Milan, EPYC-Genoa or the like", name);
	return NULL;
}

/**
 * dstack_snp_vcpu_type_get_signature:
 * @self: the model
 *
 * Returns: its CPUID signature, which the processor leaves in RDX at reset
 */
guint32
dstack_snp_vcpu_type_get_signature(const DstackSnpVcpuType *self)
{
	guint32 extended = self->family > 15 ? self->family - 15U : 0;
	guint32 base = self->family > 15 ? 15U : self->family;

	return extended << 20 | (guint32)(self->model >> 4) << 16 | base << 8 | (guint32)(self->model & 15) << 4 |
	       (self->stepping & 15U);
}
