/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keccak-f[1600] and a sponge of rate 1088 over it. FIPS 202, section 3; padding of the Keccak submission
 * (one, zeros, one), where FIPS 202 puts two bits more. It hashes public values of a few hundred bytes.
 */

#include "config.h"

#include "base/keccak.h"

#include <string.h>

#include "base/writer.h"

#define N_ROUNDS 24
#define RATE	 136

/* the rotations of FIPS 202, table 2, at x + 5 y */
static const guint8 rotations[25] = {0,	 1,  62, 28, 27, 36, 44, 6,  55, 20, 3,	 10, 43,
				     25, 39, 41, 45, 15, 21, 8,	 18, 2,	 61, 56, 14};

static guint64
rotate(guint64 value, guint n)
{
	return n == 0 ? value : value << n | value >> (64 - n);
}

static void
theta(guint64 a[25])
{
	guint64 parity[5];

	for (guint x = 0; x < 5; x++)
		parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (guint i = 0; i < 25; i++)
		a[i] ^= parity[(i + 4) % 5] ^ rotate(parity[(i + 1) % 5], 1);
}

static void
rho_pi_chi(guint64 a[25])
{
	guint64 b[25];

	for (guint y = 0; y < 5; y++) {
		for (guint x = 0; x < 5; x++)
			b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(a[x + 5 * y], rotations[x + 5 * y]);
	}
	for (guint y = 0; y < 25; y += 5) {
		for (guint x = 0; x < 5; x++)
			a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
	}
}

/* the round constants are bits of a linear feedback shift register, FIPS 202, algorithm 5 */
static guint64
next_round_constant(guint8 *lfsr)
{
	guint64 constant = 0;

	for (guint j = 0; j < 7; j++) {
		if ((*lfsr & 1) != 0)
			constant |= (guint64)1 << ((1u << j) - 1);
		*lfsr = (guint8)(*lfsr << 1 ^ ((*lfsr & 0x80) != 0 ? 0x71 : 0));
	}
	return constant;
}

static void
permute(guint64 a[25])
{
	guint8 lfsr = 1;

	for (guint round = 0; round < N_ROUNDS; round++) {
		theta(a);
		rho_pi_chi(a);
		a[0] ^= next_round_constant(&lfsr);
	}
}

static void
absorb(guint64 a[25], const guint8 block[RATE])
{
	for (guint i = 0; i < RATE; i++)
		a[i / 8] ^= (guint64)block[i] << (8 * (i % 8));
	permute(a);
}

/**
 * dstack_keccak_sponge256:
 * @data: (array length=size) (nullable): the input
 * @size: bytes of @data
 * @suffix: the bits after the input: 0x01 for Keccak-256, 0x06 for SHA3-256
 * @out: (out caller-allocates): 32 bytes
 *
 * The sponge with either padding, so that it can be compared with another implementation of SHA3-256.
 */
void
dstack_keccak_sponge256(const guint8 *data, gsize size, guint8 suffix, guint8 out[32])
{
	guint64 a[25] = {0};
	guint8 last[RATE] = {0};

	for (; size >= RATE; size -= RATE, data += RATE)
		absorb(a, data);
	if (size > 0)
		memcpy(last, data, size);
	last[size] ^= suffix;
	last[RATE - 1] ^= 0x80;
	absorb(a, last);
	for (guint i = 0; i < 4; i++)
		dstack_store_u64le(out + 8 * (gsize)i, a[i]);
}

/**
 * dstack_keccak256:
 * @data: (array length=size) (nullable): the input
 * @size: bytes of @data
 * @out: (out caller-allocates): 32 bytes
 *
 * Computes Keccak-256.
 */
void
dstack_keccak256(const guint8 *data, gsize size, guint8 out[32])
{
	dstack_keccak_sponge256(data, size, 0x01, out);
}
