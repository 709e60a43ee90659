/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * GUIDs in the byte order they have on the wire.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	guint8 bytes[16];
} DstackGuid;

/* the two byte orders a GUID comes in */
typedef enum {
	DSTACK_GUID_EFI,     /* first three groups little-endian: UEFI, edk2, ACPI */
	DSTACK_GUID_RFC4122, /* as it reads: the SEV-SNP certificate table */
} DstackGuidOrder;

gboolean dstack_guid_parse(const gchar *text, DstackGuidOrder order, DstackGuid *out,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
DstackGuid dstack_guid_from_constant(const gchar *text, DstackGuidOrder order);
gboolean dstack_guid_equal(const DstackGuid *a, const DstackGuid *b);
gchar *dstack_guid_to_string(const DstackGuid *self, DstackGuidOrder order);

G_END_DECLS
