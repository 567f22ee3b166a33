"""decisions.py - clients that take the decision into their own hands (decide.c, sessions.c)."""
from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import ways

ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
DISTRUST = ELSEWHERE + "[distrust]\nspki = {pin loop-a}\n"
ACCEPT = "[host api.example.test]\nanchors = {root}\n"
REJECT = "[host api.example.test]\naction = reject\n"
REFUSED = "stopped result 50 chain -1 queue:134:134"
PASSED = "through result 0 chain 3 queue"

# What `decide` says under a rule that accepts (to a client that trusts nobody) and under one
# that rejects (to a client that trusts the root).
DECIDE = {
    # Its verify callback is told of the whole path, or of the refusal, which it can't override.
    "collecting": ("through told 2:0+ 1:0+ 0:0+ result 0 chain 3 queue",
                   "stopped told 0:50- result 50 chain -1 queue:134:134"),
    "looking-later": (PASSED, REFUSED),
    # What it verifies by hand is its own affair: it can be stricter, and sees no refused server.
    "by-hand": ("through by hand 0 queue", "stopped by hand -1 queue:134:134"),
    "other-context": (PASSED, REFUSED),
    "sharing": ("one 100 of 100, other 0 of 100 queue", "one 0 of 100, other 100 of 100 queue"),
    # A server's check of its clients isn't touched; its own client may refuse it.
    "serving": ("client-only: through, client's result 0; api-other: stopped, client's result 0; "
                " queue", None),
    # The second round, with the same certificate and then with another authority's.
    "renegotiating": ("through, again through; through, again stopped;  queue",
                      "stopped, again stopped; stopped, again stopped;  queue"),
    "renegotiating-own": ("through, again through; through, again stopped;  queue",
                          "stopped, again stopped; stopped, again stopped;  queue"),
    # Both its own verify callback and its own info callback, set at the last moment.
    "last-moment-1.2": ("through queue", "stopped"), "last-moment-1.3": ("through queue", "stopped"),
    "writing-first": ("arrived queue", "nothing queue"),
    "retrying": (PASSED, REFUSED),
    # The policy decides in DANE's place too.
    "dane-right": (PASSED, REFUSED), "dane-wrong": (PASSED, REFUSED),
}

# The same of `callbacks`; what it prints under the policies that don't concern it is what it
# prints without one.
CALLBACKS = {
    "info-of-context": ("through", "stopped"), "info-of-connection": ("through", "stopped"),
    "wire": ("through", "stopped"),
    "verifying": (None, "stopped"), "behind-end": ("through", "stopped"),
    "own-library": ("through, through", "stopped, stopped"),
    "own-library-later": ("through, through, through", "stopped, stopped, stopped"),
    "again": ("through, through", "stopped, through"),
}

EARLY, KEPT = "early data sent, arrived; through", "early data kept, nothing arrived; stopped"
REFUSED_EARLY = "early data sent, nothing arrived; "
SESSIONS = {  # (without a rule, under one that accepts the server, under one that rejects it)
    "own": ("first through; " + EARLY, "first through; " + EARLY, "first stopped; " + KEPT),
    # The server makes a full handshake of it, with its own certificate or with another's.
    "newly-keyed": ("first through; " + REFUSED_EARLY + "through",
                    "first through; " + REFUSED_EARLY + "through", "first stopped; " + KEPT),
    "impostor": ("first through; " + REFUSED_EARLY + "through",
                 "first through; " + REFUSED_EARLY + "stopped", "first stopped; " + KEPT),
    # What a policy let in at one host is no session for another, and data doesn't go out under it.
    "elsewhere": ("first through; " + EARLY + "; through resumed",
                  "first through; " + KEPT + ", and said why; through in full",
                  "first stopped; " + KEPT + "; through in full"),
    "imported": (EARLY, KEPT, KEPT),
    "resumed": ("through resumed", "through in full", "stopped in full"),
    "key": (EARLY, KEPT, KEPT), "context-key": (EARLY, KEPT, KEPT),
    # A key's certificate is the application's word: no server has shown it.
    "likeness": ("first through; through", "first through; stopped", "first stopped; stopped"),
    "likeness-early": ("first through; " + REFUSED_EARLY + "stopped", "first through; " + KEPT,
                       "first stopped; " + KEPT),
}


