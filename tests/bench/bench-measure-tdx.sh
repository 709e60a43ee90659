#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# measure tdx on an image with a 100 MiB initrd, as a ratio to openssl dgst -sha384 over the same bytes.
# Both read from the page cache; the best of several runs, alternating, so that a busy machine hurts both.
set -euo pipefail
tool=$G_TEST_BUILDDIR/dstack-vmm-prep
sample=$G_TEST_BUILDDIR/images-sample/dstack-sample-0.1.0
rounds=${BENCH_ROUNDS:-9}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -r "$sample" "$work/image"
head -c 104857600 /dev/urandom >"$work/image/initramfs.cpio"

# milliseconds of processor time and of wall clock that a command takes: sets cpu and wall
measure() {
	local TIMEFORMAT='%U %S %R' times
	times=$({ time "$@" >"$work/out" 2>&1; } 2>&1)
	read -r cpu wall < <(awk '{ printf "%d %d\n", ($1 + $2) * 1000 + 0.5, $3 * 1000 + 0.5 }' <<<"$times")
}

# the smaller of a variable's value and a number
least() {
	[ "${!1:-999999}" -le "$2" ] || printf -v "$1" %d "$2"
}

for ((i = 0; i < rounds; i++)); do
	measure "$tool" -q measure tdx "$work/image" -o "$work/measurement.tdx.cbor"
	least our_cpu "$cpu"
	least our_wall "$wall"
	measure openssl dgst -sha384 "$work/image/initramfs.cpio" "$work/image/bzImage" "$work/image/ovmf.fd"
	least their_cpu "$cpu"
	least their_wall "$wall"
done
awk -v a="$our_cpu" -v b="$their_cpu" -v c="$our_wall" -v d="$their_wall" 'BEGIN {
	printf "measure tdx, 100 MiB initrd, against openssl dgst -sha384 (goal: at most 1.15)\n"
	printf "  processor time %d ms, %d ms: ratio %.2f\n", a, b, a / b
	printf "  wall clock     %d ms, %d ms: ratio %.2f\n", c, d, c / d }'
