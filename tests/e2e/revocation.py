"""revocation.py - CRLs and stapled OCSP answers: real lists, real answers, real servers."""
import re
import subprocess

from e2e.harness import Skip, require
from e2e.keys import scenario_tests
from e2e.naming import GET, in_both_ways
from lab import clients, ways
from lab.scenario import ACCEPT, REFUSE, Scenario

RULE = "anchors = {root}\n"
HOST = "[host api.example.test]\n" + RULE
MANY = 5000  # files of a directory of CRLs


def listed(title, server, keys, under, finding=""):
    return Scenario(f"CRL: {title}", server, RULE + keys, ACCEPT, under, finding)


SCENARIOS = (
    listed("crl, not on the list", "api", "revocation = crl\ncrl = {crl intermediate}", ACCEPT),
    listed("crl, on the list", "revoked", "revocation = crl\ncrl = {crl intermediate}", REFUSE,
           "revoked"),
    listed("crl, of DER", "revoked", "revocation = crl\ncrl = {scratch}/intermediate.der", REFUSE,
           "revoked"),
    listed("crl, no list of this issuer", "api", "revocation = crl\ncrl = {crl root}", REFUSE,
           "revocation-unknown"),
    listed("crl, no list at all", "api", "revocation = crl", REFUSE, "revocation-unknown"),
    listed("crl, a stale list", "api", "revocation = crl\ncrl = {crl expired}", REFUSE,
           "revocation-unknown"),
    listed("crl, a list signed by another key", "api", "revocation = crl\ncrl = {crl wrong-key}",
           REFUSE, "revocation-unknown"),
    listed("crl, on a delta", "revoked", "revocation = crl\ncrl = {crl base}, {crl delta}", REFUSE,
           "revoked"),
    listed("crl, a directory", "api", "revocation = crl\ncrl = {scratch}/crl.d", ACCEPT),
    listed("crl, a directory that has it", "revoked", "revocation = crl\ncrl = {scratch}/crl.d",
           REFUSE, "revoked"),
    listed(f"crl, among {MANY}", "api", "revocation = crl\ncrl = {scratch}/many.d", ACCEPT),
    listed(f"crl, among {MANY}, that has it", "revoked",
           "revocation = crl\ncrl = {scratch}/many.d", REFUSE, "revoked"),
    listed("crl-chain, a directory", "api", "revocation = crl-chain\ncrl = {scratch}/crl.d",
           ACCEPT),
    listed("crl-chain, the intermediate is on it", "under-revoked",
           "revocation = crl-chain\ncrl = {scratch}/crl.d", REFUSE, "revoked"),
    listed("crl-chain, the root's list is missing", "api",
           "revocation = crl-chain\ncrl = {crl intermediate}", REFUSE, "revocation-unknown"),
)
SERVERS = tuple(scenario.server for scenario in SCENARIOS)

# The leaf and the answer that its server staples; what `staple` makes of it.
ANSWERS = {
    "api=good": "", "api=good-sha256": "", "api=delegated": "",
    "revoked=revoked": "revoked", "api=delegated-revoked": "revoked",
    "api=unknown": "revocation-unknown", "api=expired": "revocation-unknown",
    "api=future": "revocation-unknown", "api=no-end": "revocation-unknown",
    "api=for-another": "revocation-unknown", "api=wrong-key": "revocation-unknown",
    "api=without-usage": "revocation-unknown", "api=of-other": "revocation-unknown",
    "api=truncated": "revocation-unknown", "api=one-byte": "revocation-unknown",
    "api=trailing": "revocation-unknown", "api=try-later": "revocation-unknown",
}
# The answers are the engine's to judge: what is new in another way in is that they get there.
SOME = [(answer, ANSWERS[answer]) for answer in ("api=good", "revoked=revoked", "api=truncated")]
NONE = "api="
VERSIONS = {"TLS 1.3": "", "TLS 1.2": "/1.2"}
# What `openssl ocsp` says of a leaf by its index file: the status there, or no line at all.
INDEX = {"good": ("api", "V"), "revoked": ("api", "R"), "unknown": ("api", None),
         "wrong-key": ("api", "V"), "delegated": ("api", "V")}