def call(lab, way, policy, program, *arguments):
    """What PROGRAM prints, in one line."""
    injected = ways.by_environment(lab.build, way, policy and lab.policy(policy))
    status, out, err = lab.run([lab.programs[program], *arguments], environment=injected,
                              seconds=600)
    require(status == 0, f"{program} {arguments}: crashed or hung: status {status}: {out}{err}")
    return out.strip("\n")


def decide(program, scenario, wanted, head=""):
    """HEAD, a comment, makes the policies others than those of the tests beside it."""
    def check(lab, way):
        pki = str(lab.pki.directory)
        accepted, rejected = wanted
        for policy, trust, outcome in ((ACCEPT, "trustless", accepted),
                                       (REJECT, "trusting", rejected)):
            got = call(lab, way, head + policy, program, scenario, pki, trust)
            require(outcome is None or got.startswith(outcome), f"wanted {outcome}: {policy}: {got}")
        for trust in ("trusting", "trustless"):
            bare = call(lab, ways.BARE, None, program, scenario, pki, trust)
            for policy in (ELSEWHERE, DISTRUST):
                got = call(lab, way, head + policy, program, scenario, pki, trust)
                require(got == bare, f"{trust}: bare {bare}, under {policy}: {got}")
    return check


def small_thread(lab, way):
    """There is little stack in it, and a changed policy to be read."""
    pki = str(lab.pki.directory)
    bare = ways.by_environment(lab.build, ways.BARE, None)
    if lab.run([lab.programs["decide"], "small-thread", pki, "trusting"], environment=bare)[0] != 0:
        raise Skip("here a handshake alone takes more stack")
    decide("decide", "small-thread", ("through result 0 chain 3through result 0",
                                      "stopped result 50 chain -1stopped"),
           f"# touched by the program, {way}\n")(lab, way)


def distrusted_root(lab, way):
    """A root that no server sends, on a path that the application's own verification took."""
    for scenario in ("forgiving", "verifying"):
        for policy, wanted in (("[distrust]\ncertificate = {root}\n", "stopped"),
                               ("[distrust]\ncertificate = {other-root}\n", "through")):
            got = call(lab, way, policy, "callbacks", scenario, str(lab.pki.directory), "trusting")
            require(got == wanted, f"{scenario}: {policy}: {got}")


def constrained_subject(lab, way):
    """Where the subject counts as a name, a CA's constraints hold for it."""
    for more in ("", "anchors-only = no\n"):
        for name, wanted in (("", "stopped"), ("insecure-skip-hostname = yes\n", "stopped")):
            got = call(lab, way, ACCEPT + more + name, "callbacks", "subject",
                       str(lab.pki.directory), "trusting")
            require(got == wanted, f"{more}{name}: {got}")


def levels(lab, way):
    """A rule's security level is for its own host, not for the next on the same connection."""
    pki, lax = str(lab.pki.directory), ACCEPT + "security-level = 0\n"
    other = "[host another.example.test]\nanchors = {root}\nhostname = api.example.test\n"
    bare = call(lab, ways.BARE, None, "callbacks", "levels", pki, "trusting")
    require(bare == "through, stopped, as before", f"bare: {bare}")
    for policy, wanted in ((lax, "through, stopped, as before"),
                           (lax + other, "through, stopped, as before"),
                           (lax + other + "security-level = 0\n", "through, through, as before")):
        got = call(lab, way, policy, "callbacks", "levels", pki, "trusting")
        require(got == wanted, f"{policy}: {got}")


