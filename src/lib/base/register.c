/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Extending a measurement register (Intel TDX module ABI, TDG.MR.RTMR.EXTEND).
 */

#include "config.h"

#include "base/register.h"

#include <string.h>

/**
 * dstack_register_extend:
 * @self: the register
 * @digest: the digest of what is measured
 *
 * Sets the register to SHA-384 over its old value followed by @digest.
 */
void
dstack_register_extend(DstackSha384 *self, const DstackSha384 *digest)
{
	guint8 both[2 * sizeof(DstackSha384)];

	memcpy(both, self->bytes, sizeof(self->bytes));
	memcpy(both + sizeof(self->bytes), digest->bytes, sizeof(digest->bytes));
	*self = dstack_sha384(both, sizeof(both));
}

/**
 * dstack_register_replay:
 * @digests: (array length=n): event digests in order
 * @n: number of them
 *
 * Returns: what a register holds after these events; zero after none
 */
DstackSha384
dstack_register_replay(const DstackSha384 *digests, gsize n)
{
	DstackSha384 value = {{0}};

	for (gsize i = 0; i < n; i++)
		dstack_register_extend(&value, &digests[i]);
	return value;
}
