# SPDX-License-Identifier: Apache-2.0
#
# One request through every door: the command line's prepare, its domain, the libvirt hook, and the D-Bus service on a
# private bus. All give the same vm_config, or the same refusal, and a refusal writes nothing.
#
#   doors.py TOOL HOOK CONFIG IMAGE WORK      prints TAP; CONFIG is where the hook reads its configuration
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from xml.sax.saxutils import escape, quoteattr

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../daemon"))
from harness import GLib, Host, error_of  # noqa: E402

TOOL, HOOK, CONFIG, IMAGE, WORK = sys.argv[1:]
IMAGES = os.path.dirname(IMAGE)
SHARE = os.path.join(WORK, "share")
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "USER": "root"}
SYS_CONFIG = ".sys-config.json"


def emulator(version):
	"""A program that says it is this QEMU; nothing here runs a guest."""
	path = os.path.join(WORK, "qemu-" + version)
	write(path, "#!/bin/sh\necho QEMU emulator version {}\n".format(version))
	os.chmod(path, 0o755)
	return path


class Case:
	"""A launch, as facts; each door says them in its own way."""

	def __init__(self, name, image=None, memory=2048, vcpus=1, variant=None, nics=0, swtpm=False, hugepages=False,
			hotplug_off=False, pci_hole64=None, emulator=None, spoil=None, share=None, refused=None):
		self.name = name
		self.image = image or os.path.basename(IMAGE)
		self.memory = memory
		self.vcpus = vcpus
		self.variant = variant
		self.nics = nics
		self.swtpm = swtpm
		self.hugepages = hugepages
		self.hotplug_off = hotplug_off
		self.pci_hole64 = pci_hole64
		self.emulator = emulator or EMULATOR
		self.spoil = spoil
		self.share = share or {}
		self.refused = refused

	def options(self):
		options = ["--tee", "tdx", "--memory", "{}M".format(self.memory), "--vcpus", str(self.vcpus)]
		options += ["--nics", str(self.nics), "--host-share", "9p", "--qemu", self.emulator]
		options += ["--variant", self.variant] if self.variant else []
		options += ["--swtpm"] if self.swtpm else []
		options += ["--hugepages"] if self.hugepages else []
		options += ["--hotplug-off"] if self.hotplug_off else []
		options += ["--pci-hole64", self.pci_hole64] if self.pci_hole64 else []
		return options

	def devices(self):
		text = "<interface type='user'><model type='virtio'/></interface>" * self.nics
		if self.swtpm:
			text += "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
		if self.pci_hole64:
			text += ("<controller type='pci' index='0' model='pcie-root'><pcihole64 unit='GiB'>{}</pcihole64>"
				"</controller>").format(self.pci_hole64.rstrip("G"))
		return text

	def domain(self):
		"""As libvirt hands it to a hook."""
		directory = os.path.join(IMAGES, self.image)
		attestation = "<d:attestation variant='{}'/>".format(self.variant) if self.variant else ""
		backing = "<memoryBacking><hugepages/></memoryBacking>" if self.hugepages else ""
		line = ("<q:commandline><q:arg value='-global'/>"
			"<q:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/></q:commandline>"
			if self.hotplug_off else "")
		return """<domain type='qemu' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>doors</name><uuid>{uuid}</uuid>
  <metadata><d:cvm xmlns:d='https://dstack.org/xmlns/libvirt/cvm/1.0'>
    <d:image>{image}</d:image><d:tee>tdx</d:tee>{attestation}</d:cvm></metadata>
  <memory unit='KiB'>{memory}</memory>{backing}<vcpu placement='static'>{vcpus}</vcpu>
  <os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type><loader type='rom'>{directory}/{bios}</loader>
    <kernel>{directory}/{kernel}</kernel><initrd>{directory}/{initrd}</initrd><cmdline>{cmdline}</cmdline></os>
  <devices><emulator>{emulator}</emulator>
    <filesystem type='mount' accessmode='passthrough'><source dir={share}/><target dir='host-shared'/></filesystem>
    {devices}</devices>{line}
</domain>
""".format(uuid=uuid.uuid4(), image=escape(self.image), attestation=attestation, memory=self.memory * 1024, backing=backing,
			vcpus=self.vcpus, directory=escape(directory), cmdline=escape(METADATA["cmdline"]),
			bios=METADATA["bios"], kernel=METADATA["kernel"], initrd=METADATA["initrd"], emulator=self.emulator,
			share=quoteattr(SHARE), devices=self.devices(), line=line)


def write(path, text):
	with open(path, "w", encoding="utf-8") as stream:
		stream.write(text)


def read(path):
	with open(path, "rb") as stream:
		return stream.read()


def fresh_share(case):
	shutil.rmtree(SHARE, ignore_errors=True)
	os.mkdir(SHARE, 0o750)
	for name, text in case.share.items():
		write(os.path.join(SHARE, name), text)


