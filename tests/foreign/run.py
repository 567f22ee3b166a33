#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - programs on every TLS library, by the preload library.

One client program (client.c), built for OpenSSL 3, for a copy of it under other names, for
OpenSSL 1.1 (of Debian 11, unpacked beside), for OpenSSL 4 (of Debian experimental, with the C
library that it needs) and for BoringSSL, and linked statically to the first and the third, meets the servers of the laboratory. OpenSSL 3 is the yardstick: what holds for it holds for the others.
"""
import contextlib
import glob
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from compat.fetch import Missing, Store                                    # noqa: E402
from e2e import floors, keys, naming                                       # noqa: E402
from e2e.harness import Skip, require, suite                               # noqa: E402
from foreign import embedded                                               # noqa: E402
from lab import tn2232, ways                                               # noqa: E402
from lab.servers import in_thread                                          # noqa: E402

BORING = pathlib.Path("/usr/lib/x86_64-linux-gnu/android")
STATIC = ("static-3", "static-1.1")  # inside the client, which exports nothing of it
# "static-3-part" exports what libcurl, and the libssl that it is linked to, would find there.
LIBRARIES = ("openssl-3", "openssl-copy", "openssl-1.1", "openssl-4", "boringssl", *STATIC)
LACKING = {}  # a library: why it can't be tested here
HOST = "api.example.test"
ASKED = ("sni=" + HOST, "name=" + HOST)
SCENARIOS = (*keys.SCENARIOS, *tn2232.SCENARIOS, *floors.SCENARIOS, *naming.SCENARIOS)
SERVERS = ("api", "api/1.2", "api-other", "api-other/1.2", "api/no-tickets", "expired", "wildcard",
           "ip")
ROOT = "[host api.example.test]\nanchors = {root}"


# ---- building ------------------------------------------------------------------------------

def copy_of_openssl(folder):
    """OpenSSL 3 under other names: a libcrypto of its own beside the system's."""
    linked = subprocess.run(["ldd", "/usr/bin/openssl"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("libssl", "libcrypto"):
        found = re.search(rf"{name}\.so\.3 => (\S+)", linked)
        content = pathlib.Path(found[1]).read_bytes()
        for which in (b"libssl", b"libcrypto"):
            content = content.replace(which + b".so.3", which + b".so.9")
        (folder / f"{name}.so.9").write_bytes(content)
    return [folder / "libssl.so.9", folder / "libcrypto.so.9"]


def of_debian_11(package, folder):
    fetched = subprocess.run([HERE.parent / "compat" / "fetch.py", package, "bullseye", folder],
                             stderr=subprocess.PIPE, text=True)
    if fetched.returncode != 0:
        raise Skip(f"{package} of Debian 11 can't be fetched: " + fetched.stderr.strip()[-120:])


def openssl_1(folder):
    of_debian_11("libssl1.1", folder)
    return [next(folder.glob(f"usr/lib/*/{name}.so.1.1")) for name in ("libssl", "libcrypto")]


def static_1(folder):
    of_debian_11("libssl-dev", folder)
    return [next(folder.glob(f"usr/lib/*/{name}.a")) for name in ("libssl", "libcrypto")]


def openssl_4(folder):
    """As `make compat` has it, in the system that it belongs to."""
    try:
        system = Store(folder.parents[2] / "compat", True).debian("openssl-4")
    except Missing as why:
        raise Skip(str(why)) from why
    return [next(system.glob(f"usr/lib/*/{name}.so.4")) for name in ("libssl", "libcrypto")]


def in_its_system(library):
    """For the linker: so that a program runs with the C library beside LIBRARY."""
    loader = next(library.parent.glob("ld-linux-*.so.*"))
    return [f"-Wl,--dynamic-linker={loader}", "-Wl,--allow-shlib-undefined"]


def boringssl(_):
    if not (BORING / "libssl.so").exists():
        raise Skip("needs android-libboringssl-dev")
    return [BORING / "libssl.so", BORING / "libcrypto.so"]


def compile_clients(folder):
    """A client for each library into FOLDER, or a word why not into LACKING."""
    found = {"openssl-3": lambda _: ["-lssl", "-lcrypto"], "openssl-copy": copy_of_openssl,
             "openssl-1.1": openssl_1, "openssl-4": openssl_4, "boringssl": boringssl,
             "static-3": lambda _: ["-l:libssl.a", "-l:libcrypto.a"], "static-1.1": static_1,
             "static-3-part": lambda _: ["-Wl,--no-as-needed", "-lcurl", "-l:libssl.a", "-l:libcrypto.a"]}
    folder.mkdir(parents=True, exist_ok=True)
    for name in found:
        try:
            libraries = found[name](folder / f"lib-{name}")
        except Skip as reason:
            LACKING[name] = str(reason)
            continue
        extra = ["-I/usr/include/android"] if name == "boringssl" else []
        extra += in_its_system(libraries[0]) if name == "openssl-4" else []
        if name != "openssl-3" and not name.startswith("static"):
            extra.append(f"-Wl,-rpath,{libraries[0].parent}")
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g",
                        "-Wno-deprecated-declarations", *extra, HERE / "client.c", HERE / "errors.c",
                        HERE / "policy.c", HERE / "wanted.c", "-o", folder / name, *libraries], check=True)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", HERE / "module.c", "-o",
                    folder / "module.so"], check=True)


