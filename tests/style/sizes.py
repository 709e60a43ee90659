# SPDX-License-Identifier: Apache-2.0
"""R1 and R9: functions and files stay small, nesting shallow, nobody jumps."""

import os
import re
import statistics
import sys

sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "tests", "style"))
import tree

FUNCTION_MAX, FILE_MAX, DEPTH_MAX = 80, 800, 4


def functions(code):
    """(name, first line, last line, deepest block) of each definition: its braces stand in column 0."""
    lines = code.split("\n")
    start = name = None
    for number, line in enumerate(lines):
        if start is None:
            if line == "{" and number > 0 and not lines[number - 1].startswith(("struct", "enum", "union", "typedef")):
                start = number
                while start > 0 and lines[start - 1].strip() and not lines[start - 1].startswith(("}", "#", "{")):
                    start -= 1
                head = " ".join(lines[start:number])
                found = re.search(r"(\w+)\s*\(", head)
                name = found.group(1) if found else head.strip()
                depth = deepest = 0
        elif line == "}":
            yield name, start + 1, number + 1, deepest
            start = None
        else:
            for position, character in enumerate(line):
                if character == "{":
                    # an initializer is no block
                    block = not re.search(r"(=|,|\(|\{|\))\s*$", line[:position]) or re.search(
                        r"\b(if|for|while|switch|else|do)\b", line[:position]) or line[:position].strip().endswith(")")
                    depth += 1
                    if block:
                        deepest = max(deepest, depth)
                elif character == "}":
                    depth -= 1


def main():
    tap = tree.Tap()
    long_functions, deep, long_files, jumps = [], [], [], []
    lengths, sizes = [], []
    for path in tree.files(".c", ".h"):
        code = tree.code(path)
        ours = path.startswith(("src/", "plugins/", "include/"))
        n_lines = code.count("\n")
        if n_lines > FILE_MAX:
            long_files.append(f"{path}: {n_lines} lines, at most {FILE_MAX}")
        if ours and path.endswith(".c"):
            sizes.append(n_lines)
        for name, first, last, depth in functions(code):
            length = last - first + 1
            if ours:
                lengths.append(length)
            if length > FUNCTION_MAX:
                long_functions.append(f"{path}:{first}: {name} has {length} lines, at most {FUNCTION_MAX}")
            if depth > DEPTH_MAX:
                deep.append(f"{path}:{first}: {name} nests {depth} deep, at most {DEPTH_MAX}")
        jumps += [f"{path}:{number}: goto" for number, line in enumerate(code.split("\n"), 1)
                  if re.search(r"\bgoto\b", line)]
    tap.check("functions were found", [] if len(lengths) > 20 else ["the checker sees no functions"])
    tap.check(f"no function is longer than {FUNCTION_MAX} lines", long_functions)
    tap.check(f"no function nests deeper than {DEPTH_MAX}", deep)
    tap.check(f"no file is longer than {FILE_MAX} lines", long_files)
    tap.check("nobody jumps", jumps)
    tenths = statistics.quantiles(lengths, n=10)
    print(f"# functions: {len(lengths)}, median {statistics.median(lengths):.0f} lines, 90th percentile {tenths[-1]:.0f}")
    print(f"# files: {len(sizes)}, median {statistics.median(sizes):.0f} lines, in all {sum(sizes)}")
    tap.done()


main()
