#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A real libvirtd with the hook in its hook directory starts a real guest: it reads in its share, byte for byte, what the
# hook wrote; and a launch that could never be attested is refused with one line and without a trace.
set -u
here=$(cd "$(dirname "$0")" && pwd)
srcdir=${DSTACK_E2E_SRCDIR:-$(cd "$here/../../.." && pwd)}
builddir=${DSTACK_E2E_BUILDDIR:-$srcdir/build}
tool=$builddir/dstack-vmm-prep
hook=$builddir/dstack-vmm-prep-hook
sample=$builddir/images-sample/dstack-sample-0.1.0
# shellcheck source=tests/e2e/lib/tap.sh
. "$srcdir/tests/e2e/lib/tap.sh"
# shellcheck source=tests/e2e/lib/libvirt.sh
. "$srcdir/tests/e2e/lib/libvirt.sh"
# shellcheck source=tests/e2e/lib/domain.sh
. "$srcdir/tests/e2e/lib/domain.sh"

require_root
require unshare libvirtd virtlogd virsh qemu-system-x86_64 /usr/bin/python3 cpio busybox /usr/share/ovmf/OVMF.fd "$tool" "$hook" "$hook-worker" \
	"$sample/digest.txt"
enter_namespaces "$@"

boot_limit=150
images=$work/images
qemu_version=$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p')

# ---- what the tests stand on ----

check() {
	/usr/bin/python3 -B "$srcdir/tests/e2e/lib/check.py" "$@"
}

# Debian's QEMU, but for the version it gives: from 10.2 on the kernel's header is left alone, so material does not hold.
make_emulator() {
	cat >"$work/qemu-10.2" <<-'END'
		#!/bin/sh
		[ "$*" = --version ] && echo "QEMU emulator version 10.2.0" && exit
		exec /usr/bin/qemu-system-x86_64 "$@"
	END
	chmod 0755 "$work/qemu-10.2"
}

make_image() {
	image=$("$srcdir/images-sample/from-debian" --tool "$tool" "$images") || return
	cmdline=$(check cmdline "$image")
	export image cmdline
	cp -a "$sample" "$images/"
}

# Debian's firmware boots, but its variable store is not one that a verifier expects, which a full check finds. So
# guests that boot are launched with the lesser check, and what only a full check finds is shown on the sample image.
write_config() {
	printf '[images]\ndirs=%s\n[check]\nlevel=%s\n' "$images" "${1:-material}" >"$config"
}

# with_full_check COMMAND...: on the sample image, which is sound, but holds nothing that boots.
with_full_check() {
	local image=$images/dstack-sample-0.1.0 initrd=$images/dstack-sample-0.1.0/initramfs.cpio cmdline status

	write_config full
	cmdline=$(check cmdline "$image")
	"$@"
	status=$?
	write_config
	return $status
}

# copy_image NAME: a copy under another name, to be spoiled; its own path is printed.
copy_image() {
	rm -rf -- "${images:?}/$1"
	cp -a -- "$image" "$images/$1"
	echo "$images/$1"
}

# The manifest and digest of a directory as its files are now.
renew_manifest() {
	rm "$1/sha256sum.txt" "$1/digest.txt"
	(cd "$1" && sha256sum -- *) >"$work/manifest" || return
	mv "$work/manifest" "$1/sha256sum.txt"
	renew_digest "$1"
}

renew_digest() {
	sha256sum <"$1/sha256sum.txt" | cut -d ' ' -f 1 >"$1/digest.txt"
}

# A share as an orchestrator leaves it: the guest's own files, no .sys-config.json yet.
fresh_share() {
	rm -rf -- "$work/share" "$work/share.img" "$work/console"
	mkdir -m 0750 "$work/share"
	echo '{"manifest_version":2,"name":"e2e"}' >"$work/share/app-compose.json"
	head -c 70000 /dev/zero | tr '\0' 'z' >"$work/share/a name with blanks, longer than any short name.TXT"
	: >"$work/share/empty"
	printf 'no newline' >"$work/share/Grüße"
}

