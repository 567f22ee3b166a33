"""The source as the checks see it: what files there are, their comments, code and functions."""
import collections
import functools
import os
import re

ROOTS = ("policy", "preload", "provider")  # what is built into programs
HOSTED = tuple(root + "/" for root in ROOTS)
SKIPPED = {"build", ".git", "__pycache__"}

TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
PYTHON = re.compile(r'"""(?:\\.|.)*?"""|' r"'''(?:\\.|.)*?'''|"
                    r'"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'|#[^\n]*", re.S)
NOT_NAMES = {"int", "void", "char", "unsigned", "long", "bool", "size_t", "if", "while", "for", "return", "ElfW"}


KEPT = []


def kept(function):
    """FUNCTION, asked once for each of its arguments."""
    KEPT.append(functools.lru_cache(maxsize=None)(function))
    return KEPT[-1]


def forget():
    """To be called where the current folder has changed."""
    for function in KEPT:
        function.cache_clear()


@kept
def everything():
    """Each file of the tree, sorted."""
    found = []
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [os.path.normpath(os.path.join(folder, name)) for name in names]
    return sorted(found)


@kept
def everything_set():
    return frozenset(everything())


def files(roots, *endings):
    """The files below the folders ROOTS that end in one of ENDINGS."""
    starts = tuple(root + "/" for root in roots)
    return [path for path in everything() if path.startswith(starts) and path.endswith(endings)]


@kept
def read(path):
    """The text of PATH; empty, if it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (UnicodeDecodeError, OSError):
        return ""


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def find(path, text, pattern, why):
    """A complaint about each place of TEXT, that of PATH, that matches PATTERN."""
    for match in re.finditer(pattern, text):
        yield f"{path}:{line_of(text, match.start())}: {match[0].strip()}: {why}"


def blank(text):
    return re.sub(r"[^\n]", " ", text)


@kept
def without_comments(path):
    """The C of PATH with comments blanked, but strings kept; every character stays in its place."""
    return TOKEN.sub(lambda m: m[0] if m[0][0] in "\"'" else blank(m[0]), read(path))


@kept
def bare(path):
    """The same with strings blanked too."""
    return TOKEN.sub(lambda m: m[0][0] + blank(m[0][1:-1]) + m[0][0] if m[0][0] in "\"'" else blank(m[0]),
                     read(path))


@kept
def plain(path):
    """The same without the preprocessor's lines."""
    return re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m[0]), bare(path))


def is_shell(path):
    return read(path).startswith("#!") and re.match(r"#!.*\b(ba)?sh\b", read(path)) is not None


def c_comments(path):
    for match in TOKEN.finditer(read(path)):
        if match[0][0] == "/":
            yield line_of(read(path), match.start()), match[0]


def python_comments(path):
    """What follows #, and strings of three quotes that begin a line, as those do that document."""
    text = read(path)
    for match in PYTHON.finditer(text):
        documents = match[0].startswith(('"""', "'''")) and not text[text.rfind("\n", 0, match.start()) + 1:
                                                                  match.start()].strip()
        if match[0][0] == "#" or documents:
            yield line_of(text, match.start()), match[0]


def shell_comments(path):
    for number, line in enumerate(read(path).split("\n"), 1):
        match = re.search(r"(?:^|\s)#(?!!).*", line)
        if match:
            yield number, match[0]


@kept
def comments(path):
    """(LINE, TEXT) of each comment of PATH; of a page, all that it says."""
    if path.endswith((".c", ".h")):
        return list(c_comments(path))
    if path.endswith(".py"):
        return list(python_comments(path))
    if path.endswith(".md") or re.search(r"\.[1-8]$", path):
        return [(1, read(path))]
    if os.path.basename(path) == "Makefile" or is_shell(path):
        return list(shell_comments(path))
    return []


# One definition: whether it is static, and how many lines stand between its braces.
Function = collections.namedtuple("Function", "name line static length")
# One declaration with external linkage: whether other libraries see it.
Prototype = collections.namedtuple("Prototype", "line visible")


def called(head):
    """The name that HEAD, a declaration up to its body or semicolon, declares as a function, or None."""
    head = re.sub(r"\b(__attribute__|__asm__|asm|_Alignas)\s*(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))", " ", head)
    for match in re.finditer(r"\b([A-Za-z_]\w*)\s*\(", head):
        if match[1] not in NOT_NAMES and not re.fullmatch(r"[A-Z][A-Z0-9_]+", match[1]):
            return match[1]
    return None


@kept
def functions(path):
    """The functions that PATH defines. Their braces stand in the first column, as clang-format has it."""
    text, found = plain(path), []
    for match in re.finditer(r"(?m)^\{$(.*?)^\}", text, flags=re.S | re.M):
        before = re.match(r".*(?:;|\n\})", text[:match.start()], flags=re.S)
        start = before.end() if before else 0
        name = called(text[start:match.start()])
        if name:
            line = line_of(text, match.start() - len(text[start:match.start()].lstrip()))
            static = re.search(r"\bstatic\b", text[start:match.start()]) is not None
            found.append(Function(name, line, static, match[1].count("\n") - 1))
    return found


def outermost(text):
    """TEXT without what stands in braces; a function's body leaves a semicolon."""
    parts, depth, last = [], 0, ""
    for piece in re.split(r"([{}])", re.sub(r'extern\s+"\s*"\s*\{', "", text)):
        if piece == "{":
            parts.append(" ;" if depth == 0 and last.rstrip().endswith(")") else " ")
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if piece not in ("{", "}"):
            parts.append(piece if depth == 0 else blank(piece))
            last = piece if depth == 0 else last
    return "".join(parts)


@kept
def prototypes(path):
    """{NAME: Prototype} of the functions with external linkage that the header PATH declares."""
    text, found, start = outermost(plain(path)), {}, 0
    for piece in text.split(";"):
        names = [called(piece)]
        typed = re.fullmatch(r"\s*(?!extern|struct|enum|union)\w+\s+(\w+(?:\s*,\s*\w+)*)\s*", piece)  # TYPE NAME
        if typed:
            names = re.split(r"\s*,\s*", typed[1])
        if not re.match(r"\s*(typedef|static)\b|\s*$", piece) and "=" not in piece:
            line = line_of(text, start + len(piece) - len(piece.lstrip()))
            visible = re.search(r"\bTG_API\b", piece) is not None
            found.update({name: Prototype(line, visible) for name in names if name})
        start += len(piece) + 1
    return found
