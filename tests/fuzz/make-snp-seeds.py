#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of the SEV-SNP fuzz targets: make-snp-seeds.py CORPUS-DIR
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import uuid

FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"
RESET_BLOCK = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
SEV_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"
ASK = "4ab7b379-bbac-4fe4-a02f-05aef327c782"
VCEK = "63da758d-e664-4564-adc5-f4b93be8accd"


def write(corpus, target, name, data):
    os.makedirs(os.path.join(corpus, target), exist_ok=True)
    with open(os.path.join(corpus, target, name), "wb") as out:
        out.write(data)


def entry(guid, data):
    return data + struct.pack("<H", len(data) + 18) + uuid.UUID(guid).bytes_le


def firmware(sections, table_gpa=0x810c00):
    metadata = b"ASEV" + struct.pack("<III", 16 + 12 * len(sections), 1, len(sections))
    metadata += b"".join(struct.pack("<III", *s) for s in sections)
    entries = entry(HASH_TABLE, struct.pack("<II", table_gpa, 0x400)) + entry(RESET_BLOCK, struct.pack("<I", 0x80b004))
    after = len(entries) + 22 + 18 + 32
    entries += entry(SEV_METADATA, struct.pack("<I", len(metadata) + after))
    footer = struct.pack("<H", len(entries) + 18) + uuid.UUID(FOOTER).bytes_le
    return metadata + entries + footer + bytes(32)


def report(version):
    data = bytearray(1184)
    struct.pack_into("<IIQ", data, 0, version, 0, 0x30000)
    data[0x34] = 1
    data[0x188:0x18b] = b"\x19\x01\x01" if version >= 3 else bytes(3)
    return bytes(data)


def der_integer(value):
    return bytes([2, 1, value]) if value < 128 else bytes([2, 2, 0, value])


def leaf(directory):
    prefix = "1.3.6.1.4.1.3704.1."
    lines = ["[req]", "distinguished_name=dn", "prompt=no", "x509_extensions=ext", "[dn]", "CN=SEV-VCEK", "[ext]"]
    values = {"1": der_integer(0), "2": b"\x16\x08Milan-B0", "4": bytes(range(64))}
    values.update({"3.%d" % n: der_integer(200 if n == 8 else 0) for n in range(1, 9)})
    lines += ["%s%s=DER:%s" % (prefix, suffix, value.hex(":")) for suffix, value in values.items()]
    config = os.path.join(directory, "leaf.cnf")
    with open(config, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout",
         "/dev/null", "-config", config, "-outform", "DER", "-days", "3650"], check=True, capture_output=True).stdout


def table(entries):
    offset = 24 * (len(entries) + 1)
    head, body = b"", b""
    for guid, data in entries:
        head += uuid.UUID(guid).bytes + struct.pack("<II", offset + len(body), len(data))
        body += data
    return head + bytes(24) + body


def cbor(value):
    def head(major, n):
        for extra, limit, code in ((b"", 24, None), ("B", 1 << 8, 24), (">H", 1 << 16, 25), (">I", 1 << 32, 26), (">Q", 1 << 64, 27)):
            if n < limit:
                return bytes([major << 5 | n]) if code is None else bytes([major << 5 | code]) + struct.pack(extra, n)
        raise ValueError(n)
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def documents(sections):
    material = cbor({
        "version": 3, "cmdline": "console=ttyS0 dstack.rootfs_hash=" + "12" * 32, "ovmf_hash": bytes(48),
        "kernel_hash": bytes(32), "initrd_hash": bytes(32), "hashes_table_gpa": 0x810c00, "reset_eip": 0x80b004,
        "ovmf_sections": [{"gpa": gpa, "size": size, "type": kind} for gpa, size, kind in sections]})
    checksum = ("%s  measurement.snp.cbor\n" % hashlib.sha256(material).hexdigest()).encode()
    inner = json.dumps({
        "checksum_file": base64.b64encode(checksum).decode(), "measurement": base64.b64encode(material).decode(),
        "vcpus": 2, "vcpu_type": "EPYC-v4", "guest_features": 1})
    outer = {"os_image_hash": hashlib.sha256(checksum).hexdigest(), "sev_snp_measurement": inner,
             "mr_config": json.dumps({"version": 3, "compose_hash": "22" * 32, "key_provider": "none"})}
    return inner, json.dumps(outer), json.dumps({"vm_config": json.dumps(outer)})


def main(corpus):
    usual = [(0x800000, 0x9000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3), (0x80f000, 0x1000, 4),
             (0x810000, 0x1000, 16)]
    write(corpus, "ovmf-footer", "usual", firmware(usual))
    write(corpus, "ovmf-footer", "no-kernel", firmware(usual[:-1], 0))
    write(corpus, "ovmf-footer", "huge", firmware([(0, 0xfffff000, 1)] * 64))
    for version in (2, 3, 5):
        write(corpus, "snp-report", "version-%d" % version, report(version))
    for name, text in zip(("inner", "vm-config", "nested"), documents(usual)):
        write(corpus, "snp-documents", name, text.encode())
    with tempfile.TemporaryDirectory() as directory:
        der = leaf(directory)
    write(corpus, "snp-certificates", "leaf-der", der)
    write(corpus, "snp-certificates", "table", table([(ASK, der), (VCEK, der)]))
    write(corpus, "snp-certificates", "table-junk", table([(ASK, b"x"), (VCEK, b"y")]))


main(sys.argv[1])
