# SPDX-License-Identifier: Apache-2.0
"""A private bus, a stand-in polkit, an image root and the real service, for tests.

Nothing here touches the machine's own bus: the service is activated by a dbus-daemon of our own, and everything
lives in one temporary directory that goes away with the processes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

SRC = os.environ.get("DSTACK_E2E_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.environ.get("DSTACK_E2E_BUILDDIR") or os.path.join(SRC, "build")
HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "org.dstack.VmmPrep1"
PATH = "/org/dstack/VmmPrep1"
MANAGER = NAME + ".Manager"
SAMPLE = "dstack-sample-0.1.0"
CLI = os.path.join(BUILD, "dstack-vmm-prep")

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={dir}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{dir}/services</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>{dir}/policy.conf</include>
  <limit name="max_connections_per_user">512</limit>
  <limit name="max_completed_connections">1024</limit>
</busconfig>
"""


class Tap:
    """Results in the Test Anything Protocol; a failed check goes on, a crash is a failure of its own."""

    def __init__(self):
        self.n = 0
        self.failed = 0

    def ok(self, condition, name, detail=""):
        self.n += 1
        if not condition:
            self.failed += 1
        print(f"{'ok' if condition else 'not ok'} {self.n} - {name}", flush=True)
        if not condition and detail != "":
            for line in str(detail).splitlines():
                print(f"# {line}", flush=True)
        return condition

    def equal(self, found, expected, name):
        return self.ok(found == expected, name, f"expected {expected!r}\nfound    {found!r}")

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def say(self, text):
        print(f"# {text}", flush=True)

    def done(self):
        print(f"1..{self.n}", flush=True)
        sys.exit(1 if self.failed else 0)


def vectors_dir():
    """The folder of vectors; None where it is missing and not required."""
    path = os.environ.get("DSTACK_VECTORS") or os.path.join(SRC, "../shared/vectors")
    if os.path.isdir(path):
        return path
    if os.environ.get("DSTACK_REQUIRE_VECTORS") == "1":
        sys.exit(f"vectors are required, and {path} is no folder")
    return None


def wait_for(condition, seconds=10, step=0.02):
    """Waits until condition() is true; False when it never was."""
    end = time.monotonic() + seconds
    context = GLib.MainContext.default()
    while time.monotonic() < end:
        while context.pending():
            context.iteration(False)
        if condition():
            return True
        time.sleep(step)
    return False


class Caller:
    """A connection of its own to the private bus."""

    def __init__(self, address):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.signals = []

    def listen(self, interface=None):
        self.connection.signal_subscribe(NAME, interface, None, None, None, Gio.DBusSignalFlags.NONE,
                                         lambda c, sender, path, iface, signal, args: self.signals.append(
                                             (path, iface, signal, args.unpack())))

    def call(self, method, args=None, fds=(), path=PATH, interface=MANAGER, interactive=False, timeout=60000):
        """Returns (reply, descriptors); raises GLib.Error."""
        fd_list = Gio.UnixFDList.new()
        for fd in fds:
            fd_list.append(fd)
        flags = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else Gio.DBusCallFlags.NONE
        reply, out = self.connection.call_with_unix_fd_list_sync(NAME, path, interface, method, args, None, flags, timeout,
                                                                 fd_list, None)
        return reply.unpack(), (out.steal_fds() if out is not None else [])

    def get(self, name, path=PATH, interface=MANAGER):
        reply, _ = self.call("Get", GLib.Variant("(ss)", (interface, name)), path=path,
                             interface="org.freedesktop.DBus.Properties")
        return reply[0]

    def objects(self):
        reply, _ = self.call("GetManagedObjects", path=PATH, interface="org.freedesktop.DBus.ObjectManager")
        return reply[0]

    def image(self, name):
        for interfaces in self.objects().values():
            properties = interfaces.get(NAME + ".Image")
            if properties and properties["Name"] == name:
                return properties
        return None

    def close(self):
        self.connection.close_sync(None)


def error_of(function, *args, **kwargs):
    """(name without prefix, message) of the error a call ends in, ('', '') if it does not."""
    try:
        function(*args, **kwargs)
    except GLib.Error as error:
        name = Gio.DBusError.get_remote_error(error) or ""
        return name.replace(NAME + ".Error.", ""), error.message.removeprefix(f"GDBus.Error:{name}: ")
    return "", ""


