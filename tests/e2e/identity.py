"""identity.py - which connection it is: whatever else the process has open, looks up or is told."""
import contextlib
import socket
import struct
import threading

from e2e.attacks import CLIENT
from e2e.harness import Skip, require
from e2e.naming import in_both_ways, s_client
from lab import clients, ways
from lab.servers import in_thread

SERVERS = ("api", "ip", "ip/1.2")
ADDRESS = "[host 127.0.0.1]\nanchors = {root}\nleaf-pin = {pin ip}\n"
REJECTED = "[host 127.0.0.1]\naction = reject\n"
BELOW = "[host *.example.test]\naction = reject\n"
ELSEWHERE = "[host 192.0.2.1]\naction = reject\n"

# The bytes are moved by the program itself. words: the server name or "-"; how they go: "socket",
# in small "pieces", or through a "pair" of sockets that a thread or a "child" relays to the server;
# "descriptor" hands the library such a pair. Then ports to which there are connections besides.
MEMORY = CLIENT + """
name, through, *others = words
name = None if name == "-" else name
def relay(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
keep = [socket.create_connection(("127.0.0.1", int(other))) for other in others]
plain = dial()
if through in ("pair", "descriptor"):
    far, (plain, near) = plain, socket.socketpair()
    for ends in ((near, far), (far, near)):
        threading.Thread(target=relay, args=ends, daemon=True).start()
if through == "child":
    far, (plain, near) = plain, socket.socketpair()
    if os.fork() == 0:
        plain.close()
        threading.Thread(target=relay, args=(far, near), daemon=True).start()
        relay(near, far)
        os._exit(0)
    far.close(), near.close()
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

def send():
    while data := outgoing.read(7 if through == "pieces" else 65536):
        plain.sendall(data)

def move(action, *arguments):
    while True:
        try:
            result = action(*arguments)
            send()
            return result
        except ssl.SSLWantReadError:
            send()
            incoming.write(plain.recv(65536))
try:
    if through == "descriptor":
        call(context.wrap_socket(plain, server_hostname=name))
    else:
        secured = context.wrap_bio(incoming, outgoing, server_hostname=name)
        move(secured.do_handshake)
        move(secured.write, b"GET /hello HTTP/1.0\\r\\n\\r\\n")
        move(secured.read, 4096)
    print("accept")
except OSError as error:
    print("refuse", error)
"""


@contextlib.contextmanager
def holding():
    """A server of TCP that says nothing; its port."""
    kept = []

    def hold(listener):
        with contextlib.suppress(OSError):
            while True:
                kept.append(listener.accept()[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hold, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for one in kept:
        one.close()


def says(lab, way, policy, server, *words):
    """'accept' or 'refuse', and all that was said."""
    command = [clients.PYTHON, "-c", MEMORY, str(lab.servers.ports[server]), *map(str, words)]
    status, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)))
    require(status == 0, f"{words}: crashed or hung: status {status}: {out}{err}")
    return out.split()[0], out + err


def moves_bytes_itself(lab, way):
    """The rule for an address holds beside another connection, and the right server goes on."""
    for server, wanted in (("ip", "accept"), ("ip/1.2", "accept"), ("api", "refuse")):
        for through in ("socket", "pieces", "pair"):
            got, said = says(lab, way, ADDRESS, server, "-", through)
            require(got == wanted, f"{server} {through}: {said}")
    with holding() as other:
        for server in ("ip", "api"):
            got, said = says(lab, way, REJECTED, server, "-", "socket", other)
            require(got == "refuse", f"{server} beside another connection: {said}")
        got, said = says(lab, way, f"[host 127.0.0.1:{other}]\naction = reject\n", "ip", "-",
                         "socket", other)
        require((got == "accept") == (way == ways.PRELOAD), f"which it is: {said}")
        got, said = says(lab, way, ELSEWHERE, "ip", "-", "socket", other)
        require(got == "accept", f"none of them has a rule: {said}")


