#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target over its corpus. A target without a corpus is a failure, not a pass.
set -eu
n=0
fail=0
for target in $FUZZ_TARGETS; do
	n=$((n + 1))
	corpus=$G_TEST_SRCDIR/tests/fuzz/corpus/${target#fuzz-}
	if [ -n "$(find "$corpus" -type f 2>/dev/null | head -n 1)" ] && find "$corpus" -type f -print0 | xargs -0 "./$target" >&2; then
		echo "ok $n - $target"
	else
		echo "not ok $n - $target ($corpus)"
		fail=1
	fi
done
echo "1..$n"
test "$n" -gt 0
exit $fail