def snapshot():
	names = sorted(os.listdir(SHARE))
	return [(name, read(os.path.join(SHARE, name)), os.stat(os.path.join(SHARE, name)).st_ino) for name in names]


def run(arguments, stdin=""):
	done = subprocess.run(arguments, input=stdin.encode(), capture_output=True, env=ENVIRONMENT, cwd="/", timeout=60)
	return done.returncode, done.stdout.decode(), done.stderr.decode()


def reason(stderr):
	"""What is wrong, without the name of the door that says it."""
	lines = [line for line in stderr.splitlines() if not line.startswith("warning: ") and ": warning: " not in line]
	return lines[-1].split(": ", 1)[1] if lines and ": " in lines[-1] else stderr


def injected():
	"""The vm_config in the share."""
	return json.loads(read(os.path.join(SHARE, SYS_CONFIG)))["vm_config"]


def through_prepare(case):
	status, out, err = run([TOOL, "--config", CONFIG, "prepare", case.image, *case.options(), "--inject", SHARE])
	return ("vm_config", injected()) if status == 0 else ("refused", reason(err))


def through_domain(case):
	path = os.path.join(WORK, "doors.xml")
	write(path, case.domain())
	status, out, err = run([TOOL, "--config", CONFIG, "--json", "domain", path])
	if status != 0:
		return "refused", reason(err)
	return "vm_config", json.dumps(json.loads(out)["vm_config"], separators=(",", ":"), ensure_ascii=False)


def through_hook(case):
	status, out, err = run([HOOK, "doors", "prepare", "begin", "-"], case.domain())
	if out:
		return ("broken", "the hook printed on standard output: " + out)
	return ("vm_config", injected()) if status == 0 else ("refused", reason(err))


def through_bus(case):
	share = os.open(SHARE, os.O_RDONLY | os.O_DIRECTORY)
	arguments = GLib.Variant("(sa{sv})", (case.domain(), {"inject": GLib.Variant("h", 0)}))
	name, message = error_of(CALLER.call, "PrepareDomain", arguments, [share])
	os.close(share)
	return ("refused", message) if name else ("vm_config", injected())


DOORS = {"prepare": through_prepare, "domain": through_domain, "hook": through_hook, "bus": through_bus}


# ---- images that are wrong in one way ----

def edit(name, change):
	def spoil(directory):
		path = os.path.join(directory, name)
		data = change(read(path))
		with open(path, "wb") as stream:
			stream.write(data)
	return spoil


def renewed(spoil):
	"""The same, with a manifest and a digest that agree with it."""
	def do(directory):
		spoil(directory)
		names = sorted(set(os.listdir(directory)) - {"sha256sum.txt", "digest.txt"})
		lines = ["{}  {}\n".format(hashlib.sha256(read(os.path.join(directory, name))).hexdigest(), name) for name in names]
		write(os.path.join(directory, "sha256sum.txt"), "".join(lines))
		redigest(directory)
	return do


def redigest(directory):
	write(os.path.join(directory, "digest.txt"), hashlib.sha256(read(os.path.join(directory, "sha256sum.txt"))).hexdigest())


def flip(data):
	return data[:-1] + bytes([data[-1] ^ 1])


def remove(name):
	return lambda directory: os.unlink(os.path.join(directory, name))


def listed_twice(directory):
	edit("sha256sum.txt", lambda data: data + data.splitlines(True)[-2])(directory)
	redigest(directory)


def escaping_kernel(directory):
	os.rename(os.path.join(directory, "bzImage"), os.path.join(IMAGES, "outside"))
	os.symlink("../outside", os.path.join(directory, "bzImage"))


