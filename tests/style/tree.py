# SPDX-License-Identifier: Apache-2.0
"""What the style checks share: our files, C without comments and strings, TAP."""

import os
import re
import sys

TOP = os.environ["G_TEST_SRCDIR"]
FOLDERS = ("include", "src", "plugins", "images-sample", "tests")


def files(*suffixes, folders=FOLDERS):
    """Our files with these suffixes, as paths below the top, sorted; what is generated is not ours."""
    found = []
    for folder in folders:
        for where, names, leaves in os.walk(os.path.join(TOP, folder)):
            names[:] = [name for name in names if not name.startswith((".", "corpus", "__pycache__"))]
            found += [os.path.relpath(os.path.join(where, leaf), TOP) for leaf in leaves
                      if leaf.endswith(suffixes) and "generated" not in leaf]
    return sorted(found)


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as stream:
        return stream.read()


_TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def _blank(match):
    token = match.group()
    if token[0] in "\"'":
        return token[0] + " " * (len(token) - 2) + token[0]
    return re.sub(r"[^\n]", " ", token)


def code(path):
    """C with comments and what is inside quotes blanked: every line and column stays where it was."""
    return _TOKENS.sub(_blank, text(path))


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, problems):
        """One test: it passes when the list of problems is empty."""
        self.count += 1
        for problem in problems:
            print(f"# {problem}")
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
