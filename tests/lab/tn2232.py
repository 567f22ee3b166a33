"""tn2232.py - the trust customisations of TN2232, each beside its refusal, as data."""
from lab.scenario import ACCEPT, REFUSE, Scenario

EXCEPTION = """[exception printer-room]
host = api.example.test
certificate = {fp expired}
findings = certificate-expired
[host api.example.test]
anchors = {root}
"""

SCENARIOS = (
    Scenario("custom anchor: its server", "api", "anchors = {root}", REFUSE, ACCEPT, app=None),
    Scenario("custom anchor: another CA's server", "api-other", "anchors = {root}",
             REFUSE, REFUSE, "missing-issuer", app=None),
    Scenario("anchors-only = no: the application's count", "api-other",
             "anchors = {root}\nanchors-only = no", ACCEPT, ACCEPT, app="other-root"),
    Scenario("anchors-only = yes: they don't", "api-other", "anchors = {root}\nanchors-only = yes",
             ACCEPT, REFUSE, "missing-issuer", app="other-root"),
    Scenario("hostname = www.partner.test: it has it", "partner", "hostname = www.partner.test",
             REFUSE, ACCEPT),
    Scenario("hostname = www.partner.test: another", "api", "hostname = www.partner.test",
             ACCEPT, REFUSE, "name-mismatch"),
    Scenario("extra intermediate: the missing one", "missing-intermediate",
             "intermediates = {intermediate}", REFUSE, ACCEPT),
    Scenario("extra intermediate: only its namesake", "missing-intermediate",
             "intermediates = {namesake-intermediate}", REFUSE, REFUSE, "missing-issuer"),
    Scenario("one certificate, expired: itself", "device", "trust-certificate = {device}",
             REFUSE, ACCEPT),
    Scenario("one certificate: same key, another", "device-twin", "trust-certificate = {device}",
             REFUSE, REFUSE, "self-signed-leaf"),
    Scenario("leaf-pin: same key, renewed", "api-renewed", "leaf-pin = {pin api}",
             ACCEPT, ACCEPT),
    Scenario("leaf-pin: another key", "api-rotated", "leaf-pin = {pin api}",
             ACCEPT, REFUSE, "leaf-pin-mismatch"),
    Scenario("ca-pin: that CA vouches", "api", "ca-pin = {pin intermediate}", ACCEPT, ACCEPT),
    Scenario("ca-pin: that CA is only sent along", "name-dropper", "ca-pin = {pin intermediate}",
             ACCEPT, REFUSE, "ca-pin-mismatch", app="other-root"),
    Scenario("exception: the expired certificate", "expired", EXCEPTION, REFUSE, ACCEPT),
    Scenario("exception: another expired one", "expired-twin", EXCEPTION, REFUSE, REFUSE,
             "certificate-expired"),
    Scenario("exception: an impostor's certificate", "impostor-self-signed", EXCEPTION, REFUSE,
             REFUSE, "self-signed-leaf"),
    Scenario("exception: until tomorrow", "expired",
             EXCEPTION.replace("findings", "expires = {tomorrow}\nfindings"), REFUSE, ACCEPT),
    Scenario("exception: until yesterday", "expired",
             EXCEPTION.replace("findings", "expires = {yesterday}\nfindings"), REFUSE, REFUSE,
             "certificate-expired"),
    Scenario("exception: one more finding", "expired",
             EXCEPTION + "hostname = www.partner.test\n", REFUSE, REFUSE, "name-mismatch"),
    Scenario("distrust a CA: a server without it", "api-direct",
             "[distrust]\nspki = {pin intermediate}", ACCEPT, ACCEPT),
    Scenario("distrust a CA: a server under it", "api", "[distrust]\nspki = {pin intermediate}",
             ACCEPT, REFUSE, "distrusted"),
    Scenario("curl -k: a good server", "api", "anchors = {root}", ACCEPT, ACCEPT,
             app=None, insecure=True),
    Scenario("curl -k overruled: a bad one", "api-other", "anchors = {root}", ACCEPT, REFUSE,
             "missing-issuer", app=None, insecure=True),
    Scenario("mode = report: logged, let through", "expired", "anchors = {root}\nmode = report",
             ACCEPT, ACCEPT, "certificate-expired", app=None, insecure=True),
    Scenario("mode = enforce: refused", "expired", "anchors = {root}\nmode = enforce",
             ACCEPT, REFUSE, "certificate-expired", app=None, insecure=True),
)
