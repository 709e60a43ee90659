/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A few DER values off the byte cursor: definite, shortest lengths and one-byte tags only (X.690, section 10).
 * No recursion: a caller opens what it knows, level by level.
 */
#pragma once

#include "base/reader.h"

G_BEGIN_DECLS

#define DSTACK_DER_BOOLEAN	0x01
#define DSTACK_DER_INTEGER	0x02
#define DSTACK_DER_OCTET_STRING 0x04
#define DSTACK_DER_OID		0x06
#define DSTACK_DER_ENUMERATED	0x0a
#define DSTACK_DER_SEQUENCE	0x30

/* steps over one value of the given tag; out reads its content */
gboolean dstack_der_take(DstackReader *self, guint8 tag, const gchar *field, DstackReader *out,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* an INTEGER or ENUMERATED from 0 to max, in its shortest form */
gboolean dstack_der_uint(DstackReader *self, guint8 tag, const gchar *field, guint32 max, guint32 *out,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_der_boolean(DstackReader *self, const gchar *field, gboolean *out,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* an OCTET STRING of exactly size bytes */
gboolean dstack_der_octets(DstackReader *self, const gchar *field, guint8 *out, gsize size,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
