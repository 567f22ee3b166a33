"""trustgraft explain --connect."""
import contextlib
import shlex
import socket
import ssl
import struct
import subprocess
import time

from cli import plain
from e2e.harness import Skip, require
from lab.pki import Pki
from lab.servers import Servers

HOST = "api.example.test"
POLICY = f"""[host {HOST}]
anchors = {{pki}}/root.pem
[host *.example.test]
action = pass
"""


def connect(command, port, *words, host=HOST, policy=POLICY, address="127.0.0.1", **options):
    """Explains HOST with PORT, which is resolved to loopback."""
    return command("explain", "--connect", "-p", command.policy(policy), "--resolve",
                   f"{host}:{port}:{address}", *words, f"{host}:{port}", **options)


def serving(command, leaf, highest=None, heard=None):
    return plain.listening(plain.secured(plain.context(command.pki, leaf, highest), heard))


@contextlib.contextmanager
def s_server(command, leaf, *arguments):
    with Servers(Pki(command.pki), command.folder().path) as servers:
        servers.openssl("it", *arguments, leaf=leaf)
        yield servers.ports["it"]


def test_good_server_is_accepted(command):
    with s_server(command, "api") as port:
        connect(command, port).ended(0).quiet().printed(
            f"accept {HOST}:{port}: unspecified (accepted: its CA is trusted)\n", f"  reached 127.0.0.1 port {port}, TLS 1.3, ",
            f":1 [host {HOST}]", "`- CN=api.example.test\n", "sha256:", "sha256/",
            "CN=Trustgraft Test Root, O=Trustgraft Tests\n")


def test_wrong_server_is_refused_with_each_finding(command):
    for leaf, names in (("expired", ["certificate-expired"]), ("partner", ["name-mismatch"]),
                        ("api-other", ["missing-issuer"]),
                        ("expired-partner", ["certificate-expired", "name-mismatch"])):
        with serving(command, leaf) as port:
            result = connect(command, port, "--json").ended(1).quiet()
            require([one["name"] for one in result.object()["findings"]] == names, result)


def nexts(result):
    """What follows `next` on its line, of each such line."""
    return [line[10:] for line in result.out.splitlines() if line.startswith("  next    ")]


def test_refusal_ends_with_what_would_help(command):
    """One line, to be pasted as it is; none where no command should."""
    pinned = POLICY.replace("anchors", "leaf-pin = {pki}/api-rotated.pem\nanchors", 1)
    for leaf, policy, said in (
            ("expired", POLICY, "trustgraft except --expires 90d {at}  (until it is mended)"),
            ("partner", POLICY, "hostname = www.partner.test  (in its rule, if it is this server)"),
            ("api-other", POLICY, "trustgraft fetch {at}  (if it forgets an intermediate)"),
            ("api", pinned, "trustgraft pin --add {at}  (if this is its new key)"),
            ("api", pinned.replace("leaf-pin", "ca-pin"),
             "trustgraft pin {at}  (prints the ca-pin of its new CA, if it has one)"),
            ("api", "[distrust]\ncertificate = {pki}/api.pem\n" + POLICY, None),
            ("api", f"[host {HOST}]\naction = reject\n", None)):
        with serving(command, leaf) as port:
            result = connect(command, port, policy=policy).ended(1).quiet()
            given = result.words[result.words.index("-p") + 1]
            at = f"-p {given} --resolve {HOST}:{port}:127.0.0.1 {HOST}:{port}"
            require(nexts(result) == ([said.format(at=at)] if said else []), result)
            require("next" not in connect(command, port, "--json", policy=policy).out, "in JSON")
    with serving(command, "api") as port:
        require("  next " not in connect(command, port).ended(0).out, "though it is accepted")


def test_what_would_help_does_help(command):
    """Where the policy's name needs quotes too."""
    pinned = POLICY.replace("anchors", "leaf-pin = {pki}/api-rotated.pem\nanchors", 1)
    for leaf, policy in (("expired", POLICY), ("api", pinned)):
        with serving(command, leaf) as port:
            words = ("-p", command.policy(policy, "it's mine.conf"), "--resolve",
                     f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}")
            said = nexts(command("explain", "--connect", *words).ended(1))[0].partition("  (")[0]
            command(*shlex.split(said)[1:], "--yes").ended(0)
            command("explain", "--connect", *words).ended(0)


