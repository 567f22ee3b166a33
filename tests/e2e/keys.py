"""keys.py - each key of a policy: real programs, real servers, the acceptance and the refusal."""
import subprocess

from e2e.harness import require
from lab import clients, tn2232, ways
from lab.files import put
from lab.scenario import ACCEPT, REFUSE, Scenario

EXCEPTION = """[exception known]
host = {host}
certificate = {fp expired}
findings = certificate-expired{more}
[host api.example.test]
anchors = {root}
"""


def exception(host="api.example.test", more=""):
    return EXCEPTION.replace("{host}", host).replace("{more}", more)


SCENARIOS = (
    Scenario("anchors: a file", "api", "anchors = {root}", REFUSE, ACCEPT, app=None),
    Scenario("anchors: a file, another CA's server", "api-other", "anchors = {root}", ACCEPT,
             REFUSE, "missing-issuer", app="other-root", x509=20),
    Scenario("anchors: relative to the policy", "api", "anchors = anchors.d/root.pem", REFUSE,
             ACCEPT, app=None),
    Scenario("lazy-anchors: no", "api",
             "[policy]\nlazy-anchors = no\n[host api.example.test]\nstrict = no", ACCEPT, ACCEPT),
    Scenario("lazy-anchors: no, another CA's server", "api-other",
             "[policy]\nlazy-anchors = no\n[host api.example.test]\nstrict = no", REFUSE, REFUSE,
             "missing-issuer"),
    Scenario("lazy-anchors: yes", "api",
             "[policy]\nlazy-anchors = yes\n[host api.example.test]\nstrict = no", ACCEPT, ACCEPT),
    Scenario("lazy-anchors: yes, another CA's server", "api-other",
             "[policy]\nlazy-anchors = yes\n[host api.example.test]\nstrict = no", REFUSE, REFUSE,
             "missing-issuer"),
    Scenario("anchors: a list", "api-other", "anchors = {root}, {other-root}", REFUSE, ACCEPT,
             app=None),
    Scenario("anchors: a bundle", "api-other", "anchors = {scratch}/bundle.pem", REFUSE, ACCEPT,
             app=None),
    Scenario("anchors: a bundle without that CA", "api", "anchors = {scratch}/others.pem", ACCEPT,
             REFUSE, "missing-issuer"),
    Scenario("anchors: DER", "api", "anchors = {scratch}/root.der", REFUSE, ACCEPT, app=None),
    Scenario("anchors: a directory", "api", "anchors = {scratch}/anchors.d", REFUSE, ACCEPT,
             app=None),
    Scenario("anchors: a directory without that CA", "api-other", "anchors = {scratch}/anchors.d",
             REFUSE, REFUSE, "missing-issuer", app=None),
    Scenario("anchors: an intermediate", "api", "anchors = {intermediate}", REFUSE, ACCEPT,
             app=None),
    Scenario("anchors: an intermediate, its sibling's server", "api-direct",
             "anchors = {intermediate}", ACCEPT, REFUSE, "missing-issuer"),
    Scenario("anchors: the leaf itself", "api", "anchors = {api}", REFUSE, ACCEPT, app=None),
    Scenario("anchors: system is not what the application set", "api", "anchors = system", ACCEPT,
             REFUSE, "missing-issuer"),
    Scenario("anchors-only: yes is the default with anchors", "api-other", "anchors = {root}",
             ACCEPT, REFUSE, "missing-issuer", app="other-root"),
    Scenario("anchors-only: no adds", "api-other", "anchors = {root}\nanchors-only = no", ACCEPT,
             ACCEPT, app="other-root"),
    Scenario("anchors-only: no, neither of them", "api-other",
             "anchors = {root}\nanchors-only = no",
             REFUSE, REFUSE, "missing-issuer", app="stranger-root"),
    Scenario("anchors: none, the application's count", "api", "strict = no", ACCEPT, ACCEPT),
    Scenario("intermediates: a file", "missing-intermediate", "intermediates = {intermediate}",
             REFUSE, ACCEPT),
    Scenario("intermediates: a directory", "missing-intermediate",
             "intermediates = {scratch}/intermediates.d", REFUSE, ACCEPT),
    Scenario("intermediates: only its namesake", "missing-intermediate",
             "intermediates = {namesake-intermediate}", REFUSE, REFUSE, "missing-issuer"),
    Scenario("intermediates: are no anchors", "missing-intermediate",
             "intermediates = {intermediate}", REFUSE, REFUSE, "missing-issuer", app=None),
    Scenario("hostname: the name it has", "partner", "hostname = www.partner.test", REFUSE, ACCEPT),
    Scenario("hostname: not the dialled one", "api", "hostname = www.partner.test", ACCEPT, REFUSE,
             "name-mismatch", x509=62),
    Scenario("hostname: one of a list", "partner", "hostname = a.test, www.partner.test", REFUSE,
             ACCEPT),
    Scenario("hostname: an address", "ip", "hostname = 127.0.0.1", REFUSE, ACCEPT),
    Scenario("hostname: another address", "ip", "hostname = 127.0.0.2", REFUSE, REFUSE,
             "name-mismatch", x509=62),
    Scenario("hostname: with the application's checks off", "api", "hostname = www.partner.test",
             ACCEPT, REFUSE, "name-mismatch", insecure=True),
    Scenario("insecure-skip-hostname: yes", "partner",
             "insecure-skip-hostname = yes\nanchors = {root}", REFUSE, ACCEPT),
    Scenario("insecure-skip-hostname: no", "partner",
             "insecure-skip-hostname = no\nanchors = {root}", REFUSE, REFUSE, "name-mismatch"),
    Scenario("insecure-skip-hostname: the chain still counts", "api-other",
             "insecure-skip-hostname = yes\nanchors = {root}", REFUSE, REFUSE, "missing-issuer"),
    Scenario("trust-certificate: a file", "device", "trust-certificate = {device}", REFUSE, ACCEPT),
    Scenario("trust-certificate: DER", "device", "trust-certificate = {scratch}/device.der",
             REFUSE, ACCEPT),
    Scenario("trust-certificate: a fingerprint", "device", "trust-certificate = {fp device}",
             REFUSE, ACCEPT),
    Scenario("trust-certificate: same key and name, another", "device-twin",
             "trust-certificate = {device}", REFUSE, REFUSE, "self-signed-leaf"),
    Scenario("trust-certificate: besides a valid path", "api", "trust-certificate = {device}",
             ACCEPT, ACCEPT),
    Scenario("leaf-pin: a digest", "api-renewed", "leaf-pin = {pin api}", ACCEPT, ACCEPT),
    Scenario("leaf-pin: a digest, another key", "api-rotated", "leaf-pin = {pin api}", ACCEPT,
             REFUSE, "leaf-pin-mismatch"),
    Scenario("leaf-pin: a certificate", "api-renewed", "leaf-pin = {api}", ACCEPT, ACCEPT),
    Scenario("leaf-pin: a certificate, another key", "api-rotated", "leaf-pin = {api}", ACCEPT,
             REFUSE, "leaf-pin-mismatch"),
    Scenario("leaf-pin: a public key", "api", "leaf-pin = {scratch}/api.pub", ACCEPT, ACCEPT),
    Scenario("leaf-pin: a backup", "api-rotated", "leaf-pin = {pin api}\nleaf-pin = {api-rotated}",
             ACCEPT, ACCEPT),
    Scenario("leaf-pin: besides all else", "api", "leaf-pin = {pin api}\nanchors = {other-root}",
             ACCEPT, REFUSE, "missing-issuer"),
    Scenario("ca-pin: an intermediate", "api", "ca-pin = {pin intermediate}", ACCEPT, ACCEPT),
    Scenario("ca-pin: the root", "api", "ca-pin = {root}", ACCEPT, ACCEPT),
    Scenario("ca-pin: only sent along", "name-dropper", "ca-pin = {pin intermediate}", ACCEPT,
             REFUSE, "ca-pin-mismatch", app="other-root"),
    Scenario("ca-pin: the leaf is no CA", "api", "ca-pin = {pin api}", ACCEPT, REFUSE,
             "ca-pin-mismatch"),
    Scenario("pin: the server's own", "api-renewed", "pin = {pin api}", ACCEPT, ACCEPT),
    Scenario("pin: an intermediate", "api", "pin = {pin intermediate}", ACCEPT, ACCEPT),
    Scenario("pin: the root", "api", "pin = {pin other-root}\npin = {root}", ACCEPT, ACCEPT),
    Scenario("pin: none of the path", "api-rotated", "pin = {pin api}", ACCEPT, REFUSE,
             "pin-mismatch"),
    Scenario("pin: only sent along", "name-dropper", "pin = {pin intermediate}", ACCEPT, REFUSE,
             "pin-mismatch", app="other-root"),
    Scenario("pin: with the application's checks off", "api", "pin = {pin other-root}", ACCEPT,
             REFUSE, "pin-mismatch", insecure=True),
    Scenario("pins-expire: not yet", "api-rotated", "leaf-pin = {pin api}\npins-expire = {future}",
             ACCEPT, REFUSE, "leaf-pin-mismatch"),
    Scenario("pins-expire: past", "api-rotated", "leaf-pin = {pin api}\npins-expire = {past}",
             ACCEPT, ACCEPT),
    Scenario("verify-time: when it was valid", "expired", "verify-time = {past}", REFUSE, ACCEPT),
    Scenario("verify-time: before it was valid", "api", "verify-time = {past}", ACCEPT, REFUSE,
             "certificate-not-yet-valid", x509=9),
    Scenario("insecure-skip-dates: yes", "expired", "insecure-skip-dates = yes", REFUSE, ACCEPT),
    Scenario("insecure-skip-dates: no", "expired", "insecure-skip-dates = no", REFUSE, REFUSE,
             "certificate-expired", x509=10),
    Scenario("insecure-skip-dates: a future one", "not-yet-valid", "insecure-skip-dates = yes",
             REFUSE, ACCEPT),
    Scenario("purpose: any", "client-only", "purpose = any", REFUSE, ACCEPT),
    Scenario("purpose: tls-server", "client-only", "purpose = tls-server", REFUSE, REFUSE,
             "wrong-purpose", x509=26),
    Scenario("strict: yes", "no-akid", "strict = yes", ACCEPT, REFUSE),
    Scenario("strict: yes, a correct one", "api", "strict = yes", ACCEPT, ACCEPT),
    Scenario("strict: no", "no-akid", "strict = no", ACCEPT, ACCEPT),
    Scenario("action: reject", "api", "action = reject", ACCEPT, REFUSE, "host-rejected"),
    Scenario("action: reject, checks off", "api", "action = reject", ACCEPT, REFUSE,
             "host-rejected", insecure=True),
    Scenario("action: pass", "expired",
             "[host api.example.test]\naction = pass\n[host *]\naction = reject", ACCEPT, ACCEPT,
             insecure=True),
    Scenario("action: pass leaves refusals too", "expired", "action = pass", REFUSE, REFUSE),
    Scenario("mode: enforce", "expired", "mode = enforce", ACCEPT, REFUSE, "certificate-expired",
             insecure=True),
    Scenario("mode: report lets through", "expired", "mode = report", ACCEPT, ACCEPT,
             "certificate-expired", insecure=True),
    Scenario("mode: report for all rules", "expired",
             "[policy]\nmode = report\n[host *.example.test]\nstrict = no", ACCEPT, ACCEPT,
             "certificate-expired", insecure=True),
    Scenario("mode: enforce for all rules", "expired",
             "[policy]\nmode = enforce\n[host *.example.test]\nstrict = no", ACCEPT, REFUSE,
             "certificate-expired", insecure=True),
    Scenario("mode: report accepts nothing by itself", "api", "mode = report\nanchors = {root}",
             REFUSE, REFUSE, app=None),
    Scenario("unmatched: app", "expired", "[policy]\nunmatched = app\n[host a.test]\nstrict = yes",
             ACCEPT, ACCEPT, insecure=True),
    Scenario("unmatched: verify, a bad server", "partner", "[policy]\nunmatched = verify", ACCEPT,
             REFUSE, "name-mismatch", insecure=True),
    Scenario("unmatched: verify, an expired server", "expired", "[policy]\nunmatched = verify",
             ACCEPT, REFUSE, "certificate-expired", insecure=True),
    Scenario("unmatched: verify, a good server", "api", "[policy]\nunmatched = verify", ACCEPT,
             ACCEPT),
    Scenario("unmatched: reject", "api", "[policy]\nunmatched = reject", ACCEPT, REFUSE,
             "host-rejected"),
    Scenario("unmatched: reject, but for a rule", "api",
             "[policy]\nunmatched = reject\n[host api.example.test]\nstrict = no", ACCEPT, ACCEPT),
    Scenario("profile: gives defaults", "api",
             "[profile corp]\nanchors = {root}\n[host api.example.test]\nprofile = corp", REFUSE,
             ACCEPT, app=None),
    Scenario("profile: the rule's own key wins", "api",
             "[profile corp]\nhostname = a.test\n[host api.example.test]\nprofile = corp\n"
             "hostname = api.example.test", ACCEPT, ACCEPT),
    Scenario("profile: applies to nothing by itself", "api", "[profile corp]\naction = reject",
             ACCEPT, ACCEPT),
    Scenario("profile: refuses as the rule would", "api-other",
             "[profile corp]\nanchors = {root}\n[host api.example.test]\nprofile = corp", ACCEPT,
             REFUSE, "missing-issuer", app="other-root"),
    Scenario("include: a drop-in's rule", "api", "[policy]\ninclude = {scratch}/drop-ins/*.conf",
             REFUSE, ACCEPT, app=None),
    Scenario("include: a drop-in's rule, another CA's server", "api-other",
             "[policy]\ninclude = {scratch}/drop-ins/*.conf", ACCEPT, REFUSE, "missing-issuer",
             app="other-root"),
    Scenario("distrust: a key on the path", "api", "[distrust]\nspki = {pin intermediate}", ACCEPT,
             REFUSE, "distrusted"),
    Scenario("distrust: a key elsewhere", "api-direct", "[distrust]\nspki = {pin intermediate}",
             ACCEPT, ACCEPT),
    Scenario("distrust: the leaf's certificate", "api", "[distrust]\ncertificate = {fp api}",
             ACCEPT, REFUSE, "distrusted"),
    Scenario("distrust: its renewed certificate", "api-renewed",
             "[distrust]\ncertificate = {fp api}", ACCEPT, ACCEPT),
    Scenario("distrust: a certificate by its file", "api", "[distrust]\ncertificate = {root}",
             ACCEPT, REFUSE, "distrusted"),
    Scenario("distrust: a key by its file", "api-renewed", "[distrust]\nspki = {api}", ACCEPT,
             REFUSE, "distrusted"),
    Scenario("distrust: checks switched off", "api", "[distrust]\nspki = {pin intermediate}",
             ACCEPT, REFUSE, "distrusted", app=None, insecure=True),
    Scenario("distrust: before trust-certificate", "device",
             "[distrust]\ncertificate = {fp device}\n[host *]\ntrust-certificate = {device}",
             REFUSE, REFUSE, "distrusted"),
    Scenario("exception: that certificate", "expired", exception(), REFUSE, ACCEPT),
    Scenario("exception: another certificate", "expired-twin", exception(), REFUSE, REFUSE,
             "certificate-expired", x509=10),
    Scenario("exception: one more finding", "expired",
             exception() + "hostname = www.partner.test\n", REFUSE, REFUSE, "name-mismatch"),
    Scenario("exception: both findings", "expired",
             exception(more=", name-mismatch") + "hostname = www.partner.test\n", REFUSE, ACCEPT),
    Scenario("exception: another host", "expired", exception("www.example.test"), REFUSE, REFUSE,
             "certificate-expired"),
    Scenario("exception: its port", "expired", exception("api.example.test:{port}"), REFUSE,
             ACCEPT),
    Scenario("exception: another port", "expired", exception("api.example.test:1"), REFUSE, REFUSE,
             "certificate-expired"),
    Scenario("exception: expired itself", "expired",
             exception().replace("findings", "expires = {past}\nfindings"), REFUSE, REFUSE,
             "certificate-expired"),
    Scenario("exception: with a note", "expired",
             exception().replace("findings", "note = until [the new one] comes\nfindings"),
             REFUSE, ACCEPT),
    Scenario("exception: with a note, another certificate", "expired-twin",
             exception().replace("findings", "note = until [the new one] comes\nfindings"),
             REFUSE, REFUSE, "certificate-expired"),
    Scenario("path: a good one beside an expired cross-sign", "crossed",
             "anchors = {elder-root}, {young-root}", REFUSE, ACCEPT, app=None),
    Scenario("path: only the expired cross-sign", "crossed", "anchors = {elder-root}", REFUSE,
             REFUSE, "certificate-expired", app=None),
    Scenario("path: the fresh one of two intermediates", "renewed", "anchors = {root}", REFUSE,
             ACCEPT, app=None),
    Scenario("path: only the stale one", "stale-only", "anchors = {root}", REFUSE, REFUSE,
             "certificate-expired", app=None),
)
SERVERS = tuple(scenario.server for scenario in (*SCENARIOS, *tn2232.SCENARIOS))


