/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 and SHA-384 by OpenSSL (FIPS 180-4). Comparisons take the same time whatever they find.
 *
 * A hash cannot fail for any input; OpenSSL refuses only without memory or without its default
 * provider. That ends the process, as GLib's own allocations do: no caller could go on, and a
 * zero digest handed on instead could one day compare equal.
 */

#include "config.h"

#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/autoptr.h"
#include "base/hex.h"

struct _DstackHasher {
	EVP_MD_CTX *ctx;
	gsize width; /* bytes of the digest */
};

static void
hash_must(int result)
{
	if (result != 1)
		g_error("libcrypto cannot compute a SHA-2 digest: out of memory, or its default provider is missing");
}

DstackSha256
dstack_sha256(const guint8 *data, gsize size)
{
	DstackSha256 digest;

	hash_must(EVP_Digest(data, size, digest.bytes, NULL, EVP_sha256(), NULL));
	return digest;
}

DstackSha384
dstack_sha384(const guint8 *data, gsize size)
{
	DstackSha384 digest;

	hash_must(EVP_Digest(data, size, digest.bytes, NULL, EVP_sha384(), NULL));
	return digest;
}

DstackSha256
dstack_sha256_bytes(GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	return dstack_sha256(data, size);
}

DstackSha384
dstack_sha384_bytes(GBytes *bytes)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	return dstack_sha384(data, size);
}

/**
 * dstack_bytes_equal:
 * @a: (array length=size): bytes
 * @b: (array length=size): bytes
 * @size: number of bytes
 *
 * Returns: whether they are the same, found in constant time
 */
gboolean
dstack_bytes_equal(const guint8 *a, const guint8 *b, gsize size)
{
	return size == 0 || CRYPTO_memcmp(a, b, size) == 0;
}

/**
 * dstack_bytes_are_zero:
 * @data: (array length=size): bytes
 * @size: number of bytes
 *
 * Returns: whether every byte is zero; true for none
 */
gboolean
dstack_bytes_are_zero(const guint8 *data, gsize size)
{
	guint8 seen = 0;

	for (gsize i = 0; i < size; i++)
		seen |= data[i];
	return seen == 0;
}

gboolean
dstack_sha256_equal(const DstackSha256 *a, const DstackSha256 *b)
{
	return dstack_bytes_equal(a->bytes, b->bytes, sizeof(a->bytes));
}

gboolean
dstack_sha384_equal(const DstackSha384 *a, const DstackSha384 *b)
{
	return dstack_bytes_equal(a->bytes, b->bytes, sizeof(a->bytes));
}

gboolean
dstack_sha256_is_zero(const DstackSha256 *self)
{
	return dstack_bytes_are_zero(self->bytes, sizeof(self->bytes));
}

gboolean
dstack_sha384_is_zero(const DstackSha384 *self)
{
	return dstack_bytes_are_zero(self->bytes, sizeof(self->bytes));
}

gchar *
dstack_sha256_to_hex(const DstackSha256 *self)
{
	return dstack_hex_encode(self->bytes, sizeof(self->bytes));
}

gchar *
dstack_sha384_to_hex(const DstackSha384 *self)
{
	return dstack_hex_encode(self->bytes, sizeof(self->bytes));
}

gboolean
dstack_sha256_from_hex(const gchar *text, const gchar *what, DstackSha256 *out, GError **error)
{
	DstackSha256 digest;

	if (!dstack_hex_decode(text, what, digest.bytes, sizeof(digest.bytes), error))
		return FALSE;
	*out = digest;
	return TRUE;
}

gboolean
dstack_sha384_from_hex(const gchar *text, const gchar *what, DstackSha384 *out, GError **error)
{
	DstackSha384 digest;

	if (!dstack_hex_decode(text, what, digest.bytes, sizeof(digest.bytes), error))
		return FALSE;
	*out = digest;
	return TRUE;
}

static DstackHasher *
hasher_new(const EVP_MD *algorithm, gsize width)
{
	DstackHasher *self = g_new0(DstackHasher, 1);

	self->ctx = EVP_MD_CTX_new();
	self->width = width;
	hash_must(self->ctx != NULL && EVP_DigestInit_ex(self->ctx, algorithm, NULL) == 1);
	return self;
}

/**
 * dstack_hasher_new_sha256:
 *
 * Returns: (transfer full): a SHA-256 that has seen nothing yet
 */
DstackHasher *
dstack_hasher_new_sha256(void)
{
	return hasher_new(EVP_sha256(), sizeof(DstackSha256));
}

/**
 * dstack_hasher_new_sha384:
 *
 * Returns: (transfer full): a SHA-384 that has seen nothing yet
 */
DstackHasher *
dstack_hasher_new_sha384(void)
{
	return hasher_new(EVP_sha384(), sizeof(DstackSha384));
}

void
dstack_hasher_free(DstackHasher *self)
{
	if (self == NULL)
		return;
	EVP_MD_CTX_free(self->ctx);
	g_free(self);
}

/**
 * dstack_hasher_update:
 * @self: the hasher
 * @data: (array length=size) (nullable): the next bytes
 * @size: number of bytes
 */
void
dstack_hasher_update(DstackHasher *self, const guint8 *data, gsize size)
{
	hash_must(EVP_DigestUpdate(self->ctx, data, size));
}

/**
 * dstack_hasher_finish_sha256:
 * @self: a hasher made by dstack_hasher_new_sha256(), used up by this call
 *
 * Returns: the digest
 */
DstackSha256
dstack_hasher_finish_sha256(DstackHasher *self)
{
	DstackSha256 digest = {{0}};

	g_return_val_if_fail(self->width == sizeof(digest), digest);
	hash_must(EVP_DigestFinal_ex(self->ctx, digest.bytes, NULL));
	return digest;
}

/**
 * dstack_hasher_finish_sha384:
 * @self: a hasher made by dstack_hasher_new_sha384(), used up by this call
 *
 * Returns: the digest
 */
DstackSha384
dstack_hasher_finish_sha384(DstackHasher *self)
{
	DstackSha384 digest = {{0}};

	g_return_val_if_fail(self->width == sizeof(digest), digest);
	hash_must(EVP_DigestFinal_ex(self->ctx, digest.bytes, NULL));
	return digest;
}