def test_name_that_would_help_does_help(command):
    """One that a rule can demand and the certificate is for; else an exception is what is left."""
    for leaf, name in (("wildcard", "www.example.test"), ("ip", "127.0.0.1"), ("cn-only", HOST),
                       ("many-names", "one.example.test"), ("a-label", "xn--bcher-kva.example.test"),
                       ("embedded-nul", None), ("embedded-nul-cn", None), ("device", None), ("wildcard-top", None)):
        with serving(command, leaf) as port:
            policy = command.policy("[host nas.test]\nanchors = {pki}/root.pem\n")
            words = ("--connect", "-p", policy, "--resolve", f"nas.test:{port}:127.0.0.1", f"nas.test:{port}")
            result = command("explain", *words).ended(1)
            said = nexts(result)[0].partition("  (")[0]
            if name is None:
                require(said.startswith("trustgraft except "), result)
                continue
            require(said == f"hostname = {name}", result)
            policy.write_text(f"{policy.read_text()}{said}\n")
            command("explain", *words).ended(0)


def test_finding_stands_at_its_certificate(command):
    with serving(command, "under-expired") as port:
        lines = connect(command, port).ended(1).out.splitlines()
    at = next(i for i, line in enumerate(lines) if "certificate-expired" in line)
    above = [line for line in lines[:at] if "CN=" in line]
    require("CN=Expired Intermediate" in above[-1], lines)


def test_json_is_that_of_verify(command):
    with serving(command, "api") as port:
        one = connect(command, port, "--json").ended(0).quiet().object()
        other = command("verify", "-p", command.policy(POLICY), "--json", "--host",
                        f"{HOST}:{port}", command.chain("api")).ended(0).object()
    require(list(one) == list(other) and one["path"] == other["path"], one)
    require((one["host"], one["port"], one["verdict"]) == (HOST, port, "accept"), one)


def test_name_is_sent_and_no_application_data(command):
    names, heard = [], []
    tls = plain.context(command.pki, "api")
    tls.sni_callback = lambda connection, name, _: names.append(name)
    with plain.listening(plain.secured(tls, heard)) as port:
        connect(command, port).ended(0)
        connect(command, port, host="127.0.0.1",
                policy="[host 127.0.0.1]\nanchors = {pki}/root.pem\n").ended(1)
        end = time.monotonic() + 60
        while len(heard) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    require(names == [HOST, None], names)
    require(heard == [b"", b""], heard)


def test_host_left_to_the_application_is_evaluated_by_its_anchors(command):
    with serving(command, "partner") as port:
        anchors = ("--app-anchors", command.pki / "root.pem")
        connect(command, port, *anchors, host="www.partner.test").ended(0).printed("rule    none")
        connect(command, port, host="www.partner.test").ended(1).printed("missing-issuer")


def test_unmatched_default_store(command):
    env = {"SSL_CERT_FILE": command.pki / "root.pem", "SSL_CERT_DIR": "/nowhere"}
    with serving(command, "partner") as port:
        connect(command, port, host="www.partner.test", env=env).ended(0)
        env["SSL_CERT_FILE"] = command.pki / "other-root.pem"
        connect(command, port, host="www.partner.test", env=env).ended(1)


def test_rule_that_depends_on_the_program(command):
    policy = POLICY + f"[host only.example.test]\nprogram = curl\naction = reject\n"
    with serving(command, "api") as port:
        connect(command, port, host="only.example.test", policy=policy).ended(2).silent().said(
            "depends on the program", "--program PATH")
        connect(command, port, "--program", "/bin/sh", host="only.example.test",
                policy=policy).ended(1).printed("name-mismatch")


def test_time(command):
    with serving(command, "expired") as port:
        connect(command, port, "--time", str(int(time.time()) - 30 * 86400)).ended(0)
        connect(command, port).ended(1).printed("certificate-expired")


def test_tls_version_is_evaluated(command):
    for floor, highest, status in (("1.3", None, 0), ("1.3", ssl.TLSVersion.TLSv1_2, 1),
                                   ("1.2", ssl.TLSVersion.TLSv1_2, 0),
                                   ("1.2", ssl.TLSVersion.TLSv1_1, 1)):
        with serving(command, "api", highest) as port:
            result = connect(command, port, policy=f"[host {HOST}]\nanchors = {{pki}}/root.pem\n"
                                                   f"min-tls = {floor}\n").ended(status)
            require(("tls-version" in result.out) == bool(status), result)


