#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The command line's frame: where things go, what they look like, how it ends. Uses doctor, which needs nothing.
set -u
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/host"
n=0
failures=0

# run ARGUMENT...: status, $work/out, $work/err
run() {
	"$cli" "$@" >"$work/out" 2>"$work/err"
	status=$?
}
ok() {
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# out: /' "$work/out" | head -n 20
		sed 's/^/# err: /' "$work/err" | head -n 20
		failures=$((failures + 1))
	fi
}
# what the last run answered
ended_with() { [ "$status" -eq "$1" ]; }
out_is_empty() { [ ! -s "$work/out" ]; }
err_is_empty() { [ ! -s "$work/err" ]; }
error_is() { [ "$(cat "$work/err")" = "dstack-vmm-prep: $1" ]; }
json_error_is() {
	/usr/bin/python3 -I -c '
import json, sys
document = json.load(open(sys.argv[1]))
sys.exit(0 if list(document) == ["error"] and document["error"]["code"] == sys.argv[2] else 1)' "$work/out" "$1"
}
is_json_with() {
	/usr/bin/python3 -I -c '
import json, sys
sys.exit(0 if sys.argv[2] in json.load(open(sys.argv[1])) else 1)' "$work/out" "$1"
}

run
ok "no command is a usage error" ended_with 2
ok "that says what was expected" error_is "expected a command, found none; see 'dstack-vmm-prep --help'"
ok "on standard error alone" out_is_empty

run frobnicate
ok "an unknown command is a usage error" ended_with 2
ok "that names it" error_is "unknown command 'frobnicate'; see 'dstack-vmm-prep --help'"
run --frobnicate doctor
ok "an unknown option before the command is a usage error" ended_with 2
run doctor --frobnicate
ok "an unknown option after the command is a usage error" ended_with 2
ok "that names command and option" \
	error_is "doctor: unknown option --frobnicate; see 'dstack-vmm-prep doctor --help'"
run doctor one
ok "an argument too many is a usage error" ended_with 2
ok "that names it" error_is "doctor: unexpected argument 'one'; see 'dstack-vmm-prep doctor --help'"
run --color sometimes doctor
ok "an option's wrong value is a usage error" ended_with 2

run --version
ok "--version succeeds" ended_with 0
ok "and prints one line" test "$(wc -l <"$work/out")" -eq 1
run --help
ok "--help succeeds" ended_with 0
ok "without a word on standard error" err_is_empty
run help
ok "help is --help" ended_with 0
run help frobnicate
ok "help for an unknown command is a usage error" ended_with 2

for arguments in "--json doctor --root $work/host" "doctor --json --root $work/host" "doctor --root $work/host --json"; do
	# shellcheck disable=SC2086 # words
	run $arguments
	ok "global options before and after the command: ${arguments//$work/}" is_json_with checks
	ok "an empty host is not ready" ended_with 1
	ok "and that is an answer, not an error" err_is_empty
done

run --json doctor --root "$work/none"
ok "what is not there ends with 3" ended_with 3
ok "as a JSON document too" json_error_is NotFound
ok "and as one line on standard error" error_is "--root: '$work/none' is no directory"
run doctor --frobnicate --json
ok "a usage error is JSON where --json was asked for, wherever it stands" json_error_is InvalidArgument
run doctor --frobnicate -- --json
ok "but not after --" out_is_empty

printf '[tdx]\nvariant=lite\nvarient=auto\n' >"$work/typo.conf"
run --config "$work/typo.conf" doctor --root "$work/host"
ok "doctor names a typing error in the configuration" grep -q "typo.conf.*varient\|typo.conf.*3" "$work/out"

run doctor --root "$work/host" --color always
ok "--color always colours" grep -q "$(printf '\033')" "$work/out"
run doctor --root "$work/host"
ok "a pipe is not coloured" test "$(grep -c "$(printf '\033')" "$work/out")" -eq 0
COLUMNS=60 run doctor --root "$work/host"
ok "COLUMNS sets the width" test "$(awk 'length > 60' "$work/out" | grep -vc /)" -eq 0

"$cli" doctor --root "$work/host" >/dev/full 2>"$work/err"
status=$?
: >"$work/out"
ok "a full disk ends with 5" ended_with 5
ok "and names standard output" grep -q '^dstack-vmm-prep: standard output: No space left' "$work/err"

"$cli" --help 2>"$work/err" | true
ok "a reader that goes away is no matter for complaint" err_is_empty

mkdir "$work/$(printf 'evil\033[2J')"
run doctor --root "$work/$(printf 'evil\033[2J')" one
run doctor "$(printf 'evil\033[2J')"
ok "control characters of an argument are shown, not sent" grep -qF 'evil\x1b[2J' "$work/err"

echo "1..$n"
[ "$failures" -eq 0 ]
