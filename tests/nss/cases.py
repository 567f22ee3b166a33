"""cases.py - what client.c does: bare, under a rule that accepts, and under one that rejects."""
import subprocess
import threading

from e2e.harness import require
from lab import ways

API, NOWHERE = "api.example.test", "nowhere.test"
ACCEPT = "[host api.example.test]\nanchors = {root}\n"
REJECT = "[host api.example.test]\naction = reject\n"
ELSEWHERE = "[host elsewhere.test]\naction = reject\n"
RENAMED = "[host nowhere.test]\nanchors = {root}\nhostname = api.example.test\n"
OTHER = "[host api.example.test]\nanchors = {other-root}\n"
BY_ADDRESS = "[host 127.0.0.1]\nanchors = {root}\nhostname = api.example.test\n"
NO_ADDRESS = "[host 127.0.0.1]\naction = reject\n"
NO_LOCALHOST = "[host localhost]\naction = reject\n"
NO_NOWHERE = "[host nowhere.test]\naction = reject\n"
REPORT = "[policy]\nlog = none\n[host api.example.test]\nanchors = {other-root}\nmode = report\n"
OWN = "[host api.example.test]\nanchors-only = no\n"
BROKEN = "[host elsewhere.test]\nanchor = {root}\n"
REQUIRED = "[host api.example.test]\nanchors = {root}\nrevocation = staple-required\n"
STAPLE = "[host api.example.test]\nanchors = {root}\nrevocation = staple\n"
DISTRUST = "[distrust]\ncertificate = {fp root}\n"
DISTRUST_INTERMEDIATE = "[distrust]\ncertificate = {fp intermediate}\n"
TLS13 = "[host api.example.test]\nanchors = {root}\nmin-tls = 1.3\n"
TLS12 = "[host api.example.test]\nanchors = {root}\nmin-tls = 1.2\n"
RSA = "[host api.example.test]\nanchors = {root}\nmin-rsa-bits = 4096\n"
PIN = "[host api.example.test]\nanchors = {root}\nleaf-pin = {pin api}\n"
PINNED = "[host api.example.test]\nanchors = {root}\nleaf-pin = {pin api-other}\n"
FORGIVEN = ("[host api.example.test]\nanchors = {root}\n[exception forgiven]\n"
            "host = api.example.test\ncertificate = {fp expired}\nfindings = certificate-expired\n")

SENT, REFUSED = "sent data hello", "not sent data none"
FORCED, STOPPED = f"handshake done {SENT}", f"handshake refused {REFUSED}"
AGAIN = f"{SENT} {SENT} resumed 1 early 0"
NOT_AGAIN = f"{REFUSED} {REFUSED} resumed 0 early 0"
OLD = "max=0303"


def hands(path, name, dates="good", usages=None):
    return (f"now {path} usages {usages or path} once {path} logged {path} email bad pkix {path} "
            f"name {name} dates {dates}")


