"""trustgraft fetch: intermediates and CRLs, from a web server on loopback."""
import contextlib
import os
import pty
import resource
import shutil
import ssl
import subprocess
import sys
import threading
import time

from cli import plain
from cli.realm import HOST, Realm, Web
from e2e.harness import Skip, open_terminal, require


class Lab:
    """A realm, its web server, and a TLS server that sends the leaf alone."""

    def __init__(self, command, web, realm, port):
        self.command, self.web, self.realm, self.port = command, web, realm, port
        self.to = command.folder() / "fetched"
        self.policy = command.folder().write("policy.conf", self.rule())

    def rule(self, more=""):
        return f"[host {HOST}]\nanchors = {self.realm.path('root.pem')}\n{more}"

    def fetch(self, *words, private=True, **options):
        return self.command("fetch", "-p", self.policy, *(["--allow-private"] if private else []),
                            "--resolve", f"{HOST}:{self.port}:127.0.0.1", *words,
                            f"{HOST}:{self.port}", **options)

    def fetch_all(self):
        """Fetches, and puts the printed lines into the policy."""
        result = self.fetch("--to", self.to, "--revocation").ended(0).quiet()
        self.policy.write_text(self.rule(result.out.partition(".conf:1\n")[2]))
        return result

    def refresh(self, *words, **options):
        return self.command("fetch", "--refresh", "--allow-private", "-p", self.policy, *words,
                            **options)

    def explain(self):
        return self.command("explain", "--connect", "-p", self.policy, "--resolve",
                            f"{HOST}:{self.port}:127.0.0.1", f"{HOST}:{self.port}")

    def files(self):
        return {path.name: path.read_bytes() for path in self.to.iterdir()} if self.to.exists() else {}

    def crl(self):
        """The path of the CRL of the leaf's issuer."""
        found = list(self.to.glob("Realm-Middle-*.crl"))
        require(len(found) == 1, found)
        return found[0]


@contextlib.contextmanager
def lab(command):
    with Web() as web:
        realm = Realm(command.folder(), web.base)
        web.pages.update(realm.pages())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(realm.path("leaf.pem"), realm.path("leaf.key"))
        with plain.listening(plain.secured(tls)) as port:
            yield Lab(command, web, realm, port)


def test_broken_chain_is_mended_by_the_printed_lines(command):
    with lab(command) as it:
        it.explain().ended(1).printed("missing-issuer")
        result = it.fetch_all().printed(
            f"  path  CN={HOST}: sent", f"CN=Realm Middle: fetched from {it.web.base}/middle.cer",
            "CN=Realm Root: an anchor", "intermediates = ", "crl = ", "revocation = crl-chain")
        command("check", it.policy).ended(0)
        it.explain().ended(0).printed("accept")
        kinds = sorted(name.partition(".")[2] for name in it.files())
        require(kinds == ["crl", "crl", "crl.source", "crl.source", "pem"], result)
        require("/root.cer" not in it.web.asked, it.web.asked)
        it.fetch("--to", it.to).ended(0)


def test_revocation_is_not_asked_for_unasked(command):
    """As comments, until an option or the rule asks; and how to renew is told each time."""
    with lab(command) as it:
        text = it.fetch("--to", it.to).ended(0).quiet().out
        require("\n# crl = " in text and "\n# revocation = crl-chain\n" in text, text)
        require(f"fetch --refresh -p {it.policy}\n" in text, text)
        it.policy.write_text(it.rule(text.partition(".conf:1\n")[2]))
        it.explain().ended(0).printed("accept")
        it.refresh().ended(2)
        it.policy.write_text(it.rule("revocation = staple\n"))
        text = it.fetch("--to", it.to).ended(0).quiet().out
        require("\ncrl = " in text and f"fetch --refresh -p {it.policy}\n" in text, text)


def test_fetched_list_revokes(command):
    with lab(command) as it:
        it.web.pages["/middle.crl"] = it.realm.crl("middle", ["leaf"])
        it.fetch_all()
        it.explain().ended(1).printed("revoked: ")
        it.web.pages["/middle.crl"] = it.realm.crl("middle", begin=-1800)
        it.refresh().ended(0)
        it.explain().ended(0)


def test_without_a_folder_nothing_is_written(command):
    with lab(command) as it:
        home = command.folder()
        it.fetch(cwd=home.path).ended(0).printed("intermediates = ").said("nothing was written")
        require(not list(home.path.iterdir()), "something was written")


