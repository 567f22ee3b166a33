"""attacks.py - ways past the policy that were once open, each beside what must go on working."""
import contextlib
import datetime
import ssl
import time

from e2e.harness import require
from e2e.naming import in_both_ways
from e2e.resumption import bare_session, s_client
from lab import clients, ways
from lab.scenario import REFUSE
from lab.servers import in_thread

SERVERS = ("api", "api/1.2", "api-other", "expired", "ip", "partner", "partner/1.2")
HOST = "[host api.example.test]\n"
RULE = HOST + "anchors = {root}\n"
VALID = (6, 20, 60)  # seconds that an exception lasts, until two connections fit in


def start(lab):
    """A server that staples an answer, in TLS 1.2."""
    lab.servers.stapling(["api=good/1.2"])


# What every client below begins with: `port`, a context that verifies nothing itself, and
# `call`, one request over a secured socket.
CLIENT = """
import fcntl, os, signal, socket, ssl, sys, threading, time
port, *words = sys.argv[1:]
port = int(port)
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

def dial():
    return socket.create_connection(("127.0.0.1", port), 60)

def secure(plain, **more):
    return context.wrap_socket(plain, server_hostname="api.example.test", **more)

def call(secured):
    secured.sendall(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
    return secured.recv(4096)
"""

IMPLICIT_WRITE = CLIENT + """
secured = secure(dial(), do_handshake_on_connect=False)
try:
    secured.send(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
    print(secured.recv(4096).decode())
except OSError as error:
    print("refuse", error)
"""

TWICE_AND_LATER = CLIENT + """
def connect(label, session=None):
    try:
        with secure(dial(), session=session) as secured:
            call(secured)
            print(label, "accept", secured.session_reused)
            return secured.session
    except ssl.SSLCertVerificationError:
        print(label, "refuse")

kept = connect("first")
kept = connect("again", kept) or kept
print("at", time.time())
time.sleep(max(0, float(words[0]) - time.time()))
connect("later", kept)
"""

# `pumped`: libssl is given no socket, and the one there is has a high number; `piped`: it is
# given a socket that is no TCP connection. With `decoy`, another connection is there too; with
# `beside`, a listener at the connection's port, of another address.
WITHOUT_SOCKET = CLIENT + """
if "decoy" in words:
    listener = socket.create_server(("127.0.0.1", 0))
    decoy = socket.create_connection(listener.getsockname())
low = dial()
if "beside" in words:
    listener = socket.create_server(("127.0.0.2", low.getsockname()[1]))
os.dup2(low.fileno(), 300)
low.close()
plain = socket.socket(fileno=300)
plain.setblocking(True)

def pumped():
    read, written = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = context.wrap_bio(read, written, server_hostname="api.example.test")
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            plain.sendall(written.read())
            read.write(plain.recv(65536))

def copy(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)

def piped():
    near, far = socket.socketpair()
    for ends in ((far, plain), (plain, far)):
        threading.Thread(target=copy, args=ends, daemon=True).start()
    secure(near)

try:
    (pumped if "pumped" in words else piped)()
    print("accept", flush=True)
except ssl.SSLCertVerificationError:
    print("refuse", flush=True)
os._exit(0)
"""

# What stands at descriptor 2 when the verdict is logged.
ODD_STDERR = CLIENT + """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

def fill(pipe):
    fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(pipe, b"x" * size)
        except BlockingIOError:
            pass
    fcntl.fcntl(pipe, fcntl.F_SETFL, 0)

reader, writer = os.pipe()
if words[0] == "full":
    fill(writer)
else:
    os.close(reader)
os.dup2(writer, 2)
try:
    print(call(secure(dial())).decode())
except ssl.SSLCertVerificationError:
    print("refuse")
"""


# A program's own file at descriptor 2, from before its first context or from after that.
OWN_FILE = """
import os, ssl, sys
early = sys.argv[2] == "early"

def take_descriptor():
    os.close(2)
    assert os.open(sys.argv[3], os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600) == 2
    os.write(2, b"DATA")
early and take_descriptor()
""" + CLIENT + """
early or take_descriptor()
try:
    call(secure(dial()))
except ssl.SSLCertVerificationError:
    print("refuse")
"""


