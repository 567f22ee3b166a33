"""importing.py - policies from Android's and Apple's files, which are then put to use."""
import base64
import fcntl
import hashlib
import pathlib
import resource
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


def mode(command, policy):
    return command("explain", "--json", "-p", policy, "api.example.test").ended(0).object()["mode"]


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


def test_forward_secrecy_of_apple(command):
    """A policy knows it only by TLS 1.3; that it isn't demanded is no loss."""
    def exceptions(*keys):
        body = "".join(f"<key>{key}</key>{value}" for key, value in keys)
        return PLIST % ("<key>NSAppTransportSecurity</key><dict><key>NSExceptionDomains</key><dict>"
                        f"<key>api.example.test</key><dict>{body}</dict></dict></dict>")
    for kind in ("NS", "NSThirdParty"):
        minimum = (f"{kind}ExceptionMinimumTLSVersion", "<string>TLSv1.3</string>")
        secrecy = f"{kind}ExceptionRequiresForwardSecrecy"
        refused(command, exceptions(minimum, (secrecy, "<true/>")), "can't demand forward secrecy")
        result, _ = translated(command, exceptions(minimum, (secrecy, "<false/>")), 1)
        result.printed("min-tls = 1.3\n").said(f"{secrecy} has no equivalent")
    refused(command, exceptions(minimum, (minimum[0][:2] + minimum[0][12:], "<string>TLSv1.2</string>")),
            "there is a minimum version")
    refused(command, exceptions(("NSPinnedLeafIdentities", "<array/>")), "NSPinnedLeafIdentities has no place here")


def test_trustkit(command):
    def config(pin, more=""):
        return PLIST % ("<key>TSKConfiguration</key><dict><key>TSKSwizzleNetworkDelegates</key>"
                        "<false/><key>TSKPinnedDomains</key><dict><key>api.example.test</key><dict>"
                        f"<key>TSKPublicKeyHashes</key><array><string>{pin}</string></array>{more}"
                        "</dict></dict></dict>")
    for name in ("intermediate", "api", "root"):
        result, policy = translated(command, config(spki(command, name)), 0)
        result.quiet()
        judged(command, policy, 0)
    _, policy = translated(command, config(OTHER), 0)
    judged(command, policy, 1)
    expired = "<key>TSKExpirationDate</key><string>2020-01-01</string>"
    result, policy = translated(command, config(OTHER, expired), 0)
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
                           "[host pass.example.test]\nanchors = system\n")


def resources(command, body):
    """The policy of BODY, whose @raw/corp is the test PKI's root."""
    folder = command.folder()
    folder.write("res/raw/corp.pem", (command.pki / "root.pem").read_bytes())
    result = command("import", folder.write("res/xml/config.xml", android(body))).ended(0).quiet()
    return command.policy(result.out)


CORP = '<trust-anchors><certificates src="@raw/corp"/></trust-anchors>'


def test_anchors_are_inherited(command):
    """From base-config, wherever it stands, and from the config around; another's don't count."""
    base = f"<base-config>{CORP}</base-config>"
    domain = "<domain-config><domain>api.example.test</domain>%s</domain-config>"
    nested = "<domain-config><domain>example.test</domain>%s" + domain % "" + "</domain-config>"
    for body in (base + domain % "", domain % "" + base, base + nested % "", nested % CORP):
        policy = resources(command, body)
        for chain, status in (("api", 0), ("api-other", 1)):
            command("verify", "-p", policy, "--app-anchors", command.pki / "other-root.pem",
                    "--host", "api.example.test", command.chain(chain)).ended(status)


