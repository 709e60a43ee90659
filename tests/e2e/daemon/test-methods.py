#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Every method, property, signal and error name of the service, from an independent client on a private bus."""

import fcntl
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import (BUILD, CLI, MANAGER, NAME, PATH, SAMPLE, SRC, GLib, Host, Tap, error_of, require_tools,  # noqa: E402
                     vectors_dir, wait_for)

LITE_TIME = 1781006400  # 2026-06-09T12:00:00Z, inside the collateral's interval
LITE_COLLATERAL_CASE = "tdx-v4-90c06f000000-1d0342e3-eval19-v3-20260608"


def launch(**more):
    options = {"memory": GLib.Variant("t", 2 << 30), "vcpus": GLib.Variant("u", 2), "qemu_version": GLib.Variant("s", "9.2.1")}
    options.update(more)
    return options


def prepare(caller, image=SAMPLE, fds=(), **more):
    return caller.call("Prepare", GLib.Variant("(sa{sv})", (image, launch(**more))), fds)


def memory_file(content):
    fd = os.memfd_create("test")
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def test_contract(tap, host, caller):
    done = subprocess.run(["gdbus", "introspect", "--address", host.address, "--dest", NAME, "--object-path", PATH, "--xml"],
                          capture_output=True, text=True, check=False)
    for word in ("Prepare", "PrepareDomain", "Verify", "LabelEventLog", "Measure", "Expect", "CheckImage", "RescanImages"):
        tap.ok(f'<method name="{word}">' in done.stdout, f"introspection shows {word}", done.stderr)
    done = subprocess.run(["gdbus", "call", "--address", host.address, "--dest", NAME, "--object-path", PATH, "--method",
                           "org.freedesktop.DBus.Properties.Get", MANAGER, "Version"], capture_output=True, text=True, check=False)
    tap.equal(done.stdout.strip(), f"(<'{caller.get('Version')}'>,)", "gdbus reads the version")
    tap.equal(caller.get("ImageDirectories"), [host.images], "the configured image directories")
    tap.equal(caller.get("Variant"), "lite", "the configured policy")


def test_prepare(tap, host, caller):
    (vm_config, details), _ = prepare(caller)
    document = json.loads(vm_config)
    tap.equal(document["memory_size"], 2 << 30, "vm_config has the memory size in bytes")
    tap.equal((details["tee"], details["variant"]), ("tdx", "lite"), "tee and variant are told")
    tap.equal(details["os_image_hash"], document["os_image_hash"], "the image's identity is told")
    tap.ok(wait_for(lambda: any(s[2] == "Prepared" and s[3][0] == SAMPLE for s in caller.signals)), "Prepared is sent")
    status, out = host.cli("prepare", SAMPLE, "--memory", "2G", "--vcpus", "2", "--qemu-version", "9.2.1")
    tap.equal((status, out.strip()), (0, vm_config), "the command line gives the same vm_config")
    name, message = error_of(prepare, caller, memory=GLib.Variant("t", 2560 << 20))
    tap.equal(name, "Refused", "2560 MiB is refused")
    done = subprocess.run([CLI, f"--config={host.dir}/vmm-prep.conf", "prepare", SAMPLE, "--memory", "2560M", "--vcpus", "2",
                           "--qemu-version", "9.2.1"], capture_output=True, text=True, check=False)
    tap.ok(done.returncode == 1 and message in done.stderr, "the command line refuses in the same words",
           f"{message}\n{done.stderr}")
    tap.ok(wait_for(lambda: any(s[2] == "Refused" and s[3][1] == message for s in caller.signals)), "Refused is sent")
    (vm_config, details), _ = prepare(caller, tee=GLib.Variant("s", "snp"))
    tap.ok(details["tee"] == "snp" and "sev_snp_measurement" in json.loads(vm_config), "an SEV-SNP launch is prepared")
    (vm_config, details), _ = prepare(caller, variant=GLib.Variant("s", "auto"), memory=GLib.Variant("t", 2560 << 20))
    tap.ok(details["variant"] == "legacy" and details["warnings"], "auto falls back to legacy, with a warning", details)


