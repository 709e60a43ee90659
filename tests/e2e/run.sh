#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs end-to-end scripts one after the other, shows each TAP line as it comes, and sums up in one closing line.
# A script that ends without a plan, with another number of results than planned, or with a failing exit has failed.
#
# Usage: run.sh SCRIPT...     (make e2e sets the environment: DSTACK_E2E_SRCDIR, DSTACK_E2E_BUILDDIR)
set -u
passed=0 failed=0 skipped=0

count() {
	grep -cE -- "$1" "$log"
}

# Adds the results in $log to the totals; $1 is the script, $2 its exit status.
sum_up() {
	local results planned skips bad

	skips=$(count '^ok [0-9]+ .*# SKIP')
	bad=$(count '^not ok ')
	results=$(count '^(not )?ok [0-9]+ ')
	planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$log")
	skipped=$((skipped + skips))
	failed=$((failed + bad))
	passed=$((passed + results - skips - bad))
	if [ "$planned" != "$results" ] || [ "$results" -eq 0 ] || { [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - $1: exit status $2, planned ${planned:-nothing}, ran $results"
		failed=$((failed + 1))
	fi
}

log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
for script in "$@"; do
	echo "# ${script##*/tests/e2e/}"
	began=$SECONDS
	case $script in
	*.py) /usr/bin/python3 -I "$script" ;;
	*) bash "$script" ;;
	esac </dev/null | tee "$log"
	sum_up "${script##*/tests/e2e/}" "${PIPESTATUS[0]}"
	echo "# took $((SECONDS - began)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
