#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sample image: what is made is what is committed, and its material is what `measure` computes.
set -u
tool=$G_TEST_BUILDDIR/dstack-vmm-prep
image=$G_TEST_BUILDDIR/images-sample/dstack-sample-0.1.0
golden=$G_TEST_SRCDIR/images-sample/golden
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0
fail=0
ok() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out"
		fail=1
	fi
}
for name in digest.txt measurement.snp.cbor measurement.tdx.cbor metadata.json sha256sum.txt; do
	ok "$name is as committed" cmp "$golden/$name" "$image/$name"
done
for tee in tdx snp; do
	ok "measure $tee answers" "$tool" measure "$tee" "$image" -o "$work/$tee.cbor"
	ok "measure $tee computes the image's material" cmp "$golden/measurement.$tee.cbor" "$work/$tee.cbor"
done
ok "the manifest holds" sh -c 'cd "$1" && sha256sum -c sha256sum.txt' sh "$image"
ok "the digest is the manifest's" sh -c 'test "$(sha256sum <"$1/sha256sum.txt")" = "$(cat "$1/digest.txt")  -"' sh "$image"
mkdir "$work/again"
ok "the image is made again" "$G_TEST_BUILDDIR/make-sample" "$work/again"
ok "with the same bytes" diff -r "$image" "$work/again/dstack-sample-0.1.0"
ok "the committed files are small" sh -c 'test "$(cat "$1"/* | wc -c)" -lt 10000' sh "$golden"
echo "1..$n"
exit $fail
