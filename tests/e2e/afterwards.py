"""afterwards.py - a policy that was there when a program began, and isn't when it uses TLS."""
import os

from e2e.harness import require
from e2e.machine import NOBODY, System
from e2e.naming import in_both_ways
from e2e.system import HOST, LOCK, REJECT
from lab import clients, ways
from lab.files import put

SERVERS = ("api",)
ALLOW = HOST + "anchors = {root}\n"

# OpenSSL is there from the start, and with it the provider; the first context comes after a change.
PROGRAM = """
import encodings.idna, os, socket, ssl, sys
port, folder = int(sys.argv[1]), sys.argv[2]
plain = socket.create_connection(("127.0.0.1", port), 60)
{}
try:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(plain, server_hostname="api.example.test") as secured:
        secured.sendall(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
        print("accept" if secured.recv(4096) else "nothing")
except ssl.SSLError:
    print("refuse")
"""
CHROOT = "os.chroot(folder); os.chdir('/')"
CLEARED = "os.environ.clear()"
DROPPED = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
NAMED = "os.environ['TRUSTGRAFT_POLICY'] = folder + '/other.conf'"


def start(_):
    """Nothing but the leaf's server is needed."""


def folder_of(lab, name, **files):
    folder = lab.scratch / f"afterwards-{name}"
    folder.mkdir(mode=0o755, exist_ok=True)
    for path, text in files.items():
        put(folder / path.replace("__", "/").replace("_conf", ".conf"), lab.pki.expand(text))
    return folder


def outcome(lab, way, change, folder, system=None, environment=None):
    command = [clients.PYTHON, "-c", PROGRAM.format(change), str(lab.servers.ports["api"]), folder]
    variables = {"HOME": str(lab.scratch / "home")} | ways.by_environment(lab.build, way)
    with System(lab, system) as machine:
        status, out, err = machine.run([str(word) for word in command],
                                       variables | (environment or {}), user=False)
    require(out.split() in (["accept"], ["refuse"]), f"{change}: exit {status}: {out}{err}")
    return out.strip(), err


def expect(wanted, words, *asked):
    got, err = outcome(*asked)
    require(got == wanted and words in err, f"not {wanted}, {words}: {asked[2:]}: {got}: {err}")


def system_policy(lab, way):
    """Neither an empty root directory nor another policy under it is a way out; no policy is none."""
    empty = folder_of(lab, f"empty-{way}")
    other = folder_of(lab, f"other-{way}", etc__trustgraft__policy_conf=ALLOW)
    expect("accept", "", lab, way, "", empty, ALLOW)
    for folder in (empty, other):
        for policy in (ALLOW, REJECT, LOCK + REJECT):
            expect("refuse", "", lab, way, CHROOT, folder, policy)
    reject = folder_of(lab, f"reject-{way}", etc__trustgraft__policy_conf=REJECT)
    for folder in (empty, reject):
        expect("accept", "", lab, way, CHROOT, folder, None)


def lock_out_of_sight(lab, way):
    """A policy of the environment that is there under both doesn't get round the system's lock."""
    jail = folder_of(lab, f"jail-{way}", named_conf=ALLOW)
    put(f"{jail}{jail}/named.conf", lab.pki.expand(ALLOW))
    named = {"TRUSTGRAFT_POLICY": str(jail / "named.conf")}
    expect("accept", "", lab, way, "", jail, None, named)
    for policy in (None, LOCK + REJECT):
        expect("refuse", "", lab, way, CHROOT, jail, policy, named)


def environment(lab, way):
    """Cleared, or set to another policy: what it was in the beginning counts."""
    home = folder_of(lab, f"home-{way}", allow_conf=ALLOW, reject_conf=REJECT, other_conf=ALLOW)
    for name, wanted in (("allow.conf", "accept"), ("reject.conf", "refuse")):
        named = {"TRUSTGRAFT_POLICY": str(home / name)}
        for change in ("", CLEARED, NAMED):
            expect(wanted, "", lab, way, change, home, None, named)
    put(home / "other.conf", REJECT)
    expect("accept", "", lab, way, NAMED, home, None)
    user = {"XDG_CONFIG_HOME": str(folder_of(lab, f"xdg-{way}", trustgraft__policy_conf=REJECT))}
    for change in ("", CLEARED, NAMED):
        expect("refuse", "", lab, way, change, folder_of(lab, f"home-{way}", other_conf=ALLOW), None,
               user)


def rights(lab, way):
    """A policy of root's that its program can't read any more."""
    secret = folder_of(lab, f"secret-{way}", policy_conf=ALLOW)
    named = {"TRUSTGRAFT_POLICY": str(secret / "policy.conf")}
    expect("accept", "", lab, way, "", secret, None, named)
    expect("accept", "", lab, way, DROPPED, secret, None, named)
    os.chmod(secret / "policy.conf", 0o600)
    expect("accept", "", lab, way, "", secret, None, named)
    expect("refuse", "Permission denied", lab, way, DROPPED, secret, None, named)


def closed_home(lab, way):
    """A HOME that the user can't look into holds none of that user's policies."""
    home = folder_of(lab, f"closed-{way}", _config__trustgraft__policy_conf=REJECT)
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    environment = {"HOME": str(home)} | ways.by_environment(lab.build, way)
    for mode, wanted in ((0o755, "refuse"), (0o700, "accept")):
        home.chmod(mode)
        with System(lab) as machine:
            got = lab.judge(clients.PROGRAMS["curl"], *machine.run(
                [*command, "env", *(f"{key}={value}" for key, value in environment.items()),
                 *clients.curl(lab.target("api", app="root"))], user=False))
        require(got.verdict == wanted, f"{mode:o}: {got.said}")


def empty_variable(lab, way):
    """It was meant to name a policy."""
    for system in (None, ALLOW):
        expect("refuse", "TRUSTGRAFT_POLICY is set, but empty", lab, way, "", lab.scratch, system,
               {"TRUSTGRAFT_POLICY": ""})


def tests():
    for title, test in (("the root directory", system_policy),
                        ("the root directory, a lock", lock_out_of_sight),
                        ("the environment", environment), ("rights", rights),
                        ("a HOME that is closed", closed_home),
                        ("an empty variable", empty_variable)):
        yield from in_both_ways(f"afterwards: {title}", test)