SIGNERS = {"wrong-key": "stranger-root", "delegated": "responder"}
MADE = {"good": "", "delegated": "", "revoked": "revoked", "unknown": "revocation-unknown",
        "wrong-key": "revocation-unknown"}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_answer(lab, name):
    """What `openssl ocsp` as a responder over files says; the path of the answer."""
    leaf, status = INDEX[name]
    base = lab.scratch / "ocsp" / name
    base.parent.mkdir(exist_ok=True)
    number = subprocess.run(["openssl", "x509", "-in", lab.pki.pem(leaf), "-noout", "-serial"],
                            check=True, stdout=subprocess.PIPE, text=True).stdout[7:].strip()
    gone = "260101000000Z" if status == "R" else ""
    base.with_suffix(".index").write_text(
        f"{status}\t400101000000Z\t{gone}\t{number}\tunknown\t/CN=x\n" if status else "")
    issuer = lab.pki.pem("intermediate")
    signer = SIGNERS.get(name, "intermediate")
    openssl("ocsp", "-issuer", issuer, "-cert", lab.pki.pem(leaf), "-no_nonce", "-reqout",
            f"{base}.request")
    openssl("ocsp", "-index", f"{base}.index", "-CA", issuer, "-rsigner", lab.pki.pem(signer),
            "-rkey", lab.pki.key(signer), "-reqin", f"{base}.request", "-respout",
            f"{base}.answer", "-ndays", 2)
    return f"{base}.answer"


def make_many(lab, folder):
    """The list of `intermediate` among thousands of others: the same bytes under other names."""
    folder.mkdir(mode=0o755)
    whole = (lab.scratch / "intermediate.der").read_bytes()
    issuer = b"Test Intermediate"
    require(whole.count(issuer) == 1, "no such issuer in the CRL")
    for number in range(MANY):
        other = whole if number == MANY // 2 else whole.replace(issuer, b"Test %012d" % number)
        path = folder / f"{number}.der"
        path.write_bytes(other)
        path.chmod(0o644)


def start(lab):
    """CRLs as files of other forms, and the servers that staple."""
    folder = lab.scratch / "crl.d"
    folder.mkdir(mode=0o755)
    for name in ("intermediate", "root", "revoked-intermediate"):
        (folder / f"{name}.pem").write_bytes(lab.pki.crl(name).read_bytes())
    (lab.scratch / "intermediate.der").write_bytes(
        lab.pki.crl("intermediate").with_suffix(".crl.der").read_bytes())
    for path in (*folder.iterdir(), lab.scratch / "intermediate.der"):
        path.chmod(0o644)
    make_many(lab, lab.scratch / "many.d")
    lab.servers.stapling(answer + version for answer in (*ANSWERS, NONE)
                         for version in VERSIONS.values())
    for name in INDEX:
        answer = make_answer(lab, name)
        lab.servers.openssl(f"s_server-{name}", "-status_file", answer, leaf="api")
        if name in ("good", "revoked"):
            lab.servers.nginx(f"nginx-{name}", "api",
                              f"ssl_stapling on; ssl_stapling_file {answer};")
    lab.servers.openssl("s_server-expired", "-status_file", lab.pki.staple("expired"), leaf="api")


def check(lab, program, way, server, revocation, finding, insecure=False):
    """
    PROGRAM accepts SERVER where FINDING is empty, and else refuses it for that. In TLS 1.2 the
    answer comes behind the verify callback: the handshake is over when it is refused, and a
    program that asks for no verification sees a connection that is shut.
    """
    policy = lab.policy(HOST + f"revocation = {revocation}\n")
    got = lab.get(program, way, lab.target(server, app="root", insecure=insecure), policy)
    told = f"{program}, {server}, insecure {insecure}: {got.said}"
    if finding and server.endswith("/1.2"):
        require(got.verdict != ACCEPT and got.status > 0 and "hello" not in got.stdout, told)
    else:
        require(got.verdict == (REFUSE if finding else ACCEPT), told)
    require(len(got.log) == bool(finding), f"{len(got.log)} log lines: {told}")
    require(not finding or f" {finding}: " in got.log[0], f"no {finding}: {told}")


def answer_test(answer, finding, way):
    def test(lab):
        check(lab, "curl", way, answer, "staple", finding)
        check(lab, "curl", way, answer + "/1.2", "staple", finding, insecure=True)
        check(lab, "curl", way, answer + "/1.2", "staple-required", finding)
    return test


def programs_test(version, way):
    """Every program: accept beside refuse, and the two ways to have no answer."""
    def test(lab):
        for name, program in clients.PROGRAMS.items():
            if not ways.reaches(lab.build, way, program.executable):
                continue
            for answer, revocation, finding in (
                    ("api=good", "staple-required", ""), ("revoked=revoked", "staple", "revoked"),
                    (NONE, "staple", ""), (NONE, "staple-required", "revocation-unknown"),
                    ("api=expired", "staple-required", "revocation-unknown"),
                    ("revoked=revoked", "none", "")):
                check(lab, name, way, answer + VERSIONS[version], revocation, finding, bool(finding))
    return test


