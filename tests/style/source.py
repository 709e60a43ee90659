# SPDX-License-Identifier: Apache-2.0
"""What every source file keeps to: head, order of includes, signature checks, no leftovers."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "tests", "style"))
import tree

ALL = (".c", ".h", ".py", ".sh", ".am")
VERIFY = re.compile(r"\b(EVP_DigestVerify(?:Init|Update|Final)?|EVP_PKEY_verify(?:_init)?|EVP_PKEY_verify_recover|"
                    r"ECDSA_(?:do_)?verify|RSA_verify\w*|X509_verify|X509_verify_cert|X509_CRL_verify|"
                    r"X509_STORE_CTX_init)\s*\(")


# a hash that OpenSSL itself cannot make leaves nothing to return; a GUID mistyped in the source is ours
PROGRAMMING_ERRORS = {("g_error", "src/lib/base/digest.c"), ("g_critical", "src/lib/base/guid.c")}


def heads():
    for path in tree.files(".c", ".h", ".py", ".sh"):
        head = tree.text(path)[:200]
        if "SPDX-License-Identifier: Apache-2.0" not in head:
            yield f"{path}: no SPDX line at its head"


def blocks_of(path):
    """The includes in groups, as blank lines and other lines part them."""
    block = []
    for line in tree.text(path).split("\n"):
        found = re.match(r'#include ([<"][^>"]+[>"])', line)
        if found:
            block.append(found.group(1))
        elif block:
            yield block
            block = []
    if block:
        yield block


def include_order():
    for path in tree.files(".c", folders=("src", "plugins", "tests")):
        blocks = list(blocks_of(path))
        if not blocks or blocks[0] != ['"config.h"']:
            yield f"{path}: config.h must come first, alone"
            continue
        # a plugin's folder is its own include path
        own = re.sub(r"^(src/lib|src|tests|plugins/\w+)/", "", path)[:-2] + ".h"
        rest = blocks[1:]
        has_own = os.path.exists(os.path.join(tree.TOP, path[:-2] + ".h"))
        if has_own and (not rest or rest[0] != [f'"{own}"']):
            yield f"{path}: its own header {own} must come second, alone"
        seen_quoted = False
        for block in rest[1:] if rest and rest[0][0].startswith('"') and len(rest[0]) == 1 else rest:
            quoted = block[0].startswith('"')
            if seen_quoted and not quoted:
                yield f"{path}: {block[0]} after our own headers"
            seen_quoted |= quoted
            if any(name.startswith('"') != quoted for name in block):
                yield f"{path}: {block[0]} … mixes our headers with others"
            names = [name[1:-1] for name in block]
            if names != sorted(names):
                yield f"{path}: {', '.join(names)}: not in alphabetical order"


def header_guards():
    for path in tree.files(".h", folders=("include", "src", "plugins", "tests")):
        if "#pragma once" not in tree.text(path):
            yield f"{path}: no #pragma once"


def closing(code, start):
    depth = 0
    for position in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[position], 0)
        if depth == 0:
            return position + 1
    return len(code)


def signature_checks():
    for path in tree.files(".c", folders=("src", "plugins")):
        code = tree.code(path)
        for call in VERIFY.finditer(code):
            if not re.match(r"\s*[=!]=\s*1\b", code[closing(code, call.end() - 1):]):
                line = code.count("\n", 0, call.start()) + 1
                yield f"{path}:{line}: {call.group(1)} is good only when it returns 1: compare with == 1"


def leftovers():
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    for path in tree.files(*ALL):
        if path.startswith("tests/style/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if pattern.search(line) and "mktemp" not in line and "XXXXXX" not in line:
                yield f"{path}:{number}: {line.strip()[:80]}"


def machine_paths():
    pattern = re.compile(r"(?<![\w.])/(?:work|home/\w+|root)/")
    for path in tree.files(*ALL, ".xml", ".in", ".conf", folders=tree.FOLDERS + ("docs", "data")):
        if path.startswith("tests/style/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if pattern.search(line):
                yield f"{path}:{number}: {line.strip()[:80]}"


def library_is_silent():
    pattern = re.compile(r"\b(g_print|g_printerr|g_message|g_warning|g_critical|g_info|printf|puts|perror|g_assert\w*|"
                         r"g_error)\s*\(")
    for path in tree.files(".c", folders=("src/lib",)):
        for number, line in enumerate(tree.code(path).split("\n"), 1):
            found = pattern.search(line)
            if found and (found.group(1), path) not in PROGRAMMING_ERRORS:
                yield f"{path}:{number}: {found.group(1)}"


def packed_or_cast():
    pattern = re.compile(r"__attribute__\s*\(\(\s*packed|G_GNUC_PACKED|#pragma pack")
    for path in tree.files(".c", ".h", folders=("src", "plugins")):
        if pattern.search(tree.code(path)):
            yield f"{path}: packed structs are not for wire formats"


def main():
    tap = tree.Tap()
    tap.check("sources were found", [] if len(tree.files(".c")) > 10 else ["the checker sees no sources"])
    tap.check("every file says its licence", list(heads()))
    tap.check("includes are in order", list(include_order()))
    tap.check("headers are included once", list(header_guards()))
    tap.check("OpenSSL's answers are compared with 1", list(signature_checks()))
    tap.check("no notes to self", list(leftovers()))
    tap.check("no paths of somebody's machine", list(machine_paths()))
    tap.check("the library prints and asserts nothing", list(library_is_silent()))
    tap.check("no packed structs", list(packed_or_cast()))
    tap.done()


main()
