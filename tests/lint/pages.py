"""Marks of unfinished work, links that lead nowhere, and manual pages that are too wide."""
import os
import re
import subprocess

import tree

MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|place" r"holder)\b|not impl" r"emented")
LOOKED_AT = re.compile(r"\.(c|h|py|md|conf|[1-8])$|Makefile|/[^.]+$")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def marks():
    """Marks of unfinished work."""
    for path in filter(LOOKED_AT.search, tree.everything()):
        yield from tree.find(path, tree.read(path), MARKS, "finish it, or file it")


def links():
    """Links of Markdown pages to files that aren't there."""
    for path in tree.everything():
        for match in LINK.finditer(tree.read(path)) if path.endswith(".md") else ():
            if ":" not in match[1] and not os.path.exists(os.path.join(os.path.dirname(path), match[1])):
                yield f"{path}:{tree.line_of(tree.read(path), match.start())}: {match[1]}: leads nowhere"


def widths():
    """Lines of manual pages that don't fit on a terminal of 80 columns."""
    for path in filter(re.compile(r"\.[1-8]$").search, tree.everything()):
        shown = subprocess.run(["mandoc", "-T", "utf8", path], capture_output=True, text=True,
                               encoding="utf-8", check=False).stdout
        for line in re.sub("(?s).\b", "", shown).expandtabs(8).split("\n"):
            if len(line) > 80:
                yield f"{path}: {len(line)} columns: {line.strip()}"
