#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The libvirt hook, called as libvirt calls it (spec: libvirt.md, "How libvirt calls it").
set -eu
if [ ! -x "$G_TEST_BUILDDIR/dstack-vmm-prep-hook" ]; then
	echo "1..0 # SKIP the hook is not built"
	exit 0
fi
work=$("$G_TEST_BUILDDIR/make-launch-fixture")
trap 'rm -rf "$work"' EXIT
cp "$G_TEST_BUILDDIR/dstack-vmm-prep-hook" "$G_TEST_BUILDDIR/dstack-vmm-prep-hook-worker" "$work/bin"
hook=$work/bin/dstack-vmm-prep-hook
conf=$work/bin/dstack-vmm-prep-hook.conf
shared=$work/share/.sys-config.json
cp "$conf" "$work/good.conf"
uuid=5ad7a9f4-8a2e-4d07-9b1b-3f0c1a2b3c4d
n=0
fail=0
verdict() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fail=1; fi
}
# call XML NAME OPERATION SUB-OPERATION EXTRA: exit status in $rc, output in out and err
call() {
	xml=$1
	shift
	rc=0
	(cd / && env -i LC_ALL=C PATH=/usr/bin:/bin "$hook" "$@" < "$xml" > "$work/out" 2> "$work/err") || rc=$?
}
silent() { [ "$rc" -eq 0 ] && [ ! -s "$work/out" ] && [ ! -s "$work/err" ]; }
# one line of printable ASCII that begins with our name, and nothing on standard output
refused() {
	[ "$rc" -eq 1 ] && [ ! -s "$work/out" ] && [ "$(wc -l < "$work/err")" -eq 1 ] &&
		grep -q "^dstack-vmm-prep: [ -~]*$1" "$work/err" || { echo "# rc $rc: $(cat "$work/err")"; return 1; }
}
untouched() { [ ! -e "$shared" ] && [ ! -e "$work/state/$uuid.json" ]; }
edit() { sed "$1" "$work/domain.xml" > "$work/$2"; }

edit 's|https://dstack.org/xmlns|https://example.org/xmlns|' foreign.xml
edit 's|2097152|2621440|g' memory.xml
edit 's|panic=1|panic=2|' cmdline.xml
printf 'not xml, but https://dstack.org/xmlns/libvirt/cvm/1.0' > "$work/garbage.xml"
: > "$work/empty.xml"

call "$work/domain.xml" guest prepare begin -
silent && grep -q tdx_measurement "$shared" && [ -e "$work/state/$uuid.json" ] && r=0 || r=1
verdict "$r" "a start of ours is prepared in silence"
before=$(stat -c '%i %Y %Z' "$shared")
call "$work/domain.xml" guest prepare begin -
silent && [ "$before" = "$(stat -c '%i %Y %Z' "$shared")" ] && r=0 || r=1
verdict "$r" "a second time nothing changes"

r=0
for step in "start begin -" "started begin -" "stopped end -" "stopped end failed" "reconnect begin -" \
	"migrate begin -" "restore begin -" "attach begin -" "release begin -x" "nonsense x y" "prepare end -"; do
	for xml in domain garbage empty memory; do
		case $step in release*) continue ;; esac
		# shellcheck disable=SC2086
		call "$work/$xml.xml" guest $step
		silent && [ -e "$shared" ] || { echo "# $step with $xml: $rc $(cat "$work/err")"; r=1; }
	done
done
verdict "$r" "operations that are not ours succeed, whatever comes"

call "$work/domain.xml" guest release end -
silent && untouched && r=0 || r=1
verdict "$r" "the end takes back what the start put there"
r=0
for xml in domain garbage empty foreign; do
	call "$work/$xml.xml" guest release end failed
	silent || r=1
done
verdict "$r" "an end without a start succeeds"