def test_folder_that_another_can_write(command):
    """What is to be trusted isn't put where another user could change it."""
    with lab(command) as it:
        for make, why in ((lambda folder: folder.chmod(0o777), "everybody can write"),
                          (lambda folder: folder.chmod(0o775), "writable by group"),
                          (lambda folder: os.chown(folder, 65534, -1), "another user's folder"),
                          (lambda folder: os.chown(folder.parent, 65534, -1), "belongs to user 65534")):
            it.to = command.folder().path / "to"
            it.to.mkdir()
            if "user" in why and os.geteuid() != 0:
                raise Skip("only root can give files away")
            make(it.to)
            it.fetch("--to", it.to).ended(2).silent().said("--to: ", why)
            require(it.files() == {}, it.files())
            shutil.rmtree(it.to.parent)
        it.to.mkdir(0o755, parents=True)
        it.fetch("--to", it.to).ended(0)
        require(it.files() != {}, "nothing was written")
        it.to = it.to / "a\nb"
        it.fetch("--to", it.to).ended(2).silent().said("a policy can't name this")
        require(it.files() == {}, it.files())


def test_forms_of_certificates(command):
    with lab(command) as it:
        pem = it.realm.path("middle.pem").read_bytes()
        for page in (pem, b"words before\n" + it.realm.path("root.pem").read_bytes() + pem,
                     it.realm.bundle("DER", "root", "middle"), it.realm.bundle("PEM", "middle")):
            it.web.pages["/middle.cer"] = page
            shutil.rmtree(it.to, ignore_errors=True)
            it.fetch("--to", it.to).ended(0)
            require(len([name for name in it.files() if name.endswith(".pem")]) == 1, it.files())
        it.web.pages["/middle.crl"] = it.realm.crl("middle", form="PEM")
        it.fetch("--to", it.to).ended(0)


def test_certificates_that_are_not_the_issuer(command):
    with lab(command) as it:
        realm = it.realm
        realm.certificate("forged", "Realm Middle", "root", ca=True)
        realm.certificate("no-ca", "Realm Middle", "root", key="middle", signs=True)
        realm.certificate("old", "Realm Middle", "root", ca=True, key="middle", days=-1)
        for page, text in ((realm.der("root"), "whose name and key issued"),
                           (realm.der("forged"), "whose name and key issued"),
                           (realm.der("no-ca"), "isn't a CA"),
                           (realm.der("old"), "isn't valid now"),
                           (realm.bundle("DER", "root", "forged"), "whose name and key issued"),
                           (b"<html>error</html>", "is no certificate"), (b"0\x82\xff\xff", "is no"),
                           (realm.der("middle") + b"x", "is no certificate"), (b"", "is empty"),
                           (404, "404"), (500, "500")):
            it.web.pages["/middle.cer"] = page
            result = it.fetch("--to", it.to).ended(1)
            result.said(f"{it.web.base}/middle.cer: ", text).printed("next issuer isn't to be had\n")
            require(not [name for name in it.files() if name.endswith(".pem")], it.files())


def test_lists_that_do_not_count(command):
    with lab(command) as it:
        realm = it.realm
        realm.certificate("forged", "Realm Middle", "root", ca=True)
        for page, text in ((realm.crl("forged"), "isn't signed by its issuer"),
                           (realm.crl("root"), "is of another issuer: CN=Realm Root"),
                           (realm.crl("middle", end=-60), "counted only until"),
                           (realm.crl("middle", begin=3600), "is from the future"),
                           (realm.crl("middle", more="2.5.29.27=critical,ASN1:INTEGER:1"), "delta"),
                           (realm.crl("middle", more="1.2.3.4=critical,ASN1:NULL"), "critical"),
                           (realm.der("middle"), "is no CRL"), (b"garbage", "is no CRL"),
                           (realm.crl("middle") + b"x", "is no CRL"), (404, "404")):
            it.web.pages["/middle.crl"] = page
            it.fetch("--to", it.to).ended(1).said(f"{it.web.base}/middle.crl: ", text)
            require(not list(it.to.glob("Realm-Middle-*.crl*")), it.files())
        require(list(it.to.glob("Realm-Root-*.crl")), it.files())


