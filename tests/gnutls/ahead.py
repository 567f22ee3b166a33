"""ahead.py - data that would be ahead of the verdict, or after it (ahead.c)."""
from gnutls.cases import ACCEPT, API, DISTRUST, ELSEWHERE, REJECT
from gnutls.odd import check

REPORT = "[policy]\nlog = none\n" + REJECT + "mode = report\n"
FIRST = "done sent"
SENT, NOT_SENT, REFUSED = f"{FIRST} sent done", f"{FIRST} not done", f"{FIRST} not refused"
WAITING = {None: SENT, ELSEWHERE: SENT, REPORT: SENT, ACCEPT: NOT_SENT, REJECT: REFUSED, DISTRUST: NOT_SENT}
LATE = {None: FIRST, ELSEWHERE: FIRST, ACCEPT: FIRST, REJECT: "done not"}

# The way, and what it comes to under each policy; None: bare.
CASES = (
    ("named", {None: f"{FIRST} taken done", ELSEWHERE: f"{FIRST} taken done", REPORT: f"{FIRST} taken done",
               ACCEPT: f"{FIRST} taken refused", REJECT: f"{FIRST} taken refused"}),
    ("asks", {None: f"{FIRST} taken done", ELSEWHERE: f"{FIRST} taken done", ACCEPT: f"{FIRST} done",
              REJECT: f"{FIRST} refused"}),
    ("send", WAITING),
    ("send2", WAITING),
    ("range", WAITING),
    ("file", WAITING),
    ("keys", {None: f"{FIRST} 1w 2r 2w 3rw done", ELSEWHERE: f"{FIRST} 1w 2r 2w 3rw done",
              ACCEPT: f"{FIRST} 2r 2w 3rw done", REJECT: f"{FIRST} 2r 2w refused"}),
    ("late", LATE),
    ("stale", LATE),
    ("timed", LATE),
)


def tests():
    for way, under in CASES:
        for policy, wanted in under.items():
            yield f"{way}: {' '.join(policy.split()) if policy else 'bare'}", check(way, policy, wanted, "ahead")