def test_inject(tap, host, caller):
    share = os.path.join(host.dir, "share")
    os.mkdir(share)
    with open(os.path.join(share, ".sys-config.json"), "w", encoding="utf-8") as file:
        file.write('{"kms_urls":["https://kms"],"vm_config":"old"}')
    fd = os.open(share, os.O_RDONLY | os.O_DIRECTORY)
    (vm_config, details), _ = prepare(caller, fds=[fd], inject=GLib.Variant("h", 0))
    os.close(fd)
    with open(os.path.join(share, ".sys-config.json"), encoding="utf-8") as file:
        written = json.load(file)
    tap.ok(details["changed"], "that the file changed is told")
    tap.equal((written["vm_config"], written["kms_urls"]), (vm_config, ["https://kms"]),
              "the vm_config stands where the guest reads it, other members as they were")
    file_fd = os.open("/dev/null", os.O_RDONLY)
    tap.equal(error_of(prepare, caller, fds=[file_fd], inject=GLib.Variant("h", 0))[0], "InvalidArgument",
              "a descriptor of something else is refused")
    os.close(file_fd)
    tap.equal(error_of(prepare, caller, inject=GLib.Variant("h", 7))[0], "InvalidArgument", "a handle without descriptor")


def test_errors(tap, host, caller):
    tap.equal(error_of(prepare, caller, image="no-such-image")[0], "NotFound", "an image that is not there")
    tap.equal(error_of(prepare, caller, image="../" + SAMPLE)[0] in ("InvalidArgument", "NotFound", "Malformed"), True,
              "a path is no image name")
    tap.equal(error_of(prepare, caller, memori=GLib.Variant("t", 1)), ("InvalidArgument", "unknown option 'memori'"),
              "an unknown option")
    tap.equal(error_of(prepare, caller, memory=GLib.Variant("s", "2G"))[0], "InvalidArgument", "an option of the wrong type")
    big = GLib.Variant("(sa{sv})", ("x" * (1 << 20), {}))
    tap.equal(error_of(caller.call, "Prepare", big)[0], "InvalidArgument", "arguments larger than any sense")
    broken = host.add_sample("dstack-broken-0.1.0")
    with open(os.path.join(broken, "measurement.tdx.cbor"), "r+b") as file:
        file.write(b"\xff")
    tap.equal(error_of(prepare, caller, image="dstack-broken-0.1.0")[0], "Unsound", "material that is not the manifest's")
    subprocess.run(["rm", "-r", broken], check=True)
    tap.equal(error_of(caller.call, "PrepareDomain", GLib.Variant("(sa{sv})", ("<domain", {})))[0], "Malformed",
              "XML that is none")
    fd = memory_file(b"rubbish")
    tap.equal(error_of(caller.call, "Verify", GLib.Variant("(ha{sv})", (0, {})), [fd])[0], "Malformed",
              "evidence that is none")
    os.close(fd)
    read, write = os.pipe()
    jobs = [caller.call("CheckImage", GLib.Variant("(s)", (SAMPLE,)))[0][0] for _ in range(2)]
    tap.ok(wait_for(lambda: all(job_state(caller, job) == "done" for job in jobs)), "jobs of one caller come to an end")
    os.close(read)
    os.close(write)


def job_state(caller, path):
    job = caller.objects().get(path, {}).get(NAME + ".Job", {})
    return job.get("State")


