#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# label, verify and explain on the command line: what they read, how they end, what they print.
# Needs no vectors: evidence is forged, logs are seeds of the fuzz targets.
set -u
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
forge=$G_TEST_BUILDDIR/forge-evidence
seeds=$G_TEST_SRCDIR/tests/fuzz/corpus
vectors=${DSTACK_VECTORS:-$G_TEST_SRCDIR/../shared/vectors}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failures=0

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
ended_with() { [ "$status" -eq "$1" ]; }
out_has() { grep -qF -- "$1" "$work/out"; }
err_has() { grep -qF -- "$1" "$work/err"; }
# out_json EXPRESSION: python, over the document as d
out_json() {
	/usr/bin/python3 -I -c '
import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$work/out" "$1"
}

# --- label
run label "$seeds/ccel/terminated"
ok "label reads a binary log" ended_with 0
ok "and prints labelled JSON" out_json '[e["event"] for e in d if e["event_type"] == 10] == ["acpi-loader", "acpi-rsdp", "acpi-tables"]'
cp "$work/out" "$work/labelled.json"
run label - <"$work/labelled.json"
ok "labelling a labelled log changes nothing" cmp -s "$work/out" "$work/labelled.json"
run label "$seeds/ccel/cut"
ok "a cut log is malformed" ended_with 4
run label "$seeds/event-log-json/entries"
ok "a log that cannot be labelled is a no" ended_with 1
run label "$work/none"
ok "a log that is not there is not found" ended_with 3
run label
ok "no log at all is a usage error" ended_with 2

# --- verify
mkdir "$work/forged"
"$forge" "$work/forged" || exit 1
now=$(date -u -d "@$(cat "$work/forged/now")" +%Y-%m-%dT%H:%M:%SZ)
quote=$work/forged/quote.bin
trusted=(--quote --root "$work/forged/root.der" --time "$now")
run verify "$quote"
ok "a bare quote has to be asked for" ended_with 4
ok "and the error says how" err_has "--quote"
run verify "${trusted[@]}" --collateral "$work/forged/collateral.json" "$quote"
ok "a forged quote is valid under its own root" ended_with 0
ok "which the answer shows" out_has "given by the caller"
run verify "${trusted[@]}" --collateral "$work/forged/collateral.json" --json "$work/forged/quote.hex"
ok "in hex it is the same" ended_with 0
ok "and as JSON" out_json 'd["is_valid"] and d["details"]["tcb_status"] == "UpToDate" and "root" in d and d["reason"] is None'
run verify --quote --time "$now" --no-collateral "$quote"
ok "under Intel's root it is not valid" ended_with 1
run verify "${trusted[@]}" "$quote"
ok "without collateral it is not valid" ended_with 1
run verify "${trusted[@]}" --no-collateral --json "$quote"
ok "unless the caller does without" ended_with 0
ok "and then the waiver shows and the status is null" out_json 'd["waivers"] and d["details"]["tcb_status"] is None'
run verify --quote --root "$work/forged/root.der" --time 2040-01-01T00:00:00Z --no-collateral "$quote"
ok "after its certificates' time it is not valid" ended_with 1
ok "and the reason names the dates" out_has "time of verification is 2040-01-01"
run verify "${trusted[@]}" --no-collateral --report-data "$(printf '%0128d' 1)" "$quote"
ok "other report data than wanted is a no" ended_with 1
run verify "${trusted[@]}" --no-collateral --report-data 00 "$quote"
ok "report data of another length is a usage error" ended_with 2
run verify "${trusted[@]}" --no-collateral --allow everything "$quote"
ok "a waiver that nobody knows is a usage error" ended_with 2
run verify "${trusted[@]}" --no-collateral --collateral "$work/forged/collateral.json" "$quote"
ok "collateral given and done without is a usage error" ended_with 2
run verify --acpi guess "$quote"
ok "an ACPI source that nobody knows is a usage error" ended_with 2
run verify "${trusted[@]}" --acpi predict --no-collateral "$quote"
ok "predicting ACPI tables is refused for now" ended_with 1
ok "with a sentence" err_has "not built yet"
run verify "$seeds/scale/huge"
ok "a hostile length is malformed" ended_with 4
run verify "$work/none"
ok "evidence that is not there is not found" ended_with 3
run verify --collateral "$work/none" "${trusted[@]}" "$quote"
ok "collateral that is not there is not found" ended_with 3

# --- explain
run explain "$quote"
ok "explain reads a bare quote" ended_with 0
ok "and prints its fields" out_has "mrconfigid"
run explain --json "$seeds/getquote/quote"
ok "evidence that disagrees with itself is a no" ended_with 1
ok "and names the first register that differs" out_json 'd["difference"].startswith("rtmr3") and d["agrees"] is False'
ok "with every register" out_json 'list(d["registers"]) == ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"]'
run explain "$seeds/messagepack/huge"
ok "what cannot be read is malformed" ended_with 4

# --- real evidence, where it is at hand
if [ -d "$vectors" ]; then
	lite=$vectors/tdx/dstack/tdx-lite-getquote.json
	run verify "$lite" --collateral "$vectors/dcap/collateral/f91c5545cef798cf.json" --time 2026-06-23T12:00:00Z
	ok "real lite evidence is valid" ended_with 0
	ok "as people read it" test "$(head -n 1 "$work/out")" = valid
	run explain "$lite"
	ok "and agrees with itself" ended_with 0
	run explain "$vectors/tdx/negative/memory-2560MiB-lite.json"
	ok "another memory size is a no" ended_with 1
	ok "that names the size that fits" out_has "rtmr0 fits a memory size of 2048 MiB"
	run verify --time 2026-06-23T12:00:00Z "$vectors/snp/open/e2e/attestation-fixture.bin"
	ok "real SEV-SNP evidence is valid" ended_with 0
else
	n=$((n + 1))
	if [ "${DSTACK_REQUIRE_VECTORS:-0}" = 1 ]; then
		echo "not ok $n - real evidence: no vectors"
		failures=$((failures + 1))
	else
		echo "ok $n - real evidence # SKIP no vectors"
	fi
fi

echo "1..$n"
[ "$failures" -eq 0 ]
