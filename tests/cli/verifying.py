"""trustgraft verify."""
import hashlib
import os
import re
import resource
import ssl
import subprocess
import time

from cli import connecting
from e2e.harness import require

HOST = "api.example.test"
POLICY = f"""[host {HOST}]
anchors = {{pki}}/root.pem
[host report.example.test]
anchors = {{pki}}/root.pem
mode = report
[host passed.example.test]
action = pass
[host blocked.example.test]
action = reject
[host device.test]
trust-certificate = {{pki}}/device.pem
[host port.example.test:636]
action = reject
[host tool.example.test]
action = reject
program = /bin/sh
"""


def verify(command, chain, *words, host=HOST, policy=POLICY, **options):
    """Runs verify on CHAIN, a path or the name of one in the PKI."""
    path = command.chain(chain) if isinstance(chain, str) and "/" not in chain else chain
    return command("verify", "-p", command.policy(policy), "--host", host, *words, path, **options)


def findings(result):
    return [(one["name"], one["depth"]) for one in result.object()["findings"]]


def test_good_chain_is_accepted(command):
    verify(command, "api").ended(0).quiet().printed(
        "accept api.example.test: unspecified (accepted: its CA is trusted)\n", f":1 [host {HOST}]", "`- CN=api.example.test\n",
        "CN=Trustgraft Test Root, O=Trustgraft Tests\n", "sha256:", "sha256/")


def test_wrong_chain_is_refused_with_every_finding(command):
    for chain, names in (("expired", ["certificate-expired"]), ("partner", ["name-mismatch"]),
                         ("api-other", ["missing-issuer"]),
                         ("missing-intermediate", ["missing-issuer"]),
                         ("expired-partner", ["certificate-expired", "name-mismatch"])):
        result = verify(command, chain).ended(1).quiet().printed(f"reject {HOST}: ")
        for name in names:
            require(re.search(rf"(?m)^ +{name}: ", result.out), result)


def test_finding_stands_at_its_certificate(command):
    lines = verify(command, "under-expired").ended(1).out.splitlines()
    at = next(i for i, line in enumerate(lines) if "certificate-expired" in line)
    above = [line for line in lines[:at] if "CN=" in line]
    require("CN=Expired Intermediate" in above[-1], lines)


def test_chain_in_any_order(command):
    verify(command, "shuffled").ended(0)


def test_json_has_every_field(command):
    before = int(time.time())
    one = verify(command, "api", "--json", host=f"{HOST}:443").ended(0).quiet().object()
    require(list(one) == ["time", "program", "pid", "host", "port", "mode", "verdict", "result",
                          "x509_error", "rule", "findings", "path"], list(one))
    told = time.strptime(one["time"], "%Y-%m-%dT%H:%M:%SZ")
    require(abs(ssl.cert_time_to_seconds(time.strftime("%b %d %H:%M:%S %Y GMT", told))
                - before) < 60, one["time"])
    require((one["host"], one["port"], one["mode"], one["verdict"], one["result"],
             one["x509_error"]) == (HOST, 443, "enforce", "accept", "unspecified", 0), one)
    require(one["program"] is None and one["pid"] > 0, one)
    require(one["rule"]["line"] == 1 and one["rule"]["pattern"] == HOST, one)
    require([part["subject"].split(",")[0] for part in one["path"]]
            == ["CN=api.example.test", "CN=Test Intermediate", "CN=Trustgraft Test Root"], one)


def test_json_of_a_certificate_is_right(command):
    part = verify(command, "api", "--json").ended(0).object()["path"][0]
    der = ssl.PEM_cert_to_DER_cert((command.pki / "api.pem").read_text())
    require(part["sha256"] == hashlib.sha256(der).hexdigest(), part)
    pin = next(line.split("\t")[2] for line in (command.pki / "INDEX").read_text().splitlines()
               if line.startswith("api\t"))
    require(part["spki"] == pin, part)
    require(part["issuer"] == "CN=Test Intermediate, O=Trustgraft Tests", part)
    require(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", part[key])
                for key in ("not_before", "not_after")), part)


def test_json_of_a_refusal(command):
    result = verify(command, "expired-partner", "--json").ended(1)
    one = result.object()
    require((one["verdict"], one["result"]) == ("reject", "recoverable-trust-failure"), one)
    require(one["x509_error"] == 10, one)
    require(findings(result) == [("certificate-expired", 0), ("name-mismatch", 0)], one)


def test_mode_report_still_says_reject(command):
    result = verify(command, "api", "--json", host="report.example.test").ended(1)
    require((result.object()["verdict"], result.object()["mode"]) == ("reject", "report"), result)
    verify(command, "api", host="report.example.test").ended(1).printed("reject", "only logged")


def test_action_reject(command):
    result = verify(command, "api", "--json", host="blocked.example.test").ended(1)
    require(findings(result)[0][0] == "host-rejected" and result.object()["result"] == "deny", result)