def made_test(server, finding, way):
    """An answer of `openssl ocsp` from a real server, in both versions of TLS."""
    def test(lab):
        if server not in lab.servers.ports:
            raise Skip("there is no nginx on this machine")
        policy = lab.policy(HOST + "revocation = staple-required\n")
        program = clients.PROGRAMS["curl"]
        for version in ("1.2", "1.3"):
            command = [*program.command(lab.target(server)), "--tls-max", version]
            got = lab.judge(program, *lab.run(ways.by_command(lab.build, way, command, policy)))
            require(got.verdict == (REFUSE if finding else ACCEPT), f"TLS {version}: {got.said}")
            require(not finding or finding in got.stderr, got.said)
    return test


def application_asks(lab, way):
    """Who asked for the answer itself still gets it, whatever the rule wants."""
    for revocation in ("none", "staple", "staple-required"):
        policy = lab.policy(HOST + f"revocation = {revocation}\n")
        for version in VERSIONS.values():
            end = f"127.0.0.1:{lab.servers.ports['api=good' + version]}"
            command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test",
                       "-status"]
            _, out, err = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
            require("OCSP Response Status: successful" in out and "Cert Status: good" in out,
                    f"{revocation}: {out[-500:]}{err}")


def curl_asks(lab, way):
    """`curl --cert-status` checks the answer itself, before and beside the policy."""
    program = clients.PROGRAMS["curl"]
    for server, status in (("api=good", 0), (NONE, 91), ("api=expired", 91)):
        for revocation in ("none", "staple"):
            policy = lab.policy(HOST + f"revocation = {revocation}\n")
            command = [*program.command(lab.target(server, app="root")), "--cert-status"]
            got = lab.run(ways.by_command(lab.build, way, command, policy))
            wanted = 60 if revocation == "staple" and server == "api=expired" else status
            require(got[0] == wanted, f"{server}, {revocation}: {got}")


def application_does_not_ask(lab, way):
    """Nobody asks for it: a rule without `staple` doesn't change the ClientHello."""
    for revocation, asked in (("none", False), ("staple", True)):
        policy = lab.policy(HOST + f"revocation = {revocation}\n")
        end = f"127.0.0.1:{lab.servers.ports['api=good']}"
        command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test",
                   "-tlsextdebug", "-trace"]
        _, out, err = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
        hello = out.partition("ServerHello")[0]
        require(("status_request" in hello) == asked, f"{revocation}: {hello[-1500:]}{err}")


def no_data_before_verdict(lab, way):
    """In TLS 1.2 the answer comes behind the verify callback: nothing is sent all the same."""
    policy = lab.policy(HOST + "revocation = staple-required\n")
    for server in ("revoked=revoked/1.2", "api=/1.2"):
        end = f"127.0.0.1:{lab.servers.ports[server]}"
        command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test",
                   "-ign_eof"]
        status, out, err = lab.run(ways.by_command(lab.build, way, command, policy), GET)
        require("hello from" not in out and status in (0, 1), out[-300:] + err)
        require(re.search(r"reject .*(revoked|revocation-unknown)", err), err)


def tests():
    yield from scenario_tests(SCENARIOS)
    for way in ways.WAYS:
        for answer, finding in ANSWERS.items() if way == ways.PRELOAD else SOME:
            yield f"staple: {answer} [curl, {way}]", answer_test(answer, finding, way)
        for version in VERSIONS:
            yield f"staple: every program, {version} [{way}]", programs_test(version, way)
        for name, finding in (*MADE.items(), ("expired", "revocation-unknown")):
            yield (f"staple: openssl s_server, {name} [curl, {way}]",
                   made_test(f"s_server-{name}", finding, way))
        for name in ("good", "revoked"):
            yield (f"staple: nginx, {name} [curl, {way}]",
                   made_test(f"nginx-{name}", MADE[name], way))
    yield from in_both_ways("staple: the application that asked gets it", application_asks)
    yield from in_both_ways("staple: curl --cert-status", curl_asks)
    yield from in_both_ways("staple: only a rule that wants it asks", application_does_not_ask)
    yield from in_both_ways("staple: nothing is sent before the verdict", no_data_before_verdict)
