#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R28: the manual's sources are well formed.
set -u
n=0
fail=0
for page in "$G_TEST_SRCDIR"/docs/man/*.pod; do
	n=$((n + 1))
	if podchecker -warnings "$page" >&2; then
		echo "ok $n - ${page##*/}"
	else
		echo "not ok $n - ${page##*/}"
		fail=1
	fi
done
echo "1..$n"
exit $fail
