#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R27, R28: what --help says, where it says it, and that manual and completion know every option.
set -eu
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
pods=$G_TEST_SRCDIR/docs/man
completion=$G_TEST_SRCDIR/data/completion
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
options() { grep -oE '(^|[ ,])--[a-z0-9][a-z0-9-]*' "$1" | tr -d ' ,' | LC_ALL=C sort -u; }
documented() {
	page=$1
	options "$2" > "$work/options"
	test -s "$work/options" || return 1
	while read -r option; do
		grep -qF -e "B<$option" "$page" || { echo "$option: not in $page" >&2; return 1; }
	done < "$work/options"
}
completed() {
	options "$2" > "$work/options"
	while read -r option; do
		grep -qE -e "(^|[^a-z0-9-])$option([^a-z0-9-]|\$)" "$1" || { echo "$option: not in $1" >&2; return 1; }
	done < "$work/options"
}

"$cli" --help > "$work/help" 2> "$work/errors"
test -s "$work/help" && test ! -s "$work/errors" && r=0 || r=1
verdict "$r" "--help goes to standard output"
fits "$work/help" && r=0 || r=1
verdict "$r" "--help fits 80 columns"
documented "$pods/dstack-vmm-prep.pod" "$work/help" && r=0 || r=1
verdict "$r" "the manual knows the global options"

sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' "$work/help" | grep -v '^help$' > "$work/commands"
test -s "$work/commands" && r=0 || r=1
verdict "$r" "there are commands"
while read -r command; do
	"$cli" "$command" --help > "$work/help" 2> "$work/errors" && r=0 || r=1
	test "$r" -eq 0 && test -s "$work/help" && test ! -s "$work/errors" && fits "$work/help" || r=1
	verdict "$r" "$command --help goes to standard output within 80 columns"
	grep -q '^Example:' "$work/help" && r=0 || r=1
	verdict "$r" "$command --help shows an example"
	"$cli" help "$command" > "$work/help2" && cmp -s "$work/help" "$work/help2" && r=0 || r=1
	verdict "$r" "help $command says the same"
	"$cli" "$command" --no-such-option > "$work/out" 2> "$work/errors" && r=0 || r=$?
	test "$r" -eq 2 && test ! -s "$work/out" && grep -q '^dstack-vmm-prep: .*no-such-option' "$work/errors" && r=0 || r=1
	verdict "$r" "$command complains about an unknown option on standard error, status 2"
	documented "$pods/dstack-vmm-prep-$command.pod" "$work/help" && r=0 || r=1
	verdict "$r" "the manual of $command knows its options"
	completed "$completion/dstack-vmm-prep.bash" "$work/help" && r=0 || r=1
	verdict "$r" "the completion knows the options of $command"
	grep -q "^=item B<$command" "$pods/dstack-vmm-prep.pod" && r=0 || r=1
	verdict "$r" "the manual lists $command"
done < "$work/commands"
echo "1..$n"
exit $fail
