#!/usr/bin/python3
"""run.py --build DIR --pki DIR [FILTER] - what is packed for arm64, in systems of arm64.

Their own curl, wget and python3, run by qemu-user, against servers of this machine. The packages are in
DIR, and DIR/arm64/root has Debian's that they were built against.
"""
import contextlib
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import guest                                                               # noqa: E402
from compat.fetch import Missing, Store                                    # noqa: E402
from e2e.harness import Skip, require, suite                               # noqa: E402
from portable.programs import ACCEPT, REFUSE, check_machine, check_symbols, play  # noqa: E402

MACHINE = "aarch64"
SYSTEMS = {"bullseye": ("--preload",), "bookworm": ("--preload", "--provider"), "trixie": ("--preload", "--provider")}
PROGRAMS = ("curl", "wget", "python3")


def packed(lab, pattern):
    found = sorted(lab.packed.glob(pattern))
    require(len(found) == 1, f"one {pattern}: {found}")
    return found[0]


def start(lab):
    lab.servers.python(["api"])
    lab.packed = lab.build.directory
    archive = packed(lab, f"trustgraft-*-linux-{MACHINE}.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", lab.scratch], check=True, timeout=120)
    lab.tree, = lab.scratch.glob("trustgraft-*-linux-*")
    for system in SYSTEMS:      # here, for two tests may not fetch at once
        with contextlib.suppress(Skip):
            root(lab, system)


def root(lab, system):
    """Debian's packages for arm64, unpacked. Debian 12's are what it is built against."""
    if system == "bookworm":
        return lab.packed / "arm64/root"
    try:
        return Store(lab.packed / "compat", True).debian(f"{system}-arm64")
    except Missing as why:
        raise Skip(str(why)) from why


def inside(lab, system):
    return guest.Guest(lab, root(lab, system), lab.tree / "bin/trustgraft", lab.tree)


def program_test(system, name, way):
    return lambda lab: play(lab, inside(lab, system), name, way)


def command_test(lab):
    """What the command does by itself."""
    system, port = inside(lab, "trixie"), lab.servers.ports["api"]
    good, bad = lab.policy(ACCEPT), lab.policy(REFUSE)
    for policy, wanted, text in ((good, 0, "accept localhost"), (bad, 1, "leaf-pin-mismatch")):
        status, out, err = system.run(system.command, "explain", "--connect", "-p", policy, f"localhost:{port}")
        require(status == wanted and text in out, f"explain: exit {status}: {out}{err}")
    status, out, err = system.run(system.command, "pin", f"localhost:{port}")
    require(status == 0 and "sha256/" in out, f"pin: exit {status}: {out}{err}")
    status, out, err = system.run(system.command, "--version")
    require(status == 0 and len(re.findall(r"OpenSSL 3\.\S+", out)) > 1, f"{out}{err}")


def package_test(lab):
    """The package for Debian: what it says of itself, and its files in a Debian 12."""
    package = packed(lab, "trustgraft_*_arm64.deb")
    said = subprocess.run(["dpkg-deb", "-f", package], check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
    require(re.search(r"^Architecture: arm64$", said, re.M) and re.search(r"^Depends: .*libssl3 ", said, re.M), said)
    if guest.why_not(root(lab, "bookworm")):
        raise Skip(guest.why_not(root(lab, "bookworm")))
    there = lab.scratch / "installed"
    subprocess.run(["cp", "-a", "--reflink=auto", root(lab, "bookworm"), there], check=True, timeout=120)
    subprocess.run(["dpkg-deb", "-x", package, there], check=True, timeout=120)
    system = guest.Guest(lab, there, "/usr/bin/trustgraft")
    for name in PROGRAMS:
        play(lab, system, name, "--preload")
    shutil.rmtree(there)


def contents_test(lab):
    check_machine(lab.tree, MACHINE)
    check_symbols(lab.tree, MACHINE)


TESTS = (
    ("symbols, libraries and machine", contents_test),
    *((f"{system}: {name} {way}", program_test(system, name, way)) for system, ways in SYSTEMS.items()
      for way in ways for name in PROGRAMS if (name, way) != ("wget", "--provider")),
    ("the command", command_test),
    ("the package", package_test),
)

if __name__ == "__main__":
    sys.exit(suite(__doc__, TESTS, start))