# ---- stapled OCSP answers ---------------------------------------------------------------------


def answer(command, folder, state, issuer="intermediate"):
    """The path of an OCSP answer about the leaf `api`, signed by ISSUER; STATE is V or R."""
    pem = command.pki / "api.pem"
    serial = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", pem], check=True,
                            capture_output=True, text=True).stdout.strip().split("=")[1]
    revoked = "260101000000Z" if state == "R" else ""
    index = folder.write("index.txt", f"{state}\t490101000000Z\t{revoked}\t{serial}\tunknown\t/CN=x\n")
    folder.write("index.txt.attr", "unique_subject = no\n")
    out = folder / f"{state}.der"
    subprocess.run(["openssl", "ocsp", "-index", index, "-rsigner",
                    command.pki / f"{issuer}.pem", "-rkey", command.pki / f"{issuer}.key", "-CA",
                    command.pki / "intermediate.pem", "-issuer", command.pki / "intermediate.pem",
                    "-cert", pem, "-ndays", "1", "-respout", out], check=True, capture_output=True)
    return out


def staple_policy(word):
    return f"[host {HOST}]\nanchors = {{pki}}/root.pem\nrevocation = {word}\n"


def test_staple_is_asked_for_and_evaluated(command):
    folder = command.folder()
    for state, signer, finding in (("V", "intermediate", None), ("R", "intermediate", "revoked"),
                                   ("V", "other-root", "revocation-unknown")):
        der = answer(command, folder, state, signer)
        for version in ("-tls1_2", "-tls1_3"):
            with s_server(command, "api", version, "-status_file", der) as port:
                result = connect(command, port, policy=staple_policy("staple-required"))
            require("an OCSP answer of" in result.out, result)
            require(result.status == bool(finding) and (finding or "accept") in result.out, result)


def test_missing_staple(command):
    with serving(command, "api") as port:
        connect(command, port, policy=staple_policy("staple-required")).ended(1).printed(
            "no OCSP answer stapled", "revocation-unknown")
        connect(command, port, policy=staple_policy("staple")).ended(0)


# ---- STARTTLS ---------------------------------------------------------------------------------


def starttls(command, protocol, *after, words=(), **options):
    """Explains a server of PROTOCOL that says AFTER behind what comes before its answer."""
    with plain.listening(plain.in_turn(*plain.BEFORE[protocol], *after)) as port:
        return connect(command, port, "--starttls", protocol, *words, **options)


def test_starttls(command):
    for protocol, yes in plain.YES.items():
        for leaf, status in (("api", 0), ("partner", 1)):
            tls = plain.secured(plain.context(command.pki, leaf))
            starttls(command, protocol, plain.say(yes), *plain.AFTER.get(protocol, ()), tls).ended(
                status).quiet().printed("reached")


def test_starttls_that_is_refused(command):
    for protocol, no in plain.NO.items():
        starttls(command, protocol, plain.say(no), plain.wait).ended(2).silent().said(
            "the server refuses STARTTLS: ")


def test_starttls_with_more_in_the_clear(command):
    for protocol, yes in plain.YES.items():
        starttls(command, protocol, plain.say(yes + b"250 injected\r\n"), plain.wait).ended(
            2).silent().said("more in the clear after it had agreed")


def test_starttls_server_that_closes_or_hangs(command):
    for protocol in plain.BEFORE:
        starttls(command, protocol).ended(2).silent().said("closed the connection before TLS began")
        starttls(command, protocol, plain.wait, words=("--timeout", "1")).ended(2).silent().said(
            "said nothing in time")


def test_starttls_server_that_never_stops_talking(command):
    for flood in (b"220-more\r\n" * 1000, b"2" * 5000):
        with plain.listening(plain.in_turn(plain.say(flood), plain.wait)) as port:
            connect(command, port, "--starttls", "smtp").ended(2).silent().said("too long")
    with plain.listening(plain.in_turn(plain.say(b"* OK\r\n" + b"* more\r\n" * 1000),
                                       plain.wait)) as port:
        connect(command, port, "--starttls", "imap").ended(2).silent().said("too long")


