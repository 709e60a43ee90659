#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for polkit: answers as DIR/polkit.json says, and notes each request in DIR/polkit.log.

usage: polkit.py BUS-ADDRESS DIR
"""

import json
import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

AUTHORITY = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
  <method name="CheckAuthorization">
    <arg type="(sa{sv})" name="subject" direction="in"/>
    <arg type="s" name="action_id" direction="in"/>
    <arg type="a{ss}" name="details" direction="in"/>
    <arg type="u" name="flags" direction="in"/>
    <arg type="s" name="cancellation_id" direction="in"/>
    <arg type="(bba{ss})" name="result" direction="out"/>
  </method>
</interface></node>"""


def main():
    address, folder = sys.argv[1:3]
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
    log = open(os.path.join(folder, "polkit.log"), "a", encoding="utf-8", buffering=1)

    def on_call(_connection, _sender, _path, _interface, _method, args, invocation):
        (kind, subject), action, _details, request_flags, _cancel = args.unpack()
        with open(os.path.join(folder, "polkit.json"), encoding="utf-8") as file:
            answers = json.load(file)
        answer = answers.get(action, answers.get("", "no"))
        log.write(json.dumps([action, f"{kind} {subject.get('name')}", request_flags]) + "\n")
        # "ask": an interactive request is answered by a person who agrees, any other is a challenge
        allowed = answer == "yes" or (answer == "ask" and request_flags & 1 == 1)
        challenge = answer == "ask" and not allowed
        invocation.return_value(GLib.Variant("((bba{ss}))", ((allowed, challenge, {}),)))

    connection.register_object("/org/freedesktop/PolicyKit1/Authority", Gio.DBusNodeInfo.new_for_xml(AUTHORITY).interfaces[0],
                               on_call, None, None)
    Gio.bus_own_name_on_connection(connection, "org.freedesktop.PolicyKit1", Gio.BusNameOwnerFlags.NONE,
                                   lambda *unused: open(os.path.join(folder, "polkit.ready"), "w", encoding="utf-8").close(),
                                   None)
    GLib.MainLoop().run()


main()
