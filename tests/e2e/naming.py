"""naming.py - which rule a connection gets: patterns, ports, programs, and what its name is."""
import os
import shutil

from e2e.harness import Skip, require
from e2e.keys import scenario_tests
from lab import clients, ways
from lab.scenario import ACCEPT, REFUSE, Scenario

SCENARIOS = (
    Scenario("pattern: exact before wildcard", "api",
             "[host *.example.test]\naction = reject\n[host api.example.test]\nstrict = no",
             ACCEPT, ACCEPT),
    Scenario("pattern: the longer wildcard", "api",
             "[host *.test]\nstrict = no\n[host *.example.test]\naction = reject", ACCEPT, REFUSE,
             "host-rejected"),
    Scenario("pattern: a wildcard isn't the name itself", "api",
             "[host *.api.example.test]\naction = reject", ACCEPT, ACCEPT),
    Scenario("pattern: a suffix isn't a label", "api", "[host *.ample.test]\naction = reject",
             ACCEPT, ACCEPT),
    Scenario("pattern: anything before *", "api",
             "[host *]\naction = reject\n[host *.test]\nstrict = no", ACCEPT, ACCEPT),
    Scenario("pattern: *", "api", "[host *]\naction = reject", ACCEPT, REFUSE, "host-rejected"),
    Scenario("pattern: case and trailing dot", "api", "[host API.Example.TEST.]\naction = reject",
             ACCEPT, REFUSE, "host-rejected"),
    Scenario("port: this one", "api", "[host api.example.test:{port}]\naction = reject", ACCEPT,
             REFUSE, "host-rejected"),
    Scenario("port: another one", "api", "[host api.example.test:1]\naction = reject", ACCEPT,
             ACCEPT),
    Scenario("port: with before without", "api",
             "[host api.example.test]\naction = reject\n"
             "[host api.example.test:{port}]\nstrict = no",
             ACCEPT, ACCEPT),
    Scenario("address: the one dialled", "ip", "[host 127.0.0.1]\nanchors = {root}", REFUSE,
             ACCEPT, app=None, host="127.0.0.1"),
    Scenario("address: the certificate has only names", "api", "[host 127.0.0.1]\nanchors = {root}",
             REFUSE, REFUSE, "name-mismatch", app=None, host="127.0.0.1"),
    Scenario("address: a block", "ip", "[host 127.0.0.0/8]\naction = reject", ACCEPT, REFUSE,
             "host-rejected", host="127.0.0.1"),
    Scenario("address: before its block", "ip",
             "[host 127.0.0.0/8]\naction = reject\n[host 127.0.0.1]\nstrict = no", ACCEPT, ACCEPT,
             host="127.0.0.1"),
    Scenario("address: the longer prefix", "ip",
             "[host 127.0.0.0/8]\nstrict = no\n[host 127.0.0.0/24]\naction = reject", ACCEPT,
             REFUSE, "host-rejected", host="127.0.0.1"),
    Scenario("address: checks switched off", "api-other", "[host 127.0.0.1]\nanchors = {root}",
             ACCEPT, REFUSE, "missing-issuer", app=None, host="127.0.0.1", insecure=True),
    Scenario("address: a name's rule isn't its address's", "api",
             "[host 127.0.0.1]\naction = reject", ACCEPT, ACCEPT),
    Scenario("address: hostname names the server", "api",
             "[host 127.0.0.1]\nhostname = api.example.test", REFUSE, ACCEPT, host="127.0.0.1"),
    Scenario("IPv6: the one dialled", "ip", "[host ::1]\nanchors = {root}", REFUSE, ACCEPT,
             app=None, host="::1", address="::1"),
    Scenario("IPv6: its port", "ip", "[host [::1]:{port}]\naction = reject", ACCEPT, REFUSE,
             "host-rejected", host="::1", address="::1"),
    Scenario("IPv6: a block", "ip", "[host ::/64]\naction = reject", ACCEPT, REFUSE,
             "host-rejected", host="::1", address="::1"),
    Scenario("name: an IP SAN is no name", "ip-as-dns", "[host 127.0.0.1]\nanchors = {root}",
             REFUSE, REFUSE, "name-mismatch", app=None, host="127.0.0.1"),
    Scenario("name: a wildcard", "wildcard", "anchors = {root}", REFUSE, ACCEPT, app=None),
    Scenario("name: a wildcard is one label", "wildcard", "anchors = {root}", REFUSE, REFUSE,
             "name-mismatch", app=None, host="a.api.example.test"),
    Scenario("name: CN where there is no SAN", "cn-only", "anchors = {root}", REFUSE, ACCEPT,
             app=None),
    Scenario("name: no CN beside a SAN", "cn-beside-san", "anchors = {root}", REFUSE, REFUSE,
             "name-mismatch", app=None),
)
SERVERS = tuple(scenario.server for scenario in SCENARIOS)
GET = b"GET /hello HTTP/1.0\r\n\r\n"