def cases():
	yield Case("lite at 2 GiB")
	yield Case("lite at 2816 MiB", memory=2816)
	yield Case("lite at 16 GiB", memory=16384)
	yield Case("2560 MiB", memory=2560, refused="2560")
	yield Case("2560 MiB, auto", memory=2560, variant="auto")
	yield Case("2560 MiB, legacy", memory=2560, variant="legacy")
	yield Case("2 GiB, legacy", variant="legacy")
	yield Case("2815 MiB", memory=2815, refused="2815")
	yield Case("2^43 MiB, more than a signed number of bytes holds", memory=1 << 43, refused="4096 TiB")
	yield Case("two CPUs, two NICs, TPM, huge pages", vcpus=2, nics=2, swtpm=True, hugepages=True)
	yield Case("one NIC, hotplug off", nics=1, hotplug_off=True)
	yield Case("a PCI hole", pci_hole64="512G")
	yield Case("QEMU 8.2", emulator=emulator("8.2.2"))
	yield Case("QEMU 10.0, which may measure another kernel", emulator=emulator("10.0.3"))
	yield Case("QEMU 10.2, which measures another kernel", emulator=emulator("10.2.0"), refused="10.2")
	yield Case("QEMU 10.2, auto", variant="auto", emulator=emulator("10.2.0"), refused="10.2")
	yield Case("a program that is no QEMU", emulator="/bin/true", refused="/bin/true")
	yield Case("no QEMU there", emulator="/nonexistent/qemu", refused="/nonexistent/qemu")
	yield Case("the application needs ACPI measured", share={"app-compose.json":
		'{"requirements":{"tdx_measure_acpi_tables":true}}'})
	yield Case("the application needs lite, 2560 MiB", memory=2560, variant="auto", share={"app-compose.json":
		'{"requirements":{"tdx_measure_acpi_tables":false}}'}, refused="2560")
	yield Case("the application's file is no JSON", share={"app-compose.json": "{"}, refused="app-compose.json")
	yield Case("other members stand there", share={SYS_CONFIG: '{"kms_urls":["https://k"],"x":1.0}\n'})
	yield Case(".sys-config.json is no JSON", share={SYS_CONFIG: "{,"}, refused=SYS_CONFIG)
	yield Case(".sys-config.json has vm_config twice", share={SYS_CONFIG: '{"vm_config":"","vm_config":""}'}, refused=SYS_CONFIG)
	yield Case(".sys-config.json is too large", share={SYS_CONFIG: json.dumps({"x": "y" * 32700})}, refused="32768")
	yield Case("no such image", image="dstack-none-1.0.0", refused="dstack-none-1.0.0")
	yield Case("a kernel with one bit changed", spoil=edit("bzImage", flip), refused="bzImage")
	yield Case("material with one bit changed", spoil=edit("measurement.tdx.cbor", flip), refused="measurement.tdx.cbor")
	yield Case("the same, manifest renewed", spoil=renewed(edit("measurement.tdx.cbor", flip)), refused="measurement.tdx.cbor")
	yield Case("material cut short", spoil=renewed(edit("measurement.tdx.cbor", lambda data: data[:-3])), refused="measurement.tdx.cbor")
	yield Case("no material", spoil=renewed(remove("measurement.tdx.cbor")), refused="measurement.tdx.cbor")
	yield Case("no manifest", spoil=remove("sha256sum.txt"), refused="sha256sum.txt")
	yield Case("an empty manifest", spoil=edit("sha256sum.txt", lambda data: b""), refused="sha256sum.txt")
	yield Case("material listed twice", spoil=listed_twice, refused="twice")
	yield Case("another digest", spoil=edit("digest.txt", lambda data: b"0" * 64), refused="digest.txt")
	yield Case("no metadata", spoil=renewed(remove("metadata.json")), refused="metadata.json")
	yield Case("metadata that is no JSON", spoil=renewed(edit("metadata.json", lambda data: data[:-3])), refused="metadata.json")
	yield Case("a kernel outside the image", spoil=escaping_kernel, refused="bzImage")


# ---- running them ----

def prepare_image(case):
	if case.spoil is None:
		return
	case.image = "dstack-spoiled-1.0.0"
	directory = os.path.join(IMAGES, case.image)
	shutil.rmtree(directory, ignore_errors=True)
	shutil.copytree(IMAGE, directory)
	case.spoil(directory)


def problems(case):
	"""Yields what is wrong with the doors' answers."""
	prepare_image(case)
	answers = {}
	for name, door in DOORS.items():
		fresh_share(case)
		before = snapshot()
		answers[name] = door(case)
		if (answers[name][0] != "vm_config" or name == "domain") and snapshot() != before:
			yield "{}: something was written".format(name)
	kind, first = answers["prepare"]
	if kind != ("refused" if case.refused else "vm_config"):
		yield "expected {}".format("a refusal" if case.refused else "a vm_config")
	if case.refused and case.refused not in first:
		yield "expected a reason that says {!r}".format(case.refused)
	if len(set(answers.values())) != 1:
		yield "the doors differ"
	if case.refused and "\n" in first:
		yield "the reason is more than one line"


def main():
	write(CONFIG, "[images]\ndirs={}\n".format(IMAGES))
	n = 0
	for n, case in enumerate(cases(), 1):
		found = list(problems(case))
		print("{} {} - {}".format("not ok" if found else "ok", n, case.name), flush=True)
		if found:
			for line in found:
				print("# " + line, file=sys.stderr)
			for name, door in DOORS.items():
				fresh_share(case)
				print("# {}: {!r}".format(name, door(case)), file=sys.stderr)
	print("1..{}".format(n))


EMULATOR = emulator("9.2.0")
METADATA = json.loads(read(os.path.join(IMAGE, "metadata.json")))
with Host(polkit=None, images=IMAGES) as HOST:
	CALLER = HOST.caller()
	main()
