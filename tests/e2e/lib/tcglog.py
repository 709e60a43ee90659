# SPDX-License-Identifier: Apache-2.0
#
# A firmware's event log in the crypto-agile form, read without any of the code under test.
# Layout: TCG PC Client Platform Firmware Profile, "Event Logging".
import hashlib
import struct

EV_NO_ACTION = 0x03
EV_SEPARATOR = 0x04
EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001
EV_EFI_VARIABLE_BOOT = 0x80000002
EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003
EV_EFI_ACTION = 0x80000007
EV_EVENT_TAG = 0x06
SHA384 = 0x000C


class Event:
	def __init__(self, pcr, kind, digest, data):
		self.pcr = pcr
		self.kind = kind
		self.digest = digest
		self.data = data

	def variable_name(self):
		"""Name in the UEFI_VARIABLE_DATA of a variable event."""
		length = struct.unpack_from("<Q", self.data, 16)[0]
		return self.data[32:32 + 2 * length].decode("utf-16-le")


def parse(log):
	"""The events after the header, each with its SHA-384 digest."""
	_, kind, _, size = struct.unpack_from("<II20sI", log, 0)
	header = log[32:32 + size]
	assert kind == EV_NO_ACTION and header.startswith(b"Spec ID Event03\0"), "not a crypto-agile log"
	count = struct.unpack_from("<I", header, 24)[0]
	sizes = dict(struct.unpack_from("<HH", header, 28 + 4 * i) for i in range(count))
	assert sizes.get(SHA384) == 48, "no SHA-384 bank in this log"
	events = []
	offset = 32 + size
	while offset < len(log):
		pcr, kind, n_digests = struct.unpack_from("<III", log, offset)
		offset += 12
		digests = {}
		for _ in range(n_digests):
			algorithm = struct.unpack_from("<H", log, offset)[0]
			digests[algorithm] = log[offset + 2:offset + 2 + sizes[algorithm]]
			offset += 2 + sizes[algorithm]
		size = struct.unpack_from("<I", log, offset)[0]
		offset += 4
		events.append(Event(pcr, kind, digests[SHA384], log[offset:offset + size]))
		offset += size
	return events


def replay(events):
	"""The PCRs that these events give."""
	pcrs = {}
	for event in events:
		if event.kind != EV_NO_ACTION:
			before = pcrs.get(event.pcr, bytes(48))
			pcrs[event.pcr] = hashlib.sha384(before + event.digest).digest()
	return pcrs
