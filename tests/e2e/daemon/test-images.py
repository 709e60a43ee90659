#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Image objects follow the disk: they appear, change and vanish, and a half-copied image is never sound."""

import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import BUILD, NAME, PATH, SAMPLE, Host, Tap, require_tools, wait_for  # noqa: E402

SOURCE = os.path.join(BUILD, "images-sample", SAMPLE)


def state(caller, name=SAMPLE):
    image = caller.image(name)
    return image["State"] if image else None


def test_half_copy(tap, host, caller):
    target = os.path.join(host.images, SAMPLE)
    seen = set()
    os.mkdir(target)
    # the order that makes it hardest: what names the files comes first, the files last
    names = sorted(os.listdir(SOURCE), key=lambda n: (n not in ("metadata.json", "sha256sum.txt", "digest.txt"), n))
    for name in names:
        content = open(os.path.join(SOURCE, name), "rb").read()
        with open(os.path.join(target, name), "wb") as file:
            file.write(content[:len(content) // 2])
            file.flush()
            time.sleep(0.15)
            seen.add(state(caller))
            file.write(content[len(content) // 2:])
        seen.add(state(caller))
    tap.ok("sound" not in seen, "a half-copied image is never sound", seen)
    tap.ok(seen <= {None, "unchecked"}, "it is unchecked for as long as it changes", seen)
    tap.ok(host.wait_state(caller, SAMPLE, "sound"), "and sound once it is all there, by itself", caller.image(SAMPLE))
    os.unlink(os.path.join(target, names[-1]))
    tap.ok(host.wait_state(caller, SAMPLE, "unchecked"), "a file that is taken away makes it unchecked")
    tap.ok(any(names[-1] in problem for problem in caller.image(SAMPLE)["Problems"]), "and the problem names the file",
           caller.image(SAMPLE))
    shutil.copy(os.path.join(SOURCE, names[-1]), target)
    tap.ok(host.wait_state(caller, SAMPLE, "sound"), "put back, it is sound again")


def test_change(tap, host, caller):
    path = os.path.join(host.images, SAMPLE, "digest.txt")
    kernel = os.path.join(host.images, SAMPLE, "bzImage")
    if not os.path.exists(kernel):
        kernel = path
    with open(kernel, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    tap.ok(wait_for(lambda: state(caller) == "unsound", 20, 0.05), "one changed byte makes it unsound", caller.image(SAMPLE))
    tap.ok(len(caller.image(SAMPLE)["Problems"]) > 0, "and a problem is told")
    with open(kernel, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(last)
    tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the byte put back makes it sound")


def test_properties(tap, host, caller):
    image = caller.image(SAMPLE)
    tap.equal(image["Name"], SAMPLE, "Name")
    tap.equal(image["Path"], os.path.join(host.images, SAMPLE), "Path")
    tap.equal(image["Version"], "0.1.0", "Version")
    with open(os.path.join(host.images, SAMPLE, "digest.txt"), encoding="ascii") as file:
        tap.equal(image["OsImageHash"], file.read().strip(), "OsImageHash")
    tap.ok({"tdx", "snp"} <= set(image["Tees"]), "Tees", image["Tees"])
    with open(os.path.join(host.images, SAMPLE, "metadata.json"), encoding="utf-8") as file:
        tap.equal(image["IsDev"], json.load(file).get("is_dev", False), "IsDev")
    path = next(p for p, i in caller.objects().items() if i.get(NAME + ".Image", {}).get("Name") == SAMPLE)
    tap.equal(path, PATH + "/image/dstack_2dsample_2d0_2e1_2e0", "the object's path is the escaped name")


def test_appear_and_vanish(tap, host, caller):
    caller.signals.clear()
    host.add_sample("dstack-other-0.2.0")
    tap.ok(host.wait_state(caller, "dstack-other-0.2.0", "sound"), "a second image appears and becomes sound")
    tap.ok(any(s[2] == "InterfacesAdded" for s in caller.signals), "InterfacesAdded is sent")
    shutil.rmtree(os.path.join(host.images, "dstack-other-0.2.0"))
    tap.ok(wait_for(lambda: caller.image("dstack-other-0.2.0") is None), "and vanishes with its directory")
    tap.ok(wait_for(lambda: any(s[2] == "InterfacesRemoved" for s in caller.signals)), "InterfacesRemoved is sent")


def test_reload(tap, host, caller):
    second = os.path.join(host.dir, "more-images")
    os.mkdir(second)
    host.write("vmm-prep.conf", f"[images]\ndirs={host.images};{second}\n[tdx]\nvariant=auto\n")
    os.kill(host.service_pid(), 1)
    tap.ok(wait_for(lambda: caller.get("ImageDirectories") == [host.images, second]), "SIGHUP reads the configuration again")
    tap.equal(caller.get("Variant"), "auto", "all of it")
    host.write("vmm-prep.conf", "[nonsense]\n")
    os.kill(host.service_pid(), 1)
    time.sleep(0.3)
    tap.equal(caller.get("Variant"), "auto", "a broken configuration leaves the old one in force")
    tap.ok("nonsense" in host.read_log(), "and the log says what is wrong")
    host.write("vmm-prep.conf", f"[images]\ndirs={host.images}\n")
    os.kill(host.service_pid(), 1)
    tap.ok(wait_for(lambda: caller.get("ImageDirectories") == [host.images]), "a good one is taken up again")


def test_stop(tap, host, caller):
    pid = host.service_pid()
    os.kill(pid, 15)
    tap.ok(wait_for(lambda: not os.path.exists(f"/proc/{pid}")), "SIGTERM ends the service")
    tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the next call starts it again, and the state is true again")
    tap.ok(host.service_pid() not in (0, pid), "in another process")


def test_idle(tap):
    with Host(idle=1) as host:
        host.add_sample()
        caller = host.caller()
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "an idle service has work first")
        pid = host.service_pid()
        tap.ok(wait_for(lambda: host.service_pid() == 0, 15, 0.2), "it leaves when there is nothing to do")
        tap.ok(wait_for(lambda: not os.path.exists(f"/proc/{pid}")), "its process is gone")
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "and comes back when called")


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon")
    with Host() as host:
        caller = host.caller()
        caller.listen()
        tap.equal([p for p in caller.objects() if "/image/" in p], [], "no image, no object")
        for test in (test_half_copy, test_properties, test_change, test_appear_and_vanish, test_reload, test_stop):
            try:
                test(tap, host, caller)
            except Exception as problem:
                tap.ok(False, f"{test.__name__} runs to its end", f"{problem!r}\n{host.read_log()[-2000:]}")
    test_idle(tap)
    tap.done()


main()