# Every file below the share, the disk and the hook's own records: names, inodes, modes, sizes, times, contents.
snapshot() {
	find "$work/share" "$work/share.img" /run/dstack-vmm-prep -printf '%p %i %m %U %G %s %T@ %C@\n' 2>/dev/null | sort
	find "$work/share" "$work/share.img" -type f -exec sha256sum {} + 2>/dev/null | sort
}

files_of() {
	(cd "$work/share" && find . -type f -exec sha256sum {} + | sort)
}

vm_config() {
	check vm-config "$work/seen" "$@"
}

# keep_written: what the host wrote for this start, before it is taken away.
keep_written() {
	rm -rf "$work/written"
	cp -a "$work/share" "$work/written"
	cp "$work/share/.sys-config.json" "$work/seen"
}

guest_saw_everything() {
	check saw "$work/console" "$work/written"
}

start() {
	domain_xml >"$work/domain.xml"
	virsh create "$work/domain.xml"
}

# refused REGEX: the start fails, virsh's error ends in our one line, which matches; nothing was written, as far as
# $look shows.
refused() {
	local before lines look=${look:-snapshot}

	before=$($look)
	domain_xml >"$work/domain.xml"
	if virsh create "$work/domain.xml" >"$work/out" 2>&1; then
		virsh destroy -- "${name:-guest}"
		echo "it started"
		return 1
	fi
	cat "$work/out"
	grep -q 'Hook script execution failed' "$work/out" || return
	sed -n 's/.*unexpected exit status 1: //p' "$work/out" | grep -E -- "$1" >"$work/reason" || return
	lines=$(grep -c . "$work/out")
	[ "$lines" -eq 2 ] || { echo "expected virsh's line and ours in one, found $lines lines"; return 1; }
	[ "$($look)" = "$before" ] || { echo "something was written:"; $look; return 1; }
}

# ---- the tests ----

starts_with_9p() {
	fresh_share
	start || return
	keep_written
}

domain_says_the_same() {
	"$tool" --json domain guest >"$work/answer" && check same-config "$work/seen" "$work/answer"
}

keeps_owner_and_mode() {
	[ "$(stat -c %a "$work/share")" = 750 ] || return
	case $(stat -c %a "$work/share/.sys-config.json") in *[4567]) return 1 ;; esac
}

ends_by_itself() {
	wait_gone guest "$boot_limit" || return
	grep -a '^DSTACK' "$work/console"
	grep -aq '^DSTACK guest: done' "$work/console"
}

nothing_left() {
	snapshot
	[ ! -e "$work/share/.sys-config.json" ] || return
	[ "$(find "$work/share" -type f | wc -l)" = 4 ] || return
	[ ! -e "$work/share.img" ] || return
	[ -z "$(find /run/dstack-vmm-prep -type f 2>/dev/null)" ]
}

as_disk() {
	more_metadata="<dstack:share dir=\"$work/share\"/>" share_as=disk "$@"
}

starts_with_disk() {
	fresh_share
	as_disk start || return
	keep_written
}

# The disk is read with other people's tools: mtools on the host, Linux's vfat in the guest.
disk_is_fat() {
	cp "$work/share.img" "$work/copy.img"
	fsck.fat -n "$work/copy.img" || return
	mcopy -n -i "$work/copy.img" ::.sys-config.json "$work/from-disk" || return
	cmp "$work/from-disk" "$work/seen"
}

refuses_changed_kernel_in_domain() {
	cp "$image/bzImage" "$work/changed-kernel"
	check flip "$work/changed-kernel"
	kernel=$work/changed-kernel refused 'kernel'
}

# starts_and_ends: a launch that is prepared and started, whatever the guest makes of it.
starts_and_ends() {
	fresh_share
	start || return
	cp "$work/share/.sys-config.json" "$work/seen"
	virsh destroy guest || return
	nothing_left
}

refuses_changed_kernel_in_image() {
	local spoiled

	spoiled=$(copy_image dstack-changed-1.0.0)
	check flip "$spoiled/bzImage"
	image=$spoiled initrd=$spoiled/initramfs.cpio refused 'bzImage'
}

