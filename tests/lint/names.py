"""What comments and pages name: each file, function and manual page of ours that they name is there."""
import functools
import glob
import os
import re

import arrows
import tree

# Files of others that we name, and whose they are.
ELSEWHERE = {
    "X.c": "any file's name", "X.h": "its header's",
    "bio_lib.c": "OpenSSL", "statem_lib.c": "OpenSSL",
    "include/openssl/base.h": "BoringSSL", "include/openssl/err.h": "BoringSSL", "include/openssl/ssl.h": "BoringSSL",
    "gnutls.h": "GnuTLS", "x509.h": "GnuTLS", "cert-session.c": "GnuTLS",
    "ssl.h": "NSS", "cert.h": "NSS", "certt.h": "NSS", "prio.h": "NSPR",
    "sysdeps/generic/dl-cache.h": "glibc", "elf/dl-lookup.c": "glibc",
    "stunnel.c": "stunnel",
}
# Words that stand for any: in a rule on how names are made.
PATTERNS = {"tg_noun_verb"}
# Functions of a later OpenSSL than the headers that are here.
NEWER = {"BIO_recvmmsg", "SSL_set_quic_tls_cbs"}
# Words in capitals that are terms, and no parameters.
TERMS = set("""ASCII CA CIDR CMS CN CPU CR CRL CSR DEL DER DNS DSA DTLS ECDSA FIFO HOME IANA IP JSON LF NFS NSPR NSS NUL OCSP
    ORIGIN PATH PEM PKCS PKI PSK QUIC RFC RPATH RSA RUNPATH SNI SPKI TCP TLS UDP URI URL UTC UTF XDG
    LD_AUDIT SSL_CERT_DIR SSL_CERT_FILE""".split())

FILE = re.compile(r"(?<![\w./%*<>{}$~@-])((?:[\w.-]+/)*[\w-]+\.(?:c|h|py|sh|md|map))(?![\w/*-]|\.\w)")
PLACE = re.compile(r"(?<![\w./%*<>{}$~@-])"
                   r"((?:policy|preload|provider|tests|certs|examples|\.ci|\.github)/[\w./-]*\w)(?![\w*<{-]|/?\*|\.\w)")
MARK = re.compile(r"[A-Z]+\.(?!md)\w+|[A-Z]+")  # NAME.conf: any of them
SECTION = re.compile(r"\b((?:lib)?trustgraft[\w.-]*)\((\d)\)")
XREF = re.compile(r"(?m)^\.Xr ((?:lib)?trustgraft[\w.-]*) (\d)")
OURS = re.compile(r"(?<![\w$/.-])((?:tg|TG)_\w+)(\*?)")
CALL = re.compile(r"(?<![\w$/.:>-])([A-Za-z_]\w*)\(\)")
MANUAL = re.compile(r"(?<![\w$/.-])([A-Za-z_]\w+)\([23]\)")
WORD = re.compile(r"[A-Za-z_]\w*")
# A capital word by itself: not of HOST:PORT, /proc/PID or "NAME", which are ways to write something.
CAPITALS = re.compile(r"""(?<![\w\[\]./:=%$<"'`+-])([A-Z][A-Z_]+)\b(?![\w\[\](*/=<"'`-]|[.:]\S)""")
DECLARED = re.compile(r"(?m)^/\*(?:(?!\*/).)*\*/\n(?=\w)", re.S)


@tree.kept
def basenames():
    return {os.path.basename(path) for path in tree.everything()}


@tree.kept
def places():
    """Each file and each folder."""
    found = set()
    for path in tree.everything():
        while path and path not in found:
            found.add(path)
            path = os.path.dirname(path)
    return found


def scope(path):
    """Whose code a comment of PATH may speak of: what the command is built from, or all but that, or anything."""
    if path.startswith("policy/cli/"):
        return "command"
    return "hosted" if path.startswith("policy/") and path.endswith((".c", ".h")) else "all"


def within(name, path):
    """Whether PATH belongs to the scope NAME."""
    if name == "command":
        return path.startswith("policy/")
    return name == "all" or path.startswith(tree.HOSTED) and not path.startswith("policy/cli/")


