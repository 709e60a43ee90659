#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with work under way: whoever waits gets an answer or the bus's, and the service ends with status 0."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import BUILD, MANAGER, NAME, PATH, SAMPLE, Gio, GLib, Host, Tap, require_tools, wait_for  # noqa: E402

CALLERS, CALLS = 16, 20
LAUNCH = {"memory": GLib.Variant("t", 2 << 30), "vcpus": GLib.Variant("u", 2), "qemu_version": GLib.Variant("s", "9.2.1")}
EXPECTED = ("", NAME + ".Error.Failed", "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.ServiceUnknown",
            "org.freedesktop.DBus.Error.NameHasNoOwner")


def start(host):
    """The service as a child of ours, so that its status can be seen."""
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=host.address)
    return subprocess.Popen([os.path.join(BUILD, "dstack-vmm-prepd"), f"--config={host.dir}/vmm-prep.conf", "--idle=0"],
                            env=environment, stdout=host.log, stderr=host.log)


def ask(caller, method, args, outcomes):
    def on_answer(connection, result):
        try:
            connection.call_finish(result)
            outcomes.append("")
        except GLib.Error as error:
            outcomes.append(Gio.DBusError.get_remote_error(error) or error.message)

    caller.connection.call(NAME, PATH, MANAGER, method, args, None, Gio.DBusCallFlags.NO_AUTO_START, 30000, None, on_answer)


def stop_once(tap, host, pause):
    service = start(host)
    wait_for(lambda: host.service_pid() == service.pid)
    callers = [host.caller() for _ in range(CALLERS)]
    host.wait_state(callers[0], SAMPLE, "sound")
    outcomes = []
    for caller in callers:
        ask(caller, "CheckImage", GLib.Variant("(s)", (SAMPLE,)), outcomes)
        ask(caller, "RescanImages", None, outcomes)
        for _ in range(CALLS):
            ask(caller, "Prepare", GLib.Variant("(sa{sv})", (SAMPLE, LAUNCH)), outcomes)
        caller.connection.flush_sync(None)
    time.sleep(pause)
    service.send_signal(signal.SIGTERM)
    try:
        status = service.wait(20)
    except subprocess.TimeoutExpired:
        service.kill()
        status = "still running"
    tap.equal(status, 0, f"SIGTERM {pause} s into the work of {CALLERS} callers ends the service well")
    total = CALLERS * (CALLS + 2)
    tap.ok(wait_for(lambda: len(outcomes) == total, 20), "every call is answered", f"{len(outcomes)} of {total}")
    tap.equal([name for name in set(outcomes) if name not in EXPECTED], [], "by the service or by the bus")
    for caller in callers:
        caller.close()


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon")
    with Host() as host:
        host.add_sample()
        for pause in (0, 0.005, 0.02, 0.05, 0.1):
            stop_once(tap, host, pause)
        tap.ok("CRITICAL" not in host.read_log() and "Sanitizer" not in host.read_log(), "without a complaint",
               host.read_log())
    tap.done()


main()
