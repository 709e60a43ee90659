# SPDX-License-Identifier: Apache-2.0
#
# What the sample guest printed on its serial console: see images-sample/guest/init.
import base64
import re


class Console:
	def __init__(self, path):
		with open(path, "rb") as stream:
			self.text = stream.read().replace(b"\r", b"").decode("utf-8", "surrogateescape")

	def file(self, name):
		"""The bytes shown between the two markers of that name, or None."""
		pattern = "-----BEGIN DSTACK {0}-----\n(.*?)-----END DSTACK {0}-----\n".format(re.escape(name))
		found = re.search(pattern, self.text, re.S)
		return None if found is None else base64.b64decode(found.group(1), validate=False)

	def files(self):
		"""Names of all that is shown so, in order."""
		return re.findall("^-----BEGIN DSTACK (.*)-----$", self.text, re.M)

	def pcrs(self):
		"""SHA-384 values of the PCRs as the TPM itself gives them."""
		found = re.findall(r"^DSTACK pcr (\d+) ([0-9A-F]{96})$", self.text, re.M)
		return {int(number): bytes.fromhex(value) for number, value in found}

	def memory_kib(self):
		found = re.search(r"^DSTACK guest: .* (\d+) KiB$", self.text, re.M)
		return None if found is None else int(found.group(1))