class Host:
    """The private host: with Host() as host: …"""

    def __init__(self, idle=0, polkit="yes", extra_config="", images=None):
        self.dir = tempfile.mkdtemp(prefix="dstack-daemon-")
        os.chmod(self.dir, 0o755)
        self.address = f"unix:path={self.dir}/bus"
        self.images = images or os.path.join(self.dir, "images")
        self.callers = []
        self.polkit = None
        self.idle = idle
        for name in ("images", "services", "cache"):
            os.mkdir(os.path.join(self.dir, name))
        self.write("vmm-prep.conf", f"[images]\ndirs={self.images}\n[cache]\ndir={self.dir}/cache\n{extra_config}")
        self.write("bus.conf", BUS_CONFIG.format(dir=self.dir))
        self.write("services/org.dstack.VmmPrep1.service",
                   f"[D-BUS Service]\nName={NAME}\nExec={BUILD}/dstack-vmm-prepd --config={self.dir}/vmm-prep.conf "
                   f"--idle={idle}\n")
        # the policy that is installed, for the one user that a test machine has
        with open(os.path.join(SRC, "data/org.dstack.VmmPrep1.conf"), encoding="utf-8") as policy:
            self.write("policy.conf", policy.read().replace('user="dstack-prep"', 'user="root"'))
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, LC_ALL="C.UTF-8")
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.bus = subprocess.Popen(["dbus-daemon", "--nofork", f"--config-file={self.dir}/bus.conf"], env=environment,
                                    stdout=self.log, stderr=self.log)
        if not wait_for(lambda: os.path.exists(f"{self.dir}/bus")):
            raise RuntimeError("the private bus does not start:\n" + self.read_log())
        if polkit is not None:
            self.start_polkit(polkit)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for caller in self.callers:
            if not caller.connection.is_closed():
                caller.close()
        pid = self.service_pid()
        self.stop_polkit()
        self.bus.terminate()
        self.bus.wait()
        if pid:
            wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 5)
            if os.path.exists(f"/proc/{pid}"):
                os.kill(pid, signal.SIGKILL)
        self.log.close()
        shutil.rmtree(self.dir)

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read_log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def caller(self):
        caller = Caller(self.address)
        self.callers.append(caller)
        return caller

    def start_polkit(self, answer):
        self.set_polkit(answer)
        self.polkit = subprocess.Popen(["/usr/bin/python3", "-I", os.path.join(HERE, "polkit.py"), self.address, self.dir],
                                       stdout=self.log, stderr=self.log)
        if not wait_for(lambda: os.path.exists(f"{self.dir}/polkit.ready")):
            raise RuntimeError("the stand-in polkit does not start:\n" + self.read_log())

    def stop_polkit(self):
        if self.polkit is not None:
            self.polkit.terminate()
            self.polkit.wait()
            self.polkit = None
            os.unlink(f"{self.dir}/polkit.ready")

    def set_polkit(self, answer):
        """answer: yes, no or ask; or a dict of action to answer, with "" for the rest."""
        answers = answer if isinstance(answer, dict) else {"": answer}
        self.write("polkit.new", json.dumps(answers))
        os.rename(f"{self.dir}/polkit.new", f"{self.dir}/polkit.json")

    def polkit_requests(self):
        """[action, subject, flags] of every request so far."""
        try:
            with open(f"{self.dir}/polkit.log", encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def service_pid(self):
        """The service's process; 0 where it is not running."""
        caller = Caller(self.address)
        try:
            reply = caller.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                                "GetConnectionUnixProcessID", GLib.Variant("(s)", (NAME,)), None,
                                                Gio.DBusCallFlags.NONE, 5000, None)
            return reply.unpack()[0]
        except GLib.Error:
            return 0
        finally:
            caller.close()

    def add_sample(self, name=SAMPLE):
        """Copies the sample image into the image root in one step."""
        temporary = os.path.join(self.dir, "copy-of-" + name)
        shutil.copytree(os.path.join(BUILD, "images-sample", SAMPLE), temporary)
        target = os.path.join(self.images, name)
        os.rename(temporary, target)
        return target

    def wait_state(self, caller, name, state, seconds=20):
        return wait_for(lambda: (caller.image(name) or {}).get("State") == state, seconds, 0.05)

    def cli(self, *args, stdin=b""):
        """Runs the command line with the same configuration: (status, stdout)."""
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address)
        done = subprocess.run([CLI, f"--config={self.dir}/vmm-prep.conf", *args], input=stdin, capture_output=True,
                              env=environment, check=False)
        return done.returncode, done.stdout.decode()


def require_tools(tap, *names):
    missing = [name for name in names if shutil.which(name) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if not missing:
        return
    if os.environ.get("DSTACK_REQUIRE_E2E") == "1":
        tap.ok(False, "tools are here", "missing: " + ", ".join(missing))
    else:
        tap.skip("the service on a private bus", "missing: " + ", ".join(missing))
    tap.done()
