"""system.py - the system's policy: its place in the order, its lock, and privileged programs."""
import os
import pathlib
import re
import shutil
import subprocess

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways
from lab.files import put, put_program
from e2e.machine import NOBODY, System

SERVERS = ("api",)
HOST = "[host api.example.test]\n"
REJECT, ALLOW = HOST + "action = reject\n", HOST + "strict = no\n"
LOCK = "[policy]\nlocked = yes\n"
PRIVILEGES = ("set-uid", "set-gid", "capabilities")


def start(_):
    """Nothing but the leaves' servers is needed."""


def place(lab, name, text, owner=None):
    """A policy file of that text under a path of its own; returns the path."""
    return put(lab.scratch / "system" / name, text, owner)


def config_with(lab, name, **files):
    """An XDG_CONFIG_HOME with trustgraft/policy.conf."""
    path = place(lab, f"{name}/trustgraft/policy.conf", files["text"], files.get("owner"))
    return str(path.parent.parent)


def cnf(lab, policy=None):
    """
    The provider's openssl.cnf, with its `policy` setting, as the system's: without the line
    that includes the system's, which would be itself.
    """
    text = re.sub(r"(?m)^\.include .*\n", "", lab.build.openssl_cnf.read_text())
    module = f"module = {lab.build.module}"
    require(module in text, f"no {module} in openssl.cnf")
    return text.replace(module, f"{module}\npolicy = {policy}") if policy else text


def verdict(lab, way, system, environment=None, tool=None):
    """What an unprivileged user's curl does; the provider comes by the system's openssl.cnf."""
    program = clients.PROGRAMS["curl"]
    command = program.command(lab.target("api", app="root"))
    if tool:
        command = [str(tool), *command[1:]]
    injected = ways.by_environment(lab.build, way) if way == ways.PRELOAD else {}
    extra = {"HOME": str(lab.scratch / "home")} | injected | (environment or {})
    return lab.judge(program, *system.run(command, extra))


def expect(lab, way, system, wanted, environment=None, tool=None):
    got = verdict(lab, way, system, environment, tool)
    require(got.verdict == wanted, f"{environment}: not {wanted}: {got.said}")
    return got


def order(lab, way):
    """The environment, the provider's setting, the user's, the system's."""
    named = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW))}
    user = {"XDG_CONFIG_HOME": config_with(lab, f"user-{way}", text=ALLOW, owner=NOBODY)}
    with System(lab, REJECT, cnf(lab)) as system:
        expect(lab, way, system, "refuse")
        expect(lab, way, system, "accept", user)
        expect(lab, way, system, "accept", named)
    with System(lab, ALLOW, cnf(lab)) as system:
        expect(lab, way, system, "accept")
        reject = {"XDG_CONFIG_HOME": config_with(lab, f"reject-{way}", text=REJECT, owner=NOBODY)}
        expect(lab, way, system, "refuse", reject)
        expect(lab, way, system, "accept", reject | named)


def setting(lab, way):
    named = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW))}
    user = {"XDG_CONFIG_HOME": config_with(lab, "user-setting", text=ALLOW, owner=NOBODY)}
    with System(lab, ALLOW, cnf(lab, place(lab, "reject.conf", REJECT))) as system:
        expect(lab, way, system, "refuse")
        expect(lab, way, system, "refuse", user)
        expect(lab, way, system, "accept", named)


def home_of_user(lab, way):
    """HOME's policy, which its owner may write, and nobody else."""
    home = place(lab, f"home-{way}/.config/trustgraft/policy.conf", REJECT, NOBODY).parents[2]
    with System(lab, None, cnf(lab)) as system:
        expect(lab, way, system, "refuse", {"HOME": str(home)})
        expect(lab, way, system, "accept")
        other = place(lab, f"other-{way}/.config/trustgraft/policy.conf", ALLOW, 1)
        got = expect(lab, way, system, "refuse", {"HOME": str(other.parents[2])})
        require("policy-invalid" in got.stderr or not got.log, got.said)


def nothing_anywhere(lab, way):
    with System(lab, None, cnf(lab)) as system:
        got = expect(lab, way, system, "accept")
        require(not got.stderr, got.said)


def unreadable(lab, way):
    """The system's policy was asked for: who can't read it reaches nobody."""
    with System(lab, ALLOW, cnf(lab), mode=0o600) as system:
        expect(lab, way, system, "refuse")


def locked(lab, way):
    named = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW))}
    user = {"XDG_CONFIG_HOME": config_with(lab, f"locked-{way}", text=ALLOW, owner=NOBODY)}
    set_up = cnf(lab, place(lab, "allow.conf", ALLOW)) if way == ways.PROVIDER else cnf(lab)
    with System(lab, LOCK + REJECT, set_up) as system:
        for environment in ({}, named, user, named | user):
            expect(lab, way, system, "refuse", environment)
    with System(lab, LOCK.replace("yes", "no") + REJECT, cnf(lab)) as system:
        expect(lab, way, system, "accept", named)


