#!/usr/bin/python3
"""Rules about this project's source that no compiler knows.

    source.py layers   no header of a layer above; nothing that a host process must not meet
    source.py marks    no mark of unfinished work
    source.py links    links of Markdown pages lead to files that are there
    source.py limits   files up to 400 lines, functions up to 50: said, never an error
"""
import glob
import os
import re
import sys

# Each folder, and whose headers its files may include besides their own.
ENGINE = [f"policy/{name}" for name in ("base", "rules", "language", "trust")]
HOOK = ["policy/hook", "policy/hook/lib", "policy/hook/process"]
COMMAND = ["policy/cli"] + [path.rstrip("/") for path in glob.glob("policy/cli/*/")]
LAYERS = {
    **{folder: ["policy", *ENGINE] for folder in ENGINE},
    **{folder: ["policy", *ENGINE, *HOOK] for folder in HOOK},
    **{folder: ["policy", *ENGINE, *HOOK, *COMMAND] for folder in COMMAND},
    "preload": ["policy/trustgraft.h", "policy/hook/inject.h", "policy/hook/process/source.h",
                "policy/hook/process/unreached.h"],
    "provider": ["policy", "policy/base", "policy/rules", "policy/trust", "policy/hook/inject.h",
                 "policy/hook/process"],
}
SEARCHED = ["policy", *ENGINE, *HOOK, *COMMAND]  # as the Makefile's -I
ONLY_LIBCRYPTO = ENGINE  # what must not even see libssl's header

# Files, what the code must not match (comments and strings taken out), and why.
NEVER = r"\b(exit|_exit|abort|quick_exit|signal|sigaction|system|popen|assert)\s*\("
STDOUT = r"\b(stdout|printf|puts|putchar|perror)\b(?!\s*,\s*\d)"
PRINTING = r"(?<!format\()\b(stdout|stderr|printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|perror|putchar)\b"
PURE = [f"{folder}/*.c" for folder in ENGINE]
HOSTED = [*PURE, *(f"{folder}/*.c" for folder in (*HOOK, "preload", "provider"))]
CODE = [
    (HOSTED, NEVER, "a library must not end or steer its host process"),
    (HOSTED, r"\bgetenv\s*\(", "secure_getenv, for set-uid programs"),
    (HOSTED, r"\bopen(at)?\s*\((?![^;]*(O_CLOEXEC|\bflags\b))", "open with O_CLOEXEC"),
    (HOSTED, r"\bflags\b = (?=[^;]*\bO_)(?![^;]*O_CLOEXEC)", "open with O_CLOEXEC"),
    (HOSTED, r'\bf(re)?open\s*\((?![^;]*"[rwa+b]*e")', 'fopen with "e"'),
    (HOSTED, r"\bsocket\s*\((?![^;]*SOCK_CLOEXEC)", "socket with SOCK_CLOEXEC"),
    (HOSTED, r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(", "not a safe function"),
    (HOSTED[len(PURE):], STDOUT, "standard output is the host's"),
    (PURE, PRINTING, "the engine prints nothing"),
    (PURE, r"\bsecure_getenv\s*\(", "the engine knows nothing of the environment"),
]
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|place" r"holder)\b|not impl" r"emented")


def files(*patterns):
    return sorted(path for pattern in patterns for path in glob.glob(pattern, recursive=True))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    """TEXT with comments blanked, but strings kept; every character stays in its place."""
    token = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*'
    return re.sub(token, lambda m: m[0] if m[0][0] in "\"'" else blank(m), text, flags=re.S)


def find(path, text, pattern, why):
    for match in re.finditer(pattern, text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: {match[0].strip()}: {why}"


def wrong_include(folder, name):
    """Why a file in FOLDER must not have `#include "NAME"`, or None."""
    for place in (folder, *SEARCHED):
        path = os.path.normpath(os.path.join(place, name))
        if os.path.exists(path):
            if os.path.dirname(path) in (folder, *LAYERS[folder]) or path in LAYERS[folder]:
                return None
            return f"{folder}/ must not know {path}"
    return "there is no such header"


def includes(folder):
    for path in files(f"{folder}/*.[ch]"):
        text = without_comments(read(path))
        for match in re.finditer(r'(?m)^\s*#\s*include\s+["<]([^">]+)([">])', text):
            why = wrong_include(folder, match[1]) if match[2] == '"' else None
            if folder in ONLY_LIBCRYPTO and match[1] == "openssl/ssl.h":
                why = f"{folder}/ knows libcrypto, not libssl"
            if why:
                yield f"{path}:{text.count(chr(10), 0, match.end()) + 1}: {match[1]}: {why}"


def layers():
    for folder in LAYERS:
        yield from includes(folder)
    for patterns, forbidden, why in CODE:
        for path in files(*patterns):
            text = without_comments(read(path))
            if "e\"" not in forbidden:
                text = re.sub(r'"(?:\\.|[^"\\\n])*"', blank, text)
            yield from find(path, text, forbidden, why)


def marks():
    for path in files("**/*", ".ci/*"):
        if path.startswith("build") or not re.search(r"\.(c|h|py|md|conf|[1-8])$|Makefile|/[^.]+$", path):
            continue
        try:
            text = read(path)
        except (UnicodeDecodeError, IsADirectoryError):
            continue
        yield from find(path, text, MARKS, "finish it, or file it")


def links():
    for path in files("**/*.md", ".github/*.md"):
        if path.startswith("build"):
            continue
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(path)):
            if ":" not in target and not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield f"{path}: {target}: leads nowhere"


def limits():
    for path in files("policy/**/*.[ch]", "preload/*.[ch]", "provider/*.[ch]", "tests/**/*.[ch]"):
        lines = read(path).splitlines()
        if len(lines) > 400:
            print(f"{path}: {len(lines)} lines")
        start = 0
        for number, line in enumerate(lines, 1):
            start = number if line == "{" else start
            if line == "}" and start and number - start > 51:
                print(f"{path}:{start}: a function of {number - start - 1} lines")
                start = 0
    return []


def main():
    found = list({"layers": layers, "marks": marks, "links": links, "limits": limits}[sys.argv[1]]())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
