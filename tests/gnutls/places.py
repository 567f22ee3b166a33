"""places.py - where a libgnutls may be: in a plugin, beside an OpenSSL, nowhere; and an old one."""
import pathlib
import subprocess
import sys
import tempfile

from e2e.harness import Skip, require
from gnutls.cases import (ACCEPT, API, CASES, DONE, ELSEWHERE, NOWHERE, OTHER, REFUSED, REJECT,
                          check)
from lab import ways
from lab.files import put

FETCH = pathlib.Path(__file__).resolve().parent.parent / "compat/fetch.py"
# MODULE PKI PORT WORD...: by GnuTLS, by an OpenSSL 3 that comes then, by GnuTLS again; and what of
# ours is there in the end.
LATER = """
import ctypes, sys
module, words = ctypes.CDLL(sys.argv[1]), [b"", *(sys.argv[i].encode() for i in (2, *range(4, len(sys.argv))))]
def shake():
    module.client(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None))
    ctypes.CDLL(None).fflush(None)
shake()
import socket, ssl
context = ssl.create_default_context(cafile=sys.argv[2] + "/root.pem")
try:
    plain = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
    with context.wrap_socket(plain, server_hostname="api.example.test"):
        print("ssl done", flush=True)
except ssl.SSLError:
    print("ssl refused", flush=True)
shake()
names = {line.split("/")[-1].strip() for line in open("/proc/self/maps") if ".so" in line}
print(*sorted(name for name in names if name.startswith("libtrustgraft")))
"""
HANDS = "peers 2 chain {} name {} dates good data hello"


def call(lab, policy, *command):
    """What it printed, and what was logged."""
    under = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy)) if policy else {}
    status, out, err = lab.run([str(word) for word in command], environment=under)
    require(status == 0, f"status {status}: {out}{err}")
    return " ".join(out.split()), err


def client(lab, policy, words, program="client"):
    return call(lab, policy, lab.gnutls[program], lab.pki.directory, *words.split())


def test_plugin(lab):
    for policy, wanted in ((None, DONE), (ELSEWHERE, DONE), (ACCEPT, DONE), (OTHER, REFUSED), (REJECT, REFUSED)):
        got, _ = call(lab, policy, lab.gnutls["host"], lab.gnutls["client.so"], lab.pki.directory, f"sni={API}")
        require(got == wanted, f"{policy}: wanted {wanted}, got {got}")


def test_beside_openssl(lab):
    for policy, wanted in ((None, DONE), (ELSEWHERE, DONE), (ACCEPT, DONE), (OTHER, REFUSED), (REJECT, REFUSED)):
        got, _ = client(lab, policy, f"sni={API}", "client-openssl")
        require(got == wanted, f"{policy}: wanted {wanted}, got {got}")


def test_before_an_openssl(lab):
    """One engine decides of both, whichever way the second is reached."""
    inside = "libtrustgraft-inside.so.0"
    if not (lab.build.directory / inside).exists():
        raise Skip("there was no libcrypto.a")
    for way, more in ((ways.PRELOAD, ""), (ways.PROVIDER, " libtrustgraft.so")):
        for policy, wanted, other in ((ELSEWHERE, DONE, "ssl done"), (ACCEPT, DONE, "ssl done"),
                                      (OTHER, REFUSED, "ssl refused"), (REJECT, REFUSED, "ssl refused")):
            under = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy)) | \
                ways.by_environment(lab.build, way)
            status, out, err = lab.run([sys.executable, "-c", LATER, str(lab.gnutls["client.so"]),
                                        str(lab.pki.directory), str(lab.servers.ports["api"]), f"sni={API}", "stay"],
                                       environment=under)
            got = " ".join(out.split())
            require(status == 0 and got == f"{wanted} {other} {wanted} {inside} libtrustgraft-preload.so{more}",
                    f"{way}, {policy}: {got}{err}")


def test_no_gnutls_at_all(lab):
    """The names are there, and what they say is that the feature isn't."""
    got, _ = call(lab, None, lab.gnutls["host"], "-")
    require(got == "weak no, found no, global no", got)
    for policy in (ACCEPT, ELSEWHERE):
        got, err = call(lab, policy, lab.gnutls["host"], "-")
        require(got == "weak yes, found yes, global no, calls -1250 -1250, session none" and not err, got + err)


