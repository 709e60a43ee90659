#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots Debian's firmware, kernel and our initrd under QEMU (TCG) with a TPM, once per memory size, and compares what the
# firmware measured with what dstack-vmm-prep predicts. The same firmware code measures into RTMRs on TDX, so every
# prediction but MRTD, TD HOB and ACPI is proven on any machine.
set -u
here=$(cd "$(dirname "$0")" && pwd)
srcdir=${DSTACK_E2E_SRCDIR:-$(cd "$here/../../.." && pwd)}
builddir=${DSTACK_E2E_BUILDDIR:-$srcdir/build}
tool=$builddir/dstack-vmm-prep
# shellcheck source=tests/e2e/lib/tap.sh
. "$srcdir/tests/e2e/lib/tap.sh"

# 2048 MiB: the smallest size that allows lite. 2560: between the two bounds, where the kernel header differs.
# 2816: 0xB0000000 exactly. 3072, 4096: anything above.
lite_sizes=(2048 2816 3072 4096)
other_size=2560
boot_limit=150

clean_up() {
	local pid

	for pid in "$work"/*.pid; do
		[ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null
	done
	rm -rf -- "$work"
}

# boot RUN MIB: one boot of $image with a fresh TPM; the console ends in $work/console.RUN.
boot() {
	local tpm=$work/tpm.$1 cmdline

	cmdline=$(check cmdline "$image")
	mkdir "$tpm"
	swtpm_setup --tpm2 --tpmstate "$tpm" --pcr-banks sha256,sha384 --overwrite >"$tpm/log" || return
	swtpm socket --tpm2 --tpmstate dir="$tpm" --ctrl type=unixio,path="$tpm/ctl" --terminate \
		--daemon --pid file="$work/swtpm.$1.pid" || return
	nice timeout "$boot_limit" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 1 -m "$2" \
		-nodefaults -no-user-config -display none -no-reboot -serial "file:$work/console.$1" \
		-bios "$image/ovmf.fd" -kernel "$image/bzImage" -initrd "$image/initrd.img" -append "$cmdline" \
		-chardev "socket,id=tpm,path=$tpm/ctl" -tpmdev emulator,id=tpm0,chardev=tpm -device tpm-crb,tpmdev=tpm0
	rm -f "$work/swtpm.$1.pid"
	grep -aq '^DSTACK guest: done' "$work/console.$1"
}

predict() {
	"$tool" --json expect "$image" --tee tdx --memory "$2M" >"$work/expect.$1"
}

check() {
	/usr/bin/python3 -B "$srcdir/tests/e2e/lib/check.py" "$@"
}

compare() {
	/usr/bin/python3 -B "$here/compare.py" "$@"
}

# make_image DIRECTORY OPTION...: sets $image.
make_image() {
	image=$("$srcdir/images-sample/from-debian" --tool "$tool" "${@:2}" "$1") && return
	ok "the image is made from Debian's packages" false
	plan
	return 1
}

# check_boot RUN MIB: what the firmware measured into a TPM, event by event, is what we say it measures into RTMRs.
check_boot() {
	ok "$1: the guest boots and ends" boot "$1" "$2"
	ok "$1: the firmware's log gives the TPM's own PCR values" compare sound "$work/console.$1"
	ok "$1: expect answers" predict "$1" "$2"
	ok "$1: the kernel digest is as predicted" compare kernel "$work/console.$1" "$work/expect.$1"
	ok "$1: the command line digest is as predicted" compare cmdline "$work/console.$1" "$work/expect.$1"
	ok "$1: the initrd digest is as predicted" compare initrd "$work/console.$1" "$work/expect.$1"
	ok "$1: every other shared digest is as predicted" compare constants "$work/console.$1" "$work/expect.$1"
}

same_kernel_everywhere() {
	local size

	for size in "${lite_sizes[@]:1}"; do
		compare same-kernel "$work/console.2048-MiB" "$work/console.$size-MiB" || return
	done
}

another_kernel() {
	! compare same-kernel "$work/console.2048-MiB" "$work/console.$1" 2>/dev/null
}

material_holds() {
	compare material "$work/console.$1" "$image/measurement.tdx.cbor"
}

material_does_not_hold() {
	! material_holds "$1" 2>/dev/null
}

prepares_lite() {
	mkdir -p "$work/share.$1"
	"$tool" prepare "$image" --tee tdx --memory "$1M" --vcpus 1 --qemu-version 9.2.0 --check material \
		--inject "$work/share.$1" >/dev/null &&
		check vm-config "$work/share.$1/.sys-config.json" 'tdx_attestation_variant="lite"' "memory_size=$(($1 << 20))"
}

refuses_to_prepare() {
	local status=0

	"$tool" prepare "$image" --tee tdx --memory "$1M" --vcpus 1 --qemu-version 9.2.0 --check "$2" \
		>"$work/prepared" 2>"$work/reason" || status=$?
	cat "$work/reason"
	[ "$status" -eq 1 ] && [ ! -s "$work/prepared" ] && grep -qi -- "$3" "$work/reason"
}

require /usr/bin/python3 qemu-system-x86_64 swtpm swtpm_setup cpio busybox /usr/share/ovmf/OVMF.fd "$tool"
work=$(mktemp -d)
trap clean_up EXIT
# the machine's own configuration and cache are left alone
printf '[cache]\ndir=%s/cache\n' "$work" >"$work/conf"
printf '#!/bin/sh\nexec "%s" --config "%s/conf" "$@"\n' "$tool" "$work" >"$work/tool"
chmod 0755 "$work/tool"
tool=$work/tool
make_image "$work" || exit 1
for size in "${lite_sizes[@]}" "$other_size"; do
	check_boot "$size-MiB" "$size"
done
ok "one and the same kernel is measured at ${lite_sizes[*]} MiB" same_kernel_everywhere
ok "at $other_size MiB another kernel is measured" another_kernel "$other_size-MiB"
for size in "${lite_sizes[@]}"; do
	ok "$size MiB: the image's material holds" material_holds "$size-MiB"
	ok "$size MiB: prepare says lite" prepares_lite "$size"
done
ok "$other_size MiB: the image's material does not hold" material_does_not_hold "$other_size-MiB"
ok "$other_size MiB: prepare refuses and names the memory" refuses_to_prepare "$other_size" material memory
# tdx-measurement.md, section 3: material takes the variable store of 4 MiB builds for granted, and Debian's is smaller
ok "a full check finds that this firmware is none that a verifier expects" refuses_to_prepare 2048 full "variable store"

# QEMU copies vga= from the command line into the kernel's header, which is measured
make_image "$work/vga" --cmdline vga=0x317 || exit 1
check_boot vga 2048
ok "with vga= another kernel is measured" another_kernel vga
plan
