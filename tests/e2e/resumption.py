"""resumption.py - sessions and keys that would bring a connection past the certificate."""
import contextlib
import re
import socket
import tempfile
import threading

from e2e.harness import require
from e2e.naming import GET, in_both_ways
from lab import clients, ways

SERVERS = ("api", "api/1.2", "api-other", "api-other/1.2")
PSK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def start(lab):
    """Servers without a certificate."""
    lab.servers.openssl("psk-1.3", "-psk", PSK, "-tls1_3")
    lab.servers.openssl("psk-1.2", "-psk", PSK, "-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256")
    lab.servers.openssl("anonymous", "-tls1_2", "-cipher", "ADH-AES128-GCM-SHA256:@SECLEVEL=0")


def s_client(lab, way, policy, server, *arguments):
    """(the server's words arrived, the session was resumed, all that was said)."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{lab.servers.ports[server]}",
               "-servername", "api.example.test", "-ign_eof", *arguments]
    if way != ways.BARE:
        command = ways.by_command(lab.build, way, command, lab.policy(policy))
    status, out, err = lab.run(command, GET)
    require(status in (0, 1), f"crashed or hung: status {status}: {err}")
    resumed = re.search(r"(?m)^(New|Reused), ", out)
    return "hello from" in out, bool(resumed) and resumed[1] == "Reused", out + err


def bare_session(lab, server):
    """A session that a process without the shim made; resumable without it."""
    path = f"{tempfile.mkdtemp(dir=lab.scratch)}/session"
    arrived, _, said = s_client(lab, ways.BARE, None, server, "-sess_out", path)
    require(arrived, said)
    _, resumed, said = s_client(lab, ways.BARE, None, server, "-sess_in", path)
    require(resumed, f"not even resumed without the shim: {said}")
    return path


def full_handshake(lab, way, version):
    """A host with a rule: the foreign session is not used, the server is evaluated."""
    good, bad = f"api{version}", f"api-other{version}"
    policy = "[host api.example.test]\nanchors = {root}"
    path = bare_session(lab, good)
    arrived, resumed, said = s_client(lab, way, policy, good, "-sess_in", path)
    require(arrived and not resumed, f"resumed: {resumed}: {said}")
    path = bare_session(lab, bad)
    arrived, _, said = s_client(lab, way, policy, bad, "-sess_in", path)
    require(not arrived and "reject" in said, f"a foreign session was used: {said}")


def unmatched_resumes(lab, way):
    """A host without a rule: as without the shim."""
    for server in ("api", "api/1.2"):
        path = bare_session(lab, server)
        arrived, resumed, said = s_client(lab, way, "[host other.test]\nstrict = yes", server,
                                          "-sess_in", path)
        require(arrived and resumed, f"{server}: {said}")


def second_transfer(lab, way):
    """A session of this very policy may be used again; curl makes two connections here."""
    target = lab.target("api/1.2")
    command = [*clients.curl(target), f"https://{target.authority}/again", "-v"]
    for anchors, wanted in (("{root}", 2), ("{other-root}", 0)):
        policy = lab.policy("[host api.example.test]\nanchors = " + anchors)
        _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
        require(out.count("hello from") == wanted, f"{anchors}: {out}{err}")


TWO_HOSTS = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
session = None
for host in ("good.example.test", "bad.example.test"):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host, session=session) as secured:
                secured.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                secured.recv(100)
                session = secured.session
                print(host, "accept", secured.session_reused)
        except ssl.SSLError:
            print(host, "refuse")
"""


def session_of_another_host(lab, way):
    """A session that was accepted for one host doesn't open another's door."""
    policy = lab.policy("[host good.example.test]\nanchors = {root}\nhostname = api.example.test\n"
                        "[host bad.example.test]\nanchors = {other-root}")
    for server in ("api", "api/1.2"):
        command = [clients.PYTHON, "-c", TWO_HOSTS, str(lab.servers.ports[server])]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
        require(out.splitlines() == ["good.example.test accept False", "bad.example.test refuse"],
                f"{server}: {out}{err}")


TWO_PORTS = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
session, said = None, []
for port in sys.argv[1:]:
    with socket.create_connection(("127.0.0.1", int(port)), 60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="api.example.test",
                                     session=session) as secured:
                secured.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                secured.recv(100)
                session = secured.session
                said.append("resumed" if secured.session_reused else "full")
        except ssl.SSLError:
            said.append("refused")
print(*said)
"""


def copy(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def forward(listener, port):
    """Each connection to LISTENER goes on to PORT, until LISTENER is closed."""
    with contextlib.suppress(OSError):
        while True:
            near = listener.accept()[0]
            far = socket.create_connection(("127.0.0.1", port))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=copy, args=ends, daemon=True).start()


def session_of_another_port(lab, way):
    """One server at two ports, of which known-hosts knows the other by another key."""
    for server in ("api", "api/1.2"):
        port = lab.servers.ports[server]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=forward, args=(listener, port), daemon=True).start()
            other = listener.getsockname()[1]
            for key, wanted in (("api", "full resumed full resumed"),
                                ("api-other", "full resumed refused resumed")):
                policy = lab.policy("[host api.example.test]\nanchors = {root}\n"
                                    "known-hosts = {known}\n"
                                    f"#known api.example.test:{port} {{pin api}}\n"
                                    f"#known api.example.test:{other} {{pin {key}}}\n")
                command = [clients.PYTHON, "-c", TWO_PORTS, *map(str, (port, port, other, port))]
                _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
                require(out.strip() == wanted, f"{server}: {key}: {out}{err}")
            listener.shutdown(socket.SHUT_RDWR)


VISITS = """
import os, shutil, socket, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
sessions, said = {}, []
for word in sys.argv[2:]:
    host, _, source = word.partition("=")
    if host == "reload":
        shutil.copy(source, os.environ["TRUSTGRAFT_POLICY"] + ".new")
        os.replace(os.environ["TRUSTGRAFT_POLICY"] + ".new", os.environ["TRUSTGRAFT_POLICY"])
        time.sleep(2.2)
        continue
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host,
                                     session=sessions.get(source)) as secured:
                secured.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                secured.recv(100)
                sessions[host] = secured.session
                said.append("resumed" if secured.session_reused else "full")
        except ssl.SSLError:
            said.append("refused")
