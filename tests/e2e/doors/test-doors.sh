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
sample=$builddir/images-sample/dstack-sample-0.1.0
# shellcheck source=tests/e2e/lib/tap.sh
. "$srcdir/tests/e2e/lib/tap.sh"
# shellcheck source=tests/e2e/lib/libvirt.sh
. "$srcdir/tests/e2e/lib/libvirt.sh"

require_root
require unshare /usr/bin/python3 "$tool" "$hook" "$hook-worker" dbus-daemon "$builddir/dstack-vmm-prepd" "$sample/digest.txt"
enter_namespaces "$@"
private_mounts
mkdir "$work/images"
cp -a "$sample" "$work/images/"
exec /usr/bin/python3 -I -B "$here/doors.py" "$tool" "$hook" "$config" "$work/images/${sample##*/}" "$work"
