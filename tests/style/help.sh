#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R27, R28: what --help says, where it says it, and that manual and completion know every option.
set -eu
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
pods=$G_TEST_SRCDIR/docs/man
completion=$G_TEST_SRCDIR/data/completion/dstack-vmm-prep.bash
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
fail=0
verdict() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fail=1; fi
}
# columns count characters, also where awk counts bytes
fits() { ! sed 's/[^ -~]/x/g' "$1" | awk 'length > 80' | grep . >&2; }
options() { sed -nE 's/^  (    |-[a-zA-Z], )(--[a-z0-9-]+).*/\2/p' "$1" | LC_ALL=C sort -u; }
# own options of a command: those of its help that are not global
own() {
	options "$1" > "$work/options"
	LC_ALL=C comm -23 "$work/options" "$work/global"
}
# options that a page describes
described() {
	grep '^=item' "$1" | grep -oE 'B<--[a-z0-9-]+' | sed 's/^B<//' | LC_ALL=C sort -u
}

# what bash would offer after "dstack-vmm-prep WORD... LAST"
complete_after() {
	PATH=$G_TEST_BUILDDIR:$PATH bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dstack_vmm_prep
		printf "%s\n" "${COMPREPLY[@]}"' complete "$completion" "$cli" "$@"
}
completed() {
	command=$1
	options "$2" > "$work/options"
	complete_after "$command" -- | LC_ALL=C sort -u > "$work/offered"
	diff -u "$work/options" "$work/offered" >&2
}

"$cli" --help > "$work/help" 2> "$work/errors"
test -s "$work/help" && test ! -s "$work/errors" && r=0 || r=1
verdict "$r" "--help goes to standard output"
fits "$work/help" && r=0 || r=1
verdict "$r" "--help fits 80 columns"
options "$work/help" > "$work/global"
test -s "$work/global" && described "$pods/dstack-vmm-prep.pod" | diff -u "$work/global" - >&2 && r=0 || r=1
verdict "$r" "the manual knows the global options, and no others"

sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' "$work/help" | grep -v '^help$' > "$work/commands"
test -s "$work/commands" && r=0 || r=1
verdict "$r" "there are commands"
complete_after '' > "$work/offered" && grep -v '^help$' "$work/offered" | cmp -s - "$work/commands" && r=0 || r=1
verdict "$r" "the completion knows the commands"
test "$(complete_after prepare --tee '' | tr '\n' ' ')" = 'tdx snp ' && r=0 || r=1
verdict "$r" "the completion knows the words that an option takes"
while read -r command; do
	"$cli" "$command" --help > "$work/help" 2> "$work/errors" && r=0 || r=1
	test "$r" -eq 0 && test -s "$work/help" && test ! -s "$work/errors" && fits "$work/help" || r=1
	verdict "$r" "$command --help goes to standard output within 80 columns"
	grep -q '^Example:' "$work/help" && r=0 || r=1
	verdict "$r" "$command --help shows an example"
	example=$(sed -n '/^Example:/{n;s/^  dstack-vmm-prep //p;}' "$work/help")
	case $example in
	*build/images-sample/*)
		# as typed beside the build folder
		# shellcheck disable=SC2046 # words
		(cd "$G_TEST_BUILDDIR" && "$cli" --no-cache $(echo "$example" | sed 's|build/||')) > "$work/out" 2> "$work/errors" && r=0 || r=1
		test "$r" -eq 0 || cat "$work/errors" >&2
		verdict "$r" "the example of $command works: $example"
		;;
	esac
	"$cli" help "$command" > "$work/help2" && cmp -s "$work/help" "$work/help2" && r=0 || r=1
	verdict "$r" "help $command says the same"
	"$cli" "$command" --no-such-option > "$work/out" 2> "$work/errors" && r=0 || r=$?
	test "$r" -eq 2 && test ! -s "$work/out" && grep -q '^dstack-vmm-prep: .*no-such-option' "$work/errors" && r=0 || r=1
	verdict "$r" "$command complains about an unknown option on standard error, status 2"
	own "$work/help" > "$work/own"
	described "$pods/dstack-vmm-prep-$command.pod" | diff -u "$work/own" - >&2 && r=0 || r=1
	verdict "$r" "the manual of $command knows its options, and no others"
	completed "$command" "$work/help" && r=0 || r=1
	verdict "$r" "the completion knows the options of $command"
	grep -q "^=item B<$command" "$pods/dstack-vmm-prep.pod" && r=0 || r=1
	verdict "$r" "the manual lists $command"
done < "$work/commands"
echo "1..$n"
exit $fail
