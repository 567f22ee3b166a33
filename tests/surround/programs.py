"""programs.py - the small C programs of this suite, compiled against the system's OpenSSL."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fvisibility=hidden", "-pthread")
TLS = ("-lssl", "-lcrypto")
PROGRAMS = {
    "decide": ("decide.c", "ends.c", *TLS),
    "callbacks": ("callbacks.c", "ends.c", *TLS),
    "bios": ("bios.c", "ends.c", *TLS),
    "libraries": ("libraries.c", "ends.c", *TLS),
    "sessions": ("sessions.c", "ends.c", *TLS),
    "meanwhile": ("meanwhile.c", "ends.c", *TLS),
    "naming": ("naming.c", "ends.c", *TLS),
    "reasons": ("reasons.c", "ends.c", *TLS),
    "moving": ("moving.c", *TLS),
    "guest": ("guest.c", "ends.c", *TLS),
    "guest-now": ("guest.c", "ends.c", *TLS, "-Wl,-z,now"),
    "guest-lookup": ("guest.c", "ends.c", *TLS, "-DOWN_GETADDRINFO", "-rdynamic"),
    "unconnected": ("unconnected.c", *TLS),
    "starve": ("starve.c", "../inject/pair.c", *TLS, "-rdynamic"),
    "audit.so": ("audit.c", "-shared", "-fPIC", "-fvisibility=default"),
    "plugin.so": ("../inject/module.c", "../inject/pair.c", *TLS, "-shared", "-fPIC"),
    "static": ("hello.c", "-static"),
}


class Programs:
    """The paths of the programs, by name; `musl` is None where there is no musl-gcc."""

    def __init__(self, build):
        self.folder = pathlib.Path(build).resolve() / "tests" / "surround"
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, arguments in PROGRAMS.items():
            self.compile(os.environ.get("CC", "cc"), name, *FLAGS, *arguments)
        self.musl = None
        if shutil.which("musl-gcc"):
            self.musl = self.compile("musl-gcc", "musl", "hello.c")

    def compile(self, compiler, name, *arguments):
        target = self.folder / name
        subprocess.run([compiler, "-o", target, *arguments], cwd=HERE, check=True)
        return target

    def __getitem__(self, name):
        return str(self.folder / name)
