#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R40: what the library's objects must not reference. Macros cannot hide a call here.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..3
fail=0
verdict() {
	if [ "$1" -eq 0 ]; then echo "ok $2"; else echo "not ok $2"; fail=1; fi
}
# shellcheck disable=SC2086 # libtool found it with options
$NM -A --undefined-only "$G_TEST_BUILDDIR/.libs/libdstack-core.a" 2>/dev/null > "$work/undefined"
# "object symbol", without the few that are argued for: names of temporary files, and JSON's numbers after their
# grammar has been checked
sed -n 's/^.*:\([^: ]*\.o\): *U /\1 /p' "$work/undefined" |
	grep -vE '^(replace\.o g_random_int|json(-write)?\.o g_ascii_strto(d|ll))$' > "$work/calls"
grep -q ' g_malloc' "$work/calls" && r=0 || r=1
verdict "$r" "1 - the objects were read"
banned() { ! grep -E " ($1)\$" "$work/calls" >&2; }
# unsafe, or ends the program
banned 'strcpy|strcat|stpcpy|v?sprintf|gets|(__isoc[0-9]*_)?(strto[a-z]+|v?sscanf|scanf)|ato(i|l|ll|f)|g_ascii_strto[a-z]+|g_strtod|abort|_?exit|system|popen|rand|random|g_random_[a-z_]+|mktemp|tmpnam|tempnam|alloca|cbor_load|g_assertion_message[a-z_]*|g_error' && r=0 || r=1
verdict "$r" "2 - nothing unsafe, nothing that ends the program"
# talks, or asks the outside world
banned 'v?f?printf|__v?f?printf_chk|puts|putchar|perror|g_print(err)?|getenv|secure_getenv|g_getenv|g_get_home_dir|time|gettimeofday|clock_gettime|g_get_real_time|g_get_current_time|g_date_time_new_now(_utc|_local)?|X509_cmp_current_time|setlocale' && r=0 || r=1
verdict "$r" "3 - nothing that talks, or asks the clock or the environment"
exit $fail
