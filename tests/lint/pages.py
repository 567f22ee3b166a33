"""Marks of unfinished work, and links that lead nowhere."""
import os
import re

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