# ---- a visit -------------------------------------------------------------------------------

class ByProvider(str):
    """A library that is reached by the provider."""
    way = ways.PROVIDER


def visit(lab, library, server, policy, *words, way=None, extra=None, by=()):
    """What the client, run BY a command, says of each connection, as dictionaries; and all its standard error."""
    command = [*by, str(lab.clients / library), str(lab.servers.ports.get(server, server)),
               *(lab.pki.expand(word, scratch=lab.scratch) for word in words)]
    if policy is not None and not isinstance(policy, pathlib.Path):
        policy = lab.policy(policy)
    way = way or getattr(library, "way", ways.PRELOAD)
    environment = ways.by_environment(lab.build, way, policy) | (extra or {})
    status, out, err = lab.run(command, environment=environment)
    require(status in (0, 1), f"crashed or hung: status {status}: {out}{err}")
    seen = [dict(re.findall(r"(\w+)=(\S+)", line.partition(" error=")[0]), word=line.split()[0],
                 error=line.partition(" error=")[2]) for line in out.splitlines()]
    return seen, err


def expect(lab, library, server, policy, words, extra=None, **wanted):
    """The first connection is as WANTED; its dictionary."""
    seen, err = visit(lab, library, server, policy, *words, extra=extra)
    for key, value in wanted.items():
        require(seen[0].get(key) == value, f"{key} is not {value}: {seen[0]} {err}")
    if wanted.get("word") == "connected":
        require(seen[0]["hello"] == "1" and seen[0]["queue"] == "0", f"{seen[0]}")
    return seen[0] | {"log": err}


ACCEPTED, REFUSED = {"word": "connected", "result": "0"}, {"word": "refused"}


# ---- tests ---------------------------------------------------------------------------------

def plain(lab, library):
    """A rule decides, whatever the application trusts, and says why in both places."""
    expect(lab, library, "api", ROOT, ASKED, **ACCEPTED, info="1")
    got = expect(lab, library, "api-other", ROOT, ("ca={other-root}", *ASKED), **REFUSED,
                 result="20")
    require(
        re.match("certificate.verify.failed: trustgraft: .*missing-issuer", got["error"], re.I),
        f"the error queue doesn't say why: {got}")
    require(f"{library}[" in got["log"] and "reject api.example.test:" in got["log"], got["log"])
    expect(lab, library, "api-other", ROOT, (*ASKED, "unverified"), **REFUSED, result="20")


def errors(lab, library):
    """The text of an error stays in its buffer, and is given back, with a reason or without."""
    for policy, word in ((ROOT, "named"), ("[host other.test]\nstrict = yes", "plain"), (None, "plain")):
        way = ways.PRELOAD if policy else ways.BARE
        _, err = visit(lab, library, "api-other", policy, *ASKED, "strings", way=way)
        require(f"errors: {word} within plain same within same\n" in err, f"{policy}: {err}")


def callbacks(lab, library):
    """The application's verify callback sees the path, may refuse it, and can't accept more."""
    for callback in ("pass", "ok"):
        expect(lab, library, "api", ROOT, (*ASKED, f"verify-cb={callback}"), **ACCEPTED,
               calls="2:1:0,1:1:0,0:1:0")
    expect(lab, library, "api", ROOT, (*ASKED, "verify-cb=refuse"), **REFUSED, calls="2:1:0")
    expect(lab, library, "api-other", ROOT, (*ASKED, "verify-cb=ok"), **REFUSED, result="20",
           calls="1:0:20")
    expect(lab, library, "expired", "[host api.example.test]\ntrust-certificate = {expired}",
           (*ASKED, "verify-cb=pass"), **ACCEPTED, calls="0:1:0")


def nested(lab, library):
    """A program that makes a connection in its verify callback (to fetch a CRL, say)."""
    words = (*ASKED, "verify-cb=nested")
    expect(lab, library, "api", ROOT, words, **ACCEPTED, calls="2:1:0,1:1:0,0:1:0")
    expect(lab, library, "api-other", ROOT, words, **REFUSED, result="20", calls="1:0:20")