def cancelled_thread(lab, way):
    """Which is cancelled as it reads the changed policy: the change is for the others, too."""
    pki = str(lab.pki.directory)
    bare = call(lab, ways.BARE, None, "callbacks", "cancelled", pki, "trusting")
    require(bare == "through, through, through", f"bare: {bare}")
    own = f"# changed by the program, {way}\n" + ELSEWHERE
    got = call(lab, way, own, "callbacks", "cancelled", pki, "trusting")
    require(got == "through, stopped, stopped", got)


def bring(scenario):
    def check(lab, way):
        pki, path = str(lab.pki.directory), str(lab.scratch / f"{scenario}-{way}.session")
        call(lab, ways.BARE, None, "sessions", "save", pki, path)
        free, accepted, rejected = SESSIONS[scenario]
        for policy, wanted in ((None, free), (ELSEWHERE, free), (ACCEPT, accepted),
                               (REJECT, rejected)):
            got = call(lab, way if policy else ways.BARE, policy, "sessions", scenario, pki, path)
            require(got == wanted, f"wanted {wanted}: {policy}: {got}")
    return check


def two_contexts(lab, way):
    """Where the application's anchors count, a session is for the context that has them."""
    resumed = "through in full; through resumed; through resumed; through resumed; "
    for policy, wanted in (
            (None, resumed), (ELSEWHERE, resumed), (ACCEPT, resumed),
            ("[host api.example.test]\n",
             "through in full; through resumed; through in full; stopped in full; "),
            (ACCEPT + "anchors-only = no\n",
             "through in full; through resumed; through in full; through in full; ")):
        got = call(lab, way if policy else ways.BARE, policy, "sessions", "contexts",
                   str(lab.pki.directory), "-")
        require(got == wanted, f"{policy}: {got}")


def distrust_and_keys(lab, way):
    """[distrust] asks for no certificate: a host without a rule may have a key instead."""
    for scenario in ("key", "context-key"):
        got = call(lab, way, DISTRUST, "sessions", scenario, str(lab.pki.directory), "-")
        require(got == EARLY, f"{scenario}: {got}")


def meeting_many(lab, way):
    """What is known as a session is offered isn't forgotten for others that are met meanwhile."""
    others = "[host *.others.test]\nanchors = {root}\nhostname = api.example.test\n"
    through = "through; all; through, resumed"
    for policy, wanted in ((None, through), (ACCEPT + others, through), (REJECT + others, "stopped; ")):
        got = call(lab, way if policy else ways.BARE, policy, "meanwhile", "resumed", str(lab.pki.directory), "trusting")
        require(got == wanted, f"{policy}: {got}")


def starving(lab, way):
    """Memory runs out for a while as a context and a connection are made: no way past."""
    for count in ("12", "40"):
        bare = call(lab, ways.BARE, None, "starve", str(lab.pki.directory), "trusting", count)
        require(not bare.startswith("0 accepted"), f"not even without a policy: {bare}")
        got = call(lab, way, REJECT, "starve", str(lab.pki.directory), "trusting", count)
        require(got == "0 accepted, 0 broken", f"{count} allocations: {got}")


def tests():
    for scenario in DECIDE:
        yield from in_both_ways(f"decision: {scenario}",
                                decide("decide", scenario, DECIDE[scenario]))
    for scenario, wanted in CALLBACKS.items():
        yield from in_both_ways(f"callback: {scenario}", decide("callbacks", scenario, wanted))
    yield from in_both_ways("callback: under a distrusted root", distrusted_root)
    yield from in_both_ways("callback: two hosts' security levels", levels)
    yield from in_both_ways("callback: a cancelled thread", cancelled_thread)
    yield from in_both_ways("callback: the subject as a name", constrained_subject)
    for scenario in SESSIONS:
        yield from in_both_ways(f"brought along: {scenario}", bring(scenario))
    yield from in_both_ways("brought along: to another context", two_contexts)
    yield from in_both_ways("brought along: a key, under [distrust]", distrust_and_keys)
    yield from in_both_ways("brought along: while many are met", meeting_many)
    yield from in_both_ways("small stack: a thread's", small_thread)
    yield from in_both_ways("memory: none for a context", starving)
