#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Every privilege both ways, with a stand-in polkit that says yes, no, or asks, and with none at all."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import BUILD, HERE, NAME, SAMPLE, GLib, Host, Tap, error_of, require_tools, wait_for  # noqa: E402

READ, PREPARE, INJECT, MANAGE = (f"org.dstack.vmm-prep1.{verb}" for verb in ("read", "prepare", "inject", "manage"))
LAUNCH = {"memory": GLib.Variant("t", 2 << 30), "vcpus": GLib.Variant("u", 2), "qemu_version": GLib.Variant("s", "9.2.1")}
INJECTING = dict(LAUNCH, inject=GLib.Variant("h", 0))
NOBODY = 65534

# method, arguments, the privileges it needs
CALLS = [
    ("Prepare", GLib.Variant("(sa{sv})", (SAMPLE, LAUNCH)), [PREPARE]),
    ("Prepare", GLib.Variant("(sa{sv})", (SAMPLE, INJECTING)), [PREPARE, INJECT]),
    ("PrepareDomain", GLib.Variant("(sa{sv})", ("<domain><name>x</name></domain>", {})), [PREPARE]),
    ("Verify", GLib.Variant("(ha{sv})", (0, {})), [READ]),
    ("LabelEventLog", GLib.Variant("(h)", (0,)), [READ]),
    ("Measure", GLib.Variant("(ss)", (SAMPLE, "tdx")), [READ]),
    ("Expect", GLib.Variant("(sa{sv})", (SAMPLE, LAUNCH)), [READ]),
    ("CheckImage", GLib.Variant("(s)", (SAMPLE,)), [MANAGE]),
    ("RescanImages", None, [MANAGE]),
]


def descriptor(host):
    """A directory: what inject wants; a reader of evidence refuses it, which is after the privilege."""
    return os.open(os.path.join(host.dir, "share"), os.O_RDONLY | os.O_DIRECTORY)


def attempt(host, caller, method, args, **how):
    fd = descriptor(host)
    try:
        return error_of(caller.call, method, args, [fd], **how)
    finally:
        os.close(fd)


def test_both_ways(tap, host, caller):
    for method, args, needed in CALLS:
        what = method + (" with inject" if INJECT in needed else "")
        host.set_polkit({action: "yes" for action in needed})
        before = len(host.polkit_requests())
        name, message = attempt(host, caller, method, args)
        tap.ok(name != "NotAuthorized", f"{what} may be called with {', '.join(needed)}", message)
        asked = [request[0] for request in host.polkit_requests()[before:]]
        tap.equal(asked, needed, f"{what} asks for exactly that")
        for missing in needed:
            host.set_polkit({"": "yes", missing: "no"})
            name, message = attempt(host, caller, method, args)
            tap.equal(name, "NotAuthorized", f"{what} is denied without {missing}")


def test_asking(tap, host, caller):
    host.set_polkit("ask")
    name, message = attempt(host, caller, "Measure", CALLS[5][1])
    tap.ok(name == "NotAuthorized" and "does not allow to ask" in message, "nobody is asked behind a caller's back", message)
    before = len(host.polkit_requests())
    name, message = attempt(host, caller, "Measure", CALLS[5][1], interactive=True)
    tap.equal(name, "", "a caller that allows it gets its question asked")
    request = host.polkit_requests()[before]
    tap.equal(request[2], 1, "polkit is told that it may ask")
    tap.equal(request[1], f"system-bus-name {caller.connection.get_unique_name()}", "the subject is the caller's bus name")


def test_jobs_of_others(tap, host, caller):
    host.set_polkit("yes")
    (path,), _ = caller.call("CheckImage", CALLS[7][1])
    host.set_polkit("no")
    other = host.caller()
    tap.equal(error_of(other.call, "Cancel", path=path, interface=NAME + ".Job")[0], "NotAuthorized",
              "another caller may not cancel a job")
    tap.equal(error_of(caller.call, "Cancel", path=path, interface=NAME + ".Job")[0], "", "its own caller may")
    host.set_polkit("yes")
    tap.equal(error_of(other.call, "Cancel", path=path, interface=NAME + ".Job")[0], "", "and who may manage")


def as_nobody(host, method, share=None):
    """Calls as another user, in a process of its own: the error's name, '' for none."""
    done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-I",
                           os.path.join(HERE, "call-as.py"), host.address, method, share or ""],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "crashed: " + done.stderr
    return json.loads(done.stdout)[0]


def test_other_user_injects(tap, host):
    host.set_polkit("yes")
    mine, theirs = (os.path.join(host.dir, name) for name in ("root-only", "nobody"))
    for path in (mine, theirs):
        os.mkdir(path)
    os.chmod(mine, 0o755)
    os.chown(theirs, NOBODY, NOBODY)
    tap.equal(as_nobody(host, "inject", mine), "NotAuthorized", "a directory that a caller cannot write is not written for it")
    tap.equal(os.listdir(mine), [], "and nothing is left there")
    tap.equal(as_nobody(host, "inject", theirs), "", "its own directory is")
    tap.equal(os.listdir(theirs), [".sys-config.json"], "and the file is there")


def test_without_polkit(tap, host, caller):
    host.stop_polkit()
    for method, args, needed in CALLS:
        tap.ok(attempt(host, caller, method, args)[0] != "NotAuthorized", f"root may call {method} on a host without polkit")
    tap.equal(as_nobody(host, "Measure"), "", "anybody may read on a host without polkit")
    tap.equal(as_nobody(host, "Prepare"), "NotAuthorized", "and only root may do the rest")
    tap.equal(as_nobody(host, "RescanImages"), "NotAuthorized", "whatever it is")


def test_unit(tap):
    """The unit leaves the service little to misuse: systemd's own score, at most 1.5 of 10."""
    unit = os.path.join(BUILD, "data/dstack-vmm-prepd.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", unit], capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    tap.ok(found is not None and float(found.group(1)) <= 1.5, "exposure of the unit is at most 1.5", done.stdout[-300:] + done.stderr)
    tap.say(f"exposure {found.group(1) if found else 'unknown'}")


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon", "setpriv", "systemd-analyze")
    test_unit(tap)
    with Host() as host:
        host.add_sample()
        os.mkdir(os.path.join(host.dir, "share"))
        caller = host.caller()
        if not wait_for(lambda: caller.image(SAMPLE) is not None):
            tap.ok(False, "the sample image is there", host.read_log())
            tap.done()
        for test in (test_both_ways, test_asking, test_jobs_of_others, test_without_polkit):
            try:
                test(tap, host, caller)
            except Exception as problem:
                tap.ok(False, f"{test.__name__} runs to its end", f"{problem!r}\n{host.read_log()[-2000:]}")
            if test is test_jobs_of_others:
                test_other_user_injects(tap, host)
    tap.done()


main()