def own_verification(lab, library):
    """cert_verify_callback: not asked under a rule, the only one asked without."""
    other = "[host other.test]\nanchors = {root}"
    for answer, word in (("ok", "connected"), ("refuse", "refused"), ("verify", "refused")):
        words = ("sni=" + HOST, f"callback={answer}")
        expect(lab, library, "api", ROOT, words, **ACCEPTED, asked="0")
        expect(lab, library, "api-other", ROOT, words, **REFUSED, asked="0")
        expect(lab, library, "api", other, words, word=word, asked="1")


def override(lab, library):
    """A hostname override holds for the library's check and for the program's own."""
    dialled = "over.example.test"
    words = (f"sni={dialled}", f"name={dialled}", f"match={dialled}", "verify-cb=pass")
    policy = f"[host {dialled}]\nanchors = {{root}}\nhostname = "
    expect(lab, library, "api", policy + HOST, words, **ACCEPTED, match="yes")
    expect(lab, library, "api", policy + "www.example.test", words, **REFUSED, result="62")
    seen, _ = visit(lab, library, "api", None, "unverified", *words[2:], way=ways.BARE)
    require(seen[0]["match"] == "no", f"the certificate names it anyway: {seen}")


def application_anchors(lab, library):
    """Anchors, flags, names, time and depth of the application, where they count."""
    forced = "[policy]\nunmatched = verify"
    words = ("sni=" + HOST, "unverified")
    expect(lab, library, "api", forced, (*words, "ca={root}"), **ACCEPTED)
    expect(lab, library, "api", forced, words, **REFUSED, result="20")
    expect(lab, library, "api-other", forced, (*words, "ca={root}"), **REFUSED, result="20")
    for more, finding in (("depth=5", ""), ("email=nobody@example.test", "name-mismatch"),
                          ("address=192.0.2.9", "name-mismatch"), ("depth=0", "path-too-long"),
                          ("at=1000000000", "certificate-not-yet-valid")):
        got = expect(lab, library, "api", f"[host {HOST}]\nstrict = yes",
                     (*ASKED, "ca={root}", more), **(REFUSED if finding else ACCEPTED))
        require(finding in got["log"], f"{more}: {got}")


NAME_MISMATCH, REVOCATION_UNKNOWN = "name-mismatch", "revocation-unknown"
WANTED = (
    ("wildcard", ("name=a.example.test",), ""),
    ("wildcard", ("name=a.example.test", "host-flags=2"), NAME_MISMATCH),
    ("api", ("name=other.test", "other-name=" + HOST), ""),
    ("api", ("name=" + HOST, "other-name=other.test"), ""),
    ("api", ("name=other.test", "other-name=another.test"), NAME_MISMATCH),
    ("api", ("name=" + HOST, "email=nobody@example.test"), NAME_MISMATCH),
    ("api", ("name=" + HOST, "email=n\u00f6body@example.test"), NAME_MISMATCH),
    ("ip", ("address=127.0.0.1",), ""),
    ("ip", ("address=192.0.2.8",), NAME_MISMATCH),
    ("ip", ("address=::1",), ""),
    ("ip", ("address=2001:db8::8",), NAME_MISMATCH),
    ("api", ("name=" + HOST, "level=2"), ""),
    ("api", ("name=" + HOST, "level=5"), "weak"),
    ("api", ("name=" + HOST, "flags=4"), REVOCATION_UNKNOWN),
)


def wanted(lab, library):
    """All that the application has its library verify, and nothing else."""
    for server, words, finding in WANTED:
        if library == "boringssl" and any(word.startswith("level=") for word in words):
            continue  # it has none
        for rule in ("[host *]\nstrict = yes", "[policy]\nunmatched = verify"):
            got = expect(lab, library, server, rule, ("ca={root}", *words),
                         **(REFUSED if finding else ACCEPTED))
            require(finding in got["log"], f"{words}: {got}")
    if library not in ("openssl-3", "openssl-copy"):
        for flag, word in (("0x400000", "refused"), ("0", "connected")):
            got = expect(lab, library, "api", ROOT, (*ASKED, f"flags={flag}"), word=word)
            require(("can't be done here" in got["log"]) == (word == "refused"), f"{flag}: {got}")


