"""places.py - where an NSS may be: in a plugin, beside an OpenSSL, nowhere; and an old one."""
import pathlib
import subprocess
import sys
import tempfile

from e2e.harness import Skip, require
from lab import ways
from lab.files import put
from nss.cases import (ACCEPT, API, ELSEWHERE, NOWHERE, OTHER, REFUSED, REJECT, SENT, call, client,
                       hands)

FETCH = pathlib.Path(__file__).resolve().parent.parent / "compat/fetch.py"
UNDER = ((None, SENT), (ELSEWHERE, SENT), (ACCEPT, SENT), (OTHER, REFUSED), (REJECT, REFUSED))


def test_plugin(lab):
    for policy, wanted in UNDER:
        got, err = call(lab, policy, lab.nss["host"], lab.nss["client.so"], lab.pki.directory,
                        lab.servers.ports["api"], f"url={API}", "trust=root")
        require(got == wanted, f"{policy}: wanted {wanted}, got {got}: {err}")


def test_beside_openssl(lab):
    for policy, wanted in UNDER:
        got, err = client(lab, policy, "api", f"url={API} trust=root", "client-openssl")
        require(got == wanted, f"{policy}: wanted {wanted}, got {got}: {err}")


def test_those_of_other_debians(lab):
    """NSS 3.61 and 3.110."""
    for release in ("bullseye", "trixie"):
        folder = lab.nss.folder / release
        fetched = subprocess.run([sys.executable, FETCH, "libnss3", release, folder], check=False,
                                 capture_output=True)
        if fetched.returncode != 0:
            raise Skip(f"the NSS of Debian's {release} can't be fetched")
        path = {"LD_LIBRARY_PATH": str(next(folder.rglob("libssl3.so")).parent)}
        for policy, wanted in UNDER:
            under = ways.by_environment(lab.build, ways.PRELOAD, lab.policy(policy)) if policy else {}
            status, out, err = lab.run(
                [lab.nss["client"], str(lab.pki.directory), str(lab.servers.ports["api"]), f"url={API}", "hook=yes",
                 "force", "second=" + API], environment=under | path)
            got = " ".join(out.split())
            shaken = "done" if wanted == SENT else "refused"
            require(status == 0 and got.startswith(f"handshake {shaken} {wanted} handshake {shaken} {wanted}"),
                    f"{release}, {policy}: {got}: {err}")


def test_no_nss_at_all(lab):
    """The names are there, and what they do is fail."""
    got, _ = call(lab, None, lab.nss["host"], "-")
    require(got == "weak no, found no, init no", got)
    for policy in (ACCEPT, ELSEWHERE):
        got, err = call(lab, policy, lab.nss["host"], "-")
        require(got == "weak yes, found yes, init no, calls 0 -1" and not err, got + err)


def test_one_that_lacks_functions(lab):
    """It makes no socket under a policy, and says which function it lacks."""
    got, err = call(lab, ACCEPT, lab.nss["old"])
    require(got == "import refused" and "NSS has no DTLS_ImportFD" in err and "not used" in err, got + err)
    got, err = call(lab, None, lab.nss["old"])
    require(got == "import done" and not err, got + err)


def test_socket_that_was_made_unseen(lab):
    words = f"url={API} trust=root unseen force"
    require(client(lab, None, "api", words)[0] == f"handshake done {SENT}", "bare")
    got, err = client(lab, ELSEWHERE, "api", words)
    require(got.startswith("handshake refused") and "made unseen" in err, got + err)


def test_one_host_opens_no_other_hosts_door(lab):
    """The same leaf, verified by hand for a host with a rule and for one without."""
    left, good = hands("bad", "good"), hands("good", "good")
    words = f"hook=yes force hand={API}"
    tail = f"{SENT} called"
    for policy, first, second, wanted in (
            (None, API, NOWHERE, (left, left)), (ACCEPT, API, NOWHERE, (good, left)),
            (ACCEPT, API, API, (good, good)), (ACCEPT, NOWHERE, API, (left, left))):
        got, err = client(lab, policy, "api", f"{words} url={first} second={second}")
        require(got == f"handshake done {wanted[0]} {SENT} handshake done {wanted[1]} {tail} 2",
                f"{policy}, {first}, {second}: {got}: {err}")


def test_policy_that_is_changed(lab):
    """A session that was begun under another policy is judged under this one."""
    for before, after in ((ACCEPT, REJECT), (ELSEWHERE, OTHER)):
        for words in ("", "max=0303", "memory", "nonblocking", "done force"):
            folder = pathlib.Path(tempfile.mkdtemp(dir=lab.scratch))
            for name, text in (("policy", before), ("next", after)):
                put(folder / name, lab.policy(text).read_bytes())
            status, out, err = lab.run(
                [lab.nss["client"], str(lab.pki.directory), str(lab.servers.ports["api"]), f"url={API}", "trust=root",
                 *words.split(), f"swap={folder}/next,{folder}/policy"],
                environment=ways.by_environment(lab.build, ways.PRELOAD, folder / "policy"))
            require(status == 0 and f"{REFUSED} resumed 1 early 0" in " ".join(out.split()), f"{words}: {out}{err}")


def test_refusal_is_logged_once(lab):
    for words in (f"url={API}", f"url={API} bad=yes", f"url={API} hook=yes force after={NOWHERE}"):
        _, err = client(lab, OTHER, "api", words)
        lines = [line for line in err.splitlines() if line.startswith("trustgraft: client[")]
        require(len(lines) == 1 and f"reject {API}:" in lines[0] and "missing-issuer" in lines[0], err)


def tests():
    for name, function in sorted(globals().items()):
        if name.startswith("test_"):
            yield name[5:].replace("_", " "), function