def start(lab):
    """The files that the policies above name in the scratch directory."""
    files = {"anchors.d/root.pem": lab.pki.pem("root").read_bytes(),
             "anchors.d/stranger.crt": lab.pki.der("stranger-root"),
             "intermediates.d/one.pem": lab.pki.pem("intermediate").read_bytes(),
             "drop-ins/api.conf": lab.pki.expand("[host api.example.test]\nanchors = {root}\n"),
             "root.der": lab.pki.der("root"),
             "device.der": lab.pki.der("device"),
             "bundle.pem": b"".join(lab.pki.pem(name).read_bytes()
                                    for name in ("root", "other-root")),
             "others.pem": b"".join(lab.pki.pem(name).read_bytes()
                                    for name in ("other-root", "stranger-root")),
             "api.pub": subprocess.run(
                 ["openssl", "x509", "-in", lab.pki.pem("api"), "-noout", "-pubkey"], check=True,
                 stdout=subprocess.PIPE).stdout}
    for name, content in files.items():
        put(lab.scratch / name, content)


def scenario_test(scenario, program, way):
    def test(lab):
        wanted, outcome = scenario.play(lab, program, way)
        complaint = scenario.complaint(way, wanted, outcome)
        require(complaint is None, complaint)
    return f"{scenario.title} [{program}, {way}]", test


def scenario_tests(scenarios):
    """
    Each scenario by curl and openssl in both ways in, by python3 and node in the one that is
    harder for them (libssl loaded locally, OpenSSL inside), and by curl bare as the contrast.
    """
    for scenario in scenarios:
        yield scenario_test(scenario, "curl", ways.BARE)
        for program in ("curl", "openssl"):
            for way in ways.WAYS:
                yield scenario_test(scenario, program, way)
        yield scenario_test(scenario, "python3", ways.PRELOAD)
        yield scenario_test(scenario, "node", ways.PROVIDER)


def tests():
    for scenario in tn2232.SCENARIOS:
        for program in clients.PROGRAMS:
            for way in ways.WAYS:
                name, test = scenario_test(scenario, program, way)
                yield f"TN2232: {name}", test
    yield from scenario_tests(SCENARIOS)