def several(lab, library):
    """
    One of several addresses, which OpenSSL 3 can't be asked for: refused where the policy has
    rules, else left to OpenSSL 4.
    """
    for words in (("name=" + HOST, "address=127.0.0.1", "other-address=::1"),
                  ("name=" + HOST, "email=a@api.test", "other-email=b@api.test")):
        for policy in (ROOT, "[policy]\nunmatched = verify", "[host other.test]\nstrict = yes"):
            got = expect(lab, library, "api", policy, ("ca={root}", *words), word="refused")
            require(("one of several addresses" in got["log"] or "names that" in got["log"]),
                    f"{words}: {policy}: {got}")
    for other, word in (("192.0.2.8", "refused"), ("127.0.0.1", "connected")):
        words = ("ca={root}", "address=192.0.2.9", f"other-address={other}")
        for way in (ways.BARE, ways.PRELOAD):
            seen, err = visit(lab, library, "ip", None, *words, way=way)
            require(seen[0]["word"] == word and not err, f"{words}: {seen} {err}")


def ovn_nbctl(lab, _):
    """
    A program of Debian's that is linked to OpenSSL 4, and verifies by CAs alone: what it asks its
    database arrives, or doesn't.
    """
    root = Store(lab.clients.parents[1] / "compat", False).debian("openssl-4")
    libraries = next(root.glob("usr/lib/*/libssl.so.4")).parent
    begin = [str(next(libraries.glob("ld-linux-*.so.*"))), "--library-path", str(libraries),
             str(root / "usr/bin/ovn-nbctl"), "-p", str(lab.pki.key("api")), "-c",
             str(lab.pki.chain("api"))]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.pki.chain("api"), lab.pki.key("api"))
    rule = "[host 127.0.0.1]\ninsecure-skip-hostname = yes\nanchors = "
    elsewhere = "[host other.test]\naction = reject"
    for policy, ca, asked in ((None, "root", True), (None, "other-root", False),
                              (elsewhere, "root", True), (elsewhere, "other-root", False),
                              (rule + "{root}", "other-root", True), (rule + "{root}", None, True),
                              (rule + "{other-root}", "root", False),
                              (rule + "{other-root}", None, False)):
        heard = []

        def serve(listener):
            connection, _ = listener.accept()
            connection.settimeout(60)
            with contextlib.suppress(OSError), connection:
                with context.wrap_socket(connection, server_side=True) as secure:
                    heard.append(secure.recv(200))

        with in_thread(serve) as port:
            environment = ways.by_environment(lab.build, ways.PRELOAD if policy else ways.BARE,
                                              lab.policy(policy) if policy else None)
            status, out, err = lab.run([*begin, "-C", str(lab.pki.pem(ca)) if ca else "none",
                                        f"--db=ssl:127.0.0.1:{port}", "show"], environment=environment)
        require(any(b"get_schema" in said for said in heard) == asked,
                f"{policy}, {ca}: {status} {heard} {out}{err}")
        require((policy is not None and "other-root" in policy) == ("trustgraft: refused by" in err),
                f"{policy}, {ca}: {err}")


def reference_name(lab, library):
    """The name that the library is to verify names the host; without any name its address does."""
    rule = "[host {0}]\naction = reject\n[host *]\nanchors = {root}\ninsecure-skip-hostname = yes"
    for words, host in ((("name=" + HOST, "sni=other.test"), HOST), (("sni=" + HOST,), HOST),
                        (("address=192.0.2.7",), "192.0.2.7"), ((), "127.0.0.1")):
        expect(lab, library, "api", rule.replace("{0}", host), words, **REFUSED, result="50")
        expect(lab, library, "api", rule.replace("{0}", "nobody.test"), words, **ACCEPTED)


def system_anchors(lab, library):
    policy = f"[host {HOST}]\nanchors = system"
    for root, wanted in (("root", ACCEPTED), ("other-root", REFUSED)):
        expect(lab, library, "api", policy, (*ASKED, "ca={root}"),
               {"SSL_CERT_FILE": str(lab.pki.pem(root))}, **wanted)


def report_only(lab, library):
    """mode = report: the application's own outcome, and a line in the log."""
    policy = "[policy]\nmode = report\nlog-level = all\n[host api.example.test]\nanchors = {root}"
    for words, word in ((("ca={other-root}",), "connected"), ((), "refused"),
                        (("unverified",), "connected")):
        got = expect(lab, library, "api-other", policy, (*ASKED, *words), word=word)
        require("missing-issuer" in got["log"], f"{words}: nothing reported: {got}")