def test_root_that_only_the_web_has_is_not_an_intermediate(command):
    with lab(command) as it:
        it.policy.write_text(f"[host {HOST}]\nanchors = {command.pki}/root.pem\n")
        result = it.fetch("--to", it.to).ended(0).printed("Realm Root: fetched")
        require(result.out.count(".pem") == 1 and not list(it.to.glob("Realm-Root-*.pem")), result)


# ---- where downloads may lead -------------------------------------------------------------------


def test_private_addresses(command):
    with lab(command) as it:
        it.fetch("--to", it.to, private=False).ended(1).said("leads to 127.0.0.1", "--allow-private")
        require(it.web.asked == [] and not it.files(), it.web.asked)
        it.fetch("--to", it.to).ended(0)


def test_redirects(command):
    with lab(command) as it:
        it.web.pages["/elsewhere"] = it.web.pages["/middle.cer"]
        it.web.pages["/loop"] = "/loop"
        it.web.pages["/middle.cer"] = f"{it.web.base}/elsewhere"
        it.fetch("--to", it.to).ended(0)
        secret = command.folder().write("secret.cer", it.realm.der("middle"))
        for address in (f"file://{secret}", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "/loop",
                        "ldap://127.0.0.1/x", "http://user:secret@127.0.0.1/x"):
            it.web.pages["/middle.cer"] = address
            it.fetch().ended(1).said("/middle.cer: ")


def test_addresses_of_other_schemes_are_not_followed(command):
    with lab(command) as it:
        secret = command.folder().write("secret.cer", it.realm.der("middle"))
        for base in (f"file://{secret.parent}", "ldap://127.0.0.1", "http://127.0.0.1/a b"):
            strange = Realm(command.folder(), base)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(strange.path("leaf.pem"), strange.path("leaf.key"))
            with plain.listening(plain.secured(tls)) as port:
                command("fetch", "--allow-private", f"127.0.0.1:{port}").ended(1).printed(
                    "next issuer isn't to be had: the certificate tells no address of it")


def test_proxy_is_used_only_where_private_addresses_are_allowed(command):
    with lab(command) as it:
        env = {"http_proxy": f"http://127.0.0.1:{plain.closed_port()}"}
        it.fetch(env=env).ended(1).said("onnect")
        it.fetch(env=env, private=False).ended(1).said("is no public address")


def test_https_is_verified(command):
    """A CA that isn't known: not downloaded; it is with --app-anchors."""
    with lab(command) as it:
        tls = plain.context(command.pki, "api")

        def serve(connection):
            with tls.wrap_socket(connection, server_side=True) as inner:
                inner.recv(4096)
                inner.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + it.realm.der("middle"))
        with plain.listening(serve) as port:
            it.web.pages["/middle.cer"] = f"https://api.example.test:{port}/"
            it.fetch().ended(1).said("/middle.cer: ")


PUBLIC, OTHER = "11.22.33.44", "127.0.0.1"


def within_public(build, pki, root):
    """Run in a network of its own, whose loopback has a public address too."""
    from cli.command import Command
    command = Command(build, pki, root)
    with Web(PUBLIC) as web, Web(OTHER) as inner:
        realm = Realm(command.folder(), web.base)
        web.pages.update(realm.pages())
        inner.pages.update(realm.pages())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(realm.path("leaf.pem"), realm.path("leaf.key"))
        with plain.listening(plain.secured(tls)) as port:
            it = Lab(command, web, realm, port)
            it.fetch(private=False).ended(0).printed("Realm Middle: fetched from")
            web.pages["/middle.cer"] = f"{inner.base}/middle.cer"
            it.fetch(private=False).ended(1).said("leads to 127.0.0.1", "no public address")
            require(inner.asked == [], inner.asked)
            it.fetch().ended(0)
    print("well")


def test_redirect_from_a_public_to_a_private_address(command):
    script = ("ip link set lo up && ip addr add 11.22.33.44/32 dev lo || exit 77\n"
              f"exec {sys.executable} -B -c 'import sys; sys.path.insert(0, sys.argv[1]); "
              "from cli import fetching; fetching.within_public(*sys.argv[2:])' \"$@\"")
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, "sh", os.path.dirname(os.path.dirname(__file__)),
         command.build, command.pki, command.folder().path], capture_output=True, text=True,
        check=False)
    if done.returncode != 0 and "Traceback" not in done.stderr:
        raise Skip(f"no network of one's own: {done.stderr.strip()}")
    require(done.stdout == "well\n", done.stderr)


# ---- size and time ------------------------------------------------------------------------------


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"0" * 65536)


