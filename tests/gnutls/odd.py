"""odd.py - what few programs do, and servers that few are like (odd.c)."""
from e2e.harness import require
from gnutls.cases import ACCEPT, API, DISTRUST, DISTRUST_INTERMEDIATE, ELSEWHERE, NOWHERE, OTHER, OWN, REJECT, RENAMED
from gnutls.places import call, client

SENT, REFUSED = "handshake done sent data hello", "handshake refused"
# An error of its own, after a refusal too; what its status says, once, of another status, and again.
TOLD = "plain, of others plain, status plain"
FAILED = f"{REFUSED} {TOLD} plain plain plain"
DISTRUST_FILE = "[distrust]\ncertificate = {root}\n"
DISTRUST_OTHER = "[distrust]\ncertificate = {fp other-root}\n"

# The way, and what it comes to under each policy; None: bare.
CASES = (
    ("plain", {None: SENT, ELSEWHERE: SENT, ACCEPT: SENT, REJECT: REFUSED}),
    ("type", {None: SENT, ELSEWHERE: SENT, ACCEPT: SENT, REJECT: REFUSED}),
    ("again", {None: f"{SENT} {SENT}", ACCEPT: f"{SENT} {SENT}",
               OTHER: f"{SENT} {REFUSED} not sent data none"}),
    ("false", {None: f"{SENT} leaf there", ACCEPT: f"{SENT} leaf there", REJECT: REFUSED}),
    ("decoy", {None: SENT, ELSEWHERE: SENT, DISTRUST: REFUSED, DISTRUST_FILE: REFUSED,
               DISTRUST_INTERMEDIATE: REFUSED, DISTRUST_OTHER: SENT, OWN: SENT}),
    ("strange", {None: SENT, ELSEWHERE: SENT, DISTRUST_FILE: REFUSED, DISTRUST_INTERMEDIATE: REFUSED,
                 DISTRUST_OTHER: SENT}),
    ("reasons", {None: f"handshake done {TOLD} sent data hello {FAILED}",
                 ELSEWHERE: f"handshake done {TOLD} sent data hello {FAILED}",
                 REJECT: f"{REFUSED} named, of others plain, status named plain plain named {FAILED}"}),
    ("namesake", {None: SENT, DISTRUST: REFUSED, DISTRUST_FILE: REFUSED, DISTRUST_OTHER: SENT, OWN: SENT}),
)

UNICODE, ALABEL = "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example.test", "xn--bcher-kva.example.test"


def check(way, policy, wanted, program="odd"):
    def test(lab):
        got, err = call(lab, policy, lab.gnutls[program], lab.pki.directory, way, API)
        require(got == wanted, f"wanted {wanted}, got {got}{err}")
    return test


def test_names_in_unicode(lab):
    """GnuTLS sends and verifies the A-labels, which rules are written with."""
    accept, reject = f"[host {ALABEL}]\nanchors = {{root}}\n", f"[host {ALABEL}]\naction = reject\n"
    for name in (UNICODE, UNICODE.upper(), ALABEL):
        for words in (f"sni={name}", f"verify={name} trust=root", f"data={name} trust=root", f"sni={NOWHERE} hand={name}"):
            for policy, good in ((None, True), (accept, True), (ELSEWHERE, True), (reject, False)):
                got, err = client(lab, policy, f"leaf=a-label {words}")
                require(("data hello" in got) == good, f"{words} under {policy}: {got}{err}")
        for words in (f"verify={name}", f"sni={name} hand={name}", f"sni={name} crt={name}"):
            got, err = client(lab, accept, f"leaf=a-label {words}")
            require("data hello" in got and "bad" not in got, f"{words}: {got}{err}")


def test_renamed_leaf_after_a_false_start(lab):
    """It is shown until the next handshake begins, as the library's own is."""
    got, err = call(lab, RENAMED, lab.gnutls["odd"], lab.pki.directory, "false", NOWHERE)
    require(got == f"{SENT} leaf there", got + err)


def tests():
    for way, under in CASES:
        for policy, wanted in under.items():
            yield f"{way}: {' '.join(policy.split()) if policy else 'bare'}", check(way, policy, wanted)
    yield "names in Unicode", test_names_in_unicode
    yield "renamed leaf after a false start", test_renamed_leaf_after_a_false_start
