#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Renders the documented D-Bus interface XML as Markdown or as a POD man page.

usage: render-interface.py md|pod FILE.xml

Every interface, method, signal, property and argument must be described in the XML: a missing or a stray
description is an error, so the manual cannot fall behind the contract.
"""

import re
import sys
import textwrap
from xml.dom import minidom


class Undocumented(Exception):
    pass


def parse_comment(text):
    """'Name:' head, '@arg: words' lines, then paragraphs."""
    lines = textwrap.dedent(text.strip("\n")).strip().split("\n")
    name = lines[0].rstrip(":").strip()
    tags, i = {}, 1
    while i < len(lines) and lines[i].startswith("@"):
        key, _, words = lines[i][1:].partition(":")
        tags[key.strip()] = words.strip()
        i += 1
    paragraphs = [" ".join(p.split()) for p in "\n".join(lines[i:]).split("\n\n") if p.strip()]
    return name, tags, paragraphs


def comment_before(node):
    prev = node.previousSibling
    while prev is not None and prev.nodeType == prev.TEXT_NODE:
        prev = prev.previousSibling
    if prev is None or prev.nodeType != prev.COMMENT_NODE:
        raise Undocumented(f"{node.tagName} {node.getAttribute('name')} has no description")
    name, tags, paragraphs = parse_comment(prev.data)
    if name != node.getAttribute("name"):
        raise Undocumented(f"description of '{name}' stands before '{node.getAttribute('name')}'")
    return tags, paragraphs


def children(node, tag):
    return [c for c in node.childNodes if c.nodeType == c.ELEMENT_NODE and c.tagName == tag]


def member(node, kind):
    tags, paragraphs = comment_before(node)
    args = []
    for arg in children(node, "arg"):
        name = arg.getAttribute("name")
        if name not in tags:
            raise Undocumented(f"{kind} {node.getAttribute('name')}: argument {name} is not described")
        args.append((name, arg.getAttribute("type"), arg.getAttribute("direction"), tags.pop(name)))
    since = tags.pop("since", None)
    if since is None or tags:
        raise Undocumented(f"{kind} {node.getAttribute('name')}: no @since, or stray tags {sorted(tags)}")
    return {"name": node.getAttribute("name"), "args": args, "paragraphs": paragraphs, "since": since,
            "type": node.getAttribute("type")}


def signature(kind, m):
    if kind == "property":
        return f"{m['name']} {m['type']} (read)"
    ins = ", ".join(f"{t} {n}" for n, t, d, _ in m["args"] if d != "out" or kind == "signal")
    outs = ", ".join(f"{t} {n}" for n, t, d, _ in m["args"] if d == "out" and kind == "method")
    return f"{m['name']}({ins})" + (f" -> ({outs})" if outs else "")


def load(path):
    doc = minidom.parse(path)
    interfaces = []
    for node in children(doc.documentElement, "interface"):
        tags, paragraphs = comment_before(node)
        interfaces.append({"name": node.getAttribute("name"), "short": tags["short_description"], "paragraphs": paragraphs,
                           "members": [(kind, member(n, kind)) for kind in ("method", "signal", "property")
                                       for n in children(node, kind)]})
    return interfaces


def wrap(text, hanging=""):
    return "\n".join(textwrap.wrap(text, 118, subsequent_indent=hanging, break_long_words=False,
                                   break_on_hyphens=False))


def to_md(interfaces):
    def code(text):
        return text.replace("``", "`")

    out = ["# D-Bus API", "", "Generated from `src/daemon/org.dstack.VmmPrep1.xml` by `src/daemon/render-interface.py`:",
           "change it there.", "", "Service `org.dstack.VmmPrep1` on the system bus."]
    for interface in interfaces:
        out += ["", f"## {interface['name']}", "", interface["short"] + "."]
        for p in interface["paragraphs"]:
            out += ["", wrap(code(p))]
        for kind, m in interface["members"]:
            out += ["", f"### {m['name']}", "", f"{kind.capitalize()}, since {m['since']}:", "",
                    f"    {signature(kind, m)}"]
            if m["args"]:
                out += [""] + [wrap(f"- `{n}` ({t}): {code(words)}", "  ") for n, t, _, words in m["args"]]
            for p in m["paragraphs"]:
                out += ["", wrap(code(p))]
    return "\n".join(out) + "\n"


def to_pod(interfaces):
    def pod(text):
        text = text.replace("<", "\x01").replace(">", "\x02")
        text = re.sub(r"``(.*?)``", r"C<\1>", text)
        return text.replace("\x01", "E<lt>").replace("\x02", "E<gt>")

    out = ["=encoding utf8", "", "=head1 NAME", "", "org.dstack.VmmPrep1 - D-Bus API to prepare and verify confidential VMs",
           "", "=head1 SYNOPSIS", "", "  busctl introspect org.dstack.VmmPrep1 /org/dstack/VmmPrep1"]
    for interface in interfaces:
        out += ["", f"=head1 INTERFACE {interface['name']}", "", pod(interface["short"]) + "."]
        for p in interface["paragraphs"]:
            out += ["", pod(p)]
        for kind, m in interface["members"]:
            out += ["", f"=head2 {kind.capitalize()} {m['name']}", "", "  " + signature(kind, m)]
            if m["args"]:
                out += ["", "=over 4"]
                for name, _, _, words in m["args"]:
                    out += ["", f"=item {name}", "", pod(words)]
                out += ["", "=back"]
            for p in m["paragraphs"]:
                out += ["", pod(p)]
    out += ["", "=head1 SEE ALSO", "", "L<dstack-vmm-prepd(8)>, L<dstack-vmm-prep(1)>", ""]
    return "\n".join(out)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("md", "pod"):
        sys.exit(__doc__)
    try:
        interfaces = load(sys.argv[2])
    except Undocumented as problem:
        sys.exit(f"{sys.argv[2]}: {problem}")
    sys.stdout.write({"md": to_md, "pod": to_pod}[sys.argv[1]](interfaces))


main()
