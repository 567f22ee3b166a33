"""libraries.py - programs that change the default library context of a thread (libraries.c)."""
from e2e.harness import require
from e2e.naming import in_both_ways
from lab import ways
from surround.decisions import ACCEPT, ELSEWHERE, REJECT, call

# What it comes to without a policy, under one without a rule for the server, under one that accepts
# the server, and under one that rejects it. Nothing can be kept of a connection whose library
# context gave our index to the program: it may go on where no rule has a say.
KEPT, STOPPED = "through, kept", "stopped, kept"
LIBRARIES = {
    "connection": (KEPT, KEPT, STOPPED, STOPPED),
    "bio": (KEPT, KEPT, STOPPED, STOPPED),
    "late": ("through", "through", "through", "stopped"),
    "context": (KEPT, STOPPED, STOPPED, STOPPED),
    "verification": (KEPT, KEPT, KEPT, KEPT),
}


def change(scenario):
    def check(lab, way):
        bare, *under = LIBRARIES[scenario]
        for policy, wanted in zip((None, ELSEWHERE, ACCEPT, REJECT), (bare, *under)):
            got = call(lab, way if policy else ways.BARE, policy, "libraries", scenario,
                       str(lab.pki.directory), "trusting")
            if scenario == "context" and policy and way != "preload":
                wanted = "not configured, " + wanted
            require(got == wanted, f"wanted {wanted}: {policy}: {got}")
    return check


def tests():
    for scenario in LIBRARIES:
        yield from in_both_ways(f"library context: {scenario}", change(scenario))