def test_starttls_of_another_protocol(command):
    web = plain.in_turn(plain.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), plain.wait)
    for protocol in plain.BEFORE:
        with plain.listening(web) as port:
            lines = protocol not in ("postgres", "mysql", "ldap", "xmpp", "xmpp-server")
            text = "doesn't greet as" if lines else "doesn't speak"
            connect(command, port, "--starttls", protocol).ended(2).silent().said(text)


def test_starttls_that_is_hostile_ldap(command):
    for text in ("3084ffffffff", "308a0000", "3000", "300c020101", "300c0201017807020100040004 00",
                 "30050201017800", "300702010178020a01", "3080"):
        data = bytes.fromhex(text.replace(" ", ""))
        starttls(command, "ldap", plain.say(data)).ended(2).silent()


def test_starttls_that_is_hostile_mysql(command):
    for data in (b"\xff\xff\xff\x00", b"\x03\0\0\0\x0a1\0", b"\x04\0\0\x01\x0a1\0\0",
                 b"\x08\0\0\0" + b"\x0a" + b"1" * 7, b"\x0f\0\0\0" + b"\x0a1\0" + bytes(12)):
        starttls(command, "mysql", plain.say(data), plain.wait).ended(2).silent().said("doesn't speak")
    blocked = b"\xff\x69\x04Host is \x1b[1mblocked"
    starttls(command, "mysql", plain.say(bytes([len(blocked), 0, 0, 0]) + blocked)).ended(
        2).silent().said("Host is \\x1B[1mblocked")


def test_starttls_that_is_hostile_xmpp(command):
    opening = plain.BEFORE["xmpp"][0]
    for text, said in ((b"<html>", "doesn't speak XMPP"), (b"<" + b"a" * 2000, "too long"),
                       (b"<?xml ?>" + b"<stream:stream>" * 300, "too long"),
                       (b"<stream:stream>" + b" " * 40000, "too long"),
                       (b"<stream:stream><stream:features/>", "isn't among its features"),
                       (b"<stream:stream><stream:error><host-unknown/>", "host-unknown")):
        with plain.listening(plain.in_turn(opening, plain.say(text), plain.wait)) as port:
            connect(command, port, "--starttls", "xmpp").ended(2).silent().said(said)


def test_starttls_answer_is_escaped(command):
    result = starttls(command, "smtp", plain.say(b"500 \x1b[31m\xff\x00\x07 no\r\n"), plain.wait)
    result.ended(2).silent().said("\\x1B[31m")
    require(not set(result.err) & set("\x1b\x07\x00"), result)


def test_starttls_port_of_each_protocol(command):
    for protocol, port in (("smtp", 25), ("imap", 143), ("pop3", 110), ("ftp", 21),
                           ("postgres", 5432), ("ldap", 389), ("lmtp", 24), ("nntp", 119),
                           ("sieve", 4190), ("mysql", 3306), ("xmpp", 5222), ("xmpp-server", 5269)):
        command("explain", "--connect", "-p", command.policy(POLICY), "--starttls", protocol,
                "--resolve", f"{HOST}:{port}:::ffff:127.127.127.127", "--timeout", "1",
                HOST).ended(2).silent().said(f"{HOST}:{port}: ")


def test_starttls_that_is_unknown(command):
    connect(command, 1, "--starttls", "smpt").ended(2).silent().said(
        "'smpt' isn't one of smtp, imap", "did you mean 'smtp'?")


# ---- no connection ----------------------------------------------------------------------------


def test_nothing_listens(command):
    connect(command, plain.closed_port()).ended(2).silent().said("the connection is refused")


def test_name_that_is_unknown(command):
    command("explain", "--connect", "-p", command.policy(POLICY), "no-such.host.invalid").ended(
        2).silent().said("no-such.host.invalid:443: its address can't be looked up")


def test_plain_http(command):
    with plain.listening(plain.in_turn(plain.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                                       plain.wait)) as port:
        connect(command, port).ended(2).silent().said("plain HTTP where TLS was expected")


