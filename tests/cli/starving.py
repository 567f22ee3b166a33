"""starving.py - memory runs out at one allocation after the other: an error, or the whole answer."""
import os
import pathlib
import re
import subprocess

from e2e.harness import require
from cli.bundling import bundle, key
from cli.importing import OTHER, apple

SOURCE = pathlib.Path(__file__).resolve().parent / "starve.c"
RULES = f"""[host api.example.test]
anchors = {{pki}}/root.pem
[host bad.example]
anchors = {{pki}}/other-root.pem
leaf-pin = sha256/{OTHER}
"""
ANDROID = f"""<network-security-config><domain-config><domain includeSubdomains="true">a.test</domain>
<pin-set expiration="2090-01-01"><pin digest="SHA-256">{OTHER}</pin></pin-set>
</domain-config></network-security-config>"""


def starve(command, status, step, *words):
    """WORDS, which end with STATUS; each STEP-th allocation fails once."""
    library = command.folder() / "starve.so"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC",
                    "-shared", "-o", library, SOURCE], check=True)
    result = command(*words, env={"LD_PRELOAD": library, "STARVE_STEP": step,
                                  "SSL_CERT_FILE": command.pki / "root.pem"}).ended(status)
    told = re.fullmatch(r"(\d+) allocations, 0 killed, 0 other\n", result.out)
    require(told and int(told[1]) > 100, str(result))


def test_import_leaves_nothing_out(command):
    starve(command, 0, 1, "import", command.folder().write("pins.plist", apple([OTHER, OTHER])))
    starve(command, 0, 1, "import", command.folder().write("pins.xml", ANDROID))
    folder = command.folder()
    starve(command, 0, 100, "import", "--host", "a.test", "--to", folder / "to.pem",
           folder.write("bundle.json", bundle(key(command.pki / "root.pem"), spiffe_sequence=1)))
    for one in (ANDROID.replace("SHA-256", "SHA-1"), ANDROID + "<b/>"):
        starve(command, 1 if one.endswith("config>") else 2, 1, "import",
               command.folder().write("bad.xml", one))


def test_refused_chain_stays_refused(command):
    starve(command, 1, 40, "verify", "-p", command.policy(RULES), "--host", "bad.example",
           command.chain("api"))


def test_good_chain_is_told_whole(command):
    starve(command, 0, 40, "verify", "-p", command.policy(RULES), "--host", "api.example.test",
           command.chain("api"))


def test_errors_stay_errors(command):
    starve(command, 1, 5, "check", command.policy("[host a]\nfoo = 1\n[host]\nanchors = /none\n"))


def test_pins_are_told_whole(command):
    starve(command, 0, 40, "pin", command.pki / "api.pem", command.pki / "api.key")