def test_trusted_certificate_proceeds(command):
    result = verify(command, "device", "--json", host="device.test").ended(0)
    require(result.object()["result"] == "proceed", result)
    verify(command, "device-twin", host="device.test").ended(1)


def app_anchors(command, chain, anchors, host):
    return verify(command, chain, "--json", "--app-anchors", anchors, host=host)


def test_host_left_to_the_application_is_verified_by_its_anchors(command):
    for host in ("api.example.test", "passed.example.test"):
        policy = f"[host passed.example.test]\naction = pass\n"
        anchors = command.pki / "root.pem"
        result = verify(command, "api", "--json", "--app-anchors", anchors, host=host, policy=policy)
        name = [] if host == HOST else [("name-mismatch", 0)]
        require(findings(result) == name and result.status == bool(name), result)
        result = verify(command, "api", "--json", host=host, policy=policy).ended(1)
        require(findings(result)[-1][0] == "missing-issuer" or name, result)


def test_rule_is_null_where_none_matched(command):
    one = app_anchors(command, "api", command.pki / "root.pem", "unmatched.test").object()
    require(one["rule"] is None, one)
    one = app_anchors(command, "api", command.pki / "root.pem", "passed.example.test").object()
    require(one["rule"]["pattern"] == "passed.example.test", one)


def test_unmatched_reject_and_verify(command):
    anchors = command.pki / "root.pem"
    verify(command, "api", "--app-anchors", anchors,
           policy="[policy]\nunmatched = reject\n").ended(1).printed("host-rejected")
    verify(command, "api", "--app-anchors", anchors,
           policy="[policy]\nunmatched = verify\n").ended(0)


def test_distrusted_certificate_of_an_unmatched_host(command):
    policy = "[distrust]\ncertificate = {pki}/intermediate.pem\n"
    anchors = command.pki / "root.pem"
    verify(command, "api", "--app-anchors", anchors, policy=policy).ended(1).printed("distrusted")
    verify(command, "api-direct", "--app-anchors", anchors, policy=policy).ended(0)


def test_app_anchors_of_a_directory(command):
    folder = command.folder()
    for name in ("root", "other-root"):
        folder.write(f"{name}.pem", (command.pki / f"{name}.pem").read_bytes())
    folder.write("README", "no certificate")
    verify(command, "api", "--app-anchors", folder.path, policy="[policy]\n").ended(0)
    verify(command, "api-other", "--app-anchors", folder.path, policy="[policy]\n").ended(0)
    os.unlink(folder / "root.pem")
    verify(command, "api", "--app-anchors", folder.path, policy="[policy]\n").ended(1)


def test_app_anchors_that_cannot_be_read(command):
    empty = command.folder()
    broken = command.folder()
    broken.write("a.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for path in ("/nowhere.pem", empty.path, broken.path, command.pki / "api.key"):
        verify(command, "api", "--app-anchors", path).ended(2).silent().said("--app-anchors: ")


def test_default_store_is_openssl_s(command):
    env = {"SSL_CERT_FILE": command.pki / "root.pem", "SSL_CERT_DIR": "/nowhere"}
    verify(command, "api", policy="[policy]\n", env=env).ended(0)
    env["SSL_CERT_FILE"] = command.pki / "other-root.pem"
    verify(command, "api", policy="[policy]\n", env=env).ended(1)


def test_time(command):
    for told in ("2049-01-01T00:00:00Z", "2049-01-01", "2493072000"):
        result = verify(command, "api", "--json", "--time", told).ended(1)
        require("certificate-expired" in str(findings(result)), result)
        require(result.object()["time"] == "2049-01-01T00:00:00Z", result)
    verify(command, "expired", "--time", str(int(time.time()) - 30 * 86400)).ended(0)
    verify(command, "api", "--time", "2049-01-01", "--app-anchors", command.pki / "root.pem",
           policy="[policy]\n").ended(1).printed("certificate-expired")


def test_time_that_is_none(command):
    for word in ("0", "-1", "tomorrow", "2026-13-01", "99999999999999999999", "253402300800",
                 "1 2", "0x10"):
        said = verify(command, "api", "--time", word).ended(2).silent().said("--time: ").err
        require(said.count(word) <= 1 and "1970" in said, said)


def test_tls_and_staple_are_checked_options(command):
    folder = command.folder()
    verify(command, "api", "--tls", "1.1").ended(2).silent().said("--tls: '1.1'")
    verify(command, "api", "--staple", "/nowhere").ended(2).silent().said("--staple: /nowhere")
    verify(command, "api", "--staple", folder.write("empty", "")).ended(2).silent().said("is empty")
    large = folder.write("large", b"\x30" * (1 << 20) + b"\x30" * 65536)
    verify(command, "api", "--staple", large).ended(2).silent().said("File too large")


def test_tls_version_is_evaluated(command):
    policy = f"[host {HOST}]\nanchors = {{pki}}/root.pem\nmin-tls = 1.3\n"
    verify(command, "api", "--tls", "1.3", policy=policy).ended(0)
    verify(command, "api", policy=policy).ended(0)
    verify(command, "api", "--tls", "1.2", policy=policy).ended(1).printed("tls-version: ")
    verify(command, "api", "--tls", "1.2").ended(0)


def test_staple_is_evaluated(command):
    policy = f"[host {HOST}]\nanchors = {{pki}}/root.pem\nrevocation = staple-required\n"
    for state, signer, finding in (("V", "intermediate", None), ("R", "intermediate", "revoked"),
                                   ("V", "other-root", "revocation-unknown")):
        staple = connecting.answer(command, command.folder(), state, signer)
        result = verify(command, "api", "--staple", staple, policy=policy)
        require(result.status == bool(finding) and (finding or "accept") in result.out, result)
    verify(command, "api", policy=policy).ended(1).printed("revocation-unknown")
    junk = command.folder().write("staple.der", b"\x30\x00")
    verify(command, "api", "--staple", junk, policy=policy).ended(1).printed("revocation-unknown")


def test_missing_host(command):
    command("verify", "-p", command.policy(POLICY), command.chain("api")).ended(2).silent().said(
        "--host HOST[:PORT] is missing")


def test_what_depends_on_the_port_or_program(command):
    verify(command, "api", host="port.example.test").ended(2).silent().said("--host HOST:PORT")
    verify(command, "api", host="port.example.test:636").ended(1)
    verify(command, "api", host="tool.example.test:1").ended(2).silent().said("--program PATH")
    result = verify(command, "api", "--json", "--program", "sh", host="tool.example.test:1")
    require(findings(result.ended(1)) == [("host-rejected", 0)], result)
    require(result.object()["program"] == os.path.realpath("/bin/sh"), result)


def test_chain_in_der(command):
    der = ssl.PEM_cert_to_DER_cert((command.pki / "api-direct.pem").read_text())
    folder = command.folder()
    verify(command, folder.write("leaf.der", der)).ended(0)
    verify(command, folder.write("more.der", der + b"x")).ended(1).printed("malformed")


def test_chain_with_text_and_keys_between(command):
    text = ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\nleaf:\r\n"
            + (command.pki / "api.chain.pem").read_text().replace("\n", "\r\n") + "end\n")
    verify(command, command.folder().write("chain.pem", text)).ended(0)


