"""How long files and functions may be, how full a folder, and how each file opens."""
import collections
import math
import os
import re

import arrows
import tree

FOLDER = 40     # .c and .h files in one folder
FUNCTION = 45   # lines between its braces
NINE_TENTHS = 22  # lines that nine of ten functions keep to
FILE = 400      # lines
OPENING = re.compile(r"\s*(?:/\*[\s*]*|//\s*)([\w.-]+) - \S")


def code():
    return tree.files([*tree.ROOTS, "tests"], ".c", ".h")


def folders():
    """How many files each folder of the product has."""
    return collections.Counter(map(os.path.dirname, tree.files(tree.ROOTS, ".c", ".h")))


def lengths():
    return sorted(function.length for path in code() for function in tree.functions(path))


def part(numbers, share):
    """The number that SHARE of NUMBERS, sorted, don't exceed; 0 of none."""
    return numbers[max(math.ceil(len(numbers) * share) - 1, 0)] if numbers else 0


def too_long():
    for path in code():
        lines = tree.read(path).count("\n")
        if lines > FILE:
            yield f"{path}:{FILE + 1}: {lines} lines: a file has at most {FILE}"
        for function in tree.functions(path):
            if function.length > FUNCTION:
                yield (f"{path}:{function.line}: {function.name}: {function.length} lines: "
                       f"a function has at most {FUNCTION}")


def limits():
    """What is over a limit; says the figures in any case."""
    files = {path: tree.read(path).count("\n") for path in code()}
    full, most = max(folders().items(), key=lambda item: item[1], default=("none", 0))
    numbers = lengths()
    longest = max(files, key=files.get, default="none")
    print(f"fullest folder {full} {most} files (limit {FOLDER}); functions {part(numbers, 0.5)} lines in the middle, "
          f"{part(numbers, 0.9)} in 9 of 10 ({NINE_TENTHS}), {part(numbers, 1)} at most ({FUNCTION}); "
          f"longest file {longest} {files.get(longest, 0)} ({FILE}); include circles {len(list(arrows.circles()))} (0)")
    for folder, count in sorted(folders().items()):
        if count > FOLDER:
            yield f"{folder}:1: {count} files: a folder has at most {FOLDER}"
    yield from too_long()
    if part(numbers, 0.9) > NINE_TENTHS:
        yield f"tests/lint/limits.py:1: {part(numbers, 0.9)} lines: nine of ten functions have at most {NINE_TENTHS}"


def opens(path):
    """Whether PATH opens with a comment that begins with a name, and that name."""
    match = OPENING.match(tree.read(path))
    return match[1] if match else None


def openings():
    """Files whose first comment doesn't say what they are for. A header's serves its .c too."""
    for path in tree.files(tree.ROOTS, ".c", ".h"):
        name = opens(path)
        if name and name != os.path.basename(path):
            yield f"{path}:1: {name}: the opening comment bears the name of another file"
        elif not name and (path.endswith(".h") or path[:-1] + "h" not in tree.everything()):
            name = os.path.basename(path)
            yield f"{path}:1: {name}: no opening comment \"{name} - what it is for\""
