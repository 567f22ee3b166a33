"""bundling.py - the bundle of a SPIFFE trust domain becomes a rule, which real programs obey."""
import base64
import json
import pathlib
import resource
import ssl
import subprocess

from cli import plain
from e2e.harness import require

HOST = "api.example.test"
# CN: (what issues it, its extensions). `api` names its host too, `bare` is named by its URI alone.
CERTIFICATES = {
    "domain": ("domain", "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
                         "subjectAltName=URI:spiffe://example.test\n"),
    "other": ("other", "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"
                       "subjectAltName=URI:spiffe://other.test\n"),
    "api": ("domain", f"subjectAltName=URI:spiffe://example.test/api,DNS:{HOST}\n"),
    "bare": ("domain", "subjectAltName=URI:spiffe://example.test/api\n"),
    "stranger": ("other", f"subjectAltName=URI:spiffe://other.test/api,DNS:{HOST}\n"),
}


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(command):
    """The folder of two trust domains' certificates, made by openssl."""
    folder = command.folder()
    for name, (issuer, extensions) in CERTIFICATES.items():
        extensions += "" if issuer == name else "extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n"
        folder.write(f"{name}.ext", extensions)
        openssl(folder.path, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/O=SPIFFE/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signer = ["-signkey", f"{name}.key"] if issuer == name else ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
        openssl(folder.path, "x509", "-req", "-in", f"{name}.csr", *signer, "-days", "2", "-set_serial", "7",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return folder


def der(path):
    return ssl.PEM_cert_to_DER_cert(pathlib.Path(path).read_text("ascii"))


def key(*paths, use="x509-svid", **members):
    """A JWK as SPIRE writes it: its own key is told once more beside the certificate."""
    return {"use": use, "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA",
            "x5c": [base64.b64encode(der(path)).decode() for path in paths], **members}


def bundle(*keys, **members):
    return json.dumps({"keys": keys, **members}, indent=1)


def imported(command, text, status, host=HOST):
    """(result, path of the file of --to)."""
    folder = command.folder()
    anchors = folder / "its anchors.pem"
    return command("import", "--host", host, "--to", anchors, folder.write("bundle.json", text)).ended(status), anchors


def judged(command, result, chain, status, *findings):
    policy = command.policy(result.out)
    command("check", policy).ended(0)
    answer = command("verify", "--json", "-p", policy, "--host", HOST, chain).ended(status).object()
    require([one["name"] for one in answer["findings"]] == list(findings), answer)


def test_real_servers_under_a_bundle(command):
    """curl takes its own trust domain's server, and refuses another's, and one that names no host."""
    folder = certificates(command)
    result, _ = imported(command, bundle(key(folder / "domain.pem"), spiffe_sequence=12, spiffe_refresh_hint=300), 0)
    result.quiet().printed(f"[host {HOST}]\nanchors = \"", "spiffe_sequence 12, spiffe_refresh_hint 300\n",
                           "No rule compares spiffe:// URIs")
    policy = command.policy(result.out)
    lax = command.policy(result.out + "insecure-skip-hostname = yes\n")
    for name, rule, word in (("api", policy, None), ("bare", policy, "name-mismatch"),
                             ("stranger", policy, "missing-issuer"), ("bare", lax, None),
                             ("stranger", lax, "missing-issuer")):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        with plain.listening(plain.secured(tls)) as port:
            done = command("run", "-p", rule, "--", "curl", "-sS", "--noproxy", "*", "--max-time", "60", "--resolve",
                           f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/")
        if word:
            done.ended(60).said(word)
        else:
            require(done.status in (52, 56), f"curl got no further than the handshake: {done}")


def test_each_authority_is_taken_and_nothing_else(command):
    folder = certificates(command)
    both = bundle(key(folder / "domain.pem"), key(folder / "other.pem"), key(use="jwt-svid"))
    result, anchors = imported(command, both, 0)
    result.quiet().printed("authorities 2\n", "keys for JWT-SVIDs, left out: 1\n")
    require(anchors.read_text().count("BEGIN CERTIFICATE") == 2, anchors.read_text())
    for name in ("api", "stranger"):
        judged(command, result, folder / f"{name}.pem", 0)
    result, anchors = imported(command, bundle(key(folder / "other.pem", use="x509-svid2"), key(folder / "domain.pem"),
                                               {"kty": "EC"}), 1)
    result.said("bundle.json:3: a key for 'x509-svid2' is left out", "bundle.json:23: a key without `use` is left out")
    require(anchors.read_text().count("BEGIN CERTIFICATE") == 1, anchors.read_text())
    judged(command, result, folder / "api.pem", 0)
    judged(command, result, folder / "stranger.pem", 1, "missing-issuer")


def test_patterns_of_a_bundle(command):
    text = bundle(key(command.pki / "root.pem"))
    for host in ("*.svc.cluster.local", "10.0.0.0/8", "[2001:db8::1]:8443", f"{HOST}:443"):
        result, _ = imported(command, text, 0, host)
        command("check", command.policy(result.printed(f"[host {host}]\n").out)).ended(0)
    for host in ("a]\n[host *", "a b", "https://a.test/", "*.*.test", "a.test]"):
        result, anchors = imported(command, text, 2, host)
        result.silent().said("--host: ")
        require(not anchors.exists(), "certificates were written")


def refused(command, text, *words):
    """TEXT leaves the certificates of an older bundle as they are, and what is printed is no policy."""
    folder = command.folder()
    source, anchors = folder.write("bundle.json", text), folder.write("anchors.pem", "as before\n")
    result = command("import", "--host", HOST, "--to", anchors, source).ended(1)
    result.said("bundle.json:", ": error: ", *words)
    require(anchors.read_text() == "as before\n", "the certificates were written")
    command("check", command.policy(result.out)).ended(1)


def test_what_is_no_bundle(command):
    root, leaf = key(command.pki / "root.pem"), key(command.pki / "api.pem")
    good, x5c = bundle(root), root["x5c"][0]
    last = base64.b64encode(der(command.pki / "root.pem") + b"x").decode()
    for text, *words in (
            ("{", "is no JSON"), ("{} {}", "is no JSON"), (good + "x", "is no JSON"), ('{"keys":[],}', "is no JSON"),
            (good + "\0", "is no JSON"), ('{"a":' * 12 + "1" + "}" * 12, "nested deeper"), ('{"a":01}', "is no JSON"),
            ("{}", "no list `keys`"), ('{"keys":{}}', "no list `keys`"), (bundle(), "vouches for no server"),
            (bundle(key(use="jwt-svid")), "vouches for no server"), (json.dumps({"trust_domains": {}}), "several"),
            ('{"keys":[],"keys":[]}', "'keys' stands twice"), ('{"keys":[],"k\\u0065ys":[]}', "'keys' stands twice"),
            ('{"Keys":[]}', "'Keys' is not understood: 'keys' is"), ('{"keys\\u0000":[]}', "is not understood"),
            (good.replace('"use"', '"use": "jwt-svid", "use"'), "'use' stands twice"),
            (good.replace('"use"', '"Use"'), "'Use' is not understood"), (good.replace('"x5c"', '"X5C"'), "'X5C'"),
            (bundle([root]), "a key is an object"), (bundle({**root, "use": 1}), "is a string"),
            (bundle(root, spiffe_sequence=-1), "no whole number"), (bundle(root, spiffe_sequence=1.5), "no whole"),
            (bundle(root, spiffe_refresh_hint="1"), "no whole number"), (bundle(leaf), "not that of a CA"),
            (bundle(key(command.pki / "root.pem", command.pki / "other-root.pem")), "has one certificate"),
            (bundle(key()), "has one certificate"), (bundle({"use": "x509-svid"}), "has one certificate"),
            (bundle({**root, "x5c": x5c}), "has one certificate"), (bundle({**root, "x5c": [[x5c]]}), "as a string"),
            *((bundle({**root, "x5c": [wrong]}), "no certificate in base64")
              for wrong in ("", "====", "AAAA", last, x5c[4:], x5c[:-4], x5c + "AA==", x5c[:40] + "\n" + x5c[40:],
                            " " + x5c, x5c.replace("/", "_").replace("+", "-"), "MIIB\u0000"))):
        refused(command, text, *words)


def test_hostile_words_of_a_bundle(command):
    """What is told of them doesn't act on a terminal, and no word becomes policy."""
    root = key(command.pki / "root.pem")
    result, _ = imported(command, bundle(root, key(use="x\n[host *]\naction = pass \x1b[2J")), 1)
    result.said("a key for 'x\\x0A[host *]\\x0Aaction = pass \\x1B[2J' is left out")
    body = [line for line in result.out.splitlines() if line and not line.startswith("#")]
    require(len(body) == 2 and body[0] == f"[host {HOST}]", body)


def little():
    """Limits the process to little memory and time."""
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))


def test_many_keys_and_deep_ones(command):
    folder = command.folder()
    for text, status, word in (('{"keys":[' + "{},\n" * 60000 + "{}]}", 1, "bundle.json:60001: a key without `use`"),
                               ('{"keys":[' + "[" * 250000, 1, "is no JSON"),
                               (" " * 300000 + "{}", 2, "File too large")):
        command("import", "--host", HOST, "--to", folder / "to.pem", folder.write("bundle.json", text),
                preexec_fn=little).ended(status).said(word)


def test_place_that_another_can_write(command):
    folder = command.folder()
    source = folder.write("bundle.json", bundle(key(command.pki / "root.pem")))
    to = folder / "to" / "ca.pem"
    to.parent.mkdir()
    for mode, status in ((0o777, 2), (0o755, 0)):
        to.parent.chmod(mode)
        result = command("import", "--host", HOST, "--to", to, source).ended(status)
        require(to.exists() == (status == 0), to)
        if status:
            result.silent().said(f"{to}: its directory {to.parent} is writable by group and others")


def test_options_of_a_bundle(command):
    folder = command.folder()
    source, anchors = folder.write("bundle.json", bundle(key(command.pki / "root.pem"))), folder / "anchors.pem"
    for words in ((), ("--host", HOST), ("--to", anchors)):
        command("import", *words, source).ended(2).silent().said("give --host PATTERN, and --to FILE")
    command("import", "--host", HOST, "--to", folder / "a\n.pem", source).ended(2).silent().said("control characters")
    command("import", "--host", HOST, "--to", folder / "none/a.pem", source).ended(2).silent().said("its folder can't")
    command("import", "--to", anchors, folder.write("a.xml", "<plist/>")).ended(2).silent().said(
        "are for a SPIFFE bundle")
    require(not anchors.exists(), "certificates were written")
    command("import", "--host", HOST, "--to", anchors, source).ended(0)
    require(anchors.stat().st_mode & 0o7777 == 0o644, "others may write the certificates, or can't read them")
