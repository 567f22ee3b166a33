"""cases.py - what is tried with each program, and what is wrong with what it did."""
import dataclasses
import os
import pathlib
import re
import tempfile
import threading

from e2e.transparency import difference, steady
from lab import ways
from programs import messages
from programs.program import ACCEPT, ERROR, HOST, REFUSE, UNREACHABLE, Call

YES, NO, NONE = "yes", "no", "-"
# What the program itself is told: nothing, which CA to trust, to verify nothing.
DEFAULT, ROOT, OTHER, OFF = "default", "root", "other-root", "off"


@dataclasses.dataclass(frozen=True)
class Step:
    """One call of a server with the certificate LEAF, under a rule of these KEYS; none: bare."""
    leaf: str
    told: str
    keys: str | None
    wanted: str
    finding: str = ""       # what the log has to name
    check: str = ""         # of a bare call: by which of the program's checks it is refused


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    head: str       # its column's head
    text: str       # what it means, for the page
    steps: tuple
    option: str = ""    # what there is to try only where the program has it

    def applies(self, program):
        """A program that never verifies is always `off`, and heeds no CA."""
        if self.option == "off":
            return "off" in program.options or not program.checks
        return self.option == "" or bool(program.checks)


ANCHORS = "anchors = {root}"
CASES = (
    Case("anchors", "anchors", "a CA that only the policy names is trusted, "
         "and one that it doesn't name isn't", (
             Step("localhost", DEFAULT, None, REFUSE, check="chain"),
             Step("localhost", DEFAULT, ANCHORS, ACCEPT),
             Step("localhost-other", DEFAULT, ANCHORS, REFUSE, "missing-issuer"))),
    Case("name", "name", "a certificate for another name is accepted under a hostname key that "
         "names it, and refused without that key", (
             Step("partner", ROOT, None, REFUSE, check="name"),
             Step("partner", ROOT, f"{ANCHORS}\nhostname = www.partner.test", ACCEPT),
             Step("partner", ROOT, ANCHORS, REFUSE, "name-mismatch"))),
    Case("pin", "pin", "a server with the pinned key is accepted, one with another key refused", (
        Step("localhost", ROOT, None, ACCEPT),
        Step("localhost", ROOT, ANCHORS + "\nleaf-pin = {pin localhost}", ACCEPT),
        Step("localhost", ROOT, ANCHORS + "\nleaf-pin = {pin api}", REFUSE,
             "leaf-pin-mismatch"))),
    Case("off", "off", "the rule holds where the program's own verification is switched off", (
        Step("localhost-other", OFF, None, ACCEPT),
        Step("localhost", OFF, ANCHORS, ACCEPT),
        Step("localhost-other", OFF, ANCHORS, REFUSE, "missing-issuer")), "off"),
    Case("ca", "own CA", "the rule's anchors stand in for the CA that the program was given", (
        Step("localhost-other", OTHER, None, ACCEPT),
        Step("localhost", OTHER, ANCHORS, ACCEPT),
        Step("localhost-other", OTHER, ANCHORS, REFUSE, "missing-issuer")), "ca"),
    Case("alone", "alone", "without a policy, and where no rule matches, exit status and output "
         "are the same as without trustgraft, for a server that the program accepts and for one "
         "that it refuses", ()),
)
LOGGED = "[policy]\nlog = file:{log}\nlog-level = all\n[host {hosts}]\n"
UNMATCHED = "[policy]\nunmatched = app\n[host other.test]\naction = reject\n"


