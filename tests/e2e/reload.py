"""reload.py - a running process follows its policy: whole versions, or the last good one."""
import ast
import concurrent.futures
import contextlib
import functools
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways
from lab.files import put

SERVERS = ("api", "api-other", "expired", "revoked")
HOST = "[host api.example.test]\n"
REJECT = HOST + "action = reject\n"
ACCEPT = HOST + "anchors = {root}\n"
AGAIN = pathlib.Path(__file__).resolve().parent.parent / "lab" / "again.py"
PYTHON = [clients.PYTHON, str(AGAIN)]
NODE = ["node", str(AGAIN.with_suffix(".js"))]
NOTICED = 120  # seconds after which a change that wasn't seen never will be: one look a second,
               # or one in 5 s behind a broken version, and a machine that may be very busy
IGNORED = 3   # seconds after which a change that must be ignored would have been seen


def start(_):
    """Nothing but the leaves' servers is needed."""


class Running(contextlib.AbstractContextManager):
    """A long-running client under the policy `policy.conf` of a directory of its own."""

    def __init__(self, lab, way, name="policy.conf", program=PYTHON):
        self.lab, self.way, self.name, self.program = lab, way, name, program
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="reload-", dir=lab.scratch))
        self.home.chmod(0o755)

    def put(self, name, text):
        """Replaces a file by rename, as an editor or a configuration manager does."""
        put(self.home / name, self.lab.pki.expand(text))

    def begin(self):
        injected = ways.by_environment(self.lab.build, self.way, self.home / self.name)
        self.errors = open(self.home / "stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*self.program, "api.example.test"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=self.lab.environment(**injected))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        require(answer, f"the client ended: {self.process.poll()}: {self.said()}")
        return answer

    def call(self, server="api"):
        return self.tell(str(self.lab.servers.ports[server]))

    def said(self):
        return (self.home / "stderr").read_text()

    def becomes(self, wanted, server="api"):
        end = time.monotonic() + NOTICED
        while (got := self.call(server)) != wanted:
            require(time.monotonic() < end, f"still {got}, not {wanted}: {self.said()}")
            time.sleep(0.2)

    def storms(self, handshakes, meanwhile):
        """Goes on with MEANWHILE until the threads of a storm have made so many."""
        end = time.monotonic() + NOTICED
        while sum(ast.literal_eval(counts := self.tell("storm")).values()) < handshakes:
            require(time.monotonic() < end, f"{counts}: {self.said()}")
            meanwhile()

    def stays_until_said(self, wanted, text):
        end = time.monotonic() + NOTICED
        while text not in self.said():
            require(time.monotonic() < end, f"nothing of {text}: {self.said()}")
            self.stays(wanted, during=0.2)

    def stays(self, wanted, server="api", during=IGNORED, unless=lambda: False):
        """UNLESS says, after each call, that its outcome counts no longer."""
        end = time.monotonic() + during
        while time.monotonic() < end:
            got = self.call(server)
            require(got == wanted or unless(), f"{got}, not {wanted}: {self.said()}")
            time.sleep(0.3)


def rule_changed(lab, way):
    with Running(lab, way) as client:
        client.put("policy.conf", ACCEPT)
        client.begin().stays("accept", during=0.1)
        client.put("policy.conf", REJECT)
        client.becomes("refuse")
        (client.home / "policy.conf").write_text(lab.pki.expand(ACCEPT))  # in place
        client.becomes("accept")


def in_node(lab, way):
    """An event loop that goes on: accepted, refused and accepted again, and a CA file besides."""
    if not shutil.which("node"):
        raise Skip("there is no node on this machine")
    if not ways.reaches(lab.build, way, "node"):
        raise Skip(f"{way} doesn't reach this node")
    with Running(lab, way, program=NODE) as client:
        client.put("policy.conf", HOST + "anchors = ca.pem\n")
        client.put("ca.pem", lab.pki.pem("root").read_text())
        client.begin().stays("accept", during=0.1)
        client.put("policy.conf", REJECT)
        client.becomes("refuse")
        client.put("policy.conf", HOST + "anchors = ca.pem\n")
        client.becomes("accept")
        client.put("ca.pem", lab.pki.pem("other-root").read_text())
        client.becomes("refuse")
        client.stays("accept", "api-other", during=0.1)


def authority_rotated(lab, way):
    """Only the file that the policy names changes."""
    with Running(lab, way) as client:
        client.put("policy.conf", HOST + "anchors = ca.pem\n")
        client.put("ca.pem", lab.pki.pem("root").read_text())
        client.begin().stays("accept", during=0.1)
        client.stays("refuse", "api-other", during=0.1)
        client.put("ca.pem", lab.pki.pem("other-root").read_text())
        client.becomes("accept", "api-other")
        client.stays("refuse", during=0.1)


def list_renewed(lab, way):
    """A CRL goes stale in the file, and is replaced."""
    with Running(lab, way) as client:
        client.put("policy.conf", ACCEPT + "revocation = crl\ncrl = list.pem\n")
        client.put("list.pem", lab.pki.crl("expired").read_text())
        client.begin().stays("refuse", during=0.1)
        client.put("list.pem", lab.pki.crl("intermediate").read_text())
        client.becomes("accept")


def list_rewritten(lab, way):
    """In place and slowly: half a CRL is no list, and the last whole one stays in force."""
    with Running(lab, way) as client:
        text = lab.pki.crl("intermediate").read_text()
        client.put("policy.conf", ACCEPT + "revocation = crl\ncrl = list.pem\n")
        client.put("list.pem", text)
        client.begin().stays("accept", during=0.1)
        for part in (0, len(text) // 2, len(text) - 30):
            with open(client.home / "list.pem", "w", encoding="ascii") as file:
                file.write(text[:part])
                file.flush()
                client.stays("refuse", "revoked", during=1.5)
                file.write(text[part:])
            client.stays("refuse", "revoked", during=0.1)
        client.put("list.pem", lab.pki.crl("expired").read_text())
        client.becomes("refuse")
        client.put("list.pem", text)
        client.becomes("accept")


def file_added(lab, way):
    """A directory of anchors is watched with what is in it, and what comes."""
    with Running(lab, way) as client:
        client.put("policy.conf", HOST + "anchors = anchors.d\n")
        client.put("anchors.d/one.pem", lab.pki.pem("other-root").read_text())
        client.begin().stays("refuse", during=0.1)
        client.put("anchors.d/two.pem", lab.pki.pem("root").read_text())
        client.becomes("accept")
        (client.home / "anchors.d" / "two.pem").unlink()
        client.becomes("refuse")


class ConfigMap:
    """A directory as Kubernetes mounts it: NAME -> ..data/NAME, ..data -> the version."""

    def __init__(self, client, versions):
        self.home = client.home
        for version, files in versions.items():
            for name, text in files.items():
                client.put(f"..{version}/{name}", text)
        for name in next(iter(versions.values())):
            (self.home / name).symlink_to(f"..data/{name}")

    def use(self, version):
        fresh = self.home / "..data_tmp"
        fresh.symlink_to(f"..{version}")
        fresh.rename(self.home / "..data")


def pairs(lab):
    """Two versions of a policy and a CA; of a mixture no server would be accepted."""
    return {name: {"policy.conf": HOST + "anchors = ca.pem\nleaf-pin = {pin %s}\n" % leaf,
                   "ca.pem": lab.pki.pem(root).read_text()}
            for name, leaf, root in (("one", "api", "root"), ("two", "api-other", "other-root"))}


def config_map(lab, way):
    with Running(lab, way) as client:
        mounted = ConfigMap(client, pairs(lab))
        mounted.use("one")
        client.begin().stays("accept", during=0.1)
        client.stays("refuse", "api-other", during=0.1)
        mounted.use("two")
        client.becomes("accept", "api-other")
        client.stays("refuse", during=0.1)


def broken_version(lab, way):
    """It is said once, the last good version stays, and what mends it is picked up."""
    with Running(lab, way) as client:
        client.put("policy.conf", ACCEPT)
        client.begin().stays("accept", during=0.1)
        client.put("policy.conf", HOST + "anchor = {root}\n")
        client.stays_until_said("accept", "the last good one stays")
        client.stays("accept", during=IGNORED + 5)
        complaints = re.findall(r"(?m)^trustgraft: .*policy\.conf:2:.*error:", client.said())
        require(len(complaints) == 1, f"{len(complaints)} complaints: {client.said()}")
        client.put("policy.conf", REJECT)
        client.becomes("refuse")


def policy_removed(lab, way):
    """A policy that is gone is no reason to accept what it refused."""
    with Running(lab, way) as client:
        client.put("policy.conf", REJECT)
        client.begin().stays("refuse", during=0.1)
        (client.home / "policy.conf").unlink()
        client.stays("refuse")


def empty_for_long(policy):
    """As long as only somebody who means it leaves it: the machine is that busy."""
    return time.time() - policy.stat().st_ctime > 2


def emptied(lab, way):
    """What truncates a file and then writes it lets nothing pass in between; who means it waits."""
    with Running(lab, way) as client:
        policy = client.home / "policy.conf"
        client.put("policy.conf", REJECT)
        client.begin().stays("refuse", during=0.1)
        for _ in range(3):
            policy.write_text("")
            client.stays("refuse", during=1.2, unless=lambda: empty_for_long(policy))
            policy.write_text(REJECT)
            client.becomes("refuse")
            client.stays("refuse", during=0.5)
        policy.write_text("")
        client.becomes("accept")


def made_writable(lab, way):
    """Whoever may write the new version is checked as for the first."""
    with Running(lab, way) as client:
        client.put("policy.conf", REJECT)
        client.begin().stays("refuse", during=0.1)
        (client.home / "policy.conf").write_text(lab.pki.expand(ACCEPT))
        (client.home / "policy.conf").chmod(0o666)
        client.stays("refuse")


def drop_in(lab, way):
    with Running(lab, way) as client:
        client.put("policy.conf", "[policy]\ninclude = rules.d/*.conf\n")
        client.put("rules.d/10.conf", "[host other.test]\naction = reject\n")
        client.begin().stays("accept", during=0.1)
        client.put("rules.d/20.conf", REJECT)
        client.becomes("refuse")
        (client.home / "rules.d" / "20.conf").unlink()
        client.becomes("accept")


def drop_in_deeper(lab, way):
    """In a directory that a wildcard leads to, where there was nothing before."""
    with Running(lab, way) as client:
        client.put("policy.conf", "[policy]\ninclude = rules.d/*/rule.conf\n")
        client.put("rules.d/app/README", "none yet\n")
        client.begin().stays("accept", during=0.1)
        client.put("rules.d/app/rule.conf", REJECT)
        client.becomes("refuse")


def folder_opened(lab, way):
    """While others can write the folder of a file that is named, what stands there isn't used."""
    with Running(lab, way) as client:
        client.put("policy.conf", HOST + "anchors = ca/now/root.pem\n")
        client.put("ca/now/root.pem", lab.pki.pem("root").read_text())
        client.begin().stays("accept", during=0.1)
        (client.home / "ca").chmod(0o777)
        client.put("ca/now/root.pem", lab.pki.pem("other-root").read_text())
        client.stays_until_said("accept", "/ca is writable by group and others")
        client.stays("accept")
        (client.home / "ca").chmod(0o755)
        client.becomes("refuse")
        client.stays("accept", "api-other", during=0.1)


def switched_off(lab, way):
    with Running(lab, way) as client:
        client.put("policy.conf", "[policy]\nreload = no\n" + ACCEPT)
        client.begin().stays("accept", during=0.1)
        client.put("policy.conf", REJECT)
        client.stays("accept")


def broken_first(lab, way):
    with Running(lab, way) as client:
        client.put("policy.conf", HOST + "anchor = {root}\n")
        client.begin().stays("refuse", during=0.1)
        require("policy-invalid" in client.said(), client.said())
        client.put("policy.conf", ACCEPT)
        client.becomes("accept")


def swap(mounted, numbers):
    """Bursts of swaps, with a rest between them in which a version can be read whole."""
    for number in numbers:
        mounted.use(("two", "one")[number % 2])
        time.sleep(0.15 if number >= 100 and number % 11 == 0 else 0.003)


def storm(client, mounted, ports):
    """Hundreds of swaps under threads; (how often each outcome, the growth of memory in KiB)."""
    client.begin().tell(f"storm 3 {ports}")
    swap(mounted, range(100))
    client.storms(60, lambda: swap(mounted, range(100, 133)))
    early = int(client.tell("resident"))
    swap(mounted, range(100, 500))
    client.storms(300, lambda: swap(mounted, range(100, 133)))
    return ast.literal_eval(client.tell("calm")), int(client.tell("resident")) - early


def threads_and_swaps(lab, way):
    """
    Hundreds of swaps under threads, many of them while a version is read: the CA file comes
    behind one that takes some milliseconds. What is refused is refused for both reasons of the
    other version; one reason alone would be a mixture.
    """
    with Running(lab, way) as client:
        versions = pairs(lab)
        for files in versions.values():
            files["policy.conf"] = "[host slow.test]\nanchors = slow.pem\n" + files["policy.conf"]
            files["slow.pem"] = lab.pki.pem("root").read_text() * 300
        mounted = ConfigMap(client, versions)
        mounted.use("one")
        ports = " ".join(str(lab.servers.ports[name]) for name in ("api", "api-other"))
        counts, grown = storm(client, mounted, ports)
        require(set(counts) == {"accept", "refuse"}, f"{counts}")
        rejects = [line for line in client.said().splitlines() if " reject " in line]
        require(len(rejects) == counts["refuse"], f"{len(rejects)} lines, {counts}")
        for line in rejects:
            require(("leaf-pin-mismatch" in line and "missing-issuer" in line)
                    or "changed each time it was read" in line, f"a mixture: {line}")
        require(grown < 12288, f"memory grew by {grown} KiB")
        for version, server in (("one", "api"), ("two", "api-other")):
            mounted.use(version)
            client.becomes("accept", server)


STORIES = {
    "a rule": rule_changed, "node": in_node, "a CA file": authority_rotated, "a CRL": list_renewed,
    "a CRL that is rewritten": list_rewritten,
    "a directory": file_added, "a ConfigMap": config_map, "a broken version": broken_version,
    "a policy that is removed": policy_removed, "a policy that is emptied": emptied,
    "a version that others may write": made_writable,
    "a drop-in": drop_in, "a drop-in deeper": drop_in_deeper, "an open folder": folder_opened,
    "reload = no": switched_off, "broken from the start": broken_first,
    "threads and hundreds of swaps": threads_and_swaps,
}


@functools.cache
def begun(lab):
    """Most of a story is waiting, so that they all begin with the first that is asked for."""
    pool = lab.stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(STORIES)))
    return {(name, way): pool.submit(story, lab, way)
            for way in ways.WAYS for name, story in STORIES.items()}


LOCK = threading.Lock()


def result_of(name):
    def test(lab, way):
        with LOCK:
            stories = begun(lab)
        stories[name, way].result()
    return test


def tests():
    for name in STORIES:
        yield from in_both_ways(f"reload: {name}", result_of(name))
