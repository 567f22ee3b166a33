"""trustgraft ca: a local CA, and identities that real servers and clients accept."""
import contextlib
import os
import pty
import re
import resource
import shlex
import shutil
import ssl
import stat
import subprocess
import termios
import time

from e2e.harness import Skip, open_terminal, require
from lab import servers
from lab.servers import Servers

NAME = "printer.local"


def openssl(*words, data=None, status=0):
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True,
                          check=False, text=True)
    require((done.returncode == 0) == (status == 0), f"openssl {words}: {done}")
    return done.stdout + done.stderr


def make(command, *options, names=(NAME, "127.0.0.1"), folder=None, init=()):
    """The folder of a new CA, and the result of issuing NAMES from it."""
    ca = folder or command.folder() / "ca"
    command("ca", "init", "--dir", ca, *init).ended(0).quiet()
    return ca, issue(command, ca, *options, *names).ended(0).quiet()


def issue(command, ca, *words, **options):
    return command("ca", "issue", "--dir", ca, *words, **options)


def block(result, title):
    """The lines printed below TITLE, without their indentation."""
    text = result.out.partition(f"\n{title}:\n")[2] or result.out.partition(f"\n{title}, ")[2]
    lines = text.partition("\n\n")[0].splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    "))


def text_of(path):
    return openssl("x509", "-noout", "-text", "-in", path)


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- what is printed works ----------------------------------------------------------------------


@contextlib.contextmanager
def nginx(command, result):
    if not servers.NGINX:
        raise Skip("no nginx")
    home, port = command.folder(), servers.free_port()
    home.write("html/hello", "hello from nginx\n")
    home.write("nginx.conf", f"""
        daemon off; master_process off; pid {home.path}/pid; error_log {home.path}/error.log;
        events {{}}
        http {{
            access_log off; client_body_temp_path {home.path}; proxy_temp_path {home.path};
            fastcgi_temp_path {home.path}; uwsgi_temp_path {home.path}; scgi_temp_path {home.path};
            server {{
                listen 127.0.0.1:{port} ssl; listen 127.0.0.2:{port} ssl; root {home.path}/html;
                {block(result, "nginx")}
            }}
        }}""")
    with started([servers.NGINX, "-e", home / "error.log", "-c", home / "nginx.conf", "-p",
                  home.path], port):
        yield port


@contextlib.contextmanager
def node(command, result):
    if not shutil.which("node"):
        raise Skip("no node")
    port = servers.free_port()
    script = command.folder().write("server.cjs", "\n".join((
        "const handler = (_, answer) => answer.end('hello from node\\n');",
        block(result, "Node") + f".listen({port});")))
    with started(["node", script], port):
        yield port


@contextlib.contextmanager
def python(command, result):
    port = servers.free_port()
    script = command.folder().write("server.py", "\n".join((
        "import http.server, ssl", block(result, "Python"),
        "class Handler(http.server.BaseHTTPRequestHandler):",
        "    def do_GET(self):",
        "        self.send_response(200); self.end_headers()",
        "        self.wfile.write(b'hello from python\\n')",
        f"server = http.server.ThreadingHTTPServer(('', {port}), Handler)",
        "server.socket = context.wrap_socket(server.socket, server_side=True)",
        "server.serve_forever()")))
    with started(["/usr/bin/python3", script], port):
        yield port