refuses_measurable_kernel_in_image() {
	local spoiled

	spoiled=$(copy_image dstack-renewed-1.0.0)
	check flip "$spoiled/bzImage"
	renew_manifest "$spoiled"
	image=$spoiled initrd=$spoiled/initramfs.cpio refused 'kernel'
}

refuses_missing_material() {
	local spoiled

	spoiled=$(copy_image dstack-bare-1.0.0)
	rm "$spoiled/measurement.tdx.cbor"
	renew_manifest "$spoiled"
	image=$spoiled refused 'measurement.tdx.cbor|material'
}

refuses_material_listed_twice() {
	local spoiled

	spoiled=$(copy_image dstack-twice-1.0.0)
	grep measurement.tdx.cbor "$spoiled/sha256sum.txt" >"$work/line"
	cat "$work/line" >>"$spoiled/sha256sum.txt"
	renew_digest "$spoiled"
	image=$spoiled refused 'twice|measurement.tdx.cbor'
}

refuses_over_budget() {
	/usr/bin/python3 -c 'import json; print(json.dumps({"kms_urls": ["https://kms.example/" + "x" * 32600], "gateway_urls": []}))' \
		>"$work/share/.sys-config.json"
	refused '32768|32,768' || return
	rm "$work/share/.sys-config.json"
}

refuses_foreign_disk() {
	fresh_share
	head -c 1048576 /dev/zero | tr '\0' 'x' >"$work/share.img"
	as_disk refused 'share.img' || return
	rm "$work/share.img"
}

refuses_name_fat_cannot_hold() {
	fresh_share
	: >"$work/share/a:b"
	as_disk refused 'a:b'
}

refuses_read_only_share() {
	local status

	fresh_share
	mount --bind "$work/share" "$work/share"
	mount -o remount,bind,ro "$work/share"
	look=files_of refused "$work/share"
	status=$?
	umount "$work/share"
	return $status
}

refuses_full_share() {
	local status

	fresh_share
	mount -t tmpfs -o size=64k tmpfs "$work/share"
	head -c 1000000 /dev/zero >"$work/share/filler" 2>/dev/null
	look=files_of refused "$work/share.*space"
	status=$?
	umount "$work/share"
	return $status
}

keeps_other_members() {
	fresh_share
	printf '{"kms_urls":["https://kms.example"],"gateway_urls":[],"docker_registry":null,"own":1.50,"vm_config":"old"}' \
		>"$work/share/.sys-config.json"
	files_of >"$work/before"
	start || return
	cp "$work/share/.sys-config.json" "$work/seen"
	virsh destroy guest || return
	vm_config 'tdx_attestation_variant="lite"' || return
	check member "$work/seen" 'kms_urls=["https://kms.example"]' 'own=1.5' || return
	files_of | diff "$work/before" -
}

# The launch that SEV-SNP would have: this host has no such TEE, so the guest starts without it.
starts_snp() {
	local document

	document=$(printf '{"compose_hash":"%064d","key_provider":"kms","version":3}' 7)

	memory=2560 tee=snp cpu="<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>EPYC</model></cpu>" \
		more_metadata="<dstack:mrConfig>$document</dstack:mrConfig>" starts_and_ends || return
	document=$(sed 's/"/\\"/g; s/.*/"&"/' <<<"$document")
	check member "$work/seen" "mr_config=$document" || return
	vm_config 'tdx_measurement=' 'memory_size=2684354560' "mr_config=$document"
}

foreign_domain_starts() {
	local before

	fresh_share
	before=$(snapshot)
	name=foreign metadata=no start || return
	[ "$(snapshot)" = "$before" ] || return
	virsh destroy foreign || return
	[ "$(snapshot)" = "$before" ]
}

# libvirt kills a guest whose reconnect hook fails: ours never does, whatever is broken.
survives_reconnect() {
	fresh_share
	start || return
	echo 'nonsense' >"$config"
	stop_libvirtd && start_libvirtd || return
	sleep 1
	virsh domstate guest | grep -q running || return
	write_config
	virsh destroy guest || return
	nothing_left
}

