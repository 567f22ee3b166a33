"""nodes.py - the many ways by which programs speak TLS in one Node.js, by nodes.cjs: what the
table has no columns for. Beside each acceptance stands the refusal, and what is without trustgraft."""
import pathlib

from e2e.harness import require
from e2e.transparency import difference, steady
from lab import ways

SCRIPT = pathlib.Path(__file__).resolve().with_suffix(".cjs")
HOST = "localhost"      # fetch(3) looks names up by itself
KINDS = ("https", "again", "tls", "socket", "stream", "context", "worker", "fetch", "http2")
RULE = f"[host {HOST}]\nhostname = api.example.test\n"
ACCEPT = RULE + "anchors = {root}\n"
OTHER = RULE + "anchors = {other-root}\n"
PIN = ACCEPT + "leaf-pin = {pin api-other}\n"
OWN = RULE + "strict = yes\n"          # by the anchors of the application
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
GREETING = "hello from "


class Caller:
    """Calls nodes.cjs in PLACE, by one way in."""

    def __init__(self, lab, row, place, way):
        self.lab, self.row, self.place, self.way = lab, row, place, way

    def call(self, policy, kind, *words, flags=(), **variables):
        """(status, stdout, stderr); bare, where POLICY is None."""
        lab = self.lab
        port = lab.pki.directory / "api" if kind == "http2" else lab.servers.ports["api"]
        command = [self.place.program.executable, *flags, str(SCRIPT), kind, HOST, str(port), *words]
        if policy and self.row.runs:
            command = ways.by_command(lab.build, self.way, command, lab.policy(policy))
        elif policy:
            variables |= ways.by_environment(lab.build, self.way, lab.policy(policy))
        return self.place.run(lab, command, variables)

    def accepted(self, policy, kind, *words, **more):
        status, out, err = self.call(policy, kind, *words, **more)
        require(status == 0 and GREETING in out, f"not accepted: {policy} {kind} {words}: {out}{err}")
        return out

    def refused(self, policy, said, kind, *words, **more):
        """SAID is in the message of the program itself."""
        status, out, err = self.call(policy, kind, *words, **more)
        require(status == 1 and GREETING not in out and said in out,
                f"not refused for {said}: {policy} {kind} {words}: exit {status}: {out}{err}")

    def same(self, kind, *words, **more):
        """A host without a rule is the application's own affair, to the letter."""
        bare, under = (steady(self.call(policy, kind, *words, **more)) for policy in (None, ELSEWHERE))
        for one, other in zip(bare, under):
            require(one == other, f"{kind} {words} {more}: {difference(one, other)}")
        return bare[0]


def kinds(caller):
    for kind in KINDS:
        require(caller.same(kind) == 1, f"{kind}: Node.js knows the CA anyway")
        out = caller.accepted(ACCEPT, kind)
        require(kind != "again" or out.endswith("resumed\n"), f"not resumed: {out}")
        caller.refused(OTHER, "missing-issuer", kind)
        if kind == "fetch":
            caller.refused(PIN, "leaf-pin-mismatch", kind, NODE_TLS_REJECT_UNAUTHORIZED="0")
        else:
            caller.refused(PIN, "leaf-pin-mismatch", kind, "insecure")


def options(caller):
    """Where Node.js has its CAs from, and what the application says itself."""
    root = str(caller.lab.pki.pem("root"))
    trusting = (((f"ca={root}",), {}), ((), {"NODE_EXTRA_CA_CERTS": root}),
                ((), {"SSL_CERT_FILE": root, "flags": ("--use-openssl-ca",)}))
    for words, more in trusting:
        require(caller.same("https", *words, **more) == 1, "the name is another one")
        caller.accepted(OWN, "https", *words, **more)
        caller.refused(OTHER, "missing-issuer", "https", *words, **more)
    caller.refused(OWN, "missing-issuer", "https")
    require(caller.same("https", "insecure") == 0, "refused though it doesn't verify")
    require(caller.same("fetch", flags=("--no-warnings",), NODE_TLS_REJECT_UNAUTHORIZED="0") == 0,
            "the same by the environment")
    caller.same("https", flags=("--use-system-ca",))
    caller.accepted(ACCEPT, "https", flags=("--use-system-ca",))
    caller.accepted(ACCEPT, "https", f"ca={caller.lab.pki.pem('other-root')}")
    require(caller.same("https", f"ca={root}", "identity=ok") == 0, "checkServerIdentity isn't asked")
    caller.refused(PIN, "leaf-pin-mismatch", "https", f"ca={root}", "identity=ok")
    caller.refused(ACCEPT, "not the one", "https", "identity=wrong")


def blocked(caller):
    """Keys that Node.js itself blocks stay blocked where a rule goes by its anchors."""
    words = ("https", f"ca={caller.lab.pki.pem('root')}")
    leaf, flags = f"blocked={caller.lab.pki.pem('api')}", ("--expose-internals", "--no-warnings")
    caller.refused(None, "CERT_REVOKED", *words, "identity=ok", leaf, flags=flags)
    require(caller.same(*words, "identity=ok", leaf, flags=flags) == 1, "not blocked")
    caller.accepted(OWN, *words, flags=flags)
    caller.refused(OWN, "revoked", *words, leaf, flags=flags)
    caller.refused(OWN, "revoked", *words, "insecure", leaf, flags=flags)
    caller.accepted(ACCEPT, *words, leaf, flags=flags)


CHECKS = {"its clients": kinds, "its options": options, "blocked keys": blocked}


def check(lab, row, place, way, name):
    CHECKS[name](Caller(lab, row, place, way))
