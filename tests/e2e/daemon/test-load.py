#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""10,000 prepares and 2,000 verifications from 32 callers; then the same beside callers that mean harm."""

import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import BUILD, MANAGER, NAME, PATH, SAMPLE, Caller, Gio, GLib, Host, Tap, require_tools, vectors_dir, wait_for  # noqa: E402

CALLERS, PREPARES, VERIFIES = 32, 10000, 2000
LITE_TIME = 1781006400  # 2026-06-09T12:00:00Z, inside the collateral's interval
LITE_CASE = "tdx-v4-90c06f000000-1d0342e3-eval19-v3-20260608"


def evidence_arguments():
    """Evidence, collateral and time for daemon-load; none without vectors."""
    vectors = vectors_dir()
    if vectors is None:
        return []
    with open(os.path.join(vectors, "dcap/cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    cases = cases if isinstance(cases, list) else cases["cases"]
    collateral = next(c for c in cases if c["id"] == LITE_CASE)["collateral"]
    folder = "dcap" if "/" in collateral else "dcap/collateral"
    return [os.path.join(vectors, "tdx/dstack/tdx-lite-getquote.json"), os.path.join(vectors, folder, collateral), str(LITE_TIME)]


def load(host, prepares, verifies, evidence):
    done = subprocess.run([os.path.join(BUILD, "daemon-load"), host.address, SAMPLE, str(CALLERS), str(prepares), str(verifies),
                           *evidence], capture_output=True, text=True, check=False)
    return (json.loads(done.stdout) if done.stdout else {"lost": -1}), done.stderr


class Harm(threading.Thread):
    """A caller that means harm, over and over until it is told to stop."""

    def __init__(self, host, act):
        super().__init__(daemon=True)
        self.host, self.act, self.stop, self.times = host, act, threading.Event(), 0

    def run(self):
        while not self.stop.is_set():
            try:
                self.act(self.host)
            except GLib.Error:
                pass
            self.times += 1
            time.sleep(0.05)


def send(connection, method, body, flags=Gio.DBusMessageFlags.NONE):
    message = Gio.DBusMessage.new_method_call(NAME, PATH, MANAGER, method)
    message.set_flags(flags)
    message.set_body(body)
    connection.send_message(message, Gio.DBusSendMessageFlags.NONE)


RUBBISH = None


def rubbish(host):
    """16 MiB in one string."""
    global RUBBISH
    if RUBBISH is None:
        RUBBISH = "x" * (16 << 20)
    caller = Caller(host.address)
    try:
        caller.call("PrepareDomain", GLib.Variant("(sa{sv})", (RUBBISH, {})))
    finally:
        caller.close()


def deaf(host):
    """Asks a hundred times and never reads an answer."""
    caller = Caller(host.address)
    for _ in range(100):
        send(caller.connection, "Expect", GLib.Variant("(sa{sv})", (SAMPLE, {"memory": GLib.Variant("t", 2 << 30),
                                                                             "vcpus": GLib.Variant("u", 2)})))
    caller.connection.flush_sync(None)
    caller.close()


def vanish(host):
    """Starts work, hands over a pipe that never ends, and leaves."""
    caller = Caller(host.address)
    read, write = os.pipe()
    fds = Gio.UnixFDList.new()
    fds.append(read)
    caller.connection.call_with_unix_fd_list(NAME, PATH, MANAGER, "Verify", GLib.Variant("(ha{sv})", (0, {})), None,
                                             Gio.DBusCallFlags.NONE, -1, fds, None, None)
    caller.connection.flush_sync(None)
    time.sleep(0.02)
    caller.close()
    os.close(read)
    os.close(write)


def stop_under_load(tap, evidence):
    """SIGTERM with work under way: the service ends it, answers, and leaves in good order."""
    with Host() as host:
        host.add_sample()
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=host.address)
        for round_ in range(3):
            service = subprocess.Popen([os.path.join(BUILD, "dstack-vmm-prepd"), f"--config={host.dir}/vmm-prep.conf", "--idle=0"],
                                       env=environment, stdout=host.log, stderr=host.log)
            tap.ok(wait_for(lambda: host.service_pid() == service.pid), f"round {round_}: the service has its name")
            worker = threading.Thread(target=load, args=(host, 1500, 300, evidence), daemon=True)
            worker.start()
            time.sleep(0.4)
            service.terminate()
            try:
                status = service.wait(20)
            except subprocess.TimeoutExpired:
                service.kill()
                status = "does not end"
            tap.equal(status, 0, f"round {round_}: it ends in good order with 32 callers waiting")
            worker.join(60)
            successor = host.service_pid()
            if successor:
                os.kill(successor, 15)
                wait_for(lambda: host.service_pid() == 0)


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon")
    evidence = evidence_arguments()
    if not evidence:
        tap.say("no vectors: prepares only")
    with Host() as host:
        host.add_sample()
        caller = host.caller()
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the sample image is sound")
        figures, errors = load(host, PREPARES, VERIFIES, evidence)
        total = PREPARES + (VERIFIES if evidence else 0)
        tap.ok(figures["lost"] == 0 and figures.get("answered") == total, f"{total} calls from {CALLERS} callers, none lost",
               f"{figures} {errors[-500:]}")
        tap.equal(figures.get("wrong"), 0, "every answer is the right one")
        tap.say(f"{total / figures['seconds']:.0f} calls a second, latency p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms")
        growth = figures["rss_end_kib"] - figures["rss_tenth_kib"]
        tap.say(f"memory {figures['rss_tenth_kib']} KiB after a tenth, {figures['rss_end_kib']} KiB at the end: {growth:+d} KiB")
        tap.ok(growth < 2048, "memory does not grow after the first tenth", figures)

        calm, _ = load(host, PREPARES // 5, VERIFIES // 5, evidence)
        pid = host.service_pid()
        for act in (rubbish, deaf, vanish):
            harm = Harm(host, act)
            harm.start()
            figures, errors = load(host, PREPARES // 5, VERIFIES // 5, evidence)
            harm.stop.set()
            harm.join(30)
            tap.ok(figures["lost"] == 0 and figures["wrong"] == 0 and harm.times > 0,
                   f"nobody loses anything beside a caller that does '{act.__name__}'", f"{figures} {errors[-500:]}")
            tap.say(f"beside '{act.__name__}' ({harm.times} times): p50 {figures['p50_ms'] / calm['p50_ms']:.2f}, "
                    f"p99 {figures['p99_ms'] / calm['p99_ms']:.2f} times the calm {calm['p50_ms']} and {calm['p99_ms']} ms")
        tap.equal(host.service_pid(), pid, "and the service is still the same process")
    stop_under_load(tap, evidence)
    tap.done()


main()