def test_greeting_of_a_starttls_protocol(command):
    for greeting, name in ((b"220 mail.test ESMTP\r\n", "smtp"), (b"* OK ready\r\n", "imap"),
                           (b"+OK ready\r\n", "pop3")):
        with plain.listening(plain.in_turn(plain.say(greeting), plain.wait)) as port:
            connect(command, port).ended(2).silent().said(f"try --starttls {name}")


def test_garbage(command):
    with plain.listening(plain.in_turn(plain.say(b"\x1b[31m\xff\xff\r\n" * 20), plain.wait)) as port:
        result = connect(command, port).ended(2).silent().said("what isn't TLS", "\\x1B[31m")
        require("\x1b" not in result.err, result)
    with plain.listening(plain.in_turn(plain.say(bytes(20)), plain.wait)) as port:
        connect(command, port).ended(2).silent().said("what isn't TLS")
    for junk in (b"\x16\x03\x03\xff\xff" + b"x" * 100, b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
                 b"\x15\x03\x03\x00\x02\x02\x28"):
        with plain.listening(plain.in_turn(plain.say(junk), plain.wait)) as port:
            connect(command, port).ended(2).silent().said("TLS handshake")


def test_server_that_closes(command):
    with plain.listening(lambda connection: connection.recv(4096)) as port:
        connect(command, port).ended(2).silent().said("closed the connection without an answer")


def test_server_that_closes_before_it_is_greeted(command):
    """The alert that libssl then sends finds nobody: no SIGPIPE ends the command."""
    for words, talk in (((), lambda connection: None), (
            ("--starttls", "postgres"), plain.in_turn(*plain.BEFORE["postgres"], plain.say(b"S")))):
        with plain.listening(talk) as port:
            connect(command, port, *words).ended(2).silent().said(
                "closed the connection without an answer")


def test_server_that_floods(command):
    """With messages of which a client has to ignore any number: HelloRequest, RFC 5246 7.4.1.1."""
    flood = (struct.pack("!BHH", 22, 0x0303, 16384) + bytes(16384)) * 64

    def talk(connection):
        while True:
            connection.sendall(flood)
    with plain.listening(talk) as port:
        connect(command, port, "--timeout", "5").ended(2).silent().said("stopped in the midst")


def test_server_that_hangs(command):
    with plain.listening(plain.wait) as port:
        connect(command, port, "--timeout", "1").ended(2).silent().said("doesn't answer to TLS in time")
    for begun in (b"\x16\x03\x03\x00\x10\x02", b"\x16"):
        with plain.listening(plain.in_turn(plain.say(begun), plain.wait)) as port:
            connect(command, port, "--timeout", "5").ended(2).silent().said("stopped in the midst")


def test_server_that_drips(command):
    def drip(connection):
        connection.sendall(b"\x16\x03\x03\x10\x00")
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)
    with plain.listening(drip) as port:
        connect(command, port, "--timeout", "1").ended(2).silent()