def test_enforcing_is_inherited(command):
    """TrustKit's enforcePinning, in any case; what isn't enforced of a rule takes nothing else along."""
    pins = f'<pin-set><pin digest="sha-256">{OTHER}</pin></pin-set>'
    body = ('<domain-config><domain>example.test</domain>%s' + pins + '<domain-config>'
            '<domain>api.example.test</domain>%s</domain-config></domain-config>')
    say = '<trustkit-config enforcePinning="%s"/>'
    for outer, inner, wanted in (("", "", "enforce"), (say % "TRUE", "", "enforce"),
                                 (say % "true", "<trustkit-config/>", "enforce"),
                                 (say % "false", say % "True", "enforce"), (say % "false", "", "report"),
                                 ("", "<trustkit-config/>", "report"),
                                 (say % "true", say % "False", "report")):
        require(mode(command, resources(command, body % (outer, inner))) == wanted, (outer, inner))
    folder = command.folder()
    folder.write("res/raw/corp.pem", (command.pki / "root.pem").read_bytes())
    source = folder.write("res/xml/config.xml", android(body % (CORP + say % "false", "")))
    result = command("import", source).ended(1).said("the pins aren't enforced and are left out")
    require("mode =" not in result.out and "pin =" not in result.out, result)
    for chain, status in (("api", 0), ("api-other", 1)):
        command("verify", "-p", command.policy(result.out), "--app-anchors",
                command.pki / "other-root.pem", "--host", "api.example.test",
                command.chain(chain)).ended(status)


def refused(command, text, *words):
    """TEXT is no policy, for the reason that WORDS tell; what is printed can't be taken for one."""
    result = command("import", command.folder().write("source.xml", text)).ended(1)
    result.said("source.xml:", ": error: ", *words)
    require("[host" not in result.out, result)
    command("check", command.policy(result.out)).ended(1)
    command("verify", "-p", command.policy(result.out), "--app-anchors", command.pki / "root.pem",
            "--host", "api.example.test", command.chain("api")).ended(1)


GOOD = f'<pin digest="SHA-256">{OTHER}</pin>'
NAMED = "<domain>api.example.test</domain>"


def test_what_would_leave_out_a_demand_of_android(command):
    for inside, *words in (
            (CORP.replace("@raw/corp", "@raw/own-ca"), "'@raw/own-ca' aren't understood"),
            (CORP.replace("@raw/corp", "@xml/corp"), "'@xml/corp' aren't understood"),
            (CORP.replace("@raw/corp", "wireguard"), "'wireguard' aren't understood"),
            (CORP.replace("@raw/corp", "System"), "'System' aren't understood"),
            ("<trust-anchors><certificates/></trust-anchors>", "'' aren't understood"),
            ("<trust-anchors/>", "nothing is left of these <trust-anchors>"),
            (CORP.replace("@raw/corp", "user"), "nothing is left of these <trust-anchors>"),
            (CORP.replace("src", "Src"), "the attribute 'Src' of <certificates>"),
            (CORP.replace("/></t", ' overridePins="yes"/></t'), "overridePins is neither"),
            (CORP + CORP, "there is a <trust-anchors> already"),
            ("<Trust-Anchors/>", "<Trust-Anchors> is not understood: <trust-anchors> is"),
            ("<pin-set/>", "has no pin"),
            ("<pin-set><pin digest='SHA-256'></pin></pin-set>", "the pin '' is not"),
            (f"<pin-set>{GOOD}<pin digest='SHA-256'>AAAA</pin></pin-set>", "the pin 'AAAA' is not"),
            (f"<pin-set>{GOOD.replace('SHA-256', 'SHA-1')}</pin-set>", "the digest 'SHA-1'"),
            (f"<pin-set>{GOOD.replace('digest', 'Digest')}</pin-set>", "the attribute 'Digest'"),
            (f"<pin-set>{GOOD.replace('</pin>', '<b/></pin>')}</pin-set>", "<pin> has elements in it"),
            (f"<pin-set Expiration='2020-01-01'>{GOOD}</pin-set>", "the attribute 'Expiration'"),
            (f"<pin-set>{GOOD}</pin-set><pin-set>{GOOD}</pin-set>", "there is a <pin-set> already"),
            (f"<pin-set><PIN digest='SHA-256'>{OTHER}</PIN></pin-set>", "<pin> is"),
            ("<trustkit-config enforcePinning='1'/>", "enforcePinning is neither true nor false"),
            ("<certificateTransparency enabled='true'/>", "can't demand certificate transparency"),
            ("<domain>a b</domain>", "'a b' is no host name"), (NAMED, "an entry for api.example.test already"),
            ("<domain>API.example.test.</domain>", "an entry for api.example.test already"),
            ("<domain includeSubdomains='1'>a.test</domain>", "includeSubdomains is neither"),
            ("<domain IncludeSubdomains='true'>a.test</domain>", "the attribute 'IncludeSubdomains'"),
            ("<domain x:includeSubdomains='true' xmlns:x='y'>a.test</domain>", "'includeSubdomains'"),
            (f"<domain-config>{GOOD}</domain-config>", "has no <domain>")):
        refused(command, android(f"<domain-config>{NAMED}{inside}</domain-config>"), *words)
    for body, *words in (
            (f"<base-config><pin-set>{GOOD}</pin-set></base-config>", "no place in <base-config>"),
            (f"<base-config>{NAMED}</base-config>", "no place in <base-config>"),
            ("<base-config/><base-config/>", "there is a <base-config> already"),
            ("<Domain-Config/>", "<domain-config> is"), ("<domain-config/>", "has no <domain>"),
            # Android passes over all of these: what they demand would be lost without a word
            (f"<domain-config>{NAMED}{GOOD}</domain-config>", "<pin> has no place here"),
            (f"<domain-config>{NAMED}<x><pin-set>{GOOD}</pin-set></x></domain-config>", "<pin-set> has no"),
            (f"<domain-config>{NAMED}</domain-config><pin-set>{GOOD}</pin-set>", "<pin-set> has no"),
            (f"<domain-config>{NAMED}<certificates src='@raw/x'/></domain-config>", "<certificates> has no"),
            (f"<x><domain-config>{NAMED}</domain-config></x>", "<domain-config> has no place here"),
            (f"<base-config><trust-anchors><certificates src='system'><pin-set>{GOOD}</pin-set>"
             "</certificates></trust-anchors></base-config>", "<pin-set> has no place here"),
            (f"<domain-config>{NAMED}<trustkit-config><pin-set>{GOOD}</pin-set></trustkit-config>"
             "</domain-config>", "<pin-set> has no place here")):
        refused(command, android(body), *words)


