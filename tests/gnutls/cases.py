"""cases.py - what client.c does: bare, under a rule that accepts, and under one that rejects."""
from e2e.harness import require
from lab import ways

API, NOWHERE = "api.example.test", "nowhere.test"
ACCEPT = "[host api.example.test]\nanchors = {root}\n"
REJECT = "[host api.example.test]\naction = reject\n"
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
RENAMED = "[host nowhere.test]\nanchors = {root}\nhostname = api.example.test\n"
OTHER = "[host api.example.test]\nanchors = {other-root}\n"
BY_ADDRESS = "[host 127.0.0.1]\nanchors = {root}\nhostname = api.example.test\n"
NO_ADDRESS = "[host 127.0.0.1]\naction = reject\n"
NO_LOCALHOST = "[host localhost]\naction = reject\n"
REPORT = "[policy]\nlog = none\n[host api.example.test]\nanchors = {other-root}\nmode = report\n"
OWN = "[host api.example.test]\nanchors-only = no\n"
BROKEN = "[host elsewhere.test]\nanchor = {root}\n"
REQUIRED = "[host api.example.test]\nanchors = {root}\nrevocation = staple-required\n"
LOCALHOST = "[host localhost]\nanchors = {root}\nhostname = api.example.test\n"
STAPLE = "[host api.example.test]\nanchors = {root}\nrevocation = staple\n"
DISTRUST = "[distrust]\ncertificate = {fp root}\n"
DISTRUST_INTERMEDIATE = "[distrust]\ncertificate = {fp intermediate}\n"
TLS13 = "[host api.example.test]\nanchors = {root}\nmin-tls = 1.3\n"
RSA = "[host api.example.test]\nanchors = {root}\nmin-rsa-bits = 4096\n"
PINNED = "[host api.example.test]\nanchors = {root}\nleaf-pin = {pin api-other}\n"
FORGIVEN = ("[host api.example.test]\nanchors = {root}\n[exception forgiven]\n"
            "host = api.example.test\ncertificate = {fp expired}\nfindings = certificate-expired\n")

DONE, REFUSED = "handshake done data hello", "handshake refused"
OLD = "priority=NORMAL:-VERS-TLS1.3"

