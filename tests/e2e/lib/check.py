#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Small questions about files that the shell scripts ask. Exit status 0 for yes, otherwise says what was found.
#
#   check.py cmdline IMAGE                      prints the image's kernel command line
#   check.py flip FILE                          changes one byte near the end
#   check.py vm-config SYS-CONFIG KEY=JSON...   vm_config has these values; KEY= alone: it has no such key
#   check.py member SYS-CONFIG KEY=JSON...      the same of .sys-config.json's own members
#   check.py same-config SYS-CONFIG DOMAIN-JSON what the domain command answered has the same vm_config
#   check.py saw CONSOLE DIRECTORY              the guest showed exactly the files of that directory, byte for byte
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import console


def load(path):
	with open(path, encoding="utf-8") as stream:
		return json.load(stream)


def cmdline(image):
	sys.stdout.write(load(os.path.join(image, "metadata.json"))["cmdline"])


def flip(path):
	with open(path, "r+b") as stream:
		stream.seek(-4096, os.SEEK_END)
		place = stream.tell()
		changed = bytes([stream.read(1)[0] ^ 1])
		stream.seek(place)
		stream.write(changed)


def has(what, document, wanted):
	for pair in wanted:
		key, value = pair.split("=", 1)
		expected = None if value == "" else json.loads(value)
		if document.get(key) != expected or (value == "" and key in document):
			sys.exit("{}.{}: expected {}, found {!r}".format(what, key, value or "none", document.get(key)))


def same_config(path, answer):
	expected, found = json.loads(load(path)["vm_config"]), load(answer)["vm_config"]
	if expected != found:
		sys.exit("{}: expected {!r}, found {!r}".format(answer, expected, found))


def saw(path, directory):
	shown = console.Console(path)
	prefix = "share/"
	names = sorted(name[len(prefix):] for name in shown.files() if name.startswith(prefix))
	expected = sorted(os.listdir(directory))
	if names != expected:
		sys.exit("the host shared {!r}, the guest saw {!r}".format(expected, names))
	for name in names:
		with open(os.path.join(directory, name), "rb") as stream:
			written = stream.read()
		if shown.file(prefix + name) != written:
			sys.exit("{}: the host wrote {!r}, the guest saw {!r}".format(name, written, shown.file(prefix + name)))


def main(what, path, *rest):
	if what == "cmdline":
		cmdline(path)
	elif what == "flip":
		flip(path)
	elif what == "vm-config":
		has("vm_config", json.loads(load(path)["vm_config"]), rest)
	elif what == "same-config":
		same_config(path, *rest)
	elif what == "member":
		has(os.path.basename(path), load(path), rest)
	elif what == "saw":
		saw(path, *rest)
	else:
		sys.exit("unknown question: " + what)


main(*sys.argv[1:])