def tsk(inside, pins=True):
    hashes = f"<key>TSKPublicKeyHashes</key><array><string>{OTHER}</string></array>" if pins else ""
    return PLIST % ("<key>TSKConfiguration</key><dict><key>TSKPinnedDomains</key><dict>"
                    f"<key>api.example.test</key><dict>{hashes}{inside}</dict></dict></dict>")


def test_booleans_of_property_lists(command):
    """As boolValue of NSString and NSNumber reads them, or not at all."""
    for yes, no in (("<true/>", "<false/>"), ("<string>YES</string>", "<string>NO</string>"),
                    ("<string>true</string>", "<string>False</string>"),
                    ("<integer>1</integer>", "<integer>0</integer>")):
        for value, kept in ((yes, True), (no, False)):
            result, _ = translated(command, tsk(f"<key>TSKIncludeSubdomains</key>{value}"), 0)
            require(("*.api.example.test" in result.out) == kept, result)
            result, policy = translated(command, tsk(f"<key>TSKEnforcePinning</key>{value}"), 0)
            require(mode(command, policy) == ("enforce" if kept else "report"), result)
    for odd in ("<string>ON</string>", "<integer>2</integer>", "<real>1.0</real>", "<string/>", "<array/>",
                "<string>YES<b/></string>"):
        refused(command, tsk(f"<key>TSKIncludeSubdomains</key>{odd}"), "is neither <true/> nor <false/>")


def pinned(inside):
    return PLIST % ("<key>NSAppTransportSecurity</key><dict><key>NSPinnedDomains</key><dict>"
                    f"<key>api.example.test</key>{inside}</dict></dict>")


IDENTITY = f"<dict><key>SPKI-SHA256-BASE64</key><string>{OTHER}</string></dict>"
CAS = f"<key>NSPinnedCAIdentities</key><array>{IDENTITY}</array>"