def sessions(lab, library):
    """One of this policy's own is resumed; a foreign one isn't, but for a host without a rule."""
    saved = f"{tempfile.mkdtemp(dir=lab.scratch)}/session"
    for server, other in (("api", "api-other"), ("api/1.2", "api-other/1.2")):
        words = ("sni=" + HOST, "resume")
        seen, err = visit(lab, library, server, ROOT, *words, "connections=3")
        require([one["resumed"] for one in seen[:3]] == ["0", "1", "1"], f"{server}: {seen} {err}")
        for name in (server, other):
            seen, err = visit(lab, library, name, None, *words, "unverified",
                              f"session-out={saved}", way=ways.BARE)
            seen, err = visit(lab, library, name, None, *words, "unverified",
                              f"session-in={saved}", way=ways.BARE)
            require(seen[0]["resumed"] == "1", f"not even without the shim: {seen} {err}")
            expect(lab, library, name, "[host other.test]\nstrict = yes",
                   (*words, "unverified", f"session-in={saved}"), word="connected", resumed="1")
            expect(lab, library, name, ROOT, (*words, "unverified", f"session-in={saved}"),
                   **(ACCEPTED if name == server else REFUSED), resumed="0")


def let_in(lab, library):
    """A session that a policy let in for one host isn't the program's own for another."""
    policy = "[host a.test]\ntrust-certificate = {api}\n"
    for server in ("api", "api/1.2"):
        for more in ("", "[host z.test]\nmode = report\naction = reject\n"):
            words = ("resume", "unverified", "connections=3")
            for names, wanted in ((("sni=a.test",), ["0", "1", "1"]),
                                  (("sni=z.test",), ["0", "1", "1"]),
                                  (("sni=a.test", "next=z.test"), ["0", "0", "1"])):
                seen, err = visit(lab, library, server, policy + more, *words, *names)
                require([one["resumed"] for one in seen[:3]] == wanted and seen[0]["hello"] == "1",
                        f"{server}: {names}: {seen} {err}")


def poisoned(lab, library):
    """What the program set in vain: BoringSSL then verifies nobody, under a policy as without."""
    for what in ("host", "address", "email"):
        words = ("ca={root}", "sni=" + HOST, f"broken={what}")
        bare, _ = visit(lab, library, "api", None, *words, way=ways.BARE)
        for policy in (ROOT, "[policy]\nunmatched = verify", "[host other.test]\nstrict = yes",
                       f"[host {HOST}]\nmode = report\nanchors = {{root}}"):
            seen, err = visit(lab, library, "api", policy, *words)
            require(bare[0]["word"] == seen[0]["word"] == "refused",
                    f"{what}: {policy}: {bare} {seen} {err}")
            require(policy not in (ROOT, "[policy]\nunmatched = verify") or
                    "could not be set" in err, f"{what}: {policy}: {err}")


def given(lab, library, server, policy, *words, then=None):
    """A program that uses libtrustgraft(3); its policy is that of the process if it changes."""
    own = lab.scratch / f"given-{os.urandom(8).hex()}.conf"
    own.write_bytes(lab.policy(policy).read_bytes())
    named = {"TRUSTGRAFT_POLICY": str(own)} if then else None
    words = (*words, f"then={lab.policy(then)}", "given=-") if then else (*words, f"given={own}")
    return visit(lab, library, server, None, "sni=" + HOST, *words, way=ways.BARE, extra=named,
                 *(f"library={lab.build.directory}/libtrustgraft.so",))


def given_staples(lab, library):
    """tg_verify_callback comes back for a staple that is sent behind the certificate."""
    policy = "[host api.example.test]\nanchors = {root}\nrevocation = staple-required"
    for version in ("", "/1.2"):
        for server, hello in ((f"api=good{version}", "1"), (f"api=api-revoked{version}", "0"),
                              (f"api{version}", "0")):
            seen, err = given(lab, library, server, policy, "connections=2")
            require([one["hello"] for one in seen[:2]] == [hello] * 2, f"{server}: {seen} {err}")
            require(hello == "1" or "trustgraft: " in seen[0]["error"], f"{server}: {seen}")


def given_sessions(lab, library):
    """And for sessions: of a policy that has changed, of another host, of elsewhere."""
    for server in ("api", "api/1.2"):
        words = ("resume", "connections=3")
        for then, wanted in ((None, ["101", "111", "111"]), (ROOT, ["101", "101", "111"]),
                             (f"[host {HOST}]\naction = reject", ["101", "000", "000"])):
            seen, err = given(lab, library, server, ROOT, *words, then=then)
            got = ["01"[one["word"] == "connected"] + one["resumed"] + one["hello"]
                   for one in seen[:3]]
            require(got == wanted, f"{server}: {then}: {seen} {err}")
        policy = ROOT + "\n[host bad.test]\nanchors = {other-root}"
        seen, err = given(lab, library, server, policy, *words, "next=bad.test")
        require([one["hello"] for one in seen[:2]] == ["1", "0"], f"{server}: {seen} {err}")
        seen, err = given(lab, library, server, ROOT, *words, "next=unmatched.test", "unverified")
        require([one["resumed"] for one in seen[:2]] == ["0", "0"], f"{server}: {seen} {err}")


