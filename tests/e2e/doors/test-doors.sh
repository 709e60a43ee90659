#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What one door answers, all of them answer: see doors.py.
set -u
here=$(cd "$(dirname "$0")" && pwd)
srcdir=${DSTACK_E2E_SRCDIR:-$(cd "$here/../../.." && pwd)}
builddir=${DSTACK_E2E_BUILDDIR:-$srcdir/build}
tool=$builddir/dstack-vmm-prep
hook=$builddir/dstack-vmm-prep-hook
# shellcheck source=tests/e2e/lib/tap.sh
. "$srcdir/tests/e2e/lib/tap.sh"
# shellcheck source=tests/e2e/lib/libvirt.sh
. "$srcdir/tests/e2e/lib/libvirt.sh"

require_root
require unshare /usr/bin/python3 cpio busybox /usr/share/ovmf/OVMF.fd "$tool" "$hook" "$hook-worker"
enter_namespaces "$@"
private_mounts
"$srcdir/images-sample/from-debian" --tool "$tool" "$work/images" >"$work/image" || exit 1
exec /usr/bin/python3 -I -B "$here/doors.py" "$tool" "$hook" "$config" "$(cat "$work/image")" "$work"
