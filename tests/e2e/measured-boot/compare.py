#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Compares what a boot's firmware measured (a console of the sample guest) with what was predicted.
# Exit status 0 when they agree; otherwise says what was expected and what was found.
#
#   compare.py sound CONSOLE                 the log replays to the TPM's own PCR values
#   compare.py kernel|cmdline|initrd|constants CONSOLE EXPECT.json
#   compare.py same-kernel CONSOLE CONSOLE
#   compare.py material CONSOLE measurement.tdx.cbor
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import console
import tcglog

# SecureBoot is not among them: a VM with a TPM has the variable, with one byte 0, and a TD does not have it.
# The names that `expect` gives to events, and where the same event stands in a TPM's log
VARIABLES = {"PK": "pk", "KEK": "kek", "db": "db", "dbx": "dbx"}
BOOT_VARIABLES = {"BootOrder": "boot-order", "Boot0000": "boot0000"}
ACTIONS = {
	b"Calling EFI Application from Boot Option": "calling-efi-application",
	b"Exit Boot Services Invocation": "exit-boot-services-invocation",
	b"Exit Boot Services Returned with Success": "exit-boot-services-returned",
}
TAGS = {b"LOADED_IMAGE::LoadOptions\0": "cmdline", b"Linux initrd\0": "initrd"}


def fail(text):
	sys.exit(text)


def label(event):
	"""Our name of a measured event, or None for one that RTMRs do not have."""
	if event.kind == tcglog.EV_EFI_BOOT_SERVICES_APPLICATION and event.pcr == 4:
		return "kernel"
	if event.kind == tcglog.EV_SEPARATOR:
		return "separator"
	if event.kind == tcglog.EV_EFI_ACTION:
		return ACTIONS.get(event.data)
	if event.kind == tcglog.EV_EFI_VARIABLE_DRIVER_CONFIG:
		return VARIABLES.get(event.variable_name())
	if event.kind == tcglog.EV_EFI_VARIABLE_BOOT:
		return BOOT_VARIABLES.get(event.variable_name())
	if event.kind == tcglog.EV_EVENT_TAG:
		return TAGS.get(event.data[8:])
	return None


def measured(path):
	"""The digests of a boot by label. All separators are the same event; anything else may be there once."""
	log = console.Console(path).file("tpmlog")
	if log is None:
		fail("{}: the guest showed no event log".format(path))
	found = {}
	for event in tcglog.parse(log):
		name = label(event)
		if name is None:
			continue
		if found.setdefault(name, event.digest) != event.digest:
			fail("{}: {} was measured twice, differently".format(path, name))
	return found


def predicted(path):
	with open(path, encoding="utf-8") as stream:
		document = json.load(stream)
	return {event["event"]: bytes.fromhex(event["digest"]) for event in document["events"] if event["digest"]}


def agree(name, expected, found):
	if name not in expected:
		fail("{}: nothing was predicted".format(name))
	if name not in found:
		fail("{}: nothing was measured".format(name))
	if expected[name] != found[name]:
		fail("{}: predicted {}, measured {}".format(name, expected[name].hex(), found[name].hex()))


def check_sound(path):
	shown = console.Console(path)
	log = shown.file("tpmlog")
	pcrs = shown.pcrs()
	if log is None or len(pcrs) < 10:
		fail("{}: the guest showed no event log or no PCRs".format(path))
	replayed = tcglog.replay(tcglog.parse(log))
	for number in range(8):
		if replayed.get(number) != pcrs[number]:
			fail("PCR {}: the TPM has {}, the log gives {}".format(number, pcrs[number].hex(), replayed.get(number)))
	if replayed.get(9) != pcrs[9]:
		fail("PCR 9: the TPM has {}, the log gives {}".format(pcrs[9].hex(), replayed.get(9)))


def check_constants(path, expect):
	names = ["separator", *VARIABLES.values(), *BOOT_VARIABLES.values(), *ACTIONS.values()]
	found, expected = measured(path), predicted(expect)
	for name in names:
		agree(name, expected, found)


def check_material(path, material):
	import cbor2

	with open(material, "rb") as stream:
		image = cbor2.load(stream)["image"]
	found = measured(path)
	agree("kernel", {"kernel": image["kernel_authenticode"]}, found)
	agree("cmdline", {"cmdline": image["cmdline_sha384"]}, found)
	agree("initrd", {"initrd": image["initrd_sha384"]}, found)


def main(what, path, *rest):
	if what == "sound":
		check_sound(path)
	elif what == "constants":
		check_constants(path, *rest)
	elif what == "same-kernel":
		agree("kernel", measured(path), measured(*rest))
	elif what == "material":
		check_material(path, *rest)
	else:
		agree(what, predicted(*rest), measured(path))


main(*sys.argv[1:])