def given_twice(lab, library):
    """And beside the policy of the process, whose rule comes first."""
    other = "[host other.test]\nstrict = yes"
    for outer in (ROOT, other):
        for inner in (ROOT, other):
            words = ("sni=" + HOST, "resume", "connections=3", "ca={root}",
                     f"library={lab.build.directory}/libtrustgraft.so", f"given={lab.policy(inner)}")
            seen, err = visit(lab, library, "api", outer, *words)
            require([one["resumed"] + one["hello"] for one in seen[:3]] == ["01", "11", "11"],
                    f"{outer}, {inner}: {seen} {err}")


def given_under(lab, library):
    """What the policy of the process refuses, or accepts, the program's own doesn't change; for other
    hosts that one decides."""
    reject, other = f"[host {HOST}]\naction = reject", "[host other.test]\naction = reject"
    for way in ways.WAYS:
        for outer, inner, hello in ((reject, ROOT, "0"), (ROOT, reject, "1"), (other, ROOT, "1"),
                                    (other, reject, "0")):
            words = ("sni=" + HOST, f"library={lab.build.directory}/libtrustgraft.so",
                     f"given={lab.policy(inner)}")
            seen, err = visit(lab, library, "api", outer, *words, way=way)
            require(seen[0]["hello"] == hello, f"{way}: {outer}, {inner}: {seen} {err}")


def nameless_session(lab, library):
    """A session tells nothing of a server that is met without a name: its address has a rule."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.pki.chain("api"), lab.pki.key("api"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.sni_callback = lambda *_: None  # so that the server confirms the name

    def serve(listener):
        for _ in range(2):
            connection, _ = listener.accept()
            connection.settimeout(60)
            with contextlib.suppress(OSError), connection:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(100)
                    secure.sendall(b"hello from api")

    for action, word in (("reject", "refused"), ("pass", "connected")):
        with in_thread(serve) as port:
            seen, err = visit(lab, library, port,
                              f"{ROOT}\n[host 127.0.0.1]\naction = {action}", "sni=" + HOST,
                              "resume", "sni-once", "unverified", "connections=2")
        require([one["word"] for one in seen[:2]] == ["connected", word],
                f"{action}: {seen} {err}")


UNCHANGED = (("api", ("ca={root}", *ASKED, "verify-cb=pass")), ("api", ASKED),
             ("api-other", ("ca={root}", *ASKED, "verify-cb=pass")),
             ("api-other", (*ASKED, "verify-cb=ok")), ("api", (*ASKED, "verify-cb=refuse")),
             ("api-other", (*ASKED, "unverified", "verify-cb=pass")), ("api", ("callback=ok",)),
             ("api", ("callback=refuse", "unverified")), ("expired", ("ca={root}", *ASKED)),
             ("api", ("ca={root}", "name=www.example.test")),
             ("api", ("ca={root}", "name=another.test", "other-name=" + HOST)),
             ("api", ("ca={root}", "name=" + HOST, "flags=4")), ("api/1.2", ("ca={root}", *ASKED)))


def unchanged(lab, library):
    """Without a policy, and for a host without a rule: as without the shim, to the letter."""
    for server, words in (*UNCHANGED, *(BORING_UNCHANGED if library == "boringssl" else ())):
        bare, _ = visit(lab, library, server, None, *words, way=ways.BARE)
        for policy in (None, "[host other.test]\nanchors = {root}"):
            seen, err = visit(lab, library, server, policy, *words)
            require(seen[:1] == bare[:1] and err == "",
                    f"{words}, {policy}: {seen} {err}, not {bare}")


def beside_an_openssl_3(lab, library):
    """A module has brought it; also where the process has another malloc than libc's."""
    for allocator in ("", *glob.glob("/usr/lib/*/libjemalloc.so.2")):
        extra = {"LD_PRELOAD": f"{allocator} {lab.build.preload} {lab.clients / 'module.so'}"}
        expect(lab, library, "api", ROOT, ASKED, extra, **ACCEPTED)
        expect(lab, library, "api-other", ROOT, (*ASKED, "unverified"), extra, **REFUSED)


