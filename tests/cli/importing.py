"""importing.py - policies from Android's and Apple's files, which are then put to use."""
import base64
import fcntl
import hashlib
import pathlib
import subprocess

from e2e.harness import require

PLIST = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>%s</dict></plist>
"""
OTHER = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def spki(command, name):
    """The pin of a certificate of the test PKI, by openssl."""
    key = subprocess.run(["openssl", "x509", "-in", command.pki / f"{name}.pem", "-noout", "-pubkey"],
                         stdout=subprocess.PIPE, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
                         stdout=subprocess.PIPE, check=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def translated(command, text, status, name="source.xml"):
    """(result, path of the policy that was printed), which must be valid."""
    source = command.folder().write(name, text)
    result = command("import", source).ended(status)
    policy = command.policy(result.out)
    command("check", policy).ended(0)
    return result, policy


def judged(command, policy, status, host="api.example.test"):
    command("verify", "-p", policy, "--app-anchors", command.pki / "root.pem", "--host", host,
            command.chain("api")).ended(status)


def apple(pins, kind="NSPinnedCAIdentities", subdomains=False):
    identities = "".join(f"<dict><key>SPKI-SHA256-BASE64</key><string>{pin}</string></dict>"
                         for pin in pins)
    below = "<key>NSIncludesSubdomains</key><true/>" if subdomains else ""
    return PLIST % ("<key>NSAppTransportSecurity</key><dict><key>NSPinnedDomains</key><dict>"
                    f"<key>api.example.test</key><dict>{below}<key>{kind}</key>"
                    f"<array>{identities}</array></dict></dict></dict>")


def test_pinned_domains_of_apple(command):
    for kind, name in (("NSPinnedCAIdentities", "intermediate"), ("NSPinnedLeafIdentities", "api")):
        result, policy = translated(command, apple([spki(command, name), OTHER], kind), 0)
        result.quiet().printed("[host api.example.test]\n")
        judged(command, policy, 0)
        _, policy = translated(command, apple([OTHER], kind), 0)
        judged(command, policy, 1)


def test_subdomains_of_apple(command):
    result, _ = translated(command, apple([OTHER], subdomains=True), 0)
    result.printed("[host api.example.test *.api.example.test]\n")


def test_minimum_version_of_apple(command):
    text = PLIST % ("<key>NSAppTransportSecurity</key><dict><key>NSAllowsArbitraryLoads</key><true/>"
                    "<key>NSExceptionDomains</key><dict><key>api.example.test</key><dict>"
                    "<key>NSExceptionMinimumTLSVersion</key><string>TLSv1.3</string>"
                    "<key>NSExceptionRequiresForwardSecrecy</key><false/></dict></dict></dict>")
    result, _ = translated(command, text, 1)
    result.printed("min-tls = 1.3\n").said("NSAllowsArbitraryLoads has no equivalent",
                                           "NSExceptionRequiresForwardSecrecy has no equivalent")


def test_trustkit(command):
    def config(pin, more=""):
        return PLIST % ("<key>TSKConfiguration</key><dict><key>TSKSwizzleNetworkDelegates</key>"
                        "<false/><key>TSKPinnedDomains</key><dict><key>api.example.test</key><dict>"
                        f"<key>TSKPublicKeyHashes</key><array><string>{pin}</string></array>{more}"
                        "</dict></dict></dict>")
    result, policy = translated(command, config(spki(command, "intermediate")), 1)
    result.said("source.xml:", "leaf-pin where the server's own is meant")
    judged(command, policy, 0)
    _, policy = translated(command, config(OTHER), 1)
    judged(command, policy, 1)
    expired = "<key>TSKExpirationDate</key><string>2020-01-01</string>"
    result, policy = translated(command, config(OTHER, expired), 1)
    result.printed("pins-expire = 2020-01-01\n")
    judged(command, policy, 0)
    result, _ = translated(command, config(OTHER, "<key>TSKEnforcePinning</key><false/>"
                                                  "<key>TSKReportUris</key><array/>"), 1)
    result.printed("mode = report\n").said("TSKReportUris has no equivalent")


def android(body):
    return f'<?xml version="1.0" encoding="utf-8"?><network-security-config>{body}</network-security-config>'


def test_network_security_config(command):
    text = android("""
        <domain-config cleartextTrafficPermitted="false">
          <domain includeSubdomains="true">example.test</domain>
          <trust-anchors><certificates src="@raw/corp_root"/></trust-anchors>
          <domain-config>
            <domain>api.example.test</domain>
            <pin-set expiration="2040-01-01"><pin digest="SHA-256">%s</pin></pin-set>
          </domain-config>
        </domain-config>
        <debug-overrides/>""")
    folder = command.folder()
    folder.write("res/raw/corp_root.crt", (command.pki / "root.pem").read_bytes())
    for pin, status in ((spki(command, "intermediate"), 0), (OTHER, 1)):
        source = folder.write("res/xml/network_security_config.xml", text % pin)
        result = command("import", source).ended(1)
        result.said("cleartextTrafficPermitted", "debug-overrides", "network_security_config.xml:2:")
        result.printed("[host example.test *.example.test]\n", "[host api.example.test]\n",
                       "/res/raw/corp_root.crt\"\n", "pins-expire = 2040-01-01\n")
        require(result.out.count("corp_root.crt") == 2, f"the anchors aren't inherited: {result}")
        policy = command.policy(result.out)
        command("check", policy).ended(0)
        command("verify", "-p", policy, "--host", "api.example.test",
                command.chain("api")).ended(status)


def test_base_config(command):
    result, _ = translated(command, android(
        '<base-config><trust-anchors><certificates src="system"/></trust-anchors></base-config>'
        '<domain-config><domain>pass.example.test</domain></domain-config>'), 0)
    result.quiet().printed("[host *]\nanchors = system\n",
                           "[host pass.example.test]\naction = evaluate\n")


def test_missing_resource_is_told(command):
    source = command.folder().write("config.xml", android(
        '<domain-config><domain>a.test</domain><trust-anchors><certificates src="@raw/corp"/>'
        '<certificates src="user"/></trust-anchors></domain-config>'))
    command("import", source).ended(1).printed("anchors = corp.pem\n") \
        .said("no ../raw/corp.*: put the certificates at corp.pem", "the user's own CAs")


def test_hostile_words_don_t_become_policy(command):
    """What isn't a host, a pin, a date or a resource is told, and not written."""
    source = command.folder().write("config.xml", android(
        "<domain-config><domain>a.test]\n[host *</domain><domain>good.test</domain>"
        '<trust-anchors><certificates src="@raw/../../etc/passwd"/></trust-anchors>'
        "<pin-set expiration='2030-01-01\nmode = report'><pin digest='SHA-256'>x\naction = pass</pin>"
        "<pin digest='MD5'>abc</pin></pin-set></domain-config>"))
    result = command("import", source).ended(1).said(
        "is no host name", "aren't understood", "the pins don't expire", "the digest 'MD5'")
    body = [line for line in result.out.splitlines() if line and not line.startswith("#")]
    require(body == ["[host good.test]", "action = evaluate"], body)


