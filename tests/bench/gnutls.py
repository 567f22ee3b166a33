"""gnutls.py - what GnuTLS's handshakes cost a client, and one request of wget."""
import copy
import os
import shutil
import subprocess

from handshakes import add_cpu, handshake_rounds
from measure import Failed, Missing, Run
from programs import Often, bench_instructions, bench_processes
from setting import RULE, Case

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gnutls.c")


def ways(place, rule):
    return [Case("bare", place.bare()), Case("bare again", place.bare()),
            Case("preload, no policy", place.preload()),
            Case("preload, policy for other hosts", place.preload("other")),
            Case("preload, anchors and pins", place.preload(rule))]


def must_refuse(place, argv, policies, stdin=None):
    """As setting's, by the one way in that there is."""
    for policy, wanted in zip(policies, (True, False)):
        done = subprocess.run(argv, env=place.preload(policy), input=stdin, text=True, capture_output=True, check=False)
        if (done.returncode == 0) != wanted:
            raise Failed(f"under {policy}.conf, {argv[0]} exits {done.returncode}: {done.stderr}")


def compile_client(place):
    """PLACE, with this program in the place of OpenSSL's."""
    made = copy.copy(place)
    made.handshake = f"{place.scratch}/gnutls"
    done = subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", SOURCE, "-o", made.handshake, "-lgnutls"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing("there is no libgnutls28-dev")
    with open(f"{place.pki}/chain.pem", "w", encoding="utf-8") as chain:
        for part in ("leaf", "intermediate"):
            with open(f"{place.pki}/{part}.pem", encoding="utf-8") as file:
                chain.write(file.read())
    return made


def bench_handshake(report, place, quick):
    place = compile_client(place)
    must_refuse(place, [place.handshake, place.pki], ("rule", "refusing"), "1\n")
    report.title("Client's CPU time of a TLS 1.3 handshake by GnuTLS, a server met before")
    cases = ways(place, "rule")
    values = handshake_rounds(place, cases, [], *((2, 15) if quick else (8, 40)))
    add_cpu(report, "gnutls", [cases], values)


def bench_wget(report, place, quick):
    """It knows no way to be told the address of a name, so the rule is for one."""
    wget = shutil.which("wget")
    if not wget:
        raise Missing("there is no wget")
    for name, kept in (("address", "{leaf_pin}, "), ("address-refusing", "")):
        with open(f"{place.scratch}/{name}.conf", "w", encoding="utf-8") as file:
            text = RULE.replace("*.bench.test", "127.0.0.1").replace("{leaf_pin}, ", kept)
            file.write(text.format(pki=place.pki, leaf_pin=place.pin("leaf"), no_pin="sha256/" + "A" * 43 + "="))
    report.title("One request of wget on loopback, with the system's bundle of CAs and one more")
    with place.server() as port:
        argv = [wget, "--no-config", "--no-proxy", "--no-hsts", "-q", "-O/dev/null", f"--ca-certificate={place.root}",
                f"https://127.0.0.1:{port}/"]
        must_refuse(place, argv, ("address", "address-refusing"))
        runs = [Run(case.name, argv, case.env) for case in ways(place, "address")]
        bench_processes(report, "wget", runs, Often(3, 5) if quick else Often(3, 25))
        bench_instructions(report, "wget", runs)
