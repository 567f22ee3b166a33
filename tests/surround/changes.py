"""changes.py - what a client makes of its connection once it has begun (naming.c, moving.c)."""
import contextlib
import shutil
import socket

from e2e.harness import require
from e2e.identity import cutting, holding
from e2e.naming import in_both_ways
from lab import ways
from surround.decisions import ACCEPT, DISTRUST, ELSEWHERE, REJECT, call
from surround.wires import REJECTS, datagram_server

SENT = REJECTS.format("sent.example.test")
FREE = "[host sent.example.test]\naction = pass\n"
# Whether the rule of the name that is sent counts too: it doesn't where another is to be verified
# from the start.
NAMES = {"store": False, "own-store": False, "replaced": False, "late": True,
         "told-to-verify": False, "told-to-send": False, "told-of-context": False}


def verifies(scenario):
    """A name that the library is to verify is one whose rule is asked, whoever gave it, and when."""
    def check(lab, way):
        pki = str(lab.pki.directory)
        for policy, trust, wanted in (
                (ACCEPT, "trustless", "through"), (REJECT, "trusting", "stopped"),
                (ACCEPT + FREE, "trustless", "through"), (REJECT + FREE, "trusting", "stopped"),
                (REJECTS.format("other.example.test"), "trusting", "through"),
                (SENT, "trusting", "stopped" if NAMES[scenario] else "through"),
                (ELSEWHERE, "trusting", "through"), (ELSEWHERE, "trustless", "stopped"),
                (DISTRUST, "trusting", "through"), (DISTRUST, "trustless", "stopped")):
            got = call(lab, way, policy, "naming", scenario, pki, trust)
            require(got == wanted, f"wanted {wanted}: {trust}: {policy}: {got}")
    return check


@contextlib.contextmanager
def streams(lab):
    """A port where nobody says anything, and a server's."""
    with holding() as silent:
        yield silent, lab.servers.ports["ip"]


@contextlib.contextmanager
def datagrams(lab):
    """The same of DTLS, whose server never knows that a client has gone."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server, port = datagram_server(lab)
        yield silent.getsockname()[1], port
        server.terminate()


ADDRESS, NAMED = (), ("api.example.test",)
PLACES = (
    ("[host 127.0.0.1:{to}]\naction = reject", ADDRESS, "refused"),
    ("[host 127.0.0.1:{silent}]\naction = reject", ADDRESS, "refused"),
    ("[host 127.0.0.1:1]\naction = reject", ADDRESS, "through"),
    ("[host 127.0.0.1:{to}]\nanchors = {{root}}\nleaf-pin = {{pin ip}}", ADDRESS, "through"),
    ("[host 127.0.0.1:{to}]\nanchors = {{other-root}}", ADDRESS, "refused"),
    ("[host api.example.test:{to}]\naction = reject", NAMED, "refused"),
    ("[host api.example.test:{silent}]\naction = reject", NAMED, "refused"),
    ("[host 127.0.0.1:{to}]\naction = reject", NAMED, "through"),
)


def moves(how, places):
    """The rules of the place that it left and of the one that it went to have to be fulfilled."""
    def check(lab, way):
        for policy, names, wanted in PLACES:
            with places(lab) as (silent, to):
                got = call(lab, way, policy.format(silent=silent, to=to), "moving", how,
                           str(silent), str(to), *names)
            require(got == wanted, f"wanted {wanted}: {policy}: {names}: {got}")
    return check


def dialled(lab, way):
    """What the program hands to the kernel is looked at, and nothing beside it."""
    for how, places in (("failing", streams), ("connect", datagrams)):
        for policy, wanted in ((REJECTS.format("127.0.0.1"), "refused"), (ELSEWHERE, "through")):
            injected = ways.by_environment(lab.build, way, lab.policy("[policy]\nlog = none\n" + policy))
            with places(lab) as (silent, to):
                status, out, err = lab.run(["valgrind", "-q", "--error-exitcode=9", lab.programs["moving"], how, str(silent),
                                            str(to)], environment=injected, seconds=600)
            require((status, out.strip(), err) == (0, wanted, ""), f"{how}: {policy}: {status}: {out}{err}")


def gone(lab, way):
    """A server that has said all and is gone is who it was."""
    for address, wanted in (("127.0.0.1", "refused"), ("127.0.0.9", "ended")):
        with cutting(lab.servers.ports["ip"]) as port:
            got = call(lab, way, REJECTS.format(f"{address}:{port}"), "moving", "late", str(port),
                       "0")
        require(got == wanted, f"wanted {wanted}: {address}: {got}")


def tests():
    for scenario in NAMES:
        yield from in_both_ways(f"names: {scenario}", verifies(scenario))
    yield from in_both_ways("elsewhere: failing", moves("failing", streams))
    for how in ("connect", "dup", "peer"):
        yield from in_both_ways(f"elsewhere: datagrams, {how}", moves(how, datagrams))
    yield from in_both_ways("elsewhere: the server is gone", gone)
    if shutil.which("valgrind"):
        yield from in_both_ways("elsewhere, under valgrind", dialled)