class Trial:
    """Calls of programs in LAB; each server is started when it is first needed, and once."""

    def __init__(self, lab):
        self.lab, self.ports, self.lock, self.known = lab, {}, threading.Lock(), {}

    def port(self, service, leaf):
        with self.lock:
            if (service, leaf) not in self.ports:
                self.ports[service, leaf] = service(self.lab, leaf)
            return self.ports[service, leaf]

    def call(self, program, leaf, told, scratch):
        cafile = str(self.lab.pki.pem(told)) if told in (ROOT, OTHER) else None
        return Call(self.port(program.service, leaf), cafile, told == OFF, scratch)

    def play(self, program, leaf, told, inject):
        with tempfile.TemporaryDirectory(dir=self.lab.scratch) as scratch:
            call = self.call(program, leaf, told, pathlib.Path(scratch))
            return program.play(self.lab, program, call, inject)

    def bare(self, program, leaf, told):
        """The same every time: asked for once."""
        key = program.name, leaf, told
        if key not in self.known:
            self.known[key] = self.play(program, leaf, told, lambda command: (command, {}))
        return self.known[key]

    # ---- one step under a policy --------------------------------------------------------------

    def injection(self, way, policy):
        def inject(command):
            return ways.by_command(self.lab.build, way, command, policy), {}
        return inject

    def step(self, program, step, way, hosts=HOST):
        """(kind, text) of what is wrong under a rule for HOSTS, or None."""
        keys = step.keys
        if keys is None:
            wanted = ACCEPT if step.check and step.check not in program.checks else step.wanted
            return self.complaint(program, self.bare(program, step.leaf, step.told), wanted, "bare")
        if hosts != HOST and "hostname" not in keys:
            keys += f"\nhostname = {HOST}"
        with tempfile.NamedTemporaryFile("r", dir=self.lab.scratch, suffix=".log",
                                         errors="replace") as log:
            os.chmod(log.name, 0o666)   # for programs that give up root's rights
            policy = self.lab.policy(LOGGED + keys, log=log.name, hosts=hosts)
            result = self.play(program, step.leaf, step.told, self.injection(way, policy))
            written = log.read()
        if result[0] not in (0, None) and re.match(r"trustgraft: .*(can't|neither|(try|use) 'trustgraft)",
                                                   result[2]):
            return UNREACHABLE, result[2].strip()
        about = f"{step.leaf}, told {step.told}, under {keys!r}"
        wrong = self.complaint(program, result, step.wanted, about)
        word = step.finding or "accept"
        if not wrong and word not in written:
            wrong = "log", f"{about}: {word} is to be logged"
        if wrong and not written and self.is_as_bare(program, step, result):
            return "unasked", f"{wrong[1]}; nothing is logged, and all is as without a policy"
        return wrong and (wrong[0], f"{wrong[1]}; logged: {written.strip()}")

    def is_as_bare(self, program, step, result):
        verdict = program.judge(*result)
        return verdict != ERROR and \
            verdict == program.judge(*self.bare(program, step.leaf, step.told))

    @staticmethod
    def complaint(program, result, wanted, about):
        verdict = program.judge(*result)
        if verdict == wanted:
            return None
        status, out, err = result
        kind = {(ACCEPT, REFUSE): "stricter", (REFUSE, ACCEPT): "laxer"}.get((wanted, verdict))
        return kind or ERROR, (f"{about}: wanted {wanted}, got {verdict}: exit {status}: "
                               f"{(out + err).strip()[-900:]}")

    # ---- what the program says of it ------------------------------------------------------------

    def message(self, program, way):
        """What is wrong with the program's own message of a refusal, or ''. Nothing is logged."""
        if program.limit("pin", way):
            return ""
        policy = self.lab.policy("[policy]\nlog = none\n[host {hosts}]\n" + ANCHORS +
                                 "\nleaf-pin = {pin api}", hosts=HOST)
        result = self.play(program, "localhost", ROOT, self.injection(way, policy))
        return messages.wrong(program, way, result, policy)

    # ---- left alone ---------------------------------------------------------------------------

    def alone(self, program, way):
        for leaf in ("localhost", "localhost-other"):
            bare = self.bare(program, leaf, ROOT)
            wanted = REFUSE if leaf != "localhost" and "chain" in program.checks else ACCEPT
            wrong = self.complaint(program, bare, wanted, "bare")
            if wrong:
                yield ERROR, wrong[1]
                continue
            for policy in (None, self.lab.policy(UNMATCHED)):
                injected = ways.by_environment(self.lab.build, way, policy)
                shim = self.play(program, leaf, ROOT, lambda command: (command, injected))
                one, other = steadied(program, bare), steadied(program, shim)
                if one != other:
                    yield "changed", "\n".join(
                        f"{leaf}: {difference(*pair)}" for pair in zip(one, other)
                        if pair[0] != pair[1])

    # ---- a cell of the table ------------------------------------------------------------------

    def complaints(self, program, case, way, hosts=HOST):
        if case.name == "alone":
            return list(self.alone(program, way))
        return [wrong for step in case.steps
                if (wrong := self.step(program, step, way, hosts))]

    def cell(self, program, case, way):
        """(YES, NO or NONE, what is wrong with that, or '')."""
        if not case.applies(program):
            return NONE, ""
        limit = program.limit(case.name, way)
        state, wrong = judge(limit, self.complaints(program, case, way))
        if limit and limit.instead and not wrong:
            wrong = judge(None, self.complaints(program, case, way, limit.instead))[1]
        return state, wrong


def steadied(program, result):
    status, *texts = steady(result)
    for pattern, plain in program.volatile:
        texts = [re.sub(pattern, plain, text) for text in texts]
    return [status, *texts]


def judge(limit, found):
    """The limit is to be met exactly."""
    if limit and not found:
        return YES, f"works, though this is said to be a limit: {limit.reason}"
    unforeseen = [text for kind, text in found if not limit or kind != limit.kind]
    return NO if found else YES, "\n".join(unforeseen)