def test_what_would_leave_out_a_demand_of_apple(command):
    for text, *words in (
            (tsk("", pins=False), "nothing is pinned"),
            (tsk("<key>TSKPublicKeyHashes</key><array/>", pins=False), "nothing is pinned"),
            (tsk(f"<key>TSKPublicKeyHashes</key><string>{OTHER}</string>", pins=False), "not a <array>"),
            (tsk("<key>TSKPublicKeyHashes</key><array><string>AA</string></array>", pins=False), "'AA'"),
            (tsk("<key>TSKincludeSubdomains</key><true/>"), "TSKIncludeSubdomains is"),
            (tsk("<key>TSKEnforcePinning</key><true/><key>TSKEnforcePinning</key><false/>"), "stands twice"),
            (tsk("<key>TSKEnforcePinning</key>"), "a <key> and its value are wanted"),
            (tsk("<key>TSKExcludeSubdomainFromParentPolicy</key><true/>"), "is excluded"),
            (pinned("<dict/>"), "nothing is pinned"), (pinned("<array/>"), "is a <array> and not a <dict>"),
            (pinned("<dict><key>NSPinnedCAIdentities</key><array/></dict>"), "NSPinnedCAIdentities is empty"),
            (pinned(f"<dict>{CAS}<key>NSPinnedLeafIdentities</key><array/></dict>"),
             "NSPinnedLeafIdentities is empty"),
            (pinned("<dict><key>NSPinnedCAIdentities</key><array><dict/></array></dict>"), "is missing"),
            (pinned(f"<dict>{CAS.replace(IDENTITY, IDENTITY + '<string/>')}</dict>"), "not a <dict>"),
            (pinned(f"<dict>{CAS.replace(OTHER, OTHER[1:])}</dict>"), "is not the 44 base64"),
            (pinned(f"<dict>{CAS.replace('CAIdentities', 'CaIdentities')}</dict>"), "NSPinnedCAIdentities is"),
            (pinned(f"<dict>{CAS}</dict><key>API.example.test.</key><dict>{CAS}</dict>"), "already"),
            (pinned(f"<dict>{CAS}</dict><key>*.test</key><dict>{CAS}</dict>"), "'*.test' is no host name"),
            (pinned(f"<dict>{CAS}</dict>").replace("</dict></plist>", "</dict><dict/></plist>"), "is one dictionary"),
            (exceptions("<key>NSExceptionMinimumTLSVersion</key><string>TLSv1.4</string>"), "'TLSv1.4'"),
            (exceptions("<key>NSRequiresCertificateTransparency</key><true/>"), "certificate transparency")):
        refused(command, text, *words)


def exceptions(inside, more=""):
    return PLIST % ("<key>NSAppTransportSecurity</key><dict><key>NSExceptionDomains</key><dict>"
                    f"<key>api.example.test</key><dict>{inside}</dict></dict>{more}</dict>")


def pins_at(domain, below):
    return (f"<key>NSPinnedDomains</key><dict><key>{domain}</key><dict>"
            f"<key>NSIncludesSubdomains</key><{below}/>{CAS}</dict></dict>")


MINIMUM = "<key>NSExceptionMinimumTLSVersion</key><string>TLSv1.3</string>"


def test_each_rule_has_what_every_table_says(command):
    """One rule for a host; a closer domain of one table takes nothing away of another's."""
    below = "<key>NSIncludesSubdomains</key><true/>"
    ca = f"ca-pin = sha256/{OTHER}\n"
    for text, rules in (
            (exceptions(MINIMUM, pins_at("api.example.test", "false")),
             f"[host api.example.test]\n{ca}min-tls = 1.3\n"),
            (exceptions(below + MINIMUM, pins_at("api.example.test", "true")),
             f"[host api.example.test *.api.example.test]\n{ca}min-tls = 1.3\n"),
            (exceptions(MINIMUM, pins_at("api.example.test", "true")),
             f"[host api.example.test]\n{ca}min-tls = 1.3\n|[host *.api.example.test]\n{ca}"),
            (exceptions(MINIMUM, pins_at("example.test", "true")),
             f"[host api.example.test]\n{ca}min-tls = 1.3\n|[host example.test *.example.test]\n{ca}"),
            (exceptions(MINIMUM, pins_at("example.test", "false")),
             f"[host api.example.test]\nmin-tls = 1.3\n|[host example.test]\n{ca}")):
        result, _ = translated(command, text, 0)
        sections = {"[host" + part.split("\n\n")[0].rstrip() for part in result.out.split("[host")[1:]}
        require(sections == {rule.rstrip() for rule in rules.split("|")}, result)