# The server, words of client.c, and what it comes to bare, and under each policy.
CASES = (
    # ---- what the program verifies ----
    ("api", f"url={API}", REFUSED, {ACCEPT: SENT, REJECT: REFUSED, ELSEWHERE: REFUSED, BROKEN: REFUSED}),
    ("api", f"url={API} told", "not sent plain data none",
     {REJECT: "not sent named data none", OTHER: "not sent named data none", ELSEWHERE: "not sent plain data none"}),
    ("api", f"url={API} told distrust=api", "not sent plain data none",
     {REJECT: "not sent named data none", ELSEWHERE: "not sent plain data none"}),
    ("api", f"url={API} force", STOPPED, {ACCEPT: FORCED, REJECT: STOPPED, ELSEWHERE: STOPPED}),
    ("api", f"url={API} trust=root", SENT,
     {ACCEPT: SENT, OTHER: REFUSED, ELSEWHERE: SENT, DISTRUST: REFUSED, DISTRUST_INTERMEDIATE: REFUSED,
      BROKEN: REFUSED}),
    ("api", f"url={API} trust=root {OLD}", SENT, {ACCEPT: SENT, OTHER: REFUSED, ELSEWHERE: SENT}),
    ("api", f"url={NOWHERE} trust=root", REFUSED, {RENAMED: SENT, ACCEPT: REFUSED}),
    ("api", f"url={API} hook=yes", f"{SENT} called 1",
     {ACCEPT: f"{SENT} called 1", OTHER: f"{REFUSED} called 0", ELSEWHERE: f"{SENT} called 1",
      DISTRUST: f"{SENT} called 1", DISTRUST_INTERMEDIATE: f"{REFUSED} called 0"}),
    ("api", f"url={API} hook=no", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 1", REJECT: f"{REFUSED} called 0", ELSEWHERE: f"{REFUSED} called 1"}),
    ("api", f"url={API} hook=library", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 1", ELSEWHERE: f"{REFUSED} called 1"}),
    ("api", f"url={API} hook=hand", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 1", ELSEWHERE: f"{REFUSED} called 1"}),
    ("api", f"url={API} hook=wait", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 1", REJECT: f"{REFUSED} called 0", ELSEWHERE: f"{REFUSED} called 1"}),
    ("api", f"url={API} hook=wait nonblocking", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 1", REJECT: f"{REFUSED} called 0"}),
    ("api", f"url={API} bad=yes", f"{SENT} called 1",
     {ACCEPT: f"{SENT} called 0", OTHER: f"{REFUSED} called 1", ELSEWHERE: f"{SENT} called 1",
      REPORT: f"{SENT} called 1"}),
    ("api", f"url={API} bad=no", f"{REFUSED} called 1",
     {ACCEPT: f"{SENT} called 0", ELSEWHERE: f"{REFUSED} called 1", REPORT: f"{REFUSED} called 1"}),
    *(("api", f"url={API} {where} hook=yes bad=yes", f"{SENT} called 1",
       {ACCEPT: f"{SENT} called 1", OTHER: f"{REFUSED} called 1", ELSEWHERE: f"{SENT} called 1"})
      for where in ("model", "reconfig", "late")),
    *(("api", f"url={API} {where} hook=no", f"{REFUSED} called 1",
       {ACCEPT: f"{SENT} called 1", OTHER: f"{REFUSED} called 0", ELSEWHERE: f"{REFUSED} called 1"})
      for where in ("model", "reconfig", "late")),
    ("api", f"url={API} trust=root done", f"{SENT} called 1",
     {ACCEPT: f"{SENT} called 1", OTHER: f"{REFUSED} called 0", ELSEWHERE: f"{SENT} called 1"}),
    ("api", f"url={API} plain hook=yes twice", f"{AGAIN} called 1",
     {ACCEPT: f"{AGAIN} called 1", OTHER: f"{NOT_AGAIN} called 0", ELSEWHERE: f"{AGAIN} called 1"}),
    # ---- by hand ----
    ("api", f"url={API} hook=yes force hand={API}", f"handshake done {hands('bad', 'good')} {SENT} called 1",
     {ACCEPT: f"handshake done {hands('good', 'good')} {SENT} called 1",
      ELSEWHERE: f"handshake done {hands('bad', 'good')} {SENT} called 1"}),
    ("api", f"url={NOWHERE} hook=yes force hand={NOWHERE}",
     f"handshake done {hands('bad', 'bad')} {SENT} called 1",
     {RENAMED: f"handshake done {hands('good', 'good')} {SENT} called 1",
      ACCEPT: f"handshake done {hands('bad', 'bad')} {SENT} called 1"}),
    ("api", f"url={NOWHERE} hook=yes force hand=other.test",
     f"handshake done {hands('bad', 'bad')} {SENT} called 1",
     {RENAMED: f"handshake done {hands('good', 'bad')} {SENT} called 1"}),
    ("expired", f"url={API} hook=yes force hand={API}",
     f"handshake done {hands('bad', 'good', 'bad')} {SENT} called 1",
     {FORGIVEN: f"handshake done {hands('good', 'good')} {SENT} called 1",
      ACCEPT: f"handshake refused {hands('bad', 'good', 'bad')} {REFUSED} called 0"}),
    # ---- who is at the other end ----
    ("api", "connect=client hook=yes", f"{SENT} called 1",
     {NO_ADDRESS: f"{REFUSED} called 0", NO_LOCALHOST: f"{SENT} called 1", BY_ADDRESS: f"{SENT} called 1"}),
    ("api", "dial=localhost hook=yes", f"{SENT} called 1",
     {NO_LOCALHOST: f"{REFUSED} called 0", NO_ADDRESS: f"{REFUSED} called 0", ACCEPT: f"{SENT} called 1",
      BY_ADDRESS: f"{SENT} called 1"}),
    ("api", "hook=yes", f"{SENT} called 1",
     {NO_LOCALHOST: f"{SENT} called 1", NO_ADDRESS: f"{REFUSED} called 0"}),
    ("api", "", REFUSED, {BY_ADDRESS: SENT, NO_ADDRESS: REFUSED, ACCEPT: REFUSED}),
    ("api", "url=127.0.0.1", REFUSED, {BY_ADDRESS: SENT, NO_ADDRESS: REFUSED, ACCEPT: REFUSED}),
    ("api", "memory hook=yes", f"{SENT} called 1",
     {NO_ADDRESS: f"{REFUSED} called 0", BY_ADDRESS: f"{SENT} called 1"}),
    ("api", f"memory url={API} hook=yes", f"{SENT} called 1",
     {OTHER: f"{REFUSED} called 0", ACCEPT: f"{SENT} called 1", ELSEWHERE: f"{SENT} called 1"}),
    ("api", f"url={NOWHERE} hook=url then={API}", f"{SENT} called 1",
     {REJECT: f"{REFUSED} called 1", NO_NOWHERE: f"{REFUSED} called 0", ELSEWHERE: f"{SENT} called 1"}),
    ("api", f"url={NOWHERE} hook=yes force after={API}", f"handshake done after set {SENT} called 1",
     {REJECT: f"handshake done after set {REFUSED} called 1",
      ACCEPT: f"handshake done after set {SENT} called 1",
      ELSEWHERE: f"handshake done after set {SENT} called 1"}),
    # ---- what the library asks nobody about ----
    ("api", f"url={API} trust=root twice", AGAIN, {ACCEPT: AGAIN, OTHER: NOT_AGAIN, ELSEWHERE: AGAIN}),
    ("api", f"url={API} trust=root twice {OLD}", AGAIN, {ACCEPT: AGAIN, OTHER: NOT_AGAIN}),
    ("api", f"url={API} twice", NOT_AGAIN, {ACCEPT: AGAIN, PIN: AGAIN, PINNED: NOT_AGAIN}),
    ("api", f"url={API} twice nonblocking {OLD}", NOT_AGAIN, {ACCEPT: AGAIN}),
    ("api", f"url={API} hook=yes memory twice", f"{AGAIN} called 1",
     {ACCEPT: f"{AGAIN} called 1", OTHER: f"{NOT_AGAIN} called 0"}),
    ("psk", f"url={API} psk min=0304", SENT, {ACCEPT: REFUSED, REJECT: REFUSED, ELSEWHERE: SENT}),
    ("psk", f"url={API} psk min=0304 force", FORCED, {ACCEPT: STOPPED, ELSEWHERE: FORCED}),
    ("psk", f"url={API} psk min=0304 connect=client", SENT, {ACCEPT: REFUSED, REJECT: REFUSED, ELSEWHERE: SENT}),
    ("psk", f"url={API} psk min=0304 connect=server", SENT, {ACCEPT: REFUSED, REJECT: REFUSED, ELSEWHERE: SENT}),
    ("early", f"url={API} trust=root early twice", f"{SENT} {SENT} resumed 1 early 1",
     {ACCEPT: AGAIN, ELSEWHERE: f"{SENT} {SENT} resumed 1 early 1"}),
    ("dtls", f"url={API} trust=root dtls", SENT, {ACCEPT: SENT, REJECT: REFUSED, OTHER: REFUSED,
                                                  TLS12: SENT, TLS13: REFUSED}),
    ("dtls", "hook=yes dtls", f"{SENT} called 1",
     {NO_ADDRESS: f"{REFUSED} called 0", NO_LOCALHOST: f"{SENT} called 1", BY_ADDRESS: f"{SENT} called 1"}),
    ("again", f"url={API} hook=yes force again {OLD}", f"handshake done again done {SENT} called 2",
     {ACCEPT: f"handshake done again done {SENT} called 2",
      OTHER: f"{STOPPED} called 0"}),
    # ---- the rest of the language ----
    ("api", f"url={API} trust=root", SENT, {OWN: SENT, PIN: SENT, PINNED: REFUSED, TLS13: SENT}),
    ("api", f"url={API} trust=intermediate", SENT, {OWN: SENT}),
    ("api", f"url={API}", REFUSED, {OWN: REFUSED}),
    ("api", f"url={API} hook=yes trust=root distrust=api", f"{SENT} called 1",
     {OWN: f"{REFUSED} called 0", ACCEPT: f"{SENT} called 1"}),
    ("api", f"url={API} hook=yes trust=root distrust=intermediate", f"{SENT} called 1",
     {OWN: f"{REFUSED} called 0", ACCEPT: f"{SENT} called 1"}),
    ("api", f"url={API} trust=root {OLD}", SENT, {TLS13: REFUSED, TLS12: SENT}),
    ("rsa", f"url={API} hook=yes", f"{SENT} called 1",
     {RSA: f"{REFUSED} called 0", ACCEPT: f"{SENT} called 1"}),
    ("api=good", f"url={API} trust=root", SENT, {REQUIRED: SENT, STAPLE: SENT}),
    ("api=good/1.2", f"url={API} trust=root twice", AGAIN, {REQUIRED: AGAIN}),
    ("api=revoked", f"url={API} hook=yes", f"{SENT} called 1", {STAPLE: f"{REFUSED} called 0"}),
    ("api", f"url={API} trust=root", SENT, {STAPLE: SENT, REQUIRED: REFUSED}),
    # ---- threads and children ----
    ("api", f"url={API} duplex twice trust=root", AGAIN, {ACCEPT: AGAIN, OTHER: NOT_AGAIN, ELSEWHERE: AGAIN}),
    ("api", f"url={API} duplex twice trust=root {OLD}", AGAIN, {ACCEPT: AGAIN}),
    ("api", f"url={API} threads=16 hook=yes force hand={API}",
     f"handshake done {hands('bad', 'good')} {SENT} called 16",
     {ACCEPT: f"handshake done {hands('good', 'good')} {SENT} called 16"}),
    ("api", f"url={API} threads=16 hook=yes", f"{SENT} called 16", {OTHER: f"{REFUSED} called 0"}),
    ("api", f"url={API} fork hook=yes", f"{SENT} called 1",
     {ACCEPT: f"{SENT} called 1", OTHER: f"{REFUSED} called 0"}),
)


BY_HAND = {"dtls": ("-dtls",), "early": ("-early_data",)}


def answer(process):
    for line in process.stdout:
        if b"GET" in line:
            process.stdin.write(b"hello\nq\n")
            process.stdin.flush()


def port_of(lab, server):
    """With datagrams and with early data s_server takes one client, and is answered for by hand."""
    if server not in BY_HAND:
        return lab.servers.ports[server]
    pki = lab.pki
    process = lab.servers.start(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pki.pem("api")), "-key",
         str(pki.key("api")), "-cert_chain", str(pki.chain("api")), *BY_HAND[server]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = next((line for line in process.stdout if line.startswith(b"ACCEPT")), None)
    require(said, "s_server didn't start")
    threading.Thread(target=answer, args=(process,), daemon=True).start()
    return int(said.rpartition(b":")[2])


def start(lab):
    lab.servers.python(("api", "api-other", "expired", "rsa"))
    lab.servers.stapling(("api=good", "api=good/1.2", "api=revoked"))
    lab.servers.openssl("psk", "-psk", "01020304010203040102030401020304", "-tls1_3")
    lab.servers.openssl("again", "-client_renegotiation", "-tls1_2", leaf="api")


def call(lab, policy, *command):
    """What it printed, and what was logged."""
    under = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy)) if policy else {}
    status, out, err = lab.run([str(word) for word in command], environment=under)
    require(status == 0, f"status {status}: {out}{err}")
    return " ".join(out.split()), err


def client(lab, policy, server, words, program="client"):
    return call(lab, policy, lab.nss[program], lab.pki.directory, port_of(lab, server), *words.split())


def check(server, words, policy, wanted):
    def test(lab):
        got, err = client(lab, policy, server, words)
        require(got == wanted, f"{words}: wanted {wanted}, got {got}: {err}")
    return test


def tests():
    for server, words, bare, under in CASES:
        name = f"{server}: {words or 'an address alone'}"
        yield f"{name}: bare", check(server, words, None, bare)
        for policy, wanted in under.items():
            yield f"{name}: {' '.join(policy.split())}", check(server, words, policy, wanted)
