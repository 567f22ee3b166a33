"""What code that is loaded into a host process must not do."""
import re

import tree

NEVER = r"\b(exit|_exit|abort|quick_exit|signal|sigaction|system|popen|assert)\s*\("
STDOUT = r"\b(stdout|printf|puts|putchar|perror)\b(?!\s*,\s*\d)"
PRINTING = r"(?<!format\()\b(stdout|stderr|printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|perror|putchar)\b"


def hosted(path):
    return not path.startswith("policy/cli/")


def engine(path):
    """Whether PATH is of what decides: it knows no process and no TLS library."""
    return path.startswith("policy/") and not path.startswith(("policy/cli/", "policy/hook/"))


def around(path):
    return hosted(path) and not engine(path)


# Files, what their code must not match (comments and, but for fopen's, strings taken out), and why.
CODE = [
    (hosted, NEVER, "a library must not end or steer its host process"),
    (hosted, r"\bgetenv\s*\(", "secure_getenv, for set-uid programs"),
    (hosted, r"\bopen(at)?\s*\((?![^;]*(O_CLOEXEC|\bflags\b))", "open with O_CLOEXEC"),
    (hosted, r"\bflags\b = (?=[^;]*\bO_)(?![^;]*O_CLOEXEC)", "open with O_CLOEXEC"),
    (hosted, r'\bf(re)?open\s*\((?![^;]*"[rwa+b]*e")', 'fopen with "e"'),
    (hosted, r"\bsocket\s*\((?![^;]*SOCK_CLOEXEC)", "socket with SOCK_CLOEXEC"),
    (hosted, r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(", "not a safe function"),
    (around, STDOUT, "standard output is the host's"),
    (engine, PRINTING, "the engine prints nothing"),
    (engine, r"\bsecure_getenv\s*\(", "the engine knows nothing of the environment"),
]


def hosts():
    """Calls that a host process must not meet."""
    for belongs, forbidden, why in CODE:
        for path in filter(belongs, tree.files(tree.ROOTS, ".c")):
            text = tree.without_comments(path) if 'e"' in forbidden else tree.bare(path)
            yield from tree.find(path, text, forbidden, why)
