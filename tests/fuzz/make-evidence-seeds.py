#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds for quotes, event logs and attestations: made up, and too small to hold anything real."""
import json
import os
import struct
import sys

VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
PEM = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n\0"
SIZES = {1: 384, 2: 584, 3: 648, 4: 885}
RUNTIME = 0x08000001


def quote(version, body, certification=5, data=PEM, tail=b""):
    tee = 0 if body == 1 else 0x81
    out = struct.pack("<HHIHH", version, 2, tee, 0, 0) + VENDOR + bytes(20)
    if version == 5:
        out += struct.pack("<HI", body, SIZES[body])
    out += bytes(SIZES[body])
    qe = bytes(384 + 64) + struct.pack("<H", 2) + b"qe" + struct.pack("<HI", certification, len(data)) + data
    authentication = bytes(128) + (qe if version == 3 else struct.pack("<HI", 6, len(qe)) + qe)
    return out + struct.pack("<I", len(authentication)) + authentication + tail


def header(algorithms):
    body = b"Spec ID Event03\0" + bytes(8) + struct.pack("<I", len(algorithms))
    for identifier, size in algorithms:
        body += struct.pack("<HH", identifier, size)
    body += b"\0"
    return struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(body)) + body


def event(index, kind, algorithms, data):
    out = struct.pack("<III", index, kind, len(algorithms))
    for identifier, size in algorithms:
        out += struct.pack("<H", identifier) + bytes([index]) * size
    return out + struct.pack("<I", len(data)) + data


def ccel(algorithms, tail):
    events = [(1, 0x8000000A, b"Fv(X)"), (1, 10, b"ACPI DATA"), (1, 10, b"ACPI DATA"), (1, 10, b"ACPI DATA"),
              (2, 0x80000003, b"kernel"), (3, 6, b"cmdline"), (0, 4, b"mrtd"), (1, 3, b"no action")]
    return header(algorithms) + b"".join(event(i, k, algorithms, d) for i, k, d in events) + tail


def entries():
    firmware = {"imr": 0, "event_type": 10, "digest": "11" * 48, "event": "acpi-loader",
                "event_payload": b"ACPI DATA".hex()}
    v1 = {"imr": 3, "event_type": RUNTIME, "digest": "", "event": "app-id", "event_payload": "abcd"}
    v2 = dict(v1, version=2,
              preimage=b'{"name":"app-id","payload":"abcd","type":134217729}'.hex())
    return [firmware, v1, v2]


def compact(n):
    if n < 1 << 6:
        return bytes([n << 2])
    if n < 1 << 14:
        return struct.pack("<H", n << 2 | 1)
    return struct.pack("<I", n << 2 | 2)


def string(data):
    return compact(len(data)) + data


def scale(platform):
    out = bytes([0, platform])
    if platform == 0:
        out += string(b"quote") + compact(2)
        out += struct.pack("<II", 0, 10) + string(bytes(48)) + string(b"acpi-loader") + string(b"ACPI DATA")
        out += struct.pack("<II", 3, RUNTIME) + string(b"") + string(b"app-id") + string(b"\xab")
    else:
        out += string(b"report") + compact(2) + string(b"ask") + string(b"vcek") + string(b"{}")
    return out + compact(1) + string(b"app-id") + string(b"\xab") + bytes(64) + string(b"{}")


def pack(value):
    """As much of MessagePack as the seeds need."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if isinstance(value, list):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(pack, value))
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value)]) + value.encode()
    return b"\xce" + struct.pack(">I", value)


def messagepack(kind, as_array):
    def raw(data):
        return list(data) if as_array else data
    if kind == "tdx":
        data = {"quote": raw(b"quote"), "event_log": [
            {"imr": 0, "event_type": 10, "digest": raw(bytes(48)), "event": "acpi-loader",
             "event_payload": raw(b"ACPI DATA")},
            {"imr": 3, "event_type": RUNTIME, "digest": "", "event": "app-id", "event_payload": "abcd"}]}
    else:
        data = {"report": raw(b"report"), "cert_chain": [raw(b"ask"), raw(b"vcek")], "mr_config": "{}"}
    stack = {"report_data": raw(bytes(64)), "runtime_events": [{"event": "app-id", "payload": raw(b"\xab\xcd")}],
             "config": "{}", "report_data_payload": "x"}
    return pack({"version": 1, "platform": {"kind": kind, "data": data}, "stack": {"kind": "dstack", "data": stack}})


def evidence():
    return {"quote": quote(4, 2).hex(), "event_log": json.dumps(entries()), "vm_config": "{}",
            "report_data": "00" * 64, "debug": True}


SHA384 = [(0x0C, 48)]
BOTH = [(0x0B, 32), (0x0C, 48)]
SEEDS = {
    "quote/v3-sgx": quote(3, 1),
    "quote/v4-td10": quote(4, 2, tail=bytes(16)),
    "quote/v5-td15": quote(5, 3),
    "quote/v5-td15-ex": quote(5, 4),
    "quote/v5-sgx-ppid": quote(5, 1, certification=1, data=bytes(36)),
    "ccel/terminated": ccel(SHA384, b"\xff" * 8),
    "ccel/zero-padded": ccel(BOTH, bytes(32)),
    "ccel/cut": ccel(SHA384, b"")[:-3],
    "event-log-json/entries": json.dumps(entries()).encode(),
    "event-log-json/empty": b"[]",
    "getquote/quote": json.dumps(evidence()).encode(),
    "getquote/attestation": json.dumps({"attestation": scale(0).hex(), "vm_config": "{}"}).encode(),
    "getquote/hex": scale(3).hex().encode(),
    "scale/tdx": scale(0),
    "scale/snp": scale(3),
    "scale/huge": bytes([0, 0, 0x13]) + b"\xff" * 8,
    "messagepack/tdx": messagepack("tdx", False),
    "messagepack/tdx-arrays": messagepack("tdx", True),
    "messagepack/snp": messagepack("sev-snp", False),
    "messagepack/huge": b"\x81\xa1x\xdd\xff\xff\xff\xff",
    "runtime-event/v2": b"app-id\0\xab\xcd",
    "runtime-event/odd-name": "a\"b\\\u00e9\u2028\0".encode() + b"\0\xff",
}

for name, data in SEEDS.items():
    path = os.path.join(sys.argv[1], name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as seed:
        seed.write(data)