def test_server_that_does_not_accept(command):
    """Its backlog is full, so that further connections get no answer at all."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        connect(command, port, "--timeout", "1").ended(2).silent().said("no answer: the time is over")


def test_server_without_a_certificate(command):
    with s_server(command, None, "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0") as port:
        connect(command, port).ended(2).silent().said("presents no certificate")


def test_server_that_wants_a_client_certificate(command):
    for version in (ssl.TLSVersion.TLSv1_2, None):
        for leaf, status in (("api", 0), ("expired", 1)):
            tls = plain.context(command.pki, leaf, version)
            tls.load_verify_locations(command.pki / "root.pem")
            tls.verify_mode = ssl.CERT_REQUIRED
            with plain.listening(plain.secured(tls)) as port:
                result = connect(command, port).ended(status).printed("reached")
                require(("client certificate" in result.err) == bool(version), result)


def test_server_that_resets(command):
    def reset(connection):
        connection.recv(4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with plain.listening(reset) as port:
        connect(command, port).ended(2).silent().said("closed the connection")


# ---- addresses --------------------------------------------------------------------------------


def test_addresses_are_tried_in_turn(command):
    with serving(command, "api") as port:
        connect(command, port, address="[::1],127.0.0.1").ended(0)
        connect(command, port, address="127.0.0.77,127.0.0.1").ended(0).printed("127.0.0.1 port")
    port = plain.closed_port()
    connect(command, port, address="[::1],127.0.0.1").ended(2).said("::1 port", "; 127.0.0.1 port")


def test_ipv6(command):
    try:
        with plain.listening(plain.secured(plain.context(command.pki, "api")), "::1") as port:
            for address in ("::1", "[::1]"):
                connect(command, port, address=address).ended(0).printed(f"reached ::1 port {port}")
            connect(command, port, address="127.0.0.1").ended(2)
    except OSError as error:
        raise Skip(f"no IPv6: {error}") from error


def test_name_is_looked_up(command):
    with serving(command, "partner") as port:
        policy = "[host localhost]\nhostname = www.partner.test\nanchors = {pki}/root.pem\n"
        for host, status in (("localhost", 0), ("127.0.0.1", 1)):
            command("explain", "--connect", "-p", command.policy(policy), f"{host}:{port}",
                    "--app-anchors", command.pki / "root.pem").ended(status)


def test_resolve_of_another_host_does_not_count(command):
    with serving(command, "api") as port:
        connect(command, port, "--resolve", f"other.test:{port}:127.0.0.9").ended(0)
        connect(command, port, "--resolve", f"{HOST}:{port}:127.0.0.9").ended(0)
        for other in (f"other.test:{port}", f"{HOST}:{port % 65535 + 1}"):
            command("explain", "--connect", "-p", command.policy(POLICY), "--resolve",
                    f"{other}:127.0.0.9", "--resolve", f"{HOST}:{port}:127.0.0.1",
                    f"{HOST}:{port}").ended(0)
        command("explain", "--connect", "-p", command.policy(POLICY), "--resolve",
                f"{HOST}:1:127.0.0.1", f"no-such.host.invalid:{port}").ended(2).said("looked up")


def test_resolve_as_curl_spells_it(command):
    with serving(command, "api") as port:
        asked = ("explain", "--connect", "-p", command.policy(POLICY), f"{HOST}:{port}")
        command(*asked, "--resolve", f"+{HOST}:{port}:127.0.0.1").ended(0)
        command(*asked, "--resolve", f"*:{port}:127.0.0.1").ended(0)
        command(*asked, "--resolve", f"*:{port}:127.0.0.9", "--resolve",
                f"{HOST}:{port}:127.0.0.1").ended(0)
        command(*asked, "--resolve", "*:1:127.0.0.1", "--timeout", "1").ended(2)


def test_resolve_that_is_wrong(command):
    for word in ("", "x", "a.test:443", "a.test:443:", "a.test:443:b.test", "a.test::127.0.0.1",
                 "*:443:*", "*.test:443:127.0.0.1", "+", "+:443:127.0.0.1", "a.test:443:127.0.0.1,", "a.test:99999:127.0.0.1",
                 "a.test:443:" + "1" * 100, "[::1:443:127.0.0.1"):
        command("explain", "--connect", "-p", command.policy(POLICY), "--resolve", word,
                HOST).ended(2).silent()
    command("explain", "--connect", "-p", command.policy(POLICY),
            *["--resolve", "a.test:1:127.0.0.1"] * 33, HOST).ended(2).silent().said("more than 32 times: that is the limit", "/etc/hosts")


def test_timeout_that_is_none(command):
    for word in ("0", "-1", "1.5", "3601", "99999999999999", "x"):
        command("explain", "--connect", "-p", command.policy(POLICY), "--timeout", word, HOST).ended(
            2).silent().said("--timeout: ")


def test_options_without_connect(command):
    for option, value in (("resolve", "a.test:1:127.0.0.1"), ("starttls", "smtp"), ("timeout", "1"),
                          ("time", "1"), ("app-anchors", "/")):
        command("explain", "-p", command.policy(POLICY), f"--{option}", value, HOST).ended(
            2).silent().said(f"--{option} is for --connect")


# ---- under trustgraft itself ------------------------------------------------------------------


def test_command_under_its_own_injection_is_not_refused_by_it(command):
    strict = command.policy("[policy]\nunmatched = reject\n")
    with serving(command, "expired") as port:
        for env in ({"LD_PRELOAD": command.build / "libtrustgraft-preload.so"},
                    {"OPENSSL_CONF": command.build / "openssl.cnf"}):
            connect(command, port, env={"TRUSTGRAFT_POLICY": strict, **env}).ended(1).quiet().printed(
                "certificate-expired", "CN=Trustgraft Test Root")