def test_older_than_can_be_hooked(lab):
    """It makes no client session under a policy, and says which function it lacks."""
    got, err = call(lab, ACCEPT, lab.gnutls["old"], 2)
    require(got == "init -1250" and "GnuTLS has no gnutls_" in err and "not used" in err, got + err)
    got, err = call(lab, ACCEPT, lab.gnutls["old"], 1)
    require(got == "init 0 handshake -348" and "made unseen" in err, got + err)
    got, err = call(lab, None, lab.gnutls["old"], 2)
    require(got == "init 0 handshake 0" and not err, got + err)


def test_session_that_was_made_unseen(lab):
    require(client(lab, None, f"sni={API} unseen")[0] == DONE, "bare")
    got, err = client(lab, ELSEWHERE, f"sni={API} unseen second={NOWHERE}")
    require(got == f"{REFUSED} {REFUSED}" and "made unseen" in err, got + err)


def test_one_host_opens_no_other_hosts_door(lab):
    """The same leaf, verified by hand for a host with a rule and for one without."""
    left, good = HANDS.format("bad", "good"), HANDS.format("good", "good")
    words = f"crt={API} sni={API} second={NOWHERE}"
    require(client(lab, None, words)[0] == f"handshake done {left} handshake done {left}", "bare")
    got, _ = client(lab, ACCEPT, words)
    require(got == f"handshake done {good} handshake done {left}", got)
    got, _ = client(lab, ACCEPT, f"crt={API} sni={API} second={API}")
    require(got == f"handshake done {good} handshake done {good}", got)
    got, _ = client(lab, ACCEPT, f"crt={API} sni={NOWHERE} second={API}")
    require(got == f"handshake done {left} handshake done {left}", got)


def test_every_case_with_debian_11s(lab):
    """GnuTLS 3.7.1, which has no KTLS."""
    folder = lab.gnutls.folder / "bullseye"
    fetched = subprocess.run([sys.executable, FETCH, "libgnutls30", "bullseye", folder], check=False,
                             capture_output=True)
    if fetched.returncode != 0:
        raise Skip("the GnuTLS of Debian 11 can't be fetched")
    path = str(next(folder.rglob("libgnutls.so.30")).parent)
    for words, bare, under in CASES:
        for policy, wanted in ((None, bare), *under.items()):
            check(words, policy, wanted, LD_LIBRARY_PATH=path)(lab)


def test_policy_that_is_changed(lab):
    """A running process meets the new one, in its next handshake."""
    for before, after, wanted in ((ACCEPT, REJECT, f"{DONE} {REFUSED}"), (REJECT, ACCEPT, f"{REFUSED} {DONE}"),
                                  (ELSEWHERE, REJECT, f"{DONE} {REFUSED}")):
        folder = pathlib.Path(tempfile.mkdtemp(dir=lab.scratch))
        for name, text in (("policy", before), ("next", after)):
            put(folder / name, lab.policy(text).read_bytes())
        under = ways.by_environment(lab.build, ways.PRELOAD, folder / "policy")
        status, out, err = lab.run([lab.gnutls["client"], str(lab.pki.directory), f"sni={API}",
                                    f"swap={folder}/next,{folder}/policy"], environment=under)
        require(status == 0 and " ".join(out.split()) == wanted, f"wanted {wanted}, got {status}: {out}{err}")


def test_refusal_is_logged_once(lab):
    for words in (f"sni={API}", f"sni={API} verify={API}", f"sni={NOWHERE} twice={API}"):
        _, err = client(lab, OTHER, words)
        lines = [line for line in err.splitlines() if line.startswith("trustgraft: client[")]
        require(len(lines) == 1 and f"reject {API}:" in lines[0] and "missing-issuer" in lines[0], err)


def tests():
    for name, function in sorted(globals().items()):
        if name.startswith("test_"):
            yield name[5:].replace("_", " "), function
