/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Digests, each a struct of its exact width, so that the compiler keeps them apart.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	guint8 bytes[32];
} DstackSha256; /* image identity, kernel and initrd of SEV-SNP, HOST_DATA */

typedef struct {
	guint8 bytes[48];
} DstackSha384; /* MRTD, RTMR, event digests, SNP launch digest */

DstackSha256 dstack_sha256(const guint8 *data, gsize size);
DstackSha384 dstack_sha384(const guint8 *data, gsize size);
DstackSha256 dstack_sha256_bytes(GBytes *bytes);
DstackSha384 dstack_sha384_bytes(GBytes *bytes);

gboolean dstack_sha256_equal(const DstackSha256 *a, const DstackSha256 *b);
gboolean dstack_sha384_equal(const DstackSha384 *a, const DstackSha384 *b);
gboolean dstack_sha256_is_zero(const DstackSha256 *self);
gboolean dstack_sha384_is_zero(const DstackSha384 *self);
gchar *dstack_sha256_to_hex(const DstackSha256 *self);
gchar *dstack_sha384_to_hex(const DstackSha384 *self);
gboolean dstack_sha256_from_hex(const gchar *text, const gchar *what, DstackSha256 *out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_sha384_from_hex(const gchar *text, const gchar *what, DstackSha384 *out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* a hash under way */
typedef struct _DstackHasher DstackHasher;

DstackHasher *dstack_hasher_new_sha256(void);
DstackHasher *dstack_hasher_new_sha384(void);
void dstack_hasher_free(DstackHasher *self);
void dstack_hasher_update(DstackHasher *self, const guint8 *data, gsize size);
DstackSha256 dstack_hasher_finish_sha256(DstackHasher *self);
DstackSha384 dstack_hasher_finish_sha384(DstackHasher *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackHasher, dstack_hasher_free)

gboolean dstack_bytes_equal(const guint8 *a, const guint8 *b, gsize size);
gboolean dstack_bytes_are_zero(const guint8 *data, gsize size);

G_END_DECLS