def client(lab, way, script, policy, server, *words):
    """The lines that SCRIPT prints."""
    port = lab.servers.ports[server] if isinstance(server, str) else server
    command = [clients.PYTHON, "-c", script, str(port), *map(str, words)]
    status, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)))
    require(status == 0, f"{words}: crashed or hung: status {status}: {out}{err}")
    return out.strip()


@contextlib.contextmanager
def recorder(lab):
    """A TLS 1.2 server for one connection, which staples nothing: its port, and what it got."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(lab.pki.chain("api"), lab.pki.key("api"))
    got = []

    def serve(listener):
        with contextlib.suppress(OSError), listener.accept()[0] as plain:
            plain.settimeout(60)
            try:
                with tls.wrap_socket(plain, server_side=True) as secured:
                    got.append(secured.version())
                    got.append(secured.recv(4096))
                    secured.sendall(b"hello from a recorder")
            except ssl.SSLError as error:
                got.append(error.reason)
    with in_thread(serve) as port:
        yield port, got


def implicit_write(lab, way):
    """SSL_write makes the handshake itself: after a refusal behind the certificate it must not go
    on to write, and the server is told."""
    for revocation, arrives in (("staple-required", False), ("none", True)):
        with recorder(lab) as (port, got):
            said = client(lab, way, IMPLICIT_WRITE, f"{RULE}revocation = {revocation}", port)
        first = "TLSv1.2" if arrives else "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"
        require(got[:1] == [first], f"{revocation}: the server saw {got}: {said}")
        require(any(got[1:]) == arrives, f"{revocation}: the server got {got}: {said}")
        require(said.startswith("hello" if arrives else "refuse"), f"{revocation}: {said}")
    said = client(lab, way, IMPLICIT_WRITE, RULE + "revocation = staple-required", "api=good/1.2")
    require("hello from" in said, f"with an answer: {said}")


def exception_expires(lab, way, server):
    """A session lives no longer than the exception that let it in. Where the machine is so busy
    that the exception had ended before the second connection had, that says nothing."""
    for valid in VALID:
        end = int(time.time()) + valid
        expires = datetime.datetime.fromtimestamp(end, datetime.timezone.utc)
        policy = ("[exception x]\nhost = api.example.test\ncertificate = {fp partner}\n"
                  f"findings = name-mismatch\nexpires = {expires:%Y-%m-%dT%H:%M:%SZ}\n" + RULE)
        said = client(lab, way, TWICE_AND_LATER, policy, server, end + 0.1)
        first, again, at, later = said.splitlines()
        require(later == "later refuse", said)
        if float(at.split()[1]) < end:
            break
    require([first, again] == ["first accept False", "again accept True"], said)


def distrusted_session(lab, way, server):
    """[distrust] is for every host; a session from a file holds the leaf, and not its path."""
    path = bare_session(lab, server)
    for distrusted, wanted in (("intermediate", False), ("other-intermediate", True)):
        policy = "[policy]\nunmatched = app\n[distrust]\ncertificate = {fp " + distrusted + "}"
        arrived, resumed, said = s_client(lab, way, policy, server, "-sess_in", path)
        require(arrived == wanted, f"distrusting {distrusted}, resumed {resumed}: {said}")
        require(wanted or "distrusted" in said, f"refused for another reason: {said}")


def port_rule(lab, way, kind):
    """A rule for the port applies, or if the port isn't known the server is refused."""
    port = lab.servers.ports["api"]
    this, other = (f"[host api.example.test:{number}]\naction = reject" for number in (port, 1))
    for policy, words, wanted in (
            (this, (), "refuse"), (this, ("decoy",), "refuse"), (RULE, (), "accept"),
            (this, ("beside",), "refuse"),
            (other, ("beside",), "accept" if kind == "pumped" else "refuse"),
            (RULE, ("decoy",), "accept"), (other, (), "accept" if kind == "pumped" else "refuse")):
        said = client(lab, way, WITHOUT_SOCKET, policy, "api", kind, *words)
        require(said == wanted, f"wanted {wanted}: {policy} {words}: {said}")