# Words of client.c: what it comes to bare, and under each policy.
CASES = (
    # ---- what the program verifies ----
    (f"sni={API}", DONE, {ACCEPT: DONE, REJECT: REFUSED, OTHER: REFUSED, ELSEWHERE: DONE}),
    (f"sni={API} {OLD}", DONE, {ACCEPT: DONE, REJECT: REFUSED, OTHER: REFUSED}),
    (f"sni={API} verify={API}", "handshake refused status bad",
     {ACCEPT: "handshake done status good data hello", REJECT: "handshake refused status bad",
      ELSEWHERE: "handshake refused status bad"}),
    (f"verify={API} trust=root", "handshake done status good data hello",
     {ACCEPT: "handshake done status good data hello", OTHER: "handshake refused status bad",
      ELSEWHERE: "handshake done status good data hello",
      DISTRUST: "handshake refused status bad"}),
    (f"data={API} trust=root", DONE, {ACCEPT: DONE, OTHER: REFUSED, DISTRUST: REFUSED}),
    (f"data={API}", REFUSED, {ACCEPT: DONE, OTHER: REFUSED, ELSEWHERE: REFUSED}),
    (f"data={NOWHERE}", REFUSED, {RENAMED: DONE, ACCEPT: REFUSED}),
    ("address=127.0.0.1", REFUSED, {BY_ADDRESS: DONE, NO_ADDRESS: REFUSED, ACCEPT: REFUSED}),
    (f"sni={API} function=no", f"{REFUSED} called 1",
     {ACCEPT: f"{DONE} called 1", REJECT: f"{REFUSED} called 0", ELSEWHERE: f"{REFUSED} called 1"}),
    (f"sni={API} function=yes", f"{DONE} called 1",
     {ACCEPT: f"{DONE} called 1", OTHER: f"{REFUSED} called 0", ELSEWHERE: f"{DONE} called 1",
      DISTRUST_INTERMEDIATE: f"{REFUSED} called 0"}),
    (f"sni={API} credentials=no", f"{REFUSED} called 1",
     {ACCEPT: f"{DONE} called 1", REJECT: f"{REFUSED} called 0", ELSEWHERE: f"{REFUSED} called 1"}),
    (f"sni={API} credentials=wait", f"{DONE} called 3",
     {ACCEPT: f"{DONE} called 3", REJECT: f"{REFUSED} called 0", ELSEWHERE: f"{DONE} called 3"}),
    (f"sni={API} credentials=no function=yes", f"{DONE} called 1",
     {ACCEPT: f"{DONE} called 1", REJECT: f"{REFUSED} called 0", REPORT: f"{DONE} called 1"}),
    (f"sni={API} credentials=no", f"{REFUSED} called 1", {REPORT: f"{REFUSED} called 1"}),
    (f"sni={API} function=no replace=yes", f"{DONE} called 0",
     {ACCEPT: f"{DONE} called 0", OTHER: f"{REFUSED} called 0", ELSEWHERE: f"{DONE} called 0"}),
    (f"sni={API} replace=no", REFUSED, {ACCEPT: DONE, OTHER: REFUSED, ELSEWHERE: REFUSED}),
    (f"sni={API} replace=names trust=root", DONE, {ACCEPT: DONE, OTHER: REFUSED}),
    (f"sni={API} replace=names", REFUSED, {ACCEPT: DONE, OTHER: REFUSED, ELSEWHERE: REFUSED}),
    (f"sni={NOWHERE}", DONE, {BROKEN: REFUSED}),
    # ---- by hand ----
    (f"hand={API}", "handshake done hand bad data hello",
     {ACCEPT: "handshake done hand good data hello", REJECT: "handshake done hand bad data none",
      ELSEWHERE: "handshake done hand bad data hello"}),
    (f"credentials=hand hand={API}", f"{REFUSED} called 1",
     {ACCEPT: "handshake done hand good data hello called 1", REJECT: f"{REFUSED} called 1"}),
    (f"sni={API} hand=other.test", "handshake done hand bad data hello",
     {ACCEPT: "handshake done hand bad data hello"}),
    (f"sni={API} crt={API}", "handshake done peers 2 chain bad name good dates good data hello",
     {ACCEPT: "handshake done peers 2 chain good name good dates good data hello",
      REJECT: REFUSED, ELSEWHERE: "handshake done peers 2 chain bad name good dates good data hello"}),
    (f"sni={NOWHERE} crt={NOWHERE}", "handshake done peers 2 chain bad name bad dates good data hello",
     {RENAMED: "handshake done peers 2 chain good name good dates good data hello",
      ACCEPT: "handshake done peers 2 chain bad name bad dates good data hello"}),
    (f"sni={NOWHERE} crt=other.test", "handshake done peers 2 chain bad name bad dates good data hello",
     {RENAMED: "handshake done peers 2 chain good name bad dates good data hello"}),
    (f"sni={NOWHERE} listed={NOWHERE}", "handshake done listed no data hello",
     {RENAMED: "handshake done listed yes data hello", ACCEPT: "handshake done listed no data hello"}),
    (f"sni={API} purpose=1.3.6.1.5.5.7.3.1", "handshake done purpose bad data hello",
     {ACCEPT: "handshake done purpose good data hello", ELSEWHERE: "handshake done purpose bad data hello"}),
    (f"sni={API} purpose=1.3.6.1.5.5.7.3.4", "handshake done purpose bad data hello",
     {ACCEPT: "handshake done purpose bad data hello"}),
    (f"sni={API} listed={API}", "handshake done listed yes data hello",
     {ACCEPT: "handshake done listed yes data hello"}),
    (f"sni={API} leaf=expired crt={API}",
     "handshake done peers 2 chain bad name good dates bad data hello",
     {FORGIVEN: "handshake done peers 2 chain good name good dates good data hello",
      ACCEPT: REFUSED}),
    # ---- who is at the other end ----
    ("dial=localhost", DONE, {NO_LOCALHOST: REFUSED, NO_ADDRESS: REFUSED, ACCEPT: DONE}),
    ("", DONE, {NO_LOCALHOST: DONE, NO_ADDRESS: REFUSED}),
    ("push dial=localhost", DONE, {NO_LOCALHOST: REFUSED, NO_ADDRESS: REFUSED, ACCEPT: DONE,
                                   BY_ADDRESS: DONE}),
    ("vec dial=localhost", DONE, {NO_LOCALHOST: REFUSED, NO_ADDRESS: REFUSED, BY_ADDRESS: DONE}),
    ("dtls push", DONE, {NO_ADDRESS: REFUSED, NO_LOCALHOST: DONE, BY_ADDRESS: DONE}),
    # ---- what the library asks nobody about ----
    (f"sni={API} psk priority=NORMAL:-KX-ALL:+ECDHE-PSK:+PSK", DONE,
     {ACCEPT: REFUSED, REJECT: REFUSED, ELSEWHERE: DONE, DISTRUST: DONE}),
    (f"sni={API} psk {OLD}:-KX-ALL:+PSK", DONE, {ACCEPT: REFUSED, ELSEWHERE: DONE}),
    (f"sni={API} raw priority=NORMAL:+CTYPE-ALL", DONE,
     {ACCEPT: REFUSED, REJECT: REFUSED, ELSEWHERE: DONE}),
    (f"sni={API} dtls", DONE, {ACCEPT: DONE, REJECT: REFUSED, OTHER: REFUSED}),
    (f"sni={NOWHERE} twice={API}", f"{DONE} handshake done resumed 1 data hello",
     {ACCEPT: f"{DONE} handshake done resumed 1 data hello", REJECT: f"{DONE} {REFUSED}",
      OTHER: f"{DONE} {REFUSED}"}),
    (f"sni={NOWHERE} twice={API} ignore", f"{DONE} handshake done resumed 1 data hello",
     {OTHER: f"{DONE} {REFUSED} data none"}),
    (f"sni={API} twice={API} {OLD}", f"{DONE} handshake done resumed 1 data hello",
     {ACCEPT: f"{DONE} handshake done resumed 1 data hello", OTHER: f"{REFUSED} {REFUSED}"}),
    (f"sni={API} twice={API} staple=good", f"{DONE} handshake done resumed 1 data hello",
     {REQUIRED: f"{DONE} handshake done resumed 1 data hello"}),
    (f"sni={API} twice={API} staple=good {OLD}", f"{DONE} handshake done resumed 1 data hello",
     {REQUIRED: f"{DONE} handshake done resumed 1 data hello"}),
    (f"twice then=localhost {OLD}", f"{DONE} handshake done resumed 1 data hello",
     {LOCALHOST: f"{DONE} handshake done resumed 1 data hello", NO_LOCALHOST: f"{DONE} {REFUSED}"}),
    (f"sni={API} ignore", DONE, {OTHER: f"{REFUSED} data none", ACCEPT: DONE}),
    (f"sni={NOWHERE} twice={API} early",
     f"{DONE} early sent handshake done resumed 1 data hello server got 19",
     {ACCEPT: f"{DONE} early refused handshake done resumed 1 data hello server got 8",
      OTHER: f"{DONE} early refused {REFUSED} server got 4",
      ELSEWHERE: f"{DONE} early sent handshake done resumed 1 data hello server got 19"}),
    (f"sni={API} again=api {OLD}", "handshake done again 0 data hello",
     {ACCEPT: "handshake done again 0 data hello"}),
    (f"sni={API} again=api-other {OLD}", "handshake done again 0 data hello",
     {ACCEPT: "handshake done again -348 data none", ELSEWHERE: "handshake done again 0 data hello"}),
    # ---- the rest of the language ----
    (f"sni={API} verify={API} trust=root", "handshake done status good data hello",
     {OWN: "handshake done status good data hello"}),
    (f"sni={API} trust=intermediate", DONE, {OWN: DONE}),
    (f"sni={API}", DONE, {OWN: REFUSED}),
    (f"sni={API} leaf=revoked trust=root", DONE, {OWN: DONE}),
    (f"sni={API} leaf=revoked trust=root crl=intermediate", DONE, {OWN: REFUSED, ACCEPT: DONE}),
    (f"sni={API} staple=good", DONE, {REQUIRED: DONE}),
    (f"sni={API} staple=good {OLD}", DONE, {REQUIRED: DONE}),
    (f"sni={API} staple=revoked", DONE, {STAPLE: REFUSED}),
    (f"sni={API}", DONE, {STAPLE: DONE, REQUIRED: REFUSED, TLS13: DONE, PINNED: REFUSED}),
    (f"sni={API} {OLD}", DONE, {TLS13: REFUSED}),
    (f"sni={API} leaf=rsa", DONE, {RSA: REFUSED}),
    # ---- threads and children ----
    (f"sni={API} crt={API} threads=16", "handshake done peers 2 chain bad name good dates good data hello",
     {ACCEPT: "handshake done peers 2 chain good name good dates good data hello", OTHER: REFUSED}),
    (f"sni={API} fork", DONE, {ACCEPT: DONE, OTHER: REFUSED}),
)


def check(words, policy, wanted, **environment):
    def test(lab):
        way = ways.PRELOAD if policy else ways.BARE
        under = ways.by_environment(lab.build, way, lab.policy(policy) if policy else None)
        command = (lab.gnutls["client"], str(lab.pki.directory), *words.split())
        status, out, err = lab.run(command, environment=under | environment)
        require(status == 0 and " ".join(out.split()) == wanted,
                f"{words}: wanted {wanted}, got {status}: {out}{err}")
    return test


def tests():
    for words, bare, under in CASES:
        name = words or "an address alone"
        yield f"{name}: bare", check(words, None, bare)
        for policy, wanted in under.items():
            yield f"{name}: {' '.join(policy.split())}", check(words, policy, wanted)