def alert_of(lab, library, policy, *words):
    """What a server hears of a client that refuses it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.pki.chain("api-other"), lab.pki.key("api-other"))
    heard = []

    def serve(listener):
        plain_socket, _ = listener.accept()
        plain_socket.settimeout(60)
        with contextlib.suppress(OSError), plain_socket:
            try:
                context.wrap_socket(plain_socket, server_side=True).recv(1)
            except ssl.SSLError as error:
                heard.append(error.reason)

    with in_thread(serve) as port:
        visit(lab, library, port, policy, *words)
    return heard


def alerts(lab, library):
    heard = alert_of(lab, library, ROOT, *ASKED, "unverified")
    require(heard == ["TLSV1_ALERT_UNKNOWN_CA"], f"{heard}")
    if library == "boringssl":
        heard = alert_of(lab, library, ROOT, *ASKED, "custom=ok")
        require(heard == ["TLSV1_ALERT_UNKNOWN_CA"], f"custom_verify: {heard}")
        heard = alert_of(lab, library, "[host other.test]\nstrict = yes", *ASKED, "custom=invalid")
        require(heard == ["SSLV3_ALERT_BAD_CERTIFICATE"], f"its own: {heard}")


def growth(lab, library, way):
    """How many bytes malloc has given out for connections 61 to 180."""
    policy = "[host over.example.test]\nca-pin = {pin root}\nhostname = api.example.test"
    words = ("sni=over.example.test", "ca={root}", "verify-cb=pass")
    sizes = []
    for count in (60, 180):
        seen, err = visit(lab, library, "api/no-tickets", policy, *words, f"connections={count}",
                          way=way)
        require(all(one["word"] == "connected" for one in seen[:count]), f"{seen[0]} {err}")
        sizes.append(int(seen[-1]["bytes"]))
    return sizes[1] - sizes[0]


def steady(lab, library):
    """
    Many connections leave no more memory behind than without the shim: no 500 bytes each, which
    is far above what two processes differ in anyway.
    """
    bare, under = growth(lab, library, ways.BARE), growth(lab, library, ways.PRELOAD)
    require(under - bare < 60000, f"120 connections leave {under} bytes behind, bare {bare}")


def retry(lab, library):
    """SSL_set_retry_verify(3) beside a hostname override: the server is evaluated each time."""
    dialled = "over.example.test"
    words = (f"sni={dialled}", f"match={dialled}", "verify-cb=retry")
    policy = f"[host {dialled}]\nanchors = {{root}}\nhostname = "
    got = expect(lab, library, "api", policy + HOST, words, **ACCEPTED, match="yes")
    require(got["calls"].count("0:1:0") == 3, f"{got}")
    expect(lab, library, "api", policy + "www.example.test", words, **REFUSED, result="62")


BORING_UNCHANGED = (("api", ("custom=ok",)), ("api", ("custom=invalid",)), ("api", ("custom=retry",)),
                    ("api", ("custom=invalid", "unverified")), ("api", ("late=retry", "unverified")),
                    ("api", ("late=invalid",)), ("api", ("buffers", "custom=ok")))


def custom_verify(lab, library):
    """BoringSSL's own verification: not asked under a rule, the only one asked without."""
    other = "[host other.test]\nanchors = {root}"
    for kind in ("custom", "late"):
        for answer, word, asked in (("ok", "connected", "1"), ("invalid", "refused", "1"),
                                    ("retry", "connected", "3")):
            for more in ((), ("buffers",)):
                words = ("sni=" + HOST, f"{kind}={answer}", *more)
                expect(lab, library, "api", ROOT, words, **ACCEPTED, asked="0")
                expect(lab, library, "api-other", ROOT, words, **REFUSED, asked="0")
                expect(lab, library, "api-other", ROOT, (*words, "unverified"), **REFUSED)
                expect(lab, library, "api", other, words, word=word, asked=asked)
    words = ("sni=" + HOST, "custom=ok")
    expect(lab, library, "api", "[policy]\nunmatched = verify", (*words, "ca={root}"), **ACCEPTED)
    expect(lab, library, "api", "[policy]\nunmatched = verify", words, **REFUSED)
    distrust = "[distrust]\nspki = "
    expect(lab, library, "api", distrust + "{pin intermediate}", words, **REFUSED, asked="1")
    expect(lab, library, "api", distrust + "{pin other-intermediate}", words, **ACCEPTED)
    words = ("sni=" + HOST, "custom=retry")
    expect(lab, library, "api", distrust + "{pin intermediate}", words, **REFUSED, asked="1")
    expect(lab, library, "api", distrust + "{pin other-intermediate}", words, **ACCEPTED, asked="3")


