#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - many threads, many reloads, many hosts: no race, no leak."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import Skip, require, suite                               # noqa: E402
from lab import ways                                                       # noqa: E402
from lab.files import put                                                  # noqa: E402

SECONDS = 5
GROWTH = 8192  # KiB that a long life may take in addition
# What OpenSSL does without a lock in its own atomics is not to be seen from outside of it.
TSAN = {"TSAN_OPTIONS": "ignore_noninstrumented_modules=1"}

LAYOUT = "ThreadSanitizer can't run on this kernel's memory layout"


def crowd(lab):
    """ThreadSanitizer sees no race, and each verdict is that of a whole version."""
    policy = put(lab.scratch / "crowd.conf", "")
    status, out, err = lab.run([str(lab.build.directory / "tsan/tests/stress/crowd"),
                                str(lab.pki.directory), str(policy), str(SECONDS)],
                               environment=TSAN, seconds=600)
    if "unexpected memory mapping" in err:
        raise Skip(LAYOUT)
    require(status == 0, f"status {status}: {out}{err[-4000:]}")


def tables(lab):
    """The same of what the threads share, without any TLS."""
    status, out, err = lab.run([str(lab.build.directory / "tsan/tests/stress/tables"), lab.pki.pem("root"), str(SECONDS)],
                               environment=TSAN, seconds=600)
    if "unexpected memory mapping" in err:
        raise Skip(LAYOUT)
    require(status == 0, f"status {status}: {out}{err[-4000:]}")


def endure(what, count, way):
    """COUNT of WHAT leave no descriptor and no more than a little memory behind."""
    def check(lab):
        policy = put(lab.scratch / f"endure-{what}-{way}.conf", "")
        status, out, err = lab.run([str(lab.build.directory / "tests/stress/endure"),
                                    str(lab.pki.directory), str(policy), what, str(count)],
                                   environment=ways.by_environment(lab.build, way, policy),
                                   seconds=600)
        grown = re.fullmatch(r"(-?\d+) descriptors, (-?\d+) KiB\n", out)
        require(status == 0 and grown, f"status {status}: {out}{err[-2000:]}")
        require(int(grown[1]) == 0 and int(grown[2]) < GROWTH, f"grown: {out}")
    return check


def tests():
    yield "threads under ThreadSanitizer", crowd
    yield "tables under ThreadSanitizer", tables
    for way in ways.WAYS:
        yield f"100 reloads, {way}", endure("reloads", 100, way)
        yield f"400 hosts, {way}", endure("hosts", 400, way)


if __name__ == "__main__":
    sys.exit(suite(__doc__, tests()))
