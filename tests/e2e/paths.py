"""paths.py - paths that OpenSSL alone does not find: what befell AddTrust's customers in 2020.

A root expired; the newer root it had once cross-signed was in every store, and servers went on
sending the expired cross-sign. Whoever's anchors were old was cut off (curl #5496).
"""
import dataclasses

from e2e.harness import require
from e2e.naming import in_both_ways
from lab import clients, ways

SERVERS = ("crossed", "crossed-by-root", "crossed-misleading")


def start(lab):
    """Bundles that an application could have been configured with."""
    for name, members in (("old", ("elder-root", "stranger-root")),
                          ("both", ("expired-root", "root"))):
        path = lab.scratch / f"{name}-bundle.pem"
        path.write_text("".join(lab.pki.pem(member).read_text() for member in members))
        path.chmod(0o644)


def curl(lab, way, server, bundle, rule=None, environment=None):
    """What curl, configured with BUNDLE, makes of SERVER under the keys RULE."""
    target = dataclasses.replace(lab.target(server), cafile=str(lab.scratch / bundle))
    program = clients.PROGRAMS["curl"]
    policy = lab.policy(f"[host api.example.test]\n{rule}\n") if rule else None
    command = ways.by_command(lab.build, way, program.command(target), policy)
    return lab.judge(program, *lab.run(command, program.stdin, environment))


def expect(outcome, verdict, what, finding=""):
    require(outcome.verdict == verdict, f"{what}: wanted {verdict}: {outcome.said}")
    require(not finding or any(finding in line for line in outcome.log),
            f"{what}: the log does not name {finding}: {outcome.said}")


def addtrust(lab, way):
    """The same curl with the same old bundle: refused bare, accepted under the newer root."""
    def run(rule, way=way):
        return curl(lab, way, "crossed", "old-bundle.pem", rule)
    expect(run(None, ways.BARE), "refuse", "bare")
    expect(run("strict = no"), "refuse", "its own anchors", "certificate-expired")
    expect(run("anchors = {elder-root}"), "refuse", "the expired root", "certificate-expired")
    expect(run("anchors = {young-root}"), "accept", "the newer root")
    expect(run("anchors = {young-root}\nanchors-only = no"), "accept", "both")


def addtrust_system(lab, way):
    """The newer root is in OpenSSL's default store, which the application doesn't use."""
    def run(root, rule, way=way):
        store = {"SSL_CERT_FILE": str(lab.pki.pem(root)), "SSL_CERT_DIR": "/nonexistent"}
        return curl(lab, way, "crossed", "old-bundle.pem", rule, store)
    expect(run("young-root", None, ways.BARE), "refuse", "bare")
    expect(run("young-root", "anchors = system"), "accept", "the newer root")
    expect(run("elder-root", "anchors = system"), "refuse", "the old root", "certificate-expired")


def second_cross_sign(lab, way):
    """Both cross-signs are good; OpenSSL takes the first, to an expired root, and gives up."""
    def run(rule, server="crossed-misleading", way=way):
        return curl(lab, way, server, "both-bundle.pem", rule)
    expect(run(None, way=ways.BARE), "refuse", "bare")
    expect(run("strict = no"), "accept", "its own anchors")
    expect(run("anchors = {expired-root}, {root}"), "accept", "both roots")
    expect(run("anchors = {expired-root}"), "refuse", "the expired one", "certificate-expired")
    expect(run("strict = no", server="crossed"), "refuse", "without the second cross-sign")


def tests():
    yield from in_both_ways("path: AddTrust, an old bundle", addtrust)
    yield from in_both_ways("path: AddTrust, anchors = system", addtrust_system)
    yield from in_both_ways("path: the second of two cross-signs", second_cross_sign)
