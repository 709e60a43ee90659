#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""1,000 random kills under load: every injected file is whole, and every state is true again without help."""

import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import SAMPLE, Caller, GLib, Host, Tap, require_tools  # noqa: E402

KILLS, WRITERS = 1000, 4


class Writer(threading.Thread):
    """Injects into a share of its own, with another memory size each time, whatever happens to the service."""

    def __init__(self, host, number):
        super().__init__(daemon=True)
        self.host, self.stop, self.done = host, threading.Event(), 0
        self.share = os.path.join(host.dir, f"share{number}")
        os.mkdir(self.share)

    def run(self):
        caller = Caller(self.host.address)
        fd = os.open(self.share, os.O_RDONLY | os.O_DIRECTORY)
        while not self.stop.is_set():
            memory = (3 + self.done % 60) << 30
            options = {"memory": GLib.Variant("t", memory), "vcpus": GLib.Variant("u", 2),
                       "qemu_version": GLib.Variant("s", "9.2.1"), "inject": GLib.Variant("h", 0)}
            try:
                caller.call("Prepare", GLib.Variant("(sa{sv})", (SAMPLE, options)), [fd], timeout=5000)
                self.done += 1
            except GLib.Error:
                time.sleep(0.005)
        os.close(fd)

    def problem(self):
        """What is wrong with the file as it stands; None where it is whole or not there yet."""
        try:
            with open(os.path.join(self.share, ".sys-config.json"), encoding="utf-8") as file:
                vm_config = json.loads(json.load(file)["vm_config"])
            return None if vm_config["memory_size"] % (1 << 30) == 0 else f"memory {vm_config['memory_size']}"
        except FileNotFoundError:
            return None
        except (ValueError, KeyError) as broken:
            return repr(broken)


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon")
    seed = int(time.time())
    random.seed(seed)
    tap.say(f"seed {seed}")
    with Host() as host:
        host.add_sample()
        caller = host.caller()
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the sample image is sound")
        writers = [Writer(host, i) for i in range(WRITERS)]
        for writer in writers:
            writer.start()
        problems, kills, deadline = [], 0, time.monotonic() + 240
        while kills < KILLS and time.monotonic() < deadline:
            time.sleep(random.uniform(0, 0.06))
            pid = host.service_pid()
            if not pid:
                continue
            try:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                continue
            problems += [p for p in (w.problem() for w in writers) if p]
        for writer in writers:
            writer.stop.set()
        for writer in writers:
            writer.join(10)
        tap.equal(kills, KILLS, "the service was killed a thousand times")
        tap.equal(problems, [], "every injected file was whole after every kill")
        tap.ok(all(w.done > 0 for w in writers), "and injections got through in between", [w.done for w in writers])
        tap.say(f"{sum(w.done for w in writers)} injections among {kills} kills")
        leftovers = [n for w in writers for n in os.listdir(w.share) if n != ".sys-config.json"]
        tap.ok(len(leftovers) <= WRITERS, "at most the last kill's temporary file is left in a share", leftovers)
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the image is sound again without help", str(caller.image(SAMPLE)))
        (_config, details), _ = caller.call("Prepare", GLib.Variant("(sa{sv})", (SAMPLE, {
            "memory": GLib.Variant("t", 2 << 30), "vcpus": GLib.Variant("u", 2), "qemu_version": GLib.Variant("s", "9.2.1")})))
        tap.equal(details["variant"], "lite", "and a launch is prepared")
    tap.done()


main()
