"""names.py - is it the host's certificate: names under constraints, odd names, and twins."""
from e2e.harness import require
from e2e.keys import scenario_tests
from e2e.naming import in_both_ways, s_client
from lab import clients, ways
from lab.scenario import ACCEPT, REFUSE, Scenario

UNDER_ROOT = "anchors = {root}"
SCENARIOS = (
    Scenario("constraint: an excluded host, by a wildcard", "secretive-wildcard", UNDER_ROOT,
             REFUSE, REFUSE, "name-constraint", app=None, host="secret.example.test"),
    Scenario("constraint: another host, by that wildcard", "secretive-wildcard", UNDER_ROOT,
             REFUSE, ACCEPT, app=None, host="www.example.test"),
    Scenario("constraint: an excluded host, under the program's anchors", "secretive-wildcard",
             "min-tls = 1.2", ACCEPT, REFUSE, "name-constraint", host="secret.example.test"),
    Scenario("constraint: a common name that is a wildcard", "scoped-wildcard-cn",
             "anchors = {scoped-root}", REFUSE, REFUSE, "name-constraint", app=None,
             host="www.bank.test"),
    Scenario("constraint: a common name that is permitted", "permitted-cn",
             "anchors = {scoped-root}", REFUSE, ACCEPT, app=None, host="www.lab.test"),
    Scenario("distrust: an intermediate whose signature was written anew", "under-twin",
             "[distrust]\ncertificate = {intermediate}", ACCEPT, REFUSE, "distrusted"),
    Scenario("distrust: by its fingerprint, its signature written anew", "under-twin",
             "[distrust]\ncertificate = {fp intermediate}", ACCEPT, REFUSE, "distrusted"),
    Scenario("distrust: under a rule, its signature written anew", "under-twin",
             "[distrust]\ncertificate = {intermediate}\n"
             "[host api.example.test]\nanchors = {root}", ACCEPT, REFUSE, "distrusted"),
    Scenario("distrust: another, the signature written anew", "under-twin",
             "[distrust]\ncertificate = {other-intermediate}", ACCEPT, ACCEPT),
)
SERVERS = (*(scenario.server for scenario in SCENARIOS), "api", "cn-only", "ip", "mapped-ip",
           "wildcard")
RULE = "anchors = {root}\n"

# Python has its library verify the name. argv: the port, the name, yes or no to common names.
NAMED = """
import os, socket, ssl, sys
tls = ssl.create_default_context()
tls.hostname_checks_common_name = sys.argv[3] == "yes"
try:
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))),
                         server_hostname=sys.argv[2]) as wrapped:
        wrapped.sendall(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
        print("connected" if b"hello" in wrapped.recv(4096, 0) else "nothing")
except ssl.SSLCertVerificationError:
    print("refused")
"""


def start(_):
    """Nothing but the leaves' servers is needed."""


def named(lab, way, server, name, common_name="yes", rule=RULE):
    """(what happened to Python, what was logged)"""
    command = [clients.PYTHON, "-c", NAMED, str(lab.servers.ports[server]), name, common_name]
    policy = lab.policy(f"[host {name}]\n{rule}")
    _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
    return out.strip(), err


def forbidden_common_name(lab, way):
    """The program's word counts, and the refusal says whose it is."""
    for rule in (RULE, RULE + "hostname = api.example.test\n"):
        out, err = named(lab, way, "cn-only", "api.example.test", rule=rule)
        require(out == "connected", f"the common name doesn't count: {out} {err}")
        out, err = named(lab, way, "cn-only", "api.example.test", "no", rule)
        require(out == "refused" and "the program forbids to go by the common name" in err,
                f"forbidden: {out} {err}")
        out, err = named(lab, way, "api", "api.example.test", "no", rule)
        require(out == "connected", f"an alternative name doesn't count: {out} {err}")
    out, err = named(lab, way, "cn-only", "www.example.test", "no")
    require(out == "refused" and "forbids" not in err, f"another name: {out} {err}")


def underscore(lab, way):
    """As each program has it by itself: curl takes any label, OpenSSL's check is narrower."""
    target = lab.target("wildcard", host="a_b.example.test")
    policy = lab.policy("[host *.example.test]\n" + RULE)
    got = lab.get("curl", way, target, policy)
    require(got.verdict == ACCEPT, f"curl: {got.said}")
    out, err = named(lab, way, "wildcard", "a_b.example.test")
    require(out == "refused" and "letters, digits and hyphens alone" in err, f"{out} {err}")
    out, err = named(lab, way, "wildcard", "a-b.example.test")
    require(out == "connected", f"a hyphen: {out} {err}")


def trailing_dot(lab, way):
    """The name that a program has verified is the same without the dot at its end."""
    def reach(name):
        end = f"127.0.0.1:{lab.servers.ports['api']}"
        return s_client(lab, way, "[host *.example.test]\n" + RULE, "api", "-connect", end,
                        "-noservername", "-verify_hostname", name)
    require(reach("api.example.test."), "refused the name with a dot")
    require(reach("API.example.test."), "refused it in capitals")
    require(not reach("www.example.test."), "accepted another name")


def mapped_address(lab, way):
    """IPv4 in IPv6 is IPv4 where it is dialled, and nothing where a certificate has it."""
    def reach(server, address):
        end = f"127.0.0.1:{lab.servers.ports[server]}"
        return s_client(lab, way, "[host 127.0.0.1]\n" + RULE, server, "-connect", end,
                        "-noservername", "-verify_ip", address)
    require(reach("ip", "127.0.0.1"), "refused the address")
    require(reach("ip", "::ffff:127.0.0.1"), "refused it in IPv6")
    require(not reach("mapped-ip", "127.0.0.1"), "took an address of 16 bytes for one of IPv4")


def tests():
    yield from scenario_tests(SCENARIOS)
    yield from in_both_ways("name: a common name that the program forbids", forbidden_common_name)
    yield from in_both_ways("name: an underscore under a wildcard", underscore)
    yield from in_both_ways("name: a dot at the end of what is verified", trailing_dot)
    yield from in_both_ways("name: IPv4 in IPv6", mapped_address)
