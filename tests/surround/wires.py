"""wires.py - other ways to a server: proxies, datagrams, certificates of the client's own."""
import contextlib
import select
import socket
import ssl
import threading

from e2e.attacks import CLIENT, client
from e2e.harness import require
from e2e.naming import in_both_ways
from lab import clients, ways
from lab.servers import in_thread

RULE = "[host api.example.test]\nanchors = {root}\n"
OTHER = "[host api.example.test]\nanchors = {other-root}\n"
REJECTS = "[host {}]\naction = reject\n"


def receive(plain, count):
    data = b""
    while len(data) < count and (more := plain.recv(count - len(data))):
        data += more
    return data


def greet_http(plain):
    """RFC 9110 section 9.3.6."""
    asked = b""
    while not asked.endswith(b"\r\n\r\n"):
        if not (more := plain.recv(1)):
            raise ConnectionError("it asked for nothing")
        asked += more
    plain.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def greet_socks(plain):
    """RFC 1928: no authentication; a name or an IPv4 address."""
    receive(plain, receive(plain, 2)[1])
    plain.sendall(b"\5\0")
    kind = receive(plain, 4)[3]
    receive(plain, (receive(plain, 1)[0] if kind == 3 else 4) + 2)
    plain.sendall(b"\5\0\0\1\0\0\0\0\0\0")


@contextlib.contextmanager
def proxy(greet, port):
    """A proxy, which leads to PORT whatever it is asked for; its own port."""
    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve(near):
        with contextlib.suppress(OSError, IndexError), near:
            greet(near)
            with socket.create_connection(("127.0.0.1", port)) as far:
                back = threading.Thread(target=copy, args=(far, near))
                back.start()
                copy(near, far)
                back.join()

    def listen(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def through_proxy(scheme, greet):
    """The server's rule applies, and not the proxy's; a rule with a port meets the proxy's."""
    def check(lab, way):
        port = lab.servers.ports["api"]
        with proxy(greet, port) as at:
            for policy, wanted in ((RULE, True), (OTHER, False), (REJECTS.format("127.0.0.1"), True),
                                   (REJECTS.format("localhost"), True),
                                   (REJECTS.format(f"api.example.test:{at}"), False)):
                command = ["curl", "-sSk", "--max-time", "60", "--noproxy", "-", "-x",
                           f"{scheme}://127.0.0.1:{at}", f"https://api.example.test:{port}/",
                           "--resolve", f"api.example.test:{port}:127.0.0.1"]
                status, out, err = lab.run(
                    ways.by_command(lab.build, way, command, lab.policy(policy)))
                require(("hello from" in out) == wanted and status in (0, 60),
                        f"wanted {wanted}: {policy}: exit {status}: {out}{err}")
    return check


# DTLS over a socket that isn't connected: the BIO knows the peer, also below one that filters.
UNCONNECTED = """
import ctypes, socket, sys
for name in ("crypto", "ssl"):
    ctypes.CDLL(f"lib{name}.so.3", ctypes.RTLD_GLOBAL)
def call(name, *words):
    function = getattr(ctypes.CDLL(None), name)
    function.restype = ctypes.c_void_p
    return function(*(ctypes.c_void_p(word) if type(word) is int else word for word in words))
SET_PEER = 44
plain, at = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), call("BIO_ADDR_new")
call("BIO_ADDR_rawmake", at, socket.AF_INET, socket.inet_aton("127.0.0.1"), 4,
     socket.htons(int(sys.argv[1])))
bio = call("BIO_new_dgram", plain.fileno(), 0)
call("BIO_ctrl", bio, SET_PEER, 0, at)
if sys.argv[2] == "filtered":
    bio = call("BIO_push", call("BIO_new", call("BIO_f_null")), bio)
ssl = call("SSL_new", call("SSL_CTX_new", call("DTLS_client_method")))
call("SSL_set_bio", ssl, bio, bio)
print("accept" if call("SSL_connect", ssl) == 1 else "refuse")
call("SSL_shutdown", ssl)
"""


def datagram_server(lab):
    """The process and the port, as a text."""
    server = lab.servers.start(
        ["openssl", "s_server", "-dtls", "-accept", "0", "-cert", lab.pki.pem("ip"), "-key",
         lab.pki.key("ip"), "-cert_chain", lab.pki.chain("ip")], stdin=-1, stdout=-1, stderr=-3,
        text=True)
    # A datagram that comes before the server is there gets a refusal; it says when it is.
    line = next(line for line in server.stdout if line.startswith("ACCEPT"))
    return server, line.split(":")[-1].strip()


@contextlib.contextmanager
def answering_from(address, server):
    """Takes datagrams at 127.0.0.1, and lets the port SERVER's answers come from ADDRESS."""
    with socket.socket(type=socket.SOCK_DGRAM) as front, \
            socket.socket(type=socket.SOCK_DGRAM) as other, \
            socket.socket(type=socket.SOCK_DGRAM) as back:
        front.bind(("127.0.0.1", 0))
        other.bind((address, front.getsockname()[1]))
        back.connect(("127.0.0.1", int(server)))
        ended = threading.Event()

        def carry():
            client = None
            while not ended.is_set():
                for ready in select.select((front, other, back), (), (), 0.2)[0]:
                    data, sender = ready.recvfrom(65536)
                    if ready is back:
                        other.sendto(data, client)
                    else: # the client answers who answers it
                        client = sender
                        back.send(data)
        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        yield str(front.getsockname()[1])
        ended.set()
        thread.join()


def other_sender(lab, way):
    """DTLS without a connected socket: who is sent to, and who answers, who is sent to then."""
    for policy, wanted in (("[host 127.0.0.1]\nanchors = {root}", "through"),
                           ("[host 127.0.0.1]\nanchors = {other-root}", "stopped"),
                           (REJECTS.format("127.0.0.9"), "stopped"),
                           (REJECTS.format("127.0.0.8"), "through"),
                           (REJECTS.format("127.0.0.1"), "stopped")):
        _, port = datagram_server(lab)
        with answering_from("127.0.0.9", port) as front:
            command = [lab.programs["unconnected"], "127.0.0.1", front]
            _, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)))
        require(out.strip() == wanted, f"wanted {wanted}: {policy}: {out}{err}")