def announced(size):
    def page(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        while True:
            handler.wfile.write(b"0" * 65536)
    return page


def test_too_large(command):
    with lab(command) as it:
        for page in (endless, announced(1 << 40), b"0" * ((1 << 20) + 1)):
            it.web.pages["/middle.cer"] = page
            it.fetch().ended(1).said("is larger than 1048576 bytes, which is the limit")
        it.web.pages.update(it.realm.pages())
        it.web.pages["/middle.crl"] = endless
        it.fetch().ended(1).said("is larger than 67108864 bytes")


def test_huge_list_is_taken(command):
    """100,000 entries: 4 MB."""
    with lab(command) as it:
        before = it.fetch_all()
        require("until" in before.out, before)
        entries = "".join(f"R\t491231235959Z\t260101000000Z\t{number:040X}\tunknown\t/CN=x\n"
                          for number in range(1 << 100, (1 << 100) + 100000))
        write = it.realm.folder.write
        it.realm.folder.write = lambda name, text: write(name, entries if name == "index" else text)
        it.web.pages["/middle.crl"] = it.realm.crl("middle", begin=-60)
        it.refresh().ended(0).printed("renewed ")
        require(it.crl().stat().st_size > 3 << 20, "it is small")
        it.explain().ended(0)


def hang(handler):
    time.sleep(300)


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1500):
        handler.wfile.write(b"0")
        time.sleep(0.2)


def test_servers_that_hang_or_drip(command):
    with lab(command) as it:
        for page in (hang, drip):
            it.web.pages["/middle.cer"] = page
            it.fetch("--timeout", "1").ended(1).said("/middle.cer: ")


def test_server_that_breaks_off(command):
    with lab(command) as it:
        def page(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "5000")
            handler.end_headers()
            handler.wfile.write(it.realm.der("middle"))
        it.web.pages["/middle.cer"] = page
        it.fetch().ended(1).said("/middle.cer: ")


# ---- --refresh ----------------------------------------------------------------------------------


def test_refresh(command):
    with lab(command) as it:
        it.fetch_all()
        before = it.crl().stat().st_ino
        result = it.refresh().ended(0).quiet()
        require(result.out.count("unchanged ") == 2 and it.crl().stat().st_ino == before, result)
        it.web.pages["/middle.crl"] = it.realm.crl("middle", ["leaf"], begin=-60)
        it.refresh().ended(0).quiet().printed(f"renewed   {it.crl()}, until ", "unchanged ")
        it.explain().ended(1).printed("revoked: ")
        it.refresh("--to", it.to).ended(2).silent()


def test_refresh_of_a_folder_that_the_policy_names(command):
    with lab(command) as it:
        it.fetch_all()
        folder = command.folder()
        for path in it.to.glob("*.crl*"):
            path.rename(folder / path.name)
        it.policy.write_text(it.rule(f"crl = {folder.path}\nrevocation = crl\n"))
        require(it.refresh().ended(0).out.count("unchanged ") == 2, "not both")


def test_refresh_keeps_links_and_modes(command):
    with lab(command) as it:
        it.fetch_all()
        it.web.pages["/middle.crl"] = it.realm.crl("middle", ["leaf"], begin=-60)
        path, real = it.crl(), command.folder() / "real.crl"
        path.rename(real)
        real.chmod(0o640)
        path.symlink_to(real)
        it.refresh().ended(0).quiet().printed(f"renewed   {path}, until ")
        require(path.is_symlink() and real.stat().st_mode & 0o777 == 0o640, real.stat())
        it.explain().ended(1).printed("revoked: ")


def test_refresh_that_fails_leaves_the_file(command):
    with lab(command) as it:
        it.fetch_all()
        before = it.files()
        it.realm.certificate("forged", "Realm Middle", "root", ca=True)
        for page, text in ((it.realm.crl("forged", begin=-60), "isn't signed"), (b"x", "is no CRL"),
                           (it.realm.crl("middle", begin=-7200), "is older than the one there"),
                           (it.realm.crl("middle", end=-5), "counted only until"), (404, "404"),
                           (hang, ": "), (endless, "is larger")):
            it.web.pages["/middle.crl"] = page
            words = ("--timeout", "1") if page is hang else ()
            it.refresh(*words).ended(1).said("stays as it was: ", text).printed("unchanged")
            require(it.files() == before, "changed")


