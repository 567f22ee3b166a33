"""peers.py - other servers than CPython's: nginx, openssl s_server, an older TLS."""
from e2e.harness import Skip, require
from lab import clients, ways

SERVERS = ("api/1.2", "api-other/1.2")
PEERS = {"nginx": "api", "nginx-other": "api-other", "s_server": "api",
         "s_server-other": "api-other", "s_server-1.2": "api", "s_server-1.2-other": "api-other"}


def start(lab):
    for name, leaf in PEERS.items():
        if name.startswith("nginx"):
            lab.servers.nginx(name, leaf)
        else:
            lab.servers.openssl(name, "-tls1_2" if "1.2" in name else "-tls1_3", leaf=leaf)


def peer_test(good, bad, way):
    """Each program accepts the server under the policy's anchor, and refuses the other one."""
    def test(lab):
        if good not in lab.servers.ports:
            raise Skip("there is no nginx on this machine")
        policy = lab.policy("[host api.example.test]\nanchors = {root}")
        for name, program in clients.PROGRAMS.items():
            if not ways.reaches(lab.build, way, program.executable):
                continue
            for server, wanted in ((good, "accept"), (bad, "refuse")):
                for insecure in (False, True):
                    got = lab.get(name, way, lab.target(server, insecure=insecure), policy)
                    require(got.verdict == wanted, f"{name}: {server}: {got.said}")
    return f"server: {good} [{way}]", test


def tests():
    for good, bad in (("nginx", "nginx-other"), ("s_server", "s_server-other"),
                      ("s_server-1.2", "s_server-1.2-other"), ("api/1.2", "api-other/1.2")):
        for way in ways.WAYS:
            yield peer_test(good, bad, way)
