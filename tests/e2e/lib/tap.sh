# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# TAP for the end-to-end scripts; sourced. Every result is printed at once, the plan at the end.
tap_count=0

# ok NAME COMMAND...: passes when the command succeeds; what it prints is shown when it does not.
# (The locals have long names because the command, a function, would see them as its own.)
ok() {
	local tap_name=$1 tap_output

	shift
	tap_count=$((tap_count + 1))
	if tap_output=$("$@" 2>&1); then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		diag "failed: $*"
		diag "$(tail -n 40 <<<"$tap_output")"
	fi
}

# skip NAME REASON: one test that could not run here. Where everything is required, that is a failure.
skip() {
	tap_count=$((tap_count + 1))
	if [ "${DSTACK_REQUIRE_E2E:-0}" = 1 ]; then
		echo "not ok $tap_count - $1"
		diag "required, but: $2"
	else
		echo "ok $tap_count - $1 # SKIP $2"
	fi
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /' >&2
}

plan() {
	echo "1..$tap_count"
}

# require TOOL|FILE...: ends the script as skipped (or failed, see skip) when one is missing.
require() {
	local need

	for need in "$@"; do
		case $need in
		/*) [ -r "$need" ] && continue ;;
		*) command -v "$need" >/dev/null && continue ;;
		esac
		skip "${0##*/}" "$need is missing"
		plan
		exit 0
	done
}

# require_root: namespaces, libvirtd and mounts need it.
require_root() {
	[ "$(id -u)" = 0 ] && return
	skip "${0##*/}" "needs root"
	plan
	exit 0
}