hostile_names_start() {
	local name

	for name in --help .. '-' "two words" "\$(touch pwned)" $'tab\there'; do
		fresh_share
		start || return
		[ -s "$work/share/.sys-config.json" ] || return
		virsh destroy -- "$name" || return
		nothing_left || return
	done
	[ ! -e /pwned ]
}

ok "a libvirtd of our own runs with the hook" private_libvirtd "$hook"
make_emulator
make_image || { ok "the image is made from Debian's packages" false; plan; exit 1; }
write_config

ok "9p: the guest starts" starts_with_9p
ok "9p: vm_config says lite and the domain's own facts" vm_config 'tdx_attestation_variant="lite"' \
	'memory_size=2147483648' 'cpu_count=1' 'num_nics=0' 'host_share_mode="9p"' "qemu_version=\"$qemu_version\"" \
	"image=\"${image##*/}\"" "os_image_hash=\"$(cat "$image/digest.txt")\""
ok "9p: the domain command, asked by name, answers with the same" domain_says_the_same
ok "9p: the directory is as it was, the file is not for everyone" keeps_owner_and_mode
ok "9p: the guest ends by itself" ends_by_itself
ok "9p: the guest saw .sys-config.json byte for byte as the hook wrote it, and the other files" guest_saw_everything
ok "9p: after shutdown the hook's files are gone" nothing_left

ok "FAT disk: the guest starts" starts_with_disk
ok "FAT disk: vm_config says so" vm_config 'host_share_mode="vhd"'
ok "FAT disk: other tools read it" disk_is_fat
ok "FAT disk: the guest ends by itself" ends_by_itself
ok "FAT disk: the same" guest_saw_everything
ok "FAT disk: after shutdown the hook's files are gone" nothing_left

fresh_share
memory=2560 ok "2560 MiB is refused" refused '[Mm]emory.*2560|2560.*memory'
ok "a kernel changed by one byte is refused" refuses_changed_kernel_in_domain
ok "full check: a sound image starts" with_full_check starts_and_ends
ok "full check: an image whose kernel changed by one byte is refused" with_full_check refuses_changed_kernel_in_image
ok "full check: the same with a manifest that agrees" with_full_check refuses_measurable_kernel_in_image
arguments="$cmdline debug" ok "another command line is refused" refused 'cmdline|command line'
ok "missing material is refused" refuses_missing_material
ok "material listed twice in the manifest is refused" refuses_material_listed_twice
ok ".sys-config.json over its budget is refused" refuses_over_budget
ok "a disk image that is not ours is refused, and kept" refuses_foreign_disk
ok "a file that FAT cannot hold is refused" refuses_name_fat_cannot_hold
ok "a read-only share is refused" refuses_read_only_share
ok "a full share is refused" refuses_full_share
fresh_share
image_name=dstack-none-1.0.0 ok "an image that is not there is refused" refused 'dstack-none-1.0.0'
emulator=$work/qemu-10.2 ok "an emulator that measures another kernel is refused" refused '10\.2'
ok "after all refusals the same domain starts" starts_with_9p
ok "destroying it takes the hook's files away" virsh destroy guest
ok "and nothing is left" nothing_left

ok "other members of .sys-config.json are kept, and restored after" keeps_other_members
ok "SEV-SNP: any memory size starts, and mr_config is injected" with_full_check starts_snp
tee=snp ok "SEV-SNP: a CPU model that is not named is refused" with_full_check refused 'cpu'
ok "a domain without our metadata starts untouched" foreign_domain_starts
echo 'nonsense
[images' >"$config"
ok "the same with a broken configuration file" foreign_domain_starts
fresh_share
ok "our domain is refused then, and the file is named" refused "${config##*/}"
write_config
ok "a running guest survives a new libvirtd, even with a broken configuration" survives_reconnect
ok "hostile names are only names" hostile_names_start
plan