def start(_):
    """Nothing but the leaves' servers is needed."""


def in_both_ways(title, check):
    for way in ways.WAYS:
        yield f"{title} [{way}]", lambda lab, way=way: check(lab, way)


def s_client(lab, way, policy, server, *arguments):
    """s_client without any check of its own; True if the server's words arrived."""
    command = ["openssl", "s_client", "-quiet", *arguments]
    status, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)), GET)
    require(status in (0, 1), f"crashed or hung: status {status}: {err}")
    arrived = f"hello from {server}" in out
    require(arrived or "certificate verify failed" in err, f"neither accepted nor refused: {err}")
    return arrived


def known_by_address_only(lab, way):
    """Neither a reference name nor SNI: the peer's address is the name."""
    def reach(server, policy):
        end = f"127.0.0.1:{lab.servers.ports[server]}"
        return s_client(lab, way, policy, server, "-connect", end, "-noservername")
    require(reach("ip", "[host 127.0.0.1]\nanchors = {root}"), "refused a server with that address")
    require(not reach("api", "[host 127.0.0.1]\nanchors = {root}"), "accepted another's")
    require(reach("api", "[host 127.0.0.2]\nanchors = {root}"), "another address's rule applied")


def known_by_lookup(lab, way):
    """The preload knows which name was looked up; the provider sees only the address."""
    def reach(policy):
        end = f"localhost:{lab.servers.ports['api']}"
        return s_client(lab, way, policy, "api", "-4", "-connect", end, "-noservername")
    rejects = reach("[host localhost]\naction = reject")
    require(rejects == (way == ways.PROVIDER), "the looked-up name's rule did not decide")
    require(reach("[host localhost]\nhostname = api.example.test\nanchors = {root}"),
            "refused a good server")
    require(not reach("[host 127.0.0.1]\naction = reject"), "a looked-up name hid the address's rule")
    require(reach("[host 127.0.0.0/8 localhost]\nhostname = api.example.test\nanchors = {root}"),
            "refused a good server under one rule for both")


def reference_name_first(lab, way):
    """The name that is to be verified comes before the one in SNI."""
    end = f"127.0.0.1:{lab.servers.ports['api']}"
    names = ("-connect", end, "-servername", "sni.example.test", "-verify_hostname",
             "api.example.test", "-CAfile", str(lab.pki.pem("root")))
    require(not s_client(lab, way, "[host api.example.test]\naction = reject", "api", *names),
            "the reference name's rule did not apply")
    require(s_client(lab, way, "[host sni.example.test]\naction = reject", "api", *names),
            "SNI's rule applied beside a reference name")


def program_rules(lab, way):
    """A rule with `program` is for that executable alone, by base name, glob or path."""
    target = lab.target("api", app="root")
    curl = os.path.realpath(shutil.which("curl"))
    for word, reached in (("curl", {"curl"}), ("python3*", {"python3"}), (curl, {"curl"}),
                          ("/usr/bin/python3", {"python3"}), ("/usr/bin/*", {"curl", "python3"}),
                          ("node", set()), ("curl, python3*", {"curl", "python3"})):
        policy = lab.policy(f"[host api.example.test]\nprogram = {word}\naction = reject")
        for program in ("curl", "python3"):
            wanted = REFUSE if program in reached else ACCEPT
            got = lab.get(program, way, target, policy)
            require(got.verdict == wanted, f"program = {word}: {program}: {got.said}")


