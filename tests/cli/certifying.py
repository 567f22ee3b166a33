"""trustgraft ca: requests whose key is elsewhere, clients' certificates, renewal and the list."""
import fcntl
import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from cli.issuing import NAME, block, issue, make, openssl, snapshot, text_of
from e2e.harness import require
from lab import servers
from lab.servers import Servers


def request(command, *names, key="ec:P-256", subject="/CN=x", more=()):
    """(key, request) that OpenSSL makes, for NAMES as OpenSSL spells them."""
    folder = command.folder()
    kind, _, size = key.partition(":")
    of_key = {"ec": ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{size}"],
              "rsa": ["-newkey", f"rsa:{size}"]}.get(kind, ["-newkey", kind])
    san = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
    openssl("req", "-new", *of_key, "-nodes", "-subj", subject, *san, *more, "-keyout",
            folder / "its.key", "-out", folder / "its.csr")
    return folder / "its.key", folder / "its.csr"


def certify(command, ca, path, *words):
    return issue(command, ca, "--csr", path, *words)


# ---- requests -----------------------------------------------------------------------------------


def test_request_is_certified_and_its_key_stays_where_it_is(command):
    """A real server with that key, a real client of the printed policy; not by another name."""
    ca, _ = make(command)
    key, path = request(command, f"DNS:{NAME}.lab", "IP:127.0.0.1")
    result = certify(command, ca, path).ended(0).quiet().printed(
        f"the server's certificate for {NAME}.lab, 127.0.0.1", "its private key isn't here")
    require(not (ca / "issued" / f"{NAME}.lab.key").exists() and
            not (ca / "issued" / f"{NAME}.lab.p12").exists(), "a key")
    rule = block(result, "Clients' policy")
    policy = command.policy(rule.replace("[host ", "[host localhost "))
    port = servers.free_port()
    with Servers(None, "/") as lab:
        server = lab.start(["openssl", "s_server", "-quiet", "-www", "-accept", f"127.0.0.1:{port}",
                            "-cert", str(ca / "issued" / f"{NAME}.lab.pem"), "-key", str(key)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        lab.wait_for("it", server, port)
        for host, status in (("127.0.0.1", 0), ("localhost", 60)):
            command("run", "-p", policy, "--", "curl", "-sS", "--noproxy", "*",
                    f"https://{host}:{port}/").ended(status)


def test_request_in_der(command):
    ca, _ = make(command)
    _, path = request(command, "DNS:a.lab")
    openssl("req", "-in", path, "-outform", "DER", "-out", f"{path}.der")
    certify(command, ca, f"{path}.der").ended(0)
    with open(f"{path}.der", "ab") as file:
        file.write(b"x")
    certify(command, ca, f"{path}.der").ended(2).silent().said("no certificate request")


def test_request_that_its_key_did_not_sign(command):
    ca, _ = make(command)
    _, path = request(command, "DNS:a.lab")
    der = command.folder() / "der"
    openssl("req", "-in", path, "-outform", "DER", "-out", der)
    whole, before = der.read_bytes(), snapshot(ca)
    require(whole.count(b"a.lab") == 1, whole)
    der.write_bytes(whole.replace(b"a.lab", b"b.lab"))
    certify(command, ca, der).ended(2).silent().said("signature isn't that of its key")
    require(snapshot(ca) == before, "something was written")
    der.write_bytes(whole)
    certify(command, ca, der).ended(0)


def test_request_gets_names_that_are_given_and_no_others(command):
    ca, _ = make(command)
    _, path = request(command, "DNS:a.lab", "DNS:b.lab")
    certify(command, ca, path, "a.lab").ended(2).silent().said("isn't among those given: b.lab")
    certify(command, ca, path, "a.lab", "b.lab", "c.lab").ended(0)
    text = text_of(ca / "issued" / "a.lab.pem")
    require("DNS:a.lab, DNS:b.lab, DNS:c.lab" in text, text)
    _, path = request(command, subject="/CN=d.lab")
    certify(command, ca, path).ended(2).silent().said("asks for no name", "a common name is none")
    certify(command, ca, path, "d.lab").ended(0)


def test_request_for_what_the_ca_cannot_speak_for(command):
    ca, _ = make(command, names=("a.lab.example",), init=("--only", "lab.example"))
    before = snapshot(ca)
    for name in ("DNS:other.example", "DNS:b.lab.example,DNS:other.example", "IP:127.0.0.1"):
        certify(command, ca, request(command, name)[1]).ended(2).silent().said("can't speak for")
    require(snapshot(ca) == before, "something was written")
    certify(command, ca, request(command, "DNS:b.lab.example")[1]).ended(0)


def test_request_for_what_no_client_accepts(command):
    ca, _ = make(command)
    before = snapshot(ca)
    for name, why in (("DNS:10.0.0.1", "as a DNS name"), ("DNS:*.lab", "is a wildcard"),
                      ("DNS:*", "every name"), ("DNS:*.*.lab", "*"), ("DNS:a.lab:443", "has a port"),
                      ("DNS:a..lab", "label"), ("email:root@a.lab", "neither of DNS nor an address"),
                      ("URI:https://a.lab/", "neither of DNS"), (f"DNS:{'a.' * 127}lab", "longer"),
                      ("DNS:10.0.0.0/8", "block")):
        _, path = request(command, name)
        certify(command, ca, path).ended(2).silent().said(why)
    require(snapshot(ca) == before, "something was written")


def test_request_gets_nothing_but_a_leaf(command):
    """What it asks for besides names isn't read: it becomes no CA."""
    ca, _ = make(command)
    _, path = request(command, "DNS:a.lab", more=("-addext", "basicConstraints=critical,CA:TRUE",
                                                  "-addext", "keyUsage=keyCertSign"))
    certify(command, ca, path).ended(0)
    text = text_of(ca / "issued" / "a.lab.pem")
    require("CA:FALSE" in text and "CA:TRUE" not in text and "Certificate Sign" not in text, text)


def test_request_with_a_key_that_is_none(command):
    ca, _ = make(command)
    for key, why in (("rsa:1024", "fewer than 2048"), ("ec:secp256k1", "another curve"),
                     ("ed448", "none of RSA")):
        certify(command, ca, request(command, "DNS:a.lab", key=key)[1]).ended(2).silent().said(why)
    for key in ("rsa:2048", "ec:P-384", "ed25519"):
        certify(command, ca, request(command, "DNS:a.lab", key=key)[1]).ended(0)
    path = command.folder() / "own.csr"
    openssl("req", "-new", "-key", ca / "root.key", "-subj", "/CN=x", "-addext",
            "subjectAltName=DNS:a.lab", "-out", path)
    certify(command, ca, path).ended(2).silent().said("CA's own")


def test_request_that_is_none(command):
    ca, _ = make(command)
    for text in (b"", b"x", (ca / "root.pem").read_bytes(), b"\0" * 300000):
        path = command.folder().write("csr", text)
        certify(command, ca, path).ended(2).silent().said(str(path))
    certify(command, ca, command.folder() / "none").ended(2).silent().said("No such file")
    certify(command, ca, command.folder().path).ended(2).silent().said("directory")
    for words in (("--rsa",), ("--new-key",), ("--password-file", "x")):
        certify(command, ca, path, *words).ended(2).silent().said(f"{words[0]} is for")


def test_request_and_key_do_not_take_each_other_s_place(command):
    ca, _ = make(command)
    _, path = request(command, f"DNS:{NAME}")
    before = snapshot(ca)
    certify(command, ca, path).ended(2).silent().said("private key beside it", "--name")
    require(snapshot(ca) == before, "something was written")
    certify(command, ca, path, "--name", "other").ended(0)
    issue(command, ca, "--name", "other", NAME).ended(2).silent().said("--new-key makes one")
    require(not (ca / "issued" / "other.key").exists(), "a key")
    issue(command, ca, "--name", "other", "--new-key", NAME).ended(0)


# ---- clients ------------------------------------------------------------------------------------


def shown(server, client, key):
    """What a server of Python that wants certificates of SERVER's CA says of CLIENT's."""
    ca, name = server
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(ca / "issued" / f"{name}.pem", ca / "issued" / f"{name}.key")
    here.load_verify_locations(ca / "root.pem")
    here.verify_mode = ssl.CERT_REQUIRED
    there = ssl.create_default_context(cafile=ca / "root.pem")
    there.load_cert_chain(client, key)
    ends, said = socket.socketpair(), []

    def serve():
        try:
            with here.wrap_socket(ends[0], server_side=True) as one:
                said.append(dict(one.getpeercert()["subject"][0])["commonName"])
                one.sendall(b"x")
        except OSError as error:
            said.append(str(error))
            ends[0].close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with there.wrap_socket(ends[1], server_hostname=name) as one:
            one.recv(1)
    except OSError:
        ends[1].close()
    thread.join()
    return said[0]


def test_client_s_certificate_is_for_clients_alone(command):
    ca, _ = make(command)
    issue(command, ca, "--client", "ann").ended(0).printed("the client's certificate for ann",
                                                           "ssl_verify_client on")
    leaf, key = ca / "issued" / "ann.pem", ca / "issued" / "ann.key"
    require("TLS Web Client Authentication" in text_of(leaf), text_of(leaf))
    require("Server Auth" not in text_of(leaf), text_of(leaf))
    require(shown((ca, NAME), leaf, key) == "ann", shown((ca, NAME), leaf, key))
    refused = shown((ca, NAME), ca / "issued" / f"{NAME}.pem", ca / "issued" / f"{NAME}.key")
    require("unsuitable certificate purpose" in refused, refused)
    policy = command.policy(f"[host *]\nanchors = {ca}/root.pem\n")
    command("verify", "-p", policy, "--host", "ann", leaf).ended(1).printed("purpose")


def test_client_does_not_take_a_server_s_place(command):
    ca, _ = make(command)
    issue(command, ca, "--client", NAME).ended(2).silent().said("is a server's certificate", "--name")
    issue(command, ca, "--client", "--name", "the-client", NAME).ended(0)
    issue(command, ca, "--name", "the-client", NAME).ended(2).silent().said("is a client's")
    require(shown((ca, NAME), ca / "issued" / "the-client.pem",
                  ca / "issued" / "the-client.key") == NAME, "not the client's")


# ---- names --------------------------------------------------------------------------------------


def test_name_of_the_ca(command):
    ca = command.folder() / "ca"
    command("ca", "init", "--dir", ca, "--name", "Küche, 2. Stock").ended(0)
    require(b"K\xc3\xbcche, 2. Stock" in ssl.PEM_cert_to_DER_cert((ca / "root.pem").read_text()),
            text_of(ca / "root.pem"))
    for name in ("x" * 65, "a\x1b[2Jb", "a\nb", "\udcff"):
        command("ca", "init", "--dir", command.folder() / "other", "--name",
                name).ended(2).silent().said("can't be a CA's name")


def test_name_of_the_files(command):
    ca, _ = make(command)
    issue(command, ca, "--name", "web", "a.lab").ended(0).printed("issued/web.pem", "issued/web.key")
    before = snapshot(ca)
    for name in ("../x", "/x", ".x", "-x", "a b", "a/b", "x" * 181, "a\x1bb", "ä"):
        issue(command, ca, f"--name={name}", "a.lab").ended(2).silent().said("can't be a file's")
        command("ca", "renew", "--dir", ca, "--", name).ended(2).silent().said("can't be a file's")
    long = ".".join(["a" * 62] * 4)
    issue(command, ca, long).ended(2).silent().said("--name gives them another")
    require(snapshot(ca) == before, "something was written")
    issue(command, ca, "--name", "long", long).ended(0)
    require("Subject: \n" in text_of(ca / "issued" / "long.pem"), "a common name of more than 64")


def test_underscore_is_warned_of(command):
    ca, _ = make(command)
    issue(command, ca, "my_host.lab").ended(0).said("warning: 'my_host.lab' has an underscore")
    issue(command, ca, "myhost.lab.").ended(0).quiet()
    require("DNS:myhost.lab\n" in text_of(ca / "issued" / "myhost.lab.pem"), "the dot is there")


# ---- renewal ------------------------------------------------------------------------------------


def renew(command, ca, *words):
    return command("ca", "renew", "--dir", ca, *words)


def public(path, kind="x509"):
    return openssl(kind, *(("-pubkey", "-noout") if kind == "x509" else ("-pubout",)), "-in", path)


def test_renewal_is_for_the_same_names(command):
    ca, _ = make(command, names=(NAME, "*.home.lab", "10.0.0.7", "fd00::7"))
    key, leaf = ca / "issued" / f"{NAME}.key", ca / "issued" / f"{NAME}.pem"
    text, old, held = text_of(leaf), leaf.read_bytes(), key.read_bytes()
    renew(command, ca, NAME).ended(0).quiet().printed("renews the one until", "the same as before")
    names = [line for line in text.splitlines() if "DNS:" in line]
    require(leaf.read_bytes() != old and key.read_bytes() == held, "not renewed")
    require(names == [line for line in text_of(leaf).splitlines() if "DNS:" in line], names)
    renew(command, ca, "--new-key", "--rsa", "--days", "30", NAME).ended(0).printed(
        "NEW: the one that was there has been replaced")
    require(public(leaf) == public(key, "pkey") and "(3072 bit)" in text_of(leaf), "another key")


def test_renewal_of_clients_and_requests(command):
    ca, _ = make(command)
    issue(command, ca, "--client", "ann").ended(0)
    renew(command, ca, "ann").ended(0)
    require("TLS Web Client" in text_of(ca / "issued" / "ann.pem"), "not a client's")
    _, path = request(command, "DNS:a.lab")
    certify(command, ca, path).ended(0)
    leaf = ca / "issued" / "a.lab.pem"
    old, key = leaf.read_bytes(), public(leaf)
    renew(command, ca, "a.lab").ended(0).printed("its private key isn't here")
    require(leaf.read_bytes() != old and public(leaf) == key, "another key")
    require(not (ca / "issued" / "a.lab.key").exists(), "a key")


def test_renewal_of_what_is_not_there(command):
    ca, _ = make(command)
    other, _ = make(command)
    (ca / "issued" / "b.pem").write_bytes((other / "issued" / f"{NAME}.pem").read_bytes())
    for words, why in ((("nobody",), "isn't there"), (("b",), "isn't from this CA"),
                       ((), "one name is needed"), ((NAME, "b"), "one name is needed"),
                       (("--rsa", NAME), "--new-key"), (("--client", NAME), "--client is for"),
                       (("--days", "826", NAME), "Apple")):
        renew(command, ca, *words).ended(2).silent().said(why)


# ---- the list -----------------------------------------------------------------------------------


def listed(command, ca):
    return command("ca", "list", "--json", "--dir", ca).ended(0).quiet().objects()


def test_list_tells_all_that_was_issued(command):
    ca = command.folder() / "ca"
    command("ca", "init", "--dir", ca).ended(0)
    require(listed(command, ca) == [], "something")
    issue(command, ca, NAME, "10.0.0.7").ended(0)
    issue(command, ca, "--client", "--days", "10", "ann").ended(0)
    renew(command, ca, NAME).ended(0)
    got = listed(command, ca)
    require([(one["name"], one["for"], one["state"], one["names"], one["days_left"])
             for one in got] == [("ann", "client", "valid", ["ann"], 9),
                                 (NAME, "server", "renewed", [NAME, "10.0.0.7"], 396),
                                 (NAME, "server", "valid", [NAME, "10.0.0.7"], 396)], got)
    require(got[2]["subject"] == f"CN={NAME}" and got[1]["serial"] != got[2]["serial"], got)
    serial = openssl("x509", "-noout", "-serial", "-in", ca / "issued" / f"{NAME}.pem")
    require(serial.strip() == f"serial={got[2]['serial']}", got)
    command("ca", "list", "--dir", ca).ended(0).printed(
        f"{NAME}  server  renewed, 396 days left", f"{NAME}  server  valid", got[1]["serial"],
        f"names   {NAME}, 10.0.0.7", "ann  client  valid, 9 days left")
    (ca / "root.key").unlink()  # which may be elsewhere
    require(listed(command, ca) == got, "another list")


def test_list_without_records_and_with_files_gone(command):
    """A CA of before there were records; and files that were moved to their server."""
    ca, _ = make(command)
    for path in (ca / "record").iterdir():
        path.unlink()
    require([one["state"] for one in listed(command, ca)] == ["valid"], listed(command, ca))
    renew(command, ca, NAME).ended(0)
    (ca / "issued" / f"{NAME}.pem").unlink()
    require([one["state"] for one in listed(command, ca)] == ["valid"], listed(command, ca))


def test_list_says_what_has_expired(command):
    ca, _ = make(command)
    openssl("req", "-new", "-key", ca / "issued" / f"{NAME}.key", "-subj", f"/CN={NAME}", "-out",
            ca / "csr")
    folder = command.folder()
    folder.write("index.txt", "")
    folder.write("serial", "01\n")
    folder.write("conf", f"""[ca]\ndefault_ca=x\n[x]\ndatabase={folder.path}/index.txt
serial={folder.path}/serial\nnew_certs_dir={folder.path}\npolicy=p\ndefault_md=sha256\n[p]
commonName=supplied\n""")
    openssl("ca", "-batch", "-config", folder / "conf", "-cert", ca / "root.pem", "-keyfile",
            ca / "root.key", "-in", ca / "csr", "-startdate", "20200101000000Z", "-enddate",
            "20200201000000Z", "-notext", "-out", ca / "issued" / "old.pem")
    [old] = [one for one in listed(command, ca) if one["name"] == "old"]
    require(old["state"] == "expired" and old["days_left"] < -2000, old)
    command("ca", "list", "--dir", ca).ended(0).printed("old  server  expired, since 2020-02-01")


def test_list_with_files_that_are_damaged(command):
    ca, _ = make(command)
    other, _ = make(command)
    (ca / "record" / "x.01.pem").write_text("x")
    (ca / "issued" / "y.pem").write_bytes((other / "issued" / f"{NAME}.pem").read_bytes())
    command("ca", "list", "--dir", ca).ended(2).printed(f"{NAME}  server  valid").said(
        "x.01.pem", "y.pem: isn't from this CA")
    command("ca", "list", "--dir", command.folder() / "none").ended(2).silent().said("has no CA")
    command("ca", "list", "--dir", ca, "x").ended(2).silent().said("takes no names")
    command("ca", "list", "--dir", ca, "--days", "1").ended(2).silent().said("--days is for")


# ---- at once, and in between ---------------------------------------------------------------------


def test_issued_at_once(command):
    """Key and certificate fit, whoever was last; and each certificate is on the list."""
    ca, _ = make(command)
    words = [str(command.program), "ca", "issue", "--dir", str(ca), "--new-key", NAME]
    # pylint: disable=consider-using-with
    runs = [subprocess.Popen(words, env=command.environment(), stdout=subprocess.DEVNULL)
            for _ in range(12)]
    require([run.wait() for run in runs] == [0] * 12, "one failed")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(ca / "issued" / f"{NAME}.pem",
                                                            ca / "issued" / f"{NAME}.key")
    got = listed(command, ca)
    require(len(got) == 13 and len({one["serial"] for one in got}) == 13, got)
    require(sorted(one["state"] for one in got) == ["renewed"] * 12 + ["valid"], got)
    require(not [path for path in ca.rglob(".*")], "something is left over")


def test_issuing_waits_for_who_is_issuing(command):
    ca, _ = make(command)
    before = snapshot(ca)
    words = [str(command.program), "ca", "renew", "--dir", str(ca), NAME]
    with open(ca / "lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(words, env=command.environment(), stdout=subprocess.DEVNULL) as run:
            waiting, end = f" FLOCK  ADVISORY  WRITE {run.pid} ", time.monotonic() + 60
            while not any("->" in line and waiting in line
                          for line in pathlib.Path("/proc/locks").read_text().splitlines()):
                require(run.poll() is None and time.monotonic() < end, "it didn't wait")
                time.sleep(0.01)
            require(snapshot(ca) == before, "something was written")
            fcntl.flock(lock, fcntl.LOCK_UN)
            require(run.wait() == 0 and snapshot(ca) != before, "nothing was issued")


def test_folder_that_others_can_write(command):
    ca, _ = make(command)
    before = snapshot(ca)
    for mode in (0o770, 0o707):
        ca.chmod(mode)
        issue(command, ca, NAME).ended(2).silent().said("others can change what is in it")
        renew(command, ca, NAME).ended(2).silent().said("others can change what is in it")
    require(snapshot(ca) == before, "something was written")
    ca.chmod(0o700)
    issue(command, ca, NAME).ended(0)


def test_folder_on_the_way_that_others_can_write(command):
    """Who can put another folder in its place says who the CA is."""
    way = command.folder().path
    command("ca", "init", "--dir", way / "ca").ended(0)
    way.chmod(0o777)
    issue(command, way / "ca", NAME).ended(2).silent().said(f"its directory {way} is writable by")
    command("ca", "init", "--dir", way / "other").ended(2).silent().said(f"its directory {way} is writable by")
    command("ca", "init", "--dir", way).ended(2).silent().said("others can change what is in it")
    require(not list(way.glob("root.*")) and not list(way.glob("other/*")), list(way.iterdir()))
    way.chmod(0o755)
    issue(command, way / "ca", NAME).ended(0)


def test_lock_that_is_a_link(command):
    ca, _ = make(command)
    elsewhere = command.folder() / "elsewhere"
    (ca / "lock").unlink()
    os.symlink(elsewhere, ca / "lock")
    issue(command, ca, NAME).ended(2).silent().said("can't be locked")
    require(not elsewhere.exists(), "it was followed")
