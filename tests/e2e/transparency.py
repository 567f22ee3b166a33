"""transparency.py - who is left alone: no policy, no rule, `action = pass`, servers, no TLS."""
import difflib
import functools
import pathlib
import re
import subprocess

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways
from lab.servers import free_port

# Good and bad servers, in the ways that applications tell apart; the slower clients get fewer.
SEVERAL = tuple(f"{leaf}/no-tickets" for leaf in ("api", "api-other", "partner"))
MORE = (*SEVERAL, *(f"{leaf}/no-tickets" for leaf in ("expired", "self-signed", "forged")))
CALLS = {"curl": MORE, "openssl": MORE, "python3": SEVERAL, "node": SEVERAL}
SERVERS = MORE
RANDOM = (
    (r"(?m)^([0-9A-F]{8,16}):error:", "ID:error:"),
    (r"(?m)^( *(?:Session-ID|Master-Key|Resumption PSK|Start Time)): .*$", r"\1: ?"),
    (r"(?m)^    [0-9a-f]{4} - .*\n", ""),
    (r"has read \d+ bytes and written \d+ bytes", "has read ? bytes and written ? bytes"),
    (r"(?m)^[{}] \[\d+ bytes data\]\n", ""),
    # curl reads once more as it closes: whether the server's farewell is there by then is chance.
    (r"(?m)^(\* Closing connection \d+\n)\* TLSv1\.3 \(IN\), TLS alert, close notify \(256\):\n",
     r"\1"),
    (r"\bafter \d+ ms\b", "after ? ms"), (r"\bport \d+", "port ?"), (r"(?<=127\.0\.0\.1)[: ]\d{4,5}", ":?"),
)


def start(_):
    """Nothing but the leaves' servers is needed."""


def steady(result):
    """A run's outcome without what differs between two runs of the same program."""
    status, *texts = result
    for pattern, plain in RANDOM:
        texts = [re.sub(pattern, plain, text) for text in texts]
    return [status, *texts]


def talkative(program, target):
    """PROGRAM's command, with all that it can be made to say."""
    command = clients.PROGRAMS[program].command(target)
    if program == "curl":
        return [*command, "-v"]
    return ["-ign_eof" if word == "-quiet" else word for word in command]


def difference(bare, shim):
    if isinstance(bare, int):
        return f"{bare} bare, {shim} under the shim"
    return "\n".join(difflib.unified_diff(bare.splitlines(), shim.splitlines(), "bare", "shim",
                                          lineterm="", n=1))


@functools.cache
def steady_bare(lab, program, server, insecure):
    command = talkative(program, lab.target(server, app="root", insecure=insecure))
    return steady(lab.run(command, clients.PROGRAMS[program].stdin))


def same_as_bare(lab, program, injected):
    """Runs PROGRAM with the environment INJECTED and without; both have to say the same."""
    for server in CALLS[program]:
        for insecure in (False, True):
            command = talkative(program, lab.target(server, app="root", insecure=insecure))
            bare = steady_bare(lab, program, server, insecure)
            shim = steady(lab.run(command, clients.PROGRAMS[program].stdin, injected))
            for kind, one, other in zip(("status", "stdout", "stderr"), bare, shim):
                require(one == other, f"{server}, {kind}: {difference(one, other)}")


def comparison(program, way, policy):
    def test(lab):
        if policy is None and pathlib.Path("/etc/trustgraft/policy.conf").exists():
            raise Skip("this machine has a policy")
        path = lab.policy(policy) if policy else None
        same_as_bare(lab, program, ways.by_environment(lab.build, way, path))
    return test


def server_side(lab, way):
    """A server's check of its clients is its own: the policy decides about servers."""
    policy = lab.policy("[policy]\nunmatched = reject\n[host *]\naction = reject")
    port = free_port()
    root = str(lab.pki.pem("root"))
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-Verify", "3",
         "-verify_return_error", "-CAfile", root, "-cert", lab.pki.pem("api"), "-key",
         lab.pki.key("api"), "-cert_chain", lab.pki.chain("api"), "-naccept", "2", "-www"],
        env=lab.environment(**ways.by_environment(lab.build, way, policy)),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for leaf, welcome in (("client-only", True), ("api-other", False)):
            status, out, err = lab.run(
                ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "0",
                 "--resolve", f"api.example.test:{port}:127.0.0.1", "--cacert", root,
                 "--cert", str(lab.pki.chain(leaf)), "--key", str(lab.pki.key(leaf)),
                 f"https://api.example.test:{port}/"])
            require((status == 0 and "s_server" in out) == welcome, f"{leaf}: {out}{err}")
    finally:
        server.kill()
        server.communicate()


def without_tls(lab, way):
    """A process without TLS says what it says, even under an invalid policy."""
    for command in (["/bin/true"], ["openssl", "version", "-v"], [clients.PYTHON, "-c", "print(1)"],
                    ["openssl", "dgst", "-sha256", str(lab.pki.pem("root"))], ["/bin/false"]):
        shim = lab.run(command, environment=ways.by_environment(lab.build, way, "/nonexistent"))
        require(shim == lab.run(command), f"{command}: {shim}")


def openssl_tools(lab, way):
    """What openssl(1) verifies itself, without a connection, is no server."""
    policy = lab.policy("[host *]\naction = reject\n[policy]\nunmatched = reject")
    command = ["openssl", "verify", "-CAfile", str(lab.pki.pem("root")), "-untrusted",
               str(lab.pki.chain("api")), str(lab.pki.pem("api"))]
    shim = lab.run(command, environment=ways.by_environment(lab.build, way, policy))
    require(shim == lab.run(command), str(shim))


def tests():
    for title, policy in (
            ("no policy", None),
            ("no rule", "[host other.test]\naction = reject\n[distrust]\nspki = {pin loop-a}"),
            ("action = pass", "[host *]\naction = pass")):
        for program in clients.PROGRAMS:
            for way in ways.WAYS:
                yield (f"left alone: {title} [{program}, {way}]", comparison(program, way, policy))
    yield from in_both_ways("left alone: a server's check of its clients", server_side)
    yield from in_both_ways("left alone: programs without TLS", without_tls)
    yield from in_both_ways("left alone: openssl verify", openssl_tools)