def test_older_list_does_not_replace_a_newer_one(command):
    with lab(command) as it:
        it.fetch_all()
        before = it.files()
        it.web.pages["/middle.crl"] = it.realm.crl("middle", begin=-7200)
        it.fetch("--to", it.to).ended(1).said("is older than the one there")
        require(it.files() == before, "changed")


def test_refresh_without_a_known_source(command):
    with lab(command) as it:
        it.refresh().ended(2).silent().said("names no CRL that 'trustgraft fetch --to' has written")
        it.fetch_all()
        source = it.crl().with_name(it.crl().name + ".source")
        whole = source.read_text()
        for text in ("", "x", whole.replace("http://", "file:///"), whole.splitlines()[1]):
            source.write_text(text)
            it.refresh().ended(1).said(".source: has no line with an http address")
        source.write_text(whole)
        source.chmod(0o666)
        it.refresh().ended(1).said("writable")
        it.policy.write_text("[host a.test]\nnonsense = 1\n")
        it.refresh().ended(1).said("nonsense")
        it.policy.unlink()
        it.refresh().ended(2)


def no_room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_file_that_cannot_be_written(command):
    with lab(command) as it:
        it.fetch("--to", it.to, preexec_fn=no_room).ended(2).said("File too large")
        require(not it.files(), it.files())
        it.fetch_all()
        before = it.files()
        it.web.pages["/middle.crl"] = it.realm.crl("middle", begin=-60)
        it.refresh(preexec_fn=no_room).ended(2).said("stays as it was", "File too large")
        require(it.files() == before, "changed")
        file = command.folder().write("file", "")
        for to in (file, "/proc/nowhere", f"{file}/below"):
            it.fetch("--to", to).ended(2).said("--to: ")


# ---- the rest ------------------------------------------------------------------------------------


def test_no_connection_and_usage(command):
    with lab(command) as it:
        for words, text in (((f"127.0.0.1:{plain.closed_port()}",), "the connection is refused"),
                            ((), "the host is missing"), (("--refresh", HOST), "no HOST"),
                            ((HOST, HOST), "one operand too many"), (("*",), "is not one host")):
            command("fetch", "-p", it.policy, *words).ended(2).silent().said(text)


def test_policy_is_not_needed(command):
    with lab(command) as it:
        command("fetch", "--allow-private", "--app-anchors", it.realm.path("root.pem"), "--resolve",
                f"{HOST}:{it.port}:127.0.0.1", f"{HOST}:{it.port}").ended(0).printed(
                    f"[host {HOST}]\nintermediates = ")


def test_without_libcurl(command):
    """Only fetch needs it, and says so."""
    with lab(command) as it:
        folder = command.folder()
        folder.write("libcurl.so.4", "no library")
        env = {"LD_LIBRARY_PATH": folder.path}
        it.fetch(env=env).ended(1).said("downloads need libcurl")
        command("check", it.policy, env=env).ended(0)
    needed = subprocess.run(["readelf", "-d", command.program], capture_output=True, text=True,
                            check=True).stdout
    require("libssl" in needed and "libcurl" not in needed, needed)


def test_progress_on_a_terminal(command):
    with lab(command) as it:
        whole = it.web.pages["/middle.cer"]

        def slow(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(whole)))
            handler.end_headers()
            half = len(whole) // 2
            handler.wfile.write(whole[:half])
            handler.wfile.flush()
            time.sleep(1.5)
            handler.wfile.write(whole[half:])
        it.web.pages["/middle.cer"] = slow
        for term, shown in (("xterm", True), ("dumb", False)):
            terminal, inner = open_terminal(pty.openpty)
            subprocess.run(["stty", "cols", "70", "rows", "20"], stdin=inner, check=True)
            seen = []

            def read():
                with contextlib.suppress(OSError):
                    while data := os.read(terminal, 4096):
                        seen.append(data)
            thread = threading.Thread(target=read)
            thread.start()
            it.fetch(env={"TERM": term}, stderr=inner).ended(0)
            os.close(inner)
            thread.join()
            os.close(terminal)
            text = b"".join(seen).decode()
            drawn = [part.removesuffix("\x1b[K") for part in text.split("\r") if "MB" in part]
            require(bool(drawn) == shown, repr(text))
            require(all(len(part.replace("\x1b[2m", "").replace("\x1b[0m", "")) < 70
                        for part in drawn), drawn)
            require(not shown or "[###" in text and text.index("\r\x1b[K") > 0, repr(text))