def staples(lab, library):
    """An answer that the server staples is asked for, and read."""
    policy = "[host api.example.test]\nanchors = {root}\nrevocation = staple-required"
    for version in ("", "/1.2"):
        expect(lab, library, f"api=good{version}", policy, ASKED, **ACCEPTED)
        seen, err = visit(lab, library, f"api=api-revoked{version}", policy, *ASKED)
        require(seen[0]["hello"] == "0" and "revoked" in err, f"{version}: {seen} {err}")
        seen, err = visit(lab, library, f"api{version}", policy, *ASKED)
        require(seen[0]["hello"] == "0" and "revocation-unknown" in err, f"{seen} {err}")


def scenarios(lab, library):
    """Every scenario of the other programs, by this library."""
    wrong = []
    for one in SCENARIOS:
        words = [] if one.insecure else [f"{'address' if is_address(one.host) else 'name'}="
                                         f"{one.host}"]
        words += ["unverified"] if one.insecure else []
        words += [] if is_address(one.host) else [f"sni={one.host}"]
        words += [f"ca={lab.pki.pem(one.app)}"] if one.app else []
        seen, err = visit(lab, library, one.server, one.policy_file(lab), *words,
                          f"host={one.address}")
        verdict = "accept" if seen[0]["hello"] == "1" else "refuse"
        if verdict != one.under or one.finding not in err:
            wrong.append(f"{one.title}: {seen[0]} {err}")
    require(not wrong, f"{len(wrong)} of {len(SCENARIOS)}:\n" + "\n".join(wrong))


def is_address(host):
    return ":" in host or host.replace(".", "").isdigit()


def without_an_openssl_3(lab, library):
    """The engine is linked to OpenSSL 3: where a machine has none, OpenSSL 4 doesn't begin, and says why."""
    found = re.search(r"=> (\S*libcrypto\.so\.3)", subprocess.run(["ldd", "/usr/bin/openssl"], stdout=subprocess.PIPE,
                                                                   text=True, check=True).stdout)[1]
    for hidden, word in (("/dev/zero", "connected"), (found, "no")):
        by = ("unshare", "-m", "sh", "-c", f'mount --bind /dev/null {hidden} && exec "$@"', "sh")
        status, _, told = lab.run([*by, "true"])
        if status != 0:
            raise Skip(f"no mount namespace here: {told[-120:]}")
        for more in ((), ("unverified",)):
            seen, err = visit(lab, library, "api", ROOT, *ASKED, "ca={root}", *more, by=by)
            require(seen[0]["word"] == word and ("trustgraft.so" in err) == (word == "no"), f"{seen}: {err}")


TESTS = (plain, errors, callbacks, nested, own_verification, override, application_anchors,
         wanted, reference_name, system_anchors, report_only, sessions, let_in,
         nameless_session, unchanged, alerts, staples, steady,
         scenarios)

BY_PROVIDER = (plain, callbacks, override, application_anchors, wanted, reference_name,
               system_anchors, report_only, sessions, let_in, unchanged, alerts, staples, scenarios)


def tests():
    def made(test, library):
        def check(lab):
            if library in LACKING:
                raise Skip(LACKING[library])
            test(lab, library)
        way = ", provider" if isinstance(library, ByProvider) else ""
        return f"{test.__name__.replace('_', ' ')} [{library}{way}]", check

    for library in LIBRARIES:
        for test in TESTS:
            if test is not errors or library not in STATIC:  # which ask themselves what errors say
                yield made(test, library)
    for test in BY_PROVIDER:
        yield made(test, ByProvider("openssl-4"))
    for test in (plain, wanted, sessions, unchanged, scenarios):
        yield made(test, ByProvider("openssl-copy"))
        yield made(test, ByProvider("static-3"))
    yield from (made(retry, library) for library in ("openssl-3", "openssl-copy", "static-3"))
    yield from (made(beside_an_openssl_3, library)
               for library in ("openssl-1.1", "openssl-4", "boringssl"))
    yield made(several, "openssl-4")
    yield made(without_an_openssl_3, ByProvider("openssl-4"))
    yield from embedded.tests(LACKING, visit)
    yield made(ovn_nbctl, "openssl-4")
    yield made(custom_verify, "boringssl")
    yield made(poisoned, "boringssl")
    yield made(given_staples, "openssl-3")
    yield made(given_sessions, "openssl-3")
    yield made(given_twice, "openssl-3")
    yield made(given_under, "openssl-3")


def start(lab):
    lab.clients = lab.build.directory / "tests" / "foreign"
    compile_clients(lab.clients)
    lab.servers.python([*SERVERS, *(one.server for one in SCENARIOS)])
    lab.servers.stapling(f"api={answer}{version}" for answer in ("good", "api-revoked")
                         for version in ("", "/1.2"))
    for group in (keys, floors, naming):
        group.start(lab)


if __name__ == "__main__":
    sys.exit(suite(__doc__, tests(), start))