def domain_xml(host, memory_kib=2 << 20, share=None):
    with open(os.path.join(host.images, SAMPLE, "metadata.json"), encoding="utf-8") as file:
        metadata = json.load(file)
    base = os.path.join(host.images, SAMPLE)
    emulator = os.path.join(host.dir, "emulator")
    with open(emulator, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho 'QEMU emulator version 9.2.1'\n")
    os.chmod(emulator, 0o755)
    escaped = metadata["cmdline"].replace("&", "&amp;").replace("<", "&lt;")
    return f"""<domain type='kvm'><name>vm1</name><uuid>5ad7a9f4-8a2e-4d07-9b1b-3f0c1a2b3c4d</uuid>
<metadata><d:cvm xmlns:d="https://dstack.org/xmlns/libvirt/cvm/1.0"><d:image>{SAMPLE}</d:image><d:tee>tdx</d:tee>
<d:share dir="{share}"/></d:cvm></metadata>
<memory unit='KiB'>{memory_kib}</memory><currentMemory unit='KiB'>{memory_kib}</currentMemory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type><loader type='rom'>{base}/{metadata['bios']}</loader>
<kernel>{base}/{metadata['kernel']}</kernel><initrd>{base}/{metadata['initrd']}</initrd><cmdline>{escaped}</cmdline></os>
<features><acpi/></features><devices><emulator>{emulator}</emulator><interface type='user'><model type='virtio'/></interface>
<filesystem type='mount'><source dir='{share}'/><target dir='host-shared'/></filesystem></devices></domain>"""


def test_prepare_domain(tap, host, caller):
    share = os.path.join(host.dir, "share")
    (vm_config, details), _ = caller.call("PrepareDomain", GLib.Variant("(sa{sv})", (domain_xml(host, share=share), {})))
    tap.equal((details["image"], details["domain"], details["variant"]), (SAMPLE, "vm1", "lite"), "a domain is prepared")
    tap.equal(json.loads(vm_config)["cpu_count"], 2, "its vm_config is the domain's")
    xml_file = os.path.join(host.dir, "domain.xml")
    with open(xml_file, "w", encoding="utf-8") as file:
        file.write(domain_xml(host, share=share))
    status, out = host.cli("domain", "--json", xml_file)
    tap.ok(status == 0 and json.loads(out).get("vm_config") in (vm_config, json.loads(vm_config)),
           "the command line would give the same", out)
    name, message = error_of(caller.call, "PrepareDomain",
                             GLib.Variant("(sa{sv})", (domain_xml(host, 2560 << 10, share), {})))
    tap.equal(name, "Refused", "a domain of 2560 MiB is refused")
    tap.ok(wait_for(lambda: any(s[2] == "Refused" and s[3] == (SAMPLE, message, "vm1") for s in caller.signals)),
           "and the refusal names the domain")
    (vm_config, details), _ = caller.call("PrepareDomain", GLib.Variant(
        "(sa{sv})", ("<domain type='kvm'><name>plain</name><uuid>5ad7a9f4-8a2e-4d07-9b1b-3f0c1a2b3c4e</uuid></domain>", {})))
    tap.equal((vm_config, details["image"]), ("", ""), "a domain that is not ours gets an empty answer")


def test_measure(tap, host, caller):
    for tee in ("tdx", "snp"):
        (_handle,), fds = caller.call("Measure", GLib.Variant("(ss)", (SAMPLE, tee)))
        with os.fdopen(fds[0], "rb") as file:
            material = file.read()
            seals = fcntl.fcntl(file.fileno(), fcntl.F_GET_SEALS)
        with open(os.path.join(host.images, SAMPLE, f"measurement.{tee}.cbor"), "rb") as file:
            tap.equal(material, file.read(), f"measure {tee} gives the image's own material")
        tap.ok(seals & fcntl.F_SEAL_WRITE, f"the descriptor of {tee} is sealed")
    tap.equal(error_of(caller.call, "Measure", GLib.Variant("(ss)", (SAMPLE, "sgx")))[0], "InvalidArgument", "an unknown tee")
    tap.equal(error_of(caller.call, "Measure", GLib.Variant("(ss)", ("none", "tdx")))[0], "NotFound", "an unknown image")


def test_expect(tap, host, caller):
    for tee in ("tdx", "snp"):
        (text,), _ = caller.call("Expect", GLib.Variant("(sa{sv})", (SAMPLE, launch(tee=GLib.Variant("s", tee)))))
        status, out = host.cli("expect", "--json", SAMPLE, "--tee", tee, "--memory", "2G", "--vcpus", "2", "--qemu-version",
                               "9.2.1")
        tap.ok(status == 0 and json.loads(out) == json.loads(text), f"expect {tee} is what the command line says",
               f"{text}\n{out}")
    tap.equal(error_of(caller.call, "Expect", GLib.Variant("(sa{sv})", (SAMPLE, launch(inject=GLib.Variant("h", 0)))))[0],
              "InvalidArgument", "expect takes no inject")


def test_verify(tap, host, caller):
    vectors = vectors_dir()
    if vectors is None:
        tap.skip("real evidence", "the vectors are not here")
        return
    evidence = os.path.join(vectors, "tdx/dstack/tdx-lite-getquote.json")
    with open(os.path.join(vectors, "dcap/cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    cases = cases if isinstance(cases, list) else cases["cases"]
    case = next(c for c in cases if c["id"] == LITE_COLLATERAL_CASE)
    collateral = os.path.join(vectors, "dcap", case["collateral"]) if "/" in case["collateral"] \
        else os.path.join(vectors, "dcap/collateral", case["collateral"])
    fds = [os.open(evidence, os.O_RDONLY), os.open(collateral, os.O_RDONLY)]
    options = {"collateral": GLib.Variant("h", 1), "time": GLib.Variant("x", LITE_TIME)}
    (valid, report), _ = caller.call("Verify", GLib.Variant("(ha{sv})", (0, options)), fds)
    for fd in fds:
        os.close(fd)
    tap.ok(valid and json.loads(report)["is_valid"], "the lite fixture is valid inside its collateral's interval", report)
    status, out = host.cli("verify", "--json", evidence, "--collateral", collateral, "--time", "2026-06-09T12:00:00Z")
    tap.ok(status == 0 and json.loads(out) == json.loads(report), "the command line gives the same verdict", out)
    fd = os.open(evidence, os.O_RDONLY)
    (valid, report), _ = caller.call("Verify", GLib.Variant("(ha{sv})", (0, {"time": GLib.Variant("x", LITE_TIME)})), [fd])
    os.close(fd)
    tap.ok(not valid and json.loads(report)["reason"], "without collateral it is not valid, and says why", report)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with open(evidence, "rb") as file, os.fdopen(write, "wb") as pipe:
            pipe.write(file.read())
        os._exit(0)
    os.close(write)
    (valid, _report), _ = caller.call("Verify", GLib.Variant("(ha{sv})", (0, {"no_collateral": GLib.Variant("b", True)})), [read])
    os.close(read)
    os.waitpid(child, 0)
    tap.ok(valid, "evidence from a pipe, chain and signature only")
    log = json.loads(open(evidence, encoding="utf-8").read())["event_log"]
    fd = memory_file(log.encode())
    (text,), _ = caller.call("LabelEventLog", GLib.Variant("(h)", (0,)), [fd])
    os.close(fd)
    labels = [e["event"] for e in json.loads(text) if e["event"].startswith("acpi-")]
    tap.equal(labels, ["acpi-loader", "acpi-rsdp", "acpi-tables"], "an event log is labelled")
    fd = memory_file(b"[]")
    tap.equal(error_of(caller.call, "LabelEventLog", GLib.Variant("(h)", (0,)), [fd])[0] != "", True,
              "a log without ACPI entries is refused")
    os.close(fd)


def test_command_line(tap, host, caller):
    """The same output, to the byte, whether the command line works itself or asks the service."""
    share = os.path.join(host.dir, "cli-share")
    os.mkdir(share)
    open(os.path.join(share, "empty"), "wb").close()
    requests = [
        ["images"], ["images", "--json"], ["images", "--json", SAMPLE], ["check", SAMPLE], ["check", "--json", SAMPLE],
        ["prepare", SAMPLE, "--memory", "3G", "--vcpus", "4", "--qemu-version", "9.2.1", "--nics", "2", "--hugepages"],
        ["prepare", SAMPLE, "--tee", "snp", "--memory", "1G", "--vcpus", "4", "--json"],
        ["prepare", SAMPLE, "--memory", "2560M", "--vcpus", "1", "--json"],
        ["prepare", "no-such-image", "--memory", "2G", "--vcpus", "1", "--json"],
        ["check", "no-such-image", "--json"],
        ["prepare", SAMPLE, "--memory", "2G", "--vcpus", "1", "--inject", share],
    ]
    vectors = vectors_dir()
    if vectors is not None:
        evidence = os.path.join(vectors, "tdx/dstack/tdx-lite-getquote.json")
        requests += [["verify", evidence, "--no-collateral"], ["verify", evidence, "--no-collateral", "--json"],
                     ["verify", evidence, "--time", "2026-06-09T12:00:00Z"], ["verify", os.path.join(share, "empty")]]
    for request in requests:
        status, out = host.cli(*request)
        via_status, via_out = host.cli(*request, "--via", "bus")
        tap.ok((status, out) == (via_status, via_out), "via the bus the same: " + " ".join(os.path.basename(w) for w in request),
               f"{status}: {out[:600]}\n{via_status}: {via_out[:600]}")
    tap.equal(host.cli("prepare", SAMPLE, "--memory", "2G", "--vcpus", "1", "--via", "phone")[0], 2, "--via knows the bus only")


def test_jobs(tap, host, caller):
    (path,), _ = caller.call("CheckImage", GLib.Variant("(s)", (SAMPLE,)))
    tap.ok(wait_for(lambda: job_state(caller, path) == "done"), "a check comes to its end")
    tap.ok(wait_for(lambda: any(s[0] == path and s[2] == "Finished" and s[3][0] for s in caller.signals)), "Finished says sound")
    job = caller.objects()[path][NAME + ".Job"]
    tap.equal(job["Progress"], 1.0, "its progress is complete")
    status, out = host.cli("check", "--json", SAMPLE)
    tap.ok(status == 0 and json.loads(out) == json.loads(job["Result"]), "its result is the command line's report", job["Result"])
    (path,), _ = caller.call("RescanImages")
    tap.ok(wait_for(lambda: job_state(caller, path) == "done"), "a scan comes to its end")
    tap.equal(error_of(caller.call, "CheckImage", GLib.Variant("(s)", ("none",)))[0], "NotFound", "no image, no job")
    (path,), _ = caller.call("CheckImage", GLib.Variant("(s)", (SAMPLE,)))
    caller.call("Cancel", path=path, interface=NAME + ".Job")
    tap.ok(wait_for(lambda: job_state(caller, path) in ("cancelled", "done")), "a job can be cancelled by its caller")


def main():
    tap = Tap()
    require_tools(tap, "dbus-daemon", "gdbus")
    with Host() as host:
        host.add_sample()
        caller = host.caller()
        caller.listen()
        tap.ok(host.wait_state(caller, SAMPLE, "sound"), "the sample image is found, checked and sound",
               str(caller.image(SAMPLE)) + host.read_log())
        for test in (test_contract, test_prepare, test_inject, test_errors, test_prepare_domain, test_measure, test_expect,
                     test_verify, test_command_line, test_jobs):
            try:
                test(tap, host, caller)
            except Exception as problem:  # a test that breaks off is a failure, and the next one still runs
                tap.ok(False, f"{test.__name__} runs to its end", f"{problem!r}\n{host.read_log()[-2000:]}")
    tap.done()


main()
