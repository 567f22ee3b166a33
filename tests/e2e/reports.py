"""reports.py - what a refusal says: exit codes, error codes, OpenSSL's error queue, the log."""
import json
import re

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways

SERVERS = ("api", "expired", "all-wrong", "spoofing-subject", "spoofing-san", "partner", "device")
HOST = "[host api.example.test]\n"


def start(_):
    """Nothing but the leaves' servers is needed."""


def curl_exits_60(lab, way):
    """CURLE_PEER_FAILED_VERIFICATION, with -k too."""
    policy = lab.policy(HOST + "anchors = {root}")
    for insecure in (False, True):
        target = lab.target("expired", app="root", insecure=insecure)
        got = lab.get("curl", way, target, policy)
        require(got.status == 60, f"-k is {insecure}: {got.said}")
        require("certificate" in got.stderr, got.said)


def python_raises(lab, way):
    policy = lab.policy(HOST + "anchors = {root}")
    for insecure in (False, True):
        got = lab.get("python3", way, lab.target("expired", insecure=insecure), policy)
        require(got.stdout.startswith("SSLCertVerificationError 10 "), got.said)


def node_rejects(lab, way):
    if not ways.reaches(lab.build, way, clients.PROGRAMS["node"].executable):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    policy = lab.policy(HOST + "anchors = {root}")
    for insecure in (False, True):
        got = lab.get("node", way, lab.target("expired", insecure=insecure), policy)
        require(clients.NODE_REFUSAL.match(got.stdout), got.said)


def s_client_shows_code(lab, way):
    """The X.509 code, the alert, and the chain as after libssl's own verification."""
    policy = lab.policy(HOST + "anchors = {root}")
    end = f"127.0.0.1:{lab.servers.ports['expired']}"
    command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test"]
    _, out, err = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
    require("Verify return code: 10 (certificate has expired" in out, out[-800:])
    require("certificate verify failed" in err, err)


def alert_matches(lab, way):
    """RFC 8446 section 6.2: the alert that fits the reason goes to the server."""
    for server, alert in (("expired", "certificate_expired"), ("all-wrong", None)):
        end = f"127.0.0.1:{lab.servers.ports[server]}"
        command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test",
                   "-msg"]
        policy = lab.policy(HOST + "anchors = {root}")
        _, out, _ = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
        sent = re.findall(r">>> .*Alert.*, (?:fatal|warning) (\S+)", out)
        require(sent and (alert is None or sent[0] == alert), f"{server}: alerts {sent}")


def callbacks_on_acceptance(lab, way):
    """The application's verify callback is called along the accepted path, root first."""
    policy = lab.policy(HOST + "anchors = {root}")
    end = f"127.0.0.1:{lab.servers.ports['api']}"
    command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test"]
    _, out, err = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
    require(re.findall(r"depth=(\d)", err) == ["2", "1", "0"], err)
    require("verify error" not in err and "Verify return code: 0 (ok)" in out, err + out[-400:])


VERIFIED = """
import socket, ssl, sys
context = ssl.create_default_context()
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as plain:
    with context.wrap_socket(plain, server_hostname="api.example.test") as secured:
        print(*(one.get_info()["subject"][0][0][1]
                for one in secured._sslobj.get_verified_chain()), sep="|")
"""


def verified_chain(lab, way):
    policy = lab.policy(HOST + "anchors = {root}")
    command = [clients.PYTHON, "-c", VERIFIED, str(lab.servers.ports["api"])]
    status, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
    if "get_verified_chain" in err:
        raise Skip("this Python does not show the verified chain")
    require(status == 0 and out.strip() == "api.example.test|Test Intermediate|"
            "Trustgraft Test Root", out + err)


QUEUE = """
import socket, ssl, sys
context = ssl.create_default_context()
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as plain:
        context.wrap_socket(plain, server_hostname="api.example.test")
except ssl.SSLCertVerificationError as error:
    print(error.reason, error.verify_message)
"""


def reason_for_python(lab, way):
    policy = lab.policy(HOST + "anchors = {root}")
    command = [clients.PYTHON, "-c", QUEUE, str(lab.servers.ports["expired"])]
    _, out, err = lab.run(ways.by_command(lab.build, way, command, policy))
    require(out.startswith("CERTIFICATE_VERIFY_FAILED certificate has expired"), out + err)


def reason_on_the_queue(lab, way):
    """s_client prints the whole queue: our words and libssl's are both there."""
    policy = lab.policy(HOST + "anchors = {root}")
    end = f"127.0.0.1:{lab.servers.ports['expired']}"
    command = ["openssl", "s_client", "-connect", end, "-servername", "api.example.test"]
    _, _, err = lab.run(ways.by_command(lab.build, way, command, policy), b"Q\n")
    queue = [line for line in err.splitlines() if ":error:" in line]
    require(any("certificate verify failed" in line for line in queue), err)
    require(any("certificate-expired" in line for line in queue), err)