# words: how it hides, "shared" its place with a listener of its own or "ended" before anyone looks,
# and a port to which there is a connection besides.
HIDING = CLIENT + """
how, other = words
keep = socket.create_connection(("127.0.0.1", int(other)))
plain, listener = socket.socket(), socket.socket()
for one in (plain, listener) if how == "shared" else ():
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(plain.getsockname() if one is listener else ("127.0.0.1", 0))
if how == "shared":
    listener.listen()
plain.connect(("127.0.0.1", port))
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
secured = context.wrap_bio(incoming, outgoing)

def receive():
    data = plain.recv(65536)
    try:
        while how == "ended" and (more := plain.recv(65536)):
            data += more
    except ConnectionResetError:
        pass
    return data

def shake():
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(receive())
try:
    shake()
    print("accept")
except OSError as error:
    print("refuse", error)
"""


@contextlib.contextmanager
def cutting(port):
    """Lets the server at PORT say its first words, and resets the connection."""
    def cut(listener):
        near = listener.accept()[0]
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            far.sendall(near.recv(65536))
            near.sendall(far.recv(65536))
            far.settimeout(2)  # what more there is comes at once
            with contextlib.suppress(TimeoutError):
                while data := far.recv(65536):
                    near.sendall(data)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with in_thread(cut) as at:
        yield at


def hiding(lab, way):
    """A connection that looks like an accepted one, or isn't one any more, is one all the same."""
    for how in ("shared", "ended"):
        for policy, wanted in ((REJECTED, "refuse"), ("[host 192.0.2.1]\naction = pass\n", "accept")):
            server = lab.servers.ports["ip"]
            with holding() as other, \
                    cutting(server) if how == "ended" else contextlib.nullcontext(server) as port:
                elsewhere = policy.replace("127.0.0.1", f"127.0.0.1:{port}")
                command = [clients.PYTHON, "-c", HIDING, str(port), how, str(other)]
                _, out, err = lab.run(ways.by_command(lab.build, way, command,
                                                      lab.policy(elsewhere)))
            require(out.startswith(wanted), f"{how}, {policy}: {out}{err}")


def unknown_host(lab, way):
    """No name and no address: whatever rule might be for it refuses, and says why."""
    for policy in (ADDRESS, ELSEWHERE, BELOW):
        got, said = says(lab, way, policy, "ip", "-", "descriptor")
        require(got == "refuse" and "host-unknown" in said and "is no connected socket" in said,
                f"{policy}: {said}")
    with holding() as other:
        got, said = says(lab, way, ELSEWHERE, "ip", "-", "child", other)
        require((got == "refuse") == (way == ways.PRELOAD), f"another process's connection: {said}")
        require(got == "accept" or "went to no socket of IP" in said, said)
        got, said = says(lab, way, BELOW, "ip", "other.test", "child", other)
        require(got == "accept", f"a name that no rule is for: {said}")
    got, said = says(lab, way, "[policy]\ninsecure-unknown-host = app\n" + BELOW, "ip", "-",
                     "descriptor")
    require(got == "accept", f"left to the application: {said}")
    got, said = says(lab, way, BELOW, "ip", "other.test", "descriptor")
    require(got == "accept", f"a name that no rule is for: {said}")
    harmless = "[host *.example.test]\naction = pass\n[host x.test]\nmode = report\n" \
               "[host y.test]\nprogram = /bin/other\naction = reject\n"
    got, said = says(lab, way, harmless, "ip", "-", "descriptor")
    require(got == "accept", f"no rule that could apply demands anything: {said}")
    got, said = says(lab, way, "[host *]\nanchors = {root}\nhostname = loopback, 127.0.0.1\n", "ip",
                     "-", "descriptor")
    require(got == "accept", f"any host's rule applies to an unknown one too: {said}")


