#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# images, inspect and check on the sample image and on broken copies of it: answers and exit statuses.
set -u
build=${G_TEST_BUILDDIR:?}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
image=$work/images/dstack-sample-0.1.0
n=0
fail=0

mkdir "$work/images" && cp -R "$build/images-sample/dstack-sample-0.1.0" "$work/images" && chmod -R u+w "$work" || exit 1
printf '[images]\ndirs=%s\n[cache]\ndir=%s\n' "$work/images" "$work/cache" > "$work/conf"

prep() {
	"$build/dstack-vmm-prep" --config "$work/conf" "$@" > "$work/out" 2> "$work/err"
}

# expect STATUS NAME COMMAND…: the exit status is right
expect() {
	status=$1
	name=$2
	shift 2
	prep "$@"
	found=$?
	n=$((n + 1))
	if [ "$found" -eq "$status" ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name: expected status $status, found $found"
		sed 's/^/# /' "$work/out" "$work/err"
		fail=1
	fi
}

# says FILE WORD NAME: what was printed contains a word
says() {
	n=$((n + 1))
	if grep -qF -- "$2" "$work/$1"; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3: no '$2' in"
		sed 's/^/# /' "$work/$1"
		fail=1
	fi
}

expect 0 "a sound image is found sound" check dstack-sample-0.1.0
says out sound "and called so"
expect 0 "also by path and from the cache" check "$image"
expect 0 "the report is JSON" --json check dstack-sample-0.1.0
n=$((n + 1))
if /usr/bin/python3 -I -c 'import json, sys; assert json.load(sys.stdin)["sound"] is True' < "$work/out"; then
	echo "ok $n - and says sound"
else
	echo "not ok $n - and says sound"
	fail=1
fi
expect 0 "images lists it" images
says out dstack-sample-0.1.0 "with its name"
expect 3 "a name that is not there is not found" images dstack-0.0.0
expect 0 "an image's material is shown" inspect dstack-sample-0.1.0
says out kernel_authenticode "field by field"
expect 0 "a file's material is JSON" --json inspect "$image/measurement.tdx.cbor"
says out '"td_hob": "80100904000609020b021010"' "with hex for bytes"
expect 0 "the combined document is printed" inspect --combined dstack-sample-0.1.0
says out '"checksum_file"' "with the manifest in it"
expect 4 "a kernel is no material" inspect "$image/bzImage"
expect 2 "check needs an image" check
expect 3 "and one that exists" check dstack-9.9.9

printf 'x' | dd of="$image/bzImage" bs=1 seek=4400 conv=notrunc 2> /dev/null
expect 1 "a changed kernel makes the image unsound" check dstack-sample-0.1.0
says out "'bzImage'" "and is named"
expect 0 "which a look at the material alone does not see" check --level material dstack-sample-0.1.0
printf 'x' | dd of="$image/measurement.tdx.cbor" bs=1 seek=100 conv=notrunc 2> /dev/null
expect 1 "but changed material it does" check --level material dstack-sample-0.1.0
expect 1 "inspect says so too" inspect dstack-sample-0.1.0
echo '{' > "$image/metadata.json"
expect 4 "metadata that is no JSON is malformed" check dstack-sample-0.1.0
expect 0 "images lists a broken image all the same" images
says err metadata.json "with the reason"
echo "1..$n"
exit "$fail"
