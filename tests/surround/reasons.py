"""reasons.py - what a program's TLS library says of errors, of a refusal and of what isn't one."""
import re

from e2e.harness import require
from lab import ways
from surround.decisions import call

REFUSING = "[policy]\nunmatched = app\n[host api.example.test]\nanchors = {other-root}\n"
ANSWERS = {     # under a policy that refuses: by the preload library
    "connection": "20: named plain, 20: plain, again named same, own plain",
    "queue": "named plain, named within, own plain",
    "data": "data, plain",
    "thread": "here named, thread named plain",
}


def plain(words):
    return re.sub("named", "plain", words)


def answers(scenario, wanted):
    def check(lab):
        pki = str(lab.pki.directory)
        for way, words in ((ways.PRELOAD, wanted), (ways.PROVIDER, plain(wanted))):
            got = call(lab, way, REFUSING, "reasons", scenario, pki, "trustless")
            require(got == words, f"{way}: wanted {words!r}, got {got!r}")
        bare = call(lab, ways.BARE, None, "reasons", scenario, pki, "trustless")
        require("named" not in bare and "data" not in bare, f"bare: {bare}")
    return check


def tests():
    return [(f"reasons: {name}", answers(name, words)) for name, words in ANSWERS.items()]