def test_trial_and_expiry_take_nothing_else_along(command):
    """TrustKit's pins that aren't enforced, or that end, beside others of the same host."""
    def both(more):
        return tsk(more).replace("<dict><key>TSKC", "<dict><key>NSAppTransportSecurity</key><dict>" +
                                 pins_at("api.example.test", "false") + "</dict><key>TSKC", 1)
    result, policy = translated(command, both("<key>TSKEnforcePinning</key><false/>"), 1)
    result.printed("ca-pin = ").said("the pins aren't enforced and are left out")
    require("mode" not in result.out and "\npin" not in result.out, result)
    judged(command, policy, 1)
    result, policy = translated(command, both("<key>TSKExpirationDate</key><string>2020-01-01</string>"), 1)
    result.printed("ca-pin = ", "\npin = ").said("the host has others that don't")
    require("expire" not in result.out, result)
    judged(command, policy, 1)
    result, _ = translated(command, both("<key>TSKExpirationDate</key><string>soon</string>"), 1)
    result.said("the pins don't expire")


def little():
    """Limits the process to little memory and time."""
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))


def test_what_grows_is_refused(command):
    """Entities, attributes and inheritance that make much of a small file: in time, and in memory."""
    pin, name = f"<pin digest='SHA-256'>{OTHER}</pin>", "<domain-config><domain>a%d.test</domain></domain-config>"
    attributes = " ".join(f"a{number:x}=''" for number in range(25000))
    for text, words in (
            ('<!DOCTYPE a [<!ENTITY a "' + "a" * 50000 + '">]>' + android("&a;" * 4000), "entities"),
            ('<!DOCTYPE a [<!ENTITY % a "b">]>' + android(""), "entities"),
            ('<!DOCTYPE a PUBLIC "b" "c">' + android("&a;"), "entities"),
            ('<!DOCTYPE a PUBLIC "b" "c">' + android("<domain-config a='&a;'/>"), "entities"),
            ('<!DOCTYPE a [<!ATTLIST b c CDATA "' + "a" * 50000 + '">]>' + android("<b/>" * 4000),
             "attributes by default"),
            (f"<network-security-config {attributes}/>", "more attributes"),
            (android("<domain-config>" * 300 + "</domain-config>" * 300), "depth"),
            (android("<a/>" * 100000), "too large")):
        source = command.folder().write("source.xml", text)
        command("import", source, preexec_fn=little).ended(2).silent().said("source.xml: ", words)
    refused(command, android(f"<domain-config><domain>a.test</domain><pin-set>{pin * 1700}</pin-set>" +
                             "".join(name % number for number in range(1700)) + "</domain-config>"),
            "larger than 8 MiB")
    translated(command, PLIST.replace(".dtd\"", ".dtd\" []") % "<key>NSPinnedDomains</key>"
               f"<dict><key>a.test</key><dict>{CAS}</dict></dict>", 0)


def test_missing_resource_is_told(command):
    source = command.folder().write("config.xml", android(
        '<domain-config><domain>a.test</domain><trust-anchors><certificates src="@raw/corp"/>'
        '<certificates src="user"/></trust-anchors></domain-config>'))
    command("import", source).ended(1).printed("anchors = corp.pem\n") \
        .said("no ../raw/corp.*", "put the certificates at corp.pem", "the user's own CAs")


def test_resource_of_two_files_is_told(command):
    folder = command.folder()
    source = folder.write("res/xml/config.xml", android(f"<base-config>{CORP}</base-config>"))
    for name, status in (("corp.pem", 0), ("corp.pem.old", 1)):
        folder.write(f"res/raw/{name}", (command.pki / "root.pem").read_bytes())
        command("import", source).ended(status).printed("corp.pem")
    command("import", source).printed("anchors = corp.pem\n").said("or more than one")


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
    require(body == ["[not-translated]"], body)


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
