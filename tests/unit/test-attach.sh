#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Material of other platforms: attached where somebody asks for it, and nowhere else.
set -u
tool=$G_TEST_BUILDDIR/dstack-vmm-prep
sample=$G_TEST_BUILDDIR/images-sample/dstack-sample-0.1.0
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
image=$work/dstack-attach-0.1.0
n=0
fail=0

ok() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/log"
		fail=1
	fi
}

prepare() {
	"$tool" --no-cache --image-dir "$work" prepare dstack-attach-0.1.0 --memory 2G --vcpus 1 "$@" >"$work/out" 2>"$work/err"
}

attached() { prepare "$@" && grep -q '"gcp_measurement":{"checksum_file":"' "$work/out"; }
not_attached() { prepare && ! grep -q gcp_measurement "$work/out"; }
ends_with() {
	expected=$1
	shift
	prepare "$@"
	[ $? -eq "$expected" ] || { cat "$work/err"; return 1; }
}

cp -R "$sample" "$image"
chmod -R u+w "$image"
ok "material of a UKI is measured" "$tool" measure gcp "$image" --uki bzImage
(cd "$image" && sha256sum measurement.gcp.cbor >>sha256sum.txt && sha256sum sha256sum.txt | cut -d' ' -f1 >digest.txt)
ok "it is not attached by itself" not_attached
ok "it is attached on request" attached --attach gcp
ok "asking twice is asking once" attached --attach gcp --attach gcp
ok "it is attached to an SEV-SNP launch too" attached --tee snp --attach gcp
ok "material that the image has not is an error" ends_with 3 --attach aws
ok "an unknown platform is an error" ends_with 2 --attach azure
echo "1..$n"
exit $fail