def unspellable(lab, way):
    """A name that no pattern can spell lies below its wildcard, and nowhere else."""
    end = f"127.0.0.1:{lab.servers.ports['api']}"
    for name in ("a~b.example.test", "a" * 64 + ".example.test", "a..EXAMPLE.test", "a b.example.test"):
        for options in (("-servername", name), ("-verify_hostname", name, "-noservername")):
            for policy, wanted in ((BELOW, False), ("[host *.other.test]\naction = reject\n", True),
                                   (REJECTED, True)):
                got = s_client(lab, way, policy, "api", "-connect", end, *options)
                require(got == wanted, f"{options}: {policy}")
    rule = "[host api.example.test]\naction = reject\n"
    for options, policy, wanted in (
            (("-noservername",), rule, False), (("-servername", "api.example.test"), rule, False),
            (("-servername", "www.example.test"), rule, True), (("-noservername",), BELOW, False),
            (("-noservername",), "[host api.other.test]\naction = reject\n", True)):
        got = s_client(lab, way, policy, "api", "-connect", end, "-verify_hostname",
                       ".example.test", *options)
        require(got == wanted, f"any name below .example.test: {options}: {policy}")
    for name in ("127.1", "2130706433", "0x7f000001"):
        require(not s_client(lab, way, REJECTED, "ip", "-connect",
                             f"127.0.0.1:{lab.servers.ports['ip']}", "-servername", name),
                f"{name} is an address")


# A look-up that libc makes in a thread of its own; `wait`: the call waits for it, `suspend` and
# `poll`: the program does.
IN_BACKGROUND = CLIENT + """
import ctypes
class Request(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "service", "hints", "result")] + [
        ("status", ctypes.c_int), ("rest", ctypes.c_int * 5)]
libc, request = ctypes.CDLL(None), Request(b"localhost")
one = (ctypes.POINTER(Request) * 1)(ctypes.pointer(request))
assert libc.getaddrinfo_a(int(words[0] != "wait"), one, 1, None) == 0
if words[0] == "suspend":
    libc.gai_suspend(one, 1, None)
elif words[0] == "poll":
    while libc.gai_error(ctypes.byref(request)) == -100: # EAI_INPROGRESS
        time.sleep(0.01)
try:
    call(context.wrap_socket(dial()))
    print("accept")
except OSError as error:
    print("refuse", error)
"""


def looked_up_in_background(lab, way):
    """The rule for a name holds however it is looked up."""
    for how in ("wait", "suspend", "poll"):
        for name, wanted in (("localhost", way != ways.PRELOAD), ("other.test", True)):
            command = [clients.PYTHON, "-c", IN_BACKGROUND, str(lab.servers.ports["ip"]), how]
            policy = lab.policy(f"[host {name}]\naction = reject\n")
            _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
            require(out.startswith("accept" if wanted else "refuse"), f"{how} {name}: {out}{err}")


def node_by_address(lab, way):
    """Node moves the bytes itself, and checks the address itself: the rule holds all the same."""
    if not ways.reaches(lab.build, way, clients.PROGRAMS["node"].executable):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    script = """
const [, port, other] = process.argv, tls = require('tls'), net = require('net');
const beside = net.connect(other, '127.0.0.1', () => {
  const socket = tls.connect({host: '127.0.0.1', port, rejectUnauthorized: false},
                             () => { console.log('accept'); process.exit(0); });
  socket.on('error', error => { console.log('refuse', error.message); process.exit(0); });
});
"""
    with holding() as other:
        for policy, server, wanted in ((REJECTED, "ip", "refuse"), (ELSEWHERE, "ip", "accept"),
                                       (ADDRESS, "api", "refuse")):
            command = [clients.PROGRAMS["node"].executable, "-e", script,
                       str(lab.servers.ports[server]), str(other)]
            _, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)))
            require(out.startswith(wanted), f"{policy}: {out}{err}")


