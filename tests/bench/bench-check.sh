#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long `check` and `measure tdx` take, as ratios to tools that hash the same bytes in the same run.
# DSTACK_BENCH_MIB says how large the image is (default 2048); the machine's noise is in every number.
set -eu

size=${DSTACK_BENCH_MIB:-2048}
initrd_size=100
program=$(pwd)/dstack-vmm-prep
sample=$(pwd)/images-sample/dstack-sample-0.1.0
work=$(mktemp -d "${DSTACK_BENCH_DIR:-/var/tmp}/dstack-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
image=$work/dstack-bench-1.0.0
export XDG_CACHE_HOME=$work/cache
printf '[cache]\ndir=%s\n' "$work/cache" > "$work/conf"

# bytes that no file system compresses, and quickly: the initrd's digest must not be of zeros
random() {
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0000000000000000000000000000000"$2" \
		-in /dev/zero 2>/dev/null | head -c "$1"M
}

make_image() {
	mkdir "$image"
	cp "$sample"/bzImage "$sample"/ovmf.fd "$sample"/metadata.json "$image"
	random "$initrd_size" 1 > "$image/initramfs.cpio"
	random $((size - initrd_size)) 2 > "$image/rootfs.img"
	"$program" --config "$work/conf" measure tdx "$image" >/dev/null
	(cd "$image" && sha256sum bzImage initramfs.cpio measurement.tdx.cbor metadata.json ovmf.fd rootfs.img > sha256sum.txt)
	sha256sum "$image/sha256sum.txt" | cut -d ' ' -f 1 > "$image/digest.txt"
}

drop_caches() {
	sync
	{ echo 1 > /proc/sys/vm/drop_caches; } 2>/dev/null || true
}

# prints seconds; the shell's clock, so that no tool is needed
seconds() {
	local start=$EPOCHREALTIME
	"$@" > "$work/out" 2>&1 || { cat "$work/out" >&2; return 1; }
	local end=$EPOCHREALTIME
	awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }'
}

# the fastest of three: the others tell of the machine, not of the program
best() {
	local least=
	for _ in 1 2 3; do
		local t
		t=$(seconds "$@")
		least=$(awk -v a="${least:-$t}" -v b="$t" 'BEGIN { print (a < b) ? a : b }')
	done
	printf '%s' "$least"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

check() { "$program" --config "$work/conf" "$@" check "$image"; }
sums() { (cd "$image" && sha256sum --quiet -c sha256sum.txt); }
# every digest that check takes, the largest file first, a process a core
openssl_all_cores() {
	(
		cd "$image"
		{
			cut -c 67- sha256sum.txt | xargs -r ls -S | sed 's/^/-sha256 /'
			echo "-sha384 initramfs.cpio"
		} | xargs -L 1 -P "$(nproc)" openssl dgst
	)
}
measure() { "$program" --config "$work/conf" --no-cache measure tdx "$image"; }
openssl_initrd() { openssl dgst -sha384 "$image/initramfs.cpio"; }

peak_kib() {
	"$@" > /dev/null &
	local pid=$! peak=0 now
	while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		peak=$now
		sleep 0.02
	done
	wait "$pid"
	printf '%s' "$peak"
}

make_image
echo "image of $size MiB, $(nproc) cores"

drop_caches
cold=$(seconds check --no-cache)
drop_caches
cold_sums=$(seconds sums)
echo "cold: check $cold s, sha256sum -c $cold_sums s, ratio $(ratio "$cold" "$cold_sums")"

t_check=$(best check --no-cache)
t_sums=$(best sums)
t_openssl=$(best openssl_all_cores)
echo "warm: check $t_check s, sha256sum -c $t_sums s, ratio $(ratio "$t_check" "$t_sums") (goal: at most 0.5)"
echo "warm: openssl on all cores $t_openssl s, ratio $(ratio "$t_check" "$t_openssl") (goal: at most 1.15)"

# the cache remembers what has not changed for a second
sleep 2
check > /dev/null
echo "second check $(best check) s (goal: under 0.020)"

t_measure=$(best measure)
t_initrd=$(best openssl_initrd)
echo "measure tdx, $initrd_size MiB initrd: $t_measure s, openssl dgst -sha384 $t_initrd s," \
	"ratio $(ratio "$t_measure" "$t_initrd") (goal: at most 1.15)"

echo "peak memory of check: $(peak_kib "$program" --config "$work/conf" --no-cache check "$image") KiB (goal: under 65536)"
