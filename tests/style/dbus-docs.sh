#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The D-Bus manual is what the documented interface XML renders to, and the service's files name the same things.
set -eu
src=$G_TEST_SRCDIR
xml=$src/src/daemon/org.dstack.VmmPrep1.xml
render="/usr/bin/python3 -I $src/src/daemon/render-interface.py"
n=0
fail=0

check() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >&2; then echo "ok $n - $name"; else echo "not ok $n - $name"; fail=1; fi
}

same_as_rendered() {
	$render "$1" "$xml" | diff -u "$2" -
}

# every action that the code asks for is explained to polkit, and the other way round
same_actions() {
	asked=$(sed -n 's/^#define DSTACK_ACTION_[A-Z]* *"\(.*\)"$/\1/p' "$src/src/daemon/authorize.h" | sort)
	explained=$(sed -n 's/.*<action id="\([^"]*\)">.*/\1/p' "$src/data/org.dstack.vmm-prep1.policy" | sort)
	[ -n "$asked" ] && [ "$asked" = "$explained" ]
}

# every method of the contract is in the table of privileges
methods_have_privileges() {
	methods=$(sed -n 's/.*<method name="\([^"]*\)".*/\1/p' "$xml")
	[ -n "$methods" ] || return 1
	for method in $methods; do
		grep -q "\"$method\", DSTACK_ACTION_" "$src/src/daemon/authorize.c" || { echo "$method has no privilege"; return 1; }
	done
}

# a reason stands before every action
actions_have_reasons() {
	actions=$(grep -c '<action id=' "$src/data/org.dstack.vmm-prep1.policy")
	reasons=$(grep -c '<!-- SECURITY:' "$src/data/org.dstack.vmm-prep1.policy")
	[ "$actions" -gt 0 ] && [ "$actions" -eq "$reasons" ]
}

check "docs/dbus.md is what the interface renders to (make update-docs)" same_as_rendered md "$src/docs/dbus.md"
check "so is the man page" same_as_rendered pod "$src/docs/man/org.dstack.VmmPrep1.pod"
check "polkit knows the actions that are asked for" same_actions
check "every method needs a privilege" methods_have_privileges
check "every action has its reason" actions_have_reasons
echo "1..$n"
exit $fail