@tree.kept
def identifiers(name):
    """Every word of the code of the scope NAME, comments aside; of scripts, comments included."""
    words = set()
    for path in tree.everything():
        if not within(name, path):
            continue
        if path.endswith((".c", ".h")):
            words.update(WORD.findall(tree.without_comments(path)))
        elif path.endswith((".map", ".js", ".py")) or tree.is_shell(path) or path == "Makefile":
            words.update(WORD.findall(tree.read(path)))
    return words


@functools.lru_cache(maxsize=None)
def headers():
    """Every word of the headers of the C library and of OpenSSL."""
    words = set()
    for pattern in ("*.h", "sys/*.h", "openssl/*.h", "netinet/*.h", "arpa/*.h", "*-linux-gnu/sys/*.h",
                    "*-linux-gnu/bits/*.h", "*-linux-gnu/openssl/*.h", "asm-generic/*.h"):
        for path in glob.glob("/usr/include/" + pattern):
            with open(path, encoding="utf-8", errors="replace") as file:
                words.update(WORD.findall(re.sub(r"/\*.*?\*/", " ", file.read(), flags=re.S)))
    return words


@tree.kept
def included():
    """The headers of others that our code includes."""
    return {name for path in tree.everything() if path.endswith((".c", ".h"))
            for _, name, quoted in arrows.includes(path) if not quoted}


def there(name, path):
    """Whether the file or folder NAME, as PATH names it, is one of ours, or another's that we may name."""
    if name in ELSEWHERE or name in included() or MARK.fullmatch(os.path.basename(name)):
        return True
    if "/" not in name:
        return name in basenames()
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    return name in places() or beside in places() or any(place.endswith("/" + name) for place in places())


def missing_files(path, text):
    # In a manual a path is an example: relative to the policy.
    for pattern in (FILE,) if re.search(r"\.[1-8]$", path) else (FILE, PLACE):
        for match in pattern.finditer(text):
            if not there(match[1], path):
                yield match, "no such file"
    for pattern in (SECTION, XREF):
        for match in pattern.finditer(text):
            if f"{match[1]}.{match[2]}" not in basenames():
                yield match, "no such manual page"


def missing_functions(path, text):
    words = identifiers(scope(path))
    for match in OURS.finditer(text):
        some = match[2] or match[1].endswith("_")  # tg_buf_*
        if match[1] in words or match[1] in PATTERNS:
            continue
        if not (some and any(word.startswith(match[1]) for word in words)):
            yield match, "no such name in the code that this comment may speak of"
    for pattern in (CALL, MANUAL):
        for match in pattern.finditer(text):
            if match[1] not in identifiers("all") and match[1] not in NEWER and match[1] not in headers():
                yield match, "no such function in the code or in a system header"


def missing_parameters(path):
    """Words in capitals in a comment right over declarations that name no parameter of them."""
    text = tree.read(path)
    words = set(WORD.findall(tree.bare(path)))
    for comment in DECLARED.finditer(text):
        below = re.match(r"(?:(?!\n\n|\n\{).)*", tree.plain(path)[comment.end():], flags=re.S)[0]
        if "(" not in below:
            continue
        known = {word.upper() for word in WORD.findall(below)} | TERMS
        known |= set(WORD.findall(CAPITALS.sub(" ", comment[0])))  # a part of HOST:PORT
        known |= constants() | words
        for match in CAPITALS.finditer(comment[0]):
            if match[1] not in known and match[1] not in headers():
                yield tree.line_of(text, comment.start() + match.start()), match[1]


@tree.kept
def constants():
    """Macros and enumerators of ours, and variables of the environment, by their underscore."""
    return {word for path in tree.everything() if path.endswith((".c", ".h"))
            for word in WORD.findall(tree.without_comments(path)) if "_" in word}


def names():
    """What comments and pages name that isn't there."""
    for path in tree.everything():
        found = [(line + text.count("\n", 0, match.start()), match[0].strip().lstrip("."), why)
                 for line, text in tree.comments(path)
                 for match, why in [*missing_files(path, text), *missing_functions(path, text)]]
        if path.endswith((".c", ".h")):
            found += [(line, word, "no parameter of what stands below is called so")
                      for line, word in missing_parameters(path)]
        for line, what, why in sorted(set(found)):
            yield f"{path}:{line}: {what}: {why}"
