"""place.py - where the programs of a row run: on this system, or inside another one."""
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import subprocess

from compat.fetch import Missing
from e2e.harness import require
from lab import clients

HERE = pathlib.Path(__file__).resolve().parent
ROOT = ("needs root, and mount namespaces: programs of other systems run inside their own root "
        "directories (unshare(1), chroot(2))")
RENAMED = {"libssl.so.3": "libssl-1.so", "libcrypto.so.3": "libcrypto-1.so"}
LIBRARIES = "usr/lib/x86_64-linux-gnu"     # Debian 11's, all but its C library


@dataclasses.dataclass(frozen=True)
class Place:
    """PROGRAM runs behind the words of PREFIX, with the variables of EXTRA; where they are given, under
    another BUILD of trustgraft than the lab's, and with variables that ENV alone, an env(1), sets: they
    would be wrong for what runs before."""
    program: clients.Program
    prefix: tuple = ()
    extra: tuple = ()
    build: object = None
    env: str = ""

    def run(self, lab, command, environment=None):
        variables, behind = dict(self.extra) | (environment or {}), []
        if self.env:
            behind, variables = [self.env, *(f"{name}={value}" for name, value in variables.items())], {}
        return lab.run([*self.prefix, *behind, *command], self.program.stdin, variables)


def elsewhere(program, executable):
    """PROGRAM, of which EXECUTABLE is another build."""
    return dataclasses.replace(
        program, executable=str(executable),
        command=lambda target: [str(executable), *program.command(target)[1:]])


def with_options(program, *options):
    return dataclasses.replace(program,
                               command=lambda target: [*program.command(target), *options])


@functools.cache
def may_mount():
    return os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


def inside(lab, root, program):
    """PROGRAM in the system unpacked in ROOT."""
    if not may_mount():
        raise Missing(ROOT)
    seen = (lab.build.directory, lab.pki.directory, lab.scratch, HERE.parent)
    return Place(program, ("unshare", "-m", "--propagation", "private", str(HERE / "inside.sh"),
                           str(root), *map(str, seen), "--"))


def rename(work):
    """
    What a wheel has, of this system's files: an extension module, and the OpenSSL that it was
    built with under names of its own, found by the module alone. The names are as long as the old
    ones, so that nothing has to move.
    """
    where = "import importlib.util as util; print(util.find_spec('_ssl').origin)"
    module = subprocess.run([clients.PYTHON, "-c", where], check=True, timeout=120,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    linked = subprocess.run(["ldd", module], check=True, timeout=120, stdout=subprocess.PIPE,
                            text=True).stdout
    (work / "made").mkdir()
    for file in (module, *re.findall(r"=> (\S+/lib(?:ssl|crypto)\.so\.3) ", linked)):
        content, name = pathlib.Path(file).read_bytes(), pathlib.Path(file).name
        for old, new in RENAMED.items():
            content, name = content.replace(old.encode(), new.encode()), name.replace(old, new)
        (work / "made" / name).write_bytes(content)
    if {*RENAMED.values()} - {file.name for file in (work / "made").iterdir()}:
        raise Missing(f"{module} is linked to no libssl.so.3")


def wheel(store):
    """Python, whose `ssl` is that module; its `hashlib` is the system's, on libcrypto.so.3."""
    folder = str(store.have("wheel", rename))
    extra = {"PYTHONPATH": folder, "LD_LIBRARY_PATH": folder}
    maps = subprocess.run([clients.PYTHON, "-c", "import ssl, hashlib; print(open('/proc/self/maps').read())"],
                          check=True, timeout=120, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **extra}).stdout
    loaded = {name: f"/{name}\n" in maps for name in (*RENAMED, *RENAMED.values())}
    require(loaded == {name: name != "libssl.so.3" for name in loaded}, f"not as meant: {loaded}")
    return Place(clients.PROGRAMS["python3"], extra=tuple(extra.items()))


def beside(root, program):
    """PROGRAM of the system unpacked in ROOT, with the libraries it brings, on this system."""
    return Place(elsewhere(program, root / "usr/bin" / program.executable),
                 extra=(("LD_LIBRARY_PATH", str(root / LIBRARIES)),))
