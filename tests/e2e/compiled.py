"""compiled.py - real programs under a policy's image: as under its text, and no worse when it goes."""
import os
import subprocess

from e2e.harness import require
from e2e.naming import in_both_ways
from e2e.reload import ACCEPT, HOST, REJECT, Running
from lab.files import put

SERVERS = ("api", "api-other", "api-rotated")
MANY = "".join(f"[host h{number}.example.com]\naction = reject\n" for number in range(2000))
LOG = "[policy]\nlog = stderr\nlog-level = all\n"
CLIENTS = ("curl", "python3", "openssl")


def start(_):
    """Nothing but the leaves' servers is needed."""


def compile_policy(lab, path):
    done = subprocess.run([lab.build.command, "compile", "-p", str(path)], capture_output=True, text=True,
                          timeout=120, check=False)
    require(done.returncode == 0, done.stderr)


def is_mapped(client):
    with open(f"/proc/{client.process.pid}/maps", encoding="utf-8") as maps:
        return "policy.conf.compiled" in maps.read()


def decides(lab, way):
    """Of each pair of servers one is accepted and one refused, though the program trusts both."""
    policy = lab.policy(LOG + MANY + ACCEPT + "known-hosts = {known}\n#known api.example.test {pin api}\n")
    compile_policy(lab, policy)
    for program in CLIENTS:
        for server, finding in (("api", ""), ("api-other", "missing-issuer"),
                                ("api-rotated", "known-host-mismatch")):
            outcome = lab.get(program, way, lab.target(server, insecure=True), policy)
            wanted = "refuse" if finding else "accept"
            require(outcome.verdict == wanted, f"{program}: {server}: wanted {wanted}: {outcome.said}")
            require(any(finding in line for line in outcome.log), f"{finding}: {outcome.said}")
            require("isn't used" not in outcome.stderr, outcome.said)


def known_hosts(lab, way):
    """A line that is added counts at once, and that the file's image doesn't is told."""
    known = put(lab.scratch / f"lines-{way}", lab.pki.expand("other.example.test {pin api}\n").encode())
    policy = lab.policy(f"{LOG}{ACCEPT}known-hosts = {known}\n")
    compile_policy(lab, policy)
    for added, wanted in (("", "refuse"), ("api.example.test {pin api}\n", "accept")):
        with open(known, "a", encoding="utf-8") as lines:
            lines.write(lab.pki.expand(added))
        outcome = lab.get("curl", way, lab.target("api", insecure=True), policy)
        require(outcome.verdict == wanted, f"wanted {wanted}: {outcome.said}")
        require((f"{known}.compiled isn't used: it is stale" in outcome.stderr) == bool(added), outcome.said)


def followed(lab, way):
    """Text that is newer counts at once, and its image when there is one."""
    with Running(lab, way) as client:
        client.put("policy.conf", MANY + ACCEPT)
        compile_policy(lab, client.home / "policy.conf")
        client.begin().stays("accept", during=0.1)
        client.stays("refuse", "api-other", during=0.1)
        require(is_mapped(client), "the image isn't mapped")
        client.put("policy.conf", MANY + REJECT)
        client.becomes("refuse")
        require("isn't used: it is stale" in client.said(), client.said())
        require(not is_mapped(client), "the old image is still mapped")
        client.put("policy.conf", MANY + HOST + "anchors = {other-root}\n")
        compile_policy(lab, client.home / "policy.conf")
        client.becomes("accept", "api-other")
        client.stays("refuse", during=0.1)
        require(is_mapped(client), "the new image isn't mapped")


def cut_off(lab, way):
    """A process goes on that has the image mapped, and then reads the text."""
    with Running(lab, way) as client:
        client.put("policy.conf", MANY + ACCEPT)
        compile_policy(lab, client.home / "policy.conf")
        client.begin().stays("accept", during=0.1)
        os.truncate(client.home / "policy.conf.compiled", 0)
        client.stays("refuse", "api-other", during=0.1)
        client.becomes("accept")
        client.stays_until_said("accept", "isn't used: it is truncated")


def tests():
    yield from in_both_ways("compiled: curl, python3 and s_client", decides)
    yield from in_both_ways("compiled: a line that is added to known hosts", known_hosts)
    yield from in_both_ways("compiled: a changed policy is followed", followed)
    yield from in_both_ways("compiled: an image that is cut off", cut_off)
