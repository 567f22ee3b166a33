#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - what a short program pays, in instructions: one request of
curl, with the system's bundle of CAs and the test CA, to the same without trustgraft. And what a
client pays for each handshake after the first ones, of the bench's program (bench/handshake.c).

Instructions are counted over the whole process by valgrind: other than times, they are the same on
a busy machine, to a hundredth of a per cent.
"""
import dataclasses
import pathlib
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import Skip, require, suite                               # noqa: E402
from lab import ways                                                       # noqa: E402
from lab.clients import PROGRAMS                                           # noqa: E402
from lab.files import put                                                  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import setting                                                             # noqa: E402
from handshakes import client_instructions                                 # noqa: E402
from measure import counted, no_callgrind                                  # noqa: E402

BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
INERT = "[host other.example *.other.example 192.0.2.0/24]\naction = reject\n"
MATCHING = "[host api.example.test]\nanchors = {root}\n"
REFUSING = "[host api.example.test]\naction = reject\n"
NAMING = "[host api.example.test]\nanchors = {bundle}\n"
# Of bare, with a margin. Where curl's own bundle is decoded on demand, little is left; by the provider
# libcrypto has one more provider to look through for each CA of it. A rule's CA is decoded by neither
# where curl has it. A rule's bundle has to be read, which both share where curl's is read as well.
MOST = {INERT: {"preload": 0.165, "provider": 1.01}, MATCHING: {"preload": 0.165, "provider": 1.01},
        NAMING: {"preload": 0.165, "provider": 1.03}}

VERIFYING = 0.125  # of bare, with a margin

# Of a handshake, each with the policy it is compared with (None: bare), again with a margin.
HANDSHAKES = (("without a rule", None, "other", 1.0075), ("with a server met before", None, "rule", 0.795),
              ("with a line of JSON", "rule", "log", 1.0035))


def missing():
    """What this machine lacks, or None."""
    if not shutil.which("valgrind"):
        return "needs valgrind"
    return None if BUNDLE.exists() else f"there is no {BUNDLE}"


def count(lab, environment):
    """Instructions of the one request."""
    curl = [*PROGRAMS["curl"].command(lab.fetched), "--max-time", "900"]
    status, out, err = lab.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *curl],
                               environment=environment, seconds=1000)
    counted = re.search(r"Collected : (\d+)", err)
    require(status == 0 and "hello from" in out and counted, f"exit {status}: {err[-2000:]}")
    return int(counted[1])


def start(lab):
    lab.servers.openssl("api", leaf="api")  # which waits as long as valgrind takes
    lab.fetched = lab.target("api", app="root")
    if missing() is None:
        bundle = put(lab.scratch / "bundle.pem", BUNDLE.read_bytes() + lab.pki.pem("root").read_bytes())
        lab.fetched = dataclasses.replace(lab.fetched, cafile=str(bundle))
        lab.bare = count(lab, {})


def costs(text, way, refusing=REFUSING):
    """One request costs little more than bare, where another rule would refuse it."""
    def check(lab):
        if missing() is not None:
            raise Skip(missing())
        refused = lab.get_raw("curl", way, lab.fetched, lab.policy(refusing))
        require(refused.verdict == "refuse", f"not under the policy: {refused.said}")
        policy = lab.policy(text.replace("{bundle}", lab.fetched.cafile))
        ratio = count(lab, ways.by_environment(lab.build, way, policy)) / lab.bare
        require(ratio <= MOST[text][way], f"{ratio:.4f} of the {lab.bare:,} instructions of bare")
    return check


def verifying(lab):
    """`openssl verify`, which makes its store without an SSL_CTX, decodes no more than it takes."""
    if missing() is not None:
        raise Skip(missing())
    environment = ways.by_environment(lab.build, "preload", lab.policy(INERT))

    def instructions(bundle, environment):
        status, out, err = lab.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "openssl", "verify",
                                    "-CAfile", bundle, "-untrusted", lab.pki.chain("api"), lab.pki.pem("api")],
                                   environment=environment, seconds=1000)
        return status == 0 and out.endswith(": OK\n"), int(re.search(r"Collected : (\d+)", err)[1])
    (bare_ok, bare), (ok, count_under) = [instructions(lab.fetched.cafile, each) for each in ({}, environment)]
    require(bare_ok and ok, "not verified")
    require(not instructions(BUNDLE, environment)[0], "verified without its CA")
    require(count_under / bare <= VERIFYING, f"{count_under / bare:.4f} of the {bare:,} instructions of bare")


def handshakes(name, limit, base, title):
    """A client's handshake costs little more than with BASE."""
    def check(lab):
        if no_callgrind():
            raise Skip(no_callgrind())
        place = setting.Place(str(lab.build.directory.resolve()), tempfile.mkdtemp(dir=lab.scratch))
        place.must_refuse([place.handshake, place.pki], stdin="1\n")
        environments = [place.bare() if base is None else place.preload(base), place.preload(name)]
        cases = [setting.Case(title, environment) for environment in environments]
        before, after = counted(lambda case: client_instructions(place, case, ["tcp"], 5, 25), cases)
        require(after / before <= limit, f"{after / before:.4f} of {before:,.0f} instructions")
    return check


def tests():
    for name, base, policy, limit in HANDSHAKES:
        yield f"a handshake {name}, preload", handshakes(policy, limit, base, name)
    yield "openssl verify under a policy for other hosts, preload", verifying
    for way in ways.WAYS:
        yield f"curl under a policy for other hosts, {way}", costs(INERT, way)
        yield f"curl under a rule with its CA, {way}", costs(MATCHING, way)
        yield (f"curl under a rule with the bundle, {way}",
               costs(NAMING, way, refusing=NAMING.replace("{bundle}", str(BUNDLE))))


if __name__ == "__main__":
    sys.exit(suite(__doc__, tests(), start))
