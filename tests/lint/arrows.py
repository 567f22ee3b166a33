"""Who may include whom: the layers of the tree, and that no way along includes leads back."""
import os
import re

import tree

INCLUDE = re.compile(r'(?m)^\s*#\s*include\s+(["<])([^">]+)[">]')

# What -I can't say: of these folders the headers named, and no other, though a neighbour is searched.
HOOK = "policy/hook/"
EXACT = {
    # Loaded into programs that have no TLS too: what the hook gives it is all that it knows.
    "preload": ["policy/trustgraft.h", "policy/libc.h", HOOK + "inject.h", HOOK + "gnutls/gnutls_api.h", HOOK + "nss/nss_api.h",
                HOOK + "process/source.h",
                HOOK + "process/bounded.h", HOOK + "process/loaded.h", HOOK + "process/symtab_file.h", HOOK + "process/unreached.h",
                HOOK + "process/view.h"],
    "provider": ["policy/trustgraft.h", "policy/libc.h", HOOK + "inject.h", "policy/base", "policy/rules", "policy/trust",
                 "policy/trust/certificate", "policy/trust/verdict", HOOK + "process"],
}
COMMAND = HOOK + "inject.h"  # the one thing of the hook that the command may know, where it looks for it

ONLY_LIBCRYPTO = ("policy/base", "policy/rules", "policy/language", "policy/trust")


@tree.kept
def folders():
    """{each folder that the Makefile's `sees/` lines name: what its files may include}."""
    lines = dict(re.findall(r"(?m)^sees/(\S+) *:= *(.*)$", tree.read("Makefile")))

    def expand(text):
        return re.sub(r"\$\(sees/([^)]+)\)", lambda match: expand(lines[match[1]]), text)
    seen = {folder: EXACT.get(folder, expand(text).split()) for folder, text in lines.items()}
    return {folder: [*places, COMMAND] if folder.startswith("policy/cli") else places
            for folder, places in {"policy": [], **seen}.items()}


def includes(path):
    """(LINE, NAME, whether in quotes) of each include of PATH."""
    text = tree.without_comments(path)
    for match in INCLUDE.finditer(text):
        yield tree.line_of(text, match.end()), match[2], match[1] == '"'


def meant(path, name):
    """The headers that `#include "NAME"` in PATH may mean; the one beside it comes first."""
    places = [os.path.dirname(path), "policy", *sorted(folders())]
    found = [os.path.normpath(os.path.join(place, name)) for place in places]
    return [header for header in dict.fromkeys(found) if header in tree.everything_set()]


def wrong_include(folder, path, name):
    """Why PATH in FOLDER must not have `#include "NAME"`, or None."""
    allowed, headers = (folder, *folders()[folder]), meant(path, name)
    for header in headers:
        if os.path.dirname(header) in allowed or header in allowed:
            return None
    return f"{folder}/ must not know {headers[0]}" if headers else "there is no such header"


def arrows():
    """Includes that the table doesn't allow."""
    for path in tree.files(tree.ROOTS, ".c", ".h"):
        folder = os.path.dirname(path)
        if folder not in folders():
            yield f"{path}:1: {folder}: the Makefile doesn't say what this folder sees"
            continue
        for line, name, quoted in includes(path):
            why = wrong_include(folder, path, name) if quoted else None
            if folder.startswith(ONLY_LIBCRYPTO) and name == "openssl/ssl.h":
                why = f"{folder}/ knows libcrypto, not libssl"
            if why:
                yield f"{path}:{line}: {name}: {why}"


def graph(key, paths):
    """{KEY(path): {KEY(header that it includes): (path, line)}}"""
    found = {}
    for path in paths:
        edges = found.setdefault(key(path), {})
        for line, name, quoted in includes(path):
            headers = meant(path, name) if quoted else []
            if headers and key(headers[0]) != key(path):
                edges.setdefault(key(headers[0]), (path, line))
    return found


def way_back(edges, start):
    """The shortest way from START along EDGES back to it, as a list of nodes, or None."""
    before, queue = {}, [start]
    for node in queue:
        for after in sorted(edges.get(node, ())):
            if after == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return [*reversed(way), start]
            if after not in before:
                before[after] = node
                queue.append(after)
    return None


def ways_back(edges):
    """A shortest circle through each node that lies on one, each circle once."""
    seen = set()
    for start in sorted(edges):
        way = way_back(edges, start)
        if way and frozenset(way) not in seen:
            seen.add(frozenset(way))
            yield way


def module(path):
    return path.rsplit(".", 1)[0]


def circles():
    """Headers that include each other, and modules (X.c and X.h) that do; and folders."""
    headers = graph(str, tree.files(tree.ROOTS, ".h"))
    modules = graph(module, tree.files(tree.ROOTS, ".c", ".h"))
    for kind, edges in (("headers", headers), ("modules", modules)):
        for way in ways_back(edges):
            path, line = edges[way[0]][way[1]]
            yield f"{path}:{line}: {' -> '.join(way)}: {kind} include each other in a circle"