def datagrams(lab, way):
    """DTLS, under the rule of the name that is sent, looked up, or of the address alone."""
    server, port = datagram_server(lab)
    looked_up = way == ways.PRELOAD
    for policy, names, wanted in (
            (RULE + "hostname = 127.0.0.1", ("-servername", "api.example.test"), True),
            (OTHER, ("-servername", "api.example.test"), False),
            ("[host 127.0.0.1]\nanchors = {root}", ("-noservername",), True),
            ("[host 127.0.0.1]\nanchors = {other-root}", ("-noservername",), False),
            (REJECTS.format(f"127.0.0.1:{port}"), ("-noservername",), False),
            (REJECTS.format("localhost"), ("-noservername",), not looked_up)):
        host = "localhost" if "localhost" in policy else "127.0.0.1"
        command = ["openssl", "s_client", "-dtls", "-4", "-connect", f"{host}:{port}", *names]
        status, out, err = lab.run(ways.by_command(lab.build, way, command, lab.policy(policy)),
                                   b"Q\n")
        require(status in (0, 1), f"crashed or hung: status {status}: {err}")
        require(("Cipher is (NONE)" not in out) == wanted, f"wanted {wanted}: {policy}: {out}{err}")
    for how in ("plain", "filtered"):
        for address, wanted in (("127.0.0.1", "refuse"), ("192.0.2.1", "accept")):
            command = [clients.PYTHON, "-c", UNCONNECTED, port, how]
            policy = lab.policy(REJECTS.format(address))
            _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
            require(out.strip() == wanted, f"{how}, {address}: {out}{err}")
    require(server.poll() is None, "the server has ended")


@contextlib.contextmanager
def asking(lab, leaf, later):
    """A server for one connection that asks for a certificate, at once or LATER; what it got."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(lab.pki.chain(leaf), lab.pki.key(leaf))
    tls.load_verify_locations(lab.pki.pem("root"))
    tls.verify_mode = ssl.CERT_OPTIONAL if later else ssl.CERT_REQUIRED
    tls.post_handshake_auth = later
    got = []

    def serve(listener):
        with contextlib.suppress(OSError), listener.accept()[0] as plain:
            plain.settimeout(60)
            with tls.wrap_socket(plain, server_side=True) as secured:
                secured.recv(4096)
                if later:
                    secured.verify_client_post_handshake()
                    secured.sendall(b"who are you? ")
                    secured.recv(4096)
                got.append(bool(secured.getpeercert(True)))
                secured.sendall(b"hello from one who asks")
    with in_thread(serve) as port:
        yield port, got


SHOWING = CLIENT + """
context.load_cert_chain(words[0], words[1])
context.post_handshake_auth = True
try:
    secured = secure(dial())
    said = call(secured)
    if said == b"who are you? ":
        said = call(secured)
    print(said.decode())
except ssl.SSLCertVerificationError:
    print("refuse")
"""


def showing(later):
    """A client's own certificate gets through, in the handshake and behind it."""
    def check(lab, way):
        for leaf, wanted in (("api", "hello from one who asks"), ("api-other", "refuse")):
            with asking(lab, leaf, later) as (port, got):
                said = client(lab, way, SHOWING, RULE, port, lab.pki.chain("client-only"),
                              lab.pki.key("client-only"))
            require(said == wanted, f"{leaf}: {said}")
            require(got == ([True] if leaf == "api" else []), f"{leaf}: the server got {got}")
    return check


RELOADING = CLIENT + """
def connect(session=None):
    with secure(dial(), session=session) as secured:
        call(secured)
        print(secured.session_reused)
        return secured.session

kept = connect(connect())
with open(words[0], "a") as policy:
    policy.write("# another version of it\\n")
time.sleep(1.2)
connect(kept)
"""


def before_a_reload(version):
    """A session that an earlier version of the policy let in is evaluated anew."""
    def check(lab, way):
        path = lab.scratch / f"versions-{way}{version.replace('/', '-')}.conf"
        path.write_text(lab.pki.expand(RULE))
        path.chmod(0o644)
        command = [clients.PYTHON, "-c", RELOADING, str(lab.servers.ports["api" + version]),
                   str(path)]
        _, out, err = lab.run(command, environment=ways.by_environment(lab.build, way, path))
        require(out.split() == ["False", "True", "False"], f"{out}{err}")
    return check


def tests():
    for scheme, greet in (("http", greet_http), ("socks5", greet_socks), ("socks5h", greet_socks)):
        yield from in_both_ways(f"proxy: {scheme}", through_proxy(scheme, greet))
    yield from in_both_ways("datagrams", datagrams)
    yield from in_both_ways("datagrams: another sender", other_sender)
    for title, version in (("1.2", "/1.2"), ("1.3", "")):
        yield from in_both_ways(f"session: from before a reload, TLS {title}",
                                before_a_reload(version))
    yield from in_both_ways("client's certificate: in the handshake", showing(False))
    yield from in_both_ways("client's certificate: after the handshake", showing(True))