def program_before_any(lab, way):
    policy = lab.policy("[host api.example.test]\nprogram = curl\nstrict = no\n"
                        "[host api.example.test]\naction = reject")
    target = lab.target("api", app="root")
    require(lab.get("curl", way, target, policy).verdict == ACCEPT, "curl has a rule of its own")
    require(lab.get("python3", way, target, policy).verdict == REFUSE, "python3 has the other")


def node_program(lab, way):
    if not ways.reaches(lab.build, way, clients.PROGRAMS["node"].executable):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    policy = lab.policy("[host api.example.test]\nprogram = node\naction = reject")
    target = lab.target("api", app="root")
    require(lab.get("node", way, target, policy).verdict == REFUSE, "not for node")
    require(lab.get("curl", way, target, policy).verdict == ACCEPT, "for curl")


# A server that is a client as well and hands libssl no socket, as proxies do. argv: whether its
# own client came over a port that it listens on; the server's port; more ports to connect to.
PROXY = """
import asyncio, os, socket, ssl, sys
front = socket.create_server(("127.0.0.1", 0))
gone, stay = os.pipe()
if os.fork() == 0:
    os.close(stay)
    guest = socket.create_connection(front.getsockname())
    os.read(gone, 1)
    os._exit(0)
guest, _ = front.accept()
if sys.argv[1] == "closed":
    front.close()
others = [socket.create_connection(("127.0.0.1", int(port))) for port in sys.argv[3:]]
async def main():
    tls = ssl.create_default_context(cafile=os.environ["CA"])
    try:
        await asyncio.open_connection("127.0.0.1", int(sys.argv[2]), ssl=tls,
                                      server_hostname="api.example.test")
        print("connected")
    except ssl.SSLCertVerificationError:
        print("refused")
asyncio.run(main())
"""


def port_beside_clients(lab, way):
    """The port is known by the connection that the process made, not by those that it accepted."""
    port, other = (lab.servers.ports[name] for name in ("api", "api-other"))

    def connect(policy, *how):
        command = [clients.PYTHON, "-c", PROXY, *map(str, how)]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)),
                              environment={"CA": str(lab.pki.pem("root"))})
        return out.strip(), err
    rule = f"[host api.example.test:{port}]\n"
    out, err = connect(rule + "strict = no", "open", port)
    require(out == "connected", f"it has a client of its own: {out} {err}")
    out, err = connect(rule + "action = reject", "open", port)
    require(out == "refused", f"the rule did not apply: {out} {err}")
    out, err = connect(f"[host api.example.test:{other}]\naction = reject", "open", port)
    require(out == "connected", f"another port's rule applied: {out} {err}")
    for how in (("open", port, other), ("closed", port)):
        out, err = connect(rule + "action = reject", *how)
        require(out == "refused", f"{how}: the rule of what it may be did not apply: {out} {err}")
        out, err = connect(rule + "strict = no", *how)
        require(out == "connected", f"{how}: it is fulfilled: {out} {err}")
    out, err = connect(f"[host api.example.test:{other}]\naction = reject", "open", port, other)
    require((out == "connected") == (way == ways.PRELOAD),
            f"the port is known in the preload alone: {out} {err}")


def tests():
    yield from scenario_tests(SCENARIOS)
    yield from in_both_ways("connection: known by its address only", known_by_address_only)
    yield from in_both_ways("connection: known by the name looked up", known_by_lookup)
    yield from in_both_ways("connection: reference name before SNI", reference_name_first)
    yield from in_both_ways("connection: its port, in a server", port_beside_clients)
    yield from in_both_ways("program: that executable alone", program_rules)
    yield from in_both_ways("program: with before without", program_before_any)
    yield from in_both_ways("program: node", node_program)
