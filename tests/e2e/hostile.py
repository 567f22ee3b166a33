"""hostile.py - chains made to confuse, exhaust or crash: refused, soon, and with a finding."""
import resource

from e2e.harness import require
from e2e.keys import scenario_tests
from lab import clients, ways
from lab.lab import run
from lab.scenario import ACCEPT, REFUSE, Scenario

BOUND_SECONDS = 4           # of CPU for a run of curl; the evaluation is far below
BOUND_BYTES = 1 << 30       # address space
RULE = "anchors = {root}"
# Bare curl shows the oldest error on OpenSSL's queue, EVP's, and exits 35, not 60.
CURL_35 = "error"


def wrong(server, finding, bare=REFUSE):
    return Scenario(f"wrong: {server}", server, RULE, bare, REFUSE, finding)


SCENARIOS = (
    wrong("forged", "bad-signature", CURL_35), wrong("forged-openly", "missing-issuer"),
    wrong("flipped", "bad-signature", CURL_35), wrong("under-flipped", "bad-signature", CURL_35),
    wrong("under-leaf", "not-a-ca"), wrong("under-no-constraints", "not-a-ca"),
    wrong("under-no-cert-sign", "not-a-ca"), wrong("below-zero", "path-too-long"),
    wrong("not-permitted", "name-constraint"), wrong("excluded", "name-constraint"),
    wrong("not-permitted-cn", "name-constraint"), wrong("weak-signature", "weak-signature"),
    wrong("unknown-critical", "unknown-critical-extension"),
    wrong("under-critical", "unknown-critical-extension"),
    wrong("under-client-only", "wrong-purpose"), wrong("client-only", "wrong-purpose"),
    wrong("self-signed", "self-signed-leaf"), wrong("self-signed-ca", "self-signed-leaf"),
    wrong("not-yet-valid", "certificate-not-yet-valid"),
    wrong("under-expired", "certificate-expired"),
    wrong("embedded-nul", "name-mismatch"), wrong("embedded-nul-cn", "name-mismatch"),
    wrong("wildcard-top", "name-mismatch"), wrong("wildcard-inner", "name-mismatch"),
    wrong("looped", ""), wrong("maze", ""), wrong("hundred", "path-too-long", bare=ACCEPT),
    Scenario("right: a leaf that is a CA too", "leaf-ca", RULE, ACCEPT, ACCEPT),
    Scenario("right: a permitted name", "allowed", RULE, ACCEPT, ACCEPT, host="host.allowed.test"),
    Scenario("right: 77 KB of names", "huge", RULE, ACCEPT, ACCEPT),
    Scenario("right: sent in any order", "shuffled", RULE, ACCEPT, ACCEPT),
    Scenario("right: sent again and again", "repeated", RULE, ACCEPT, ACCEPT),
    Scenario("right: no subject", "empty-subject", RULE, ACCEPT, ACCEPT),
)
# Debian's OpenSSL is at security level 2, Node's own at 1, which takes 1024 bits.
LEVEL_2 = (wrong("weak-key", "weak-key"), wrong("under-weak", "weak-key"))
SERVERS = tuple(scenario.server for scenario in SCENARIOS + LEVEL_2)


# What a TLS library would not even load: the certificates sent, and the finding. Where libssl
# itself can't decode what came there is no certificate to evaluate, and no finding.
RAW = {
    "second-san": (lambda pki: [pki.der("second-san"), pki.der("intermediate")], "malformed"),
    "garbage-san": (lambda pki: [pki.der("garbage-san"), pki.der("intermediate")], "malformed"),
    "garbage-constraints": (
        lambda pki: [pki.der("garbage-constraints"), pki.der("intermediate")], "malformed"),
    "same-200-times": (lambda pki: [pki.der("api-other")] * 200, "path-too-long"),
    "all-cas": (lambda pki: [pki.der("api-other")] + [
        pki.der(f"hundred-ca-{number:02}") for number in range(1, 99)], "path-too-long"),
    "undecodable": (lambda pki: [pki.der("undecodable"), pki.der("intermediate")], None),
    "undecodable-intermediate": (lambda pki: [pki.der("api"), pki.der("undecodable")], None),
    "truncated": (lambda pki: [pki.der("api")[:-20], pki.der("intermediate")], None),
    "trailing-bytes": (lambda pki: [pki.der("api") + b"\0\0", pki.der("intermediate")], None),
    "no-certificates": (lambda pki: [], None),
    "empty-certificate": (lambda pki: [b""], None),
    "garbage": (lambda pki: [bytes(range(256)) * 40], None),
    "too-much": (lambda pki: [pki.der("api")] + [pki.der("huge")] * 3, None),
}


def start(lab):
    for name, (certificates, _) in RAW.items():
        lab.servers.raw(f"raw: {name}", certificates(lab.pki))


def raw_test(server, program, way):
    """Not accepted, not crashed, not for long; the client checks nothing itself."""
    def test(lab):
        target = lab.target(f"raw: {server}", app="root", insecure=True)
        policy = lab.policy("[host api.example.test]\n" + RULE)
        got = lab.get(program, way, target, policy)
        require(got.status > 0 and "hello" not in got.stdout, got.said)
        _, finding = RAW[server]
        require(finding is None or any(finding in line for line in got.log), got.said)
    return f"hostile: {server} [{program}, {way}]", test


def within_bounds():
    resource.setrlimit(resource.RLIMIT_AS, (BOUND_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (BOUND_SECONDS,) * 2)


def bounded(way):
    """The evaluation of the worst chains stays within time and memory."""
    def test(lab):
        policy = lab.policy("[host api.example.test]\n" + RULE)
        for server in ("hundred", "maze", "huge", "looped", "raw: all-cas", "raw: same-200-times"):
            command = clients.curl(lab.target(server, insecure=True))
            status, _, err = run(ways.by_command(lab.build, way, command, policy),
                                 lab.environment(), preexec_fn=within_bounds)
            require(status in (0, 60), f"{server}: exit {status}: {err}")
    return f"hostile: bounded time and memory [{way}]", test


def tests():
    yield from scenario_tests(SCENARIOS)
    for name, test in scenario_tests(LEVEL_2):
        if "[node" not in name:
            yield name, test
    for server in RAW:
        for program in ("curl", "openssl"):
            for way in ways.WAYS:
                yield raw_test(server, program, way)
    for way in ways.WAYS:
        yield bounded(way)
