# SPDX-License-Identifier: Apache-2.0
"""DESIGN's arrows: who may include whom. A public header belongs to the module whose fragment installs it."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "tests", "style"))
import tree

PARTS = {"base", "image", "config", "tdx", "snp", "dcap", "eventlog"}
LIBRARY = PARTS | {"measure", "attestation", "verify"}
ALLOWED = {
    "base": {"base"},
    "image": {"base", "image"},
    "config": {"base", "config"},
    "tdx": {"base", "tdx", "image", "eventlog"},
    "snp": {"base", "snp", "image", "eventlog"},
    "dcap": {"base", "dcap"},
    "eventlog": {"base", "eventlog"},
    "measure": PARTS | {"measure"},
    "attestation": PARTS | {"attestation"},
    "verify": LIBRARY,
    "launch": LIBRARY | {"launch"},
    "fetch": LIBRARY | {"fetch"},
    "cli": LIBRARY | {"launch", "fetch", "cli"},
    "daemon": LIBRARY | {"launch", "fetch", "daemon"},
    "plugins": LIBRARY | {"launch", "plugins"},
}
# single headers: the command line speaks to the service through the code generated from its interface;
# collateral is checked against a quote, whose layout is tdx's
EXTRA = {("cli", "daemon/dbus-generated.h"), ("dcap", "tdx/quote.h")}
# libraries that only some may use
FOREIGN = {"libxml/": {"launch", "plugins"}, "libsoup/": {"fetch"}, "libvirt/": {"plugins"},
           "polkit/": {"daemon"}, "systemd/": {"daemon", "plugins"}}


def module_of(path):
    for pattern in (r"src/lib/(\w+)/", r"src/(\w+)/", r"(plugins)/"):
        found = re.match(pattern, path)
        if found and found.group(1) != "lib":
            return found.group(1)
    return None


def public_headers():
    owners = {}
    for path in tree.files(".am", folders=("src",)):
        found = re.match(r"src/(?:lib/)?(\w+)/Makefile-", path)
        if found:
            for header in re.findall(r"include/(dstack/[\w-]+\.h)", tree.text(path)):
                owners[header] = found.group(1)
    return owners


def problems_of(path, owners):
    module = module_of(path)
    if module not in ALLOWED:
        return [f"{path}: folder unknown to the layering"]
    problems = []
    for opening, name in re.findall(r'^#include ([<"])([^>"]+)[>"]', tree.text(path), re.MULTILINE):
        if name.startswith("dstack/"):
            target = owners.get(name)
        elif opening == '"' and "/" in name:
            target = name.split("/")[0]
        else:
            target = None
            problems += [f"{path}: only {', '.join(sorted(who))} may include <{name}>"
                         for prefix, who in FOREIGN.items() if name.startswith(prefix) and module not in who]
        if target and target not in ALLOWED[module] and (module, name) not in EXTRA:
            problems.append(f"{path}: {module} may not include {name} ({target})")
    return problems


def main():
    tap = tree.Tap()
    owners = public_headers()
    by_module = {}
    for path in tree.files(".c", ".h", folders=("src", "plugins")):
        by_module.setdefault(module_of(path), []).append(path)
    tap.check("sources were found", [] if "base" in by_module else ["no source of base/"])
    for module, paths in sorted(by_module.items(), key=str):
        tap.check(f"{module} includes only what stands below it",
                  [problem for path in paths for problem in problems_of(path, owners)])
    pure = [path for module in ("tdx", "snp") for path in by_module.get(module, [])]
    tap.check("tdx and snp open no file",
              [f"{path}: {name}" for path in pure
               for name in re.findall(r"\b(open|openat|fopen|g_file_\w+|dstack_(?:file|dir)_\w+)\s*\(", tree.code(path))])
    names = [path for path in tree.files(".c", ".h") if re.search(r"/(utils?|common|misc)\.[ch]$", path)]
    tap.check("no file is called utils, common or misc", names)
    tap.done()


main()
