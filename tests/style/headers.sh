#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R3: every header compiles alone. What is generated from the D-Bus interface stands in the build folder.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$G_TEST_SRCDIR"
find include src plugins tests -name '*.h' ! -name '*generated*' | LC_ALL=C sort > "$work/headers"
n=0
fail=0
while read -r header; do
	n=$((n + 1))
	printf '#include "%s/%s"\n' "$G_TEST_SRCDIR" "$header" > "$work/alone.c"
	# shellcheck disable=SC2086 # the flags are words
	if (cd "$G_TEST_BUILDDIR" && $STYLE_CC $STYLE_FLAGS -fsyntax-only -Werror "$work/alone.c") >&2; then
		echo "ok $n - $header"
	else
		echo "not ok $n - $header does not compile alone"
		fail=1
	fi
done < "$work/headers"
echo "1..$n"
test "$n" -gt 5
exit $fail
