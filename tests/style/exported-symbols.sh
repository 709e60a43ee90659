#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R6: what the shared library exports is what its map says, and the public headers declare each of it.
set -eu
map=$G_TEST_SRCDIR/src/lib/libdstack-verifier.map
library=$G_TEST_BUILDDIR/.libs/libdstack-verifier.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..4
sed -n 's/^[[:space:]]*\(dstack_[a-z0-9_]*\);$/\1/p' "$map" > "$work/listed"
LC_ALL=C sort "$work/listed" > "$work/expected"
# shellcheck disable=SC2086
$NM -D --defined-only "$library" | awk '$2 ~ /[TDBR]/ { sub(/@.*/, "", $3); if ($3 !~ /^LIBDSTACK/) print $3 }' |
	LC_ALL=C sort > "$work/found"
cat "$G_TEST_SRCDIR"/include/dstack/*.h | grep -oE '\bdstack_[a-z0-9_]+ *\(' | tr -d ' (' | LC_ALL=C sort -u > "$work/declared"
fail=0
verdict() {
	if [ "$1" -eq 0 ]; then echo "ok $2"; else echo "not ok $2"; fail=1; fi
}
# two empty lists would compare equal
test -s "$work/expected" && test -s "$work/found"
verdict "$?" "1 - both lists hold something"
diff -u "$work/expected" "$work/found" >&2 && r=0 || r=1
verdict "$r" "2 - the library exports what the map lists"
cmp -s "$work/expected" "$work/listed" && r=0 || r=1
verdict "$r" "3 - the map is sorted"
LC_ALL=C comm -23 "$work/expected" "$work/declared" > "$work/undeclared"
test ! -s "$work/undeclared" && r=0 || r=1
cat "$work/undeclared" >&2
verdict "$r" "4 - the public headers declare what the map lists"
exit $fail
