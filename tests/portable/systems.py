"""systems.py - Debian systems with programs of their own, which debootstrap makes once."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from compat import place
from e2e.harness import Skip

INCLUDED = "curl,python3,ca-certificates,wget,git,nodejs"
SUITES = ("bullseye", "bookworm", "trixie", "sid")
MIRROR = "http://deb.debian.org/debian"
SECONDS = 900
INSIDE = str(place.HERE / "inside.sh")
lock = threading.Lock()


def make(home, suite, included):
    """The folder of SUITE's minimal system with the packages INCLUDED, or Skip."""
    root = home / (suite if included else f"{suite}-bare")
    with lock:
        if root.exists():
            return root
        if not shutil.which("debootstrap", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Skip("there is no debootstrap")
        home.mkdir(parents=True, exist_ok=True)
        work = pathlib.Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=home))
        try:
            command = ["debootstrap", "--variant=minbase", *([f"--include={included}"] if included else []),
                       suite, str(work / "made"), MIRROR]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
            if done.returncode != 0:
                raise Skip(f"debootstrap can't get Debian {suite}: {done.stdout.splitlines()[-1:]}")
            (work / "made/etc/hosts").write_text("127.0.0.1 localhost\n")
            (work / "made").rename(root)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return root


class System:
    """SUITE's system, in which commands run: with what is unpacked in TREE, which it sees as
    /opt/anywhere, and the servers of this machine."""

    def __init__(self, lab, tree, suite, included=INCLUDED):
        if not place.may_mount():
            raise Skip(place.ROOT)
        self.lab, self.tree, self.command = lab, tree, tree / "bin/trustgraft"
        self.root = make(lab.build.directory / "portable" / "systems", suite, included)

    def run(self, *command, stdin=b"", environment=None):
        """(status, output, error output)."""
        seen = (self.lab.pki.directory, self.lab.scratch, self.tree, place.HERE.parent)
        return self.lab.run(["unshare", "-m", "--propagation", "private", INSIDE, str(self.root),
                             *map(str, seen), "--", *map(str, command)], stdin, environment)
