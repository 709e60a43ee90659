/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CCEL logs for tests.
 */

#include "config.h"

#include "support/ccel-builder.h"

#include <string.h>

#include "base/writer.h"

static guint16
digest_size(guint16 algorithm)
{
	return algorithm == DSTACK_TEST_ALG_SHA256 ? 32 : 48;
}

/**
 * dstack_test_ccel_append_header:
 * @out: what to append to
 * @algorithms: (array length=n): TCG algorithm ids
 * @n: how many
 */
void
dstack_test_ccel_append_header(GByteArray *out, const guint16 *algorithms, guint n)
{
	dstack_append_u32le(out, 0);
	dstack_append_u32le(out, 3); /* EV_NO_ACTION */
	dstack_append_zero(out, 20);
	dstack_append_u32le(out, 16 + 8 + 4 + 4 * n + 1);
	g_byte_array_append(out, (const guint8 *)"Spec ID Event03", 16);
	dstack_append_zero(out, 8);
	dstack_append_u32le(out, n);
	for (guint i = 0; i < n; i++) {
		dstack_append_u16le(out, algorithms[i]);
		dstack_append_u16le(out, digest_size(algorithms[i]));
	}
	dstack_append_u8(out, 0);
}

/**
 * dstack_test_ccel_append_event:
 * @out: what to append to
 * @index: measurement register
 * @type: event type
 * @algorithms: (array length=n): of its digests
 * @n: how many
 * @fill: every byte of every digest
 * @data: its data
 */
void
dstack_test_ccel_append_event(GByteArray *out, guint32 index, guint32 type, const guint16 *algorithms, guint n,
			      guint8 fill, const gchar *data)
{
	dstack_append_u32le(out, index);
	dstack_append_u32le(out, type);
	dstack_append_u32le(out, n);
	for (guint i = 0; i < n; i++) {
		dstack_append_u16le(out, algorithms[i]);
		for (guint j = 0; j < digest_size(algorithms[i]); j++)
			dstack_append_u8(out, fill);
	}
	dstack_append_u32le(out, (guint32)strlen(data));
	g_byte_array_append(out, (const guint8 *)data, (guint)strlen(data));
}

/**
 * dstack_test_ccel_new:
 *
 * Returns: (transfer full): a small whole log
 */
GByteArray *
dstack_test_ccel_new(void)
{
	static const guint16 algorithms[] = {DSTACK_TEST_ALG_SHA384};
	GByteArray *out = g_byte_array_new();

	dstack_test_ccel_append_header(out, algorithms, 1);
	dstack_test_ccel_append_event(out, 1, 0x8000000a, algorithms, 1, 0x11, "Fv(X)");
	dstack_test_ccel_append_event(out, 1, 10, algorithms, 1, 0x22, "ACPI DATA");
	dstack_test_ccel_append_event(out, 1, 10, algorithms, 1, 0x33, "ACPI DATA");
	dstack_test_ccel_append_event(out, 1, 10, algorithms, 1, 0x44, "ACPI DATA");
	dstack_test_ccel_append_event(out, 2, 0x80000003, algorithms, 1, 0x55, "kernel");
	dstack_append_u32le(out, 0xffffffff);
	return out;
}