print(*said)
"""
LET_IN = "[host a.test]\ntrust-certificate = {api}\n"


def visit_all(lab, way, server, policy, *visits):
    """Hosts in this order, each with the session of another, HOST=OTHER; full, resumed, refused."""
    own = lab.scratch / f"own-{way}-{abs(hash((server, policy, visits)))}.conf"
    own.write_text(lab.policy(policy).read_text())
    command = [clients.PYTHON, "-c", VISITS, str(lab.servers.ports[server]), *visits]
    _, out, err = lab.run(ways.by_command(lab.build, way, command, own))
    return out.strip() or err


def stays_with_its_host(lab, way):
    """What a policy let in for one host isn't what the program itself lets in for another."""
    for server in ("api", "api/1.2"):
        for policy in (LET_IN, LET_IN + "[host z.test]\nmode = report\nanchors = {root}\n",
                       LET_IN + "[host z.test]\naction = pass\n"):
            got = visit_all(lab, way, server, policy, "a.test", "a.test=a.test", "z.test=a.test",
                            "z.test=z.test", "y.test=z.test", "a.test=z.test", "z.test=a.test")
            require(got == "full resumed full resumed resumed full full", f"{server}: {policy}: {got}")


def outlives_no_policy(lab, way):
    """A session of a rule that is gone isn't the program's own; its own goes on."""
    for server in ("api", "api/1.2"):
        for after, wanted in (("[host a.test]\naction = reject", "full full refused resumed"),
                              ("[host b.test]\naction = reject", "full full full resumed"),
                              ("[host a.test]\nmode = report\naction = reject",
                               "full full full resumed")):
            got = visit_all(lab, way, server, LET_IN, "a.test", "z.test",
                            f"reload={lab.policy(after)}", "a.test=a.test", "z.test=z.test")
            require(got == wanted, f"{server}: {after}: {got}")


def from_a_file(lab, way):
    """The same of a session that another process under a policy has saved."""
    for server in ("api", "api/1.2"):
        path = str(lab.scratch / f"let-in-{way}")
        arrived, _, said = s_client(lab, way, LET_IN.replace("a.test", "api.example.test"), server,
                                    "-sess_out", path)
        require(arrived, said)
        for policy in ("[host a.test]\nstrict = yes", LET_IN.replace("a.test", "other.test"),
                       "[host api.example.test]\nmode = report\naction = reject"):
            arrived, resumed, said = s_client(lab, way, policy, server, "-sess_in", path)
            require(arrived and not resumed, f"{server}: {policy}: resumed: {said}")
    arrived, _, said = s_client(lab, way, "[host a.test]\nstrict = yes", "api", "-sess_out", path)
    again, resumed, more = s_client(lab, way, "[host a.test]\nstrict = yes", "api", "-sess_in", path)
    require(arrived and again and resumed, f"the program's own: {said}{more}")


def no_certificate(lab, way, server, *arguments):
    """Accepted without the shim and without a rule; refused where a rule asks for a server."""
    arrived, _, said = s_client(lab, ways.BARE, None, server, *arguments)
    require(arrived, f"not even without the shim: {said}")
    arrived, _, said = s_client(lab, way, "[host other.test]\nstrict = yes", server, *arguments)
    require(arrived, f"a host without a rule: {said}")
    for rule in ("anchors = {root}", "trust-certificate = {api}", "action = reject"):
        arrived, _, said = s_client(lab, way, f"[host api.example.test]\n{rule}", server,
                                    *arguments)
        require(not arrived and "reject" in said, f"{rule}: {said}")


def tests():
    for version, tail in (("1.2", "/1.2"), ("1.3", "")):
        yield from in_both_ways(f"session: a foreign one is not used, TLS {version}",
                                lambda lab, way, tail=tail: full_handshake(lab, way, tail))
    yield from in_both_ways("session: a host without a rule resumes", unmatched_resumes)
    yield from in_both_ways("session: this policy's own may be used", second_transfer)
    yield from in_both_ways("session: another host's", session_of_another_host)
    yield from in_both_ways("session: another port's", session_of_another_port)
    yield from in_both_ways("session: stays with the host it was let in for", stays_with_its_host)
    yield from in_both_ways("session: outlives no policy", outlives_no_policy)
    yield from in_both_ways("session: another host's, from a file", from_a_file)
    for server, arguments in (
            ("psk-1.3", ("-psk", PSK, "-tls1_3")),
            ("psk-1.2", ("-psk", PSK, "-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256")),
            ("anonymous", ("-tls1_2", "-cipher", "ADH-AES128-GCM-SHA256:@SECLEVEL=0"))):
        yield from in_both_ways(
            f"no certificate: {server}",
            lambda lab, way, server=server, arguments=arguments: no_certificate(
                lab, way, server, *arguments))
