"""known.py - known-hosts: real programs at servers whose keys are known, or not, or changed."""
from e2e.harness import require
from e2e.keys import scenario_tests
from e2e.naming import in_both_ways
from e2e.reload import HOST, Running
from lab.scenario import ACCEPT, REFUSE, Scenario

READ = 4096  # KiB that a file of 100,000 lines takes at least
RULE = "anchors = {root}\nknown-hosts = {known}\n"


def known(title, server, lines, under, finding="", **options):
    lines = "".join(f"#known {line}\n" for line in lines)
    return Scenario(f"known-hosts: {title}", server, RULE + lines, ACCEPT, under, finding,
                    **options)


SCENARIOS = (
    known("its key", "api", ["api.example.test {pin api}"], ACCEPT),
    known("another key", "api-rotated", ["api.example.test {pin api}"], REFUSE,
          "known-host-mismatch"),
    known("a second pin", "api-rotated", ["api.example.test {pin api},{pin api-rotated} # next"],
          ACCEPT),
    known("its CA's key", "api-rotated", ["api.example.test {pin intermediate}"], ACCEPT),
    known("a host that isn't in it", "api", ["www.example.test {pin api}"], REFUSE,
          "known-host-missing"),
    known("its port", "api", ["api.example.test:{port} {pin api}"], ACCEPT),
    known("another port", "api", ["api.example.test:1 {pin api}"], REFUSE, "known-host-missing"),
    known("a file with an error", "api", ["api.example.test {pin api}", "www.example.test"],
          REFUSE, "policy-invalid"),
    known("with the application's checks off", "api-rotated", ["api.example.test {pin api}"],
          REFUSE, "known-host-mismatch", insecure=True),
)
SERVERS = {scenario.server for scenario in SCENARIOS}
FILE = HOST + "anchors = {root}\nknown-hosts = known\n"


def start(_):
    """Nothing but the leaves' servers is needed."""


def followed(lab, way):
    """A running process goes by the file as it is."""
    with Running(lab, way) as client:
        client.put("policy.conf", FILE)
        client.put("known", "# nothing yet\n")
        client.begin().stays("refuse", during=0.1)
        require("known-host-missing" in client.said(), client.said())
        client.put("known", "api.example.test {pin api}\n")
        client.becomes("accept")
        client.put("known", "api.example.test {pin api-rotated}\n")
        client.becomes("refuse")
        client.becomes("accept", "api-rotated")


def broken_version(lab, way):
    """It is said, and what was read before stays in force; as does a refusal."""
    with Running(lab, way) as client:
        client.put("policy.conf", FILE)
        client.put("known", "api.example.test {pin api}\n")
        client.begin().stays("accept", during=0.1)
        client.put("known", "api.example.test {pin api-rotated}\nnonsense\n")
        client.stays_until_said("accept", "the last good one stays")
        client.stays("refuse", "api-rotated", during=0.1)
        require("known:2:9: error: " in client.said(), client.said())
        client.put("known", "api.example.test {pin api-rotated}\n")
        client.becomes("accept", "api-rotated")


def removed(lab, way):
    with Running(lab, way) as client:
        client.put("policy.conf", FILE)
        client.put("known", "api.example.test {pin api}\n")
        client.begin().stays("accept", during=0.1)
        (client.home / "known").unlink()
        client.stays("refuse", "api-rotated")


def made_writable(lab, way):
    """A file that others may write isn't read, before the policy's load or after it."""
    with Running(lab, way) as client:
        client.put("policy.conf", FILE)
        client.put("known", "api.example.test {pin api}\n")
        (client.home / "known").chmod(0o666)
        client.begin().stays("refuse", during=0.1)
        require("known: is writable by group and others" in client.said(), client.said())


def a_hundred_thousand(lab, way):
    """Who needs none of its hosts doesn't wait for it."""
    with Running(lab, way) as client:
        client.put("policy.conf", FILE + "[host other.example.test]\nanchors = {root}\n"
                   "hostname = api.example.test\n")
        client.put("known", "".join(f"host{i}.example.test {{pin api}}\n" for i in range(100000))
                   + "api.example.test {pin api}\n")
        client.begin()
        port = lab.servers.ports["api"]
        require(client.tell(f"{port} other.example.test") == "accept", client.said())
        before = int(client.tell("resident"))
        require(client.call() == "accept", client.said())
        grown = int(client.tell("resident")) - before
        require(grown > READ, f"read before it was needed: memory grew by {grown} KiB only")
        require(client.call("api-rotated") == "refuse", client.said())


def tests():
    yield from scenario_tests(SCENARIOS)
    for name, test in (("a running process", followed), ("a broken version", broken_version),
                       ("a file that is removed", removed),
                       ("a file that others may write", made_writable),
                       ("a hundred thousand lines", a_hundred_thousand)):
        yield from in_both_ways(f"known-hosts: {name}", test)
