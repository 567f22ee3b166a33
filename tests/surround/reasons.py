"""reasons.py - what a program's TLS library says of errors, of a refusal and of what isn't one."""
import re

from e2e.harness import require
from lab import ways
from surround.decisions import call

REFUSING = "[policy]\nunmatched = app\n[host api.example.test]\nanchors = {other-root}\n"
ANSWERS = {     # under a policy that refuses: by the preload library, and by the provider
    "connection": ("20: named plain, 20: plain, again named same, own plain",
                   "20: plain plain, 20: plain, again plain same, own plain"),
    "queue": ("named plain, named within, own plain", "brief brief, brief within, own plain"),
    "data": ("data, plain", "data, brief"),
    "thread": ("here named, thread named plain", "here plain, thread plain brief"),
    "apart": ("same code plain, again named", "same code plain, again plain"),
    "threads": ("named, plain, named queue:134:134", "brief, plain, plain queue:134:100:134"),
}


def answers(scenario, wanted):
    def check(lab):
        pki = str(lab.pki.directory)
        for way, words in zip(ways.WAYS, wanted):
            got = call(lab, way, REFUSING, "reasons", scenario, pki, "trustless")
            require(got == words, f"{way}: wanted {words!r}, got {got!r}")
        bare = call(lab, ways.BARE, None, "reasons", scenario, pki, "trustless")
        require(not {"named", "brief", "data"} & set(re.findall(r"\w+", bare)), f"bare: {bare}")
    return check


def tests():
    return [(f"reasons: {name}", answers(name, words)) for name, words in ANSWERS.items()]