def locked_but_broken(lab, way):
    """An error in the system's policy doesn't unlock it."""
    named = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW))}
    for text, mode in ((LOCK + "[host\n", 0o644), (LOCK + ALLOW, 0o666), (LOCK + ALLOW, 0o600)):
        with System(lab, text, cnf(lab), mode) as system:
            expect(lab, way, system, "refuse", named)


def lock_of_a_user(lab, way):
    """Only the system's policy locks."""
    text = LOCK + REJECT
    user = {"XDG_CONFIG_HOME": config_with(lab, f"lock-{way}", text=text, owner=NOBODY)}
    named = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW))}
    with System(lab, None, cnf(lab)) as system:
        expect(lab, way, system, "refuse", user)
        expect(lab, way, system, "accept", user | named)


def locked_anchors(lab, way):
    """Whoever chooses the anchors has replaced the policy: the user's variables don't, locked."""
    root = place(lab, "root.pem", lab.pki.pem("root").read_text())
    number = subprocess.run(["openssl", "x509", "-in", root, "-noout", "-hash"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    folder = place(lab, f"hashed/{number}.0", root.read_text()).parent
    text = HOST + "anchors = system\n"
    for variables in ({"SSL_CERT_FILE": str(root)}, {"SSL_CERT_DIR": str(folder)}):
        with System(lab, text, cnf(lab)) as system:
            expect(lab, way, system, "refuse")
            expect(lab, way, system, "accept", variables)
        with System(lab, LOCK + text, cnf(lab)) as system:
            expect(lab, way, system, "refuse", variables)
        with System(lab, LOCK + HOST + f"anchors = {root}\n", cnf(lab)) as system:
            expect(lab, way, system, "accept", variables)


def privileged(lab, kind):
    """A copy of curl that is raised above its user."""
    tool = lab.scratch / "system" / f"curl-{kind}"
    tool.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if os.statvfs(tool.parent).f_flag & os.ST_NOSUID:
        raise Skip(f"{tool.parent} is mounted nosuid")
    put_program(tool, pathlib.Path(shutil.which("curl")),
                {"set-uid": 0o4755, "set-gid": 0o2755, "capabilities": 0o755}[kind])
    if kind == "capabilities":
        setcap = shutil.which("setcap") or shutil.which("setcap", path="/usr/sbin")
        done = setcap and subprocess.run([setcap, "cap_net_raw=ep", tool], check=False,
                                         capture_output=True)
        if not done or done.returncode:
            raise Skip(f"setcap: {done.stderr.decode() if done else 'missing'}")
    return tool


def privileged_test(kind):
    """
    The loader drops LD_PRELOAD, and libcrypto OPENSSL_CONF: what reaches such a program is the
    system's openssl.cnf, and what counts there is the system's policy.
    """
    def test(lab):
        tool, way = privileged(lab, kind), ways.PROVIDER
        allow = {"TRUSTGRAFT_POLICY": str(place(lab, "allow.conf", ALLOW)),
                 "XDG_CONFIG_HOME": config_with(lab, f"allow-{kind}", text=ALLOW, owner=NOBODY)}
        reject = {"TRUSTGRAFT_POLICY": str(place(lab, "reject.conf", REJECT)),
                  "XDG_CONFIG_HOME": config_with(lab, f"rej-{kind}", text=REJECT, owner=NOBODY)}
        with System(lab, REJECT, cnf(lab)) as system:
            expect(lab, way, system, "accept", allow)           # the same program, not raised
            expect(lab, way, system, "refuse", allow, tool)
        with System(lab, ALLOW, cnf(lab)) as system:
            expect(lab, way, system, "refuse", reject)
            expect(lab, way, system, "accept", reject, tool)
        with System(lab, None, cnf(lab, place(lab, "reject.conf", REJECT))) as system:
            expect(lab, way, system, "refuse")
            expect(lab, way, system, "accept", reject, tool)    # not even the setting counts
        with System(lab, "[host\n", cnf(lab)) as system:
            expect(lab, way, system, "refuse", allow, tool)
        with System(lab, None) as system:                       # its caller can't inject anything
            injected = ways.by_environment(lab.build, ways.PRELOAD) | ways.by_environment(
                lab.build, ways.PROVIDER)
            expect(lab, way, system, "refuse", reject | injected)
            expect(lab, way, system, "accept", reject | injected, tool)
    return test


def tests():
    yield from in_both_ways("system: the order of the sources", order)
    yield "system: the provider's setting [provider]", lambda lab: setting(lab, ways.PROVIDER)
    yield from in_both_ways("system: HOME as an unprivileged user", home_of_user)
    yield from in_both_ways("system: no policy anywhere", nothing_anywhere)
    yield from in_both_ways("system: unreadable", unreadable)
    yield from in_both_ways("system: locked", locked)
    yield from in_both_ways("system: locked, but broken", locked_but_broken)
    yield from in_both_ways("system: a user's lock", lock_of_a_user)
    yield from in_both_ways("system: locked anchors", locked_anchors)
    for kind in PRIVILEGES:
        yield f"system: {kind} [provider]", privileged_test(kind)
