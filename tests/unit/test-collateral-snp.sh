#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# collateral fetch for SEV-SNP from a service of the test's own, and verify with what it wrote.
set -u
cli=$G_TEST_BUILDDIR/dstack-vmm-prep
work=$(mktemp -d)
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
n=0
failures=0
export GIO_USE_PROXY_RESOLVER=dummy

ok() {
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out" "$work/err" | head -n 40
		failures=$((failures + 1))
	fi
}
run() {
	"$cli" --config "$work/conf" "$@" >"$work/out" 2>"$work/err"
	status=$?
}
ended_with() { [ "$status" -eq "$1" ]; }
said() { grep -q -- "$1" "$work/out" "$work/err"; }
asked() { [ "$(wc -l <"$work/asked")" -eq "$1" ]; }

"$G_TEST_BUILDDIR/forge-snp" "$work" || exit 1
printf '[collateral]\ndir=%s\n' "$work/kept" >"$work/conf"
: >"$work/asked"
cat >"$work/kds.py" <<'EOF'
import http.server, pathlib, sys

work = pathlib.Path(sys.argv[1])
files = {(work / "vcek-path").read_text(): "vcek.der", "/vcek/v1/Genoa/cert_chain": "cert_chain.pem",
         "/vcek/v1/Genoa/crl": "crl.der"}


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with (work / "asked").open("a") as log:
            log.write(self.path + "\n")
        name = files.get(self.path)
        self.send_response(200 if name else 404)
        self.end_headers()
        if name:
            self.wfile.write((work / name).read_bytes())

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Service)
(work / "port.new").write_text(str(server.server_port))
(work / "port.new").rename(work / "port")
server.serve_forever()
EOF
/usr/bin/python3 -I "$work/kds.py" "$work" &
server=$!
for _ in $(seq 100); do
	[ -s "$work/port" ] && break
	sleep 0.05
done
kds=http://127.0.0.1:$(cat "$work/port")

run verify --quote --root "$work/root.der" "$work/report.bin"
ok "without certificates a report is not valid" ended_with 1
ok "and the step says what is missing" said 'no leaf certificate'
run collateral fetch --kds "$kds" --root "$work/root.der" "$work/report.bin"
ok "collateral fetch asks for leaf, chain and revocation list" ended_with 0
ok "three requests, no more" asked 3
ok "it says when it is to be fetched again" said '2099-01-01T00:00:00Z'
run collateral fetch --kds "$kds" --root "$work/root.der" -o "$work/written" "$work/report.bin"
ok "what is kept is used again" ended_with 0
ok "and the service is not asked" asked 3
run verify --quote --root "$work/root.der" --collateral "$work/written" "$work/report.bin"
ok "the report verifies with what was written" ended_with 0
ok "and its revocation list was looked at" said 'neither CA nor leaf is on'
run verify --quote --collateral "$work/written" "$work/report.bin"
ok "but not under AMD's own roots" ended_with 1
run collateral fetch --kds "$kds" --root "$work/root.der" --refresh "$work/report.bin"
ok "--refresh asks again" asked 6
run collateral fetch --kds "$kds" --refresh "$work/report.bin"
ok "certificates under another root are refused" ended_with 1
ok "and the reason names the root" said 'not pinned'
od -An -v -tx1 "$work/report.bin" | tr -d ' \n' >"$work/report.hex"
run collateral fetch --kds "$kds" --root "$work/root.der" "$work/report.hex"
ok "a report in hex will do" ended_with 0
echo "1..$n"
exit $failures
