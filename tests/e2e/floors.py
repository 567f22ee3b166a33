"""floors.py - min-tls, min-rsa-bits and security-level, by real servers and programs."""
from e2e.harness import require
from e2e.keys import scenario_tests
from e2e.naming import in_both_ways
from e2e.reload import Running
from lab.scenario import ACCEPT, REFUSE, Scenario

ANCHORS = "anchors = {root}\n"


def floor(title, server, key, under, finding="", bare=ACCEPT):
    return Scenario(f"floor: {title}", server, ANCHORS + key, bare, under, finding)


SCENARIOS = (
    floor("min-tls = 1.3, TLS 1.3", "api", "min-tls = 1.3", ACCEPT),
    floor("min-tls = 1.3, TLS 1.2", "api/1.2", "min-tls = 1.3", REFUSE, "tls-version"),
    floor("min-tls = 1.2, TLS 1.2", "api/1.2", "min-tls = 1.2", ACCEPT),
    floor("min-rsa-bits = 2048, RSA 2048", "rsa", "min-rsa-bits = 2048", ACCEPT),
    floor("min-rsa-bits = 3072, RSA 2048", "rsa", "min-rsa-bits = 3072", REFUSE, "weak-key"),
    floor("min-rsa-bits = 3072, an elliptic curve", "api", "min-rsa-bits = 3072", ACCEPT),
    floor("security-level = 3, RSA 2048", "rsa", "security-level = 3", REFUSE, "weak-key"),
    floor("security-level = 2, RSA 2048", "rsa", "security-level = 2", ACCEPT),
)
SERVERS = (*(scenario.server for scenario in SCENARIOS), "weak-key", "weak-signature",
           "weak-key/1.2")


def start(_):
    """Nothing but the leaves' servers is needed."""


def lower_for_one(lab, way):
    """In one process, in any order: RSA 1024 and SHA-1 of the one old host, of no other."""
    policy = """
[host old.example.test]
anchors = {root}
hostname = api.example.test
security-level = 0
[host level-1.example.test]
anchors = {root}
hostname = api.example.test
security-level = 1
[host api.example.test]
anchors = {root}
security-level = 2
"""
    with Running(lab, way) as client:
        client.put("policy.conf", policy)
        client.begin()
        for _ in range(2):
            for server, accepted_at in (("weak-key", 1), ("weak-key/1.2", 1),
                                        ("weak-signature", 0), ("api", 2)):
                for host, level in (("api", 2), ("old", 0), ("level-1", 1), ("api", 2)):
                    got = client.tell(f"{lab.servers.ports[server]} {host}.example.test")
                    wanted = "accept" if level <= accepted_at else "refuse"
                    require(got == wanted, f"{server}, {host}: {got}: {client.said()}")


def tests():
    yield from scenario_tests(SCENARIOS)
    yield from in_both_ways("floor: a lower level for one host", lower_for_one)