def resumes(lab, way):
    """A program that hands the library no socket resumes: the rule is the same, whatever the port."""
    if not ways.reaches(lab.build, way, clients.PROGRAMS["node"].executable):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    script = """
const [, port] = process.argv, tls = require('tls');
function meet(session, next) {
  const socket = tls.connect({host: '127.0.0.1', port, servername: 'api.example.test', session,
                              rejectUnauthorized: false});
  let ticket, reused;
  socket.on('session', one => { ticket = one; });
  socket.on('secureConnect', () => {
    reused = socket.isSessionReused();
    socket.write('GET /hello HTTP/1.0\\r\\n\\r\\n');
  });
  socket.on('data', () => {});
  socket.on('close', () => next(ticket, reused));
  socket.on('error', error => console.log('refuse', error.message));
}
meet(undefined, ticket => meet(ticket, (_, reused) => console.log(reused)));
"""
    for policy, wanted in (("[host api.example.test]\nanchors = {root}\n", "true"),
                           ("[host api.example.test:1]\naction = reject\n"
                            "[host api.example.test]\nanchors = {root}\n", "false"),
                           ("[host api.example.test]\naction = reject\n", "refuse")):
        command = [clients.PROGRAMS["node"].executable, "-e", script, str(lab.servers.ports["api"])]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)))
        require(out.startswith(wanted), f"{policy}: {out}{err}")


def carries_on(lab, way):
    """Node's own callbacks come before the session's: one of TLS 1.2 that the policy has yet to
    evaluate, for this version of it or this host, ends in a full handshake; without a ticket it
    is refused."""
    if not ways.reaches(lab.build, way, clients.PROGRAMS["node"].executable):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    script = """
const [, port, policy, more, name] = process.argv, tls = require('tls'), fs = require('fs');
function meet(servername, session, next) {
  const socket = tls.connect({host: '127.0.0.1', port, servername, session,
                              rejectUnauthorized: false});
  let ticket;
  socket.on('session', one => { ticket = one; });
  socket.on('secureConnect', () => {
    console.log(socket.isSessionReused());
    socket.write('GET /hello HTTP/1.0\\r\\n\\r\\n');
  });
  socket.on('data', () => {});
  socket.on('close', () => next(ticket));
  socket.on('error', error => console.log('refuse'));
}
meet('api.example.test', undefined, ticket => {
  fs.appendFileSync(policy, more);
  setTimeout(meet, more ? 1300 : 0, name, ticket, () => {});
});
"""
    rule, own = "[host api.example.test]\nanchors = {root}\n", "api.example.test"
    for server, more, name, wanted in (
            ("tickets", "", own, ("false true",)), ("tickets", "# anew\n", own, ("false false",)),
            ("tickets", "leaf-pin = {pin ip}\n", own, ("false refuse",)),
            ("tickets", "", "free.test", ("false false",)), ("numbers", "", own, ("false true",)),
            ("numbers", "leaf-pin = {pin ip}\n", own, ("false refuse",)),
            ("numbers", "", "free.test", ("false refuse", "false false"))):
        path = lab.scratch / f"carries-on-{way}.conf"
        path.write_text(lab.pki.expand(rule))
        path.chmod(0o644)
        command = [clients.PROGRAMS["node"].executable, "-e", script, str(lab.servers.ports[server]),
                   str(path), lab.pki.expand(more), name]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, path))
        require(" ".join(out.split()) in wanted, f"{server}, {more}, {name}: {out}{err}")


def start(lab):
    """Servers that keep sessions in tickets, and by their numbers."""
    lab.servers.openssl("tickets", "-tls1_2", leaf="api")
    lab.servers.openssl("numbers", "-tls1_2", "-no_ticket", leaf="api")


def tests():
    for title, check in (("bytes that the program moves", moves_bytes_itself),
                         ("connections that hide", hiding),
                         ("an unknown host", unknown_host), ("unspellable names", unspellable),
                         ("looked up in the background", looked_up_in_background),
                         ("node, by address", node_by_address),
                         ("sessions of whom no port is known", resumes),
                         ("sessions from before a reload or of another host", carries_on)):
        yield from in_both_ways(f"identity: {title}", check)
