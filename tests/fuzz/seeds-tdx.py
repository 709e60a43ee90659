#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Writes the seeds of the fuzz targets of tdx/ from nothing: seeds-tdx.py CORPUS-DIRECTORY
import os
import struct
import sys
import uuid


def guid(text):
    return uuid.UUID(text).bytes_le


def firmware(sections, size=0x1000):
    descriptor = b"TDVF" + struct.pack("<III", 16 + 32 * len(sections), 1, len(sections))
    descriptor += b"".join(struct.pack("<IIQQII", *section) for section in sections)
    table_size = 22 + 18
    tail = descriptor + struct.pack("<IH", len(descriptor) + table_size + 32, 22)
    tail += guid("e47a6535-984a-4798-865e-4685a7bf8ec2")
    tail += struct.pack("<H", table_size) + guid("96b582de-1fb2-45f7-baea-a366c55a082d") + bytes(32)
    return bytes(size - len(tail)) + tail


def kernel(protocol=0x20F, magic=0x20B, sections=((0x1000, 0x40),), size=0x1040, header=0x40):
    out = bytearray(size)
    out[0:2] = b"MZ"
    struct.pack_into("<I", out, 0x3C, header)
    out[header:header + 4] = b"PE\0\0"
    struct.pack_into("<HH", out, header + 4, 0x8664, len(sections))
    struct.pack_into("<H", out, header + 20, 240)
    optional = header + 24
    struct.pack_into("<H", out, optional, magic)
    struct.pack_into("<I", out, optional + 60, min(0x400 if size == 0x1000 else 0x200, size))
    struct.pack_into("<I", out, optional + (108 if magic == 0x20B else 92), 16)
    for i, (offset, length) in enumerate(sections):
        struct.pack_into("<II", out, optional + 240 + 40 * i + 16, length, offset)
    if size >= 0x1000:
        struct.pack_into("<H", out, 0x206, protocol)
        out[0x211] = 1
        struct.pack_into("<I", out, 0x22C, 0x7FFFFFFF)
        struct.pack_into("<H", out, 0x236, 0x7F)
    return bytes(out)


def load(memory, initrd, cmdline):
    return struct.pack("<QQ", memory, initrd) + cmdline.ljust(16, b"\0")


HOB = (0, 0, 0x809000, 0x2000, 2, 0)
SEEDS = {
    "tdvf/one-page": firmware([(0, 0x1000, 0xFFFFF000, 0x1000, 0, 1), HOB]),
    "tdvf/four": firmware([(0, 0x800, 0xFFFFF000, 0x1000, 0, 1), (0, 0x400, 0xFFFFE000, 0x1000, 1, 0), HOB,
                           (0, 0, 0x810000, 0x10000, 3, 2)]),
    "tdvf/overlap": firmware([HOB, (0, 0, 0x80A000, 0x1000, 3, 0)]),
    "td-hob/debian": bytes.fromhex("80100904000609020b021010"),
    "td-hob/one": bytes.fromhex("0000010001"),
    "td-hob/wide": bytes.fromhex("ffffffffffff0300010001"),
    "authenticode/pe32": kernel(magic=0x10B, sections=((0x200, 0x40),), size=0x240),
    "authenticode/plus": kernel(sections=((0x200, 0x20), (0x220, 0x20)), size=0x243),
    "authenticode/overlap": kernel(sections=((0x200, 0x20), (0x210, 0x20)), size=0x240),
}
# the least that the target takes for a kernel: its 4096 bytes of head, here with nothing behind
HEADS = {
    "kernel-setup/modern": load(0x80000000, 5000, b"quiet") + kernel(sections=((0x400, 0xC00),), size=0x1000),
    "kernel-setup/vga": load(0xA0000000, 5000, b"vga=0x317 a") + kernel(0x20B, sections=((0x400, 0xC00),), size=0x1000),
}


def main(corpus):
    for name, data in {**SEEDS, **HEADS}.items():
        path = os.path.join(corpus, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)


main(sys.argv[1])