def test_what_can_t_be_read(command):
    folder = command.folder()
    for name, text, words in (
            ("binary.plist", b"bplist00\0\1", ("binary property list", "plutil")),
            ("cut.xml", "<network-security-config><domain-config>", ("cut.xml: line 1: ",)),
            ("other.xml", "<html/>", ("neither Android's", "<html>")),
            ("empty.xml", "", ("empty.xml: ",)),
            ("bomb.xml", "<!DOCTYPE a [" + "".join(
                f'<!ENTITY e{i} "{f"&e{i - 1};" * 20 if i else "x" * 100}">' for i in range(12)) +
             "]><network-security-config>&e11;</network-security-config>", ("bomb.xml",))):
        result = command("import", folder.write(name, text)).said(*words)
        require(result.status in (1, 2) and result.out == "", result)
    command("import", folder.path).ended(2).silent().said("Is a directory")
    command("import", folder / "none.xml").ended(2).said("none.xml: No such file")


def test_reading_locks_nothing(command):
    """Two may translate one file at the same time, and a pipe is a file."""
    source = command.folder().write("one.plist", apple([spki(command, "root")]))
    with open(source, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = command("import", source).ended(0).out
    with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as cat:
        result = command("import", f"/dev/fd/{cat.stdout.fileno()}", pass_fds=[cat.stdout.fileno()])
        require(result.ended(0).out.splitlines()[1:] == wanted.splitlines()[1:], result)


def blocks(page):
    """The literal blocks of a manual page."""
    text = page.read_text("utf-8")
    return [part.split("\n.Ed\n")[0] + "\n" for part in
            text.split(".Bd -literal -offset indent\n")[1:]]


def test_policies_of_the_migration_page(command):
    """Each is valid, and what Apple's fragment is said to be is what it becomes."""
    shown = blocks(pathlib.Path(__file__).resolve().parents[2] / "policy/trustgraft-migration.7")
    policies = [block for block in shown if block.startswith("[host")]
    require(len(policies) >= 10, f"only {len(policies)} policies in the page")
    folder = command.folder()
    root = (command.pki / "root.pem").read_bytes()
    for name in ("corp-root.pem", "printer.pem"):
        folder.write(name, root)
    folder.write("crls.pem", next(command.pki.glob("*.crl*")).read_bytes())
    for number, policy in enumerate(policies):
        command("check", folder.write(f"{number}.conf", policy)).ended(0)
    fragment = next(block for block in shown if "NSPinnedDomains" in block)
    result, _ = translated(command, PLIST % fragment, 0)
    require(result.out.split("\n", 3)[3] in policies, result)