def test_chain_from_a_pipe(command):
    with open(command.chain("api"), "rb") as file:
        done = subprocess.run(
            [command.program, "verify", "-p", command.policy(POLICY), "--host", HOST,
             "/dev/stdin"], input=file.read(), capture_output=True, timeout=120, check=False,
            env=command.environment())
    require(done.returncode == 0, done)


def test_malformed_chain_is_refused(command):
    good = (command.pki / "api.chain.pem").read_text()
    broken = {
        "no certificate in it": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "broken behind a good one": good + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "no base64": good + "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "cut off": good[:-40],
    }
    for name, text in broken.items():
        path = command.folder().write("chain.pem", text)
        result = verify(command, path, "--json").ended(1)
        require(findings(result) == [("malformed", 0)], f"{name}: {result}")
        require(result.object()["result"] == "fatal-trust-failure", result)
        require(result.object()["rule"]["line"] > 0, result)
        verify(command, path).ended(1).printed("malformed: ")
    verify(command, "undecodable").ended(1).printed("malformed: ")


def test_file_without_certificate(command):
    folder = command.folder()
    for path in ("/nowhere.pem", folder.path, folder.write("empty", ""),
                 folder.write("text", "hello\n"), command.pki / "api.key"):
        verify(command, path).ended(2).silent().said(f"{path}: ")


def test_hostile_names_reach_no_terminal(command):
    for chain in ("spoofing-subject", "spoofing-san", "embedded-nul", "embedded-nul-cn"):
        result = verify(command, chain).ended(1)
        require(not re.search(r"[^\n -~\u00a0-\U0010ffff]", result.out), repr(result.out))
        verify(command, chain, "--json").ended(1).object()


def test_large_and_odd_chains_end_soon(command):
    soon = lambda: resource.setrlimit(resource.RLIMIT_CPU, (6, 6))      # noqa: E731
    for chain in ("hundred", "huge", "looped", "maze", "repeated"):
        result = verify(command, chain, "--json", preexec_fn=soon)
        require(result.status in (0, 1) and result.object(), result)


def test_cut_and_flipped_bytes_never_crash(command):
    """DER cut at every place of its head, and with single bits flipped."""
    der = ssl.PEM_cert_to_DER_cert((command.pki / "api-direct.pem").read_text())
    folder, policy = command.folder(), command.policy(POLICY)
    cases = [der[:size] for size in range(0, 64, 3)]
    cases += [der[:at] + bytes([der[at] ^ 1 << at % 8]) + der[at + 1:]
              for at in range(0, len(der), max(1, len(der) // 60))]
    for case in cases:
        path = folder.write("leaf.der", case)
        result = command("verify", "-p", policy, "--json", "--host", HOST, path)
        require(result.status in (1, 2), f"{case.hex()}: {result}")
