#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# doctor on made-up hosts: each thing it looks at, there and not there.
set -u
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=$work/host
n=0
failures=0

# put PATH [MODE [TEXT]]: a file on the host
put() {
	mkdir -p "$host/$(dirname "$1")"
	printf '%s\n' "${3:-}" >"$host/$1"
	chmod "${2:-644}" "$host/$1"
}
# says NAME CHECK STATE [WORDS]: what doctor has to say of one check
says() {
	local name=$1 seen

	"$cli" --json doctor --root "$host" >"$work/out"
	seen=$(/usr/bin/python3 -I -c '
import json, sys
rows = [row for row in json.load(open(sys.argv[1]))["checks"] if row["check"] == sys.argv[2]]
print(*(f"""{row["state"]} {row["found"]} {row["advice"]}""" for row in rows), sep="\n")' "$work/out" "$2")
	n=$((n + 1))
	if grep -q "^$3 .*${4:-}" <<<"$seen"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		echo "# $2: $seen"
		failures=$((failures + 1))
	fi
}
mkdir "$host"
says "an empty host has no emulator" qemu missing "install qemu-system-x86"
says "no confidential VMs" "confidential VMs" missing "neither TDX nor SEV-SNP"
says "no kvm" /dev/kvm missing
says "no images" images missing
says "no hook" hook warn "50-dstack-vmm-prep"
says "no service" service warn
says "but defaults" configuration ok
says "and the default policy" policy ok "lite"

put sys/module/kvm_intel/parameters/tdx 444 N
says "TDX that is switched off does not count" "confidential VMs" missing
put sys/module/kvm_intel/parameters/tdx 644 Y
says "TDX" "confidential VMs" ok "Intel TDX"
says "TDX without a quote generation service" "quote generation" warn "tdx-qgs"
put usr/bin/qgs 755
says "TDX with one" "quote generation" ok
rm -r "$host/sys"
put sys/module/kvm_amd/parameters/sev_snp 644 Y
says "SEV-SNP without its device" "confidential VMs" missing "ccp"
put dev/sev
says "SEV-SNP" "confidential VMs" ok "SEV-SNP"
put dev/kvm
says "kvm" /dev/kvm ok

put usr/bin/qemu-system-x86_64 644
says "a file that cannot be run is no emulator" qemu missing
put usr/bin/qemu-system-x86_64 755 "#!/bin/sh
touch $work/was-run"
says "an emulator" qemu ok /usr/bin/qemu-system-x86_64
put usr/bin/virsh 755
says "virsh" virsh ok
says "swtpm is wanted, not needed" swtpm warn
n=$((n + 1))
if [ -e "$work/was-run" ]; then
	echo "not ok $n - programs of another root are not run"
	failures=$((failures + 1))
else
	echo "ok $n - programs of another root are not run"
fi

put etc/libvirt/hooks/qemu.d/50-dstack-vmm-prep 644
says "a hook that cannot be run" hook missing "executable"
put etc/libvirt/hooks/qemu.d/50-dstack-vmm-prep 775
says "a hook that others may write" hook missing "go-w"
put etc/libvirt/hooks/qemu.d/50-dstack-vmm-prep 755
says "a hook" hook ok
put run/libvirtd.pid
touch -d '2001-01-01' "$host/run/libvirtd.pid"
says "a hook newer than the running daemon" hook warn "reload"
touch -d '2101-01-01' "$host/run/libvirtd.pid"
says "a hook older than the running daemon" hook ok
put etc/libvirt/hooks/qemu.d/50-dstack-vmm-prep.dpkg-dist 755
says "a forgotten copy of the hook" "hook, a copy" warn "dpkg-dist"

put usr/share/dbus-1/system-services/org.dstack.VmmPrep1.service
says "a service without a policy" service warn "no policy"
put usr/share/dbus-1/system.d/org.dstack.VmmPrep1.conf
says "a service" service ok

put "$SYSCONFDIR/dstack/vmm-prep.conf" 644 "[tdx]
variant=legacy"
says "a weaker policy is named" policy warn legacy
put "$SYSCONFDIR/dstack/vmm-prep.conf" 644 "[tdx]
variannt=lite"
says "a typing error in the configuration" configuration missing "vmm-prep.conf"

echo "1..$n"
[ "$failures" -eq 0 ]
