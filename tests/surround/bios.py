"""bios.py - what clients may do with their BIOs (bios.c): nothing of ours gets in their way."""
import shutil

from e2e.harness import require
from e2e.naming import in_both_ways
from lab import ways
from surround.decisions import ACCEPT, ELSEWHERE, REJECT

COPIED = "; ".join(["copy took 1, its copy took 1, as it was"] * 4) + ";"
AFTER = "{0}, freed: 1 as it was; {0}, taken away: 1 as it was;"
# Under no rule and one for another host, under one that accepts the server's certificate, and
# under one that rejects it. Where a key stands for the certificate, the first of these refuses.
SCENARIOS = {
    "duplicated": (COPIED,) * 3,
    "let-go": ("destroyed at once",) * 3,
    "elsewhere": ("done",) * 3,
    "two-connections": ("after the first took 1, after the second took 1, as it was",) * 3,
    "old-form": ("through, told of everything", "through, told of everything",
                 "stopped, told of everything"),
    "after-refusal": (AFTER.format("through"), AFTER.format("stopped"), AFTER.format("stopped")),
    "again": ("through, through", "stopped, through", "stopped, through"),
    "replaced-1.2": ("through", "through", "stopped"),
    "replaced-1.3": ("through", "through", "stopped"),
    "replaced-key-1.2": ("through, " * 3,) + ("stopped, " * 3,) * 2,
    "replaced-key-1.3": ("through, " * 2,) + ("stopped, " * 2,) * 2,
}


def scenario(name, *under):
    """UNDER is a command that runs the program, which then says nothing of its own accord."""
    def check(lab, way):
        free, accepted, rejected = SCENARIOS[name]
        for policy, wanted in ((None, free), (ELSEWHERE, free), (ACCEPT, accepted),
                               (REJECT, rejected)):
            injected = ways.by_environment(lab.build, way if policy else ways.BARE,
                                           policy and lab.policy("[policy]\nlog = none\n" + policy))
            # glibc fills with this what is freed (mallopt(3)), so that its use is seen.
            status, out, err = lab.run(
                [*under, lab.programs["bios"], name, str(lab.pki.directory), "trusting"],
                environment=injected | {"MALLOC_PERTURB_": "165"})
            require(status == 0 and out.strip() == wanted.strip() and not (under and err),
                    f"wanted {wanted}: {policy}: status {status}: {out}{err}")
    return check


def tests():
    for name in SCENARIOS:
        yield from in_both_ways(f"bios: {name}", scenario(name))
    if shutil.which("valgrind"):
        for name in SCENARIOS:
            yield from in_both_ways(f"bios: {name}, under valgrind",
                                    scenario(name, "valgrind", "-q", "--error-exitcode=9"))
