"""programs.py - tstclnt, as `trustgraft run` starts it, and selfserv, which is a server."""
import shutil
import subprocess

from e2e.harness import Skip, require
from lab import ways
from lab.files import put
from lab.servers import free_port

ACCEPT = "[host localhost]\nanchors = {root}\nhostname = api.example.test\n"
REJECT = "[host localhost]\naction = reject\n"
OTHER = "[host localhost]\nanchors = {other-root}\nhostname = api.example.test\n"
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
NOBODY = "[host *]\naction = reject\n"


def tool(name):
    if not shutil.which(name):
        raise Skip(f"there is no {name}")
    return name


def database(lab, name, *, key=None):
    """One of NSS's without a password; with the leaf KEY in it."""
    folder = lab.scratch / name
    if folder.exists():
        return f"sql:{folder}"
    folder.mkdir(mode=0o755)
    commands = [(tool("certutil"), "-N", "-d", f"sql:{folder}", "--empty-password")]
    if key:
        packed = str(folder / "packed")
        commands += [("openssl", "pkcs12", "-export", "-in", str(lab.pki.chain(key)), "-inkey", str(lab.pki.key(key)),
                      "-name", key, "-passout", "pass:", "-out", packed),
                     ("pk12util", "-i", packed, "-d", f"sql:{folder}", "-W", ""),
                     ("certutil", "-A", "-d", f"sql:{folder}", "-n", "root", "-t", "CT,,", "-i",
                      str(lab.pki.pem("root")))]
    for command in commands:
        done = subprocess.run(command, capture_output=True, check=False)
        require(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")
    return f"sql:{folder}"


def get(lab, policy, options=()):
    """True if it spoke to the server; and what it and the log said."""
    words = (tool("tstclnt"), "-4", "-h", "localhost", "-p", str(lab.servers.ports["api"]), "-b",
             "-A", str(put(lab.scratch / "request", "GET /hello HTTP/1.0\r\n\r\n")),
             "-d", database(lab, "tstclnt"), *options)
    if policy:
        words = ways.by_command(lab.build, ways.PRELOAD, words, lab.policy(policy))
    status, out, err = lab.run(words)
    require(status is not None, f"it hangs: {out}{err}")
    return "hello" in out, f"{out}{err}"


def test_tstclnt(lab):
    for policy, options, wanted in ((None, (), False), (None, ("-o",), True), (ELSEWHERE, (), False),
                                    (ELSEWHERE, ("-o",), True), (ACCEPT, (), True), (ACCEPT, ("-o",), True),
                                    (REJECT, (), False), (REJECT, ("-o",), False), (OTHER, ("-o",), False)):
        spoke, said = get(lab, policy, options)
        require(spoke == wanted, f"{policy} {options}: {said}")
        require(("trustgraft: " in said) == (policy in (REJECT, OTHER)), f"{policy} {options}: {said}")


def test_server_is_left_alone(lab):
    """Its clients are none of the policy's, even with certificates of their own."""
    port, identity = free_port(), database(lab, "selfserv", key="api")
    words = (tool("selfserv"), "-d", identity, "-n", "api", "-p", str(port), "-V", "tls1.2:", "-rr")
    under = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(NOBODY))
    process = lab.servers.start(words, env=lab.environment(**under), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lab.servers.wait_for("selfserv", process, port)
    _, out, err = lab.run(("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-cert",
                           str(lab.pki.chain("no-usage")), "-key", str(lab.pki.key("no-usage"))),
                          b"GET / HTTP/1.0\r\n\r\n")
    require("HTTP/1.0 200 OK" in out, f"{out}{err}")


def tests():
    yield "tstclnt: with verification and without", test_tstclnt
    yield "selfserv: a server is left alone", test_server_is_left_alone
