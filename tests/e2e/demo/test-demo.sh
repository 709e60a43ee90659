#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a newcomer does first: a fresh copy of the tree, ./bootstrap demo. It builds, shows the main job, and changes
# nothing outside that copy.
set -u
here=$(cd "$(dirname "$0")" && pwd)
srcdir=${DSTACK_E2E_SRCDIR:-$(cd "$here/../../.." && pwd)}
# shellcheck source=tests/e2e/lib/tap.sh
. "$srcdir/tests/e2e/lib/tap.sh"

# The tree as it was cloned or unpacked: no build folder, nothing that autotools made.
fresh_copy() {
	mkdir "$work/tree"
	if [ -e "$srcdir/.git" ]; then
		(cd "$srcdir" && git ls-files -z -c -o --exclude-standard | tar -c --null -T - -f -) | tar -x -C "$work/tree" -f -
	else
		(cd "$srcdir" && tar -c --exclude='./build*' --exclude='./_*' -f - .) | tar -x -C "$work/tree" -f -
	fi
}

# Files of ours on this machine; the demo makes none.
outside() {
	find /etc/dstack /usr/local/etc/dstack /var/lib/dstack /var/cache/dstack /run/dstack-vmm-prep \
		/etc/libvirt/hooks 2>/dev/null | sort
}

run_demo() {
	(cd "$work/tree" && NO_COLOR=1 ./bootstrap demo </dev/null) >"$work/out" 2>"$work/err" && return
	cat "$work/out" "$work/err"
	return 1
}

shows() {
	grep -Eq -- "$1" "$work/out" && return
	cat "$work/out"
	return 1
}

require autoreconf make gcc tar
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
before=$(outside)
ok "a fresh copy of the tree" fresh_copy
ok "./bootstrap demo ends well" run_demo
ok "it lists the image" shows 'dstack-.*[0-9]+\.[0-9]+\.[0-9]+'
ok "it prepares a launch at 2 GiB, which is lite" shows 'lite'
ok "it shows what the guest will read" shows 'sys-config\.json'
ok "it shows the vm_config" shows 'os_image_hash'
ok "it shows a refusal at 2500 MiB" shows '2500'
ok "and why" shows '2 GiB'
ok "no escape sequence in its output" test "$(tr -d '\n[:print:]\t' <"$work/out" | grep -c $'\033')" = 0
ok "it leaves nothing outside its folder" test "$(outside)" = "$before"
plan