call "$work/memory.xml" guest prepare begin -
refused 'image dstack-0.6.0: memory: .*2560 MiB' && untouched && r=0 || r=1
verdict "$r" "2560 MiB is refused with one line, and nothing is written"
call "$work/cmdline.xml" guest prepare begin -
refused 'os/cmdline' && untouched && r=0 || r=1
verdict "$r" "another command line is refused"
call "$work/garbage.xml" guest prepare begin -
refused 'domain XML' && untouched && r=0 || r=1
verdict "$r" "what mentions us and is no XML is refused"
head -c 40000 /dev/zero | tr '\0' a > "$work/filler"
printf '{"a":"%s"}' "$(cat "$work/filler")" > "$shared"
before=$(sha256sum < "$shared")
call "$work/domain.xml" guest prepare begin -
refused '32768' && [ "$before" = "$(sha256sum < "$shared")" ] && r=0 || r=1
verdict "$r" "a .sys-config.json over budget is refused and stays"
printf '{"kms_urls":["https://kms"]}' > "$shared"
call "$work/domain.xml" guest prepare begin -
silent && grep -q '"kms_urls":\["https://kms"\],"vm_config"' "$shared" && r=0 || r=1
call "$work/domain.xml" guest release end -
[ "$(cat "$shared")" = '{"kms_urls":["https://kms"]}' ] || r=1
verdict "$r" "a file that was there before is there again"
rm -f "$shared"

tab=$(printf 'a\tb')
lines=$(printf 'a\nb\nc')
r=0
for name in --help -- - . .. "\$(id)" '%s%n' "$tab" "$lines"; do
	call "$work/domain.xml" "$name" prepare begin -
	silent && [ -e "$shared" ] || r=1
	call "$work/domain.xml" "$name" release end -
	silent && untouched || r=1
	call "$work/memory.xml" "$name" prepare begin -
	refused memory || r=1
done
verdict "$r" "a domain may have any name"

printf '[imagse]\n' > "$conf"
call "$work/domain.xml" guest prepare begin -
refused "hook.conf:1: unknown group" && untouched && r=0 || r=1
verdict "$r" "a broken configuration refuses a start of ours, and names file and line"
call "$work/foreign.xml" guest prepare begin -
silent && r=0 || r=1
call "$work/domain.xml" guest release end -
silent || r=1
verdict "$r" "it stops no other domain and no end"
cp "$work/good.conf" "$conf"

head -c 4200000 /dev/zero | tr '\0' ' ' > "$work/filler"
cat "$work/domain.xml" "$work/filler" > "$work/large.xml"
cat "$work/foreign.xml" "$work/filler" > "$work/large-foreign.xml"
call "$work/large.xml" guest prepare begin -
refused '4 MiB' && r=0 || r=1
call "$work/large-foreign.xml" guest prepare begin -
silent || r=1
verdict "$r" "XML over the limit is refused only where it is ours"

mkdir "$work/alone"
cp "$hook" "$work/alone"
hook=$work/alone/dstack-vmm-prep-hook
call "$work/domain.xml" guest release end -
silent && r=0 || r=1
call "$work/foreign.xml" guest prepare begin -
silent || r=1
verdict "$r" "without its worker the hook harms nobody else"
hook=$work/bin/dstack-vmm-prep-hook

printf '#!/bin/sh\nexec sleep 3\n' > "$work/qemu"
printf 'timeout=1\n' >> "$conf"
call "$work/domain.xml" guest prepare begin -
refused 'out of time' && untouched && r=0 || r=1
verdict "$r" "the deadline refuses a start"
cp "$work/good.conf" "$conf"

r=0
for arguments in "" "guest" "guest prepare" "guest prepare begin"; do
	# shellcheck disable=SC2086
	call "$work/domain.xml" $arguments
	silent || r=1
done
verdict "$r" "a call that is not libvirt's does nothing"

if command -v strace > /dev/null && strace -o "$work/trace" true 2> /dev/null; then
	# a leak checker cannot work while it is traced itself
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$work/trace" "$hook" guest prepare begin - < "$work/foreign.xml"
	grep -E '(open|openat|socket|connect|exec[a-z]*)\(' "$work/trace" | grep -v "execve(\"$hook" | grep -vE '"/(lib|etc/ld|proc/self|usr/lib)' \
		> "$work/touched" && r=1 || r=0
	cat "$work/touched" >&2
	verdict "$r" "a domain of somebody else's makes the hook open nothing"
fi
echo "1..$n"
exit "$fail"
