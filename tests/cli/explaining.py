"""trustgraft explain."""
import subprocess
import sys

from e2e.harness import require

POLICY = """[policy]
mode = report
[profile corp]
anchors = {pki}/root.pem
ca-pin = {pki}/root.pem, sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
[host *.corp.test]
profile = corp
mode = enforce
[host *]
anchors = system
anchors-only = no
[host legacy.corp.test]
hostname = www.partner.test, 10.0.0.1
intermediates = {pki}/intermediate.pem
insecure-skip-dates = yes
leaf-pin = {pki}/api.pem
pins-expire = 2020-01-01
[host old.corp.test]
trust-certificate = {pki}/device.pem
anchors-only = yes
verify-time = 2021-02-03T04:05:06Z
purpose = any
strict = yes
[host bare.corp.test]
insecure-skip-hostname = yes
anchors = {pki}/root.pem
anchors-only = no
[host blocked.corp.test]
action = reject
[host left.corp.test]
action = pass
[host port.corp.test:636]
action = reject
[host tool.corp.test]
action = reject
program = /usr/bin/curl
[host 10.1.0.0/16]
action = reject
[exception dev]
host = old.corp.test:443
certificate = sha256:1111111111111111111111111111111111111111111111111111111111111111
findings = certificate-expired, name-mismatch
expires = 2999-01-01
note = "# until it is replaced"
[exception gone]
host = old.corp.test
certificate = sha256:2222222222222222222222222222222222222222222222222222222222222222
findings = untrusted-root
expires = 2001-01-01
"""


def ask(command, host, *more):
    return command("explain", "-p", command.policy(POLICY), host, *more).ended(0)


def ask_json(command, host, *more):
    return ask(command, host, "--json", *more).quiet().object()


def test_rule_and_its_place(command):
    policy = command.policy(POLICY)
    command("explain", "-p", policy, "API.Corp.Test.:443").ended(0).quiet().printed(
        "api.corp.test:443\n", f"{policy}:6 [host *.corp.test]", "profile corp", "enforce")