def log_line(lab, way):
    """Program, host, rule with FILE:LINE and each finding, on one line."""
    policy = lab.policy("# a comment, so that the rule stands in line 2\n" + HOST +
                        "anchors = {root}")
    target = lab.target("all-wrong")
    # curl hides its socket from libssl, so that the port may stay unknown; openssl does not.
    for program, port in (("curl", ""), ("openssl", f":{target.port}")):
        got = lab.get(program, way, target, policy)
        require(len(got.log) == 1, f"{len(got.log)} lines: {got.stderr}")
        for part in (rf"\b{program}\[\d+\]", r"\breject\b", rf"\bapi\.example\.test{port}\b",
                     rf"{re.escape(str(policy))}:2\b", "certificate-expired", "name-mismatch",
                     "wrong-purpose", "www.partner.test"):
            require(re.search(part, got.log[0]), f"no {part} in {got.log[0]}")


def log_level(lab, way):
    """Only refusals are logged until more is asked for."""
    got = lab.get("curl", way, lab.target("api"), lab.policy(HOST + "anchors = {root}"))
    require(got.verdict == "accept" and not got.stderr, got.said)


def log_none(lab, way):
    policy = lab.policy("[policy]\nlog = none\n" + HOST + "anchors = {root}")
    got = lab.get("curl", way, lab.target("expired"), policy)
    require(got.verdict == "refuse" and not got.log, got.said)


def no_injection(lab, way):
    """What a certificate says can't forge a line or reach the terminal."""
    policy = lab.policy(HOST + "anchors = {root}")
    for server in ("spoofing-subject", "spoofing-san"):
        got = lab.get("curl", way, lab.target(server), policy)
        require(got.verdict == "refuse" and len(got.log) == 1, f"{server}: {got.said}")
        require(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", got.stderr), repr(got.stderr))
        told = [line for line in got.stderr.splitlines() if line.startswith("curl: (60) ")]
        require(len(told) == 1 and "accept api" not in "".join(
            line for line in got.stderr.splitlines() if line not in (*got.log, *told)), got.stderr)


def report_says_both(lab, way):
    """Report-only: the log has the refusal, the application its own outcome."""
    policy = lab.policy(HOST + "mode = report\nanchors = {other-root}")
    got = lab.get("curl", way, lab.target("api", app="root"), policy)
    require(got.verdict == "accept" and len(got.log) == 1, got.said)
    require("missing-issuer" in got.log[0] and "report" in got.log[0], got.log[0])


def nothing_on_stdout(lab, way):
    policy = lab.policy(HOST + "anchors = {root}")
    bare = lab.get("curl", ways.BARE, lab.target("api", app="root"))
    got = lab.get("curl", way, lab.target("api"), policy)
    require(got.stdout == bare.stdout, repr(got.stdout))


def verify_agrees(lab, _):
    """`trustgraft verify --json` gives the verdict that curl gets, with the same findings."""
    policy = lab.policy(HOST + "anchors = {root}")
    command = [lab.build.command, "verify", "--policy", policy, "--host", "api.example.test",
               "--program", "/usr/bin/curl", "--json", lab.pki.chain("all-wrong")]
    status, out, err = lab.run(command)
    require(status == 1, f"exit {status}: {err}")
    names = {finding["name"] for finding in json.loads(out)["findings"]}
    logged = lab.get("curl", ways.PRELOAD, lab.target("all-wrong"), policy).log[0]
    require(names and all(name in logged for name in names), f"{names}: {logged}")


def tests():
    yield from in_both_ways("refusal: curl exits 60, with -k too", curl_exits_60)
    yield from in_both_ways("refusal: python raises SSLCertVerificationError", python_raises)
    yield from in_both_ways("refusal: node gives a certificate error", node_rejects)
    yield from in_both_ways("refusal: s_client shows the code", s_client_shows_code)
    yield from in_both_ways("refusal: the alert fits the reason", alert_matches)
    yield from in_both_ways("refusal: the reason reaches python", reason_for_python)
    yield from in_both_ways("refusal: the reason is on the error queue", reason_on_the_queue)
    yield from in_both_ways("acceptance: the verify callback is called", callbacks_on_acceptance)
    yield from in_both_ways("acceptance: the verified chain is there", verified_chain)
    yield from in_both_ways("acceptance: standard output is the program's own", nothing_on_stdout)
    yield from in_both_ways("log: one line with all that is wrong", log_line)
    yield from in_both_ways("log: silent about what is accepted", log_level)
    yield from in_both_ways("log: none", log_none)
    yield from in_both_ways("log: a certificate can't forge it", no_injection)
    yield from in_both_ways("log: report-only", report_says_both)
    yield "verify: the command agrees with curl", lambda lab: verify_agrees(lab, None)
