"""programs.py - wget, git, and gnutls-cli, as `trustgraft run` starts them."""
import shutil

from e2e.harness import Skip, require
from lab import ways

ACCEPT = "[host localhost]\nanchors = {root}\nhostname = api.example.test\n"
REJECT = "[host localhost]\naction = reject\n"
OTHER = "[host localhost]\nanchors = {other-root}\nhostname = api.example.test\n"
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
ADDRESS = "[host 127.0.0.1]\nanchors = {root}\nhostname = api.example.test\n"
OWN = "[host localhost]\nanchors-only = no\nhostname = api.example.test\n"


def wget(host, port, *options):
    return ("wget", "-q", "--tries=1", "-O-", *options, f"https://{host}:{port}/hello")


def git(host, port, *options):
    return ("git", *options, "ls-remote", f"https://{host}:{port}/nothing")


def gnutls_cli(host, port, *options):
    return ("gnutls-cli", *options, "--port", str(port), host)


# How it is called, what says that a server was spoken to, and how it is told not to verify.
PROGRAMS = {
    "wget": (wget, lambda status, out, err: status == 0 and "hello" in out, ("--no-check-certificate",)),
    "git": (git, lambda status, out, err: "' not found" in err or "not valid" in err, ("-c", "http.sslVerify=false")),
    "gnutls-cli": (gnutls_cli, lambda status, out, err: "Handshake was completed" in out, ("--insecure",)),
}


def get(lab, name, policy, options=(), host="localhost", server="api"):
    """True if it spoke to the server; and what it and the log said."""
    command, judge, _ = PROGRAMS[name]
    words = command(host, lab.servers.ports[server], *options)
    if not shutil.which(words[0]):
        raise Skip(f"there is no {words[0]}")
    if policy:
        words = ways.by_command(lab.build, ways.PRELOAD, words, lab.policy(policy))
    status, out, err = lab.run(words, b"GET /hello HTTP/1.0\r\n\r\n",
                               environment={"GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "*"})
    require(status is not None, f"{name} hangs: {out}{err}")
    return judge(status, out, err), f"{out}{err}"


def program_test(name):
    def test(lab):
        insecure = PROGRAMS[name][2]
        for policy, options, wanted in ((None, (), False), (None, insecure, True), (ELSEWHERE, (), False),
                                        (ELSEWHERE, insecure, True), (ACCEPT, (), True),
                                        (ACCEPT, insecure, True), (REJECT, (), False),
                                        (REJECT, insecure, False), (OTHER, insecure, False)):
            spoke, said = get(lab, name, policy, options)
            require(spoke == wanted, f"{policy} {options}: {said}")
            logged = "trustgraft: " in said
            require(logged == (policy in (REJECT, OTHER)), f"{policy} {options}: {said}")
    return test


def address_test(name):
    def test(lab):
        for policy, wanted in ((None, False), (ACCEPT, False), (ADDRESS, True)):
            spoke, said = get(lab, name, policy, host="127.0.0.1")
            require(spoke == wanted, f"{policy}: {said}")
    return test


def own_anchors_test(lab):
    trusting = ("--ca-certificate", str(lab.pki.pem("root")))
    require(get(lab, "wget", OWN, trusting)[0], "its own CA file counts where the rule says so")
    for policy, options in ((OWN, ()), (None, trusting)):
        spoke, said = get(lab, "wget", policy, options)
        require(not spoke, f"{policy}: {said}")


def tests():
    for name in PROGRAMS:
        yield f"{name}: with verification and without", program_test(name)
        yield f"{name}: by address", address_test(name)
    yield "wget: its own anchors", own_anchors_test