def test_demands_of_a_profile(command):
    ask(command, "api.corp.test").printed(
        "a path to one of these anchors, and to no other:", "CN=Trustgraft Test Root",
        "a certificate for api.corp.test\n", "certificates that are valid now",
        "a certificate for TLS servers", "the key of a CA on the verified path is one of:",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")


def test_demands_of_other_keys(command):
    ask(command, "legacy.corp.test").printed(
        "a path to an anchor of the application", "the path may lead through these",
        "CN=Test Intermediate", "a certificate for www.partner.test or 10.0.0.1, instead",
        "no dates", "the certificate's own key is one of:",
        "the pins expired on 2020-01-01T00:00:00Z", "mode    report")
    ask(command, "old.corp.test").printed(
        "this certificate is trusted, whatever is wrong with it:", "it allows none",
        "certificates valid on 2021-02-03T04:05:06Z", "for any purpose", "RFC 5280")
    ask(command, "bare.corp.test").printed("no name", "or to one of the application's:")
    ask(command, "other.test").printed("those of OpenSSL's default store")


REVOCATION = """[host chain.test]
anchors = {pki}/root.pem
revocation = staple-required
min-tls = 1.3
min-rsa-bits = 3072
security-level = 2
[host plain.test]
anchors = {pki}/root.pem
"""


def test_demands_of_revocation_and_floors(command):
    policy = command.policy(REVOCATION)
    result = command("explain", "-p", policy, "chain.test").ended(0).printed(
        "a good OCSP answer that is stapled", "TLS 1.3 or later", "RSA keys of 3072 bits or more",
        "security level 2")
    result = command("explain", "-p", policy, "plain.test").ended(0)
    for word in ("OCSP", "TLS 1", "RSA", "security level"):
        require(word not in result.out, result)


def test_json_of_revocation_and_floors(command):
    policy = command.policy(REVOCATION)
    keys = ("revocation", "crl", "min_tls", "min_rsa_bits", "security_level")
    for host, values in (("chain.test", ["staple-required", 0, "1.3", 3072, 2]),
                         ("plain.test", ["none", 0, None, None, None])):
        one = command("explain", "-p", policy, "--json", host).ended(0).object()["demands"]
        require([one[key] for key in keys] == values, one)


def test_demands_of_crls(command):
    crl = command.folder() / "root.crl"
    index = command.folder().write("index.txt", "")
    subprocess.run(["openssl", "ca", "-gencrl", "-keyfile", command.pki / "root.key", "-cert",
                    command.pki / "root.pem", "-out", crl, "-crldays", "9", "-md", "sha256",
                    "-config", command.folder().write(
                        "ca.cnf", f"[ca]\ndefault_ca=it\n[it]\ndatabase={index}\n")],
                   check=True, capture_output=True, timeout=120)
    for word, text in (("crl", "a certificate that no CRL revokes"),
                       ("crl-chain", "certificates up to the anchor that no CRL revokes")):
        policy = command.policy("[host a.test]\nanchors = {pki}/root.pem\n"
                                f"revocation = {word}\ncrl = {crl}\n")
        command("explain", "-p", policy, "a.test").ended(0).printed(text, "1 CRL is given")


def test_exceptions_of_a_host(command):
    ask(command, "old.corp.test:443").printed(
        ":39 forgives the certificate", "sha256:" + "1" * 64,
        "certificate-expired name-mismatch", "has expired and no longer forgives",
        "until 2999-01-01T00:00:00Z\n    note: # until it is replaced\n")
    require("1" * 64 not in ask(command, "old.corp.test:444").out, "an exception for another port")
    one = ask_json(command, "old.corp.test:443")["exceptions"][0]
    require(one == {"file": one["file"], "line": 39, "certificate": "sha256:" + "1" * 64,
                    "findings": ["certificate-expired", "name-mismatch"],
                    "expires": "2999-01-01T00:00:00Z", "note": "# until it is replaced"}, one)
    require(len(ask_json(command, "old.corp.test:444")["exceptions"]) == 1, "another port's")


def test_distrust_holds_for_every_host(command):
    for pins, text in (("{pki}/api.pem", "holds the certificate or key of [distrust]"),
                       ("{pki}/api.pem, {pki}/root.pem", "one of the 2 certificates and keys")):
        policy = command.policy(f"[distrust]\nspki = {pins}\n")
        command("explain", "-p", policy, "a.test").ended(0).printed(text)
        one = command("explain", "-p", policy, "a.test", "--json").ended(0).object()
        require(one["distrusted"] == pins.count(",") + 1, one)
    require("distrust" not in ask(command, "a.test").out, "none is named")


def test_other_rules_and_why_they_lost(command):
    ask(command, "legacy.corp.test").printed(
        "Other rules for this host:", ":6 [host *.corp.test]: less specific than line 12",
        ":9 [host *]: less specific than line 12")
    ask(command, "port.corp.test:443").printed(":32 [host port.corp.test:636]: its port is 636")


def test_reject_and_pass_demand_nothing(command):
    for host, text in (("blocked.corp.test", "reject: it is refused"),
                       ("left.corp.test", "pass: it is left to the application")):
        result = ask(command, host).printed(text)
        require("demands" not in result.out, result)
        require(ask_json(command, host)["demands"] is None, "demands")


def test_unmatched_and_what_it_means(command):
    for word, action, text in (("app", "pass", "left wholly to the application"),
                               ("verify", "evaluate", "whatever the application asked for"),
                               ("reject", "reject", "it is refused")):
        policy = command.policy(f"[policy]\nunmatched = {word}\n[host a.test]\naction = pass\n")
        command("explain", "-p", policy, "b.test").ended(0).printed("none: unmatched = ", text)
        one = command("explain", "-p", policy, "b.test", "--json").ended(0).object()
        require((one["kind"], one["rule"], one["action"]) == ("unmatched", None, action), one)
        require((one["demands"] is not None) == (word == "verify"), one)


def test_what_depends_on_the_port(command):
    ask(command, "port.corp.test").printed("it depends on the port: give HOST:PORT")
    one = ask_json(command, "port.corp.test")
    require((one["kind"], one["rule"], one["port"]) == ("unknown", None, None), one)
    require(ask_json(command, "port.corp.test:636")["action"] == "reject", "not the port's rule")


def test_what_depends_on_the_program(command):
    for host in ("tool.corp.test:443", "tool.corp.test"):  # no rule for it has a port
        ask(command, host).printed("it depends on the program: give --program PATH")
    require(ask_json(command, "tool.corp.test:443", "--program", "/bin/sh")["action"] == "evaluate",
            "another program's rule")


def test_program_is_found_and_resolved(command):
    folder = command.folder()
    real = folder.write("real", (folder.path / "/bin/true").read_bytes(), 0o755)
    (folder / "link").symlink_to(real)
    policy = command.policy(f"[host a.test]\naction = reject\nprogram = {real}\n")
    for words, env in ((["--program", real], {}), (["--program", folder / "link"], {}),
                       (["--program", "link"], {"PATH": folder.path})):
        one = command("explain", "-p", policy, "a.test:443", "--json", *words,
                      env=env).ended(0).object()
        require((one["program"], one["action"]) == (str(real), "reject"), one)
    one = command("explain", "-p", policy, "a.test:443", "--json", "--program", "/bin/sh").object()
    require(one["kind"] == "unmatched", one)


def test_program_that_is_a_script_is_its_interpreter(command):
    script = command.folder().write("tool", f"#!{sys.executable}\n", 0o755)
    result = ask(command, "a.test", "--json", "--program", script)
    result.said("is a script: its process is ")
    require("python" in result.object()["program"], result)


def test_program_that_is_absent(command):
    for word in ("/nowhere/tool", "no-such-tool"):
        command("explain", "-p", command.policy(POLICY), "a.test", "--program", word).ended(
            2).silent().said(f"program '{word}'")


def test_json_of_a_rule(command):
    policy = command.policy(POLICY)
    one = command("explain", "--json", "-p", policy, "api.corp.test:443").ended(0).object()
    require(list(one) == ["host", "port", "program", "kind", "rule", "action", "mode", "demands",
                          "others", "exceptions", "distrusted", "compiled"], list(one))
    require(one["host"] == "api.corp.test" and one["port"] == 443 and one["kind"] == "rule", one)
    require(one["rule"] == {"file": str(policy), "line": 6, "pattern": "*.corp.test"}, one)
    require((one["action"], one["mode"]) == ("evaluate", "enforce"), one)
    require(one["others"] == [{"file": str(policy), "line": 9, "pattern": "*",
                               "why": "less specific than line 6"}], one)
    demands = one["demands"]
    require(demands["profile"] == "corp" and demands["anchors_only"] is True, demands)
    require(demands["anchors"][0]["subject"] == "CN=Trustgraft Test Root, O=Trustgraft Tests", demands)
    require(len(demands["ca_pin"]) == 2 and demands["leaf_pin"] == demands["pin"] == [], demands)


def test_json_of_other_demands(command):
    demands = ask_json(command, "legacy.corp.test")["demands"]
    require(demands["hostname"] == ["www.partner.test", "10.0.0.1"], demands)
    require(demands["insecure_skip_dates"] is True and len(demands["intermediates"]) == 1, demands)
    require(demands["pins_expire"] == "2020-01-01T00:00:00Z" and demands["verify_time"] is None, demands)
    demands = ask_json(command, "old.corp.test")["demands"]
    require(demands["verify_time"] == "2021-02-03T04:05:06Z" and demands["purpose"] == "any", demands)
    require(demands["strict"] is True and len(demands["trust_certificate"]) == 1, demands)
    demands = ask_json(command, "bare.corp.test")["demands"]
    require(demands["insecure_skip_hostname"] is True and demands["anchors_only"] is False, demands)


def test_addresses(command):
    for word, host, port in (("10.1.2.3", "10.1.2.3", None), ("10.1.2.3:443", "10.1.2.3", 443),
                             ("[2001:DB8::1]:443", "2001:db8::1", 443),
                             ("2001:db8::1", "2001:db8::1", None)):
        one = ask_json(command, word)
        require((one["host"], one["port"]) == (host, port), one)
    require(ask_json(command, "10.1.2.3:443")["action"] == "reject", "not the block's rule")
    ask(command, "[2001:db8::1]:443").printed("[2001:db8::1]:443\n")


def test_what_is_no_host(command):
    policy = command.policy(POLICY)
    for word in ("", "*", "*.corp.test", "10.0.0.0/8", "a.test:", "a.test:0", "a.test:65536",
                 "a.test:x", "http://a.test/", "a..test", "b\u00fccher.test", "a b", "a\nb", "[::1",
                 "x" * 300, "a.test:443:443", "-"):
        result = command("explain", "-p", policy, word if word != "-" else "a.test:-1")
        result.ended(2).silent()
        require(len(result.err.splitlines()) == 1, result)
    command("explain", "-p", policy, "b\u00fccher.test").said("xn--bcher-kva.test")
