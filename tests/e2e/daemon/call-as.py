#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""One call under whatever user this runs as; prints [error name, message] as JSON.

usage: call-as.py BUS-ADDRESS METHOD|inject [SHARE]
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import SAMPLE, Caller, GLib, error_of  # noqa: E402

LAUNCH = {"memory": GLib.Variant("t", 2 << 30), "vcpus": GLib.Variant("u", 2), "qemu_version": GLib.Variant("s", "9.2.1")}


def main():
    address, method, share = sys.argv[1:4]
    caller = Caller(address)
    if method == "inject":
        fd = os.open(share, os.O_RDONLY | os.O_DIRECTORY)
        options = dict(LAUNCH, inject=GLib.Variant("h", 0))
        outcome = error_of(caller.call, "Prepare", GLib.Variant("(sa{sv})", (SAMPLE, options)), [fd])
    elif method == "Prepare":
        outcome = error_of(caller.call, "Prepare", GLib.Variant("(sa{sv})", (SAMPLE, LAUNCH)))
    elif method == "Measure":
        outcome = error_of(caller.call, "Measure", GLib.Variant("(ss)", (SAMPLE, "tdx")))
    else:
        outcome = error_of(caller.call, method)
    print(json.dumps(outcome))


main()