@contextlib.contextmanager
def started(words, port):
    with Servers(None, "/") as lab:
        process = lab.start([str(word) for word in words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lab.wait_for("it", process, port)
        yield


def curl(command, policy, url, *more):
    return command("run", "-p", policy, "--", "curl", "-sS", "--noproxy", "*", "--max-time", "60",
                   *more, url)


def test_printed_lines_make_servers_that_clients_of_the_printed_policy_accept(command):
    """By the name and the address that the certificate has; and not by one that it lacks."""
    _, result = make(command, folder=command.folder() / "our \"own\" CA")
    rule = block(result, "Clients' policy")
    policy = command.policy(rule.replace("[host ", "[host 127.0.0.2 "))
    command("check", policy).ended(0)
    for server in (nginx, node, python):
        with server(command, result) as port:
            curl(command, policy, f"https://127.0.0.1:{port}/hello").ended(0).printed("hello from")
            curl(command, policy, f"https://{NAME}:{port}/hello", "--resolve",
                 f"{NAME}:{port}:127.0.0.1").ended(0).printed("hello from")
            for more in ((), ("-k",)):
                curl(command, policy, f"https://127.0.0.2:{port}/hello", *more).ended(60).said(
                    "name-mismatch")


def test_client_without_the_rule_refuses(command):
    _, result = make(command)
    policy = command.policy("[host *]\nanchors = {pki}/root.pem\n")
    with python(command, result) as port:
        curl(command, policy, f"https://127.0.0.1:{port}/").ended(60).said("missing-issuer")


def test_identity_has_what_local_servers_need(command):
    ca, _ = make(command, names=(NAME, "*.lab.local", "10.0.0.7", "fd00::7"))
    root, leaf = text_of(ca / "root.pem"), text_of(ca / "issued" / f"{NAME}.pem")
    for text in ("CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "prime256v1"):
        require(text in root, f"{text}: {root}")
    for text in ("CA:FALSE", "TLS Web Server Authentication", "Digital Signature",
                 "DNS:printer.local, DNS:*.lab.local, IP Address:10.0.0.7, "
                 "IP Address:FD00:0:0:0:0:0:0:7"):
        require(text in leaf, f"{text}: {leaf}")
    require("Name Constraints" not in root and "Authority Key Identifier" in leaf, leaf)


def test_rsa(command):
    ca, _ = make(command, "--rsa", init=("--rsa",))
    for path in (ca / "root.pem", ca / "issued" / f"{NAME}.pem"):
        require("(3072 bit)" in text_of(path), path)
    require("Key Encipherment" in text_of(ca / "issued" / f"{NAME}.pem"), "no encipherment")


def test_files_are_their_owners(command):
    ca, _ = make(command)
    for path, mode in ((ca, 0o700), (ca / "issued", 0o700), (ca / "root.key", 0o600),
                       (ca / "issued" / f"{NAME}.key", 0o600),
                       (ca / "issued" / f"{NAME}.p12", 0o600), (ca / "root.pem", 0o644)):
        require(stat.S_IMODE(path.stat().st_mode) == mode, f"{path}: {path.stat()}")
    require(not [path for path in ca.rglob(".*")], "something is left over")


def test_default_folder(command):
    for env in ({"XDG_DATA_HOME": command.folder().path}, {"HOME": command.folder().path}):
        below = "trustgraft/ca" if "HOME" not in env else ".local/share/trustgraft/ca"
        result = command("ca", "init", env=env).ended(0)
        require(f"{list(env.values())[0]}/{below}/root.pem" in result.out, result)
        command("ca", "issue", "a.local", env=env).ended(0)


# ---- nothing is lost ---------------------------------------------------------------------------


def test_init_leaves_a_ca_as_it_is(command):
    ca, _ = make(command)
    before = snapshot(ca)
    command("ca", "init", "--dir", ca).ended(2).silent().said("there is a CA already")
    (ca / "root.pem").unlink()
    command("ca", "init", "--dir", ca).ended(2).silent().said("there is a CA already")
    require((ca / "root.key").read_bytes() == before[ca / "root.key"], "another key")


def test_renewal_keeps_the_key_unless_told_otherwise(command):
    ca, first = make(command)
    key, leaf = ca / "issued" / f"{NAME}.key", ca / "issued" / f"{NAME}.pem"
    require("renews" not in first.out, first)
    old_key, old_leaf = key.read_bytes(), leaf.read_bytes()
    issue(command, ca, NAME, "127.0.0.1").ended(0).printed("renews the one until",
                                                           "the same as before")
    require(key.read_bytes() == old_key and leaf.read_bytes() != old_leaf, "not renewed")
    issue(command, ca, "--new-key", "127.0.0.1", NAME).ended(0)
    issue(command, ca, "--new-key", NAME, "127.0.0.1").ended(0).printed(
        "renews the one", "NEW: the one that was there has been replaced")
    require(key.read_bytes() != old_key, "the same key")
    issue(command, ca, NAME, "127.0.0.1", "10.1.1.1").ended(0).printed("has other names than")
    issue(command, ca, "--rsa", NAME).ended(2).silent().said("--new-key replaces it")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, key)


def test_serial_numbers_differ(command):
    ca, _ = make(command)
    seen = set()
    for _ in range(4):
        issue(command, ca, NAME).ended(0)
        seen.add(openssl("x509", "-noout", "-serial", "-in", ca / "issued" / f"{NAME}.pem"))
    require(len(seen) == 4 and all(len(one) > 40 for one in seen), seen)


def test_renewed_identity_is_for_the_same_pin(command):
    ca, result = make(command)
    leaf = ca / "issued" / f"{NAME}.pem"
    pinned = command.folder().write("old.pem", leaf.read_bytes())
    policy = command.policy(block(result, "Clients' policy") + f"\nleaf-pin = {pinned}\n")
    for more, status in (((), 0), (("--new-key",), 1)):
        issue(command, ca, *more, NAME, "127.0.0.1").ended(0)
        command("verify", "-p", policy, "--host", NAME, leaf).ended(status)


# ---- how long ----------------------------------------------------------------------------------


def end(path):
    text = openssl("x509", "-noout", "-enddate", "-in", path)
    return ssl.cert_time_to_seconds(text.strip().partition("=")[2])


def test_days(command):
    ca, _ = make(command)
    leaf = ca / "issued" / f"{NAME}.pem"
    for days in ("1", "825"):
        issue(command, ca, "--days", days, NAME).ended(0)
        left = (end(leaf) - time.time()) / 86400
        require(int(days) - 0.1 < left < int(days), f"{days}: {left}")
    for days in ("0", "826", "-1", "x", "99999999999"):
        issue(command, ca, "--days", days, NAME).ended(2).silent().said("--days: ", "Apple")
    command("ca", "init", "--dir", command.folder() / "b", "--days", "9126").ended(2).silent()


def test_identity_does_not_outlive_its_ca(command):
    ca, _ = make(command, init=("--days", "10"))
    require(end(ca / "issued" / f"{NAME}.pem") == end(ca / "root.pem"), "another end")


# ---- who it may speak for ----------------------------------------------------------------------


def test_only(command):
    inside, outside = ("a.corp.example", "corp.example", "*.corp.example"), ("a.other.example",
                                                                          "10.0.0.1", "::1")
    for only, good, bad in ((("corp.example",), inside, outside),
                            (("10.0.0.0/8",), ("10.0.0.1",), ("a.corp.example", "11.0.0.1", "::1")),
                            (("fd00::/8", "corp.example"), (*inside, "fd00::1"),
                             ("10.0.0.1", "fe80::1", "other.example"))):
        ca = command.folder() / "ca"
        command("ca", "init", "--dir", ca, *(f"--only={one}" for one in only)).ended(0)
        for name in good:
            issue(command, ca, name).ended(0)
        for name in bad:
            issue(command, ca, name).ended(2).silent().said("can't speak for")
            issue(command, ca, good[0], name).ended(2).silent()
        require(len(list((ca / "issued").iterdir())) == 3 * len(good), "something was written")


def test_only_binds_whoever_has_the_key(command):
    ca, folder = command.folder() / "ca", command.folder()
    command("ca", "init", "--dir", ca, "--only", "corp.example").ended(0)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=x", "-keyout", folder / "key", "-out", folder / "request")
    for name, status in (("a.corp.example", 0), ("a.other.example", 1), ("x", 1)):
        san = f"subjectAltName=DNS:{name}\n" if "." in name else ""
        conf = folder.write("san", f"{san}basicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", folder / "request", "-CA", ca / "root.pem", "-CAkey",
                ca / "root.key", "-CAcreateserial", "-extfile", conf, "-out", folder / "leaf")
        result = command("verify", "-p", command.policy(f"[host *]\nanchors = {ca}/root.pem\n"),
                         "--host", name, folder / "leaf").ended(status)
        require(("name-constraint" in result.out) == bool(status), result)


# ---- PKCS#12 ------------------------------------------------------------------------------------


def opens(ca, password):
    bundle = ca / "issued" / f"{NAME}.p12"
    text = openssl("pkcs12", "-in", bundle, "-noenc", "-passin", f"pass:{password}")
    require(text.count("BEGIN CERTIFICATE") == 2 and text.count("BEGIN PRIVATE KEY") == 1, text)
    openssl("pkcs12", "-in", bundle, "-noenc", "-passin", f"pass:{password}x", status=1)


def test_random_password_is_printed_once(command):
    ca, result = make(command)
    password = re.search(r"kept anywhere: (\S{24})\n", result.out)[1]
    opens(ca, password)
    again = issue(command, ca, NAME).ended(0)
    require(password not in again.out, again)


def test_password_from_elsewhere(command):
    ca, _ = make(command)
    file = command.folder().write("password", "from a file\nand no more\n", 0o600)
    for password, options in (
            ("from a file", {"words": ("--password-file", file)}),
            ("from the environment", {"env": {"TRUSTGRAFT_P12_PASSWORD": "from the environment"}})):
        result = issue(command, ca, *options.pop("words", ()), NAME, **options).ended(0)
        require("password" not in result.out, result)
        opens(ca, password)
    for words, env in ((("--password-file", "/nowhere"), {}), (("--password-file", "/dev/null"), {}),
                       ((), {"TRUSTGRAFT_P12_PASSWORD": ""}),
                       ((), {"TRUSTGRAFT_P12_PASSWORD": "x" * 256})):
        before = snapshot(ca)
        issue(command, ca, *words, NAME, env=env).ended(2).silent()
        require(snapshot(ca) == before, "something was written")


def typed(command, ca, *answers):
    """Issues with the password typed on a terminal; (status, what the terminal showed)."""
    pid, terminal = open_terminal(pty.fork)
    if pid == 0:
        os.execve(command.program, ["trustgraft", "ca", "issue", "--dir", str(ca),
                                    "--password-file", "-", NAME], command.environment())
    shown = b""
    with contextlib.suppress(OSError):
        for number, answer in enumerate(answers, 1):
            while shown.count(b"file: ") < number:
                shown += os.read(terminal, 1000)
            end = time.monotonic() + 60  # libcrypto switches the echo off when it has asked
            while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < end:
                time.sleep(0.01)
            os.write(terminal, answer.encode() + b"\n")
        while data := os.read(terminal, 1000):
            shown += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_password_that_is_typed(command):
    ca, _ = make(command)
    status, shown = typed(command, ca, "typed secret", "typed secret")
    require(status == 0 and "typed secret" not in shown, shown)
    opens(ca, "typed secret")
    status, shown = typed(command, ca, "typed secret", "another")
    require(status == 2 and "not twice the same" in shown, shown)


def test_password_through_a_pipe(command):
    ca, _ = make(command)
    line = shlex.join([str(command.program), "ca", "issue", "--dir", str(ca), "--password-file", "-",
                       NAME])
    subprocess.run(f"echo piped | {line}", shell=True, check=True, capture_output=True)
    opens(ca, "piped")


# ---- what goes wrong ----------------------------------------------------------------------------


def test_names_that_are_none(command):
    ca, _ = make(command)
    before = snapshot(ca)
    for name in ("", "*", "a.local:443", "10.0.0.0/8", "b\u00fccher.local", "a..b", "a b", "[::1]:1",
                 "../x", "x/y"):
        said = issue(command, ca, "--", name).ended(2).silent().err
        require(len(name) < 2 or said.count(name) == 1, said)
    require(snapshot(ca) == before, "something was written")


def test_wildcard_that_nobody_accepts(command):
    """OpenSSL and browsers want two labels behind it."""
    ca, _ = make(command)
    before = snapshot(ca)
    for name in ("*.local", "*.local."):
        issue(command, ca, name).ended(2).silent().said(f"'{name}' is a wildcard with one label")
        issue(command, ca, NAME, name).ended(2).silent()
    require(snapshot(ca) == before, "something was written")
    issue(command, ca, "*.home.local").ended(0)
    policy = command.policy(f"[host *]\nanchors = {ca}/root.pem\n")
    [leaf] = (ca / "issued").glob("*.home.local.pem")
    command("verify", "-p", policy, "--host", "a.home.local", leaf).ended(0)


def test_usage(command):
    ca, _ = make(command)
    for words, text in (((), "what to do is missing"), (("make",), "isn't 'init', 'issue', 'renew' or 'list'"),
                        (("init", "x"), "takes no names"), (("init", "--new-key"), "is for"),
                        (("issue",), "no name is given"),
                        (("issue", "--only", "x.y", "a.b"), "--only is for"),
                        (("init", "--only", "*.x.y"), "isn't a domain"),
                        (("issue", "--passphrase", "x", "a.b"), "unknown option")):
        command("ca", *words, *(("--dir", ca) if words else ())).ended(2).silent().said(text)
    issue(command, command.folder().path, NAME).ended(2).silent().said("'trustgraft ca init'")


def test_key_that_others_can_read(command):
    ca, _ = make(command)
    for path in (ca / "root.key", ca / "issued" / f"{NAME}.key"):
        path.chmod(0o640)
        issue(command, ca, NAME).ended(2).silent().said("others can read", "chmod 600")
        path.chmod(0o600)
    issue(command, ca, NAME).ended(0)


def test_files_that_are_damaged(command):
    ca, _ = make(command)
    for path, text in ((ca / "root.pem", b"x"), (ca / "root.key", b"x"), (ca / "root.key", b""),
                       (ca / "issued" / f"{NAME}.key", b"x"), (ca / "issued" / f"{NAME}.pem", b"x")):
        whole = path.read_bytes()
        path.write_bytes(text)
        issue(command, ca, NAME).ended(2).silent().said(str(path))
        require(path.read_bytes() == text, "overwritten")
        path.write_bytes(whole)
    other, _ = make(command)
    (ca / "root.key").write_bytes((other / "root.key").read_bytes())
    issue(command, ca, NAME).ended(2).silent().said("isn't the certificate of the key")


def test_file_that_cannot_be_written_leaves_all_as_it_was(command):
    ca, _ = make(command)
    before = snapshot(ca)

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    issue(command, ca, "--new-key", NAME, preexec_fn=no_room).ended(2).silent().said("File too large")
    require(snapshot(ca) == before, "something has changed")
    issue(command, ca, "--new-key", NAME).ended(0)


def test_full_disk(command):
    folder = command.folder()
    words = [str(command.program), "ca", "issue", "--dir", f"{folder.path}/ca", "--new-key", NAME]
    script = f"""mount -t tmpfs -o size=32k none {folder.path} || exit 77
        {command.program} ca init --dir {folder.path}/ca && {shlex.join(words)} || exit 78
        cp -r {folder.path}/ca {folder.path}.before
        cat /dev/zero >{folder.path}/fill
        {shlex.join(words)}; status=$?
        diff -r {folder.path}/ca {folder.path}.before && exit $status"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True,
                          check=False, env=command.environment())
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        raise Skip(f"no file system of one's own: {done.stderr.strip()}")
    require(done.returncode == 2 and "No space left" in done.stderr, done)