def reference_names(lab, way):
    """What the application wants verified counts beside a pin, also where it names no host."""
    policy = "[host *]\nanchors = {root}\nleaf-pin = {pin api}, {pin ip}"
    named = {"api": "api.example.test", "ip": "127.0.0.1, ::1, CN loopback"}
    for server, names, unmet in (
            ("api", (), ""), ("api", ("-verify_hostname", ".example.test"), ""),
            ("api", ("-verify_hostname", ".other.test"), ".other.test"),
            ("ip", ("-verify_ip", "127.0.0.1"), ""), ("ip", ("-verify_ip", "10.9.9.9"), "10.9.9.9"),
            ("api", ("-verify_ip", "10.9.9.9"), "10.9.9.9"),
            ("api", ("-verify_email", "nobody@example.test"), "mail for nobody@example.test"),
            ("api", ("-verify_hostname", ".other.test", "-verify_email", "nobody@example.test"),
             ".other.test and mail for nobody@example.test")):
        arrived, _, said = s_client(lab, way, policy, server, *names)
        require(arrived == (not unmet), f"{names}: unmet {unmet}: {said}")
        require(not unmet or f"name-mismatch: the certificate names {named[server]}, wanted "
                f"{unmet} (" in said, f"{names}: refused for another reason: {said}")


def odd_stderr(lab, way, kind):
    """The log can't be written: nobody is killed or kept waiting, and the verdict is the same."""
    for server, wanted in (("expired", "refuse"), ("api", "hello from")):
        policy = "[policy]\nlog-level = all\n" + RULE
        said = client(lab, way, ODD_STDERR, policy, server, kind)
        require(wanted in said, f"{kind}: {server}: {said}")


def stderr_is_data(lab, way):
    """Whoever closed stderr may have a file of its own there; one from outside takes the log."""
    for moment in ("early", "late"):
        path = lab.scratch / f"descriptor-2-{way}-{moment}"
        said = client(lab, way, OWN_FILE, RULE, "expired", moment, path)
        require(said == "refuse", said)
        require(path.read_text() == "DATA", f"{moment}: written into: {path.read_text()}")
    path = lab.scratch / f"stderr-{way}"
    program = clients.PROGRAMS["python3"]
    command = ways.by_command(lab.build, way, program.command(lab.target("expired")),
                              lab.policy(RULE))
    lab.run(["sh", "-c", 'exec "$@" 2>"$0"', str(path), *command])
    require("reject api.example.test" in path.read_text(), f"not logged: {path.read_text()}")


def report_and_distrust(lab, way):
    """A rule that only reports doesn't lift [distrust]; the mode of the whole policy does."""
    distrust = "[distrust]\ncertificate = {fp intermediate}\n"
    target = lab.target("api", app="root")
    for policy, wanted in ((RULE + "mode = report\n" + distrust, REFUSE),
                           ("[policy]\nmode = report\n" + RULE + distrust, "accept"),
                           (RULE + "mode = report\n", "accept")):
        got = lab.get("curl", way, target, lab.policy(policy))
        require(got.verdict == wanted, f"wanted {wanted}: {policy}: {got.said}")
        require(("[distrust]" in policy) == any("distrusted" in line for line in got.log), got.said)


def each(title, check, values):
    """CHECK with each of VALUES (what the title says, the argument)."""
    for word, value in values:
        yield from in_both_ways(f"{title}, {word}",
                                lambda lab, way, value=value: check(lab, way, value))


def tests():
    versions = ("TLS 1.2", "/1.2"), ("TLS 1.3", "")
    yield from in_both_ways("attack: data written with the handshake", implicit_write)
    yield from each("attack: a session outlives its exception", exception_expires,
                    [(word, "partner" + tail) for word, tail in versions])
    yield from each("attack: a session of a distrusted server", distrusted_session,
                    [(word, "api" + tail) for word, tail in versions])
    yield from each("attack: past a port's rule", port_rule,
                    (("bytes pumped", "pumped"), ("a socket pair", "piped")))
    yield from in_both_ways("attack: names that are no host", reference_names)
    yield from each("attack: stderr", odd_stderr,
                    (("no reader", "broken"), ("a full pipe", "full")))
    yield from in_both_ways("attack: stderr is a data file", stderr_is_data)
    yield from in_both_ways("attack: a rule in report mode, distrusted", report_and_distrust)
